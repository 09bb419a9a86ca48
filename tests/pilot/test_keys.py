"""Every key of the lab is named, explained in the help, found in the palette; the footer shows a few of them."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Collapsible, Footer
from textual.widgets._footer import FooterKey, KeyGroup

import tui_aefit.lab.screens
import tui_aefit.lab.widgets
from core.records.experiment import Experiment
from core.spec.spec import Spec
from tests.fakes.arrays import add_gallery
from tests.fakes.experiments import make_experiment
from tests.fakes.lab import House, notices, opened, text_of, until
from tests.fakes.studies import make_study, queue_up
from tui_aefit.lab.app import Lab
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.keys import every_binding
from tui_aefit.lab.live_panes import PANES
from tui_aefit.lab.messages import OpenExperiment
from tui_aefit.lab.preferences import Preferences, save_preferences
from tui_aefit.lab.screens.compare import CompareScreen
from tui_aefit.lab.screens.confirm import Confirm
from tui_aefit.lab.screens.gallery import GalleryScreen
from tui_aefit.lab.screens.help import HelpScreen
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.screens.studies import StudiesScreen
from tui_aefit.lab.screens.study import PANES as STUDY_PANES
from tui_aefit.lab.screens.study import StudyScreen

SMALL = (80, 24)
SEVEN = 7


def classes() -> Iterator[type[DOMNode]]:
    """The app, and every screen and widget that has keys of its own."""
    yield Lab
    for package in (tui_aefit.lab.screens, tui_aefit.lab.widgets):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for one in vars(importlib.import_module(module.name)).values():
                if isinstance(one, type) and one.__module__ == module.name and "BINDINGS" in vars(one):
                    yield one


def bindings_of(one: type[DOMNode]) -> list[Binding]:
    found = [binding for binding in one.BINDINGS if isinstance(binding, Binding)]
    assert len(found) == len(one.BINDINGS), f"{one.__name__} has a key without an id"
    return found


ALL = {one: bindings_of(one) for one in classes()}


async def settled(pilot: Pilot[None]) -> None:
    """Wait until what was pressed is done, and the footer shows the keys that there are then."""
    done = asyncio.Event()
    # A pane gets the focus after a refresh; what was asked for by then is done before this is.
    pilot.app.screen.call_after_refresh(done.set)
    await until(pilot, done.is_set)
    await until(pilot, lambda: has_its_keys(pilot.app.screen))


def has_its_keys(screen: Screen[Any]) -> bool:
    """Whether the footer has a key for all that can be pressed now, each in its place."""
    active, keys = screen.active_bindings, list(screen.query(FooterKey))
    # A key stands for its action once, in the order of the bindings; the palette's is the last.
    wanted = dict.fromkeys(one.binding.action for one in active.values() if one.binding.show)
    shown = [key.action for key in keys if not key.has_class("-command-palette")]
    return shown == list(wanted) and all(key.region.area for key in keys)


async def tour(house: House, look: Callable[[str, Lab], None]) -> None:
    """Look at every screen with every pane and every kind of focus, one after another in a small terminal."""
    make_experiment(house.home, state="running", runs=3, complete=1, now=time.time())
    # The one that the form begins with.
    stopped = make_experiment(
        house.home, state="interrupted", runs=3, now=time.time(), dataset="mnist-5k", epochs=15
    )
    add_gallery(stopped, 0)
    save_preferences(house.home, Preferences(words={"epsilon": "0.3"}))
    lab = house.lab()
    async with opened(lab, SMALL) as pilot:

        async def see(place: str) -> None:
            await settled(pilot)
            look(place, lab)

        await until(pilot, lambda: "1/3 runs" in text_of(lab) and "s Stop" in text_of(lab))
        for key, pane in enumerate(PANES, start=1):
            await pilot.press(str(key))
            await see(f"live, {pane}")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
        for field in range(8):
            await pilot.press("tab")
            await see(f"form, field {field}")
        await until(pilot, lambda: "◐ exists" in text_of(lab))
        lab.screen.query_one(Collapsible).collapsed = False
        lab.screen.query_one("#data_dir").focus()
        await see("form, path")
        await pilot.press("escape")
        await see("form, no field")
        await pilot.press("e")
        await until(pilot, lambda: "Experiments: 2" in text_of(lab) and "⏎ Open" in text_of(lab))
        await see("experiments")
        await pilot.press("slash", "m")
        await until(pilot, lambda: "2 shown" in text_of(lab))
        await see("experiments, filter")
        await pilot.press("escape", "home", "space", "space")
        await see("experiments, marked")
        await pilot.resize_terminal(140, 45)
        await see("experiments, wide")
        await pilot.resize_terminal(*SMALL)
        await pilot.press("C")
        await until(pilot, lambda: isinstance(lab.screen, CompareScreen) and "esc Back" in text_of(lab))
        for digit, pane in enumerate(("settings", "curves", "numbers", "claims"), start=1):
            await pilot.press(str(digit))
            await see(f"comparison, {pane}")
        await pilot.resize_terminal(140, 45)
        await until(
            pilot, lambda: lab.screen.has_class("-wide") and "esc Back" in text_of(lab).splitlines()[-1]
        )
        await see("comparison, wide")
        await pilot.resize_terminal(*SMALL)
        await settled(pilot)
        lab.post_message(OpenExperiment(stopped))
        await until(pilot, lambda: isinstance(lab.screen, LiveScreen) and "r Resume" in text_of(lab))
        await see("live, stopped")
        await pilot.press("g")
        await until(pilot, lambda: isinstance(lab.screen, GalleryScreen) and "1 of 5" in text_of(lab))
        await see("gallery")
        await pilot.press("t")
        await until(pilot, lambda: "⏎ Large" in text_of(lab))
        await see("gallery, small pictures")
        await pilot.press("escape")
        await pilot.resize_terminal(140, 45)
        await until(pilot, lambda: "Nearest to the original" in text_of(lab))
        await see("gallery, wide")


async def tour_of_studies(house: House, look: Callable[[str, Lab], None]) -> None:
    """The list of studies and one of them, of which an experiment waits for its turn; that one everywhere too."""
    home = house.folder / "studies-home"
    grid: dict[str, list[object]] = {"attack": ["fgsm", "pgd"], "epsilon": [0.1, 0.2]}
    make_study(home, grid, ["interrupted"], name="old", seed=5)
    study = make_study(home, grid, ["complete", "running"], name="new", seed=6)
    queue_up(home, study.cells[1].id, 1.0)
    os.utime(home / "studies" / "old" / "study.toml", (1, 1))
    waits = Experiment(study.folder_of(study.cells[1]), Spec())
    lab = house.lab(home=str(home))
    async with opened(lab, SMALL) as pilot:

        async def see(place: str) -> None:
            await settled(pilot)
            look(place, lab)

        await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
        await pilot.press("E")
        await until(pilot, lambda: isinstance(lab.screen, StudiesScreen) and "▶ running" in text_of(lab))
        await see("studies, running")
        await pilot.press("down")
        await until(pilot, lambda: "r Resume" in text_of(lab).splitlines()[-1])
        await see("studies, interrupted")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(lab.screen, StudyScreen) and "attack=fgsm" in text_of(lab))
        await see("study, interrupted")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(lab.screen, StudiesScreen))
        await pilot.press("up", "enter")
        await until(pilot, lambda: isinstance(lab.screen, StudyScreen) and "◔" in text_of(lab))
        for digit, pane in enumerate(STUDY_PANES, start=1):
            await pilot.press(str(digit))
            await see(f"study, {pane}")
        await pilot.press("slash", "m")
        await until(pilot, lambda: "4 shown" in text_of(lab) and "esc Show all" in text_of(lab))
        await see("study, filter")
        await pilot.press("escape")
        await pilot.resize_terminal(140, 45)
        await until(pilot, lambda: "q Quit" in text_of(lab).splitlines()[-1])
        await see("study, wide")
        await pilot.resize_terminal(*SMALL)
        await pilot.press("e", "slash", *waits.id.rpartition("-")[2], "enter")
        await until(pilot, lambda: "1 shown" in text_of(lab) and "Queue" in text_of(lab).splitlines()[-1])
        await see("experiments, queued")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(lab.screen, LiveScreen) and "queued: 1 of 1" in text_of(lab))
        await see("live, queued")


COMPARISON = [f"comparison, {pane}" for pane in ("settings", "curves", "numbers", "claims", "wide")]
GALLERY = ("gallery", "gallery, small pictures", "gallery, wide")


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.__name__)
def test_every_key_has_an_id_a_word_and_an_explanation(one: type[DOMNode]) -> None:
    for binding in ALL[one]:
        assert binding.id, binding
        assert binding.description, binding
        assert binding.tooltip, binding


def test_no_two_keys_have_the_same_id() -> None:
    ids = [binding.id for bindings in ALL.values() for binding in bindings]
    assert len(ids) == len(set(ids)) > 60


@pytest.mark.slow
async def test_everywhere_help_and_palette_tell_of_every_key_and_the_footer_of_some(house: House) -> None:
    """One tour: it visits every screen with every pane and every kind of focus."""
    named: set[str] = set()
    explained: set[str] = set()
    footers: dict[str, str] = {}
    held: set[tuple[str, str]] = set()

    def look(place: str, lab: Lab) -> None:
        held.update(in_widgets(lab))
        named.update(in_palette(place, lab))
        explained.update(in_help(place, lab))
        footers[place] = in_footer(place, lab)

    await tour(house, look)
    await tour_of_studies(house, look)
    for one, bindings in ALL.items():
        # A dialog has its keys on its buttons, and nothing opens in front of it.
        if not issubclass(one, ModalScreen):
            assert {binding.description for binding in bindings} <= named, one
            assert {binding.tooltip for binding in bindings} <= explained, one
    assert len(footers) == len(PANES) + 8 + 15 + len(STUDY_PANES) + 7
    # The keys of a widget are judged by the screens that hold it.
    widgets = [one for one in ALL if issubclass(one, Widget) and not issubclass(one, Screen)]
    of_widgets = {binding.id for one in widgets for binding in ALL[one]}
    assert held == {
        (name, screen)
        for name, bound in every_binding(Lab).items()
        if name in of_widgets
        for screen in bound.screens
    }
    # Wherever an experiment is looked at, it can be exported.
    wanted = {
        "experiments",
        "experiments, marked",
        "experiments, wide",
        "live, stopped",
        *COMPARISON,
        *GALLERY,
        "study, interrupted",
        "study, wide",
        *(f"study, {pane}" for pane in STUDY_PANES),
        "experiments, queued",
        "live, queued",
        *(f"live, {pane}" for pane in PANES),
    }
    assert {place for place, line in footers.items() if "x Export" in line} == wanted
    # While the filter is typed, the footer says how to leave it.
    assert "esc Show all" in footers["experiments, filter"]
    assert "esc Show all" not in footers["experiments"]


def in_widgets(lab: Lab) -> Iterator[tuple[str, str]]:
    """The ids of the keys of all widgets on the screen, each with the screen's own word."""
    word = str(ALL[type(lab.screen)][0].id).partition(".")[0]
    for widget in lab.screen.query("*"):
        for kind in type(widget).__mro__:
            for binding in ALL.get(kind, ()):
                yield str(binding.id), word


