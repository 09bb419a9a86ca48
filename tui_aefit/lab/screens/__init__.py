"""The lab's screens, one a file, each with its style sheet of the same name."""
