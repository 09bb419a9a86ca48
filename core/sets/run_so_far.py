"""What a run has found when its sets are measured: the test images, the sources, the attack's candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.sets.measurement import CandidateTally, ClassifiedImages, Measured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.attacks.attack import Attack


@dataclass(frozen=True, eq=False)
class RunSoFar:
    """A run whose attack has been made.

    test: all test images. source_index: (s,) the attacked images' places in the pooled data set.
    parts: the sets that consist of candidates of the attack, by name. adversarial_source: (m,) rows of the
    sources, one for each adversarial image. adversarial_margin: (m,) `core.sets.margin.margin_of` of each.
    attack_anew: attacks the same sources with another attack, as often as the experiment's, and selects as the
        adversarial set is selected. Takes the attack and the set's name, which names its random stream and its
        stage of the run too.
    add_noise_of_the_attacks_norm: the same, with noise scaled to the L2 norm of the candidate in its place. Takes
        the set's name.
    shuffle: a set of the paper's, measured with what the classifier judges by in random order; has no images where
        the family judges by no order. Takes which, and the name of the set that asks, which names its stream.
    """

    test: ClassifiedImages
    source_index: NDArray[np.int64]
    parts: Mapping[str, CandidateTally]
    adversarial_source: NDArray[np.int64]
    adversarial_margin: NDArray[np.int64]
    epsilon: float
    attack_anew: Callable[[Attack, str], Measured]
    add_noise_of_the_attacks_norm: Callable[[str], Measured]
    shuffle: Callable[[Literal["adversarial", "misclassified"], str], Measured]
