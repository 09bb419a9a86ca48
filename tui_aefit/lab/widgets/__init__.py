"""The widgets of the lab, one a file; those of one screen's panes in a folder of its name."""
