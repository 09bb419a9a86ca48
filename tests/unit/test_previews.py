"""A preview shows what an experiment would read and what its attack would do, and refuses what it would refuse."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.attacks.registry import ATTACKS
from core.data import packaged, user_data
from core.data.catalogue import CATALOGUE, find
from core.data.load import load
from core.errors import DataError, RecordError, SpecError
from core.files.cache import Cache
from core.previews import attack as attack_module
from core.previews.__main__ import answer
from core.previews.attack import SOURCE, preview_attack
from core.previews.dataset import SHOWN, choose, preview_dataset
from core.previews.records import AttackPreview, AttackRequest, DataPreview, DataRequest, Request
from core.records.types import parse, plain, to_json
from core.report.refusal import refusal_in
from tests.fakes.images import write_npz
from tui_aefit.lab.previews import preview


def write_folder(folder: Path, classes: int = 3, each: int = 4) -> Path:
    """Grey images whose pixels all have one value, another for every image."""
    for label in range(classes):
        (folder / f"class{label}").mkdir(parents=True)
        for number in range(each):
            grey = np.full((28, 28), 10 * label + number, dtype=np.uint8)
            Image.fromarray(grey).save(folder / f"class{label}" / f"{number}.png")
    return folder


def pixels(found: DataPreview) -> np.ndarray:
    return np.frombuffer(found.pixels, dtype=np.uint8).reshape(len(found.labels), *found.shape)


def look(dataset: Path | str, cache: Cache | None = None) -> DataPreview:
    return preview_dataset(str(dataset), data_dir=Path("/nowhere"), cache=cache)


class TestChoice:
    def test_it_is_the_first_and_the_middle_one_of_each_class(self) -> None:
        labels = np.array([2, 0, 0, 1, 2, 2, 0, 2])
        assert choose(labels).tolist() == [1, 3, 0, 2, 5]

    @pytest.mark.parametrize("classes", [1, 2, 10, 11, 20, 21, 300])
    def test_there_are_never_more_than_fit(self, classes: int) -> None:
        labels = np.repeat(np.arange(classes), 3)
        chosen = labels[choose(labels)]
        assert len(chosen) == min(SHOWN, 2 * classes if 2 * classes <= SHOWN else classes)
        assert set(chosen.tolist()) == set(range(min(classes, SHOWN)))

    def test_none_of_none(self) -> None:
        assert len(choose(np.array([], dtype=np.int64))) == 0


class TestData:
    def test_a_packaged_set_is_shown_as_it_is_read(self) -> None:
        found, pool = look("mnist-5k"), packaged.read(find("mnist-5k"))
        entry = CATALOGUE["mnist-5k"]
        assert (found.images, found.classes) == (entry.train_size + entry.test_size, entry.classes)
        assert (found.shape, found.test_size) == (entry.shape, entry.test_size)
        chosen = choose(pool.labels)
        assert (pixels(found) == pool.images[chosen]).all()
        assert found.labels == tuple(pool.labels[chosen])
        assert found.counts == tuple(np.bincount(pool.labels))

    def test_a_folder_is_shown_as_it_is_read_and_only_what_is_shown_is_decoded(self, tmp_path: Path) -> None:
        folder = write_folder(tmp_path / "own")
        found = look(folder)
        pool = load(str(folder), data_dir=tmp_path, cache_dir=tmp_path / "cache", note=lambda text: None)
        assert (found.images, found.classes, found.test_size) == (12, 3, pool.test_size)
        assert (found.class_names, found.counts) == (pool.class_names, (4, 4, 4))
        assert (pixels(found) == pool.images[choose(pool.labels)]).all()
        (folder / "class1" / "1.png").write_bytes(b"broken, and not shown")
        assert look(folder) == found
        (folder / "class1" / "0.png").write_bytes(b"broken, and shown")
        with pytest.raises(DataError, match=r"the image class1/0\.png cannot"):
            look(folder)

    def test_a_zip_and_an_npz_too(self, tmp_path: Path) -> None:
        folder = write_folder(tmp_path / "own")
        with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
            for path in sorted(folder.rglob("*.png")):
                archive.write(path, path.relative_to(folder))
        assert look(tmp_path / "own.zip") == look(folder)
        arrays = write_npz(tmp_path / "arrays.npz", images=40)
        pool = user_data.read(arrays, Cache(tmp_path), lambda text: None)
        assert (pixels(look(arrays)) == pool.images[choose(pool.labels)]).all()

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda path: path.mkdir(), "no class"),
            (lambda path: write_folder(path, classes=1), "one class"),
            (lambda path: write_folder(path, each=1), "too few images"),
            (lambda path: (path / "a" / "b" / "c").mkdir(parents=True), "no class"),
        ],
    )
    def test_what_an_experiment_refuses_is_refused_and_nothing_is_written(
        self, tmp_path: Path, make: object, reason: str
    ) -> None:
        make(tmp_path / "own")  # type: ignore[operator]
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(DataError, match=reason):
            look(tmp_path / "own", Cache(tmp_path / "cache"))
        assert sorted(tmp_path.rglob("*")) == before
        with pytest.raises(DataError, match=reason):
            load(
                str(tmp_path / "own"), data_dir=tmp_path, cache_dir=tmp_path / "cache", note=lambda text: None
            )

    def test_a_named_set_is_read_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cache = Cache(tmp_path)
        found = look("mnist-5k", cache)
        monkeypatch.setattr(packaged, "read", None)
        assert look("mnist-5k", cache) == found
        (kept,) = (tmp_path / "previews").iterdir()
        kept.write_bytes(b"damaged")
        with pytest.raises(TypeError):  # it is read again
            look("mnist-5k", cache)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """Of which the first example trains the network that the others attack."""
    return Cache(tmp_path_factory.mktemp("cache"))


class TestAttack:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ATTACKS.own)
    def test_it_stays_within_epsilon_and_is_shown_before_and_after(self, name: str, cache: Cache) -> None:
        options = {option.name: option.default for option in ATTACKS[name].options}
        found = preview_attack(name, 0.2, options, cache)
        before, after = (
            np.frombuffer(one, dtype=np.uint8).astype(int) for one in (found.original, found.changed)
        )
        pool = packaged.read(find("mnist-5k"))
        assert (before == pool.images[SOURCE].ravel()).all()
        assert found.label == str(pool.labels[SOURCE]) == found.said
        assert found.largest <= 0.2 + 1e-6
        assert np.abs(after - before).max() == pytest.approx(255 * found.largest, abs=0.51)
        assert bool(found.target) == ATTACKS[name].targeted
        change = np.frombuffer(found.change, dtype=np.uint8).astype(int)
        assert (
            np.sign(change - 127.5)[np.abs(after - before) > 1]
            == np.sign(after - before)[np.abs(after - before) > 1]
        ).all()

    @pytest.mark.slow
    def test_one_that_was_made_before_takes_no_torch(
        self, cache: Cache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = preview_attack("fgsm", 0.2, {}, cache)
        monkeypatch.setattr(attack_module, "_attack", None)
        assert preview_attack("fgsm", 0.2, {}, cache) == found
        with pytest.raises(TypeError):  # made anew
            preview_attack("fgsm", 0.3, {}, cache)

    def test_settings_that_it_cannot_take_are_refused_in_words(self, cache: Cache) -> None:
        request = AttackRequest(attack="fgsm", epsilon=2.0, options={}, cache_dir="")
        with pytest.raises(SpecError, match=r"epsilon = 2\.0"):
            answer(request)


class TestProcess:
    async def test_the_form_gets_what_the_process_makes(self, tmp_path: Path) -> None:
        folder = write_folder(tmp_path / "own")
        request = DataRequest(dataset=str(folder), data_dir="/nowhere", cache_dir="")
        assert await preview(request) == look(folder)
        empty = tmp_path / "empty"
        empty.mkdir()
        with pytest.raises(DataError) as refused:
            await preview(DataRequest(dataset=str(empty), data_dir="/nowhere", cache_dir=""))
        assert "has no class" in str(refused.value)
        assert "one sub-folder of images a class" in refused.value.hint

    def test_a_request_that_is_none_is_refused(self) -> None:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "core.previews"], input=b"{}", capture_output=True, check=False
        )
        assert done.returncode == 2
        refusal = refusal_in(done.stderr.decode())
        assert refusal is not None
        assert "the request cannot be read" in refusal.error


class TestRecords:
    def test_they_come_back_as_they_were(self) -> None:
        request = Request(of=AttackRequest(attack="pgd", epsilon=0.1, options={"steps": 3}, cache_dir="c"))
        assert parse(to_json(request), Request, "it") == request

    @pytest.mark.parametrize(
        "wrong",
        [
            {"pixels": b"x"},
            {"labels": (3,)},
            {"counts": (1,)},
            {"shape": (1, 1, 2)},
            {"class_names": ("\x1b",)},
        ],
    )
    def test_data_that_contradict_themselves_are_refused(self, wrong: dict[str, object]) -> None:
        whole = {
            "images": 4, "classes": 2, "test_size": 1, "shape": (1, 2, 1), "class_names": ("a", "b"),
            "counts": (2, 2), "labels": (0, 1), "pixels": b"abcd",
        }  # fmt: skip
        assert parse(to_json(plain(DataPreview(**whole))), DataPreview, "it").image(1) == b"cd"  # type: ignore[arg-type]
        with pytest.raises((RecordError, ValueError)):
            parse(to_json(plain({**whole, **wrong})), DataPreview, "it")

    def test_an_example_whose_images_differ_in_size_is_refused(self) -> None:
        whole = {
            "shape": (1, 2, 1), "original": b"ab", "change": b"ab", "changed": b"ab", "gain": 1, "label": "3",
            "target": "", "said": "3", "says": "8", "sure": 0.5, "kept": True, "largest": 0.1,
        }  # fmt: skip
        AttackPreview(**whole)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="pixels"):
            AttackPreview(**{**whole, "changed": b"a"})  # type: ignore[arg-type]
