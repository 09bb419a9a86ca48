"""Makes folders and opens files of our own without following links.

A home, the folder of its experiments, its cache, and an experiment's folder may be links to another disk: a person
put them there. Below an experiment's folder, which may come from somebody else, a link could lead anywhere.
"""

from __future__ import annotations

import errno
import os
import stat
import uuid
from pathlib import Path


def make_home(home: Path) -> None:
    """Make a home where there is none, one that no other user can look into. Raises OSError."""
    home.mkdir(0o700, parents=True, exist_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder where there is none, in one that exists. Raises OSError, also where its name is no folder's."""
    try:
        folder.mkdir()
    except FileExistsError:
        check_folder(folder)


def check_folder(folder: Path) -> None:
    """Raises OSError unless `folder` is a folder itself: for a link to one, a file, nothing."""
    mode = folder.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, "it is a link, through which nothing is written", str(folder))
    if not stat.S_ISDIR(mode):
        raise OSError(errno.ENOTDIR, "it is not a folder", str(folder))


def own_file(folder: Path, name: str) -> Path:
    """The path for a file in a folder, which is made where it is missing; a link at that path is removed.

    Raises OSError where the folder cannot be made or is a link, or where a pipe or a device has the path.
    """
    make_folder(folder)
    path = folder / name
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return path
    if stat.S_ISLNK(mode):
        path.unlink()
    elif not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a folder makes the later write fail
        raise OSError(errno.EEXIST, "what lies there is not a plain file", str(path))
    return path


def take_away(path: Path) -> None:
    """Remove a file of ours, if it is there; a folder in its place is only set aside, under another name.

    Raises OSError.
    """
    if path.is_dir() and not path.is_symlink():
        set_broken_aside(path)
    else:
        path.unlink(missing_ok=True)


def set_broken_aside(path: Path) -> None:
    """Rename what does not belong where it lies, so that its place is free and it can be looked at.

    Raises OSError.
    """
    path.rename(path.with_name(f".broken.{uuid.uuid4().hex}"))


def open_to_append(path: Path) -> int:
    """A descriptor that appends to a plain file, made where there is none; a link in its place is removed.

    Raises OSError, also for a pipe or a device.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if path.is_symlink():
        path.unlink()
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link by now; a pipe that nobody reads
            raise OSError(error.errno, "it is not a plain file", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    os.set_blocking(descriptor, True)
    return descriptor
