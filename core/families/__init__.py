"""Classifier families whose members run from general to fitted by one knob."""
