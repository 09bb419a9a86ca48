"""What overviews of complete experiments are made of, kept in the home: a list of many need not read them again.

HOME/overviews/ID.json says what was read of an experiment, and the stamp of every file that it was read from. Where
a file has another stamp now, it is read itself; and where nothing was kept, or what was kept is damaged. It can be
removed at any time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.errors import RecordError
from core.files.atomic import replace_file
from core.files.folders import make_folder
from core.files.locations import overviews_dir
from core.files.ownership import sweep
from core.files.reading import read_plain
from core.records.annotations import Annotations
from core.records.findings import Findings
from core.records.types import Count, Record, Seconds, Share, parse, to_json

VERSION = 1
"""Raised whenever anything in an overview comes to be read from an experiment's files in another way."""
LARGEST = 2**24
"""Bytes of what is kept of one experiment, at most; most have some ten thousand."""
SUFFIX = ".json"
HALF_WRITTEN = r"\..+\.json"
SETTLED_SECONDS = 2.0
"""A file that was changed so short a time ago could be changed again with the same stamp: it is not kept yet."""

Stamp = tuple[int, int, int]
"""Time of the last change in nanoseconds, bytes, inode."""
Stamps = tuple[Stamp | None, ...]
"""Of what something was read from; None where there was nothing."""


@dataclass(frozen=True)
class RunFigures:
    """What an overview tells of a complete run: see there. adversarial: the images of its adversarial set."""

    seconds: Seconds
    adversarial: Count
    fooled: Share | None


class KeptRun(Record, frozen=True, kw_only=True):
    """run: from 0. stamps: of its result's folder and metrics."""

    run: Count
    stamps: Stamps
    figures: RunFigures


class KeptOverview(Record, frozen=True, kw_only=True):
    """What was read of an experiment. spec: as `Spec.from_mapping` takes a stored one. journal: the name of the
    newest coordinator's. findings: left as they are until somebody asks for them, for they are most of it.
    """

    version: Count
    spec: dict[str, Any]
    spec_stamps: Stamps
    annotations: Annotations
    annotations_stamps: Stamps
    journal: str
    journal_stamps: Stamps
    runs: tuple[KeptRun, ...]
    findings: msgspec.Raw

    @property
    def newest(self) -> float:
        """When the last of its files was changed, seconds since 1970."""
        stamps = [*self.spec_stamps, *self.annotations_stamps, *self.journal_stamps]
        stamps += [stamp for run in self.runs for stamp in run.stamps]
        return max(stamp[0] for stamp in stamps if stamp is not None) / 1e9

    def read_findings(self) -> Findings | None:
        """What a coordinator last journaled. Raises RecordError."""
        return parse(bytes(self.findings), _Findings, "what was kept").findings


class _Findings(Record, frozen=True, kw_only=True):
    findings: Findings | None


def encode_findings(findings: Findings | None) -> msgspec.Raw:
    """Findings as they are kept. Raises ValueError for NaN and Infinity."""
    return msgspec.Raw(to_json(_Findings(findings=findings)))


def read_kept(home: Path, name: str) -> KeptOverview | None:
    """What is kept of the experiment with that name, None where nothing is that this version can use."""
    try:
        found = parse(read_plain(_path(home, name), LARGEST), KeptOverview, "what was kept")
    except (OSError, RecordError):
        return None
    return found if found.version == VERSION else None


def keep(home: Path, name: str, overview: KeptOverview) -> None:
    """Keep what was read, unless a file of it was changed only now. Never raises: it can be read again."""
    if overview.newest > time.time() - SETTLED_SECONDS:
        return
    content = msgspec.json.encode(overview)
    with suppress(OSError):  # no room, no permission, too long a name
        make_folder(overviews_dir(home))
        # What a power cut damages is not read.
        replace_file(_path(home, name), lambda file: file.write(content), durable=False)


def sweep_kept(home: Path, names: Collection[str]) -> None:
    """Remove what is kept of experiments that are not among `names`; never raises."""
    folder = overviews_dir(home)
    with suppress(OSError):  # there is none, or it is not ours to change
        if folder.is_symlink():
            return
        gone = {entry for entry in os.listdir(folder) if entry.endswith(SUFFIX) and entry[0] != "."}
        gone -= {f"{name}{SUFFIX}" for name in names}
        for entry in gone:
            (folder / entry).unlink()
        if gone:
            sweep(folder, HALF_WRITTEN)


def _path(home: Path, name: str) -> Path:
    return overviews_dir(home) / f"{name}{SUFFIX}"
