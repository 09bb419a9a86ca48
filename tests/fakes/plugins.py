"""Plug-ins of a third party: a family whose levels are words, an attack, two sets; and how they are installed.

They are found as installed packages are, by the entry points of a distribution on the search path.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from core.attacks.attack import Attack, Perturbed, all_kept, check_inputs, confine, same_steps
from core.attacks.registry import ATTACKS
from core.declarations.lazy import np, torch
from core.declarations.registry import Registry
from core.declarations.setting import Number, Setting, Value, Whole, checked_values
from core.families.family import ONE_PROCESSOR, Family, Predictions, Resources, TrainingImages
from core.families.ladder import Ladder
from core.families.registry import FAMILIES
from core.sets.candidate_part import CandidatePart
from core.sets.measured_set import MeasuredSet
from core.sets.registry import SETS
from core.surrogates.registry import SURROGATES
from core.surrogates.surrogate import Surrogate

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from core.families.family import Pixels
    from core.sets.measurement import Measured
    from core.sets.members import Candidates
    from core.sets.run_so_far import RunSoFar

REGISTRIES: Mapping[str, Registry[object]] = {r.group: r for r in (ATTACKS, FAMILIES, SETS, SURROGATES)}  # type: ignore[misc]
HERE = "tests.fakes.plugins"
ENTRY_POINTS = {
    "aefit.attacks": {"shift": f"{HERE}:Shift"},
    "aefit.families": {"kernel": f"{HERE}:Kernel"},
    "aefit.sets": {"half": f"{HERE}:Half", "shifted": f"{HERE}:Shifted"},
    "aefit.surrogates": {"linear": f"{HERE}:Linear"},
}
"""Group -> name -> class: what `install` installs."""


def install(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    entry_points: Mapping[str, Mapping[str, str]] = ENTRY_POINTS,
    *,
    name: str = "aefit-fakes",
    version: str = "1.2",
) -> None:
    """Install a distribution with these entry points for the rest of the test. folder: empty or not there yet."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        line
        for group, entries in entry_points.items()
        for line in (f"[{group}]", *(f"{entry} = {value}" for entry, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    # Before it is there: what a registry knows after the test is what was there without it.
    for registry in REGISTRIES.values():
        forget_plugins(registry, monkeypatch)
    monkeypatch.syspath_prepend(folder)


def forget_plugins(registry: Registry[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a registry look for plug-ins once more, now and again after the test."""
    importlib.invalidate_caches()
    registry._plugins  # noqa: B018  # so that there is something to forget
    monkeypatch.delitem(vars(registry), "_plugins")
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))


# What the plug-ins are


STRENGTH = Setting(
    name="strength", title="Strength", help="the part of epsilon that is used", metavar="S", default=1.0,
    kind=Number(0, 1, "a part above 0, at most 1"),
)  # fmt: skip


class Shift(Attack):
    """Toward the image shifted by some pixels, up for low targets, down for high ones, as far as it may go."""

    title = "Shift"
    summary = "toward the same image some pixels away"
    options = (STRENGTH,)

    strength: float
    epsilon: float

    def __call__(
        self, model: nn.Module, images: Tensor, labels: Tensor, targets: Tensor, generator: torch.Generator
    ) -> Perturbed:
        """See `Attack`."""
        check_inputs(images, labels, targets, targeted=True)
        low = (targets < labels)[:, None, None, None]
        shifted = torch.where(low, images.roll(-8, dims=2), images.roll(8, dims=2))
        moved = confine(images, shifted, self.strength * self.epsilon)
        return Perturbed(moved, all_kept(images), same_steps(images, 1))


class Unfinished(Attack):
    """An attack that cannot be called."""


LEVELS = Setting(
    name="bandwidths", title="Bandwidths", help="how many, two or three", metavar="N", default=3, kind=Whole(2, 3),
)  # fmt: skip


class Kernel(Family):
    """Votes of all training images, weighted by their distance; the narrower the bandwidth, the more fitted."""

    title = "Kernel"
    summary = "a weighted vote of all training images"
    options = (LEVELS,)

    def __init__(self, **options: Value) -> None:
        """See `Family`."""
        self._levels = checked_values(self.options, options)["bandwidths"]

    @property
    def ladder(self) -> Ladder:
        """Two or three levels, named by words."""
        ladder = Ladder("Bandwidth", ("wide", "medium", "narrow"), (2.5, 0.25, 0.02))
        if self._levels == 3:
            return ladder
        return Ladder(ladder.knob, (ladder.general, ladder.fitted), (ladder.values[0], ladder.values[-1]))

    def fit(
        self,
        training: TrainingImages,
        resources: Resources = ONE_PROCESSOR,
        random: np.random.Generator | None = None,
    ) -> FittedKernel:
        """See `Family.fit`."""
        flat = training.images.reshape(len(training), -1)
        return FittedKernel(flat / 255, training.labels, training.classes, self.ladder)


@dataclass(frozen=True)
class FittedKernel:
    """See `core.families.family.FittedLevels`."""

    training: NDArray[np.float64]
    labels: NDArray[np.int64]
    classes: int
    ladder: Ladder
    effort: ClassVar[Mapping[str, int]] = {"weighed": 7}

    def predict(self, images: Pixels, near: NDArray[np.int64] | None = None) -> Predictions:
        """See `FittedLevels.predict`."""
        scale = 255 if images.dtype == np.uint8 else 1
        queries = images.reshape(len(images), self.training.shape[1]) / np.float64(scale)
        distance = np.array([np.square(self.training - query).mean(axis=1) for query in queries])
        distance = distance.reshape(len(queries), len(self.training))
        own = np.eye(self.classes)[self.labels]
        # Relative to the nearest, so that some weight is left at the narrowest.
        away = distance - distance.min(axis=1, initial=np.inf, keepdims=True)
        weight = [np.exp(-away / (0.02 * float(width) ** 2)) @ own for width in self.ladder.values]
        votes = [np.rint(1e6 * one / one.sum(axis=1, keepdims=True)).astype(np.int64) for one in weight]
        label = np.stack([one.argmax(axis=1) for one in votes])
        return Predictions(label, votes[0], np.empty((len(queries), 0), dtype=np.int64))


class Half(CandidatePart):
    """Each candidate with a chance of one half."""

    description = "every second candidate or so"

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.flatnonzero(random.random(len(block.label)) < 0.5)


class Shifted(MeasuredSet):
    """Attacked anew, with all of epsilon."""

    description = "sources that are shifted, selected as the adversarial set is"
    selected_at = "general"
    draws = True

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.attack_anew(Shift(epsilon=run.epsilon), self.name)


class Deciding(Shifted):
    """Says that it decides the claim, for which results have no place."""

    decides = True


class Linear(Surrogate):
    """One layer."""

    title = "Linear"
    summary = "one linear layer"

    def layers(self, shape: tuple[int, int, int], classes: int) -> Sequence[nn.Module]:
        """See `Surrogate.layers`."""
        return [torch.nn.Flatten(), torch.nn.Linear(shape[0] * shape[1] * shape[2], classes)]
