"""The sets of images whose accuracy a run measures."""
