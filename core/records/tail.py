"""Reads coordinators' journals from their ends, without reading what came before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from core.errors import RecordError
from core.files.reading import open_plain
from core.records.events import StatisticsComputed, decode
from core.records.experiment import Experiment
from core.records.journal import LONGEST_LINE, session_of

BLOCK = 1 << 16
"""Bytes of a journal that are read at once."""
STATISTICS = f'"{StatisticsComputed.__struct_config__.tag}"'.encode()
"""Bytes that stand in every line of statistics: a line without them need not be parsed."""


def coordinator_journals(folder: Path) -> list[Path]:
    """The coordinators' journals in a folder, the newest first by the session in their names. Raises OSError."""
    paths = [folder / name for name in names_in(folder) if name.endswith("-coordinator.jsonl")]
    return sorted(paths, key=lambda path: (session_of(path), path.name), reverse=True)


def lines_from_the_end(path: Path) -> Iterator[bytes]:
    """The complete lines of a file, the last first, read block by block as they are taken. Raises OSError.

    It ends before a line of more than LONGEST_LINE bytes.
    """
    with open_plain(path) as file:
        position = file.seek(0, os.SEEK_END)
        rest = b""
        torn = True
        while position > 0:
            step = min(BLOCK, position)
            position -= step
            file.seek(position)
            rest, *lines = (file.read(step) + rest).split(b"\n")
            for line in reversed(lines):
                if not torn:
                    yield line
                torn = False
            if len(rest) > LONGEST_LINE:
                return
        if not torn:
            yield rest


def newest_statistics(experiment: Experiment) -> StatisticsComputed | None:
    """The statistics that a coordinator journaled last, None where none has any. Raises OSError."""
    for line in chain.from_iterable(map(lines_from_the_end, coordinator_journals(experiment.journal))):
        if STATISTICS in line:
            try:
                event = decode(line)
            except RecordError:
                continue
            if isinstance(event, StatisticsComputed):
                return event
    return None


def names_in(folder: Path) -> list[str]:
    """The names of a folder's entries, none where there is no such folder. Raises OSError."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
