"""A copy of the program, to which a test adds what a document says, and its processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copy_program(folder: Path) -> None:
    """Copy the packages into a folder."""
    for package in ("core", "tui_aefit"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))


def insert_before(path: Path, mark: str, text: str) -> None:
    """Insert a text into a file before a mark, which stands there once."""
    content = path.read_text(encoding="utf-8")
    assert content.count(mark) == 1
    path.write_text(content.replace(mark, text + mark), encoding="utf-8")


def run(copy: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What Python does with these words, and the packages of a copy."""
    known = {name: word for name, word in os.environ.items() if not name.startswith("AEFIT_")}
    own = {"AEFIT_HOME": str(copy / "home"), "XDG_CONFIG_HOME": str(copy / "config")}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, cwd=copy,
        env={**known, **own, "PYTHONPATH": str(copy), **variables},
    )  # fmt: skip


def command(copy: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the command does with these words."""
    return run(copy, "-m", "tui_aefit.shell.cli", *words, **variables)
