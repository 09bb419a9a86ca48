"""Images: what sets there are, how each is read into one pool, and how a run splits the pool."""
