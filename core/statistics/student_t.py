"""Student's t distribution, and the only door to SciPy in the statistics."""

from __future__ import annotations

from typing import Any


def two_sided_p(statistic: float, df: float) -> float:
    """P(|T| >= |statistic|) for df > 0 degrees of freedom, not necessarily whole."""
    return float(2 * _special().stdtr(df, -abs(statistic)))


def critical_value(df: float) -> float:
    """The t with P(|T| <= t) = 0.95 for df > 0: half the width of a 95 % interval, in standard errors."""
    return float(_special().stdtrit(df, 0.975))


def _special() -> Any:
    # SciPy costs tenths of a second and tens of megabytes: not before two runs can be summarised. `special`
    # has both functions and loads in under half the time of `scipy.stats`, which calls the same ones.
    from scipy import special  # noqa: PLC0415

    return special
