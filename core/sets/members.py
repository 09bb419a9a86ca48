"""Images of a set with what the classifier says of them, and the candidates that an attack made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.declarations.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Members:
    """m images of a set, with what the classifier says of them.

    image: (m, H, W, C) float32 in [0, 1]. source: (m,) int64, what each was made from. label: (m,) int64, true
    labels. target: (m,) int64, -1 where there is none. prediction: (levels, m) int64, the most general level first.
    """

    image: NDArray[np.float32]
    source: NDArray[np.int64]
    label: NDArray[np.int64]
    target: NDArray[np.int64]
    prediction: NDArray[np.int64]

    def take(self, places: NDArray[np.intp]) -> Members:
        """Those at these places, in their order."""
        return Members(
            self.image[places],
            self.source[places],
            self.label[places],
            self.target[places],
            self.prediction[:, places],
        )


@dataclass(frozen=True, eq=False)
class Candidates(Members):
    """The m candidates of some sources, all of those that the attack kept.

    source: rows of the attacked images. source_known: (m,) bool, whether the most fitted level classifies the
    source correctly. support: (m, classes), see `Predictions`. surrogate_prediction: (m,) int64. linf, l2: (m,)
    float64, the perturbation's norms in pixel units. rejected: candidates that the attack threw away.
    """

    source_known: NDArray[np.bool_]
    support: NDArray[np.int64]
    surrogate_prediction: NDArray[np.int64]
    linf: NDArray[np.float64]
    l2: NDArray[np.float64]
    rejected: int

    @property
    def adversarial(self) -> NDArray[np.bool_]:
        """(m,), which of them the most general level does not classify as their source."""
        missed: NDArray[np.bool_] = self.prediction[0] != self.label
        return missed

    @property
    def surrogate_fooled(self) -> NDArray[np.bool_]:
        """(m,), which of them the surrogate does not classify as their source."""
        fooled: NDArray[np.bool_] = self.surrogate_prediction != self.label
        return fooled


def no_members(levels: int, shape: tuple[int, int, int]) -> Members:
    """Members of (H, W, C) images of which there are none."""
    none = np.empty(0, dtype=np.int64)
    return Members(
        np.empty((0, *shape), dtype=np.float32), none, none, none, np.empty((levels, 0), dtype=np.int64)
    )


def concatenate(parts: Sequence[Members]) -> Members:
    """The members of all the parts (at least one), one part after the other."""
    return Members(
        np.concatenate([part.image for part in parts]),
        np.concatenate([part.source for part in parts]),
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.prediction for part in parts], axis=1),
    )
