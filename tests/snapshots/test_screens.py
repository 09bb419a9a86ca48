"""Every screen as a picture, at the smallest size that is supported; at a roomy one where it looks another way.

A change that is meant is accepted with `pytest tests/snapshots --snapshot-update`, after looking at the pictures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.data.images import ImageSet
from core.records.annotations import Annotations, write_annotations
from core.records.experiment import Experiment
from core.records.gallery import Gallery, write_galleries
from core.records.nearest import NearestImages
from core.records.results import GALLERY
from tests.fakes import previews
from tests.fakes.experiments import NOW, State, make_experiment
from tests.fakes.images import made_up_pool
from tests.fakes.lab import has_opened, text_of, until
from tests.fakes.studies import make_study, queue_up
from tui_aefit.lab.app import Lab
from tui_aefit.lab.feeds import start_feed
from tui_aefit.lab.preferences import Preferences, save_preferences
from tui_aefit.shell.settings import Settings

SIZES = {"80x24": (80, 24), "120x30": (120, 30), "140x45": (140, 45)}
NARROW, LOW, WIDE = (("80x24",), ("120x30",), ("140x45",))
"""Small; wide, but too low for all panes at once; room for all."""
BOTH = (*NARROW, *WIDE)
"""For screens that are laid out in another way where there is room."""


@dataclass(frozen=True)
class Sees:
    """A step that waits until these words are on the screen."""

    words: str


Step = str | Sees
"""A key, or what must be seen before the next one."""


@dataclass(frozen=True)
class Scene:
    """How a picture comes about: a home, the experiment that the lab opens with, then keys and what they show."""

    steps: tuple[Step, ...]
    prepare: Callable[[Path], Experiment | None] = lambda home: None
    theme: str = ""
    sizes: tuple[str, ...] = NARROW
    colour: bool = True


def recorded(state: State, **settings: Any) -> Callable[[Path], Experiment]:
    return lambda home: make_experiment(home, state=state, name=ID, **settings)


def with_pictures(home: Path) -> Experiment:
    """A finished experiment whose first run has six images of two sets."""
    experiment = make_experiment(home, runs=3, name=ID)
    galleries = [six_pictures("misclassified", size=0), six_pictures("adversarial", size=0.1)]
    write_galleries(experiment.run_folder(0) / "result" / GALLERY, galleries)
    return experiment


def six_pictures(name: str, size: float) -> Gallery:
    """Images that are changed by `size`, up or down, in every pixel."""
    pool, members = made_up_pool(), np.arange(6)
    signs = np.random.default_rng(3).choice(np.array([-size, size], np.float32), (6, 28, 28, 1))
    label = pool.labels[members].astype(np.int16)
    return Gallery(
        name=name,
        original=pool.images[members],
        image=np.clip(pool.images[members] / np.float32(255) + signs, 0, 1, dtype=np.float32),
        label=label,
        target=(label + 1) % np.int16(10) if size else np.full_like(label, -1),
        source=(1000 + members).astype(np.int32),
        prediction=np.stack([(label + step) % np.int16(10) for step in (1, 1, 2, 0)]),
        knob="K",
        levels=("7", "5", "3", "1"),
        class_names=tuple(map(str, range(10))),
        nearest=seven_nearest(pool),
    )


def seven_nearest(pool: ImageSet) -> NearestImages:
    """Some training images for six images, before and after."""
    member, side, rank = np.indices((6, 2, 7))
    source = (50 + 20 * member + rank * (1 + side)).astype(np.int32)
    return NearestImages(
        label=pool.labels[source].astype(np.int16),
        distance=6 + member / 10 + side / 3 + rank / 7,
        source=source,
        counted=(7, 5, 3, 1),
        pictures={one: pool.images[one] for one in source.ravel().tolist()},
    )


def half_a_study(home: Path) -> None:
    """A study of which some is there, some was stopped, some is yet to come; nothing is running."""
    grid: dict[str, list[object]] = {"attack": ["fgsm", "pgd"], "epsilon": [0.05, 0.1, 0.2]}
    make_study(home, grid, ["complete", "complete", "interrupted", "complete", None])


def existing_experiment(home: Path) -> None:
    """What the form begins with is computed already."""
    make_experiment(home, dataset="mnist-5k", epochs=15, now=NOW)


def waiting_for_its_turn(home: Path) -> Experiment:
    """One that waits after another that waits, while a third is computed."""
    experiment = make_experiment(home, state="running", name=ID)
    for since, (name, using) in enumerate({"at-work": 2, "before": 0, ID: 0}.items()):
        queue_up(home, name, float(since), using=using)
    return experiment


def started_before(home: Path) -> None:
    """Something else than what the form begins with was started last."""
    save_preferences(home, Preferences(words={"epsilon": "0.3", "runs": "4"}))


def of_every_state(home: Path) -> None:
    """Two days of somebody's work; nothing is running, or the lab would open with it."""
    finished = make_experiment(home, now=NOW, name="mnist-fgsm-example1")
    write_annotations(finished.folder, Annotations("as in the paper", ("fig5",), "the reference"))
    make_experiment(
        home, state="failed", attack="deepfool", runs=6, now=NOW - 4e4, name="mnist-deepfool-example2"
    )
    make_experiment(home, state="interrupted", epsilon=0.2, runs=6, now=NOW - 8e4, name="mnist-fgsm-example3")
    make_experiment(
        home, state="created", dataset="kmnist", runs=6, now=NOW - 12e4, name="kmnist-fgsm-example4"
    )
    make_experiment(
        home, dataset="fashion-mnist", z=9, runs=3, now=NOW - 16e4, name="fashion-mnist-fgsm-example5"
    )


