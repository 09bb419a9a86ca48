"""Statistics over the runs: slopes, summaries and tests, with a reason for whatever cannot be had."""
