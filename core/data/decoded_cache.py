"""Keeps the pool decoded from a folder or zip: its images are decoded once, not in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from core.data.image_tree import Decoded
from core.files.cache import Cache, key_of

KIND = "datasets"
"""Of the entries in the cache."""
NAMES = {"fingerprint", "images", "labels", "class_names", "notices"}
"""Of its arrays."""
_RULES = 1
"""Raised whenever `image_tree` reads the same files differently; what was kept before is then dropped."""


def read(path: Path, cache: Cache, note: Callable[[str], None], decode: Callable[[Path], Decoded]) -> Decoded:
    """What `decode(path)` gives, from the cache where the source has not changed since.

    One entry a source, which holds the source's fingerprint; a changed source replaces it, and so does one that is
    damaged. That, and a cache that cannot be written, is said through `note`.
    """
    key = key_of(str(path.resolve()))
    now = fingerprint(path)
    found = cache.get(KIND, key)
    if found is None and cache.holds(KIND, key):
        note(f"the decoded copy of {path} is damaged")
    if found is not None and (kept := _kept(found, now)) is not None:
        return kept
    note(f"decoding the images of {path}, once")
    decoded = decode(path)
    arrays: dict[str, NDArray[Any]] = {
        "fingerprint": np.array(now),
        "images": decoded.images,
        "labels": decoded.labels,
        "class_names": np.array(decoded.class_names, dtype=np.str_),
        "notices": np.array(decoded.notices, dtype=np.str_),
    }
    try:
        cache.store(KIND, key, arrays)
    except OSError as error:
        note(f"the decoded images cannot be kept ({error}): they will be decoded each time")
    return decoded


def fingerprint(path: Path) -> str:
    """Changes with the source: size and time of a file; names, sizes and times of all files in a folder."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    stats = [(file.relative_to(path).as_posix(), file.stat()) for file in files]
    stamps = sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
    return hashlib.sha256(repr((_RULES, PIL.__version__, stamps)).encode()).hexdigest()


def _kept(found: Mapping[str, NDArray[Any]], expected: str) -> Decoded | None:
    """The kept pool, or None where it belongs to an earlier state of the source, or is no pool at all."""
    if set(found) != NAMES or str(found["fingerprint"]) != expected:
        return None
    return Decoded(
        found["images"],
        found["labels"],
        tuple(str(name) for name in found["class_names"]),
        tuple(str(notice) for notice in found["notices"]),
    )
