"""The work that the benchmarks measure: a split, a surrogate trained on it, and what it is attacked with."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.attacks.registry import ATTACKS
from core.attacks.targets import targets_of
from core.data.images import ImageSet
from core.data.load import load
from core.data.split import stratified_split
from core.protocol.streams import Streams
from core.surrogates.lenet5 import LeNet5
from core.surrogates.network import Network
from core.surrogates.training import train
from core.tensors.pixels import from_torch, to_torch

EPSILON = 0.1


@dataclass(frozen=True)
class Problem:
    """One split. images: (N, H, W, C) uint8 with labels (N,) int64, of the training and of the test part."""

    name: str
    pool: ImageSet
    train_image: NDArray[np.uint8]
    train_label: NDArray[np.int64]
    test_image: NDArray[np.uint8]
    test_label: NDArray[np.int64]

    def flat(self) -> NDArray[np.uint8]:
        """(N, d) training images."""
        return self.train_image.reshape(len(self.train_image), -1)

    def surrogate(self, epochs: int = 1) -> Network:
        """A LeNet-5 trained on the training part."""
        streams = Streams(0, 0)
        return train(
            LeNet5(),
            self.train_image,
            self.train_label,
            classes=self.pool.classes,
            epochs=epochs,
            weights=streams.torch("weights"),
            batches=streams.numpy("batches"),
        )


@dataclass(frozen=True)
class Targets:
    """What an attack is given: each source's image once for every other class; all on the CPU.

    image: (n, C, H, W) float32. label, target: (n,) int64.
    """

    image: Tensor
    label: Tensor
    target: Tensor


def problem(dataset: str, data_dir: Path) -> Problem:
    """The first split of a data set; a set without a test part of its own holds out 10,000 images or a seventh."""
    with tempfile.TemporaryDirectory() as cache:
        pool = load(dataset, data_dir=data_dir, cache_dir=Path(cache), note=lambda _: None)
    split = stratified_split(pool.labels, min(pool.test_size, 10_000), Streams(0, 0).numpy("split"))
    train_index, test_index = split.train_index, split.test_index
    return Problem(
        pool.name,
        pool,
        pool.images[train_index],
        pool.labels[train_index],
        pool.images[test_index],
        pool.labels[test_index],
    )


def targets(given: Problem, sources: int) -> Targets:
    """The first test images toward every class that is not theirs."""
    row, target = targets_of(given.test_label[:sources], given.pool.classes)
    return Targets(
        to_torch(given.test_image[:sources])[torch.from_numpy(row)],
        torch.from_numpy(given.test_label[:sources][row]),
        torch.from_numpy(target),
    )


def fgsm_candidates(given: Problem, model: Network, sources: int) -> NDArray[np.float32]:
    """(n, d) float32 FGSM candidates of the first test images, source after source."""
    wanted = targets(given, sources)
    attack = ATTACKS["fgsm"](epsilon=EPSILON)
    images = attack(model, wanted.image, wanted.label, wanted.target, torch.Generator()).images
    return from_torch(images).reshape(len(images), -1)
