"""The command answers without loading the heavy libraries, and the experiment knows nothing of the terminal."""

from __future__ import annotations

import ast
import json
import pkgutil
import subprocess
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path

import pytest

import core
import tui_aefit
from core.report.formats import OWN_TABLES, TABLES
from tests.fakes.experiments import make_experiment
from tests.fakes.images import write_npz
from tests.fakes.studies import make_study

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
HEAVY = ("torch", "torchvision", "sklearn", "scipy", "numpy", "matplotlib", "mlxtend", "pyarrow", "pandas")
SCREENS = ("textual", "plotext")
GALLERY = {"core.records.gallery", "core.records.nearest", "core.report.figures.picture"}
"""What the gallery alone takes from the experiment, once it is opened: images are arrays."""
NOT_FOR_HELP = ("msgspec", "tomli_w", "importlib.metadata")
"""What is light, but takes longer to load than an answer to --help may."""


def loaded(program: str, watched: Collection[str]) -> set[str]:
    """Which of the watched modules a fresh interpreter has loaded after a program."""
    tail = "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", program + tail], capture_output=True, text=True, check=True, timeout=120
    )
    modules = set(json.loads(finished.stdout.splitlines()[-1]))
    return (modules | {name.partition(".")[0] for name in modules}) & set(watched)


def imported_by(path: Path) -> set[str]:
    """Every module that a file imports, by its source."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found


def core_modules_of_the_terminal() -> set[str]:
    """Every module of `core` that a module of `tui_aefit` imports, by its source."""
    found = set().union(*map(imported_by, Path(tui_aefit.__path__[0]).rglob("*.py")))
    return {name for name in found if name.partition(".")[0] == "core"}


def answering(words: list[str], status: int = 0) -> str:
    """A program that answers one command line."""
    return (
        "from tui_aefit.shell.cli import run\n"
        f"try:\n    assert run({words!r}) == {status}\n"
        "except SystemExit as left:\n    assert left.code == 0"
    )


def test_a_loaded_library_is_noticed() -> None:
    assert loaded("import numpy.linalg", [*HEAVY, *SCREENS]) == {"numpy"}


@pytest.mark.parametrize(
    "module", ["tui_aefit.shell.cli", "tui_aefit.shell.settings", "tui_aefit.shell.batch"]
)
def test_the_command_starts_without_the_heavy_libraries(module: str) -> None:
    assert loaded(f"import {module}", [*HEAVY, *SCREENS]) == set()


def test_following_an_experiment_needs_no_screen() -> None:
    program = "import tui_aefit.following.feed, tui_aefit.following.home, tui_aefit.following.listing"
    assert loaded(program, [*HEAVY, *SCREENS]) == set()


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["list", "--help"], ["config", "show"], ["lst"], ["data", "list"]]
)
def test_what_needs_no_computing_is_answered_without_the_heavy_libraries(words: list[str]) -> None:
    program = answering(words, 2 if words == ["lst"] else 0)
    assert loaded(program, [*HEAVY, *SCREENS]) == set()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["show", "--help"], ["lst"]])
def test_help_loads_nothing_that_reads_records(words: list[str]) -> None:
    assert loaded(answering(words, 2 if words == ["lst"] else 0), NOT_FOR_HELP) == set()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two experiments and a study, of three runs each with all that decides: there are intervals to print."""
    home = tmp_path_factory.mktemp("light") / "home"
    make_experiment(home, dataset="digits", runs=3, name="one")
    make_experiment(home, dataset="digits", runs=3, epsilon=0.2, name="two")
    make_study(home, {"epsilon": [0.1, 0.2]})
    return home


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "--json"],
        ["show", "one"],
        ["show", "one", "--json"],
        ["attach", "one"],
        ["export", "one", "--format", "json"],
        *(["export", "one", "--format", "csv", "--table", table] for table in TABLES),
        ["export", "one", "--format", "latex"],
        ["compare", "one", "two"],
        ["compare", "one", "two", "--json"],
        ["compare", "one", "two", "--format", "csv", "--table", "differences"],
        ["compare", "one", "two", "--format", "latex"],
        ["study", "list"],
        ["study", "show", "paper"],
        ["study", "show", "paper", "--json"],
        *(["study", "export", "paper", "--format", "csv", "--table", table] for table in OWN_TABLES),
        ["study", "export", "paper", "--format", "latex"],
    ],
    ids=" ".join,
)
def test_a_result_is_printed_without_the_heavy_libraries(words: list[str], home: Path) -> None:
    assert loaded(answering([*words, "--home", str(home)]), [*HEAVY, *SCREENS]) == set()


