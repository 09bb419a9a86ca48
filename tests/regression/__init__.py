"""Comparisons with numbers that were computed before."""
