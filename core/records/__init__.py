"""What an experiment leaves on disk: its folder, the journals that screens follow, the results of its runs."""
