"""The parts of the set-up screen."""
