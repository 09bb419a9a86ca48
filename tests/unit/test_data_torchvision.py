"""torchvision's sets: read in file order from its layout, refused with the broken file's name, fetched once."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from core.data import fetch as fetching
from core.data.catalogue import CATALOGUE
from core.data.images import ImageSet
from core.data.load import load
from core.data.torchvision_sets import CLASSES, import_torchvision_datasets
from core.errors import DataError

RNG = np.random.default_rng(11)
TRAIN = (RNG.integers(0, 256, (30, 28, 28), dtype=np.uint8), np.arange(30) % 10)
TEST = (RNG.integers(0, 256, (12, 28, 28), dtype=np.uint8), np.arange(12)[::-1] % 10)


def _idx(array: np.ndarray) -> bytes:
    return (
        struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.astype(np.uint8).tobytes()
    )


def _put_idx(folder: Path) -> Path:
    """A made-up set in the layout of torchvision's MNIST; the path of its raw folder."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, (images, labels) in (("train", TRAIN), ("t10k", TEST)):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(_idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(_idx(labels))
    return raw


def _load(name: str, folder: Path) -> ImageSet:
    return load(name, data_dir=folder, cache_dir=folder / "cache", note=print)


def _refusal(name: str, folder: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        _load(name, folder)
    return caught.value


class TestIdxSets:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist"])
    def test_train_file_comes_first_then_test_each_in_order(self, tmp_path: Path, name: str) -> None:
        _put_idx(tmp_path)
        (tmp_path / "MNIST").rename(tmp_path / CLASSES[name])
        pool = _load(name, tmp_path)
        assert np.array_equal(pool.images[..., 0], np.concatenate([TRAIN[0], TEST[0]]))
        assert np.array_equal(pool.labels, np.concatenate([TRAIN[1], TEST[1]]))
        assert (pool.images.dtype.name, pool.labels.dtype.name, pool.test_size) == ("uint8", "int64", 12)
        assert pool.class_names == CATALOGUE[name].class_names

    def test_class_names_are_torchvisions(self) -> None:
        datasets = import_torchvision_datasets()
        assert list(CATALOGUE["fashion-mnist"].class_names) == datasets.FashionMNIST.classes
        assert list(CATALOGUE["kmnist"].class_names) == datasets.KMNIST.classes

    def test_an_old_processed_folder_does_not_replace_the_raw_files(self, tmp_path: Path) -> None:
        raw = _put_idx(tmp_path)
        (raw.parent / "processed").mkdir()
        for name in ("training.pt", "test.pt"):
            (raw.parent / "processed" / name).write_bytes(b"something else")
        assert len(_load("mnist", tmp_path).labels) == 42

    def test_a_missing_file_is_named_with_the_folder_and_the_way_out(self, tmp_path: Path) -> None:
        (_put_idx(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
        error = _refusal("mnist", tmp_path)
        assert "MNIST/raw/t10k-labels-idx1-ubyte" in str(error)
        assert "train-images" not in str(error)
        assert str(tmp_path) in str(error)
        assert f"aefit-tui data fetch mnist --data-dir {tmp_path}" in error.hint

    def test_a_packed_file_is_said_to_be_packed(self, tmp_path: Path) -> None:
        file = _put_idx(tmp_path) / "train-images-idx3-ubyte"
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
        assert "only packed (MNIST/raw/train-images-idx3-ubyte.gz)" in str(_refusal("mnist", tmp_path))

    def test_a_file_that_was_renamed_instead_of_unpacked_is_recognised(self, tmp_path: Path) -> None:
        file = _put_idx(tmp_path) / "train-images-idx3-ubyte"
        file.write_bytes(gzip.compress(file.read_bytes()))
        assert "still gzip-packed" in str(_refusal("mnist", tmp_path))

    @pytest.mark.parametrize(
        ("file", "content", "reason"),
        [
            ("train-images-idx3-ubyte", _idx(TRAIN[0])[:-5], "holds 23531 bytes: .* 30x28x28, 23536 bytes"),
            ("train-images-idx3-ubyte", _idx(TRAIN[0]) + b"xx", "holds 23538 bytes"),
            ("t10k-images-idx3-ubyte", _idx(TEST[1]), "begins with 0x00000801: .* begins with 0x00000803"),
            ("t10k-labels-idx1-ubyte", b"<html>", "begins with 0x3c68746d"),
            ("t10k-labels-idx1-ubyte", b"", "begins with 0x:"),
            ("t10k-labels-idx1-ubyte", b"\0\0\x08\x01\0", "ends inside its header, after 5 bytes"),
            ("t10k-images-idx3-ubyte", _idx(TEST[0][:0]), "is empty: its header promises 0x28x28"),
            ("train-labels-idx1-ubyte", _idx(TRAIN[1][:-1]), "30 images, but .* 29 labels"),
            ("train-labels-idx1-ubyte", _idx(TRAIN[1] + 1), "the label 10: expected 0 to 9"),
            ("train-images-idx3-ubyte", _idx(TRAIN[0][:, :20]), "20x28 pixels: expected 28x28"),
        ],
        ids=[
            "truncated",
            "too long",
            "wrong magic",
            "a web page",
            "empty",
            "cut in the header",
            "no images",
            "a label short",
            "label 10",
            "other size",
        ],
    )
    def test_a_broken_file_is_named_with_what_is_wrong(
        self, tmp_path: Path, file: str, content: bytes, reason: str
    ) -> None:
        (_put_idx(tmp_path) / file).write_bytes(content)
        with pytest.raises(DataError, match=reason) as caught:
            _load("mnist", tmp_path)
        assert file in str(caught.value)
        assert f"delete it and type: aefit-tui data fetch mnist --data-dir {tmp_path}" in caught.value.hint

    @pytest.mark.skipif(
        not (Path(os.environ.get("AEFIT_DATA_DIR", "absent")) / "MNIST" / "raw").is_dir(),
        reason="AEFIT_DATA_DIR does not name a folder with MNIST/raw",
    )
    def test_the_real_mnist(self) -> None:
        """Class counts and first labels as published for the 70,000 images."""
        pool = _load("mnist", Path(os.environ["AEFIT_DATA_DIR"]))
        assert pool.images.shape == (70_000, 28, 28, 1)
        assert pool.test_size == 10_000
        train, test = pool.labels[:60_000], pool.labels[60_000:]
        assert np.bincount(train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
        assert np.bincount(test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        assert train[:5].tolist() == [5, 0, 4, 1, 9]
        assert test[0] == 7


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, np.ndarray, np.ndarray]:
    """Six tiny batches whose checksums pass for the published ones; images (N, 32, 32, 3) and labels in order."""
    kind = import_torchvision_datasets().CIFAR10
    folder = tmp_path / kind.base_folder
    folder.mkdir()
    images, labels = RNG.integers(0, 256, (72, 32, 32, 3), dtype=np.uint8), np.arange(72) % 10
    names = [name for name, _ in (*kind.train_list, *kind.test_list)]
    for index, name in enumerate(names):
        batch = slice(12 * index, 12 * index + 12)
        rows = images[batch].transpose(0, 3, 1, 2).reshape(12, -1)
        (folder / name).write_bytes(pickle.dumps({"data": rows, "labels": labels[batch].tolist()}))
    (folder / "batches.meta").write_bytes(
        pickle.dumps({"label_names": list(CATALOGUE["cifar10"].class_names)})
    )
    monkeypatch.setattr(
        kind, "train_list", [[name, _md5((folder / name).read_bytes())] for name in names[:5]]
    )
    monkeypatch.setattr(kind, "test_list", [[names[5], _md5((folder / names[5]).read_bytes())]])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": _md5((folder / "batches.meta").read_bytes())})
    return folder, images, labels


class TestChecksummedSets:
    def test_cifar10_is_read_batch_by_batch_then_test(
        self, tmp_path: Path, cifar10: tuple[Path, np.ndarray, np.ndarray]
    ) -> None:
        _, images, labels = cifar10
        pool = _load("cifar10", tmp_path)
        assert np.array_equal(pool.images, images)
        assert np.array_equal(pool.labels, labels)
        assert (pool.images.dtype.name, pool.labels.dtype.name, pool.test_size) == ("uint8", "int64", 12)

    @pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
    def test_a_damaged_cifar10_file_and_no_other_is_named(
        self, tmp_path: Path, cifar10: tuple[Path, np.ndarray, np.ndarray], name: str
    ) -> None:
        (cifar10[0] / name).write_bytes(b"damaged")
        error = _refusal("cifar10", tmp_path)
        assert str(cifar10[0] / name) in str(error)
        assert "data_batch_1" not in str(error)
        assert "delete it and type: aefit-tui data fetch cifar10" in error.hint

    def test_svhn_is_read_with_its_zeros_as_zeros(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The published files hold (H, W, C, N) images and call the digit 0 class 10."""
        scipy_io = pytest.importorskip("scipy.io")
        kind = import_torchvision_datasets().SVHN
        images, digits = RNG.integers(0, 256, (32, 32, 32, 3), dtype=np.uint8), np.arange(32) % 10
        for split, part in (("train", slice(0, 20)), ("test", slice(20, 32))):
            file = tmp_path / f"{split}_32x32.mat"
            as_published = np.where(digits[part] == 0, 10, digits[part]).astype(np.uint8)[:, None]
            scipy_io.savemat(file, {"X": images[part].transpose(1, 2, 3, 0), "y": as_published})
            url, name, _ = kind.split_list[split]
            monkeypatch.setitem(kind.split_list, split, [url, name, _md5(file.read_bytes())])
        pool = _load("svhn", tmp_path)
        assert np.array_equal(pool.images, images)
        assert np.array_equal(pool.labels, digits)
        assert pool.test_size == 12

    def test_a_foreign_svhn_file_is_named(self, tmp_path: Path) -> None:
        for split in ("train", "test"):
            (tmp_path / f"{split}_32x32.mat").write_bytes(b"another file")
        error = _refusal("svhn", tmp_path)
        assert str(tmp_path / "train_32x32.mat") in str(error)
        assert "MD5" in str(error)


class TestFetching:
    @pytest.fixture
    def mirror(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        """A server on this machine that stands for MNIST's; the files it was asked for, in order."""
        raw = _put_idx(tmp_path / "origin")
        kind = import_torchvision_datasets().MNIST
        packed = {
            name: gzip.compress((raw / name.removesuffix(".gz")).read_bytes()) for name, _ in kind.resources
        }
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.lstrip("/")
                asked.append(name)
                self.send_response(200)
                self.send_header("Content-Length", str(len(packed[name])))
                self.end_headers()
                self.wfile.write(packed[name])

            def log_message(self, format: str, *args: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            monkeypatch.setattr(kind, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
            monkeypatch.setattr(
                kind, "resources", [(name, _md5(content)) for name, content in packed.items()]
            )
            for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.delenv(proxy, raising=False)
            yield asked
            server.shutdown()

    def test_what_was_fetched_can_be_loaded_and_is_not_fetched_twice(
        self, tmp_path: Path, mirror: list[str]
    ) -> None:
        said: list[str] = []
        fetching.fetch("mnist", tmp_path / "data", said.append)
        assert len(_load("mnist", tmp_path / "data").labels) == 42
        assert said[-1] == "MNIST: 42 images, checked"
        asked_at_first = len(mirror)
        fetching.fetch("mnist", tmp_path / "data", said.append)
        assert len(mirror) == asked_at_first >= 4

    def test_a_deleted_broken_file_comes_back(self, tmp_path: Path, mirror: list[str]) -> None:
        broken = _put_idx(tmp_path / "data") / "train-images-idx3-ubyte"
        broken.write_bytes(b"broken")
        with pytest.raises(DataError, match="begins with") as caught:
            fetching.fetch("mnist", tmp_path / "data", print)
        assert "delete it" in caught.value.hint
        broken.unlink()
        fetching.fetch("mnist", tmp_path / "data", print)
        assert len(_load("mnist", tmp_path / "data").labels) == 42

    @pytest.mark.parametrize("name", CLASSES)
    def test_without_network_it_says_which_files_to_copy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        def unreachable(*args: object, **kwargs: object) -> None:
            raise URLError("no route to host")

        import_torchvision_datasets()
        monkeypatch.setattr("urllib.request.urlopen", unreachable)
        monkeypatch.setattr("socket.setdefaulttimeout", lambda seconds: None)
        assert fetching.main([name, "--data-dir", str(tmp_path)]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert "no route to host" in output.err
        for file in CATALOGUE[name].files:
            assert str(tmp_path / file) in output.err

    @pytest.mark.parametrize("name", ["mnist-5k", "digits"])
    def test_packaged_sets_have_nothing_to_fetch(self, tmp_path: Path, name: str) -> None:
        said: list[str] = []
        fetching.fetch(name, tmp_path, said.append)
        assert "nothing to fetch" in said[0]

    @pytest.mark.slow
    def test_the_program_ends_with_2_and_the_names_for_an_unknown_one(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "core.data.fetch", "mnits", "--data-dir", str(tmp_path)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 2
        assert finished.stdout == ""
        assert "expected one of mnist-5k" in finished.stderr
        assert "did you mean mnist" in finished.stderr


def _python(program: str) -> str:
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


_WITHOUT_COMPILED_PART = """
import torch
load_library = torch.ops.load_library
def refuse(path):
    if "torchvision" in str(path):
        raise OSError("built for another torch")
    return load_library(path)
torch.ops.load_library = refuse
"""

_STAND_IN = """
import torch
torch.ops.load_library({compiled!r})
torch.library.register_fake("torchvision::nms", lambda dets, scores, iou_threshold: dets)
from . import datasets
"""


@pytest.mark.slow
class TestImportingTorchvision:
    def test_it_works_beside_a_torch_that_its_compiled_part_does_not_fit(self) -> None:
        """After a plain import failed, too: that leaves half of torchvision behind in `sys.modules`."""
        program = _WITHOUT_COMPILED_PART + (
            "try:\n    import torchvision\n"
            "except RuntimeError as error:\n    assert 'nms does not exist' in str(error), error\n"
            "else:\n    raise AssertionError('the stand-in for a broken torchvision is not broken')\n"
            "from core.data.torchvision_sets import import_torchvision_datasets as get\n"
            "assert get() is get()\n"
            "print(get().CIFAR10.__name__)"
        )
        assert _python(program).strip() == "CIFAR10"

    def test_operators_that_the_compiled_part_defines_are_not_declared(self, tmp_path: Path) -> None:
        """A stand-in package whose `_C` defines the operators when first loaded, as a shared library does."""
        package = tmp_path / "torchvision"
        (package / "datasets").mkdir(parents=True)
        compiled = package / "_C.so"
        compiled.touch()
        (package / "__init__.py").write_text(_STAND_IN.format(compiled=str(compiled)))
        (package / "datasets" / "__init__.py").write_text("sound = True\n")
        program = (
            f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
            "import torch\n"
            "libraries = []\n"
            "def load(path):\n"
            f"    assert path == {str(compiled)!r}\n"
            "    if not libraries:\n"
            "        libraries.append(torch.library.Library('torchvision', 'DEF'))\n"
            "        for name in ('nms', 'qnms'):\n"
            "            schema = f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor'\n"
            "            libraries[0].define(schema)\n"
            "torch.ops.load_library = load\n"
            "from core.data.torchvision_sets import import_torchvision_datasets as get\n"
            "print(get().sound)"
        )
        assert _python(program).strip() == "True"
