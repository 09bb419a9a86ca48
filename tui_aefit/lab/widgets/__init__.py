"""The widgets of the lab, one a file."""
