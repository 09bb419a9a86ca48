"""The keys of the lab by the ids of their bindings, and the keys of settings files that replace them.

Imports every screen, so it is imported only where keys are changed or listed.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character
from textual.screen import ModalScreen

import tui_aefit.lab.screens
import tui_aefit.lab.widgets
from core.errors import AefitError, expected_names
from tui_aefit.lab.arrows import arrow_bindings
from tui_aefit.shell.settings import Found

EVERYWHERE = "app"
"""The first word of the ids of bindings that work on every screen.

Other ids begin with the name of the screen where the binding works. A widget whose ids begin otherwise names the
screens that hold it in `KEYS_WORK_ON`, beside its BINDINGS.
"""
YIELDING = frozenset(str(binding.id) for binding in arrow_bindings(EVERYWHERE))
"""The bindings of every screen that do nothing where a screen has their key itself."""
TAKEN = {"ctrl+p": "opens the palette", "ctrl+c": "copies", "tab": "moves on", "shift+tab": "moves back"}
"""Key that Textual itself uses everywhere -> what it does."""
SPELLINGS = {"esc": "escape", "del": "delete", "pgup": "pageup", "pgdn": "pagedown", "return": "enter"}
"""A key's name in the footer, or as people write it -> its name in Textual."""
NAMES = frozenset({*(key.value for key in Keys), *KEY_NAME_REPLACEMENTS.values()})
"""Textual's names for keys that are no character, or that it calls by a shorter name than Unicode."""
MODIFIERS = ("ctrl", "shift", "alt", "super", "meta")
LIST_HINT = "`aefit-tui config keys` lists them"


@dataclass(frozen=True)
class Bound:
    """A binding of the lab. screens: the names of those where it works, or EVERYWHERE.

    modal: whether these are dialogs, in which only bindings of the app with priority work.
    """

    binding: Binding
    screens: frozenset[str]
    modal: bool

    @property
    def keys(self) -> list[str]:
        """Its default keys, by Textual's names."""
        return [one.key for one in Binding.make_bindings([self.binding])]

    def meets(self, other: Bound) -> bool:
        """Whether there is a screen on which both bindings work."""
        if self.screens & other.screens:
            return True
        for one, beside in ((self, other), (other, self)):
            if EVERYWHERE in one.screens:
                return one.binding.priority or not beside.modal
        return False


def every_binding(app: type[App[Any]]) -> dict[str, Bound]:
    """Binding id -> the binding, of the app, every screen and every widget, in this order."""
    kinds = [app, *_classes()]
    dialogs = {name for one in kinds if issubclass(one, ModalScreen) for name, _ in _named_bindings(one)}
    found: dict[str, Bound] = {}
    for one in kinds:
        for name, binding in _named_bindings(one):
            screens = frozenset(vars(one).get("KEYS_WORK_ON", (name,)))
            found[str(binding.id)] = Bound(binding, screens, modal=screens <= dialogs)
    return found


def _named_bindings(kind: type[DOMNode]) -> Iterator[tuple[str, Binding]]:
    """A class's own bindings that have an id, each with the first word of its id."""
    for binding in vars(kind)["BINDINGS"]:
        if isinstance(binding, Binding) and binding.id is not None:
            yield binding.id.partition(".")[0], binding


def _classes() -> Iterator[type[DOMNode]]:
    for package in (tui_aefit.lab.screens, tui_aefit.lab.widgets):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for one in vars(importlib.import_module(module.name)).values():
                if isinstance(one, type) and one.__module__ == module.name and "BINDINGS" in vars(one):
                    yield one


def keymap(chosen: Mapping[str, Found], app: type[App[Any]]) -> dict[str, str]:
    """Binding id -> its new keys, as Textual takes them. chosen: binding id -> keys in settings files.

    Raises AefitError for an id that no binding has, for a word that is no key, and for a key that would do two
    things on one screen.
    """
    bindings = every_binding(app)
    new: dict[str, list[str]] = {}
    for name, found in chosen.items():
        if name not in bindings:
            _, near = expected_names(name, bindings)
            raise AefitError(f"{found.source}: no key of the lab is called {name!r}", near or LIST_HINT)
        new[name] = [_key(word, name, found) for word in str(found.value).split(",")]
    keys = {name: new.get(name, bound.keys) for name, bound in bindings.items()}
    for name in new:
        _refuse_clash(name, bindings, keys, chosen[name])
    return {name: ",".join(words) for name, words in new.items()}


def _refuse_clash(
    name: str, bindings: Mapping[str, Bound], keys: Mapping[str, list[str]], found: Found
) -> None:
    """Raises AefitError where a key of `name` does something else too where `name` works."""
    bound = bindings[name]
    for other, its in bindings.items():
        meant = set(bound.keys) & set(its.keys)  # shared by default: one binding hides the other
        if not bound.screens & its.screens and {name, other} & YIELDING:
            continue
        shared = sorted((set(keys[name]) & set(keys[other])) - meant)
        if other != name and shared and bound.meets(its):
            what = bindings[other].binding.description
            raise AefitError(
                f"{found.source}: {name} and {other} ({what}) would both have the key {shared[0]!r}",
                f'choose another one, or give {other} one too: "{other}" = "..." below [keys]',
            )


def _key(word: str, name: str, found: Found) -> str:
    """Textual's name of a key as typed. Raises AefitError for a word that is no key, and for a key of TAKEN."""
    typed = word.strip()
    *modifiers, last = typed.split("+") if len(typed) > 1 else [typed]
    modifiers = [modifier.lower() for modifier in modifiers]
    if len(last) > 1 or modifiers:
        last = SPELLINGS.get(last.lower(), last.lower())
    known = len(last) == 1 or last in NAMES or key_to_character(last) is not None
    if not last or not known or not set(modifiers) <= set(MODIFIERS):
        raise AefitError(
            f"{found.source}: {name} = {found.value!r} is no key",
            'expected keys such as "K", "f5", "ctrl+r", "shift+left", "space"; "k,K" for either; "comma" for ,',
        )
    (binding,) = Binding.make_bindings([Binding("+".join([*modifiers, last]), "")])
    if binding.key in TAKEN:
        raise AefitError(
            f"{found.source}: {name} cannot have the key {typed!r}, which {TAKEN[binding.key]} everywhere",
            "choose another one",
        )
    return binding.key
