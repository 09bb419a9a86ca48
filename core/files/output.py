"""The only place that publishes files: onto the disk whole or not at all, or into a pipe or a device.

A path such as /dev/fd/63, which a shell makes of `>(command)`, names a descriptor that this process inherited. In
another process the number may be another file's, even one of the program's own: `handed_on` passes it on.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import ExperimentError
from core.files.atomic import half_written, replace_file
from core.files.ownership import sweep

MOST_LINKS = 40
"""How many links are followed, at most, as in Linux."""


def write_output(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Put bytes, or what a function writes, into a file, replacing it at once; a pipe or a device is written to.

    A link stays, what it leads to is replaced. Where `path` names a descriptor (/dev/fd/63, /dev/stdout) that is
    written to at its present position, be it a file's. Raises ExperimentError where the file cannot be written.
    """
    write = content if callable(content) else lambda file: file.write(content)
    try:
        if (number := descriptor_of(path)) is not None:
            whole = io.BytesIO()
            write(whole)
            with os.fdopen(os.dup(_given(number)), "wb") as file:
                file.write(whole.getbuffer())
        elif _is_plain(path):
            target = path.resolve()
            replace_file(target, write)
            sweep(target.parent, re.escape(half_written(target)))
        else:
            whole = io.BytesIO()  # archives are written with a look back, which no pipe allows
            write(whole)
            with path.open("wb") as file:
                file.write(whole.getbuffer())
    except OSError as error:
        raise _unwritable(path, error) from error


def descriptor_of(path: Path) -> int | None:
    """The number of the descriptor of this process that a path names, also by links; None for any other path."""
    ours = re.compile(rf"/proc/{os.getpid()}(/task/[0-9]+)?/fd|/dev/fd")
    try:
        for _ in range(MOST_LINKS):
            folder = os.path.realpath(path.parent)
            if ours.fullmatch(folder) and re.fullmatch(r"[0-9]{1,9}", path.name):
                return int(path.name)
            path = Path(folder, os.readlink(path))
    except (OSError, ValueError):  # no link; a NUL in its name
        return None
    return None


def is_standard_output(output: str | None) -> bool:
    """Whether a word for --output means standard output, by whichever of its names."""
    return output is not None and (output == "-" or descriptor_of(Path(output)) == 1)


@contextmanager
def handed_on(path: Path) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """Within the block: the path by which a child process can write to `path`, and the descriptors to pass to it.

    Raises ExperimentError where `path` names a descriptor that this process did not inherit.
    """
    if (number := descriptor_of(path)) is None:
        yield path, ()
        return
    try:
        # A child's standard input, output and error are others than ours.
        passed = number if _given(number) > 2 else os.dup(number)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield Path(f"/dev/fd/{passed}"), (passed,)
    finally:
        if passed != number:
            os.close(passed)


def _given(number: int) -> int:
    """`number`, if it is a descriptor that this process was given. Raises OSError for a closed one, or our own."""
    if not os.get_inheritable(number):
        raise OSError(errno.EBADF, "whoever started this program gave it no open file of that number")
    return number


def _unwritable(path: Path, error: OSError) -> ExperimentError:
    return ExperimentError(
        f"cannot write {str(path)!r}: {error.strerror or error}",
        "choose another file, on the command line with --output FILE",
    )


def _is_plain(path: Path) -> bool:
    """Whether `path`, its links followed, is a plain file or nothing, so that one may be made. Raises OSError."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return True
