"""Step 5 of a run: what an attack makes of the sources, with what the classifier and the surrogate say of it.

Candidates come in blocks, so that memory does not grow with their number; all candidates of one source are in
the same block. Blocks do not depend on the number of threads, so neither does any number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.attacks.attack import Attack
from core.attacks.noise import add_noise_of_norm
from core.attacks.targets import expand
from core.families.family import FittedLevels, PartLevels, Predictions
from core.protocol.stages import Stages
from core.sets.members import Candidates
from core.tensors.batches import batches
from core.tensors.pixels import from_torch, to_torch

CANDIDATES_AT_ONCE = 4096
"""Candidates of a block, about: 13 MB of float32 for 28x28 pixels, 50 MB for 32x32 colour."""
LOOKED_AT_ONCE = 256
"""Candidates that pass through the surrogate together."""


@dataclass(frozen=True, eq=False)
class AttackedImages:
    """The n images to attack: all test images, C of the protocol first. image: (n, H, W, C) uint8.

    label: (n,) int64, true labels. index: (n,) int64 into the pooled data set. predictions: what the classifier
    says of them. recognised: how many are in C, those that the most general level gets right. half_prediction:
    (2, levels, n) int64, by the classifier of each half of the training images; None where there are no halves.
    """

    image: NDArray[np.uint8]
    label: NDArray[np.int64]
    index: NDArray[np.int64]
    predictions: Predictions
    recognised: int
    half_prediction: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.label)

    @property
    def known(self) -> AttackedImages:
        """C alone."""
        rows = slice(self.recognised)
        return AttackedImages(
            self.image[rows],
            self.label[rows],
            self.index[rows],
            self.predictions.take(rows),
            self.recognised,
            self.half_prediction[:, :, rows] if self.half_prediction is not None else None,
        )

    def blocks(self, size: int) -> Iterator[slice]:
        """Rows of about `size` images at a time; none has images of C and others."""
        for begin, end in ((0, self.recognised), (self.recognised, len(self))):
            for rows in batches(end - begin, size):
                yield slice(begin + rows.start, min(begin + rows.stop, end))


@dataclass(frozen=True, eq=False)
class _Perturbed:
    """What the attack made of one block, without what it threw away.

    first: how many candidates there are in the blocks before. kept: (c,) bool, which of this block's are left, m of
    them. source: (m,) rows of the block. image: (m, C, H, W). The others: (m,), see `Candidates`.
    """

    rows: slice
    first: int
    kept: NDArray[np.bool_]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    image: Tensor
    surrogate_prediction: NDArray[np.int64]
    linf: NDArray[np.float64]
    l2: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CandidateMaker:
    """Attacks a surrogate from given images and has the classifier judge what comes out.

    per_target: a candidate for each other class of a source, else one. halves: the same classifier trained on each
    half of the training images, None for no halves. l2: (n,) float64, the norm that each candidate's change is to
    have: they are then made by noise instead of the attack, and none where it is NaN. threads: blocks that are
    attacked beside each other and beside the classifier's work, at least 1; what draws random numbers is never
    asked for two blocks at once, since it draws in their order.
    """

    attack: Attack
    per_target: bool
    surrogate: nn.Module
    classifier: FittedLevels
    halves: PartLevels | None = None
    l2: NDArray[np.float64] | None = None
    classes: int
    generator: torch.Generator
    device: str
    threads: int = 1

    def count(self, sources: int) -> int:
        """How many candidates there are of so many sources, before the attack throws any away."""
        return sources * (self.classes - 1 if self.per_target else 1)

    def make(self, sources: AttackedImages, stages: Stages) -> Iterator[Candidates]:
        """The candidates, block by block, in the order of their sources, then of their targets.

        Progress is reported in candidates; time is counted under "attack" and "filter".
        """
        blocks = self._perturb(sources)
        while True:
            with stages.part("attack"):
                block = next(blocks, None)
            if block is None:
                return
            with stages.part("filter"):
                candidates = self._classify(sources, block)
            yield candidates
            stages.progress(self.count(min(block.rows.stop, len(sources))))

    def _perturb(self, sources: AttackedImages) -> Iterator[_Perturbed]:
        """What the attack makes, block by block; with several threads some blocks ahead of who takes them."""
        rows = sources.blocks(max(1, CANDIDATES_AT_ONCE // self.count(1)))
        if self.threads == 1:
            yield from (self._attack(sources, block) for block in rows)
            return
        ahead = 1 if self.attack.random or self.l2 is not None else self.threads - 1
        with ThreadPoolExecutor(ahead) as pool:
            started: deque[Future[_Perturbed]] = deque()
            for block in rows:
                started.append(pool.submit(self._attack, sources, block))
                if len(started) > ahead:
                    yield started.popleft().result()
            while started:
                yield started.popleft().result()

    def _attack(self, sources: AttackedImages, rows: slice) -> _Perturbed:
        label = sources.label[rows]
        source, target = expand(self.attack, label, self.classes, self.per_target)
        clean = to_torch(sources.image[rows], self.device)[torch.from_numpy(source).to(self.device)]
        targets = torch.from_numpy(target).to(self.device)
        labels = torch.from_numpy(label[source]).to(self.device)
        first = self.count(rows.start)
        if self.l2 is None:
            perturbed, kept, _ = self.attack(self.surrogate, clean, labels, targets, self.generator)
        else:
            l2 = torch.from_numpy(self.l2[first : first + len(source)]).to(self.device)
            kept = ~l2.isnan()
            perturbed = add_noise_of_norm(clean, l2.nan_to_num(), self.generator)
        if not kept.all():
            clean, perturbed = clean[kept], perturbed[kept]
        left = kept.cpu().numpy()
        seen = self._look_at(clean, perturbed)
        return _Perturbed(rows, first, left, source[left], target[left], perturbed, *seen)

    def _look_at(
        self, clean: Tensor, perturbed: Tensor
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """(m,) each: what the surrogate says of the candidates, and the two norms of what changed.

        A few at a time, for whose activations a processor has room close by.
        """
        prediction = np.empty(len(clean), dtype=np.int64)
        linf, l2 = np.empty((2, len(clean)))
        for part in batches(len(clean), LOOKED_AT_ONCE):
            with torch.inference_mode():
                prediction[part] = self.surrogate(perturbed[part]).argmax(dim=1).cpu().numpy()
            # On the CPU: some devices have no float64.
            change = (perturbed[part] - clean[part]).flatten(1).cpu()
            linf[part] = torch.linalg.vector_norm(change, torch.inf, dim=1).numpy()
            l2[part] = torch.linalg.vector_norm(change, dim=1, dtype=torch.float64).numpy()
        return prediction, linf, l2

    def _classify(self, sources: AttackedImages, block: _Perturbed) -> Candidates:
        image = from_torch(block.image)
        source = block.rows.start + block.source
        near = sources.predictions.near[source]
        classifier = self.classifier if self.halves is None else self.halves.whole
        predictions = classifier.predict(image, near)
        halves = self.halves.predict(image, predictions, near) if self.halves is not None else None
        return Candidates(
            image=image,
            source=source,
            label=sources.label[source],
            source_prediction=sources.predictions.label[:, source],
            recognised=block.rows.start < sources.recognised,
            place=block.first + np.flatnonzero(block.kept),
            near=predictions.near,
            variants=predictions.variants,
            half_prediction=halves,
            target=block.target,
            prediction=predictions.label,
            support=predictions.support,
            surrogate_prediction=block.surrogate_prediction,
            linf=block.linf,
            l2=block.l2,
            rejected=int((~block.kept).sum()),
        )