def in_palette(place: str, lab: Lab) -> list[str]:
    """The commands that the palette offers: each once."""
    titles = [command.title for command in lab.get_system_commands(lab.screen)]
    assert len(titles) == len(set(titles)), (place, sorted(titles))
    assert {"Theme", "Quit"} <= set(titles), place
    return titles


def in_help(place: str, lab: Lab) -> list[str]:
    """What the help says of the lab's own keys: of each something else."""
    explained = [text for _, text in HelpScreen(lab.screen)._keys]
    assert len(explained) == len(set(explained)), (place, sorted(explained))
    assert explained[-1] == "Every command by its name, and the themes"
    return explained


def in_footer(place: str, lab: Lab) -> str:
    """The footer: seven keys at most, and they fit."""
    (footer,) = lab.screen.query(Footer)
    groups = [*footer.query(KeyGroup), *(key for key in footer.query(FooterKey) if key.parent is footer)]
    line = text_of(lab).splitlines()[-1]
    assert 2 <= len(groups) <= SEVEN, (place, line)
    assert max(child.region.right for child in footer.children) <= lab.size.width, place
    return line


async def test_a_screen_that_is_left_still_says_which_keys_it_has(house: House) -> None:
    """One that was pressed in it may come when its widgets are gone."""
    make_experiment(house.home, state="interrupted", runs=3, now=time.time())
    lab = house.lab()
    async with opened(lab, SMALL) as pilot:
        await pilot.press("escape", "e")
        await until(pilot, lambda: "⏎ Open" in text_of(lab))
        left = [lab.screen]
        await pilot.press("E")
        await until(pilot, lambda: isinstance(lab.screen, StudiesScreen))
        left.append(lab.screen)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
        await until(pilot, lambda: not any(screen.query("*") for screen in left))
        for screen in left:
            for binding in bindings_of(type(screen)):
                screen.check_action(binding.action.partition("(")[0], ())


