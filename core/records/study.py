"""The studies of a home: each is a list of ordinary experiments, in a file of its own."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
import tomli_w

from core.declarations.lazy import hashlib, json
from core.declarations.printable import shell_word
from core.declarations.setting import Value
from core.errors import AefitError, RecordError, StudyError
from core.files.atomic import write_atomically
from core.files.folders import make_home, take_away
from core.files.locations import experiments_dir, studies_dir
from core.files.ownership import sweep
from core.files.reading import read_plain
from core.files.toml import parse_toml
from core.records.home import experiment_id
from core.records.lock import Lock, LockHeld
from core.records.named_folders import delete_whole, hint_for_unknown, make_whole, meant_by, sweep_half_done
from core.records.types import Moment, Record, convert
from core.spec.grid import MOST, axes_of, in_order_of_sharing
from core.spec.spec import Spec
from core.spec.stored import StoredSpecs

STUDY_FILE = "study.toml"
SCHEMA_VERSION = 1
"""To be raised when a key of the file changes its meaning; a higher number is that of a newer version."""
LARGEST = 2**24
"""Bytes of a study's file, at most: those of MOST experiments."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")]
"""Of an experiment in a study: the name of a folder beside others, and of nothing else."""
EDITING = ".edit"
"""The folder, among the studies, whose lock a process holds while it reads a study and writes it anew."""
PATIENCE = 20.0
"""Seconds to wait for another process that holds it."""
LOOK_SECONDS = 0.05
HALF_WRITTEN = r"\.(study\.toml|heartbeat|lock)"
"""The prefixes of half-written files that killed processes leave in a study's folder."""


class _Version(Record, frozen=True, kw_only=True):
    """What every version's file has."""

    schema_version: Annotated[int, msgspec.Meta(ge=1, le=SCHEMA_VERSION)]


class _Identified(Record, frozen=True, kw_only=True):
    """A cell's id; beside it stand its settings, whatever these are."""

    id: Id


class StudyContent(Record, frozen=True, kw_only=True):
    """A study's file. base: the settings that all cells have. cell: of each its id and its other settings."""

    base: dict[str, object] = msgspec.field(default_factory=dict)
    cell: tuple[dict[str, object], ...] = ()
    created: Moment = 0.0


@dataclass(frozen=True)
class StudyCell:
    """One experiment of a study: the name of its folder, and its specification.

    spec: None where it cannot be made; `problem` then says why: a plug-in is missing, say.
    """

    id: str
    spec: Spec | None
    problem: str = ""


@dataclass(frozen=True)
class Study:
    """A study as its file has it; its results lie with its experiments. created: seconds since 1970."""

    folder: Path
    cells: tuple[StudyCell, ...]
    created: float

    @property
    def name(self) -> str:
        """The folder's name, by which the study is known."""
        return self.folder.name

    @property
    def home(self) -> Path:
        """The home of the study and its experiments."""
        return self.folder.parent.parent

    @cached_property
    def axes(self) -> dict[str, tuple[Value, ...]]:
        """The settings in which its experiments differ, each with its values."""
        return axes_of([cell.spec for cell in self.cells if cell.spec is not None])

    def place(self, cell: StudyCell) -> dict[str, Value]:
        """Axis -> a cell's value, None where it has no such setting; {} for a cell without a spec."""
        return {name: cell.spec.values.get(name) for name in self.axes} if cell.spec is not None else {}

    def folder_of(self, cell: StudyCell) -> Path:
        """The folder of a cell's experiment, which need not exist."""
        return self._experiments / cell.id

    @cached_property
    def _experiments(self) -> Path:
        return experiments_dir(self.home)

    @property
    def cancel_file(self) -> Path:
        """The file whose presence is a request to stop."""
        return self.folder / "cancel"

    @property
    def log(self) -> Path:
        """The file for what its supervisor prints."""
        return self.folder / "study.log"

    @property
    def lock(self) -> Lock:
        """A new, not yet held lock object of this folder."""
        return Lock(self.folder)

    @property
    def running(self) -> bool:
        """Whether a living supervisor holds its lock, as far as one look tells. Raises OSError."""
        holding = self.lock.holding()
        return holding is not None and holding.alive

    def clear_cancel(self) -> None:
        """Remove the request to stop; a folder in its place is only set aside. Raises OSError."""
        take_away(self.cancel_file)

    def clear_leftovers(self) -> None:
        """Remove what killed processes left half written; only the holder of the lock may call it."""
        _sweep(self.folder.resolve(), self.lock)


def _sweep(folder: Path, lock: Lock) -> None:
    """Remove what dead processes left half written in a folder, and their claims to its lock, which we hold."""
    sweep(folder, HALF_WRITTEN)
    with suppress(OSError):  # it cannot be listed, or somebody else sweeps
        lock.sweep()


