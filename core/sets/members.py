"""Images of a set with what the classifier says of them, and the candidates that an attack made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    source: rows of the attacked images. source_prediction: (levels, m) int64, of the unperturbed source.
    recognised: whether the most general level gets all of these sources right; else it gets none. place: (m,)
    int64, which of all candidates each is, those that the attack threw away counted. support: (m, classes), near:
    (m, g), variants: see `Predictions`. half_prediction: (2, levels, m) int64, by the classifier of each half of
    the training images; None where there are no halves. surrogate_prediction: (m,) int64. linf, l2: (m,) float64,
    the perturbation's norms in pixel units. rejected: candidates that the attack threw away.
    """

    source_prediction: NDArray[np.int64]
    recognised: bool
    place: NDArray[np.int64]
    near: NDArray[np.int64]
    variants: Mapping[str, NDArray[np.int64]]
    half_prediction: NDArray[np.int64] | None
    support: NDArray[np.int64]
    surrogate_prediction: NDArray[np.int64]
    linf: NDArray[np.float64]
    l2: NDArray[np.float64]
    rejected: int

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(levels, m): whether each level gets each candidate wrong."""
        wrong: NDArray[np.bool_] = self.prediction != self.label
        return wrong

    @property
    def source_right(self) -> NDArray[np.bool_]:
        """(levels, m): whether each level gets each candidate's source right."""
        right: NDArray[np.bool_] = self.source_prediction == self.label
        return right

    @property
    def adversarial(self) -> NDArray[np.bool_]:
        """(m,): what the most general level gets wrong, having got its source right."""
        adversarial: NDArray[np.bool_] = self.source_right[0] & self.wrong[0]
        return adversarial

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
