"""The family of the paper: K-nearest-neighbour classifiers, general at K = Z, fitted at K = 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.declarations.lazy import np
from core.declarations.setting import Choice, Setting, Unfit, Whole
from core.errors import SpecError
from core.families.family import (
    ONE_PROCESSOR,
    Family,
    Nearest,
    Predictions,
    PredictionTime,
    Resources,
    Shuffled,
)
from core.families.ladder import Ladder
from core.families.voting import SEARCHES, SUBSETS, TIE_RULES, Voting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.families.family import FittedLevels, Pixels, TrainingImages
    from core.neighbours.classifier import FittedNeighbours
    from core.neighbours.subsets import NeighboursOfParts

ORDERS = 10
"""Random orders of the neighbours, where no closed form gives the mean over all of them."""
MOST_DOTS = 25
"""Neighbours that are drawn as a row of dots."""
SEARCH_TIME = 4.5e-11
"""Seconds for one value of one training image in an exact search for neighbours: 10,000 test images of MNIST among
60,000 took 21 s in each of two runs beside each other on two processor cores.
"""
AGAIN = 0.4
"""Of that, what a candidate takes: it lies near its image, whose neighbours are known."""


@dataclass(frozen=True)
class OddNumber(Whole):
    """An odd one of these numbers."""

    def check(self, value: object) -> int:
        """See `Kind.check`."""
        found = super().check(value)
        if found % 2 == 0:
            raise Unfit("Z must be odd, so that K falls in steps of 2 to 1", f"try {found - 1}")
        return found


Z = Setting(
    name="z", title="Z, largest K", metavar="Z", default=7, main=True,
    kind=OddNumber(3, 999),
    help="the most general K, odd; K falls from Z to 1",
)  # fmt: skip
TIE_RULE = Setting(
    name="tie_rule", title="Tied votes", metavar="RULE", kind=Choice(TIE_RULES), default="lowest",
    help="who wins where several labels have most votes",
)  # fmt: skip
SEARCH = Setting(
    name="search", title="Search", metavar="NAME", kind=Choice(SEARCHES), default="pruned", identifies=False,
    help="how the nearest neighbours are found, always exactly",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class KNearestNeighbours(Family):
    """K = z, z - 2, ..., 3, 1 by uniform vote.

    z: odd, at least 3. tie_rule: a name of TIE_RULES. search: of SEARCHES. Raises SpecError for other values.
    """

    title: ClassVar[str] = "K nearest neighbours"
    summary: ClassVar[str] = "K nearest neighbours on pixels, the paper's classifier; fewer are more fitted"
    options: ClassVar[tuple[Setting, ...]] = (Z, TIE_RULE, SEARCH)
    subsets: ClassVar[int] = SUBSETS
    counted_as: ClassVar[str] = "votes"

    z: int = 7
    tie_rule: str = "lowest"
    search: str = "pruned"

    def __post_init__(self) -> None:
        for setting in self.options:
            setting.check(getattr(self, setting.name))

    @property
    def ladder(self) -> Ladder:
        """Every odd K from z to 1."""
        values = tuple(self.voting.every_k)
        return Ladder("K", tuple(map(str, values)), values)

    @property
    def voting(self) -> Voting:
        """How the neighbours vote."""
        return Voting(self.z, self.tie_rule)

    @property
    def needed(self) -> str:
        """See `Family.needed`."""
        return "neighbour searches"

    def prediction_time(self, training: int, values: int) -> PredictionTime:
        """See `Family.prediction_time`; that of one search."""
        first = SEARCH_TIME * training * values
        return PredictionTime(first, AGAIN * first)

    @property
    def headline(self) -> str:
        """See `Family.headline`."""
        return f"Z {self.z}"

    @property
    def beside_levels(self) -> Mapping[str, str]:
        """See `Family.beside_levels`: a dot for each neighbour that votes, unless there are too many."""
        return {str(k): "●" * k for k in self.voting.every_k} if self.z <= MOST_DOTS else {}

    def check_size(self, training: int) -> None:
        """See `Family.check_size`."""
        if self.z > training:
            raise SpecError(
                "z", self.z, f"a run has only {training} training images to find neighbours among"
            )

    def fit(
        self,
        training: TrainingImages,
        resources: Resources = ONE_PROCESSOR,
        random: np.random.Generator | None = None,
    ) -> FittedNeighbours:
        """See `Family.fit`. Raises SpecError where z exceeds N."""
        # Loads torch, which the terminal program does not want of this module.
        from core.files.cache import key_of  # noqa: PLC0415
        from core.neighbours.classifier import FittedNeighbours  # noqa: PLC0415
        from core.neighbours.registry import build_search  # noqa: PLC0415

        self.check_size(len(training))
        images = training.images
        search = build_search(
            self.search,
            images.reshape(len(images), -1),
            device=resources.device,
            threads=resources.threads,
        )
        return FittedNeighbours(
            self.voting,
            search,
            images.shape[1:],
            training.labels,
            training.classes,
            resources,
            training_key=key_of(images) if resources.cache is not None else "",
        )

    def fit_parts(
        self,
        whole: FittedLevels,
        training: TrainingImages,
        parts: NDArray[np.bool_],
        resources: Resources = ONE_PROCESSOR,
        random: np.random.Generator | None = None,
    ) -> NeighboursOfParts:
        """See `Family.fit_parts`; nothing is trained: the neighbours in a part are among those in the whole."""
        from core.neighbours.subsets import NeighboursOfParts  # noqa: PLC0415  # as in `fit`

        return NeighboursOfParts.of(_own(whole), parts)

    def shuffled(
        self,
        whole: Predictions,
        labels: NDArray[np.int64],
        truth: NDArray[np.int64],
        random: np.random.Generator,
    ) -> Shuffled:
        """See `Family.shuffled`: the z nearest training images of each image vote in a random order.

        At K = z every order gives the same answer, but for a tie that goes to the nearest: of these orders only
        those count that give the answer which was given. At K = 1 the mean over all orders is a share of the z;
        between, as many random orders as ORDERS are drawn for each image.
        """
        from core.neighbours.vote import vote_at_each, vote_counts  # noqa: PLC0415  # as in `fit`

        voters, answer, classes = labels[whole.near[:, : self.z]], whole.label[0], int(labels.max()) + 1
        orders = random.permuted(voters.repeat(ORDERS, axis=0), axis=1)
        found = vote_at_each(self.voting.every_k, orders, classes, self.tie_rule)
        # An order in which another of the tied labels wins stands for the one with these two exchanged.
        own, won = answer.repeat(ORDERS), found[0].copy()
        found = np.where(found == won, own, np.where(found == own, won, found))
        right = (found.reshape(len(found), -1, ORDERS) == truth[:, None]).sum(axis=2)
        out_of = np.full(len(found), ORDERS)
        right[0], out_of[0] = answer == truth, 1
        first = voters
        if self.tie_rule == "nearest":
            votes = vote_counts(voters, self.z, classes)
            tied = np.take_along_axis(votes, voters, axis=1) == votes.max(axis=1, keepdims=True)
            first = np.where(
                tied, answer[:, None], voters
            )  # the first of the tied labels is the one that wins
        right[-1], out_of[-1] = (first == truth[:, None]).sum(axis=1), self.z
        return Shuffled(right, out_of)

    def nearest(
        self, whole: FittedLevels, images: Pixels, most: int, near: NDArray[np.int64] | None = None
    ) -> Nearest:
        """See `Family.nearest`: those that vote at K = z, so that the first K of them vote at every K."""
        return _own(whole).nearest(images, most, near)


def _own(whole: FittedLevels) -> FittedNeighbours:
    """What this family fitted. Raises TypeError for what another did."""
    from core.neighbours.classifier import FittedNeighbours  # noqa: PLC0415  # as in `KNearestNeighbours.fit`

    if not isinstance(whole, FittedNeighbours):
        raise TypeError(f"{type(whole).__name__} is no answer of this family's")
    return whole
