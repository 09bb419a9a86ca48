"""Where runs can be computed besides this machine, as a person writes it: light, and nothing is started here."""
