"""Collects what decides the claim while a run's images come: the test images, then the candidates in blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.deciding.bias_variance import BiasVarianceTally
from core.deciding.crossfit import ORDERS, CrossFitTally, wrong_at
from core.deciding.robustness import RobustnessTally
from core.declarations.words import enumerate_words
from core.errors import PluginError
from core.families.family import PartLevels, Predictions
from core.families.ladder import Ladder
from core.records.deciding import DECIDING_SETS, BiasVariance, CrossFit, DecidingSet, Robustness
from core.sets.members import Candidates
from core.sets.registry import SETS

MADE: tuple[DecidingSet, ...] = ("adversarial", "noise")
"""The sets that are made from test images; the others consist of these."""
GENERAL, FITTED = 0, -1
"""Places of the ends of a ladder."""


def deciding_name(name: str) -> DecidingSet | None:
    """Which of the sets that decide the claim this one is, None for another.

    Raises PluginError for a plug-in's set that says it decides: results have no place for it.
    """
    if not SETS[name].decides:
        return None
    for known in DECIDING_SETS:
        if name == known:
            return known
    raise PluginError(
        f"{SETS.whose(name)} says that it decides the claim: results have a place for "
        f"{enumerate_words(DECIDING_SETS)} only",
        "declare `decides = False` in it, or uninstall that package",
    )


@dataclass(frozen=True, eq=False)
class Halves:
    """The classifier on the two halves of a run's training images.

    half: (N,) uint8, 0 or 1, of each training image. levels: trained on each half. subset: (2, B, N) bool, random
    parts of each half; subsets: trained on these; None where bias and variance are not measured. test_prediction:
    (2, levels, n) int64.
    """

    half: NDArray[np.uint8]
    levels: PartLevels
    subset: NDArray[np.bool_] | None
    subsets: tuple[PartLevels, PartLevels] | None
    test_prediction: NDArray[np.int64]


@dataclass(frozen=True)
class Decided:
    """What decided the claim in a run; see `core.records.deciding`.

    crossfit, crossfit_fitted: selected at the most general and at the most fitted level. bias_variance: of the
    former. robustness: on the attack's candidates; noise: on noise; variants: rule -> the same by another rule of
    the family. None where not measured.
    """

    crossfit: CrossFit | None
    crossfit_fitted: CrossFit | None
    bias_variance: BiasVariance | None
    robustness: Robustness
    noise: Robustness | None
    variants: Mapping[str, Robustness]


class Decider:
    """Takes what `docs/protocol.md`, "Deciding the claim", asks about.

    label: (n,) of the images to attack, in the order of their rows. predictions: on them. half_prediction: (2,
    levels, n), None where there are no halves. subsets: B, the number of parts of each half, 0 for none.
    """

    def __init__(
        self,
        ladder: Ladder,
        classes: int,
        *,
        label: NDArray[np.int64],
        predictions: Predictions,
        half_prediction: NDArray[np.int64] | None,
        halves: Halves | None,
        subsets: int,
    ) -> None:
        self._ladder, self._label, self._halves = ladder, label, halves
        self._predictions, self._half_prediction = predictions, half_prediction
        self._robustness: dict[DecidingSet, RobustnessTally] = {
            name: RobustnessTally(ladder, predictions.label == label) for name in MADE
        }
        self._variants = {
            rule: RobustnessTally(ladder, variant == label) for rule, variant in predictions.variants.items()
        }
        self._crossfit, self._crossfit_fitted = CrossFitTally(ladder), CrossFitTally(ladder)
        measured = halves is not None and halves.subsets is not None
        self._bias_variance = BiasVarianceTally(ladder, classes, subsets) if measured else None

    def add_test_images(self, image: NDArray[np.uint8]) -> None:
        """Take all test images, in the order of `label`."""
        if self._halves is None or self._half_prediction is None:
            return
        prediction, label = self._half_prediction, self._label
        everything = np.ones((2, len(label)), dtype=bool)
        for tally, place in ((self._crossfit, GENERAL), (self._crossfit_fitted, FITTED)):
            tally.add("test", everything, prediction, label)
            tally.add("misclassified", wrong_at(place, prediction, label), prediction, label)
        if self._bias_variance is None or self._halves.subsets is None:
            return
        wrong = wrong_at(GENERAL, prediction, label)
        for half in ORDERS:
            found = self._halves.subsets[1 - half].predict(image, self._predictions)
            self._bias_variance.add("test", half, found, label)
            places = np.flatnonzero(wrong[half])
            self._bias_variance.add("misclassified", half, found[:, :, places], label[places])

    def add(self, name: DecidingSet, block: Candidates) -> None:
        """Take candidates of one of MADE; in the end of all test images."""
        self._robustness[name].add(~block.wrong, block.source)
        if name == "adversarial":
            for rule, tally in self._variants.items():
                tally.add(block.variants[rule] == block.label, block.source)
        if block.half_prediction is None or self._half_prediction is None:
            return
        source = self._half_prediction[:, :, block.source]
        general, fitted = (
            wrong_at(place, block.half_prediction, block.label, source) for place in (GENERAL, FITTED)
        )
        self._crossfit.add(name, general, block.half_prediction, block.label)
        self._crossfit_fitted.add(name, fitted, block.half_prediction, block.label)
        self._add_to_bias_variance(name, block, general)

    def figures(self) -> Decided:
        """What came so far."""
        crossfitted = self._half_prediction is not None
        return Decided(
            crossfit=self._crossfit.figures() if crossfitted else None,
            crossfit_fitted=self._crossfit_fitted.figures() if crossfitted else None,
            bias_variance=self._bias_variance.figures() if self._bias_variance is not None else None,
            robustness=self._robustness["adversarial"].figures(),
            noise=self._robustness["noise"].figures() if self._robustness["noise"].count else None,
            variants={rule: tally.figures() for rule, tally in self._variants.items()},
        )

    def _add_to_bias_variance(
        self, name: DecidingSet, block: Candidates, selected: NDArray[np.bool_]
    ) -> None:
        if self._bias_variance is None or self._halves is None or self._halves.subsets is None:
            return
        # Many are selected by both halves: what the whole says of them serves both, with notes for small parts.
        places = np.flatnonzero(selected.any(axis=0))
        image, near = block.image[places], self._predictions.near[block.source[places]]
        whole = self._halves.subsets[0].whole.predict(image, near)
        for half in ORDERS:
            own = np.flatnonzero(selected[half, places])
            found = self._halves.subsets[1 - half].predict(image[own], whole.take(own), near[own])
            self._bias_variance.add(name, half, found, block.label[places[own]])