def save_study(home: Path, name: str, specs: Iterable[Spec]) -> Study:
    """Make the study of this name, or add these experiments to it; the study as it is then.

    name: "" for `default_name`, so that a further value of an axis adds to the study that is there. A spec with
    more runs than the study has for its experiment takes that one's place. Two processes may add to a study at the
    same time. Raises StudyError for a name that is not possible, and where the study cannot be written.
    """
    asked = list(specs)
    name = check_name(name) if name else default_name(asked)
    with _alone(home):
        return _save(studies_dir(home) / name, asked)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Within the block no other process reads a study of this home to write it anew. Raises StudyError."""
    guard = studies_dir(home) / EDITING
    try:
        make_home(home)
        guard.mkdir(parents=True, exist_ok=True)
        lock = Lock(guard)
        _acquire(lock)
    except OSError as error:
        raise _unwritable(guard.parent, error) from error
    try:
        _sweep(guard, lock)
        sweep_half_done(guard.parent)
        yield
    finally:
        lock.release()


def _acquire(lock: Lock) -> None:
    """Take the lock of EDITING, waiting up to PATIENCE for another holder. Raises StudyError, OSError."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return lock.acquire()
        except LockHeld as held:
            if time.monotonic() > deadline:
                raise StudyError(
                    f"{held.holder} has been changing a study here for long",
                    "try again, or end that process",
                ) from held
            time.sleep(LOOK_SECONDS)


def _save(folder: Path, asked: Sequence[Spec]) -> Study:
    name = folder.name
    before = load_study(folder) if os.path.lexists(folder / STUDY_FILE) else None
    cells = {cell.id: cell for cell in before.cells} if before is not None else {}
    if broken := next((cell for cell in cells.values() if cell.spec is None), None):
        raise StudyError(
            f"{name} cannot take further experiments: {broken.id} of it cannot be read: {broken.problem}",
            f"choose another --name, or aefit-tui study delete {name} (its experiments stay)",
        )
    for spec in asked:
        key = experiment_id(spec)
        old = cells[key].spec if key in cells else None
        if old is None or old.runs < spec.runs:
            cells[key] = StudyCell(key, spec)
    if len(cells) > MOST:
        raise StudyError(f"{name} would have {len(cells):,} experiments: expected at most {MOST:,}")
    study = Study(folder, _ordered(cells.values()), before.created if before is not None else time.time())
    if before is None or before.cells != study.cells:
        _write(study)
    return study


def default_name(specs: Sequence[Spec]) -> str:
    """DATASET-AXES-DIGEST, such as mnist-attack-epsilon-1f3a9c2e.

    The digest is of the names of the axes and of all settings in which the experiments do not differ.
    """
    axes = sorted(axes_of(specs))
    titles = {spec.dataset_title for spec in specs}
    title = titles.pop() if len(titles) == 1 else "sets"
    common = [
        {key: value for key, value in spec.identity.items() if key not in axes and key != "dataset"}
        for spec in specs
    ]
    shared = {key: value for key, value in common[0].items() if all(one.get(key) == value for one in common)}
    if "dataset" not in axes:
        shared["dataset"] = specs[0].dataset
    digest = hashlib.sha256(json.dumps([axes, shared], sort_keys=True).encode()).hexdigest()[:8]
    words = "-".join([title, *axes])
    stem = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60] or "study"
    return f"{stem}-{digest}"


def check_name(name: str) -> str:
    """`name`. Raises StudyError where it is not possible for a study."""
    if NAME.fullmatch(name) is None or name == "latest":  # which means the newest
        raise StudyError(
            f"{name[:80]!r} is no name for a study: expected at most 80 lower-case letters, digits, dots, dashes "
            "and underscores, a letter or a digit first, and not latest",
            "for example --name epsilon-on-mnist",
        )
    return name


