"""The command: options, settings, sub-commands, the headless mode."""
