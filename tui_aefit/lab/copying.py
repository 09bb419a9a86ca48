"""Copies commands for another shell, and writes pictures of the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import App

from core.errors import ExperimentError
from core.files.atomic import write_atomically
from core.files.folders import make_home, own_file

COMMAND_FILE = "last-command.txt"
"""The file in the home for the last copied commands, for terminals that ignore clipboard escapes."""


def copy_commands(app: App[None], home: Path, lines: Sequence[str]) -> None:
    """Copy command lines, one at least, also into a file, and say so."""
    text = "\n".join(lines)
    app.copy_to_clipboard(text)
    path = home / COMMAND_FILE
    try:
        make_home(home)
        write_atomically(path, text + "\n")
    except OSError as error:
        app.notify(f"{path} cannot be written: {error.strerror}", severity="warning", markup=False)
        return
    title = "Command copied" if len(lines) == 1 else f"{len(lines)} commands copied"
    app.notify(f"also in {path}", title=title, markup=False)


def write_picture(svg: str, folder: Path, name: str) -> str:
    """Write a picture of the screen into a folder, which is made; a sentence on where. Raises ExperimentError."""
    try:
        make_home(folder.parent)
        write_atomically(own_file(folder, name), svg)
    except OSError as error:
        raise ExperimentError(f"cannot write {folder / name}: {error.strerror}") from error
    return f"picture of the screen: {folder / name}"
