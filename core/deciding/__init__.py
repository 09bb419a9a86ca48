"""What decides the claim in one run: cross-fitted selection, bias and variance, robustness without selection."""
