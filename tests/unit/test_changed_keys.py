"""Keys that a settings file gives to bindings of the lab: what is taken, and what is refused with words."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.screen import Screen

from core.errors import AefitError
from tests.pilot.test_keys import ALL
from tui_aefit.lab.app import Lab
from tui_aefit.lab.keys import YIELDING, every_binding, keymap
from tui_aefit.shell.settings import Found, Settings


def chosen(**keys: str) -> dict[str, Found]:
    """Keys by ids, whose dots stand as two underscores here."""
    return {name.replace("__", "."): Found(key, "mine.toml") for name, key in keys.items()}


def test_every_binding_of_every_screen_can_have_another_key() -> None:
    by_hand = {binding.id: binding for bindings in ALL.values() for binding in bindings}
    assert {name: bound.binding for name, bound in every_binding(Lab).items()} == by_hand


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("K", "K"), ("f5", "f5"), ("F5", "f5"), ("Ctrl+R", "ctrl+r"), ("shift+left", "shift+left"),
        ("+", "plus"), ("comma", "comma"), ("pgup", "pageup"), ("k , K", "k,K"), ("space", "space"),
    ],
)  # fmt: skip
def test_a_key_is_taken_as_people_write_it(typed: str, taken: str) -> None:
    assert keymap(chosen(live__stop=typed), Lab) == {"live.stop": taken}


def test_keys_can_change_places() -> None:
    assert keymap(chosen(live__stop="r", live__resume="s"), Lab) == {"live.stop": "r", "live.resume": "s"}


def test_a_key_may_mean_something_else_on_another_screen() -> None:
    assert keymap(chosen(live__stop="d"), Lab)  # which deletes among the experiments
    assert keymap(chosen(confirm__yes="e"), Lab)  # nothing of the app works beside a question


@pytest.mark.parametrize(
    ("keys", "told", "hint"),
    [
        ({"live__stop": "enter"}, "live.stop and runs.details (Details) would both", '"runs.details" = '),
        ({"live__stop": "left"}, "live.stop and chart.left (Cursor left) would both", "chart.left"),
        ({"chart__right": "h"}, "chart.right and live.holm (Holm) would both", "live.holm"),
        ({"gallery__set": "enter"}, "gallery.set and thumbnails.open (Large) would both", "thumbnails.open"),
        ({"thumbnails__left": "q"}, "thumbnails.left and app.quit (Quit) would both", "app.quit"),
        ({"study__stop": "up"}, "study.stop and study.up (Up) would both", "study.up"),
        ({"confirm__yes": "ctrl+q"}, "confirm.yes and app.quit-anywhere (Quit) would", "app.quit-anywhere"),
        ({"live__stp": "S"}, "no key of the lab is called 'live.stp'", "did you mean live.stop?"),
        ({"nothing": "S"}, "no key of the lab is called 'nothing'", "`aefit-tui config keys` lists them"),
        (
            {"live__stop": "r"},
            "live.stop and live.resume (Resume) would both have the key 'r'",
            "live.resume",
        ),
        ({"live__stop": "e"}, "live.stop and app.experiments (Experiments) would both", "app.experiments"),
        ({"app__quit": "g"}, "app.quit and live.gallery (Gallery) would both", "live.gallery"),
        (
            {"experiments__open": "d"},
            "experiments.open and experiments.delete (Delete)",
            "experiments.delete",
        ),
        ({"live__stop": "z", "live__resume": "z"}, "live.stop and live.resume (Resume) would", "live.resume"),
        ({"live__stop": "ctrl+p"}, "cannot have the key 'ctrl+p', which opens the palette", "choose another"),
        ({"live__stop": "fooo"}, "live.stop = 'fooo' is no key", "expected keys such as"),
        ({"live__stop": "hyper+x"}, "live.stop = 'hyper+x' is no key", "expected keys such as"),
        ({"live__stop": ""}, "live.stop = '' is no key", "expected keys such as"),
        ({"live__stop": "s,"}, "live.stop = 's,' is no key", "expected keys such as"),
    ],
)
def test_what_cannot_be_is_said_with_its_file_and_what_would_be_right(
    keys: dict[str, str], told: str, hint: str
) -> None:
    with pytest.raises(AefitError) as caught:
        keymap(chosen(**keys), Lab)
    assert str(caught.value).startswith("mine.toml: ")
    assert told in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.slow
def test_no_two_keys_of_ours_are_refused() -> None:
    """What is refused of a person's keys does not happen among ours: each given its own keys again is taken."""
    for name, bound in every_binding(Lab).items():
        if not set(bound.keys) & {"ctrl+p", "ctrl+c", "tab", "shift+tab"}:
            assert keymap({name: Found(",".join(bound.keys), "ours")}, Lab) == {name: ",".join(bound.keys)}


