"""The settings of a specification: those that every experiment has, and those of its parts.

A part (attack, family, surrogate) brings options of its own, which only an experiment that uses it has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.declarations.registry import Registry
from core.declarations.setting import Choice, Names, Number, Setting, Whole, by_name
from core.errors import PluginError, SpecError, closest
from core.families.registry import FAMILIES
from core.sets.registry import PAPER_SETS, SETS, own_controls
from core.spec.call import CALL, TYPED_ONLY
from core.spec.dataset_kind import DataSet
from core.surrogates.registry import SURROGATES

DEVICES = {
    "auto": "a CUDA GPU where there is one, else the processor",
    "cpu": "the processor",
    "cuda": "an NVIDIA GPU",
    "mps": "an Apple GPU",
}
KEEPS = {
    "adversarial": "the adversarial set",
    "candidates": "every candidate too, in files of their own, for uses elsewhere",
}
RESERVED = frozenset((*CALL, *TYPED_ONLY, "help", "version", "plugins", "schema_version"))
"""What no option of a part may be called: options of the command, settings of a call, keys of `spec.toml`."""
PARTS: Mapping[str, Registry[Any]] = {"attack": ATTACKS, "family": FAMILIES, "surrogate": SURROGATES}
"""The settings that choose a part of the experiment, and what each chooses from."""


class _Lines(Mapping[str, str]):
    """The names of a registry with their lines: a class is loaded when its line is asked for, a plug-in never.

    line: the attribute of a class that holds it. left_out: names that cannot be chosen.
    """

    def __init__(self, registry: Registry[Any], line: str, left_out: Collection[str] = ()) -> None:
        self._registry = registry
        self._line = line
        self._left_out = left_out

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._registry if name not in self._left_out)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._registry and name not in self._left_out

    def __getitem__(self, name: str) -> str:
        if name not in self:
            raise KeyError(name)
        if name not in self._registry.own:
            return f"of the plug-in {self._registry.origin(name)}"
        line: str = getattr(self._registry[name], self._line)
        return line


def _declare(*, default: Any, **words: Any) -> Any:
    """A field of `CommonSettings` with the declaration of its setting, which takes the field's name."""
    return field(default=default, metadata={"words": {"default": default, **words}})


SPLITS: dict[str, str] = {
    "reshuffle": "every run draws its test part from all images, as in the paper (the default)",
    "folds": "the test parts of runs that follow each other are disjoint, until the images are used up",
}
"""How the runs divide the pooled images."""


@dataclass(frozen=True, kw_only=True)
class CommonSettings:
    """The settings of every specification. A new one is one field here; its type and its words stand with it."""

    dataset: str = _declare(
        default="mnist-5k",
        title="Data set",
        metavar="NAME|PATH",
        kind=DataSet(),
        main=True,
        help=f"{', '.join(CATALOGUE)}, or a .npz, a .zip or a folder with one sub-folder a class",
    )
    attack: str = _declare(
        default="fgsm",
        title="Attack",
        metavar="NAME",
        kind=Choice(_Lines(ATTACKS, "summary")),
        main=True,
        help="how the images are changed",
    )
    epsilon: float = _declare(
        default=0.1,
        title="Epsilon",
        metavar="E",
        main=True,
        kind=Number(
            0,
            1,
            "a number above 0 and at most 1, the largest change of a pixel in [0, 1]",
            "the paper's value is 0.1; for a change of 8 grey levels write 0.0314 (8/255)",
        ),
        help="largest change of a pixel, above 0, at most 1",
    )
    family: str = _declare(
        default="knn",
        title="Classifier",
        metavar="NAME",
        kind=Choice(_Lines(FAMILIES, "summary")),
        help="the classifier whose fitting is turned up",
    )
    runs: int = _declare(
        default=12,
        title="Runs",
        metavar="N",
        kind=Whole(1, 1_000),
        identifies=False,
        main=True,
        help="repetitions with a new split each",
    )
    seed: int = _declare(
        default=0,
        title="Seed",
        metavar="N",
        kind=Whole(0, 2**63 - 1),
        help="where all random numbers come from",
    )
    surrogate: str = _declare(
        default="lenet5",
        title="Surrogate",
        metavar="NAME",
        kind=Choice(_Lines(SURROGATES, "summary")),
        help="the network that is attacked",
    )
    epochs: int = _declare(
        default=3,
        default_text="by data set",
        title="Epochs",
        metavar="N",
        kind=Whole(1, 1_000),
        help="passes over the training images when the surrogate is trained",
    )
    controls: tuple[str, ...] = _declare(
        default=own_controls(),
        default_text="all of ours that the classifier can fill",
        title="Controls",
        metavar="A,B|none",
        kind=Names(_Lines(SETS, "description", left_out=PAPER_SETS), "a control"),
        first_default=(
            # By the names that they have now.
            "noise", "matched", "reverse-both-ends", "sources", "candidates", "fooled", "one-per-source",
        ),
        help="the sets to measure beside the adversarial one",
    )  # fmt: skip
    test_size: int | None = _declare(
        default=None,
        default_text="the data set's own, else one seventh",
        title="Test images",
        metavar="N",
        kind=Whole(2, 10**9),
        help="test images of a run",
    )
    splits: str = _declare(
        default="reshuffle",
        title="Splits",
        metavar="HOW",
        kind=Choice(SPLITS),
        help="how the runs divide the images",
    )
    keep: str = _declare(
        default="adversarial",
        title="Keep",
        metavar="WHAT",
        kind=Choice(KEEPS),
        help="images in a result",
    )
    device: str = _declare(
        default="auto", title="Device", metavar="NAME", kind=Choice(DEVICES), identifies=False,
        help="where torch computes",
    )  # fmt: skip


