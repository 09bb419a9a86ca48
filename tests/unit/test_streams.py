"""Every use of randomness has the stream that NumPy's seed sequences give it; a run's arrays come back whole."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.families.ladder import Ladder
from core.protocol.streams import USES, Streams
from core.records.arrays import ARRAY_NAMES, write_arrays
from tests.fakes.arrays import read_arrays

seeds = st.integers(0, 2**63 - 1)
runs = st.integers(0, 10_000)


@settings(max_examples=40)
@given(seeds, runs)
def test_the_streams_of_a_run_are_the_children_of_its_seed_sequence(seed: int, run: int) -> None:
    streams = Streams(seed, run)
    children = np.random.SeedSequence(seed, spawn_key=(run,)).spawn(6)
    assert USES == ("split", "weights", "batches", "attack", "noise", "choice")
    for number, (use, child) in enumerate(zip(USES, children, strict=True)):
        drawn = streams.numpy(use).integers(0, 2**63, 8)
        assert np.array_equal(drawn, np.random.default_rng(child).integers(0, 2**63, 8))
        # A child is its parent's seed with one more number: more uses, later, change no earlier one.
        alone = np.random.SeedSequence(seed, spawn_key=(run, number))
        assert np.array_equal(drawn, np.random.default_rng(alone).integers(0, 2**63, 8))
        (word,) = alone.generate_state(1, np.uint64)
        expected = torch.Generator().manual_seed(int(word) % 2**63)
        assert streams.torch(use).initial_seed() == int(word) % 2**63
        drawn_by_torch = torch.rand(8, generator=streams.torch(use))
        assert torch.equal(drawn_by_torch, torch.rand(8, generator=expected))


def test_no_two_streams_are_alike() -> None:
    firsts: list[bytes] = []
    for seed in (0, 1, 2**63 - 1):
        for run in (0, 1, 9_999):
            for use in USES:
                streams = Streams(seed, run)
                firsts.append(streams.numpy(use).bytes(16))
                firsts.append(torch.rand(4, generator=streams.torch(use)).numpy().tobytes())
    assert len(set(firsts)) == len(firsts) == 3 * 3 * len(USES) * 2


def test_what_is_drawn_from_one_stream_moves_no_other_and_not_the_global_ones() -> None:
    untouched, drawn_from = Streams(3, 4), Streams(3, 4)
    global_numpy, global_torch = pickle.dumps(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    drawn_from.numpy("split").random(1000)
    torch.rand(1000, generator=drawn_from.torch("weights"))
    for use in USES:
        assert drawn_from.numpy(use).random() == untouched.numpy(use).random()
        assert torch.equal(
            torch.rand(3, generator=drawn_from.torch(use)), torch.rand(3, generator=untouched.torch(use))
        )
    assert pickle.dumps(np.random.get_state()) == global_numpy  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), global_torch)


def test_any_other_use_has_a_stream_of_its_own() -> None:
    uses = (*USES, "luck", "luck ", "Luck", "a plug-in's set")
    firsts = [Streams(seed, run).numpy(use).bytes(16) for seed in (0, 1) for run in (0, 1) for use in uses]
    assert len(set(firsts)) == len(firsts)
    again = Streams(0, 0).numpy("luck").bytes(16)
    assert again == firsts[len(USES)]
    assert again.hex() == "396b0e029534670c3175e3ad0b060cfb", (
        "it follows from the letters alone, in every version"
    )


K = Ladder("K", ("7", "5", "3", "1"), (7, 5, 3, 1))


def test_the_stream_of_a_set_is_no_other_uses_whatever_the_set_is_called() -> None:
    streams = Streams(5, 2)
    assert streams.numpy_of_set("one-per-source").bytes(8) == streams.numpy("choice").bytes(8)
    assert streams.torch_of_set("noise").initial_seed() == streams.torch("noise").initial_seed()
    named = {streams.numpy(use).bytes(8) for use in (*USES, "family")}
    for name in (*USES, "family"):
        if name not in ("noise",):
            assert streams.numpy_of_set(name).bytes(8) not in named


def made_up_arrays() -> dict[str, NDArray[np.generic]]:
    random = np.random.default_rng(0)
    types = dict.fromkeys(ARRAY_NAMES, np.int32) | dict.fromkeys(
        [name for name in ARRAY_NAMES if name.endswith(("label", "target", "prediction"))], np.int16
    )
    arrays: dict[str, NDArray[np.generic]] = {
        name: random.integers(-1, 100, 12).astype(types[name]) for name in ARRAY_NAMES
    }
    arrays["test_prediction"] = arrays["test_prediction"].reshape(4, 3)
    arrays["adversarial_image"] = random.random((2, 28, 28, 1), dtype=np.float32)
    arrays["k"] = np.array([7, 5, 3, 1], dtype=np.int32)
    return arrays


@pytest.mark.parametrize("adversarial", [2, 0])
def test_arrays_come_back_as_they_were(tmp_path: Path, adversarial: int) -> None:
    arrays = made_up_arrays()
    arrays["adversarial_image"] = arrays["adversarial_image"][:adversarial]
    write_arrays(tmp_path / "arrays.npz", arrays, K)
    read = read_arrays(tmp_path / "arrays.npz")
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        assert np.array_equal(read[name], array)
    with zipfile.ZipFile(tmp_path / "arrays.npz") as archive:
        assert sorted(archive.namelist()) == sorted(f"{name}.npy" for name in (*ARRAY_NAMES, "k"))


def test_arrays_that_are_missing_unknown_or_of_objects_are_not_written(tmp_path: Path) -> None:
    arrays = made_up_arrays()
    wrong = [
        {name: arrays[name] for name in (*ARRAY_NAMES[1:], "k")},
        {name: arrays[name] for name in ARRAY_NAMES},
        {**arrays, "more": np.zeros(1)},
        {**arrays, "k": np.array([None])},
    ]
    for one in wrong:
        with pytest.raises(ValueError, match=r"exactly the arrays|Python objects"):
            write_arrays(tmp_path / "arrays.npz", one, K)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("ladder", "name"),
    [
        (Ladder("Depth (log)", ("a", "b"), (0.5, 1.0)), "depth__log_"),
        (Ladder("Features", ("raw", "edges \N{GREEK SMALL LETTER PSI}")), "features"),
        (Ladder("", ("a", "b")), "level"),
    ],
)
def test_the_knobs_values_are_called_after_the_knob(tmp_path: Path, ladder: Ladder, name: str) -> None:
    arrays = made_up_arrays()
    del arrays["k"]
    arrays[name] = np.array(ladder.values)
    write_arrays(tmp_path / "arrays.npz", arrays, ladder)
    assert read_arrays(tmp_path / "arrays.npz")[name].tolist() == list(ladder.values)
    with pytest.raises(ValueError, match="exactly the arrays"):
        write_arrays(tmp_path / "others.npz", arrays, K)


class Trap:
    """An object that leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._trace,)


def test_reading_arrays_executes_nothing_that_a_file_holds(tmp_path: Path) -> None:
    trace, path = tmp_path / "executed", tmp_path / "arrays.npz"
    arrays = {**made_up_arrays(), "k": np.array([Trap(trace)], dtype=object)}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_arrays(path)
    assert not trace.exists()
    np.load(path, allow_pickle=True)["k"]
    assert trace.exists(), "the trap works where it is let"
