"""Which note stands beside the form: of the field in focus, from what is known so far. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.declarations.setting import Setting
from core.errors import AefitError
from core.families.registry import FAMILIES
from core.previews.records import AttackPreview, DataPreview
from core.spec.settings import PARTS
from core.spec.spec import Spec
from tui_aefit.following.cost import Size
from tui_aefit.following.past import Past
from tui_aefit.following.precision import precision_of
from tui_aefit.lab.widgets.setup import notes

OF_DATA = ("dataset", "test_size", "data_dir")
OF_RUNS = ("runs", "splits", "jobs", "threads")
"""The settings that are explained together."""
USUAL_OVERLAP = 1 / 6
"""Test images for each training image, where that is not known yet: MNIST's."""


@dataclass(frozen=True)
class Looked:
    """What is known of the data that the form names. dataset, data_dir: the words.

    preview: None until it is there, or where trouble says why not. refused: an experiment would refuse it too.
    near: what a path that leads nowhere may be the beginning of. pending: it is being read.
    """

    dataset: str = ""
    data_dir: str = ""
    preview: DataPreview | None = None
    trouble: str = ""
    refused: bool = False
    near: tuple[str, ...] = ()
    pending: bool = False

    @property
    def size(self) -> Size | None:
        """How large it is."""
        found = self.preview
        return None if found is None else Size(found.images, found.classes, found.test_size)


@dataclass(frozen=True)
class Tried:
    """What is known of an attack's example. spec: whose attack it is of. preview, trouble: as in `Looked`."""

    spec: Spec | None = None
    preview: AttackPreview | None = None
    trouble: str = ""

    def fits(self, spec: Spec) -> bool:
        """Whether it is the example of this specification's attack, too."""
        return self.spec is not None and _example_of(self.spec) == _example_of(spec)


@dataclass(frozen=True)
class Known:
    """All that a note can speak of. setting: the field in focus. parts: the chosen attack, family, surrogate.

    spec: the last one that was right, None where there was none. overlap: n_test / n_train of its runs.
    where: the data of the catalogue lie, or what of them is missing.
    """

    setting: Setting
    parts: Mapping[str, str]
    spec: Spec | None
    past: Past
    overlap: float
    looked: Looked
    where: str
    tried: Tried


def is_of(setting: Setting, part: str, parts: Mapping[str, str]) -> bool:
    """Whether a setting chooses a part ("attack", "family"), or is an option of the chosen one."""
    try:
        return setting.name == part or setting.name in {
            option.name for option in PARTS[part][parts[part]].options
        }
    except AefitError:  # a plug-in that cannot be loaded has none; that is said beside its name
        return False


def is_of_attack(setting: Setting, parts: Mapping[str, str]) -> bool:
    """Whether a setting is explained by an example of the attack."""
    return setting.name == "epsilon" or is_of(setting, "attack", parts)


def note_of(known: Known) -> notes.Note:
    """What stands beside the form."""
    setting, spec = known.setting, known.spec
    if setting.name in OF_DATA:
        return _of_data(known)
    try:
        if is_of_attack(setting, known.parts):
            return _of_attack(known)
        if spec is not None and is_of(setting, "family", known.parts):
            family = FAMILIES[spec.family]
            return notes.of_ladder(family.title, family.summary, spec.ladder, setting)
    except AefitError:  # as above
        return notes.of_setting(setting)
    if spec is not None and setting.name in OF_RUNS:
        return notes.of_runs(spec, precision_of(spec, known.past.spreads, known.overlap), setting)
    return notes.of_setting(setting)


def _of_attack(known: Known) -> notes.Note:
    attack, spec, tried = ATTACKS[known.parts["attack"]], known.spec, known.tried
    if spec is None or spec.attack != known.parts["attack"]:
        return notes.of_attack(attack, None, None, "")
    if not tried.fits(spec):
        tried = Tried()
    return notes.of_attack(attack, spec.epsilon, tried.preview, tried.trouble)


def _of_data(known: Known) -> notes.Note:
    looked = known.looked
    test = known.spec.test_size if known.spec is not None else None
    if looked.dataset in CATALOGUE:
        entry = CATALOGUE[looked.dataset]
        return notes.of_named_data(
            entry, known.where, test or entry.test_size, looked.preview, looked.trouble
        )
    return notes.of_own_data(looked.dataset, test, looked.preview, looked.trouble, looked.near)


def _example_of(spec: Spec) -> tuple[object, ...]:
    """What the example of an attack depends on."""
    return spec.attack, spec.epsilon, tuple(spec.part_options("attack").items())
