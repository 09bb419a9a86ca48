"""The result of one run on disk: metrics.json and its siblings, published together by one rename.

metrics.json says of which experiment and run it is, and holds the SHA-256 of its siblings and of itself: of the
file with zeros in the place of that checksum. Results of older versions have neither the experiment nor the
checksum over itself; of them only the run and the siblings are checked.

This module reads without NumPy; `core.records.arrays` writes the arrays, `core.records.gallery` writes and reads
the gallery.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.declarations.lazy import hashlib
from core.errors import RecordError
from core.files.atomic import sync_file, sync_folder
from core.files.folders import make_folder, set_broken_aside
from core.files.ownership import owned_name
from core.files.reading import open_plain, read_plain
from core.records.environment import Environment
from core.records.first_version import from_first_version
from core.records.metrics import SCHEMA_VERSION, RunMetrics
from core.records.types import Count, Record, parse, to_json

METRICS = "metrics.json"
ARRAYS = "arrays.npz"
"""The arrays, in every result."""
LARGEST = 2**26
"""Bytes of a metrics.json, at most; most have some ten thousand."""
UNSEALED = "0" * 64
"""What stands in the place of a checksum while it is made."""
GALLERY = "gallery.npz"
"""The gallery; not in results of older versions, nor where there was no room for it."""


NO_SUCH_FILE = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EFBIG, errno.ELOOP, errno.ENAMETOOLONG,
)  # fmt: skip
"""The errors of reading what cannot be a file of ours; for any other error the file may be whole."""


class UnreadableResult(RecordError):
    """The error for a result that cannot be read now, for want of permission, say, and may be whole."""


class Owner(NamedTuple):
    """Whose a result must be: the experiment by the digest of its specification, and the run, from 0."""

    experiment: str
    run: int


def publish(
    run_folder: Path,
    metrics: RunMetrics,
    write_arrays: Callable[[Path], None],
    write_gallery: Callable[[Path], None] | None = None,
    *,
    stands: Callable[[], bool] | None = None,
    differs: Callable[[Path], object] | None = None,
) -> bool:
    """Make `run_folder`/result appear at once and whole; False where a valid result was there already.

    metrics: what metrics.json is to hold; the SHA-256 of its siblings and of itself are added.
    write_arrays, write_gallery: write arrays.npz and gallery.npz to the path they are given; where they raise,
    nothing is left in the folder. A gallery that was not written is not part of the result.
    stands: whether what is there is a valid result; by default, whether it is a whole one of this experiment and
    run. An invalid one is set aside under another name.
    differs: called with the new path of our result where that is set aside, since a valid one was there that has
    other numbers.
    Raises OSError, after which it may be tried again; ValueError for NaN or Infinity; RecordError for metrics that
    `parse_metrics` would refuse.
    """
    target = run_folder / "result"
    owner = Owner(metrics.experiment, metrics.index)
    valid = stands or (lambda: read_result(target, owner, verify=True) is not None)
    make_run_folder(run_folder)
    temporary = run_folder / owned_name(".result")
    temporary.mkdir()
    try:
        write_arrays(temporary / ARRAYS)
        if write_gallery is not None:
            write_gallery(temporary / GALLERY)
        siblings = sorted(path.name for path in temporary.iterdir())
        whole = msgspec.structs.replace(
            metrics, sha256={name: sha256_of(temporary / name) for name in siblings}
        )
        content = sealed(whole)
        parse_metrics(content)  # what no reader would take must not look like a result
        (temporary / METRICS).write_bytes(content)
        for name in (*siblings, METRICS):
            sync_file(temporary / name)
        sync_folder(temporary)
        if os.path.lexists(target) and not valid():
            set_broken_aside(target)
        try:
            os.rename(temporary, target)
            ours = True
        except OSError:
            # Somebody published this run first, or we did, and syncing it failed. The numbers are the same by
            # design, on machines of one kind.
            if not valid():
                raise
            first = read_result(target)
            if differs is not None and first is not None and not same_numbers(first, whole):
                aside = run_folder / f".differs.{uuid.uuid4().hex}"
                temporary.rename(aside)
                differs(aside)
            ours = False
        sync_folder(run_folder)
        return ours
    finally:
        # After the rename nothing is there; after an error half a result would only fill the disk.
        shutil.rmtree(temporary, ignore_errors=True)


def same_numbers(one: RunMetrics, other: RunMetrics) -> bool:
    """Whether two results of a run are equal but for how, when and where they were computed."""
    return _lasting(one) == _lasting(other)


def _lasting(metrics: RunMetrics) -> RunMetrics:
    """Metrics without the fields that depend on how, when and where the run was computed."""
    return msgspec.structs.replace(
        metrics,
        checksum="",
        surrogate_reused=False,
        search={},
        seconds={},
        environment=Environment(versions={}, device="", cpu=""),
        sha256={ARRAYS: metrics.sha256.get(ARRAYS, "")},
    )


def make_run_folder(run_folder: Path) -> None:
    """Make the folder of a run, and `runs` where it is not there, in the folder of its experiment.

    Raises OSError, also where a person has removed the experiment, which is not made again, and for a link.
    """
    for folder in (run_folder.parent, run_folder):
        make_folder(folder)


def read_result(result: Path, owner: Owner | None = None, *, verify: bool = False) -> RunMetrics | None:
    """As `load_result`, but None where there is no valid result; never raises."""
    try:
        return load_result(result, owner, verify=verify)
    except RecordError:
        return None


def load_result(result: Path, owner: Owner | None = None, *, verify: bool = False) -> RunMetrics:
    """The metrics in the folder `result`. Raises RecordError, which says what is wrong with which file.

    owner: whose it must be; None for anybody's.
    verify: also compare the SHA-256 of every sibling with its file (reads them whole).
    """
    try:
        metrics = parse_metrics(read_plain(result / METRICS, LARGEST))
    except OSError as error:
        raise _cannot_read(METRICS, error) from error
    except RecordError as error:
        raise RecordError(f"its {METRICS} is damaged: {error}") from error
    if owner is not None:
        _check_owner(metrics, owner)
    if ARRAYS not in metrics.sha256:
        raise RecordError(f"its {METRICS} is damaged: it has no checksum of {ARRAYS}")
    for name, checksum in metrics.sha256.items():
        try:
            present = (result / name).is_file()
            if present and not verify:
                open_plain(result / name).close()
            whole = not (present and verify) or sha256_of(result / name) == checksum
        except (OSError, ValueError) as error:  # ValueError: a NUL in a file's name
            raise _cannot_read(name, error) from error
        if not present:
            raise RecordError(f"its {name} is missing")
        if not whole:
            raise RecordError(f"its {name} is not what its {METRICS} says")
    return metrics


def _cannot_read(name: str, error: OSError | ValueError) -> RecordError:
    """The error for a file of a result that cannot be read: UnreadableResult where the file may be whole."""
    reason = error.strerror if isinstance(error, OSError) else error
    passing = isinstance(error, OSError) and error.errno not in NO_SUCH_FILE
    return (UnreadableResult if passing else RecordError)(f"its {name} cannot be read: {reason}")


def _check_owner(metrics: RunMetrics, owner: Owner) -> None:
    """Raises RecordError where metrics are of another experiment or run; older ones name only their run."""
    if metrics.experiment not in ("", owner.experiment):
        raise RecordError("its numbers are of another specification")
    if metrics.index != owner.run:
        raise RecordError(f"its numbers are those of run {metrics.index + 1}")


def sealed(metrics: RunMetrics) -> bytes:
    """The metrics.json of these metrics, with its checksum. Raises ValueError for NaN and Infinity."""
    unsealed = to_json(msgspec.structs.replace(metrics, checksum=UNSEALED), indent=1) + b"\n"
    # The checksum stands before every other text of this length.
    return unsealed.replace(UNSEALED.encode(), hashlib.sha256(unsealed).hexdigest().encode(), 1)


def parse_metrics(content: bytes) -> RunMetrics:
    """The metrics in a metrics.json of any version up to this one. Raises RecordError."""
    version = parse(content, _Versioned, "metrics").schema_version
    if version > SCHEMA_VERSION:
        raise RecordError(f"metrics of version {version}: this program reads versions 1 to {SCHEMA_VERSION}")
    if version == 1:
        return from_first_version(content)
    metrics = parse(content, RunMetrics, "metrics")
    if metrics.checksum:
        unsealed = content.replace(metrics.checksum.encode(), UNSEALED.encode(), 1)
        if hashlib.sha256(unsealed).hexdigest() != metrics.checksum:
            raise RecordError("it is not what its checksum says")
    elif metrics.experiment:  # whoever wrote one wrote the other
        raise RecordError("it says whose it is, and its checksum is missing")
    return metrics


class _Versioned(Record, frozen=True, kw_only=True):
    schema_version: Count


def sha256_of(path: Path) -> str:
    """The hex digest of a file."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
