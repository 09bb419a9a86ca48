"""Which runs lack a result, and who computes them."""
