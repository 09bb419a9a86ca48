"""The command answers without loading the heavy libraries, and the experiment knows nothing of the terminal."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

import tui_aefit

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


def core_modules_of_the_terminal() -> set[str]:
    """Every module of `core` that a module of `tui_aefit` imports, by its source."""
    found: set[str] = set()
    for path in Path(tui_aefit.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
            elif isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
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


def test_what_the_terminal_takes_from_the_experiment_is_light() -> None:
    modules = core_modules_of_the_terminal()
    assert {"core.spec.spec", "core.records.experiment", "core.report.result"} <= modules
    assert loaded("import " + ", ".join(sorted(modules - GALLERY)), [*HEAVY, *SCREENS]) == set()


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
