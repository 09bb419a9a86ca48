"""Keeps in the home what was read of complete experiments, so that a long list need not read their files again.

HOME/overviews/index.overviews has a line for each complete experiment: what lists show of it, and the stamp of
every file that this was read from. A file that has another stamp now is read again, and so is all of an experiment
whose line is missing or damaged. Lines are appended, and the last one of an experiment counts.
HOME/overviews/ID.overview has what lists do not show, and is read on demand. All of it can be removed at any time.
Files with other names are left alone: they may be a person's own.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from core.errors import RecordError
from core.files.atomic import replace_file
from core.files.folders import make_folder, open_to_append
from core.files.locations import overviews_dir
from core.files.ownership import sweep
from core.files.reading import read_plain
from core.records.annotations import ANNOTATIONS_FILE, Annotations
from core.records.experiment import CREATED_FILE, SPEC_FILE, run_name
from core.records.findings import Details
from core.records.folders import LOCK_FILE
from core.records.results import METRICS
from core.records.statistics import Claim, Summary
from core.records.types import Count, Moment, Record, Seconds, Share, parse, to_json

VERSION = 2
"""To be raised whenever anything of an overview is read from an experiment's files in another way than before."""
INDEX = "index.overviews"
LARGEST_INDEX = 2**28
"""Bytes of the index, at most; a complete experiment takes some thousand."""
LARGEST = 2**24
"""Bytes of an ID.overview, at most; most have some ten thousand."""
SUFFIX = ".overview"
HALF_WRITTEN = r"\..+\.overviews?"
SETTLED_SECONDS = 2.0
"""What was read of a file younger than this is not kept: the file could change again and have the same stamp."""
NO_INDEX = (errno.EINVAL, errno.ELOOP, errno.EFBIG)
"""The errors of reading an index that is no plain file, or larger than LARGEST_INDEX."""
SPARE_LINES = 100
"""The index is written anew once it has so many more superseded lines than the home has experiments, and when an
experiment is gone."""

Stamp = tuple[int, int, int]
"""Time of the last change in nanoseconds, bytes, inode."""


class RunFigures(Record, frozen=True, kw_only=True, array_like=True, gc=False):
    """What `core.records.overview.Overview` tells of a complete run. adversarial: images of its adversarial set.

    seconds: that the run took. fooled: the share of its candidates that fool the surrogate, None without any.
    reused: whether its surrogate had been trained before. training: seconds that its training took, None where it
    was reused or that is not known.
    """

    seconds: Seconds
    adversarial: Count
    fooled: Share | None
    reused: bool
    training: Seconds | None


class Headline(Record, frozen=True, kw_only=True, array_like=True, gc=False):
    """The part of `Findings` that lists show. check: the CRC-32 of the ID.overview that has the rest."""

    runs: Count
    accuracy: Summary | None
    rise: Claim | None
    check: Count


class Stamps(Record, frozen=True, kw_only=True, array_like=True, gc=False):
    """The stamps of all that a complete experiment was read from. annotations: None where it has no such file.

    made: of the file `created`. journals: of the folder of journals. journal: of the newest coordinator's. results:
    of each run's result folder and metrics.json.
    """

    made: Stamp
    spec: Stamp
    annotations: Stamp | None
    journals: Stamp
    journal: Stamp
    results: tuple[tuple[Stamp, Stamp], ...]

    @property
    def newest(self) -> float:
        """The latest time of change among the stamps, seconds since 1970."""
        found = [self.made, self.spec, self.journals, self.journal]
        found += [stamp for result in self.results for stamp in result]
        return max(stamp[0] for stamp in (*found, self.annotations or self.spec)) / 1e9


class KeptOverview(Record, frozen=True, kw_only=True, array_like=True):
    """What was read of a complete experiment.

    made: when the experiment was made, seconds since 1970. spec: as `Spec.to_store` gives it. annotations: None
    where they are empty. journal: the file name of the newest coordinator's journal.
    """

    version: Count
    stamps: Stamps
    made: Moment
    spec: dict[str, Any]
    annotations: Annotations | None
    journal: str
    runs: tuple[RunFigures, ...]
    headline: Headline

    def stands(self, folder: str) -> bool:
        """Whether nobody computes it and all its files have their stamps, but for `created`: see `made_stands`."""
        stamps = self.stamps
        expected = [
            (f"{folder}/{SPEC_FILE}", stamps.spec),
            (f"{folder}/journal", stamps.journals),
            (f"{folder}/journal/{self.journal}", stamps.journal),
        ]
        for run, (of_folder, of_metrics) in enumerate(stamps.results):
            result = result_path(folder, run)
            expected += (result, of_folder), (f"{result}/{METRICS}", of_metrics)
        stat = os.stat
        try:
            for path, stamp in expected:  # as `stamp_of`: of a thousand experiments these are twelve thousand
                status = stat(path)
                if (status.st_mtime_ns, status.st_size, status.st_ino) != stamp:
                    return False
        except (OSError, ValueError):
            return False
        annotations = stamp_of(f"{folder}/{ANNOTATIONS_FILE}")
        return annotations == stamps.annotations and not os.path.lexists(f"{folder}/{LOCK_FILE}")

    def made_stands(self, folder: str) -> bool:
        """Whether the file `created` has its stamp."""
        return stamp_of(f"{folder}/{CREATED_FILE}") == self.stamps.made


