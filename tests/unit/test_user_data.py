"""A user's own images: read in the promised order, resized, kept, and refused with a reason."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.data import image_tree
from core.data.images import ImageSet
from core.data.load import load
from core.errors import DataError
from core.files.cache import Cache, key_of

Save = Callable[..., Path]
RNG = np.random.default_rng(20)


def _read(
    path: Path, tmp_path: Path, said: list[str] | None = None, test_size: int | None = None
) -> ImageSet:
    return load(
        str(path),
        data_dir=tmp_path,
        cache_dir=tmp_path / "cache",
        test_size=test_size,
        note=(said if said is not None else []).append,
    )


def _noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save_npz(**arrays: Any) -> Path:
        np.savez(tmp_path / "mine.npz", **arrays)
        return tmp_path / "mine.npz"

    return save_npz


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three classes of 4, 3 and 2 grey images that fit already, written in no particular order."""
    root = tmp_path / "pictures"
    for name in (
        "b/2.png",
        "c/1.png",
        "a/10.png",
        "a/2.png",
        "b/1.png",
        "c/2.png",
        "a/1.png",
        "b/3.png",
        "a/3.png",
    ):
        _write(root / name, _noise(28, 28))
    return root


def _write(path: Path, pixels: np.ndarray, mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels, mode).save(path)


