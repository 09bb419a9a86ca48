"""Files that are replaced whole, caches, and where things lie."""
