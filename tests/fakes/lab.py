"""The lab in a home of its own, with a coordinator that leaves a made-up experiment and computes nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from core.declarations.setting import Value
from core.records.experiment import Experiment
from core.records.starting import How
from tests.fakes import previews
from tests.fakes.experiments import State, make_experiment_of
from tui_aefit.lab.app import Lab
from tui_aefit.shell.settings import Settings

PATIENCE = 120.0
"""Seconds after which something that should happen counts as not happening, on the busiest machine."""


@dataclass
class Process:
    """As much of a process as the lab looks at."""

    status: int | None = None

    def poll(self) -> int | None:
        return self.status


@dataclass
class StubCoordinator:
    """Stands for `start_coordinator`: leaves an experiment in the state that a coordinator would bring it to.

    state, complete: as `make_experiment_of` takes them. started: what was asked for, call by call.
    """

    elsewhere: Path
    state: State = "complete"
    complete: int | None = None
    started: list[dict[str, Any]] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)

    def __call__(self, experiment: Experiment, how: How, **besides: Any) -> Process:
        self.started.append({"experiment": experiment, **asdict(how), **besides})
        record = make_experiment_of(
            self.elsewhere / str(len(self.started)),
            experiment.spec,
            state=self.state,
            complete=self.complete,
            now=time.time(),
            jobs=how.jobs,
        )
        leave_files(record.folder, experiment.folder)
        self.processes.append(Process(None if self.state == "running" else 0))
        return self.processes[-1]


def leave_files(source: Path, folder: Path) -> None:
    """Bring an experiment's files, or a run's, to where a lab may be reading, as coordinators do.

    Each is whole from the first on, and what is told of in a journal is there before.
    """
    folder.mkdir(exist_ok=True)
    for path in sorted(source.rglob("*"), key=lambda path: "journal" in path.parts):
        place = folder / path.relative_to(source)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        else:
            half = place.with_name(f".{place.name}.half")
            shutil.copyfile(path, half)
            half.replace(place)


@dataclass
class House:
    """A home and all that the lab could take from the outside, none of which leaks in."""

    folder: Path
    coordinator: StubCoordinator

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def lab(self, first: Experiment | None = None, /, **options: Value) -> Lab:
        """A lab as it opens; options: as in the shell."""
        settings = Settings({"home": str(self.home), **options}, environment={}, folder=self.folder)
        return Lab(settings, first)


@contextmanager
def in_house(folder: Path) -> Iterator[House]:
    """A House whose labs start the stub, while the block lasts."""
    house = House(folder, StubCoordinator(folder / "elsewhere"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui_aefit.shell.settings.user_config", lambda: folder / "none.toml")
        patch.setattr("tui_aefit.lab.coordinators.start_coordinator", house.coordinator)
        patch.setattr("tui_aefit.lab.previews.preview", previews.preview)
        # What is notified of can be read as long as the lab is open, however slow the machine.
        patch.setattr("textual.notifications.Notification.has_expired", False)
        yield house


@asynccontextmanager
async def opened(
    lab: Lab, size: tuple[int, int], *, notifications: bool = False
) -> AsyncIterator[Pilot[None]]:
    """Show the lab; the block begins when what it opens with is there, the form's fold included."""
    async with lab.run_test(size=size, notifications=notifications) as pilot:
        await until(pilot, lambda: has_opened(lab))
        await pilot.pause()
        yield pilot


def has_opened(lab: Lab) -> bool:
    """Whether all of the form is there, or something is in front of it, which then has no fold yet."""
    return len(lab.screen_stack) > 1 or bool(lab.screen.query("#jobs"))


async def until(pilot: Pilot[Any], condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Let the lab go on until something is so."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen; the screen shows:\n{text_of(pilot.app)}"
        await pilot.pause(0.05)


def notices(lab: Lab) -> str:
    """All that was notified of, but for what was taken back."""
    return "\n".join(f"{one.title}: {one.message}" for one in lab._notifications)


def text_of(app: App[Any]) -> str:
    """What the whole screen shows, line by line."""
    return "\n".join(line.text for line in app.screen._compositor.render_strips())
