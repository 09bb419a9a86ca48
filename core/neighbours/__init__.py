"""Exact k-nearest-neighbour search and the vote of the neighbours found."""
