"""Whether any plug-in is installed at all, found out faster than by reading all entry points."""

from __future__ import annotations

import os
import sys
from functools import cache

MARK = b"[aefit."
"""Begins the groups of entry points that are ours."""
METADATA = (".dist-info", ".egg-info")


def may_be_installed() -> bool:
    """Whether a distribution on the search path may have entry points for us.

    False is certain for what pip installs today; an egg is not looked into.

    `importlib.metadata` takes longer to load than all else that a short command needs.
    """
    return _on_path(tuple(sys.path))


@cache
def _on_path(folders: tuple[str, ...]) -> bool:
    return any(_holds_one(folder or os.curdir) for folder in folders)


def _holds_one(folder: str) -> bool:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # an archive, or what cannot be listed: left to importlib.metadata
    return any(_is_ours(os.path.join(folder, name)) for name in names if name.endswith(METADATA))


def _is_ours(metadata: str) -> bool:
    try:
        with open(os.path.join(metadata, "entry_points.txt"), "rb") as file:
            return MARK in file.read()
    except OSError:
        return False
