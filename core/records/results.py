"""The result of one run on disk: metrics.json and its siblings, published together by one rename.

This module reads without NumPy; `core.records.arrays` writes the arrays, `core.records.gallery` writes and reads
the gallery.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.declarations.lazy import hashlib
from core.errors import RecordError
from core.files.atomic import sync_file, sync_folder
from core.files.ownership import owned_name
from core.records.first_version import from_first_version
from core.records.metrics import SCHEMA_VERSION, RunMetrics

from core.records.types import Count, Record, parse, to_json

METRICS = "metrics.json"
ARRAYS = "arrays.npz"
"""In every result."""
GALLERY = "gallery.npz"
"""Not in the results of older versions, nor where there was no room for it."""


def publish(
    run_folder: Path,
    metrics: RunMetrics,
    write_arrays: Callable[[Path], None],
    write_gallery: Callable[[Path], None] | None = None,
) -> bool:
    """Make `run_folder`/result appear at once and whole; False where a valid result was there already.

    metrics: what metrics.json is to hold; the SHA-256 of its siblings is added under "sha256".
    write_arrays, write_gallery: write arrays.npz and gallery.npz to the path they are given; what they raise
    leaves no trace in the folder. A gallery that was not written is not part of the result.
    Raises OSError; ValueError for NaN or Infinity, RecordError for metrics that no reader would take.
    """
    run_folder.mkdir(parents=True, exist_ok=True)
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
        content = to_json(whole, indent=1) + b"\n"
        parse_metrics(content)  # what no reader would take must not look like a result
        (temporary / METRICS).write_bytes(content)
        for name in (*siblings, METRICS):
            sync_file(temporary / name)
        sync_folder(temporary)
        target = run_folder / "result"
        if target.exists() and read_result(target, verify=True) is None:
            target.rename(run_folder / f".broken.{uuid.uuid4().hex}")
        try:
            os.rename(temporary, target)
        except OSError:
            # Somebody published the same run first. The numbers are the same by design.
            if read_result(target) is None:
                raise
            return False
        sync_folder(run_folder)
        return True
    finally:
        # Nothing is there after the rename; before it, half a result would only fill the disk.
        shutil.rmtree(temporary, ignore_errors=True)


def read_result(result: Path, *, verify: bool = False) -> RunMetrics | None:
    """The content of metrics.json, or None where there is no valid result. Never raises for what is there.

    verify: also compare the SHA-256 of every sibling with its file (reads them whole).
    """
    try:
        return _read(result, verify=verify)
    except RecordError:
        return None


def result_problem(result: Path) -> str:
    """Why a result that is there is not a valid one, such as "its arrays.npz is missing"; "" where it is, or there
    is none. Never raises.
    """
    if not os.path.lexists(result):
        return ""
    try:
        _read(result, verify=False)
    except RecordError as error:
        return str(error)
    return ""


def _read(result: Path, *, verify: bool) -> RunMetrics:
    """The content of metrics.json. Raises RecordError, which says what is the matter with which file."""
    try:
        metrics = parse_metrics((result / METRICS).read_bytes())
    except OSError as error:
        raise RecordError(f"its {METRICS} cannot be read: {error.strerror}") from error
    except RecordError as error:
        raise RecordError(f"its {METRICS} is damaged: {error}") from error
    if ARRAYS not in metrics.sha256:
        raise RecordError(f"its {METRICS} is damaged: it has no checksum of {ARRAYS}")
    for name, checksum in metrics.sha256.items():
        try:
            present = (result / name).is_file()
            whole = not (present and verify) or sha256_of(result / name) == checksum
        except (OSError, ValueError) as error:  # ValueError: a NUL in a file's name
            raise RecordError(f"its {name} cannot be read: {error}") from error
        if not present:
            raise RecordError(f"its {name} is missing")
        if not whole:
            raise RecordError(f"its {name} is not what its {METRICS} says")
    return metrics


def parse_metrics(content: bytes) -> RunMetrics:
    """The metrics in a metrics.json of any version up to this one. Raises RecordError."""
    version = parse(content, _Versioned, "metrics").schema_version
    if version > SCHEMA_VERSION:
        raise RecordError(f"metrics of version {version}: this program reads versions 1 to {SCHEMA_VERSION}")
    if version == 1:
        return from_first_version(content)
    return parse(content, RunMetrics, "metrics")


class _Versioned(Record, frozen=True, kw_only=True):
    schema_version: Count


def sha256_of(path: Path) -> str:
    """The hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