ID = "mnist-fgsm-example1"
"""Of the experiment that the lab opens with; its own would change with every new setting."""
RUNNING = Sees("▶ running  4/12 runs")
NEW = Sees("+ new: nothing of it is computed yet")
COMPLETE, LEAVE_FIELD = Sees("✓ complete  12/12 runs"), "escape"
COMPARING = (LEAVE_FIELD, "e", Sees("Experiments: 5"), "space", "down", "down", "space", "C")
A_STUDY = (LEAVE_FIELD, "E", Sees("Studies: 1"), "enter", Sees("attack=fgsm"))
A_GRID: tuple[Step, ...] = (
    "tab", "comma", Sees("each makes an experiment"), *["down"] * 4, "space", "enter", Sees("fgsm, pgd"),
    "tab", "tab", *("0", "full_stop", "1", "comma", "0", "full_stop", "2", "comma", "0", "full_stop", "3"),
)  # fmt: skip
"""Two attacks, chosen from a list, and three epsilons, typed."""
ALL_EXPERIMENTS = (LEAVE_FIELD, "e", Sees("Experiments: 5"))
FAILED = Sees("✗ failed  5/6 runs")
SCENES = {
    "setup": Scene((NEW,)),
    "setup-data": Scene((NEW, Sees("500 of each class")), sizes=(*WIDE, *LOW)),
    "setup-data-without-colour": Scene((NEW, Sees("500 of each class")), sizes=WIDE, colour=False),
    "setup-attack": Scene((NEW, "down", Sees("says 8 (75 % sure)")), sizes=(*WIDE, *LOW)),
    "setup-explained": Scene((NEW, "ctrl+g", "down", Sees("says 8 (75 % sure)"))),
    "setup-ladder": Scene((NEW, *["down"] * 3, Sees("●●●●●●●")), sizes=WIDE),
    "setup-runs": Scene((NEW, *["down"] * 4, Sees("relative to 12 runs")), sizes=(*WIDE, *LOW)),
    "setup-exists": Scene((LEAVE_FIELD, Sees("✓ exists")), existing_experiment),
    "setup-last-time": Scene(
        (
            NEW,
            Sees("last time: Epsilon 0.3"),
        ),
        started_before,
        sizes=BOTH,
    ),
    "setup-wrong-values": Scene((*["tab"] * 2, "2", "tab", "8", Sees("✗ expected")), sizes=BOTH),
    "setup-advanced": Scene((*["tab"] * 5, "enter", "tab", Sees("Tied votes"))),
    "setup-deepfool": Scene((*["tab"] * 1, "enter", "down", "down", "enter", Sees("DeepFool bound"))),
    "setup-several": Scene(
        (NEW, "tab", "comma", Sees("each makes an experiment"), *["down"] * 4, "space", Sees("✓ pgd"))
    ),
    "setup-study": Scene((*A_GRID, Sees("✓ 1 complete · + 5 new")), existing_experiment, sizes=BOTH),
    "setup-study-without-colour": Scene(
        (*A_GRID, Sees("✓ 1 complete · + 5 new")), existing_experiment, colour=False
    ),
    "queued": Scene((Sees("queued: 2 of 2 that wait"),), waiting_for_its_turn, sizes=BOTH),
    "running": Scene((RUNNING, Sees("against K")), recorded("running"), sizes=BOTH),
    "running-first": Scene((Sees("▶ running  0/12 runs"),), recorded("running", complete=0), sizes=BOTH),
    "running-accuracy": Scene((RUNNING, "4", Sees("Accuracy, mean of 4 runs")), recorded("running")),
    "running-runs": Scene((RUNNING, "7", Sees("progress or result")), recorded("running")),
    "running-details": Scene(
        (RUNNING, "7", Sees("progress or result"), *["down"] * 5, "enter", Sees("Run 5 of 12")),
        recorded("running"),
        sizes=BOTH,
    ),
    "running-tests": Scene((RUNNING, "6", Sees("Nadeau-Bengio")), recorded("running")),
    "running-log": Scene((RUNNING, "8", Sees("run 4 complete")), recorded("running")),
    "finished": Scene((COMPLETE, Sees("against K")), recorded("complete"), sizes=(*BOTH, *LOW)),
    "finished-accuracy": Scene((COMPLETE, "4", Sees("Accuracy, mean of 12 runs")), recorded("complete")),
    "finished-of-a-run": Scene(
        (COMPLETE, "7", Sees("M 3"), "down", "4", Sees("  run 1")), recorded("complete"), sizes=BOTH
    ),
    "finished-sets": Scene(
        (COMPLETE, Sees("against K"), "z", Sees("Sets in the chart")), recorded("complete")
    ),
    "finished-all-curves": Scene(
        (COMPLETE, Sees("against K"), "z", Sees("Sets in the chart"), "a", "enter", Sees("reverse")),
        recorded("complete"),
    ),
    "finished-cursor": Scene(
        (COMPLETE, Sees("against K"), "right", "right", Sees("K = 5: adversarial")),
        recorded("complete"),
        sizes=BOTH,
    ),
    "finished-without-bars": Scene((COMPLETE, Sees("against K"), "b", "i"), recorded("complete")),
    "finished-full": Scene((COMPLETE, "3", Sees("0.01"), "f"), recorded("complete"), sizes=WIDE),
    "finished-p-values": Scene((COMPLETE, "3", Sees("0.01")), recorded("complete"), sizes=BOTH),
    "finished-cross-fitted": Scene((COMPLETE, "c", Sees("own")), recorded("complete")),
    "finished-decides": Scene((COMPLETE, "2", Sees("same: within")), recorded("complete")),
    "finished-claims": Scene(
        (COMPLETE, "5", Sees("What decides:")), recorded("complete"), sizes=(*NARROW, *LOW)
    ),
    "older-claims": Scene((COMPLETE, "5", Sees("not what decides")), recorded("complete", deciding=False)),
    "finished-tests": Scene((COMPLETE, "6", Sees("Nadeau-Bengio")), recorded("complete"), sizes=BOTH),
    "finished-verdict": Scene((COMPLETE, "9", Sees("Verdict")), recorded("complete")),
    "finished-log": Scene((COMPLETE, "8", Sees("all runs are complete")), recorded("complete")),
    "finished-p-values-low": Scene((COMPLETE, "3", Sees("0.01")), recorded("complete"), sizes=LOW),
    "finished-monochrome": Scene(
        (COMPLETE, Sees("against K")), recorded("complete"), theme="monochrome", sizes=WIDE
    ),
    "finished-light": Scene(
        (COMPLETE, Sees("against K")), recorded("complete"), theme="textual-light", sizes=WIDE
    ),
    "finished-ansi": Scene(
        (COMPLETE, Sees("against K")), recorded("complete"), theme="ansi-dark", sizes=WIDE
    ),
    "failed": Scene((FAILED,), recorded("failed", runs=6)),
    "failed-without-colour": Scene((FAILED,), recorded("failed", runs=6), colour=False, sizes=WIDE),
    "interrupted": Scene((Sees("2/6 runs"),), recorded("interrupted", runs=6)),
    "not-started": Scene((Sees("not started  0/6 runs"),), recorded("created", runs=6), sizes=BOTH),
    "more-runs": Scene((COMPLETE, "m", Sees("How many runs in all?")), recorded("complete")),
    "gallery": Scene((Sees("3/3 runs"), "g", Sees("1 of 6"), Sees("✓ right")), with_pictures, sizes=BOTH),
    "gallery-mistakes": Scene(
        (Sees("3/3 runs"), "g", Sees("1 of 6"), "s", Sees("set: misclassified"), Sees("✓ right")),
        with_pictures,
    ),
    "gallery-nearest": Scene((Sees("3/3 runs"), "g", Sees("✓ right"), "2", Sees("after")), with_pictures),
    "gallery-thumbnails": Scene((Sees("3/3 runs"), "g", Sees("✓ right"), "t", Sees("▸")), with_pictures),
    "gallery-empty": Scene(
        (Sees("0/6 runs"), "g", Sees("No run is complete yet")), recorded("created", runs=6)
    ),
    "experiments": Scene(ALL_EXPERIMENTS, of_every_state, sizes=BOTH),
    "experiments-empty": Scene((LEAVE_FIELD, "e", Sees("No experiments yet"))),
    "experiments-delete": Scene((*ALL_EXPERIMENTS, "d", Sees("Delete")), of_every_state),
    "experiments-label": Scene((*ALL_EXPERIMENTS, "a", Sees("Label of")), of_every_state),
    "experiments-filter": Scene((*ALL_EXPERIMENTS, "slash", *"deepfool", Sees("1 shown")), of_every_state),
    "experiments-sort": Scene((*ALL_EXPERIMENTS, "S", Sees("Sort by")), of_every_state),
    "experiments-bound": Scene(
        (*ALL_EXPERIMENTS, "slash", *"epsilon>0.9", Sees("no epsilon is > 0.9")), of_every_state
    ),
    "compare": Scene((*COMPARING, Sees("kmnist")), of_every_state, sizes=BOTH),
    "compare-curves": Scene((*COMPARING, Sees("kmnist"), "2", Sees("K=7")), of_every_state),
    "compare-read-off": Scene(
        (*COMPARING, Sees("kmnist"), "2", Sees("K=7"), "left", Sees("K = 1:")), of_every_state
    ),
    "compare-numbers": Scene((*COMPARING, Sees("kmnist"), "3", Sees("±")), of_every_state),
    "compare-decides": Scene((*COMPARING, Sees("kmnist"), "4", Sees("▼")), of_every_state),
    "study": Scene(A_STUDY, half_a_study),
    "study-without-colour": Scene((*A_STUDY, "down", "right"), half_a_study, colour=False),
    "export": Scene((FAILED, "x", Sees("Files go into")), recorded("failed", runs=6)),
    "export-without-colour": Scene(
        (COMPLETE, "x", "down", Sees("Files go into")), recorded("complete"), colour=False
    ),
    "palette": Scene((COMPLETE, "ctrl+p", Sees("Search for")), recorded("complete")),
    "help": Scene((COMPLETE, "question_mark", Sees("Keys")), recorded("complete")),
    "leave": Scene((RUNNING, "q", Sees("Leave it running")), recorded("running")),
    "stop": Scene((RUNNING, "s", Sees("Stop mnist")), recorded("running")),
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty home of a relative path, on a machine, at a moment and in a time zone that never change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setenv("TZ", "UTC")
        patch.delenv("NO_COLOR", raising=False)
        time.tzset()
        patch.setattr("tui_aefit.shell.settings.default_home", lambda: Path("home"))
        patch.setattr("tui_aefit.shell.settings.user_config", lambda: Path("none.toml"))
        patch.setattr("tui_aefit.shell.parallelism.processors", lambda: 4)
        patch.setattr("tui_aefit.lab.screens.live.start_feed", partial(start_feed, clock=lambda: NOW))
        patch.setattr("tui_aefit.lab.previews.preview", previews.preview)
        patch.setattr("tui_aefit.lab.screens.live.start_measuring", lambda screen: None)
        patch.setattr("tui_aefit.lab.screens.experiments.clock", lambda: NOW)
        yield Path("home")
    time.tzset()


QUICK = (
    "setup", "setup-wrong-values", "running", "finished", "finished-decides", "finished-tests", "failed",
    "more-runs", "gallery", "experiments", "compare", "export", "help",
)  # fmt: skip
"""The scenes that `make test` draws; `make test-all` draws every one at each of its sizes."""


def pictures() -> list[object]:
    """Every scene at every of its sizes; the quick ones are the small pictures that differ in more than a key."""
    return [
        pytest.param(name, size, marks=[] if size == "80x24" and name in QUICK else pytest.mark.slow)
        for name, scene in SCENES.items()
        for size in scene.sizes
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), pictures())
def test_screen(
    name: str, size: str, home: Path, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = SCENES[name]
    if not scene.colour:
        monkeypatch.setenv("NO_COLOR", "1")
    lab = Lab(Settings({}, environment={}), scene.prepare(home))
    if scene.theme:
        lab.theme = scene.theme

    async def play(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: has_opened(lab))
        for step in scene.steps:
            if isinstance(step, Sees):
                await until(pilot, partial(shows, lab, step.words))
            else:
                await pilot.press(step)
                await pilot.pause()
        for field in lab.screen.query(Input):
            field.cursor_blink = False
        await settle(pilot)

    assert snap_compare(lab, terminal_size=SIZES[size], run_before=play)


def shows(lab: Lab, words: str) -> bool:
    return words in text_of(lab)


async def settle(pilot: Pilot[None]) -> None:
    """Wait until the picture stays the same while nothing is at work."""
    before, now = "", text_of(pilot.app)
    while before != now:
        await pilot.pause()
        await pilot.pause()
        before, now = now, text_of(pilot.app)