def test_whatever_has_keys_is_on_a_screen_that_there_is() -> None:
    """A widget whose ids begin with no screen's name says where it works: KEYS_WORK_ON."""
    named = {
        one: {str(binding.id).partition(".")[0] for binding in bindings}
        for one, bindings in ALL.items()
        if issubclass(one, Lab | Screen)
    }
    assert all(len(names) == 1 for names in named.values())
    screens = {name for names in named.values() for name in names}
    assert len(screens) == len(named)  # no two are called the same
    for name, bound in every_binding(Lab).items():
        assert bound.screens, name
        assert bound.screens <= screens, f"{name}: which screens hold it?"


HELD = {"chart": "live", "runs": "live", "thumbnails": "gallery"}
"""The words that ids of widgets begin with -> the screen that holds them, where that is another."""
DIALOGS = {
    "ask", "choose-order", "choose-quantity", "choose-sets", "confirm", "export", "help", "leave", "note",
}  # fmt: skip


def screen_of(name: str) -> str:
    """The screen of a binding, by its id and the table above alone."""
    word = name.partition(".")[0]
    return HELD.get(word, word)


def are_together(one: str, other: str) -> bool:
    """Whether there is a screen on which both of two bindings work."""
    screens = {screen_of(one), screen_of(other)}
    # Of the app's keys one works in dialogs.
    reaches = screens.isdisjoint(DIALOGS) or "app.quit-anywhere" in (one, other)
    return len(screens) == 1 or ("app" in screens and reaches)


def test_two_keys_meet_where_both_work_on_one_screen() -> None:
    every = every_binding(Lab)
    for one, other in product(every, repeat=2):
        assert every[one].meets(every[other]) == are_together(one, other), (one, other)


@pytest.mark.parametrize("word", HELD)
def test_no_key_of_a_widget_is_had_by_its_screen_too_unless_both_have_it_among_ours(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = every_binding(Lab)
    monkeypatch.setattr("tui_aefit.lab.keys.every_binding", lambda _: every)
    ours = [name for name in every if name.startswith(f"{word}.")]
    there = [name for name in every if screen_of(name) in (HELD[word], "app") and name not in YIELDING]
    tried = 0
    for one, other in product(ours, there):
        for name, beside in ((one, other), (other, one)):
            for key in set(every[beside].keys) - set(every[name].keys):
                tried += 1
                with pytest.raises(AefitError, match="would both have the key"):
                    keymap({name: Found(key, "mine.toml")}, Lab)
    assert tried > len(ours) * len(there)


def test_the_page_for_users_says_where_every_name_works() -> None:
    page = (Path(__file__).parents[2] / "docs" / "using.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| Names that begin with \| Work \|\n((?:\|.*\n)+)", page, re.MULTILINE)
    told = [word for row in table.splitlines() for word in re.findall(r"`([a-z-]+)\.`", row.split("|")[1])]
    assert sorted(told) == sorted({name.partition(".")[0] for name in every_binding(Lab)})


# In settings files


def test_the_project_file_has_the_last_word_on_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "config.toml"
    monkeypatch.setattr("tui_aefit.shell.settings.user_config", lambda: mine)
    mine.write_text('runs = 3\n[keys]\n"live.stop" = "Q"\napp.help = "f1"\n')
    (tmp_path / "aefit.toml").write_text('[keys]\nlive.stop = "K"\n')
    settings = Settings({}, environment={}, folder=tmp_path)
    assert settings.keys == {
        "live.stop": Found("K", str(tmp_path / "aefit.toml")), "app.help": Found("f1", str(mine)),
    }  # fmt: skip
    assert settings["runs"] == 3
    assert settings.warnings == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[keys]\nlive.stop = 3\n", "live.stop = 3 is no key"),
        ('keys = "S"\n', "keys = 'S' is no key"),
        ('[keys]\n"live.stop" = ["s", "S"]\n', "live.stop = ['s', 'S'] is no key"),
    ],
)
def test_a_key_that_is_no_text_is_refused_and_forgiven_where_settings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, told: str
) -> None:
    monkeypatch.setattr("tui_aefit.shell.settings.user_config", lambda: tmp_path / "none.toml")
    (tmp_path / "aefit.toml").write_text(content)
    with pytest.raises(AefitError, match="is no key") as caught:
        Settings({}, environment={}, folder=tmp_path)
    assert told in str(caught.value)
    settings = Settings({}, environment={}, folder=tmp_path, forgiving=True)
    assert settings.keys == {}
    assert told in settings.warnings[0]


def test_bindings_are_written_as_textual_takes_them() -> None:
    assert isinstance(every_binding(Lab)["live.back"].binding, Binding)
    assert every_binding(Lab)["app.help"].keys == ["question_mark"]
