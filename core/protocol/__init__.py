"""One run of the experiment; loads torch."""
