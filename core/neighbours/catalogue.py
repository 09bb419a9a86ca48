"""The names of the neighbour searches and tie rules, for menus and specs; imports nothing heavy."""

from __future__ import annotations

SEARCHES: dict[str, str] = {
    "pruned": "lower bounds exclude nearly all, float64 decides (the default); on a GPU the same as blocked",
    "blocked": "matrix products with all training images choose, float64 decides; runs on a GPU too",
    "kd-tree": "scikit-learn's KD-tree, the search of the paper; slow for images, a second opinion",
}
"""Every search finds the same neighbours in the same order; they differ in time and memory only."""

TIE_RULES: dict[str, str] = {
    "lowest": "a tied vote goes to the lowest label (scikit-learn's rule, the default)",
    "nearest": "a tied vote goes to the tied label whose closest neighbour comes first",
}
