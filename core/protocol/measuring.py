"""Steps 7 and 8 of a run: accuracy at every level on every set, and its slopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.attacks.attack import Attack
from core.deciding.decider import Decider, deciding_name
from core.families.family import Predictions
from core.families.ladder import Ladder
from core.protocol.candidates import AttackedImages, CandidateMaker
from core.protocol.classifying import Classified, SplitImages
from core.protocol.selection import AttackTally, Selection
from core.protocol.work import Work
from core.records.deciding import DecidingSet
from core.sets.measurement import Measured
from core.sets.members import no_members
from core.sets.registry import SETS, make_set
from core.sets.run_so_far import RunSoFar
from core.statistics.slopes import Slope, slopes


def measure_sets(
    work: Work,
    split: SplitImages,
    classified: Classified,
    sources: AttackedImages,
    maker: CandidateMaker,
    selection: Selection,
    decider: Decider,
) -> dict[str, Measured]:
    """Step 7. Accuracy A at every level, on the paper's three sets (all test images, M, D) and on the controls."""
    adversarial = selection.adversarial()
    again = _Again(work, split, classified, sources, maker, selection, decider)
    run = RunSoFar(
        test=classified.test,
        source_index=sources.index,
        parts=selection.parts,
        adversarial_source=adversarial.source,
        adversarial_margin=selection.margins(),
        epsilon=work.spec.epsilon,
        attack_anew=again.attack,
        add_noise_of_the_attacks_norm=again.add_noise_of_the_attacks_norm,
        shuffle=again.shuffle,
    )
    return {name: make_set(name).measure(run) for name in work.spec.sets}


def compute_slopes(ladder: Ladder, measured: Mapping[str, Measured]) -> dict[str, dict[str, Slope]]:
    """Step 8. Slopes: S_j = A_j / A_i on every set, i the level before j; set -> j -> slope."""
    return {
        name: slopes(
            SETS[name].as_counted(found.accuracy, ladder),
            ladder,
            zero_by_construction=SETS[name].begins_at_zero(),
        )
        for name, found in measured.items()
    }


@dataclass(frozen=True)
class _Again:
    """What sets have a run do once more, in another way; see `RunSoFar`. maker: of the experiment's attack."""

    work: Work
    split: SplitImages
    classified: Classified
    sources: AttackedImages
    maker: CandidateMaker
    selection: Selection
    decider: Decider

    def attack(self, attack: Attack, name: str) -> Measured:
        maker = replace(self.maker, attack=attack)
        if (deciding := deciding_name(name)) is None:
            return self._select(replace(maker, halves=None), self.sources.known, name)
        return self._select(maker, self.sources, name, deciding)

    def add_noise_of_the_attacks_norm(self, name: str) -> Measured:
        maker = replace(self.maker, l2=self.selection.norms, halves=None)
        return self._select(maker, self.sources.known, name)

    def _select(
        self,
        maker: CandidateMaker,
        attacked: AttackedImages,
        name: str,
        deciding: DecidingSet | None = None,
    ) -> Measured:
        """Select as D is selected; of as many draws a source, since more would be more chances to be selected."""
        stages = self.work.stages
        other = replace(maker, generator=self.work.streams.torch_of_set(name))
        tally, figures = self.work.tally_of(name), AttackTally()
        with stages.stage(name, total=other.count(len(attacked))):
            for block in other.make(attacked, stages):
                if block.recognised:
                    tally.add(block, np.flatnonzero(block.adversarial))
                    figures.add(block)
                if deciding is not None:
                    with stages.part("subsets"):
                        self.decider.add(deciding, block)
        return tally.measured(self.sources.index, figures.figures())

    def shuffle(self, name: Literal["adversarial", "misclassified"], asking: str) -> Measured:
        work, ladder = self.work, self.work.ladder
        whole, truth = self._adversarial() if name == "adversarial" else self._misclassified()
        random = work.streams.numpy_of_set(asking)
        found = work.family.shuffled(whole, self.split.training.labels, truth, random)
        none = no_members(len(ladder.levels), work.pool.shape)
        if found is None or not len(truth):
            return Measured(0, dict.fromkeys(ladder.levels), none)
        shares = found.right.sum(axis=1) / (found.out_of * len(truth))
        return Measured(len(truth), dict(zip(ladder.levels, shares.tolist(), strict=True)), none)

    def _adversarial(self) -> tuple[Predictions, NDArray[np.int64]]:
        """All that the classifier says of D, and the true labels."""
        adversarial = self.selection.adversarial()
        near = self.sources.predictions.near[adversarial.source]
        return self.classified.classifier.predict(adversarial.image, near), adversarial.label

    def _misclassified(self) -> tuple[Predictions, NDArray[np.int64]]:
        """All that the classifier says of M, and the true labels."""
        test = self.classified.test
        wrong = np.flatnonzero(~test.correct)
        return self.classified.predictions.take(wrong), test.label[wrong]
