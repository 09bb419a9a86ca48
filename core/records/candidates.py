"""Every candidate of a run on disk, for uses beyond the experiment; written block by block, never all in memory.

`candidate_image.npy` holds the (m, H, W, C) float32 images, in [0, 1], which `numpy.load` can map into memory.
`candidates.npz` holds, in the same order: `label` (m,) int16, the source's true label; `source` (m,) int32, into
the pooled data set; `target` (m,) int16, -1 where there is none; `prediction` (L, m) int16; the knob's value at
each of the L levels, under the knob's name (`k` for nearest neighbours); `surrogate_prediction` (m,) int16;
`crossfit_prediction` (2, L, m) int16, by the classifier of half 0 and by that of half 1, where there are halves.
The candidates are those of every test image, first of the images that the most general level gets right.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.families.ladder import Ladder
from core.files.ownership import owned_name
from core.records.arrays import knob_values
from core.records.results import make_run_folder
from core.sets.members import Candidates

IMAGES = "candidate_image.npy"
ARRAYS = "candidates.npz"


class CandidateFiles:
    """A `CandidateKeeper` that writes to a temporary folder beside the run's result, removed after the block.

    shape: (H, W, C) of an image.
    """

    def __init__(self, run_folder: Path, ladder: Ladder, shape: tuple[int, int, int]) -> None:
        # Named like a half-written result, with which it is swept should this process be killed.
        self._folder = run_folder / owned_name(".result")
        make_run_folder(run_folder)
        self._folder.mkdir()
        self._ladder = ladder
        self._shape = shape
        none = np.empty(0, dtype=np.int16)
        # Empty ones, so that a run without any candidate has the arrays too.
        self._parts: list[dict[str, NDArray[Any]]] = [
            {
                "label": none,
                "source": none.astype(np.int32),
                "target": none,
                "prediction": np.empty((len(ladder.levels), 0), dtype=np.int16),
                "surrogate_prediction": none,
            }
        ]
        self._count = 0
        self._images = (self._folder / IMAGES).open("wb")
        self._write_header()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._images.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, block: Candidates, source_index: NDArray[np.int64]) -> None:
        """See `CandidateKeeper.add`. Raises OSError where the disk is full."""
        self._images.write(np.ascontiguousarray(block.image).data)
        self._count += len(block.image)
        part: dict[str, NDArray[Any]] = {
            "label": block.label.astype(np.int16),
            "source": source_index.astype(np.int32),
            "target": block.target.astype(np.int16),
            "prediction": block.prediction.astype(np.int16),
            "surrogate_prediction": block.surrogate_prediction.astype(np.int16),
        }
        if block.half_prediction is not None:
            part["crossfit_prediction"] = block.half_prediction.astype(np.int16)
        self._parts.append(part)

    def finish(self, folder: Path) -> None:
        """Complete the two files and move them into `folder`, of the same file system. Raises OSError."""
        # The room that a growing first axis takes is reserved in the header.
        self._images.seek(0)
        self._write_header()
        self._images.close()
        arrays: dict[str, Any] = {
            name: np.concatenate([part[name] for part in self._parts if name in part], axis=-1)
            for name in self._parts[-1]
        }
        arrays[self._ladder.array_name] = knob_values(self._ladder)
        np.savez_compressed(self._folder / ARRAYS, **arrays)
        for name in (IMAGES, ARRAYS):
            (self._folder / name).rename(folder / name)

    def _write_header(self) -> None:
        npy.write_array_header_1_0(
            self._images, {"descr": "<f4", "fortran_order": False, "shape": (self._count, *self._shape)}
        )