@pytest.mark.slow
async def test_what_screens_say_in_words_follows_a_persons_own_keys(house: House) -> None:
    settings = house.lab()._settings
    changed = {
        "experiments.new": "N", "experiments.stop": "f8", "live.resume": "f9", "live.p-values": "P",
        "confirm.yes": "j,J", "confirm.no": "ctrl+n", "ask.cancel": "f4", "compare.curves": "C",
    }  # fmt: skip
    lab = Lab(settings, keymap=changed)
    async with opened(lab, SMALL) as pilot:
        await pilot.press("escape", "e")
        await until(pilot, lambda: "N  sets up a new one" in text_of(lab))
        made = make_experiment(house.home, state="created", runs=3, now=time.time())
        await until(pilot, lambda: "⏎ Open" in text_of(lab))
        await pilot.press("a")
        await until(pilot, lambda: "enter keeps it, f4 leaves it as it was" in text_of(lab))
        await pilot.press("f4", "d")
        await until(pilot, lambda: "Delete (j)" in text_of(lab) and "Cancel (ctrl+n)" in text_of(lab))
        await pilot.press("ctrl+n")
        lab.post_message(OpenExperiment(made))
        await until(pilot, lambda: "f9 begins its 3 runs" in text_of(lab))
        assert "P p-values" in text_of(lab)
        assert "3 p-values" not in text_of(lab)


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("r", "r"), ("equals_sign", "="), ("space", "space"), ("escape", "esc"), ("ctrl+s", "ctrl+s"),
        ("enter", "enter"), ("f9", "f9"), ("left", "left"), ("question_mark", "?"), ("shift+f2", "shift+f2"),
    ],
)  # fmt: skip
async def test_a_key_in_a_sentence_is_a_word_or_what_is_printed_on_it(
    house: House, key: str, word: str
) -> None:
    lab = Lab(house.lab()._settings, keymap={"app.help": key})
    async with opened(lab, SMALL):
        assert key_of(lab, "app.help") == word
        assert key_of(lab.screen, "app.help") == word
        with pytest.raises(KeyError):
            key_of(lab.screen, "live.stop")


async def test_a_key_of_a_persons_own_works_and_is_told_of_in_footer_help_and_palette(house: House) -> None:
    make_experiment(house.home, state="running", runs=3, complete=1, now=time.time())
    settings = house.lab()._settings
    lab = Lab(settings, keymap={"live.stop": "S", "app.help": "f1", "app.quit": "Q"})
    async with opened(lab, SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "1/3 runs" in text_of(lab) and "S Stop" in text_of(lab).splitlines()[-1])
        assert " s Stop" not in text_of(lab)
        assert "f1 Help" in text_of(lab).splitlines()[-1]
        assert "Stop" in in_palette("live", lab)
        shown = dict((text, keys) for keys, text in HelpScreen(lab.screen)._keys)
        assert shown["Stop computing; complete runs are kept"] == "S"
        await pilot.press("s")
        await pilot.pause(0.1)
        assert isinstance(lab.screen, LiveScreen), "the old key does nothing"
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "press Q, or ctrl+q while typing" in notices(lab))
        await pilot.press("S")
        await until(pilot, lambda: isinstance(lab.screen, Confirm))
        await pilot.press("escape", "f1")
        await until(pilot, lambda: isinstance(lab.screen, HelpScreen))
