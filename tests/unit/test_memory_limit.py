"""A forged file of some bytes may claim any size: it is refused by what it declares and by what it holds."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from core.data import array_file, image_tree
from core.data.memory_limit import MIB, SETTING, VARIABLE, data_limit, image_limit
from core.errors import AefitError, DataError
from core.files.archives import TooLarge, check_sizes
from core.records.gallery import read_gallery
from tui_aefit.shell.settings import Settings

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\n"
    b"IDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82"
)
MOST_MEMORY = 8 * MIB
"""That reading a forged file may take, however much it claims."""


@contextmanager
def refused(words: str) -> Iterator[pytest.ExceptionInfo[DataError]]:
    """Within the block a data set is refused, with little memory taken."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=words) as found:
            yield found
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


def forged(path: Path, shape: tuple[int, ...], content: bytes, dtype: str = "|u1") -> Path:
    """An .npz whose images claim a shape."""
    head = io.BytesIO()
    npy.write_array_header_1_0(head, {"descr": dtype, "fortran_order": False, "shape": shape})
    labels = io.BytesIO()
    np.save(labels, np.zeros(4, np.int64))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", head.getvalue() + content)
        archive.writestr("labels.npy", labels.getvalue())
    return path


def bomb(path: Path, size: int) -> Path:
    """A zip with two classes, in one of which a member unpacks to so many bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a/0.png", "a/1.png", "b/0.png", "b/1.png"):
            archive.writestr(name, PNG)
        with archive.open("a/bomb.png", "w") as member:
            for _ in range(size // MIB):
                member.write(bytes(MIB))
    return path


@pytest.mark.parametrize("shape", [(10**12, 28, 28), (2**40,), (1000, 28, 28)])
def test_a_header_that_claims_more_than_there_is(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with refused(r"the array images claims [0-9,]+ bytes, and [0-9,]+ are there"):
        array_file.read(forged(tmp_path / "mine.npz", shape, b"1234"))


def test_arrays_that_are_as_large_as_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = forged(tmp_path / "mine.npz", (4, 700, 700), bytes(4 * 700 * 700))
    assert len(array_file.read(path)[0]) == 4
    monkeypatch.setenv(VARIABLE, "1")
    with pytest.raises(
        DataError, match=r"is too large: .* expected at most 1 MiB, by data_limit = 1"
    ) as found:
        array_file.read(path)
    assert "--data-limit" in found.value.hint


def test_a_member_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "48")
    path = bomb(tmp_path / "set.zip", 40 * MIB)
    assert path.stat().st_size < MIB
    with pytest.raises(
        DataError, match=r"a/bomb\.png cannot be read: it unpacks to 41,943,040 bytes: .* 3 MiB"
    ):
        image_tree.decode(path)


def test_a_member_that_declares_less_than_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its declared size is all that is ever unpacked of it."""
    path = bomb(tmp_path / "set.zip", 40 * MIB)
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 40 * MIB), struct.pack("<I", 100)))
    with refused(r"a/bomb\.png cannot be read"):
        image_tree.decode(path)


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[bytes], Path]:
    def make(image: bytes) -> Path:
        for name in ("a/0.png", "a/1.png", "b/0.png", "b/1.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(image if name == "b/1.png" else PNG)
        return tmp_path

    return make


def test_a_file_in_a_folder_that_is_too_long(
    tree: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "16")
    with refused("it has more than 1,048,576 bytes"):
        image_tree.decode(tree(PNG + bytes(2 * MIB)))


def test_an_image_of_too_many_pixels(tree: Callable[[bytes], Path]) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 9000, 9000, 8, 0, 0, 0, 0)
    image = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )
    with refused("it has 9,000 x 9,000 pixels: expected at most 256 MiB"):
        image_tree.decode(tree(image))


def test_too_many_images(tree: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(PNG)
    monkeypatch.setattr("core.data.image_tree.data_limit", lambda: 3000)
    with refused("its images take 3,136 bytes"):
        image_tree.decode(folder)


def test_a_gallery_that_claims_more_than_there_is_is_damaged(tmp_path: Path) -> None:
    path = forged(tmp_path / "gallery.npz", (10**12, 28, 28, 1), b"1234")
    with refused("it is damaged"):
        read_gallery(path)


def test_sizes_are_told_before_room_is_made(tmp_path: Path) -> None:
    path = forged(tmp_path / "any.npz", (4,), b"1234")
    with path.open("rb") as file:
        check_sizes(file, 10_000)
        with pytest.raises(TooLarge):
            check_sizes(file, 100)


def test_the_limit_is_a_setting_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert data_limit() == 4096 * MIB
    assert image_limit() == 256 * MIB
    assert Settings({}, environment={}, folder=tmp_path).for_processes() == {}
    (tmp_path / "aefit.toml").write_text("data_limit = 64\n")
    told = Settings({}, environment={}, folder=tmp_path).for_processes()
    assert told == {VARIABLE: "64"}
    told = Settings({"data_limit": "128"}, environment={VARIABLE: "32"}, folder=tmp_path).for_processes()
    monkeypatch.setenv(VARIABLE, told[VARIABLE])
    assert data_limit() == 128 * MIB
    for word in ("0", "x", "-1"):
        monkeypatch.setenv(VARIABLE, word)
        with pytest.raises(AefitError, match=r"(?i)data_limit"):
            data_limit()
    assert SETTING.option == "--data-limit"
