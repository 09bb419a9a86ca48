"""What a study's tables need of a complete experiment, kept in the home beside what lists need of it.

HOME/overviews/ID.numbers holds what the files of an experiment say of its runs, and the stamps of these files.
Where one has another stamp now, or this program computes the numbers in another way, they are found anew; and where
nothing was kept, or what was kept is damaged. It can be removed at any time.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from functools import cache
from importlib import import_module
from math import isfinite
from pathlib import Path

import msgspec

from core.errors import RecordError
from core.families.ladder import Ladder
from core.files.atomic import replace_file
from core.files.folders import make_folder
from core.files.locations import overviews_dir
from core.files.reading import read_plain
from core.records.kept_overviews import LARGEST, NUMBERS_SUFFIX, Stamps
from core.records.statistics import Claim, StatisticalTest, SummaryTable
from core.records.types import Count, Finite, Name, Record, Share, parse
from core.report.measured import Key, Measured

COMPUTED_BY = (
    "core.records.deciding", "core.records.metrics", "core.records.statistics", "core.report.measured",
    "core.report.study.kept_numbers", "core.report.study.result", "core.statistics.claims",
    "core.statistics.comparison",
)  # fmt: skip
"""The modules of which a change may change a number."""


class Numbers(Record, frozen=True, kw_only=True):
    """What an experiment's runs say: see `core.report.study.result.CellResult`."""

    ladder: Ladder
    statistics_runs: tuple[Count, ...] = ()
    claims: tuple[Claim, ...] = ()
    summary: SummaryTable | None = None
    tests: tuple[StatisticalTest, ...] = ()
    fooled: Share | None = None
    hit: Share | None = None
    measured: Measured | None = None


class _Measured(Record, frozen=True, kw_only=True, array_like=True):
    """As `Measured`. values: name, sets and level of what is measured, with a value for each run."""

    runs: tuple[Count, ...]
    values: tuple[tuple[Name, tuple[Name, ...], Name, tuple[Finite | None, ...]], ...]
    fitted: Name
    n_test: Count
    n_train: Count
    data: tuple[Name, ...]


class _Kept(Record, frozen=True, kw_only=True, array_like=True):
    """computed_by: the CRC-32 of this program's modules of that kind. measured: None without a complete run."""

    computed_by: Count
    stamps: Stamps
    ladder: Ladder
    statistics_runs: tuple[Count, ...]
    claims: tuple[Claim, ...]
    summary: SummaryTable | None
    tests: tuple[StatisticalTest, ...]
    fooled: Share | None
    hit: Share | None
    measured: _Measured | None


def read_numbers(home: Path, id: str, stamps: Stamps) -> Numbers | None:
    """What is kept of an experiment, if that was read when its files had these stamps; None else. Never raises."""
    try:
        check, _, content = read_plain(_path(home, id), LARGEST).partition(b"\n")
        if check != b"%08x" % zlib.crc32(content):
            return None
        kept = parse(content, _Kept, "what was kept")
    except (OSError, RecordError):
        return None
    if kept.stamps != stamps or kept.computed_by != _computed_by():
        return None
    found = kept.measured
    if found is not None and not _fits(found):
        return None
    return Numbers(
        ladder=kept.ladder,
        statistics_runs=kept.statistics_runs,
        claims=kept.claims,
        summary=kept.summary,
        tests=kept.tests,
        fooled=kept.fooled,
        hit=kept.hit,
        measured=None
        if found is None
        else Measured(
            found.runs,
            {Key(name, sets, level): values for name, sets, level, values in found.values},
            found.fitted,
            found.n_test,
            found.n_train,
            found.data,
        ),
    )


def keep_numbers(home: Path, id: str, stamps: Stamps, numbers: Numbers) -> None:
    """Keep what was found. Never raises: it can be found again."""
    found = numbers.measured
    kept = _Kept(
        computed_by=_computed_by(),
        stamps=stamps,
        ladder=numbers.ladder,
        statistics_runs=numbers.statistics_runs,
        claims=numbers.claims,
        summary=numbers.summary,
        tests=numbers.tests,
        fooled=numbers.fooled,
        hit=numbers.hit,
        measured=None
        if found is None
        else _Measured(
            runs=found.runs,
            values=tuple((*key, values) for key, values in found.values.items()),
            fitted=found.fitted,
            n_test=found.n_test,
            n_train=found.n_train,
            data=found.data,
        ),
    )
    if found is not None and not _is_json(found):
        return
    content = msgspec.json.encode(kept)
    with suppress(OSError):  # no room, no permission
        make_folder(overviews_dir(home))
        replace_file(
            _path(home, id),
            lambda file: file.write(b"%08x\n%b" % (zlib.crc32(content), content)),
            durable=False,  # what a power cut damages is not read
        )


def _is_json(found: Measured) -> bool:
    """Whether there is no NaN or Infinity in it; all else was read from JSON."""
    return all(value is None or isfinite(value) for values in found.values.values() for value in values)


def _fits(found: _Measured) -> bool:
    """Whether it has as many values of everything as runs, and images to divide by."""
    many = len(found.runs)
    return (
        len(found.data) == many > 0
        and found.n_test > 0
        and found.n_train > 0
        and all(len(values) == many for *_, values in found.values)
    )


@cache
def _computed_by() -> int:
    """The CRC-32 of the program as far as numbers depend on it: no two versions take each other's."""
    check = 0
    for name in COMPUTED_BY:
        path = import_module(name).__file__
        with suppress(OSError, TypeError):  # a program without files
            check = zlib.crc32(Path(str(path)).read_bytes(), check)
    return check


def _path(home: Path, id: str) -> Path:
    return overviews_dir(home) / f"{id}{NUMBERS_SUFFIX}"
