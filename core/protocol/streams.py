"""Where a run's random numbers come from: one independent stream for each use, from the spec's seed alone."""

from __future__ import annotations

import hashlib

import numpy as np
import torch

# In spawning order: a name added at the end leaves the numbers of the others as they were.
USES = ("split", "weights", "batches", "attack", "noise", "choice")

OF_SETS = {"noise": "noise", "one-per-source": "choice"}
"""The sets that have had a stream of the ones above from the first version on."""


class Streams:
    """The streams of run `run`: children of numpy.random.SeedSequence(seed, spawn_key=(run,)), one a use.

    split: the stratified shuffle. weights: the surrogate's initial weights. batches: the order of its
    batches. attack: what the attack draws (PGD's start, the noise attack). noise: the noise control.
    choice: which of a source's adversarial images the one-per-source control takes.
    family: what the classifier's fitting draws. Any other name has a stream of its own, which its letters
    determine, and so has every other set.
    """

    def __init__(self, seed: int, run: int) -> None:
        self._seed, self._run = seed, run
        children = np.random.SeedSequence(seed, spawn_key=(run,)).spawn(len(USES))
        self._children = dict(zip(USES, children, strict=True))

    def numpy(self, use: str) -> np.random.Generator:
        """A NumPy generator at the beginning of one use's stream."""
        return np.random.default_rng(self._sequence(use))

    def torch_of_set(self, name: str) -> torch.Generator:
        """A CPU torch generator for what the attack of a set draws."""
        return self.torch(OF_SETS.get(name, f"set {name}"))

    def torch(self, use: str) -> torch.Generator:
        """A CPU torch generator seeded from one use's stream."""
        state = int(self._sequence(use).generate_state(1, np.uint64)[0])
        return torch.Generator().manual_seed(state & 0x7FFF_FFFF_FFFF_FFFF)

    def numpy_of_set(self, name: str) -> np.random.Generator:
        """A NumPy generator for what a set draws while it chooses its members."""
        return self.numpy(OF_SETS.get(name, f"set {name}"))

    def _sequence(self, use: str) -> np.random.SeedSequence:
        if use in self._children:
            return self._children[use]
        digest = hashlib.sha256(use.encode()).digest()
        words = [int.from_bytes(digest[at : at + 4], "big") for at in range(0, 16, 4)]
        # Longer than the keys of the named streams, so that none of them is met.
        return np.random.SeedSequence(self._seed, spawn_key=(self._run, *words))
