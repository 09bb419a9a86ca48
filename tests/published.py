"""Experiments in the states that can be published, and readers of what was published of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from core.records.experiment import Experiment
from core.records.gallery import Gallery, write_galleries
from core.report.result import result_of
from core.sets.catalogue import SETS
from core.spec.spec import Spec
from tests import hand_made, recorded

MADE: dict[str, Callable[[Path], Experiment]] = {}
"""How experiments are made under a home, by what is special about them."""


def _made(make: Callable[[Path], Experiment]) -> Callable[[Path], Experiment]:
    MADE[make.__name__] = make
    return make


@_made
def complete(home: Path) -> Experiment:
    experiment = recorded.make_experiment(home, runs=5)
    add_gallery(experiment, 0)
    return experiment


@_made
def partly_failed(home: Path) -> Experiment:
    return recorded.make_experiment(home, state="failed", runs=5, z=5, controls=("noise",))


@_made
def running(home: Path) -> Experiment:
    return recorded.make_experiment(home, state="running", runs=9, complete=3, attack="deepfool")


@_made
def one_run(home: Path) -> Experiment:
    return recorded.make_experiment(home, runs=1, controls=())


@_made
def nothing_yet(home: Path) -> Experiment:
    return recorded.make_experiment(home, state="created", runs=4)


@_made
def empty_sets(home: Path) -> Experiment:
    """No attack ever succeeded."""
    spec = Spec(dataset="digits", z=7, runs=4, controls=("noise", "sources"))
    sizes = {"adversarial": 0, "sources": 0}
    answers = [hand_made.draw_answers(spec, run, sizes) for run in range(spec.runs)]
    return hand_made.make_experiment(home, spec, answers=answers).experiment


@_made
def no_spread(home: Path) -> Experiment:
    """Every run gave the same answers: there is no variance, and two sets are equal."""
    spec = Spec(dataset="digits", z=5, runs=4, controls=("noise", "fooled"))
    answers = dict(hand_made.draw_answers(spec, 0))
    answers["fooled"] = answers["adversarial"]
    return hand_made.make_experiment(home, spec, answers=[answers] * spec.runs).experiment


def published(home: Path, name: str) -> tuple[Experiment, dict[str, Any]]:
    """An experiment of MADE and its JSON result."""
    experiment = MADE[name](home)
    return experiment, result_of(experiment.state())


def add_gallery(
    experiment: Experiment,
    run: int,
    names: tuple[str, ...] = ("cat", "<b>dog</b> & $5$", "horse"),
    sets: tuple[str, ...] = ("adversarial",),
) -> Gallery:
    """Give a complete run five pictures of each of these sets to show; those of the first."""
    galleries = [_gallery_of(name, experiment.spec, run, names) for name in sets]
    write_galleries(experiment.run_folder(run) / "result" / "gallery.npz", galleries)
    return galleries[0]


def _gallery_of(name: str, spec: Spec, run: int, class_names: tuple[str, ...]) -> Gallery:
    generator = np.random.default_rng(run)
    label = np.arange(5, dtype=np.int16) % 3
    original = generator.integers(30, 220, (5, 28, 28, 1), dtype=np.uint8)
    change = generator.choice([-0.1, 0.1], original.shape) * SETS[name].perturbed
    return Gallery(
        name=name,
        original=original,
        image=(original / np.float32(255) + change).astype(np.float32),
        label=label,
        target=(label + 1) % np.int16(3) if SETS[name].perturbed else np.full_like(label, -1),
        source=np.arange(100, 105, dtype=np.int32),
        prediction=np.stack([(label + row) % 3 for row in range(len(spec.levels))]).astype(np.int16),
        k=spec.levels,
        class_names=class_names,
    )


@dataclass
class Cell:
    """A cell as it is read, and the numbers behind it with all their digits."""

    text: str = ""
    values: list[float] = field(default_factory=list)


@dataclass
class Grid:
    """A table: its caption, its header, and the rows with the heading that stands over each."""

    caption: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[tuple[str, list[Cell]]] = field(default_factory=list)


VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """An HTML page: its tables by id, the words of its sections, and what would make it invalid."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, Grid] = {}
        self.words: dict[str, str] = {}
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self._section = "header"
        self._grid = Grid()
        self._heading = ""
        self._cells: list[Cell] = []
        self._cell: Cell | None = None
        self._group = False
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if len(told) != len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        self.tags.append((tag, told))
        if told.get("id"):
            self.ids.append(str(told["id"]))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "section":
            self._section = str(told["id"])
        elif tag == "table":
            self._grid = self.tables[str(told["id"])] = Grid()
        elif tag == "tbody":
            self._heading = ""
        elif tag == "tr":
            self._cells = []
        elif tag in ("td", "th"):
            self._cell = Cell()
            self._cells.append(self._cell)
            self._group = told.get("scope") == "rowgroup"
        elif tag == "data":
            assert self._cell is not None or self._section == "header"
            if self._cell is not None:
                self._cell.values.append(float(str(told["value"])))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")
        if tag in ("td", "th"):
            self._cell = None
        elif tag == "tr":
            if "thead" in self._open:
                self._grid.header = [cell.text for cell in self._cells]
            elif self._group:
                self._heading = self._cells[0].text
            else:
                self._grid.rows.append((self._heading, self._cells))
            self._group = False

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words[self._section] = self.words.get(self._section, "") + data
        if self._cell is not None:
            self._cell.text += data
        elif "caption" in self._open:
            self._grid.caption += data


def told(page: Page, section: str) -> str:
    """The words of a section with single spaces."""
    return re.sub(r"\s+", " ", page.words[section]).strip()