COMMON: dict[str, Setting] = by_name(
    Setting(name=one.name, **one.metadata["words"]) for one in fields(CommonSettings)
)
"""The settings of every specification, by name."""
NOT_IDENTIFYING = tuple(name for name, setting in COMMON.items() if not setting.identifies)
"""Those of them that are no part of an identity: they change neither a number nor what a result holds."""


def part_options(part: str, name: str) -> dict[str, Setting]:
    """The options of one part, such as the attack "pgd".

    Raises SpecError, PluginError as `Registry` does; PluginError also for an option that has another's name.
    """
    found: dict[str, Setting] = {}
    for setting in PARTS[part][name].options:
        if setting.name in found or setting.name in COMMON or setting.name in RESERVED:
            raise _name_taken(part, name, setting.name)
        found[setting.name] = setting
    return found


def options_of(chosen: Mapping[str, str]) -> dict[str, Setting]:
    """The options of the parts that are chosen: part -> name. Raises PluginError where two parts have one name."""
    found: dict[str, Setting] = {}
    for part in PARTS:
        for name, setting in part_options(part, chosen[part]).items():
            if name in found:
                raise _name_taken(part, chosen[part], name)
            found[name] = setting
    return found


def _name_taken(part: str, name: str, option: str) -> PluginError:
    whose = "an option of the command" if option in RESERVED else "another setting"
    return PluginError(
        f"the option {option} of the {part} {name} has the name of {whose}", "rename it in the plug-in"
    )


def known_options(*, plugins: bool) -> dict[str, Setting]:
    """The options of all parts, by name; plugins: also those of plug-ins, which are loaded for it.

    Where parts share an option, one of them gives its words.
    """
    found: dict[str, Setting] = {}
    for part, name in _loadable(plugins=plugins):
        found = part_options(part, name) | found
    return found


def users_of(option: str) -> dict[str, list[str]]:
    """Part -> the names of those that have an option. Loads plug-ins."""
    users: dict[str, list[str]] = {}
    for part, name in _loadable(plugins=True):
        if option in part_options(part, name):
            users.setdefault(part, []).append(name)
    return users


def _loadable(*, plugins: bool) -> Iterator[tuple[str, str]]:
    """Part and name of everything that can be chosen; a plug-in that cannot be loaded says so when it is chosen."""
    for part, registry in PARTS.items():
        yield from ((part, name) for name in registry.own)
        if not plugins:
            continue  # nor looked for
        for name in (other for other in registry if other not in registry.own):
            with suppress(PluginError):
                part_options(part, name)
                yield part, name


def no_such_setting(name: str, value: object) -> SpecError:
    """The error for a setting that no specification has."""
    near = closest(name, [*COMMON, *known_options(plugins=True)])
    return SpecError(name, value, "there is no such setting", f"did you mean {near}?" if near else "")