def _zip(root: Path, target: Path, under: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(root.rglob("*"), reverse=True):
            archive.write(file, under + file.relative_to(root).as_posix())
    return target


class TestArrays:
    def test_grey_images_and_integer_labels_keep_their_order(self, save: Save, tmp_path: Path) -> None:
        images, labels = _noise(6, 28, 28), np.array([7, -3, 7, 40, -3, 40], dtype=np.int16)
        pool = _read(save(images=images, labels=labels), tmp_path)
        assert np.array_equal(pool.images, images[..., None])
        assert pool.labels.tolist() == [1, 0, 1, 2, 0, 2]
        assert pool.labels.dtype == np.int64
        assert pool.class_names == ("-3", "7", "40")
        assert (pool.name, pool.test_size, pool.notices) == ("mine.npz", 3, ())

    def test_colour_images_and_string_labels(self, save: Save, tmp_path: Path) -> None:
        images = _noise(4, 32, 32, 3)
        pool = _read(save(images=images, labels=np.array(["dog", "cat", "cat", "dog"])), tmp_path)
        assert np.array_equal(pool.images, images)
        assert pool.class_names == ("cat", "dog")
        assert pool.labels.tolist() == [1, 0, 0, 1]

    def test_a_seventh_is_for_test_unless_said_otherwise(self, save: Save, tmp_path: Path) -> None:
        path = save(images=_noise(30, 28, 28), labels=np.arange(30) % 3)
        assert _read(path, tmp_path).test_size == 30 // 7
        assert _read(path, tmp_path, test_size=9).test_size == 9

    def test_a_test_part_that_no_split_can_give_is_refused(self, tmp_path: Path) -> None:
        labels = np.repeat(np.arange(30), [10] * 5 + [2] * 25)
        np.savez(tmp_path / "mine.npz", images=_noise(100, 28, 28), labels=labels)
        with pytest.raises(DataError, match="70 of 100 images would leave a class without") as refused:
            _read(tmp_path / "mine.npz", tmp_path, test_size=70)
        largest = int(refused.value.hint.split()[-1])
        assert _read(tmp_path / "mine.npz", tmp_path, test_size=largest).test_size == largest
        with pytest.raises(DataError, match=f"{largest + 1} of 100"):
            _read(tmp_path / "mine.npz", tmp_path, test_size=largest + 1)

    def test_other_sizes_are_resized_with_a_notice(self, save: Save, tmp_path: Path) -> None:
        flat = np.repeat(np.array([10, 200, 10, 200], dtype=np.uint8), 40 * 20).reshape(4, 40, 20)
        pool = _read(save(images=flat, labels=[0, 1, 0, 1]), tmp_path)
        assert pool.shape == (28, 28, 1)
        assert np.array_equal(pool.images.reshape(4, -1).max(axis=1), [10, 200, 10, 200])
        assert np.array_equal(pool.images.reshape(4, -1).min(axis=1), [10, 200, 10, 200])
        assert pool.notices == ("4 images of 20x40 pixels resized to 28x28",)

    def test_halving_averages_as_an_antialiased_triangle_filter_does(
        self, save: Save, tmp_path: Path
    ) -> None:
        """Twice as large: weights 1/8, 3/8, 3/8, 1/8 in each direction, away from the edges."""
        large = _noise(2, 64, 64, 3)
        images = np.concatenate([large, large])
        pool = _read(save(images=images, labels=[0, 0, 1, 1]), tmp_path)
        weight = np.array([1, 3, 3, 1]) / 8
        window = large[0, 2 * 9 - 1 : 2 * 9 + 3, 2 * 14 - 1 : 2 * 14 + 3].astype(float)
        expected = np.einsum("a,b,abc->c", weight, weight, window)
        assert np.abs(pool.images[0, 9, 14] - expected).max() <= 1.01

    @pytest.mark.parametrize(
        ("arrays", "reason"),
        [
            ({"labels": [0, 1]}, "no array called images: found labels"),
            ({"pictures": [0]}, "no array called images or labels: found pictures"),
            ({"images": np.zeros((4, 28, 28)), "labels": [0, 0, 1, 1]}, "float64 .* expected uint8"),
            ({"images": np.zeros((4, 28, 28), np.int64), "labels": [0, 0, 1, 1]}, "int64 .* expected uint8"),
            (
                {"images": np.zeros((4, 784), np.uint8), "labels": [0, 0, 1, 1]},
                r"\(4, 784\) array: expected \(N, H",
            ),
            ({"images": np.zeros((4, 28, 28, 4), np.uint8), "labels": [0, 0, 1, 1]}, "C 1 or 3"),
            ({"images": np.zeros((0, 28, 28), np.uint8), "labels": np.zeros(0, int)}, r"holds no images"),
            (
                {"images": np.zeros((9, 0, 28), np.uint8), "labels": np.zeros(9, int)},
                r"images without pixels",
            ),
            ({"images": np.zeros((4, 28, 28), np.uint8), "labels": [0, 0, 1]}, "4 images but 3 labels"),
            ({"images": np.zeros((4, 28, 28), np.uint8), "labels": [0.0, 0, 1, 1]}, "labels is a float64"),
            (
                {"images": np.zeros((4, 28, 28), np.uint8), "labels": [[0], [0], [1], [1]]},
                "labels is a int64",
            ),
            (
                {"images": np.zeros((4, 28, 28), np.uint8), "labels": [5, 5, 5, 5]},
                r"one class \(5, 4 images\)",
            ),
            (
                {"images": np.zeros((4, 28, 28), np.uint8), "labels": [0, 0, 0, 1]},
                r"too few images of 1 \(1\)",
            ),
            (
                {"images": np.zeros((4, 28, 28), np.uint8), "labels": np.array([0, 0, "a", "a"], object)},
                "without Python objects",
            ),
        ],
    )
    def test_unusable_arrays_are_refused_with_the_reason(
        self, save: Save, tmp_path: Path, arrays: dict[str, object], reason: str
    ) -> None:
        with pytest.raises(DataError, match=reason) as caught:
            _read(save(**arrays), tmp_path)
        assert "mine.npz" in str(caught.value)

    def test_channels_first_is_told_how_to_transpose(self, save: Save, tmp_path: Path) -> None:
        with pytest.raises(DataError) as caught:
            _read(save(images=np.zeros((4, 3, 32, 32), np.uint8), labels=[0, 0, 1, 1]), tmp_path)
        assert "transpose(0, 2, 3, 1)" in caught.value.hint

    def test_files_that_are_no_npz_are_named(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.npz"
        path.write_bytes(b"not an archive")
        with pytest.raises(DataError, match=r"mine\.npz is not an \.npz file"):
            _read(path, tmp_path)

    def test_a_damaged_npz_is_named(self, save: Save, tmp_path: Path) -> None:
        path = save(images=_noise(4, 28, 28), labels=[0, 0, 1, 1])
        content = bytearray(path.read_bytes())
        content[1000] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"mine\.npz cannot be read"):
            _read(path, tmp_path)


class TestImageTrees:
    def test_order_is_class_name_then_file_name(self, tree: Path, tmp_path: Path) -> None:
        pool = _read(tree, tmp_path)
        assert pool.class_names == ("a", "b", "c")
        assert pool.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2]
        in_order = ["a/1", "a/10", "a/2", "a/3", "b/1", "b/2", "b/3", "c/1", "c/2"]
        for index, name in enumerate(in_order):
            with Image.open(tree / f"{name}.png") as image:
                assert np.array_equal(pool.images[index, :, :, 0], np.asarray(image)), name
        assert pool.notices == ()

    @pytest.mark.parametrize("under", ["", "pictures/", "deep/er/"])
    def test_a_zip_reads_as_the_folder_it_was_made_from(self, tree: Path, tmp_path: Path, under: str) -> None:
        zipped = _read(_zip(tree, tmp_path / "pictures.zip", under), tmp_path)
        assert zipped.sha256 == _read(tree, tmp_path).sha256
        assert zipped.class_names == ("a", "b", "c")

    def test_hidden_and_other_files_are_skipped_and_counted(self, tree: Path, tmp_path: Path) -> None:
        before = _read(tree, tmp_path).sha256
        for name in ("a/.hidden.png", "__MACOSX/a/._1.png", ".git/x.png", "a/notes.txt", "preview.png"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(b"no image")
        pool = _read(tree, tmp_path)
        assert pool.sha256 == before
        (notice,) = pool.notices
        assert notice.startswith("5 files skipped")

    def test_sizes_that_differ_are_resized_with_a_notice(self, tree: Path, tmp_path: Path) -> None:
        _write(tree / "a/4.png", _noise(60, 100))
        _write(tree / "b/4.png", _noise(10, 20))
        pool = _read(tree, tmp_path)
        assert pool.shape == (28, 28, 1)
        assert pool.notices == ("2 of 11 images (20x10 to 100x60 pixels) resized to 28x28",)

    def test_colour_makes_the_set_colour_and_grey_ones_get_equal_channels(
        self, tree: Path, tmp_path: Path
    ) -> None:
        colour = _noise(32, 32, 3)
        _write(tree / "c/3.png", colour)
        pool = _read(tree, tmp_path)
        assert pool.shape == (32, 32, 3)
        assert np.array_equal(pool.images[-1], colour)
        assert np.array_equal(pool.images[0, ..., 0], pool.images[0, ..., 2])
        assert "9 grey images among 1 colour images read as colour" in pool.notices

    def test_grey_stored_as_rgb_stays_colour(self, tmp_path: Path) -> None:
        for name in ("a/1", "a/2", "b/1", "b/2"):
            _write(tmp_path / "set" / f"{name}.png", np.repeat(_noise(32, 32, 1), 3, axis=2))
        assert _read(tmp_path / "set", tmp_path).shape == (32, 32, 3)

    def test_transparency_is_laid_over_white(self, tmp_path: Path) -> None:
        pixels = np.zeros((32, 32, 4), np.uint8)
        pixels[:16, :, 3] = 255  # upper half opaque black, lower half transparent black
        for name in ("a/1", "a/2", "b/1", "b/2"):
            _write(tmp_path / "set" / f"{name}.png", pixels)
        pool = _read(tmp_path / "set", tmp_path)
        assert np.all(pool.images[:, :16] == 0)
        assert np.all(pool.images[:, 16:] == 255)
        assert pool.notices == ("4 images with transparent parts laid over white",)

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_corrupt_image_is_named(self, tree: Path, tmp_path: Path, packed: bool) -> None:
        whole = (tree / "b/2.png").read_bytes()
        (tree / "b/2.png").write_bytes(whole[: len(whole) // 2])
        source = _zip(tree, tmp_path / "p.zip") if packed else tree
        with pytest.raises(DataError, match=r"the image b/2\.png cannot be read"):
            _read(source, tmp_path)

    def test_a_file_that_is_no_image_is_named_and_nothing_else(self, tree: Path, tmp_path: Path) -> None:
        (tree / "b/2.png").write_bytes(b"<html>not found</html>")
        with pytest.raises(DataError) as caught:
            _read(tree, tmp_path)
        assert str(caught.value) == (
            f"{tree}: the image b/2.png cannot be read: it is no image of a known format, whatever its suffix"
        )

    def test_sixteen_bit_images_are_refused_not_clipped(self, tree: Path, tmp_path: Path) -> None:
        _write(tree / "a/1.png", RNG.integers(0, 65536, (28, 28), dtype=np.uint16))
        with pytest.raises(DataError, match=r"a/1\.png .* more than 8 bits"):
            _read(tree, tmp_path)

    def test_images_below_a_train_and_a_test_folder_are_not_taken_for_classes(
        self, tree: Path, tmp_path: Path
    ) -> None:
        root = tmp_path / "nested"
        for part in ("train", "test"):
            shutil.copytree(tree, root / part)
        with pytest.raises(DataError, match=r"test/a/1\.png lies deeper than a class folder \(18 such"):
            _read(root, tmp_path)

    @pytest.mark.parametrize(
        ("removed", "reason"),
        [
            (["b", "c"], r"one class \(a, 4 images\)"),
            (["a", "b", "c"], "no class"),
            (["c/1.png"], r"c \(1\)"),
        ],
    )
    def test_too_few_classes_or_images_are_counted(
        self, tree: Path, tmp_path: Path, removed: list[str], reason: str
    ) -> None:
        for name in removed:
            shutil.rmtree(tree / name) if (tree / name).is_dir() else (tree / name).unlink()
        with pytest.raises(DataError, match=reason):
            _read(tree, tmp_path)

    def test_an_unreadable_folder_is_an_error_for_people_not_a_defect(
        self, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def forbidden(path: Path) -> image_tree.Decoded:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(image_tree, "decode", forbidden)
        with pytest.raises(DataError, match=r"pictures cannot be read: .*Permission denied"):
            _read(tree, tmp_path)

    def test_a_zip_that_is_none_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
        with pytest.raises(DataError, match=r"broken\.zip cannot be read as a zip"):
            _read(tmp_path / "broken.zip", tmp_path)

    def test_a_zip_of_a_version_to_come_is_named(self, tree: Path, tmp_path: Path) -> None:
        path = _zip(tree, tmp_path / "new.zip")
        content = bytearray(path.read_bytes())
        content[content.index(b"PK\x01\x02") + 6] = 148  # needed to extract it: version 14.8
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"new\.zip cannot be read as a zip: zip file version 14\.8"):
            _read(path, tmp_path)


class TestTheDecodedCache:
    @pytest.fixture
    def decodings(self, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
        """The sources that were decoded, one entry each time."""
        decoded: list[Path] = []
        decode = image_tree.decode

        def counted(path: Path) -> image_tree.Decoded:
            decoded.append(path)
            return decode(path)

        monkeypatch.setattr(image_tree, "decode", counted)
        return decoded

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_second_reading_decodes_nothing(
        self, tree: Path, tmp_path: Path, decodings: list[Path], packed: bool
    ) -> None:
        _write(tree / "a/4.png", _noise(60, 100))
        source = _zip(tree, tmp_path / "p.zip") if packed else tree
        first, second = _read(source, tmp_path), _read(source, tmp_path)
        assert len(decodings) == 1
        assert second.sha256 == first.sha256
        assert (second.class_names, second.notices) == (first.class_names, first.notices)
        assert second.labels.dtype == np.int64

    @pytest.mark.parametrize("change", ["touched", "added", "removed", "renamed", "rewritten"])
    def test_a_changed_folder_is_decoded_again_in_place_of_the_old(
        self, tree: Path, tmp_path: Path, decodings: list[Path], change: str
    ) -> None:
        _read(tree, tmp_path)
        file = tree / "a/1.png"
        if change == "touched":
            os.utime(file, ns=(1, 1))
        elif change == "added":
            _write(tree / "a/5.png", _noise(28, 28))
        elif change == "removed":
            file.unlink()
        elif change == "renamed":
            file.rename(tree / "a/9.png")
        else:
            times = file.stat().st_mtime_ns
            _write(file, np.zeros((28, 28), np.uint8))
            os.utime(file, ns=(times, times))
        _read(tree, tmp_path)
        assert len(decodings) == 2
        assert len(list((tmp_path / "cache/datasets").iterdir())) == 1

    def test_a_changed_zip_is_decoded_again(self, tree: Path, tmp_path: Path, decodings: list[Path]) -> None:
        archive = _zip(tree, tmp_path / "p.zip")
        _read(archive, tmp_path)
        _write(tree / "a/1.png", np.zeros((28, 28), np.uint8))
        pool = _read(_zip(tree, archive), tmp_path)
        assert len(decodings) == 2
        assert not pool.images[0].any()

    @pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "replaced"])
    def test_a_damaged_copy_is_replaced_and_said(
        self, tree: Path, tmp_path: Path, decodings: list[Path], damage: str
    ) -> None:
        first = _read(tree, tmp_path)
        (kept,) = (tmp_path / "cache/datasets").iterdir()
        whole = kept.read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 0xFF
        kept.write_bytes(
            {"truncated": whole[:-100], "flipped": bytes(flipped), "emptied": b"", "replaced": b"text"}[
                damage
            ]
        )
        said: list[str] = []
        assert _read(tree, tmp_path, said).sha256 == first.sha256
        assert len(decodings) == 2
        assert "is damaged" in said[0]
        _read(tree, tmp_path)
        assert len(decodings) == 2, "the damaged copy was not replaced"

    @pytest.mark.slow
    def test_whatever_bit_of_a_copy_is_flipped_it_is_not_taken(
        self, tree: Path, tmp_path: Path, decodings: list[Path]
    ) -> None:
        """Most bytes are pixels; those that say what the others are had readers fail in many ways."""
        first = _read(tree, tmp_path)
        (kept,) = (tmp_path / "cache/datasets").iterdir()
        whole = kept.read_bytes()
        places = [*range(200), *range(200, len(whole) - 900, 997), *range(len(whole) - 900, len(whole), 7)]
        for count, place in enumerate(places, start=2):
            kept.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
            assert _read(tree, tmp_path).sha256 == first.sha256
            assert len(decodings) == count

    def test_a_whole_entry_that_is_no_pool_is_not_taken(
        self, tree: Path, tmp_path: Path, decodings: list[Path]
    ) -> None:
        _read(tree, tmp_path)
        Cache(tmp_path / "cache").store("datasets", key_of(str(tree.resolve())), {"index": np.zeros(3)})
        assert len(_read(tree, tmp_path).labels) == 9
        assert len(decodings) == 2

    def test_without_a_place_to_write_the_set_is_read_all_the_same(self, tree: Path, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file where the folder should be")
        said: list[str] = []
        assert len(_read(tree, tmp_path, said).labels) == 9
        assert "cannot be kept" in said[-1]
