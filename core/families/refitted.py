"""A family trained anew on each of several parts of its training images: what any family can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.declarations.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.families.family import Family, FittedLevels, Pixels, Predictions, Resources, TrainingImages


@dataclass(frozen=True)
class RefittedLevels:
    """See `core.families.family.PartLevels`."""

    whole: FittedLevels
    fitted: tuple[FittedLevels, ...]

    def predict(
        self, images: Pixels, whole: Predictions, near: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """See `PartLevels.predict`."""
        return np.stack([one.predict(images).label for one in self.fitted])


def refit(
    family: Family,
    whole: FittedLevels,
    training: TrainingImages,
    parts: NDArray[np.bool_],
    resources: Resources,
    random: np.random.Generator | None,
) -> RefittedLevels:
    """See `Family.fit_parts`."""
    return RefittedLevels(whole, tuple(family.fit(training.take(part), resources, random) for part in parts))
