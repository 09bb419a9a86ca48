"""What a person or a shell sees of the experiment: the `aefit-tui` command and the lab."""
