"""Wilcoxon's signed-rank test, exact also when differences tie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Up to here the null distribution is enumerated (well under 0.1 s); SciPy's "auto" changes over at 50 too.
EXACT_UP_TO = 50


@dataclass(frozen=True, slots=True)
class SignedRank:
    """statistic: the smaller of the two rank sums; p: two-sided; rank_biserial: -1 to 1."""

    statistic: float
    p: float
    rank_biserial: float


def signed_rank(differences: Sequence[float], *, rounding: float) -> SignedRank | None:
    """Test that paired differences are symmetric about 0; None when all of them are 0.

    Zeros are dropped (Wilcoxon's own rule, SciPy's zero_method="wilcox"); tied magnitudes share their mean
    rank; `rounding` is the distance below which two magnitudes, or a magnitude and 0, count as equal.
    Up to EXACT_UP_TO non-zero differences, p = min(1, 2 P(W <= w)) with W over all 2^n equally likely sign
    assignments of the ranks at hand, hence exact under ties. Beyond, the normal approximation with tie
    correction and without continuity correction (SciPy's method="approx", correction=False).
    The matched-pairs rank-biserial correlation is (W+ - W-) / (W+ + W-) (Kerby, 2014).
    """
    kept = sorted((d for d in differences if abs(d) > rounding), key=abs)
    if not kept:
        return None
    ranks = _doubled_ranks([abs(d) for d in kept], rounding)
    total = sum(ranks)
    positive = sum(rank for rank, d in zip(ranks, kept, strict=True) if d > 0)
    smaller = min(positive, total - positive)
    p = _exact_p(ranks, smaller) if len(kept) <= EXACT_UP_TO else _approximate_p(ranks, smaller)
    return SignedRank(smaller / 2, p, (2 * positive - total) / total)


def _doubled_ranks(magnitudes: Sequence[float], rounding: float) -> list[int]:
    """Twice the mean ranks of ascending magnitudes: whole numbers also where they tie."""
    ranks: list[int] = []
    while len(ranks) < len(magnitudes):
        start = end = len(ranks)
        while end < len(magnitudes) and magnitudes[end] - magnitudes[max(start, end - 1)] <= rounding:
            end += 1
        ranks += [start + 1 + end] * (end - start)
    return ranks


def _exact_p(ranks: Sequence[int], smaller: int) -> float:
    # ways[s]: how many sets of the ranks seen so far sum to s; sums above `smaller` are never needed.
    ways = [1] + [0] * smaller
    for rank in ranks:
        for total in range(smaller, rank - 1, -1):
            ways[total] += ways[total - rank]
    return min(1.0, 2 * sum(ways) / (1 << len(ranks)))


def _approximate_p(ranks: Sequence[int], smaller: int) -> float:
    # Each rank r joins W with probability 1/2: mean sum(r)/2, variance sum(r^2)/4, ties included.
    z = (smaller - sum(ranks) / 2) / (math.hypot(*ranks) / 2)
    return math.erfc(abs(z) / math.sqrt(2))
