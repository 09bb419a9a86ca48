"""Student's t distribution in plain Python, for programs that must not load SciPy.

By the regularised incomplete beta function: P(|T| >= t) = I_x(df / 2, 1 / 2) with x = df / (df + t^2) (Abramowitz
and Stegun, 26.5.27), of which the continued fraction is evaluated (26.5.8).
"""

from __future__ import annotations

import math
import sys
from functools import lru_cache

NORMAL_QUANTILE = 1.959963984540054
"""The 97.5 % point of the normal distribution, to which the critical value tends as the degrees of freedom grow."""
TAIL = 0.05
_TINY = 1e-300
_TERMS = 10_000
"""Of the continued fraction, at most; it needs some tens, and more only for very many degrees of freedom."""


def two_sided_p(statistic: float, df: float) -> float:
    """P(|T| >= |statistic|) for df > 0 degrees of freedom, not necessarily whole."""
    square = statistic * statistic
    return _incomplete_beta(df / 2, 0.5, df / (df + square), square / (df + square))


@lru_cache(maxsize=4096)
def critical_value(df: float) -> float:
    """The t with P(|T| <= t) = 0.95 for df > 0: half the width of a 95 % interval, in standard errors.

    By Newton's method from the normal distribution's, which is less for every df: P(|T| >= t) falls ever more
    slowly, so each step stays below the t that is sought.
    """
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    t = NORMAL_QUANTILE
    while True:
        density = scale * (1 + t * t / df) ** (-(df + 1) / 2)
        step = (two_sided_p(t, df) - TAIL) / (2 * density)
        if step <= 4 * sys.float_info.epsilon * t:
            return t
        t += step


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b); rest: 1 - x, given for where x is almost 1."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    # The fraction converges fast on one side of the mean; on the other that of the complement does.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of I_x(a, b), by Lentz's method."""
    numerator, denominator = 1.0, 1 / _safe(1 - (a + b) * x / (a + 1))
    value = denominator
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            denominator = 1 / _safe(1 + term * denominator)
            numerator = _safe(1 + term / numerator)
            change = numerator * denominator
            value *= change
        if abs(change - 1) < sys.float_info.epsilon:
            break
    return value


def _safe(value: float) -> float:
    """Never 0, by which something will be divided."""
    return value if abs(value) > _TINY else _TINY
