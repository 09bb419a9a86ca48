"""Chooses the note beside the form: on the field in focus, from what is known so far. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.declarations.setting import Setting
from core.errors import AefitError
from core.spec.settings import PARTS
from tui_aefit.following.precision import precision_of
from tui_aefit.lab.widgets.setup import notes
from tui_aefit.lab.widgets.setup.form_facts import OF_DATA, OF_RUNS, Known, Tried


def is_of(setting: Setting, part: str, parts: Mapping[str, str]) -> bool:
    """Whether a setting chooses a part ("attack", "family"), or is an option of the chosen one."""
    try:
        return setting.name == part or setting.name in {
            option.name for option in PARTS[part][parts[part]].options
        }
    except AefitError:  # a plug-in that cannot be loaded has none; its field says so
        return False


def is_of_attack(setting: Setting, parts: Mapping[str, str]) -> bool:
    """Whether a setting is explained by an example of the attack."""
    return setting.name == "epsilon" or is_of(setting, "attack", parts)


def note_of(known: Known) -> notes.Note:
    """The note beside the form."""
    setting, spec = known.setting, known.spec
    if setting.name in OF_DATA:
        return _of_data(known)
    try:
        if is_of_attack(setting, known.parts):
            return _of_attack(known)
        if spec is not None and is_of(setting, "family", known.parts):
            return notes.of_ladder(spec.make_family(), setting)
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
