"""The keys of the lab by the ids of their bindings, and those that a settings file puts in their place.

Loads every screen: only where keys are changed or listed.
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
"""Begins the ids of the keys that work on every screen; the others begin with their screen's name."""
YIELDING = frozenset(str(binding.id) for binding in arrow_bindings(EVERYWHERE))
"""Of those, the ones that do nothing where a screen has the key itself."""
TAKEN = {"ctrl+p": "opens the palette", "ctrl+c": "copies", "tab": "moves on", "shift+tab": "moves back"}
"""Keys that are Textual's own everywhere."""
SPELLINGS = {"esc": "escape", "del": "delete", "pgup": "pageup", "pgdn": "pagedown", "return": "enter"}
"""How the footer, or a person, calls a key -> how Textual does."""
NAMES = frozenset({*(key.value for key in Keys), *KEY_NAME_REPLACEMENTS.values()})
"""What Textual calls keys that are no character, or have a shorter name than Unicode gives it."""
MODIFIERS = ("ctrl", "shift", "alt", "super", "meta")
LIST_HINT = "`aefit-tui config keys` lists them"


@dataclass(frozen=True)
class Bound:
    """A binding of the lab. screen: the first word of its id. modal: nothing of the app works beside it."""

    binding: Binding
    modal: bool

    @property
    def screen(self) -> str:
        """Where it works: "app" for everywhere."""
        return str(self.binding.id).partition(".")[0]

    @property
    def keys(self) -> list[str]:
        """The keys that it has unless a file says otherwise, as Textual calls them."""
        return [one.key for one in Binding.make_bindings([self.binding])]


def every_binding(app: type[App[Any]]) -> dict[str, Bound]:
    """Binding id -> the binding, of the app, every screen and every widget, in this order."""
    found: dict[str, Bound] = {}
    for one in (app, *_classes()):
        modal = issubclass(one, ModalScreen)
        for binding in vars(one)["BINDINGS"]:
            if isinstance(binding, Binding) and binding.id is not None:
                found[binding.id] = Bound(binding, modal)
    return found


def _classes() -> Iterator[type[DOMNode]]:
    for package in (tui_aefit.lab.screens, tui_aefit.lab.widgets):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for one in vars(importlib.import_module(module.name)).values():
                if isinstance(one, type) and one.__module__ == module.name and "BINDINGS" in vars(one):
                    yield one


def keymap(chosen: Mapping[str, Found], app: type[App[Any]]) -> dict[str, str]:
    """Binding id -> its keys, as Textual takes them. chosen: what settings files say, by id.

    Raises AefitError for an id that no binding has, a key that no keyboard has, or one that would do two things on
    one screen.
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
        beside = its.screen == bound.screen or (
            EVERYWHERE in (its.screen, bound.screen) and not (its.modal or bound.modal)
        )
        meant = set(bound.keys) & set(its.keys)  # one stands in front of the other
        if bound.screen != its.screen and {name, other} & YIELDING:
            continue
        shared = sorted((set(keys[name]) & set(keys[other])) - meant)
        if other != name and beside and shared:
            what = bindings[other].binding.description
            raise AefitError(
                f"{found.source}: {name} and {other} ({what}) would both have the key {shared[0]!r}",
                f'choose another one, or give {other} one too: "{other}" = "..." below [keys]',
            )


def _key(word: str, name: str, found: Found) -> str:
    """A key as Textual calls it. Raises AefitError for one that is none, or is not to be had."""
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
