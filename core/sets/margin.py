"""By how much the most general level is wrong of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def margin_of(support: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,): how much more the most general level speaks for its own answer than for the true label, 0 or more.

    support: (n, classes), see `core.families.family.Predictions`. label: (n,) true labels.
    """
    margin: NDArray[np.int64] = support.max(axis=1) - support[np.arange(len(label)), label]
    return margin


def match_margins(own: NDArray[np.int64], offered: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each margin in `own`, (m,), a place in `offered`, (n,), with the same margin, else with the nearest.

    Those with one margin take turns, in the order in which they are offered, so that each is taken equally often
    but for one time. Of two margins equally near the smaller one is taken. Empty where nothing is offered.
    """
    if not len(offered):
        return np.empty(0, dtype=np.intp)
    margins = np.unique(offered)
    places = np.empty(len(own), dtype=np.intp)
    for margin in np.unique(own):
        wanting = np.flatnonzero(own == margin)
        nearest = margins[np.abs(margins - margin).argmin()]
        candidates = np.flatnonzero(offered == nearest)
        places[wanting] = candidates[np.arange(len(wanting)) % len(candidates)]
    return places
