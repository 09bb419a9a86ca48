"""The folders that experiments and studies are, of which a home holds many: made, found by a name, deleted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from core.errors import AefitError, closest
from core.files.atomic import sync_folder, write_atomically
from core.files.folders import make_home
from core.files.ownership import owned_name, remove, sweep
from core.records.lock import FULL, Lock, LockHeld

HALF_DONE = r"\.(new|deleted)"
"""What killed processes leave among them: a folder that was to be one, or is none any more."""

Refusal = Callable[[str, str], AefitError]
"""Makes an error of what was wrong and what to do about it."""


def make_whole(home: Path, folder: Path, files: Mapping[str, str]) -> None:
    """Make a folder of a home, which is made too, appear at once and with these files: name -> text.

    Raises OSError, after which nothing of ours is left, also where there is a folder of that name that holds
    anything.
    """
    temporary = folder.with_name(owned_name(".new"))
    try:
        make_home(home)
        temporary.mkdir(parents=True)
        for name, text in files.items():
            write_atomically(temporary / name, text)
        temporary.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        remove(temporary)
        raise


def meant_by(
    name: str,
    folders: Iterable[Path],
    *,
    made: Callable[[Path], float],
    words: Callable[[str], Iterable[str]],
    refuse: Refusal,
) -> Path | None:
    """The folder that `name` means, None where it means none.

    It means the folder of that name, or else the one of whose `words` one begins with it. "latest": the newest.
    made: when a folder was, seconds since 1970. words: what of a folder's name a person may type the beginning of.
    Raises what `refuse` makes where several begin with it.
    """
    by_name = {folder.name: folder for folder in sorted(folders)}
    if name == "latest":
        return max(by_name.values(), key=made, default=None)
    if name in by_name:
        return by_name[name]
    if not name:
        return None  # it is what an unset shell variable gives, and must not mean the only one there is
    matches = [own for own in by_name if any(word.startswith(name) for word in words(own))]
    if len(matches) > 1:
        raise refuse(f"{name!r} may mean {', '.join(matches)}", "give more of it")
    return by_name[matches[0]] if matches else None


def hint_for_unknown(name: str, folders: Iterable[Path], command: str) -> str:
    """What to do about a name that means none of these. command: lists them."""
    near = closest(name, (folder.name for folder in folders))
    return f"did you mean {near}?" if near else f"`{command}` shows those there are"


def delete_whole(folder: Path, hint: str, refuse: Refusal) -> None:
    """Remove a folder and all in it, whatever that is, while nobody else holds its lock.

    Of a link to a folder elsewhere the link is removed, and what it leads to stays. Raises LockHeld while somebody
    does, with this `hint` where it is known who. Raises what `refuse` makes where it cannot be removed, or not all
    that was in it.
    """
    lock = Lock(folder.resolve())
    try:
        if folder.is_symlink():
            lock.wait_until_free()  # it is not taken: nothing is written where the link leads to
            folder.unlink()
            return
        _acquire(lock)
        trash = folder.with_name(owned_name(".deleted"))
        try:
            folder.rename(trash)
        finally:
            lock.release()
        _remove_all(trash)
        sweep_half_done(folder.parent)
    except LockHeld as held:
        if held.holder.pid:  # else nobody is known who could be asked
            held.hint = hint
        raise
    except OSError as error:
        raise refuse(f"cannot delete {folder}: {error.strerror or error}", "") from error


def sweep_half_done(parent: Path) -> None:
    """Remove what killed processes left among the folders in `parent`; never raises."""
    sweep(parent.resolve(), HALF_DONE)


def _acquire(lock: Lock) -> None:
    """Take a lock to delete its folder. Raises LockHeld, OSError.

    On a full disk there is no room for it, and room is what deleting makes: there it must do that nobody holds it.
    Who takes it at this very moment finds as little room.
    """
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in FULL:
            raise
        lock.wait_until_free()


def _remove_all(trash: Path) -> None:
    """Remove a folder whose name is nobody's any more. Raises OSError, which names what is left, if anything is."""
    try:
        shutil.rmtree(trash)
    except OSError as error:
        remove(trash)  # all else in it
        try:
            trash.lstat()
        except FileNotFoundError:  # somebody who sweeps was removing it too
            return
        reason = error.strerror or str(error)
        raise OSError(error.errno, f"{reason}; what is left of it is in {trash}") from error
