"""Publishing a file: onto the disk whole or not at all, or into a pipe or a device. The only place that does."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from core.errors import ExperimentError
from core.files.atomic import half_written, replace_file
from core.files.ownership import sweep


def write_output(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Put bytes, or what a function writes, into a file, replacing it at once; a pipe or a device is written to.

    A link stays, what it leads to is replaced. Raises ExperimentError where the file cannot be written.
    """
    write = content if callable(content) else lambda file: file.write(content)
    try:
        if _is_plain(path):
            target = path.resolve()
            replace_file(target, write)
            sweep(target.parent, re.escape(half_written(target)))
        else:
            whole = io.BytesIO()  # archives are written with a look back, which no pipe allows
            write(whole)
            with path.open("wb") as file:
                file.write(whole.getbuffer())
    except OSError as error:
        raise ExperimentError(
            f"cannot write {str(path)!r}: {error.strerror or error}",
            "choose another file, on the command line with --output FILE",
        ) from error


def _is_plain(path: Path) -> bool:
    """Whether a plain file is there, or may be made: a link is asked for what it leads to. Raises OSError."""
    try:
        # Not of what it resolves to: of a pipe behind /dev/stdout that is a name which cannot be opened.
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return True