def test_an_experiment_is_described_without_the_heavy_libraries() -> None:
    program = (
        "from core.attacks.registry import ATTACKS\n"
        "from core.families.registry import FAMILIES\n"
        "from core.sets.registry import SETS\n"
        "from core.surrogates.registry import SURROGATES\n"
        "from core.spec.spec import Spec\n"
        "for registry in (ATTACKS, FAMILIES, SETS, SURROGATES):\n"
        "    assert [registry[name] for name in registry.own]\n"
        "assert Spec().ladder.levels and Spec.from_toml(Spec().to_toml()) == Spec()"
    )
    assert loaded(program, [*HEAVY, *SCREENS]) == set()


def test_every_module_of_the_experiment_is_either_light_or_heavy() -> None:
    """By the lists of import-linter: light ones may import nothing heavy, and what is in neither is not watched."""
    contracts = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    contract = next(one for one in contracts if one["name"].startswith("light rooms of the experiment"))
    listed = [*contract["source_modules"], *contract["forbidden_modules"]]
    for found in pkgutil.walk_packages(core.__path__, "core."):
        lists = [one for one in listed if f"{found.name}.".startswith(f"{one}.")]
        if found.ispkg and not lists:  # what is in the folder is listed one by one
            assert imported_by(PYPROJECT.parent.joinpath(*found.name.split("."), "__init__.py")) == set(), (
                found.name
            )
        else:
            assert len(lists) == 1, (found.name, lists)


def test_what_the_terminal_takes_from_the_experiment_is_light() -> None:
    modules = core_modules_of_the_terminal()
    assert {"core.spec.spec", "core.records.experiment", "core.report.result"} <= modules
    assert loaded("import " + ", ".join(sorted(modules - GALLERY)), [*HEAVY, *SCREENS]) == set()


@pytest.mark.slow
def test_a_result_is_computed_and_printed_without_the_heavy_libraries(tmp_path: Path) -> None:
    data = write_npz(tmp_path / "own.npz")
    words = ["--batch", "--dataset", str(data), "--runs", "3", "--epochs", "1", "--controls", "none"]
    answer = answering([*words, "--home", str(tmp_path / "home")])
    assert loaded(answer, [*HEAVY, *SCREENS]) == set()
    data.touch()  # the stored result is printed once the images have been read again
    assert loaded(answer, [*HEAVY, *SCREENS]) == set()


TOUR = """
import asyncio
from pathlib import Path
from core.records.home import find
from tui_aefit.lab.app import Lab
from tui_aefit.shell.settings import Settings

def shown(lab):
    return "\\n".join(line.text for line in lab.screen._compositor.render_strips())

async def tour(home, steps):
    lab = Lab(Settings({"home": home}, environment={}, folder=Path(home)), find(Path(home), "one"))
    async with lab.run_test(size=(140, 45), notifications=True) as pilot:
        for words, *keys in steps:
            await pilot.press(*keys)
            while words not in shown(lab):
                await pilot.pause(0.05)
"""
"""Opens the lab on a home, presses keys, and waits each time until some words are on the screen."""


@pytest.mark.slow
def test_the_lab_shows_and_exports_results_without_the_heavy_libraries(home: Path) -> None:
    steps = [
        ("against K",),
        ("same: within", "2"),
        ("0.01", "3"),
        ("Accuracy, mean of 3 runs", "4"),
        ("What decides:", "5"),
        ("Nadeau-Bengio", "6"),
        ("progress or result", "7"),
        ("all runs are complete", "8"),
        ("Verdict", "9"),
        ("Files go into", "x"),
        (".tex", "4"),
        ("Experiments: 4", "e"),
        ("Comparing 2 experiments", "space", "down", "space", "C"),
        ("±", "3"),
        ("95 % for overlapping splits", "4"),
        ("Experiments: 4", "escape"),
        ("Studies: 1", "E"),
        ("Study paper", "enter"),
        ("wrote", "x"),
    ]
    assert loaded(f"{TOUR}\nasyncio.run(tour({str(home)!r}, {steps!r}))", HEAVY) == set()


@pytest.mark.slow
def test_the_gallery_loads_numpy_and_none_of_the_other_heavy_libraries() -> None:
    modules = {"tui_aefit.lab.screens.gallery", *GALLERY}
    assert loaded("import " + ", ".join(sorted(modules)), HEAVY) == {"numpy"}
    assert loaded("import tui_aefit.lab.app", HEAVY) == set()


@pytest.mark.slow
def test_no_module_of_the_experiment_loads_the_terminal() -> None:
    program = (
        "import importlib, pkgutil, core\n"
        "names = [found.name for found in pkgutil.walk_packages(core.__path__, 'core.')]\n"
        "assert len(names) > 30, names\n"
        "for name in names: importlib.import_module(name)"
    )
    assert loaded(program, [*SCREENS, "tui_aefit", "torch"]) == {"torch"}
