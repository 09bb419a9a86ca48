"""What every step of a run needs."""

from __future__ import annotations

from dataclasses import dataclass

from core.attacks.attack import Attack
from core.attacks.registry import ATTACKS
from core.data.images import ImageSet
from core.families.family import Family, Resources
from core.families.ladder import Ladder
from core.protocol.stages import Stages
from core.protocol.streams import Streams
from core.sets.measurement import CandidateTally
from core.sets.registry import SETS
from core.sets.sample import Sample
from core.spec.spec import Spec


@dataclass(frozen=True)
class Work:
    """What is asked for, the images, the means, the random streams, who watches."""

    spec: Spec
    run: int
    pool: ImageSet
    resources: Resources
    streams: Streams
    stages: Stages

    @property
    def ladder(self) -> Ladder:
        """The levels of the classifier."""
        return self.spec.ladder

    @property
    def family(self) -> Family:
        """What the classifier is fitted by, with the options of the specification."""
        return self.spec.make_family()

    @property
    def attack(self) -> Attack:
        """The attack, with its options."""
        return ATTACKS[self.spec.attack](epsilon=self.spec.epsilon, **self.spec.part_options("attack"))

    def tally_of(self, name: str) -> CandidateTally:
        """A tally of the images of a set, none so far."""
        shown = SETS[name].shown
        sample = Sample(len(self.ladder.levels), self.pool.shape, self.pool.classes, shown)
        return CandidateTally(self.ladder, sample)
