"""What an experiment needs of a classifier family: members that run from general to fitted by one knob.

A module of a family is read by the terminal program too: it imports what computes, torch or the neighbour
search, in `fit`, not at its top.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from core.declarations.setting import Setting, Value, checked_values
from core.families.ladder import Ladder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.files.cache import Cache

    Pixels = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """What a family is trained on.

    images: (N, H, W, C) uint8. labels: (N,) int64 from 0 to classes - 1. Raises ValueError for another number of
    labels than of images.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: int

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images with {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, part: NDArray[np.bool_]) -> TrainingImages:
        """Those where (N,) `part` is true, in their order."""
        return TrainingImages(self.images[part], self.labels[part], self.classes)


@dataclass(frozen=True)
class Predictions:
    """What all members of a family say of n images.

    label: (levels, n) int64, the most general member first.
    support: (n, classes), how strongly the most general member speaks for each class; the largest is its label's.
    near: (n, g) int64, a family's own notes on each image, which help it with images like that one; g may be 0.
    variants: the labels by other rules that the family could have followed, such as another way to break ties:
        (levels, n) each, by the rule's name.
    """

    label: NDArray[np.int64]
    support: NDArray[np.int64]
    near: NDArray[np.int64]
    variants: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    def take(self, places: NDArray[np.intp] | slice) -> Predictions:
        """Those of the images at these places, in their order."""
        return Predictions(
            self.label[:, places],
            self.support[places],
            self.near[places],
            {rule: label[:, places] for rule, label in self.variants.items()},
        )


@dataclass(frozen=True)
class Shuffled:
    """How often every member is right of n images when what it judges by comes in a random order.

    Of the orders in which the most general member answers as in the true one: by its answer images are selected, so
    that what is left is what this selection alone gives.

    right: (levels, n) int64, of out_of: (levels,) int64 orders or equally likely outcomes.
    """

    right: NDArray[np.int64]
    out_of: NDArray[np.int64]


@dataclass(frozen=True)
class Nearest:
    """The training images by which each of n images is judged, the nearest first.

    index: (n, k) int64 into the training images. distance: (n, k) float64, Euclidean, between images with pixels in
    [0, 1]. counted: how many of the nearest each level counts, the most general first; k may be less.
    """

    index: NDArray[np.int64]
    distance: NDArray[np.float64]
    counted: tuple[int, ...]


class PredictionTime(NamedTuple):
    """Seconds that one image takes all members on two processor cores, roughly.

    first: an image that is like none before it. again: one that was made of an image answered before, whose notes
    (`Predictions.near`) are there.
    """

    first: float
    again: float


SHUFFLED_SETS = ("shuffled", "misclassified-shuffled")
"""The sets that are judged with nearness in random order, see `Family.shuffled`."""
FORWARD = 1e-7
"""Seconds for one value of an image through a small network: a third of there and back."""


class FittedLevels(Protocol):
    """All members of a family, from the most general to the most fitted, trained on the same images.

    Safe to be asked by several threads at once.
    """

    def predict(self, images: Pixels, near: NDArray[np.int64] | None = None) -> Predictions:
        """The label that each member gives to each image.

        images: (n, H, W, C), uint8 or float32 in [0, 1], as large as those fitted; n may be large, memory
        beside the answer is bounded. near: (n, g), for each image the notes of an earlier answer on one like
        it; it saves time and changes nothing. Raises ValueError for other images.
        """
        ...

    @property
    def effort(self) -> Mapping[str, int]:
        """What all predictions so far have taken, in the family's own terms."""
        ...


