"""Every candidate is kept on disk in the order in which it comes; where a run fails nothing is left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.families.ladder import Ladder
from core.records.candidates import ARRAYS, IMAGES, CandidateFiles
from core.sets.members import Candidates

SHAPE = (4, 3, 2)
WORDS = Ladder("Tree depth", ("shallow", "deep"))
NUMBERS = Ladder("K", ("3", "1"), (3, 1))


def block_of(count: int, seed: int, *, halves: bool = False) -> tuple[Candidates, np.ndarray]:
    """A block, and where its sources are in the pooled data set. halves: with the answers of the halves."""
    random = np.random.default_rng(seed)
    block = Candidates(
        image=random.random((count, *SHAPE), dtype=np.float32),
        source=np.arange(count),
        label=random.integers(0, 5, count),
        target=random.integers(-1, 5, count),
        prediction=random.integers(0, 5, (2, count)),
        source_prediction=random.integers(0, 5, (2, count)),
        recognised=True,
        place=np.arange(count),
        near=np.empty((count, 0), dtype=np.int64),
        variants={},
        half_prediction=random.integers(0, 5, (2, 2, count)) if halves else None,
        support=random.integers(0, 5, (count, 5)),
        surrogate_prediction=random.integers(0, 5, count),
        linf=random.random(count),
        l2=random.random(count),
        rejected=0,
    )
    return block, random.integers(0, 70_000, count)


@pytest.mark.parametrize("halves", [False, True])
@pytest.mark.parametrize("sizes", [(3, 0, 5), (1,), (0,), ()])
@pytest.mark.parametrize("ladder", [WORDS, NUMBERS], ids=lambda ladder: ladder.knob)
def test_what_is_kept_comes_back_in_its_order(
    tmp_path: Path, ladder: Ladder, sizes: Sequence[int], halves: bool
) -> None:
    blocks = [block_of(size, seed, halves=halves) for seed, size in enumerate(sizes)]
    (tmp_path / "result").mkdir()
    with CandidateFiles(tmp_path, ladder, SHAPE) as files:
        for block, source_index in blocks:
            files.add(block, source_index)
        files.finish(tmp_path / "result")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    image = np.load(tmp_path / "result" / IMAGES, mmap_mode="r")
    assert (image.shape, image.dtype) == ((sum(sizes), *SHAPE), np.float32)
    with np.load(tmp_path / "result" / ARRAYS, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    assert arrays.pop(ladder.array_name).tolist() == list(ladder.values)
    crossfit = arrays.pop("crossfit_prediction", None)
    assert (crossfit is not None) == (halves and bool(blocks))
    if crossfit is not None:
        expected = np.concatenate([block.half_prediction for block, _ in blocks], axis=-1)
        assert crossfit.dtype == np.int16
        np.testing.assert_array_equal(crossfit, expected)
    assert {name: (array.dtype, array.shape) for name, array in arrays.items()} == {
        "label": (np.int16, (sum(sizes),)),
        "source": (np.int32, (sum(sizes),)),
        "target": (np.int16, (sum(sizes),)),
        "prediction": (np.int16, (2, sum(sizes))),
        "surrogate_prediction": (np.int16, (sum(sizes),)),
    }
    if blocks:
        np.testing.assert_array_equal(image, np.concatenate([block.image for block, _ in blocks]))
        np.testing.assert_array_equal(arrays["source"], np.concatenate([index for _, index in blocks]))
        for name in ("label", "target", "prediction", "surrogate_prediction"):
            expected = np.concatenate([getattr(block, name) for block, _ in blocks], axis=-1)
            np.testing.assert_array_equal(arrays[name], expected, name)


def test_a_run_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with CandidateFiles(tmp_path, NUMBERS, SHAPE) as files:
            files.add(*block_of(3, 0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []
