"""What the lab has done by its first picture: loaded what the form needs, read style sheets once, drawn nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.experiments import make_experiment

PROGRAM = """
import json, os, sys
from pathlib import Path

import tui_aefit.shell.cli
from tui_aefit.shell.settings import Settings
import tui_aefit.lab.opening
from tui_aefit.lab.app import Lab
from textual.css.stylesheet import Stylesheet

read_again = []
reparse = Stylesheet.reparse

def noting(sheet):
    read_again.append(1)
    reparse(sheet)

def display(self, screen, renderable):
    if renderable is None or self._batch_count:
        return
    found = {"screen": type(screen).__name__, "modules": sorted(sys.modules), "read_again": len(read_again)}
    found["text"] = "\\n".join(strip.text for strip in screen._compositor.render_strips())
    os.write(1, json.dumps(found).encode())
    os._exit(0)

Stylesheet.reparse = noting
Lab._display = display
Lab(Settings({"home": sys.argv[1]}, environment={}, folder=Path(sys.argv[1]))).run(headless=True, size=(80, 24))
"""
"""Opens the lab on a home and, instead of drawing its first picture, tells what has happened by then."""
NOT_YET = (
    "msgspec", "core.records.experiment", "core.records.journal", "core.records.home",
    "core.records.study", "core.records.overview", "core.report.result", "core.report.tables.text",
    "core.statistics", "tui_aefit.lab.running", "tui_aefit.lab.browsing", "tui_aefit.lab.exporting",
    "tui_aefit.lab.screens.live", "tui_aefit.lab.widgets.cell_table", "textual.widgets._data_table",
)  # fmt: skip
"""What reads records and shows them: a person who sets up an experiment has not asked for any."""


def first_picture(home: Path) -> dict[str, Any]:
    """What the lab tells at its first picture."""
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home)], capture_output=True, text=True, check=True, timeout=120
    )
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


@pytest.mark.parametrize("experiments", [0, 2])
def test_the_first_picture_is_the_form_and_waits_for_nothing_that_reads_records(
    tmp_path: Path, experiments: int
) -> None:
    for seed in range(experiments):
        make_experiment(tmp_path, runs=2, seed=seed)
    found = first_picture(tmp_path)
    assert found["screen"] == "SetupScreen"
    assert "New experiment" in found["text"]
    assert "candidates and" in found["text"], "it has been checked, and says what it costs"
    assert set(found["modules"]) & set(NOT_YET) == set()
    assert found["read_again"] == 0


def test_where_one_is_computed_it_is_the_first_picture(tmp_path: Path) -> None:
    make_experiment(tmp_path, runs=2, state="running")
    found = first_picture(tmp_path)
    assert found["screen"] == "LiveScreen"
    assert {"core.records.experiment", "tui_aefit.lab.running"} <= set(found["modules"])