class PartLevels(Protocol):
    """All members of a family, trained on each of several parts of the same training images."""

    @property
    def whole(self) -> FittedLevels:
        """The members trained on all of these images, whose notes suit the parts."""
        ...

    def predict(
        self, images: Pixels, whole: Predictions, near: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """(parts, levels, n) int64: the label that each member, of each part, gives to each image.

        images: as `FittedLevels.predict` takes them. whole: its answer on them; near: as it takes them. Neither
        changes a number.
        """
        ...


@dataclass(frozen=True)
class Resources:
    """What a fit may use; none of it changes a number.

    device: a torch device name. threads: of this process, at least 1. cache: where what is made from the
    training images may be kept; None does without.
    """

    device: str = "cpu"
    threads: int = 1
    cache: Cache | None = None


ONE_PROCESSOR = Resources()
"""One thread of the processor, no cache."""


class Family(ABC):
    """A classifier with an ordered knob between generalising and fitting: neighbours, epochs, depth.

    A subclass declares its words and its options, and is made with a value for each option by keyword.

    title: its name in menus. summary: what it is in a line, for the help.
    options: the settings that it reads; their names must differ from those of all other settings.
    subsets: on how many random parts of the training images it is trained to measure bias and variance; 0 where
        that would take too long: they are then not measured.
    counted_as: what the gallery calls the labels of those of the nearest training images that a level counts; of
        a family that has `nearest`.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    options: ClassVar[tuple[Setting, ...]] = ()
    subsets: ClassVar[int] = 0
    counted_as: ClassVar[str] = "nearest"

    def __init__(self, **options: Value) -> None:
        """Each value becomes an attribute; an option that is left out has its default.

        Raises SpecError for a value that an option cannot take.
        """
        vars(self).update(checked_values(self.options, options))

    @property
    @abstractmethod
    def ladder(self) -> Ladder:
        """The knob and its levels."""

    @abstractmethod
    def fit(
        self,
        training: TrainingImages,
        resources: Resources = ONE_PROCESSOR,
        random: np.random.Generator | None = None,
    ) -> FittedLevels:
        """Train every member on these images.

        random: where a family draws its random numbers from, if it does: a stream of the run's own.
        Raises SpecError where the options ask for more than these images can give.
        """

    def fit_parts(
        self,
        whole: FittedLevels,
        training: TrainingImages,
        parts: NDArray[np.bool_],
        resources: Resources = ONE_PROCESSOR,
        random: np.random.Generator | None = None,
    ) -> PartLevels:
        """Train every member on each of some parts of the images that `whole` was fitted on, as `fit` does.

        parts: (p, N) bool, which images are in which.
        """
        from core.families.refitted import refit  # noqa: PLC0415  # NumPy, which the terminal program does not want

        return refit(self, whole, training, parts, resources, random)

    def shuffled(
        self,
        whole: Predictions,
        labels: NDArray[np.int64],
        truth: NDArray[np.int64],
        random: np.random.Generator,
    ) -> Shuffled | None:
        """How its members would do if nearness told nothing; None for a family that judges by no order.

        whole: the answer on n images of what was fitted on images with these (N,) labels. truth: (n,) the true
        labels of the n images. random is drawn from image by image.
        """
        return None

    @classmethod
    def unfilled(cls) -> Collection[str]:
        """The sets that have no image in any run; none of them is measured unless a person asks for it.

        By default those in random order, where the family does not say what that would give.
        """
        return SHUFFLED_SETS if cls.shuffled is Family.shuffled else ()

    def nearest(
        self, whole: FittedLevels, images: Pixels, most: int, near: NDArray[np.int64] | None = None
    ) -> Nearest | None:
        """The training images by which its members judge each of n images; None for a family that judges by none.

        whole: what this family fitted. images, near: as `FittedLevels.predict` takes them. most: of each image at
        most so many. For looking at; nothing of it is counted in the effort.
        """
        return None

    def check_size(self, training: int) -> None:  # noqa: B027  # most families take any number
        """Raises SpecError where so many training images are too few for the options."""

    @property
    def needed(self) -> str:
        """What answering one image takes, in the plural, for estimates of the work: "neighbour searches"."""
        return "predictions"

    def prediction_time(self, training: int, values: int) -> PredictionTime:
        """How long an image of so many values takes, where so many training images were fitted.

        Only for the time left before any run of an experiment has come so far; by default that of a small network.
        """
        return PredictionTime(FORWARD * values, FORWARD * values)

    @property
    def headline(self) -> str:
        """What makes the ladder, in a word or two, for a line that is short of room; "": the ladder's span."""
        return ""

    @property
    def beside_levels(self) -> Mapping[str, str]:
        """What a drawing of the ladder shows beside some of its levels: level -> a word or a row of signs."""
        return {}
