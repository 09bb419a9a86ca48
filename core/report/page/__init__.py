"""The report as one HTML page; loads matplotlib."""
