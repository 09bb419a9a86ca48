"""The family of the paper: K-nearest-neighbour classifiers, general at K = Z, fitted at K = 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import prod
from typing import TYPE_CHECKING, ClassVar

from core.declarations.lazy import np
from core.declarations.setting import Choice, Setting, Whole
from core.errors import SpecError
from core.families.family import ONE_PROCESSOR, Family, Predictions, Resources
from core.families.ladder import Ladder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.families.family import Pixels
    from core.neighbours.search import NeighbourSearch

CACHE_KIND = "neighbours"
"""Of the entries in the cache."""
NEARBY = 9
"""Neighbours looked for besides the z: with them, the first z of an image like this one are nearly always known."""
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
Z = Setting(
    name="z", title="Z, largest K", metavar="Z", default=7, main=True,
    kind=Whole(3, 999, odd="Z must be odd, so that K falls in steps of 2 to 1"),
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

    z: int = 7
    tie_rule: str = "lowest"
    search: str = "pruned"

    def __post_init__(self) -> None:
        for setting in self.options:
            setting.check(getattr(self, setting.name))

    @property
    def ladder(self) -> Ladder:
        """Every odd K from z to 1."""
        values = tuple(range(self.z, 0, -2))
        return Ladder("K", tuple(map(str, values)), values)

    @property
    def needed(self) -> str:
        """See `Family.needed`."""
        return "neighbour searches"

    def check_size(self, training: int) -> None:
        """See `Family.check_size`."""
        if self.z > training:
            raise SpecError(
                "z", self.z, f"a run has only {training} training images to find neighbours among"
            )

    def fit(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        classes: int,
        resources: Resources = ONE_PROCESSOR,
        random: np.random.Generator | None = None,
    ) -> FittedNeighbours:
        """See `Family.fit`. Raises SpecError where z exceeds N."""
        # Loads torch, which the terminal program does not want of this module.
        from core.files.cache import key_of  # noqa: PLC0415
        from core.neighbours.registry import build_search  # noqa: PLC0415

        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images with {len(labels)} labels")
        self.check_size(len(images))
        training = images.reshape(len(images), -1)
        search = build_search(self.search, training, device=resources.device, threads=resources.threads)
        training_key = key_of(images) if resources.cache is not None else ""
        return FittedNeighbours(self, search, images.shape[1:], labels, classes, resources, training_key)


@dataclass(frozen=True)
class FittedNeighbours:
    """All K of a `KNearestNeighbours`, answered from one search of z neighbours.

    training_key: names the training images' content in the cache.
    """

    family: KNearestNeighbours
    search: NeighbourSearch
    image_shape: tuple[int, ...]
    labels: NDArray[np.int64]
    classes: int
    resources: Resources = ONE_PROCESSOR
    training_key: str = ""
    _effort: Counter[str] = field(default_factory=Counter)

    def predict(self, images: Pixels, near: NDArray[np.int64] | None = None) -> Predictions:
        """See `FittedLevels.predict`; support is votes, the notes on an image are its nearest training images."""
        from core.neighbours.vote import vote, vote_counts  # noqa: PLC0415  # as in `fit`

        if images.shape[1:] != self.image_shape:
            raise ValueError(f"images are {images.shape[1:]}, those fitted were {self.image_shape}")
        # Not -1: no adversarial image at all is an ordinary answer, and an empty array cannot infer it.
        queries = images.reshape(len(images), prod(self.image_shape))
        z = self.family.z
        index = self._nearest(queries) if near is None else self._search(queries, z, near)
        labels = self.labels[index[:, :z]]
        by_level = [vote(labels, k, self.classes, self.family.tie_rule) for k in range(z, 0, -2)]
        return Predictions(np.stack(by_level), vote_counts(labels, z, self.classes), index)

    @property
    def effort(self) -> Mapping[str, int]:
        """How many queries were `searched`, each with which `Effort` (certified, widened, complete), with how many
        distances `measured`; how many were `reused` from the cache instead."""
        return {
            "searched": 0,
            "certified": 0,
            "widened": 0,
            "complete": 0,
            "measured": 0,
            "reused": 0,
            **self._effort,
        }

    def _nearest(self, queries: Pixels) -> NDArray[np.int64]:
        """(n, z + NEARBY) nearest training images, or all there are; from the cache where they are known."""
        from core.files.cache import key_of  # noqa: PLC0415  # as in `fit`

        wanted, cache = min(self.family.z + NEARBY, len(self.labels)), self.resources.cache
        if cache is None:
            return self._search(queries, wanted)
        # Every search gives the same answer, so that none is named in the key.
        key = key_of(self.training_key, queries)
        found = cache.get(CACHE_KIND, key)
        if found is not None and found["index"].shape[1] >= wanted:
            self._effort["reused"] += len(queries)
            return found["index"][:, :wanted].astype(np.int64)
        index = self._search(queries, wanted)
        cache.put(CACHE_KIND, key, {"index": index.astype(np.int32)})
        return index

    def _search(
        self, queries: Pixels, count: int, near: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        found = self.search.search(queries, count, near)
        self._effort.update({"searched": len(queries), **asdict(found.report)})
        return found.index
