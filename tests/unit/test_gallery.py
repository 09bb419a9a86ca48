"""A run's galleries show a sample of every set; they can be read without the data set, or say why not."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from core.data.images import ImageSet
from core.engine.messages import Completed
from core.errors import DataError
from core.families.ladder import Ladder
from core.records.gallery import (
    OF_A_SET,
    Gallery,
    amplified,
    galleries_of,
    grey_levels,
    read_gallery,
    sets_in,
    write_galleries,
)
from core.records.home import create
from core.records.nearest import nearest_images
from core.records.results import publish, read_result
from core.sets.members import Members
from core.sets.nearest import NearestToMembers
from core.sets.registry import SETS
from core.spec.spec import Spec
from tests.fakes.arrays import read_arrays
from tests.fakes.experiments import write_no_arrays
from tests.fakes.images import made_up_pool, write_npz
from tests.fakes.numbers import draw_answers, metrics_from_answers
from tests.fakes.processes import ready_worker

SPEC = Spec(dataset="digits", runs=1, controls=(), options={"z": 3})
METRICS = metrics_from_answers(SPEC, 0, draw_answers(SPEC, 0))
LADDER = Ladder("K", ("5", "3", "1"), (5, 3, 1))


def made_up_gallery(
    members: int = 7, shape: tuple[int, int, int] = (4, 6, 1), name: str = "adversarial"
) -> Gallery:
    generator = np.random.default_rng([3, *name.encode()])
    label = np.arange(members, dtype=np.int16) % 3
    return Gallery(
        name=name,
        original=generator.integers(0, 256, (members, *shape), dtype=np.uint8),
        image=generator.random((members, *shape)).astype(np.float32),
        label=label,
        target=((label + 1) % 3).astype(np.int16),
        source=np.arange(members, dtype=np.int32) * 5,
        prediction=generator.integers(0, 3, (2, members)).astype(np.int16),
        knob="K",
        levels=("3", "1"),
        class_names=("one", "zwei", "三"),
    )


def drawn_nearest(pool: ImageSet, members: int, k: int = 4, seed: int = 0) -> NearestToMembers:
    generator = np.random.default_rng([4, seed])
    return NearestToMembers(
        source=generator.integers(0, len(pool.labels), (members, 2, k)),
        distance=np.sort(generator.random((members, 2, k)), axis=2),
        counted=(5, 3, 1),
    )


def as_in_the_first_version(path: Path, galleries: Sequence[Gallery]) -> Path:
    """Write galleries of K as the first version did."""
    write_galleries(path, galleries)
    with np.load(path) as archive:
        arrays = {name: array for name, array in archive.items() if name not in ("level", "knob")}
    np.savez_compressed(path, k=np.array([int(level) for level in galleries[0].levels], np.int32), **arrays)
    return path


def contents(gallery: Gallery) -> dict[str, Any]:
    return {name: np.asarray(value) for name, value in vars(gallery).items()}


def drawn_members(pool: ImageSet, members: int) -> Members:
    generator = np.random.default_rng(1)
    source = generator.integers(0, len(pool.labels), members)
    label = pool.labels[source]
    return Members(
        image=generator.random((members, 28, 28, 1)).astype(np.float32),
        source=source,
        label=label,
        target=(label + 1 + source % 3) % 4,
        prediction=generator.integers(0, 4, (3, members)),
    )


def test_members_stand_beside_their_sources() -> None:
    pool = made_up_pool(images=80)
    samples = {"reverse": drawn_members(pool, 50), "adversarial": drawn_members(pool, 3)}
    galleries = galleries_of(samples, pool, LADDER)
    assert [gallery.name for gallery in galleries] == ["reverse", "adversarial"]
    for gallery, members in zip(galleries, samples.values(), strict=True):
        assert (gallery.knob, gallery.levels) == ("K", ("5", "3", "1"))
        assert gallery.level_names == ("K = 5", "K = 3", "K = 1")
        assert gallery.class_names == pool.class_names
        for name in ("image", "source", "label", "target", "prediction"):
            assert_array_equal(getattr(gallery, name), getattr(members, name))
        for member, source in enumerate(members.source):
            assert_array_equal(gallery.original[member], pool.images[source])


def test_a_set_without_members_is_an_empty_gallery(tmp_path: Path) -> None:
    pool = made_up_pool(images=20)
    galleries = galleries_of({"noise": drawn_members(pool, 0)}, pool, LADDER)
    write_galleries(tmp_path / "gallery.npz", galleries)
    read = read_gallery(tmp_path / "gallery.npz", "noise")
    assert read is not None
    assert (len(read), read.original.shape, read.members()) == (0, (0, 28, 28, 1), [])


@settings(max_examples=60)
@given(st.none() | st.integers(0, 3), st.none() | st.integers(-1, 3))
def test_filters_pass_what_they_name(label: int | None, target: int | None) -> None:
    pool = made_up_pool(images=40)
    (gallery,) = galleries_of({"adversarial": drawn_members(pool, 30)}, pool, LADDER)
    expected = [
        i
        for i in range(30)
        if label in (None, int(gallery.label[i])) and target in (None, int(gallery.target[i]))
    ]
    assert gallery.members(label, target) == expected


class TestTheNearest:
    @pytest.fixture
    def pool(self) -> ImageSet:
        return made_up_pool(images=80)

    def test_what_was_found_is_read_with_its_labels_and_pictures(
        self, tmp_path: Path, pool: ImageSet
    ) -> None:
        samples = {
            "noise": drawn_members(pool, 6),
            "adversarial": drawn_members(pool, 9),
            "test": drawn_members(pool, 0),
        }
        found = {name: drawn_nearest(pool, len(one.label), seed=len(name)) for name, one in samples.items()}
        write_galleries(tmp_path / "gallery.npz", galleries_of(samples, pool, LADDER, found))
        for name, nearest in found.items():
            gallery = read_gallery(tmp_path / "gallery.npz", name)
            assert gallery is not None
            assert gallery.nearest is not None
            assert gallery.nearest.counted == (5, 3, 1)
            assert_array_equal(gallery.nearest.source, nearest.source)
            assert_array_equal(gallery.nearest.distance, nearest.distance, strict=True)
            assert_array_equal(gallery.nearest.label, pool.labels[nearest.source])
            assert set(gallery.nearest.pictures) == set(nearest.source.ravel().tolist())
            for source, picture in gallery.nearest.pictures.items():
                assert_array_equal(picture, pool.images[source], strict=True)

    def test_pictures_of_the_farthest_are_left_out_first(self, pool: ImageSet) -> None:
        found = {
            name: drawn_nearest(pool, 12, seed=seed) for seed, name in enumerate(("noise", "adversarial"))
        }
        first = {source for one in found.values() for source in one.source[:, :, 0].ravel().tolist()}
        room = len(first) + 3
        kept = nearest_images(found, pool, most_bytes=room * pool.images[0].nbytes + 1)
        pictures = {source for one in kept.values() for source in one.pictures}
        assert len(pictures) == room
        assert first < pictures
        seconds = {source for one in found.values() for source in one.source[:, :, 1].ravel().tolist()}
        assert pictures <= first | seconds
        for name, one in kept.items():
            assert_array_equal(one.label, pool.labels[found[name].source], "labels are there of all")

    def test_a_gallery_of_an_older_version_has_none(self, tmp_path: Path) -> None:
        write_galleries(tmp_path / "gallery.npz", [made_up_gallery()])
        read = read_gallery(tmp_path / "gallery.npz")
        assert read is not None
        assert read.nearest is None

    @pytest.mark.parametrize(
        ("name", "change", "reason"),
        [
            ("adversarial.near_label", lambda one: one + np.int16(9), "none of the 4 classes"),
            ("adversarial.near_label", lambda one: one[:3], "near_label has the shape"),
            ("adversarial.near_label", lambda one: one[:, :, :0], "near_label has the shape"),
            ("adversarial.near_label", lambda one: one.astype(np.int64), "cannot be read"),
            ("adversarial.near_distance", lambda one: one[:, :, ::-1].copy(), "no distances in ascending order"),
            ("adversarial.near_distance", lambda one: one * np.nan, "no distances in ascending order"),
            ("adversarial.near_distance", lambda one: one - 2, "no distances in ascending order"),
            ("adversarial.near_source", lambda one: one - np.int32(99), "too small"),
            ("adversarial.near_counted", lambda one: one[:2], "near_counted has the shape"),
            ("adversarial.near_counted", lambda one: one * np.int32(0), "too small"),
            ("near_picture", lambda one: one[:, :5], "near_picture has the shape"),
            ("near_picture_source", lambda one: one[:5], "near_picture_source has the shape"),
            ("near_picture_source", lambda one: None, "cannot be read"),
        ],
    )  # fmt: skip
    def test_what_contradicts_itself_is_refused_with_the_reason(
        self, tmp_path: Path, pool: ImageSet, name: str, change: Any, reason: str
    ) -> None:
        path, samples = tmp_path / "gallery.npz", {"adversarial": drawn_members(pool, 6)}
        write_galleries(path, galleries_of(samples, pool, LADDER, {"adversarial": drawn_nearest(pool, 6)}))
        with np.load(path) as archive:
            arrays = dict(archive)
        changed = change(arrays.pop(name))
        np.savez(path, **arrays, **({} if changed is None else {name: changed}))
        with pytest.raises(DataError, match=reason):
            read_gallery(path)


class TestTheFile:
    @pytest.mark.parametrize("shape", [(4, 6, 1), (5, 5, 3)])
    def test_what_was_written_is_read(self, tmp_path: Path, shape: tuple[int, int, int]) -> None:
        gallery = made_up_gallery(shape=shape)
        write_galleries(tmp_path / "gallery.npz", [gallery])
        read = read_gallery(tmp_path / "gallery.npz")
        assert read is not None
        assert read.class_names == ("one", "zwei", "三")
        for name, value in contents(gallery).items():
            assert_array_equal(getattr(read, name), value, strict=name in OF_A_SET)

    def test_every_set_has_a_gallery_of_its_own(self, tmp_path: Path) -> None:
        path = tmp_path / "gallery.npz"
        written = [made_up_gallery(members, name=name) for members, name in enumerate(SETS)]
        write_galleries(path, written[::-1])
        assert sets_in(path) == tuple(SETS)
        for gallery in written:
            read = read_gallery(path, gallery.name)
            assert read is not None
            assert (read.name, len(read)) == (gallery.name, len(gallery))
            assert_array_equal(read.image, gallery.image)

    def test_a_set_that_is_not_there_is_no_gallery(self, tmp_path: Path) -> None:
        write_galleries(tmp_path / "gallery.npz", [made_up_gallery(name="noise")])
        assert sets_in(tmp_path / "gallery.npz") == ("noise",)
        assert read_gallery(tmp_path / "gallery.npz") is None

    def test_a_set_that_is_not_registered_is_read_and_comes_last(self, tmp_path: Path) -> None:
        path = tmp_path / "gallery.npz"
        written = [made_up_gallery(name=name) for name in ("a.plug-in", "noise", "another")]
        write_galleries(path, written)
        assert sets_in(path) == ("noise", "a.plug-in", "another")
        read = read_gallery(path, "a.plug-in")
        assert read is not None
        assert read.perturbed
        assert_array_equal(read.image, written[0].image)

    def test_levels_of_another_family_are_words(self, tmp_path: Path) -> None:
        path = tmp_path / "gallery.npz"
        write_galleries(path, [replace(made_up_gallery(), knob="Tiefe", levels=("flach", "sehr tief ∞"))])
        read = read_gallery(path)
        assert read is not None
        assert (read.knob, read.levels) == ("Tiefe", ("flach", "sehr tief ∞"))
        assert read.level_names == ("Tiefe = flach", "Tiefe = sehr tief ∞")

    def test_files_of_the_first_version_hold_k_as_numbers(self, tmp_path: Path) -> None:
        written = [made_up_gallery(name=name) for name in ("noise", "adversarial")]
        path = as_in_the_first_version(tmp_path / "gallery.npz", written)
        assert sets_in(path) == ("adversarial", "noise")
        for gallery in written:
            read = read_gallery(path, gallery.name)
            assert read is not None
            for name, value in contents(gallery).items():
                assert_array_equal(getattr(read, name), value)

    def test_two_sets_of_the_first_version_go_by_their_new_names(self, tmp_path: Path) -> None:
        written = {name: made_up_gallery(name=name) for name in ("reverse", "unfiltered")}
        path = as_in_the_first_version(tmp_path / "gallery.npz", list(written.values()))
        assert sets_in(path) == ("reverse-both-ends", "candidates")
        for now, before in (("reverse-both-ends", "reverse"), ("candidates", "unfiltered")):
            read = read_gallery(path, now)
            assert read is not None
            assert read.name == now
            assert_array_equal(read.image, written[before].image)
            assert read_gallery(path, before) is None
        # In a file of now, "reverse" is the set that has this name now.
        new = tmp_path / "new.npz"
        write_galleries(new, [written["reverse"]])
        assert sets_in(new) == ("reverse",)
        assert read_gallery(new, "reverse") is not None
        assert read_gallery(new, "reverse-both-ends") is None

    def test_the_oldest_files_hold_the_adversarial_set(self, tmp_path: Path) -> None:
        gallery = made_up_gallery()
        path = as_in_the_first_version(tmp_path / "gallery.npz", [gallery])
        with np.load(path) as archive:
            bare = {name.removeprefix("adversarial."): array for name, array in archive.items()}
        np.savez_compressed(path, adversarial=bare.pop("image"), **bare)
        assert sets_in(path) == ("adversarial",)
        read = read_gallery(path)
        assert read is not None
        assert read_gallery(path, "noise") is None
        for name, value in contents(gallery).items():
            assert_array_equal(getattr(read, name), value)

    def test_equal_galleries_are_equal_bytes(self, tmp_path: Path) -> None:
        for name in ("a.npz", "b.npz"):
            write_galleries(tmp_path / name, [made_up_gallery()])
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()

    def test_no_file_is_no_gallery(self, tmp_path: Path) -> None:
        assert read_gallery(tmp_path / "nowhere" / "gallery.npz") is None
        assert sets_in(tmp_path / "nowhere" / "gallery.npz") == ()

    @pytest.mark.parametrize("letter", [0, -1])
    def test_a_set_whose_name_is_damaged_is_not_one_that_is_not_there(
        self, tmp_path: Path, letter: int
    ) -> None:
        """A ZIP archive names its members twice: where they lie and, what is read first, at its end."""
        path = tmp_path / "gallery.npz"
        write_galleries(path, [made_up_gallery()])
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        whole = path.read_bytes()
        for name in names:
            content = bytearray(whole)
            place = content.rindex(name.encode())
            content[place + letter % len(name)] = ord("x")
            path.write_bytes(content)
            for read in (read_gallery, sets_in):
                with pytest.raises(DataError, match="damaged"):
                    read(path)

    @settings(max_examples=120)
    @given(data=st.data())
    def test_damaged_bytes_are_refused_or_harmless(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "damaged.npz"
        write_galleries(path, [made_up_gallery()])
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(0, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        try:
            read = read_gallery(path)
        except DataError:
            return
        # What may differ in a file that passes its checksums is the date of an entry, not a pixel.
        assert read is not None
        assert_array_equal(read.image, made_up_gallery().image)

    @pytest.mark.parametrize(
        ("name", "array", "reason"),
        [
            ("original", np.zeros((7, 4, 6, 1)), "cannot be read"),
            ("original", np.zeros((7, 4, 6), np.uint8), "original has the shape"),
            ("original", np.zeros((7, 4, 6, 2), np.uint8), "original has the shape"),
            ("image", np.zeros((6, 4, 6, 1), np.float32), "image has the shape"),
            ("image", np.full((7, 4, 6, 1), 1.5, np.float32), "outside of"),
            ("image", np.full((7, 4, 6, 1), np.nan, np.float32), "outside of"),
            ("label", np.full(7, 3, np.int16), "none of the 3 classes"),
            ("label", np.zeros((7, 1), np.int16), "label has the shape"),
            ("target", np.full(7, -2, np.int16), "none of the 3 classes"),
            ("prediction", np.full((2, 7), -1, np.int16), "none of the 3 classes"),
            ("level", np.array([3, 1], np.int32), "cannot be read"),
            ("level", np.array(["5", "3", "1"]), "prediction has the shape"),
            ("level", np.array([["3", "1"]]), "level is not a list of names"),
            ("knob", np.array(["K"]), "knob is not a name"),
            ("class_names", np.array([[1.5]]), "class_names is not a list"),
        ],
    )
    def test_what_is_no_gallery_is_refused_with_the_reason(
        self, tmp_path: Path, name: str, array: np.ndarray, reason: str
    ) -> None:
        write_galleries(tmp_path / "gallery.npz", [made_up_gallery()])
        with np.load(tmp_path / "gallery.npz") as archive:
            own = name if name in archive else f"adversarial.{name}"
            arrays = {**archive, own: array}
        np.savez(tmp_path / "gallery.npz", **arrays)
        with pytest.raises(DataError, match=reason):
            read_gallery(tmp_path / "gallery.npz")

    def test_a_gallery_without_levels_is_refused(self, tmp_path: Path) -> None:
        none = replace(made_up_gallery(), levels=(), prediction=np.empty((0, 7), np.int16))
        write_galleries(tmp_path / "gallery.npz", [none])
        with pytest.raises(DataError, match="level is empty"):
            read_gallery(tmp_path / "gallery.npz")

    @pytest.mark.parametrize(
        ("k", "reason"),
        [
            (np.array([3, 1], np.int64), "cannot be read"),
            (np.array([5, 3, 1], np.int32), "prediction has the shape"),
            (np.array([[3, 1]], np.int32), "level is not a list of names"),
            (np.empty(0, np.int32), "level is empty"),
        ],
    )
    def test_damaged_levels_of_the_first_version_are_refused(
        self, tmp_path: Path, k: np.ndarray, reason: str
    ) -> None:
        path = as_in_the_first_version(tmp_path / "gallery.npz", [made_up_gallery()])
        with np.load(path) as archive:
            arrays = {**archive, "k": k}
        np.savez(path, **arrays)
        with pytest.raises(DataError, match=reason):
            read_gallery(path)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"text"])
    def test_another_kind_of_file_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "gallery.npz").write_bytes(content)
        with pytest.raises(DataError):
            read_gallery(tmp_path / "gallery.npz")
        np.save(tmp_path / "one.npy", np.zeros(3))
        (tmp_path / "one.npy").rename(tmp_path / "gallery.npz")
        with pytest.raises(DataError):
            read_gallery(tmp_path / "gallery.npz")

    def test_nothing_in_it_is_executed(self, tmp_path: Path) -> None:
        trace, path = tmp_path / "executed", tmp_path / "gallery.npz"
        names = np.empty(1, dtype=object)
        names[0] = Touch(trace)
        write_galleries(path, [made_up_gallery()])
        with np.load(path) as archive:
            arrays = {**archive, "class_names": names}
        np.savez(path, **arrays)
        with pytest.raises(DataError):
            read_gallery(path)
        assert not trace.exists()
        pickle.loads(pickle.dumps(Touch(trace)))
        assert trace.exists(), "the trap does not work"


def write_no_gallery(path: Path) -> None:
    path.write_bytes(b"nobody looks at this")


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


class TestInAResult:
    def test_its_checksum_is_among_the_metrics(self, tmp_path: Path) -> None:
        publish(
            tmp_path,
            METRICS,
            write_no_arrays,
            write_no_gallery,
        )
        metrics = read_result(tmp_path / "result", verify=True)
        checksums = {
            name: hashlib.sha256((tmp_path / "result" / name).read_bytes())
            for name in ("arrays.npz", "gallery.npz")
        }
        assert metrics is not None
        assert metrics.sha256 == {name: digest.hexdigest() for name, digest in checksums.items()}
        (tmp_path / "result" / "gallery.npz").write_bytes(b"other")
        assert read_result(tmp_path / "result", verify=True) is None

    def test_a_gallery_that_cannot_be_written_leaves_no_result(self, tmp_path: Path) -> None:
        def full(path: Path) -> None:
            path.write_bytes(b"half")
            raise OSError("No space left on device")

        with pytest.raises(OSError, match="No space"):
            publish(tmp_path, METRICS, write_no_arrays, full)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    def test_a_worker_publishes_it_with_the_run(self, tmp_path: Path) -> None:
        data = write_npz(tmp_path / "made.npz", images=420)
        spec = Spec(
            dataset=str(data),
            runs=1,
            epochs=4,
            epsilon=0.3,
            controls=("noise",),
            device="cpu",
            options={"z": 5},
        )
        experiment, _ = create(tmp_path, spec)
        with ready_worker(experiment, tmp_path) as compute:
            assert compute(0) == Completed(run=0)
        result = experiment.run_folder(0) / "result"
        assert read_result(result, verify=True) is not None
        assert sets_in(result / "gallery.npz") == ("test", "misclassified", "adversarial", "noise")
        gallery, arrays = read_gallery(result / "gallery.npz"), read_arrays(result / "arrays.npz")
        assert gallery is not None
        assert len(gallery) == len(arrays["adversarial_label"]) > 3
        where = np.lexsort((arrays["adversarial_target"], arrays["adversarial_source"]))
        mine = np.lexsort((gallery.target, gallery.source))
        assert_array_equal(gallery.image[mine], arrays["adversarial_image"][where])
        change = np.abs(gallery.image - gallery.original / 255)
        assert 0.29 < change.max() <= 0.3 + 1e-6
        assert gallery.class_names == ("class0", "class1", "class2", "class3")


class TestLooking:
    def test_pixels_become_the_nearest_grey_level(self) -> None:
        image = np.array([0, 0.4999 / 255, 0.5001 / 255, 0.5, 254.6 / 255, 1], dtype=np.float32)
        assert grey_levels(image).tolist() == [0, 0, 1, 128, 255, 255]

    @pytest.mark.parametrize(
        ("change", "gain"), [(0.1, 10), (0.3, 2), (0.5, 2), (0.02, 50), (0.15, 5), (1.0, 1), (1e-6, 1000)]
    )
    def test_a_perturbation_is_amplified_as_far_as_it_fits(self, change: float, gain: int) -> None:
        original = np.array([0, 255, 0, 255], dtype=np.uint8).reshape(1, 4, 1)
        signs = np.array([1, -1, 0, -0.5]).reshape(1, 4, 1)
        adversarial = (original / 255 + change * signs).astype(np.float32)
        picture, found = amplified(original, adversarial)
        assert found == gain
        expected = 127.5 + 127.5 * gain * change * signs.ravel()
        assert np.abs(picture.ravel() - expected).max() <= 0.51
        assert picture.dtype == np.uint8

    def test_no_change_is_mid_grey(self) -> None:
        original = np.zeros((2, 2, 3), dtype=np.uint8)
        picture, gain = amplified(original, np.zeros((2, 2, 3), dtype=np.float32))
        assert gain == 1
        assert set(picture.ravel().tolist()) == {128}
