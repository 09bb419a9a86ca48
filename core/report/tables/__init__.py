"""The result as tables."""
