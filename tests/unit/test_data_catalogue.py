"""The names, what they resolve to, and what is said about files that are not there."""

from __future__ import annotations

import math
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from core.data.catalogue import CATALOGUE, Entry, availability, check_available, resolve
from core.errors import DataError


def test_names_epochs_and_published_sizes() -> None:
    assert {
        name: (entry.default_epochs, entry.train_size, entry.test_size) for name, entry in CATALOGUE.items()
    } == {
        "mnist-5k": (15, 5000 - 5000 // 7, 5000 // 7),
        "digits": (40, 1797 - 1797 // 7, 1797 // 7),
        "mnist": (3, 60_000, 10_000),
        "fashion-mnist": (3, 60_000, 10_000),
        "kmnist": (3, 60_000, 10_000),
        "cifar10": (10, 50_000, 10_000),
        "svhn": (10, 73_257, 26_032),
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_names_each_class_once_at_a_size_the_surrogate_takes(name: str) -> None:
    entry = CATALOGUE[name]
    assert entry.name == name
    assert entry.classes == len(set(entry.class_names)) == 10
    assert entry.shape in ((28, 28, 1), (32, 32, 3))
    assert (entry.origin == "packaged") == bool(entry.package)


def test_a_name_wins_over_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mnist").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("mnist") is CATALOGUE["mnist"]
    assert resolve("./mnist") == tmp_path / "mnist"


@pytest.mark.parametrize("file", ["mine.npz", "mine.zip", "MINE.ZIP"])
def test_a_path_of_an_own_set_resolves_to_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    (tmp_path / file).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert resolve(file) == tmp_path / file


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "pictures").mkdir()
    assert resolve("~/pictures") == tmp_path / "pictures"


@pytest.mark.parametrize(
    "dataset",
    [
        "mnits",
        "",
        "  ",
        "/no/such/folder",
        "~nobody-by-that-name/x",
        pytest.param("x" * 5000, id="long"),
        pytest.param("a\0b", id="NUL"),
    ],
)
def test_what_is_neither_a_name_nor_a_path_is_answered_with_both(dataset: str) -> None:
    with pytest.raises(DataError) as caught:
        resolve(dataset)
    for expected in (*CATALOGUE, ".npz", ".zip", "folder"):
        assert expected in str(caught.value)


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(DataError) as caught:
        resolve("Fashion_MNIST")
    assert caught.value.hint == "did you mean fashion-mnist?"


def test_a_file_of_another_kind_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "digits.csv").write_text("1,2")
    with pytest.raises(DataError, match=r"digits\.csv is neither a folder nor an \.npz or \.zip"):
        resolve(str(tmp_path / "digits.csv"))


def _put_files(entry: Entry, folder: Path) -> None:
    """Files that begin as they should and have a size that they may have, and no images that mean anything."""
    for name in entry.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("ubyte"):
            shape = (5, 28, 28) if "images" in name else (5,)
            header = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
            path.write_bytes(header + bytes(math.prod(shape)))
        elif name.endswith(".mat"):
            path.write_bytes(b"MATLAB 5.0 MAT-file, Platform: GLNXA64")
        else:
            path.touch()
            os.truncate(path, 30_720_000)


@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if entry.origin == "torchvision"])
def test_availability_follows_the_files(tmp_path: Path, name: str) -> None:
    entry = CATALOGUE[name]
    nothing = availability(name, tmp_path)
    assert not nothing.ready
    assert entry.files[0] in nothing.detail
    assert f"{entry.download_mb} MB" in nothing.detail
    _put_files(entry, tmp_path)
    assert availability(name, tmp_path).ready
    (tmp_path / entry.files[-1]).unlink()
    one_missing = availability(name, tmp_path)
    assert not one_missing.ready
    assert entry.files[-1] in one_missing.detail
    assert "more" not in one_missing.detail


@pytest.mark.parametrize(
    ("name", "position", "said"),
    [("mnist", 0, "its header promises 5x28x28"), ("fashion-mnist", 3, "its header promises 5"),
     ("cifar10", 5, "its images alone take 30720000"), ("svhn", 1, "does not begin as a MATLAB file")],
)  # fmt: skip
@pytest.mark.parametrize("empty", [False, True])
def test_a_file_that_was_cut_off_or_is_empty_is_damaged(
    tmp_path: Path, name: str, position: int, said: str, empty: bool
) -> None:
    entry = CATALOGUE[name]
    _put_files(entry, tmp_path)
    path = tmp_path / entry.files[position]
    os.truncate(path, 0 if empty else path.stat().st_size - 1 if name != "svhn" else 10)
    found = availability(name, tmp_path)
    assert (found.ready, found.damaged) == (False, True)
    assert str(path) in found.detail
    assert empty or said in found.detail
    with pytest.raises(DataError, match=re.escape(str(path))) as caught:
        check_available(name, tmp_path)
    assert caught.value.hint == f"delete it and type: aefit-tui data fetch {name} --data-dir {tmp_path}"


@pytest.mark.parametrize("name", ["mnist-5k", "digits"])
def test_packaged_sets_are_there_without_a_data_folder(tmp_path: Path, name: str) -> None:
    assert availability(name, tmp_path / "absent").ready


def test_availability_of_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected one of mnist-5k"):
        availability("imagenet", tmp_path)


def test_the_catalogue_answers_without_any_heavy_import() -> None:
    program = (
        "import sys; from pathlib import Path; from core.data import catalogue\n"
        "[catalogue.availability(name, Path('.')) for name in catalogue.CATALOGUE]\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} "
        "& {'numpy', 'torch', 'torchvision', 'sklearn', 'scipy', 'PIL', 'mlxtend'}))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
