"""Candidates: what an attack makes of the sources, with what the classifier and the surrogate say of it.

They come in blocks, so that memory does not grow with their number; all candidates of one source are in
the same block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.attacks.attack import Attack
from core.attacks.candidates import expand
from core.attacks.catalogue import AttackInfo
from core.families.family import FittedLevels
from core.protocol.stages import Stages
from core.sets.sample import Members
from core.tensors.pixels import from_torch, to_torch

CANDIDATES_AT_ONCE = 4096
"""Candidates of a block, about: 13 MB of float32 for 28x28 pixels, 50 MB for 32x32 colour."""


@dataclass(frozen=True)
class Sources:
    """The images to attack, C of the protocol or a part of it. image: (n, H, W, C) uint8.

    label: (n,) int64, true labels. index: (n,) int64 into the pooled data set. known: (n,) bool, whether the
    most fitted level classifies them correctly. near: (n, g), the classifier's notes on them.
    """

    image: NDArray[np.uint8]
    label: NDArray[np.int64]
    index: NDArray[np.int64]
    known: NDArray[np.bool_]
    near: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Candidates(Members):
    """The m candidates of some sources, all of those that the attack kept.

    source: rows of the Sources. source_known: (m,) bool, `known` of the source. support: (m, classes).
    surrogate_prediction: (m,) int64. linf, l2: (m,) float64, the perturbation's norms in pixel units.
    rejected: candidates that the attack threw away.
    """

    source_known: NDArray[np.bool_]
    support: NDArray[np.int64]
    surrogate_prediction: NDArray[np.int64]
    linf: NDArray[np.float64]
    l2: NDArray[np.float64]
    rejected: int


class CandidateKeeper(Protocol):
    """Where a run hands every candidate of its attack, for uses beyond the experiment."""

    def add(self, block: Candidates, source_index: NDArray[np.int64]) -> None:
        """Keep a block. source_index: (m,) each candidate's source in the pooled data set."""
        ...


def candidates_of(
    sources: Sources,
    *,
    attack: Attack,
    info: AttackInfo,
    surrogate: nn.Module,
    classifier: FittedLevels,
    classes: int,
    generator: torch.Generator,
    stages: Stages,
    device: str,
) -> Iterator[Candidates]:
    """Attack the surrogate from every source (step 5) and classify what comes out, block by block.

    Progress is reported in candidates; time is counted under "attack" and "filter".
    """
    per_source = classes - 1 if info.per_target else 1
    block = max(1, CANDIDATES_AT_ONCE // per_source)
    for start in range(0, len(sources.label), block):
        label = sources.label[start : start + block]
        row, target = expand(info, label, classes)
        with stages.part("attack"):
            clean = to_torch(sources.image[start : start + block], device)[torch.from_numpy(row).to(device)]
            targets = torch.from_numpy(target).to(device)
            labels = torch.from_numpy(label[row]).to(device)
            perturbed, kept, _ = attack(surrogate, clean, labels, targets, generator)
            with torch.inference_mode():
                surrogate_prediction = surrogate(perturbed).argmax(dim=1)[kept]
        rows = kept.cpu().numpy()
        with stages.part("filter"):
            image = from_torch(perturbed[kept])
            predictions = classifier.predict(image, sources.near[start + row[rows]])
        # On the CPU: some devices have no float64.
        change = (perturbed - clean)[kept].flatten(1).cpu()
        yield Candidates(
            image=image,
            source=start + row[rows],
            label=label[row][rows],
            source_known=sources.known[start + row[rows]],
            target=target[rows],
            prediction=predictions.label,
            support=predictions.support,
            surrogate_prediction=surrogate_prediction.cpu().numpy(),
            linf=torch.linalg.vector_norm(change, torch.inf, dim=1).double().numpy(),
            l2=torch.linalg.vector_norm(change, dim=1, dtype=torch.float64).numpy(),
            rejected=int((~rows).sum()),
        )
        stages.progress((start + len(label)) * per_source)


def candidate_count(sources: int, info: AttackInfo, classes: int) -> int:
    """How many candidates an attack makes of so many sources, before it throws any away."""
    return sources * (classes - 1 if info.per_target else 1)
