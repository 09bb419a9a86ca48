"""What to run: one experiment's settings, frozen, validated, hashable, with TOML and JSON forms.

Only settings that can change a number are here. How many runs are computed at once, where the data lie and
where results go are not: they never change a result.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import PurePath
from typing import Any

import tomli_w

from core.attacks.catalogue import ATTACKS, BOUNDS, NORMS, OPTIONS
from core.data.catalogue import CATALOGUE
from core.errors import SpecError, closest, expected_names
from core.neighbours.catalogue import SEARCHES, TIE_RULES
from core.sets.catalogue import CONTROLS

SCHEMA_VERSION = 1
"""Raised when a field changes its meaning; a file with a higher number was made by a newer version."""

KEEPS = {
    "adversarial": "the adversarial set",
    "candidates": "every candidate too, in files of their own, for uses elsewhere",
}
"""What a run's result holds of the images that its attack made."""
DEVICES = ("auto", "cpu", "cuda", "mps")
LARGEST_SEED = 2**63 - 1
LARGEST_RUNS = 1_000
LARGEST_EPOCHS = 1_000
LARGEST_STEPS = 10_000
LARGEST_THREADS = 1_024


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One experiment: `runs` independent repetitions of the protocol on one data set with one attack.

    dataset: a name of the catalogue, or the absolute path of a `.npz`, a `.zip` or a folder.
    attack: a name of the attack catalogue.
    epsilon: the largest change of a pixel, in (0, 1]; pixels lie in [0, 1].
    z: the most general K, odd and at least 3; the ladder is z, z - 2, ..., 1.
    runs: how many repetitions, at least 1.
    seed: run i draws from numpy.random.SeedSequence(seed, spawn_key=(i,)).
    epochs: passes over the training images when the surrogate is trained.
    controls: names of the control sets to measure beside the adversarial set, without repetition.
    tie_rule: "lowest" (scikit-learn's rule: the lowest label) or "nearest" (the label voted for first).
    norm, bound: the reading of DeepFool. steps: PGD's. Other attacks take the defaults only.
    test_size: images held out in a run; None means the data set's own test size, or one seventh.
    search: the exact neighbour search; every choice gives the same neighbours.
    keep: a name of KEEPS. It changes no number, but what a result holds.
    device: where torch computes. "auto" takes a GPU if there is one.
    threads: compute threads of one run. It changes the last bits of a trained network, so it is part of
        what is run.

    Raises SpecError, which names the field, the value and what is allowed.
    """

    dataset: str = "mnist-5k"
    attack: str = "fgsm"
    epsilon: float = 0.1
    z: int = 7
    runs: int = 12
    seed: int = 0
    epochs: int = 3
    controls: tuple[str, ...] = tuple(CONTROLS)
    tie_rule: str = "lowest"
    norm: str = "l2"
    bound: str = "clip"
    steps: int = 10
    test_size: int | None = None
    search: str = "pruned"
    keep: str = "adversarial"
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        _check_dataset(self.dataset)
        _check_name("attack", self.attack, ATTACKS)
        object.__setattr__(self, "epsilon", _checked_epsilon(self.epsilon))
        _check_whole("z", self.z, 3, 999)
        if self.z % 2 == 0:
            raise SpecError(
                "z", self.z, "Z must be odd, so that K falls in steps of 2 to 1", f"try {self.z - 1}"
            )
        _check_whole("runs", self.runs, 1, LARGEST_RUNS)
        _check_whole("seed", self.seed, 0, LARGEST_SEED)
        _check_whole("epochs", self.epochs, 1, LARGEST_EPOCHS)
        object.__setattr__(self, "controls", _checked_controls(self.controls))
        _check_name("tie_rule", self.tie_rule, TIE_RULES)
        _check_name("norm", self.norm, NORMS)
        _check_name("bound", self.bound, BOUNDS)
        _check_whole("steps", self.steps, 1, LARGEST_STEPS)
        for option in OPTIONS:
            self._check_attack_takes(option)
        if self.test_size is not None:
            _check_whole("test_size", self.test_size, 2, 10**9)
        _check_name("search", self.search, SEARCHES)
        _check_name("keep", self.keep, KEEPS)
        _check_name("device", self.device, DEVICES)
        _check_whole("threads", self.threads, 1, LARGEST_THREADS)

    def _check_attack_takes(self, option: str) -> None:
        value, default = getattr(self, option), DEFAULTS[option]
        if value != default and option not in ATTACKS[self.attack].options:
            users = ", ".join(name for name, attack in ATTACKS.items() if option in attack.options)
            raise SpecError(
                option, value, f"the attack {self.attack} has no such option; it belongs to {users}",
                f"leave {option} out, or choose one of these attacks",
            )  # fmt: skip

    @property
    def levels(self) -> tuple[int, ...]:
        """K from general to fitted: z, z - 2, ..., 3, 1."""
        return tuple(range(self.z, 0, -2))

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON form: equal specs, and only these, share it."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def dataset_title(self) -> str:
        """The data set's name, or the last part of its path without the suffix."""
        return self.dataset if self.dataset in CATALOGUE else PurePath(self.dataset).stem

    def to_json(self) -> dict[str, object]:
        """Every field as JSON can hold it, with `schema_version`."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "controls": list(self.controls)}

    def to_toml(self) -> str:
        """The text of `spec.toml`; fields that are None are left out, since TOML has no null."""
        return tomli_w.dumps({key: value for key, value in self.to_json().items() if value is not None})

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Spec:
        """The spec that `to_json` (or a parsed `spec.toml`) describes; fields left out take their defaults.

        Raises SpecError for an unknown field (with the nearest one), a wrong value, or a newer schema.
        """
        values: dict[str, Any] = dict(mapping)
        version = values.pop("schema_version", SCHEMA_VERSION)
        if type(version) is not int or not 1 <= version <= SCHEMA_VERSION:
            raise SpecError(
                "schema_version", version, f"this program reads versions 1 to {SCHEMA_VERSION}",
                "open it with the newer aefit-tui that wrote it",
            )  # fmt: skip
        for name in values:
            if name not in DEFAULTS:
                near = closest(name, DEFAULTS)
                raise SpecError(
                    name, values[name], "there is no such setting", f"did you mean {near}?" if near else ""
                )
        return cls(**values)

    @classmethod
    def from_toml(cls, text: str) -> Spec:
        """The spec in the text of a `spec.toml`. Raises SpecError, also where the text is not TOML."""
        try:
            mapping = tomllib.loads(text)
        except ValueError as error:  # also for a number of thousands of digits
            raise SpecError("spec.toml", text[:40], f"it is not valid TOML: {error}") from error
        return cls.from_mapping(mapping)

    @classmethod
    def from_json(cls, text: str) -> Spec:
        """The spec in a JSON text. Raises SpecError, also where the text is not a JSON object."""
        try:
            mapping = json.loads(text)
        except ValueError as error:  # also for a number of thousands of digits
            raise SpecError("spec", text[:40], f"it is not valid JSON: {error}") from error
        if not isinstance(mapping, dict):
            raise SpecError("spec", text[:40], "expected a JSON object")
        return cls.from_mapping(mapping)


DEFAULTS: dict[str, object] = {
    field.name: field.default for field in fields(Spec) if field.default is not MISSING
}
"""The default of every setting, by name."""


def _check_name(field: str, value: object, known: Mapping[str, object] | tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in known:
        allowed, hint = expected_names(str(value), known)
        raise SpecError(field, value, allowed, hint)


def _check_whole(field: str, value: object, lowest: int, highest: int) -> None:
    # bool is a kind of int in Python, but `runs = true` is a mistake.
    if type(value) is not int or not lowest <= value <= highest:
        raise SpecError(field, value, f"expected a whole number from {lowest} to {highest}")


def _checked_epsilon(value: object) -> float:
    # NaN is not above 0, infinity not at most 1.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise SpecError(
            "epsilon", value, "expected a number above 0 and at most 1, the largest change of a pixel in [0, 1]",
            "the paper's value is 0.1; for a change of 8 grey levels write 0.0314 (8/255)",
        )  # fmt: skip
    return float(value)


def _checked_controls(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise SpecError("controls", value, "expected a list of names", 'for example ["noise", "sources"]')
    for name in value:
        _check_name("controls", name, CONTROLS)
    if len(set(value)) != len(value):
        raise SpecError("controls", value, "a control is named twice")
    # One order for one choice, so that two ways of writing it are one experiment.
    return tuple(name for name in CONTROLS if name in value)


def _check_dataset(value: object) -> None:
    if isinstance(value, str) and (value in CATALOGUE or PurePath(value).is_absolute()):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise SpecError(
                "dataset", value, "its path is not valid UTF-8, the encoding of spec.toml", "rename it"
            ) from error
        return
    allowed, hint = expected_names(str(value), CATALOGUE)
    raise SpecError(
        "dataset",
        value,
        f"{allowed}, or the path of a .npz, a .zip or a folder with one sub-folder a class",
        hint,
    )