def study_folders(home: Path) -> list[Path]:
    """The folders of a home's studies, the newest first. Raises StudyError where they cannot be listed."""
    folder = studies_dir(home)
    try:
        with os.scandir(folder) as entries:
            found = [folder / entry.name for entry in entries if entry.name[0] != "." and entry.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StudyError(
            f"cannot list {folder}: {error.strerror}", "choose another home with --home DIR"
        ) from error
    return sorted(found, key=lambda one: (-_written(one), one.name))


def find_study(home: Path, name: str) -> Study:
    """The study that `name` means, see `find_study_folder`. Raises StudyError, also where it cannot be read."""
    return load_study(find_study_folder(home, name))


def find_study_folder(home: Path, name: str) -> Path:
    """The folder that `name` means: a study's name, an unambiguous prefix of it, or "latest", the newest.

    Raises StudyError where there is none, or more than one.
    """
    folders = study_folders(home)
    if not folders:
        raise StudyError(
            f"there is no study under {home}",
            "start one: aefit-tui --batch --epsilon 0.05,0.1 --attack fgsm,pgd",
        )
    found = meant_by(name, folders, made=_written, words=lambda own: (own,), refuse=StudyError)
    if found is not None:
        return found
    raise StudyError(f"there is no study {name!r}", hint_for_unknown(name, folders, "aefit-tui study list"))


def load_study(folder: Path) -> Study:
    """The study in a folder. Raises StudyError.

    A cell whose specification this version cannot make, or does not fit the cell's id, has none.
    """
    path = folder / STUDY_FILE
    remove = f"to remove it: aefit-tui study delete {folder.name}"
    try:
        content = parse_toml(read_plain(path, LARGEST).decode())
    except FileNotFoundError as error:
        raise StudyError(f"{folder}: it holds no file {STUDY_FILE}", remove) from error
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}", remove) from error
    except ValueError as error:  # not UTF-8, not TOML
        raise StudyError(f"{path} is damaged: {error}", remove) from error
    try:
        convert(content, _Version, "its version")
    except RecordError as error:
        version = str(content.get("schema_version"))[:40]
        raise StudyError(
            f"{path}: schema_version = {version}, and this program reads up to {SCHEMA_VERSION}", remove
        ) from error
    try:
        found = convert(content, StudyContent, "its content")
        ids = [one.id for one in convert(found.cell, tuple[_Identified, ...], "the id of a [[cell]]")]
    except RecordError as error:
        raise StudyError(
            f"{path} is damaged: expected [base] and [[cell]] tables with an id; {error}", remove
        ) from error
    once = dict(zip(ids[:MOST], found.cell[:MOST], strict=True))
    specs = StoredSpecs()
    cells = tuple(_read_cell(key, found.base, cell, specs) for key, cell in once.items())
    return Study(folder, cells, found.created)


def delete_study(folder: Path) -> None:
    """Remove a study, whether or not its file can be read; its experiments stay. Raises LockHeld, StudyError.

    See `delete_whole`.
    """
    delete_whole(folder, f"stop it first: aefit-tui study cancel {shell_word(folder.name)}", StudyError)


def _ordered(cells: Iterable[StudyCell]) -> tuple[StudyCell, ...]:
    cells = list(cells)
    of = {id(cell.spec): cell for cell in cells if cell.spec is not None}
    specs = in_order_of_sharing(cell.spec for cell in cells if cell.spec is not None)
    return (*(of[id(spec)] for spec in specs), *(cell for cell in cells if cell.spec is None))


def _write(study: Study) -> None:
    content = _content(study)
    folder = study.folder
    try:
        if folder.is_dir():
            write_atomically(folder / STUDY_FILE, content)
        else:
            make_whole(study.home, folder, {STUDY_FILE: content})
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise StudyError(f"{study.name} is being made by somebody else", "type the same again") from error
        raise _unwritable(folder.parent, error) from error


def _unwritable(folder: Path, error: OSError) -> StudyError:
    return StudyError(
        f"cannot write a study under {folder}: {error.strerror}",
        "choose a folder that you may write to with --home DIR or AEFIT_HOME",
    )


def _content(study: Study) -> str:
    """The text of a study's file: settings that all experiments share under base, the others with each cell."""
    full = {cell.id: _plain(cell.spec) for cell in study.cells if cell.spec is not None}
    first = next(iter(full.values()), {})
    base = {
        key: value
        for key, value in first.items()
        if all(key in other and other[key] == value for other in full.values())
    }
    cells = [
        {"id": key, **{name: value for name, value in values.items() if name not in base}}
        for key, values in full.items()
    ]
    return tomli_w.dumps(
        {"schema_version": SCHEMA_VERSION, "created": study.created, "base": base, "cell": cells}
    )


def _plain(spec: Spec) -> dict[str, Any]:
    return {key: value for key, value in spec.to_json().items() if value is not None}


def _read_cell(
    key: str, base: Mapping[str, object], cell: Mapping[str, object], specs: StoredSpecs
) -> StudyCell:
    values = {**base, **{name: value for name, value in cell.items() if name != "id"}}
    try:
        spec = specs.make(values)
    except AefitError as error:
        return StudyCell(key, None, str(error))
    if experiment_id(spec) != key:
        return StudyCell(key, None, f"its settings in {STUDY_FILE} are those of {experiment_id(spec)}")
    return StudyCell(key, spec)


def _written(folder: Path) -> float:
    try:
        return (folder / STUDY_FILE).stat().st_mtime
    except OSError:
        return 0.0
