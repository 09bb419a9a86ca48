"""Where published files go: onto the disk whole or not at all, or into a pipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from core.errors import ExperimentError
from core.files.atomic import replace_file


def write_output(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Put bytes, or what a function writes, into a file, replacing it at once; a pipe or a device is written to.

    A link stays, what it leads to is replaced. Raises ExperimentError where the file cannot be written.
    """
    write = content if callable(content) else lambda file: file.write(content)
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                write(file)
        else:
            replace_file(target, write)
    except OSError as error:
        raise ExperimentError(
            f"cannot write {str(path)!r}: {error.strerror}",
            "choose another file, on the command line with --output FILE",
        ) from error
