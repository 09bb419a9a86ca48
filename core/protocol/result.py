"""What a run found, as its caller is handed it: metrics, arrays, and samples of its sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.deciding.decider import Decided, Halves
from core.protocol.attacking import Surrogate
from core.protocol.candidates import AttackedImages
from core.protocol.classifying import Classified, SplitImages
from core.protocol.selection import Selection
from core.protocol.work import Work
from core.records.arrays import knob_values
from core.records.environment import Environment
from core.records.metrics import Counts, RunMetrics
from core.sets.measurement import Measured
from core.sets.members import Members
from core.sets.nearest import NearestToMembers
from core.statistics.slopes import Slope


@dataclass(frozen=True)
class RunResult:
    """What a run found.

    metrics: of the run alone; `complete` adds what its caller knows. arrays: what `core.records.arrays` writes.
    samples: images of each set, made from `source` of the pooled data set, in the order in which tables show the
    sets. nearest: the training images nearest to those of each sample; none of a family that judges by none.
    """

    metrics: RunMetrics
    arrays: dict[str, NDArray[np.generic]]
    samples: dict[str, Members]
    nearest: dict[str, NearestToMembers]

    def complete(self, data_sha256: str, environment: Environment) -> RunMetrics:
        """The metrics with the digest of the data and what they were computed with."""
        return msgspec.structs.replace(self.metrics, data_sha256=data_sha256, environment=environment)


def metrics_of(
    work: Work,
    classified: Classified,
    surrogate: Surrogate,
    selection: Selection,
    measured: Mapping[str, Measured],
    changes: Mapping[str, Mapping[str, Slope]],
    decided: Decided,
) -> RunMetrics:
    """The metrics of a run, but for the digest of its data and what it was computed with."""
    test, adversarial = classified.test, selection.adversarial()
    correct = int(test.correct.sum())
    return RunMetrics(
        index=work.run,
        ladder=work.ladder,
        counts=Counts(
            train=len(work.pool.labels) - len(test.label),
            test=len(test.label),
            correct=correct,
            misclassified=len(test.label) - correct,
            candidates=selection.attack.count,
            rejected=selection.attack.rejected,
            adversarial=len(adversarial.label),
            adversarial_sources=len(np.unique(adversarial.source)),
            sets={name: found.count for name, found in measured.items()},
            distinct={name: found.distinct for name, found in measured.items() if found.distinct is not None},
        ),
        surrogate_accuracy=surrogate.accuracy,
        surrogate_reused=surrogate.reused,
        attack=selection.attack.figures(),
        sets={name: found.attack for name, found in measured.items() if found.attack is not None},
        accuracy={name: dict(found.accuracy) for name, found in measured.items()},
        crossfit=decided.crossfit,
        crossfit_fitted=decided.crossfit_fitted,
        bias_variance=decided.bias_variance,
        robustness=decided.robustness.robustness,
        flips=decided.robustness.flips,
        noise=decided.noise,
        variants=dict(decided.variants),
        slopes={name: {j: slope.value for j, slope in by_j.items()} for name, by_j in changes.items()},
        slope_reasons={
            name: {j: slope.reason for j, slope in by_j.items() if slope.reason is not None}
            for name, by_j in changes.items()
        },
        search=dict(classified.classifier.effort),
        seconds=work.stages.seconds,
        data_sha256="",
        environment=Environment(versions={}, device=work.resources.device, cpu=""),
    )


def arrays_of(
    work: Work,
    split: SplitImages,
    classified: Classified,
    halves: Halves | None,
    sources: AttackedImages,
    adversarial: Members,
) -> dict[str, NDArray[np.generic]]:
    """What arrays.npz holds; see `core.records.arrays`."""
    ladder, test = work.ladder, classified.test
    arrays: dict[str, NDArray[np.generic]] = {
        "train_index": split.train_index.astype(np.int32),
        "test_index": split.test_index.astype(np.int32),
        "test_label": test.label.astype(np.int16),
        "test_prediction": test.prediction.astype(np.int16),
        ladder.array_name: knob_values(ladder),
        "adversarial_image": adversarial.image,
        "adversarial_label": adversarial.label.astype(np.int16),
        "adversarial_source": sources.index[adversarial.source].astype(np.int32),
        "adversarial_target": adversarial.target.astype(np.int16),
        "adversarial_prediction": adversarial.prediction.astype(np.int16),
    }
    if halves is not None:
        arrays["half"] = halves.half
        arrays["crossfit_test_prediction"] = halves.test_prediction.astype(np.int16)
        if halves.subset is not None and work.spec.keep == "candidates":
            arrays["subset"] = halves.subset
    return arrays
