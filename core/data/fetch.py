"""Downloading a data set, as a call and as `python -m core.data.fetch NAME --data-dir DIR`."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from core.data import torchvision_sets
from core.data.catalogue import Entry, find, missing_files
from core.data.narration import refuse, say
from core.errors import DataError
from core.files.exit_status import ExitStatus

_SILENCE_LIMIT = 60.0
"""Seconds without a byte after which a server is given up."""


def fetch(name: str, data_dir: Path, note: Callable[[str], None]) -> None:
    """Download what is missing of the named set under `data_dir` with torchvision, then read it as a check.

    note: told what happens. DataError for an unknown name, where the network or the folder does not let it,
    and where a file that lies there already is broken.
    """
    wanted = find(name)
    if wanted.origin == "packaged":
        note(f"{name} comes with the Python package {wanted.package}: there is nothing to fetch")
        return
    if missing_files(wanted, data_dir):
        note(f"fetching {wanted.title} into {data_dir} (about {wanted.download_mb} MB)")
        _download(wanted, data_dir)
    pool = torchvision_sets.read(wanted, data_dir)
    note(f"{wanted.title}: {len(pool.labels):,} images, checked")


def _download(wanted: Entry, data_dir: Path) -> None:
    kind = getattr(torchvision_sets.import_torchvision_datasets(), torchvision_sets.CLASSES[wanted.name])
    parts: list[dict[str, object]] = [{"train": True}, {"train": False}]
    if wanted.name == "svhn":
        parts = [{"split": "train"}, {"split": "test"}]
    try:
        for part in parts:
            kind(str(data_dir), download=True, **part)
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise DataError(
            f"{wanted.name} could not be fetched into {data_dir}: {str(error).strip()}",
            _by_hand(wanted, data_dir),
        ) from error


def _by_hand(wanted: Entry, data_dir: Path) -> str:
    files = "\n".join(f"  {data_dir / name}" for name in wanted.files)
    return f"try again later, or on a machine without network copy these files here by hand:\n{files}"


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0, or 2 where the set could not be had; every message goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m core.data.fetch", description="Download a data set.")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, required=True)
    options = parser.parse_args(arguments)
    socket.setdefaulttimeout(_SILENCE_LIMIT)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            fetch(options.name, options.data_dir.expanduser(), say)
        except DataError as error:
            return refuse(error)
    return ExitStatus.COMPLETE


if __name__ == "__main__":
    sys.exit(main())
