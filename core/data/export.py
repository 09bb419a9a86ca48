"""Writing a data set as an `.npz` of arrays, as a call and as `python -m core.data.export NAME --output FILE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.data.load import load
from core.data.narration import refuse, say
from core.errors import AefitError
from core.files.exit_status import ExitStatus
from core.files.output import write_output


def export(dataset: str, path: Path, *, data_dir: Path, cache_dir: Path, note: Callable[[str], None]) -> None:
    """Write the pool that runs index into: `images` (N, H, W, C) uint8 at the size that the surrogate takes,
    `labels` (N,) int64 and `class_names`.

    dataset, data_dir, cache_dir, note: see `core.data.load.load`. The file is replaced at once, and can be a data
    set itself. DataError where the set cannot be read, ExperimentError where the file cannot be written.
    """
    pool = load(dataset, data_dir=data_dir, cache_dir=cache_dir, note=note)
    arrays: dict[str, Any] = {
        "images": pool.images,
        "labels": pool.labels,
        "class_names": np.array(pool.class_names),
    }
    write_output(path, lambda file: np.savez(file, **arrays))
    for notice in pool.notices:
        note(notice)
    note(f"wrote {len(pool.labels):,} images and their labels to {path}")


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0, or 2 where it was not possible; every message goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m core.data.export", description="Write a data set.")
    parser.add_argument("dataset", metavar="NAME|PATH")
    for option in ("--output", "--data-dir", "--cache-dir"):
        parser.add_argument(option, type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        export(
            options.dataset,
            options.output,
            data_dir=options.data_dir,
            cache_dir=options.cache_dir,
            note=say,
        )
    except AefitError as error:
        return refuse(error)
    return ExitStatus.COMPLETE


if __name__ == "__main__":
    sys.exit(main())