def result_path(folder: str, run: int) -> str:
    """The path of a run's result, as text, which is fast: thousands are made at every look."""
    return f"{folder}/runs/{run_name(run)}/result"


def stamp_of(path: str) -> Stamp | None:
    """The stamp of what lies at a path, which changes with its content; None where there is nothing."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL in what was kept as a name
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class KeptOverviews:
    """Reads and writes what is kept of the experiments of a home. No method raises: all can be read anew."""

    def __init__(self, home: Path) -> None:
        self._folder = overviews_dir(home)
        self._lines: dict[bytes, tuple[bytes, bytes]] | None = None
        self._spare = 0
        self._is_no_index = False

    def take(self, name: str) -> KeptOverview | None:
        """What is kept of the experiment with that name; None where there is nothing that this version can use.

        It is given once: a second call for a name gives None.
        """
        if self._lines is None:
            self._lines = self._read_lines()
        key = _key(name)
        check, content = self._lines.pop(key, (b"", b""))
        if check != _check(key, content):
            return None
        try:
            found = parse(content, KeptOverview, "what was kept")
        except RecordError:
            return None
        return found if found.version == VERSION and len(found.runs) == len(found.stamps.results) else None

    def keep(self, name: str, overview: KeptOverview, details: bytes | None) -> None:
        """Keep what was read of an experiment. details: the content of its ID.overview, None to leave it."""
        key = _key(name)
        if not key:
            return
        with suppress(
            OSError, UnicodeEncodeError
        ):  # no room, no permission; a journal's name that no JSON holds
            content = msgspec.json.encode(overview)
            make_folder(self._folder)
            if details is not None:
                # What a power cut damages is not read.
                replace_file(self._path(name), lambda file: file.write(details), durable=False)
            _append(self._folder / INDEX, b"%b\t%b\t%b\n" % (_check(key, content), key, content))

    def details(self, name: str, check: int) -> Details | None:
        """The content of an ID.overview; None where it is missing or its CRC-32 is not `check`."""
        try:
            content = read_plain(self._path(name), LARGEST)
            return parse(content, Details, "what was kept") if zlib.crc32(content) == check else None
        except (OSError, RecordError):
            return None

    def sweep(self, names: Collection[str]) -> None:
        """Remove what is kept of experiments not among `names`, and superseded lines once they are many."""
        with suppress(OSError):  # there is none, or it is not ours to change
            if self._folder.is_symlink():
                return
            gone = {entry for entry in os.listdir(self._folder) if entry.endswith(SUFFIX) and entry[0] != "."}
            gone -= {f"{name}{SUFFIX}" for name in names}
            for entry in gone:
                with suppress(OSError):  # another process was first; a folder of that name
                    (self._folder / entry).unlink()
            sweep(self._folder, HALF_WRITTEN)
            if self._is_no_index:
                (self._folder / INDEX).unlink()
                self._is_no_index = False
            elif gone or self._spare > SPARE_LINES + len(names):
                self._write_anew(names)

    def _read_lines(self) -> dict[bytes, tuple[bytes, bytes]]:
        """The lines of the index as `_read_index` gives them; none where it cannot be read."""
        try:
            lines, self._spare = _read_index(self._folder)
        except OSError as error:
            self._is_no_index = error.errno in NO_INDEX
            return {}
        return lines

    def _write_anew(self, names: Collection[str]) -> None:
        """Write the index anew with the last line of each of these experiments. Raises OSError.

        A line that another process appends meanwhile is lost; its experiment is read once more.
        """
        lines, _ = _read_index(self._folder)
        keys = {_key(name) for name in names}
        kept = [b"%b\t%b\t%b\n" % (line[0], key, line[1]) for key, line in lines.items() if key in keys]
        content = b"".join(kept)
        replace_file(self._folder / INDEX, lambda file: file.write(content), durable=False)
        self._spare = 0

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"


def encode_details(details: Details) -> tuple[bytes, int]:
    """The content of an ID.overview, and its CRC-32. Raises ValueError for NaN and Infinity."""
    content = to_json(details)
    return content, zlib.crc32(content)


def _read_index(folder: Path) -> tuple[dict[bytes, tuple[bytes, bytes]], int]:
    """An experiment's name in JSON -> checksum and content of its last line; and how many lines are superseded.

    Raises OSError.
    """
    lines = read_plain(folder / INDEX, LARGEST_INDEX).split(b"\n")
    found: dict[bytes, tuple[bytes, bytes]] = {}
    for line in lines:
        check, _, rest = line.partition(b"\t")
        key, _, content = rest.partition(b"\t")
        found[key] = check, content
    return found, len(lines) - len(found)


def _append(path: Path, line: bytes) -> None:
    """Append a line to a file by one write. Raises OSError."""
    descriptor = open_to_append(path)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _key(name: str) -> bytes:
    """An experiment's name as it stands in the index, in JSON; empty for a name that JSON cannot hold."""
    try:
        return msgspec.json.encode(name)
    except UnicodeEncodeError:
        return b""


def _check(key: bytes, content: bytes) -> bytes:
    """The CRC-32 of a line's name and content."""
    return b"%08x" % zlib.crc32(content, zlib.crc32(key))
