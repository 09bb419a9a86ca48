"""The result of one run on disk: metrics.json and its siblings, published together by one rename.

This module reads without NumPy; `core.records.arrays` writes and reads the arrays, `core.records.gallery` the
gallery.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from core.files.atomic import sync_file, sync_folder

METRICS = "metrics.json"
ARRAYS = "arrays.npz"
"""In every result."""
GALLERY = "gallery.npz"
"""Not in the results of older versions, nor where there was no room for it."""
NEEDED = frozenset(
    {
        "counts",
        "surrogate_accuracy",
        "attack",
        "accuracy",
        "slopes",
        "slope_reasons",
        "seconds",
        "data_sha256",
        "environment",
    }
)
"""What a run's metrics must hold for statistics and tables; without one of them there is no valid result."""


def publish(
    run_folder: Path,
    metrics: Mapping[str, object],
    write_arrays: Callable[[Path], None],
    write_gallery: Callable[[Path], None] | None = None,
) -> bool:
    """Make `run_folder`/result appear at once and whole; False where a valid result was there already.

    metrics: what metrics.json is to hold, NEEDED at least; the SHA-256 of its siblings is added under "sha256".
    write_arrays, write_gallery: write arrays.npz and gallery.npz to the path they are given; what they raise
    leaves no trace in the folder. A gallery that was not written is not part of the result.

    Raises ValueError for metrics that would be no valid result.
    """
    if missing := NEEDED - metrics.keys():
        raise ValueError(f"metrics without {', '.join(sorted(missing))} would be no valid result")
    run_folder.mkdir(parents=True, exist_ok=True)
    temporary = run_folder / f".result.{uuid.uuid4().hex}"
    temporary.mkdir()
    try:
        write_arrays(temporary / ARRAYS)
        if write_gallery is not None:
            write_gallery(temporary / GALLERY)
        siblings = sorted(path.name for path in temporary.iterdir())
        record = {**metrics, "sha256": {name: sha256_of(temporary / name) for name in siblings}}
        text = json.dumps(record, indent=1, allow_nan=False)
        (temporary / METRICS).write_text(text + "\n", encoding="utf-8")
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


def read_result(result: Path, *, verify: bool = False) -> dict[str, object] | None:
    """The content of metrics.json, or None where there is no valid result. Never raises for what is there.

    verify: also compare the SHA-256 of every sibling with its file (reads them whole).
    """
    try:
        record = json.loads((result / METRICS).read_text(encoding="utf-8"))
        checksums = record["sha256"].items()
        whole = ARRAYS in record["sha256"] and record.keys() >= NEEDED
        present = whole and all((result / name).is_file() for name, _ in checksums)
        if not present or (verify and any(sha256_of(result / name) != digest for name, digest in checksums)):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return dict(record)


def sha256_of(path: Path) -> str:
    """The hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
