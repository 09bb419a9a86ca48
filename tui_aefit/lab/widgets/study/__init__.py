"""The parts of the study screen."""
