"""Keys that a settings file gives to bindings of the lab: what is taken, and what is refused with words."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding

from core.errors import AefitError
from tests.pilot.test_keys import ALL
from tui_aefit.lab.app import Lab
from tui_aefit.lab.keys import every_binding, keymap
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


def test_no_two_keys_of_ours_are_refused() -> None:
    """What is refused of a person's keys does not happen among ours: each given its own keys again is taken."""
    for name, bound in every_binding(Lab).items():
        if not set(bound.keys) & {"ctrl+p", "ctrl+c", "tab", "shift+tab"}:
            assert keymap({name: Found(",".join(bound.keys), "ours")}, Lab) == {name: ",".join(bound.keys)}


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
