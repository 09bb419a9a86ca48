"""The results of a study: its experiments side by side, and what changes along each of its axes."""
