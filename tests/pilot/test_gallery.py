"""The gallery: every key does what the footer says, and where there is nothing to see it says why."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from textual.app import App
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Footer, Static

from core.records.experiment import Experiment
from core.records.gallery import Gallery, write_galleries
from core.records.home import create
from core.records.nearest import NearestImages
from core.records.results import publish
from core.sets.registry import SETS
from core.spec.spec import Spec
from tests.fakes.lab import PATIENCE, until
from tests.fakes.numbers import draw_answers, metrics_from_answers
from tui_aefit.lab.gallery_reading import read
from tui_aefit.lab.screens import gallery as gallery_module
from tui_aefit.lab.screens.gallery import GalleryScreen
from tui_aefit.lab.widgets.nearest import NearestPane
from tui_aefit.lab.widgets.picture import Panel, Pictures
from tui_aefit.lab.widgets.shades import shows_colours
from tui_aefit.lab.widgets.thumbnails import Thumbnails
from tui_aefit.shell.publications import EXPORTS

SPEC = Spec(runs=3, options={"z": 5})
LABELS_AND_TARGETS = ((0, 1), (1, 2), (2, 0), (0, 2), (1, 0), (0, 1))
"""Of the six members of every gallery that is made here."""


def make_gallery(
    seed: int = 0, shape: tuple[int, int, int] = (28, 28, 1), *, members: int = 6, name: str = "adversarial"
) -> Gallery:
    generator = np.random.default_rng(seed)
    label, target = np.array(LABELS_AND_TARGETS[:members], np.int16).reshape(-1, 2).T
    original = generator.integers(30, 220, (members, *shape), dtype=np.uint8)
    signs = generator.choice(np.array([-0.1, 0.1], np.float32), original.shape)
    return Gallery(
        name=name,
        original=original,
        image=(original / np.float32(255) + signs * SETS[name].perturbed).astype(np.float32),
        label=label,
        target=target if SETS[name].perturbed else np.full_like(target, -1),
        source=np.arange(100, 100 + members, dtype=np.int32),
        prediction=np.stack([target, 3 - label - target, label]) if members else np.empty((3, 0), np.int16),
        knob="K",
        levels=("5", "3", "1"),
        class_names=("cat", "[b]dog", "horse"),
    )


def add_run(experiment: Experiment, run: int, *galleries: Gallery) -> None:
    metrics = metrics_from_answers(SPEC, run, draw_answers(SPEC, run, {"adversarial": 1234, "noise": 321}))
    write = (lambda path: write_galleries(path, galleries)) if galleries else None
    publish(experiment.run_folder(run), metrics, Path.touch, write)


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return create(tmp_path, SPEC)[0]


class Viewer(App[None]):
    """Only the gallery over an empty screen."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment

    def on_mount(self) -> None:
        self.push_screen(GalleryScreen(self.experiment))


@asynccontextmanager
async def opened(experiment: Experiment, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    async with Viewer(experiment).run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot


async def settle(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def text(pilot: Pilot[None], name: str) -> str:
    return str(pilot.app.screen.query_one(f"#{name}", Static).render())


def images(pilot: Pilot[None]) -> Sequence[np.ndarray]:
    rows = pilot.app.screen.query_one(Pictures).rows
    return [panel.image for panel in rows[0]] if rows else []


def shown_source(pilot: Pilot[None]) -> int:
    """Which member is shown, by its original."""
    return int(text(pilot, "facts").split("image ")[1].split()[0])


def shown_members(pilot: Pilot[None], gallery: Gallery) -> list[int]:
    """The member shown and those below it, by their originals."""
    rows = pilot.app.screen.query_one(Pictures).rows
    return [gallery.original.tolist().index(row[0].image.tolist()) for row in rows]


async def test_the_three_pictures_are_those_of_the_member(experiment: Experiment) -> None:
    gallery = make_gallery()
    add_run(experiment, 0, gallery)
    async with opened(experiment) as pilot:
        original, perturbation, adversarial = images(pilot)
        assert (original == gallery.original[0]).all()
        assert np.abs(adversarial / 255 - gallery.image[0]).max() <= 0.5 / 255 + 1e-6
        brighter = gallery.image[0] > gallery.original[0] / 255
        assert ((perturbation > 200) == brighter).all()
        captions = [panel.caption for panel in pilot.app.screen.query_one(Pictures).rows[0]]
        assert captions == ["original", "perturbation ×10", "adversarial"]


async def test_what_is_said_of_an_image(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    async with opened(experiment) as pilot:
        facts = {line[:11].strip(): line[11:] for line in text(pilot, "facts").splitlines()}
        assert facts == {
            "true label": "cat",
            "target": "[b]dog",
            "change": "at most 0.100, epsilon 0.1",
            "source": "image 100 of the data set",
            "sample": "6 of 1,234 adversarial",
            "pixels": "28 x 28, shown reduced",
        }
        answers = [line.split() for line in text(pilot, "answers").splitlines()]
        assert answers == [
            ["K", "classified", "as"],
            ["5", "[b]dog", "✗", "wrong,", "the", "target"],
            ["3", "horse", "✗", "wrong"],
            ["1", "cat", "✓", "right"],
        ]
        assert text(pilot, "where").split("   ") == [
            "run 1 of 3",
            "1 of 6",
            "set: adversarial",
            "class: all",
            "target: all",
        ]


async def test_keys_browse(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    async with opened(experiment) as pilot:
        for key, source in (
            ("right", 101),
            ("l", 102),
            ("left", 101),
            ("h", 100),
            ("h", 105),
            ("right", 100),
            ("end", 105),
            ("home", 100),
            ("shift+right", 105),
            ("H", 100),
        ):
            await press(pilot, key)
            assert shown_source(pilot) == source, key
            assert f"{source - 99} of 6" in text(pilot, "where")
            assert (images(pilot)[0] == make_gallery().original[source - 100]).all()


async def test_up_and_down_go_through_the_complete_runs(experiment: Experiment) -> None:
    galleries = {0: make_gallery(0), 2: make_gallery(2)}
    for run, gallery in galleries.items():
        add_run(experiment, run, gallery)
    async with opened(experiment) as pilot:
        for keys, run in ((["right"], 0), (["down"], 2), (["j"], 0), (["up"], 2), (["k"], 0)):
            await press(pilot, *keys)
            assert text(pilot, "where").startswith(f"run {run + 1} of 3")
            shown = shown_source(pilot) - 100
            assert (images(pilot)[0] == galleries[run].original[shown]).all()
            assert shown == (1 if keys == ["right"] else 0), "another run begins with its first image"
        add_run(experiment, 1, make_gallery(1))
        await press(pilot, "down")
        assert text(pilot, "where").startswith("run 2 of 3"), "a run completed meanwhile is found"


async def test_class_and_target_filters_cycle_and_combine(experiment: Experiment) -> None:
    gallery = make_gallery()
    add_run(experiment, 0, gallery)
    names = ("cat", "[b]dog", "horse")

    def passing(label: int | None, target: int | None) -> list[int]:
        return [
            i for i, (y, t) in enumerate(LABELS_AND_TARGETS) if label in (None, y) and target in (None, t)
        ]

    def check(label: int | None, target: int | None) -> None:
        where = text(pilot, "where").split("   ")
        assert where[3] == "class: " + ("all" if label is None else names[label])
        assert where[4] == "target: " + ("all" if target is None else names[target])
        expected = passing(label, target)
        assert where[1] == f"1 of {len(expected)}"
        assert shown_members(pilot, gallery) == expected[:4]

    async with opened(experiment) as pilot:
        for keys, label, target in (
            ("c", 0, None),
            ("a", 0, 1),
            ("a", 0, 2),
            ("a", 0, None),
            ("A", 0, 2),
            ("c", 1, 2),
            ("c", 2, None),  # no horse was attacked toward horse: the filter goes
            ("c", None, None),
            ("C", 2, None),
            ("C", 1, None),
        ):
            await press(pilot, keys)
            check(label, target)


async def test_a_filter_stays_for_the_next_run_where_it_passes_something(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    add_run(experiment, 1, make_gallery(members=2))
    async with opened(experiment) as pilot:
        await press(pilot, "c", "a", "down")
        assert text(pilot, "where").endswith("1 of 1   set: adversarial   class: cat   target: [b]dog")
        await press(pilot, "up", "c", "c", "down")
        assert text(pilot, "where").endswith("1 of 2   set: adversarial   class: all   target: all")


SHOWN = ("misclassified", "adversarial", "noise", "reverse")
"""In the order in which tables show them."""


def of_every_set(seed: int = 0) -> list[Gallery]:
    return [make_gallery(seed + place, name=name) for place, name in enumerate(SHOWN)]


async def test_s_goes_through_the_sets_that_there_are(experiment: Experiment) -> None:
    galleries = dict(zip(SHOWN, of_every_set(), strict=True))
    add_run(experiment, 0, *galleries.values())
    async with opened(experiment) as pilot:
        await press(pilot, "right")
        for key, name in (
            ("s", "noise"),
            ("s", "reverse"),
            ("s", "misclassified"),
            ("s", "adversarial"),
            ("S", "misclassified"),
            ("S", "reverse"),
        ):
            await press(pilot, key)
            assert f"1 of 6   set: {name}" in text(pilot, "where")
            assert (images(pilot)[0] == galleries[name].original[0]).all(), (
                "another set begins with its first"
            )
        await pilot.click("#where", offset=(text(pilot, "where").index("set:") + 2, 0))
        await settle(pilot)
        assert "set: misclassified" in text(pilot, "where")


@pytest.mark.slow
async def test_a_set_that_no_image_is_kept_of_is_passed_over(experiment: Experiment) -> None:
    galleries = [make_gallery(members=0 if "shuffled" in name else 6, name=name) for name in SETS]
    add_run(experiment, 0, *galleries)
    async with opened(experiment) as pilot:
        seen = []
        for _ in SETS:
            seen.append(text(pilot, "where").split("set: ")[1].split()[0])
            assert len(images(pilot)) == (3 if SETS[seen[-1]].perturbed else 1)
            await press(pilot, "s")
        assert set(seen) == set(SETS) - {"shuffled", "misclassified-shuffled"}


async def test_the_size_of_a_set_and_its_images_are_its_own(experiment: Experiment) -> None:
    add_run(experiment, 0, *of_every_set())
    async with opened(experiment) as pilot:
        await press(pilot, "s")
        assert "6 of 321 noise" in text(pilot, "facts")
        captions = [panel.caption for panel in pilot.app.screen.query_one(Pictures).rows[0]]
        assert captions == ["original", "perturbation ×10", "noise"]


@pytest.mark.parametrize(
    ("distinct", "sample"),
    [({"matched": 45}, "6 of 45, counted 217 times"), ({}, "6 of 217 matched")],  # {}: of an older version
)
async def test_of_images_that_are_counted_more_than_once_the_number_of_different_ones_is_shown(
    experiment: Experiment, distinct: dict[str, int], sample: str
) -> None:
    metrics = metrics_from_answers(SPEC, 0, draw_answers(SPEC, 0, {"adversarial": 217, "matched": 217}))
    counts = msgspec.structs.replace(metrics.counts, distinct=distinct)
    metrics = msgspec.structs.replace(metrics, counts=counts)
    galleries = [make_gallery(name=name) for name in ("adversarial", "matched")]
    publish(experiment.run_folder(0), metrics, Path.touch, partial(write_galleries, galleries=galleries))
    for size in ((80, 24), (140, 45)):
        async with opened(experiment, size) as pilot:
            await press(pilot, "s")
            assert f"sample     {sample}" in text(pilot, "facts").splitlines()
            facts = pilot.app.screen.query_one("#facts")
            assert facts.region.width >= len(f"sample     {sample}")
            assert facts.region.height == len(text(pilot, "facts").splitlines())


async def test_images_of_the_data_set_stand_alone(experiment: Experiment) -> None:
    add_run(experiment, 0, *of_every_set())
    async with opened(experiment, (140, 45)) as pilot:
        await press(pilot, "S")
        rows = pilot.app.screen.query_one(Pictures).rows
        assert [[panel.caption for panel in row] for row in rows[:2]] == [
            ["misclassified"],
            ["next: true label [b]dog"],
        ]
        facts = [line[:11].strip() for line in text(pilot, "facts").splitlines()]
        assert facts == ["true label", "source", "sample", "pixels"]
        assert text(pilot, "legend") == "test images that the most general level gets wrong"


async def test_the_set_and_the_filters_stay_for_the_next_run(experiment: Experiment) -> None:
    add_run(experiment, 0, *of_every_set())
    add_run(experiment, 1, *of_every_set(seed=7))
    async with opened(experiment) as pilot:
        await press(pilot, "s", "c", "down")
        assert text(pilot, "where") == "run 2 of 3   1 of 3   set: noise   class: cat   target: all"
        assert (images(pilot)[0] == make_gallery(9, name="noise").original[0]).all()


async def test_while_a_set_is_read_the_one_before_keeps_its_name(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(experiment, 0, *of_every_set())
    let = threading.Event()

    def slowly(*arguments: Any, **options: Any) -> Any:
        assert let.wait(PATIENCE)
        return read(*arguments, **options)

    async with opened(experiment) as pilot:
        monkeypatch.setattr(gallery_module, "read", slowly)
        await pilot.press("s", "right")
        assert "2 of 6   set: adversarial" in text(pilot, "where")
        await pilot.press("x")
        await pilot.pause()
        let.set()
        await settle(pilot)
        assert "1 of 6   set: noise" in text(pilot, "where")
    (written,) = (experiment.folder / "exports").iterdir()
    assert written.name == "gallery-run1-2.png"


async def test_a_damaged_set_leaves_the_others_to_be_seen(experiment: Experiment) -> None:
    add_run(experiment, 0, *of_every_set())
    path = experiment.run_folder(0) / "result" / "gallery.npz"
    with np.load(path) as archive:
        arrays = {**archive, "noise.label": np.full(6, 9, np.int16)}
    np.savez(path, **arrays)
    async with opened(experiment) as pilot:
        await press(pilot, "s")
        assert "of the noise set, label holds a number that is none of the 3 classes" in text(pilot, "empty")
        await press(pilot, "s")
        assert "1 of 6   set: reverse" in text(pilot, "where")


async def test_the_filters_are_whole_where_names_are_long(experiment: Experiment) -> None:
    names = ("automobile", "hovercraft", "helicopter")
    galleries = [make_gallery(name=name) for name in ("adversarial", "one-per-source")]
    add_run(experiment, 0, *(replace(gallery, class_names=names) for gallery in galleries))
    async with opened(experiment) as pilot:
        await press(pilot, "s", "c", "a")
        assert len(text(pilot, "where")) <= 78
        assert text(pilot, "where").endswith("set one-per-source   of automobile   to hovercraft")
        await pilot.resize_terminal(140, 24)
        await settle(pilot)
        assert text(pilot, "where").endswith("set: one-per-source   class: automobile   target: hovercraft")


async def test_a_run_without_the_set_says_so_and_shows_others(experiment: Experiment) -> None:
    add_run(experiment, 0, *of_every_set())
    add_run(experiment, 1, make_gallery())
    add_run(experiment, 2, make_gallery(members=6), make_gallery(members=0, name="noise"))
    async with opened(experiment) as pilot:
        await press(pilot, "s", "down")
        assert "Run 2 has no images of the set noise" in text(pilot, "empty")
        await press(pilot, "down")
        assert "Run 3 has no image in the set noise: random sign noise" in text(pilot, "empty")
        assert text(pilot, "where") == "run 3 of 3   set: noise"
        await press(pilot, "up", "s")
        assert "run 2 of 3   1 of 6   set: adversarial" in text(pilot, "where")
        await press(pilot, "s")
        assert "set: adversarial" in text(pilot, "where"), "there is only one"


async def test_the_filters_can_be_clicked(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    async with opened(experiment) as pilot:
        for word, expected in (("class", "class: cat"), ("target", "target: [b]dog")):
            await pilot.click("#where", offset=(text(pilot, "where").index(word) + 2, 0))
            await settle(pilot)
            assert expected in text(pilot, "where")


async def test_untargeted_attacks_have_no_target(experiment: Experiment) -> None:
    gallery = make_gallery()
    gallery.target[:] = -1
    add_run(experiment, 0, gallery)
    async with opened(experiment) as pilot:
        assert "target     none" in text(pilot, "facts")
        await press(pilot, "a")
        assert text(pilot, "where").endswith("1 of 6   set: adversarial   class: all   target: all")


async def test_x_writes_a_png_and_says_where(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery(0))
    add_run(experiment, 1, make_gallery(1))
    async with opened(experiment) as pilot:
        await press(pilot, "down", "right", "x")
        path = experiment.folder / EXPORTS / "gallery-run2-2.png"
        said = f"wrote {path.name} to\n{path.parent}"
        assert [(n.message, n.severity) for n in pilot.app._notifications] == [(said, "information")]
        with Image.open(path) as image:
            assert image.format == "PNG"
            one = image.size
        await press(pilot, "X")
        with Image.open(experiment.folder / EXPORTS / "gallery-run2-2-and-4-more.png") as image:
            assert image.width == one[0]
            assert image.height > 4 * one[1]


async def test_x_names_another_set_in_its_file(experiment: Experiment) -> None:
    add_run(experiment, 0, *of_every_set())
    async with opened(experiment) as pilot:
        await press(pilot, "s", "x", "X")
        files = sorted(path.name for path in (experiment.folder / EXPORTS).iterdir())
        assert files == ["gallery-noise-run1-1-and-5-more.png", "gallery-noise-run1-1.png"]


async def test_an_export_that_fails_says_why(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    (experiment.folder / EXPORTS).touch()
    async with opened(experiment) as pilot:
        await press(pilot, "x")
        (notification,) = pilot.app._notifications
        assert notification.severity == "error"
        assert "cannot write" in notification.message


async def test_escape_leaves(experiment: Experiment) -> None:
    async with opened(experiment) as pilot:
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, GalleryScreen)


async def test_a_reading_that_ends_when_the_screen_is_gone_is_no_error(experiment: Experiment) -> None:
    async with opened(experiment) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, GalleryScreen)
        await press(pilot, "escape")
        await screen.query("*").remove()
        screen._show()


async def test_w_draws_with_characters_and_back(experiment: Experiment) -> None:
    gallery = make_gallery()
    gallery.original[0] = 0
    gallery.image[0] = 0.1
    add_run(experiment, 0, gallery)

    def row(pilot: Pilot[None]) -> str:
        return "".join(segment.text for segment in pilot.app.screen.query_one(Pictures).render_line(3))

    async with opened(experiment) as pilot:
        assert row(pilot) == " ".join(["▀" * 26] * 3)
        assert "lighter is added" in text(pilot, "legend")
        await press(pilot, "w")
        # Black is blank; ten times a tenth is all that can be added; a tenth is the first step above black.
        assert row(pilot) == " ".join([" " * 26, "#" * 26, "." * 26])
        assert "+ # is added" in text(pilot, "legend")
        await press(pilot, "w")
        assert row(pilot) == " ".join(["▀" * 26] * 3)


async def test_without_colours_it_begins_with_characters(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    add_run(experiment, 0, make_gallery())
    async with opened(experiment) as pilot:
        assert not shows_colours(pilot.app)
        assert pilot.app.screen.query_one(Pictures).as_text


async def test_below_it_stand_those_that_follow_in_the_filter(experiment: Experiment) -> None:
    gallery = make_gallery()
    add_run(experiment, 0, gallery)
    async with opened(experiment) as pilot:
        for keys, expected in (("end", [5, 0, 1, 2]), ("c", [0, 3, 5]), ("right", [3, 5, 0])):
            await press(pilot, keys)
            assert shown_members(pilot, gallery) == expected
        captions = [panel.caption for panel in pilot.app.screen.query_one(Pictures).rows[1]]
        assert captions == [
            "next: true label cat",
            "perturbation ×10",
            "target [b]dog",
        ]


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        (
            (28, 28, 1),
            {(60, 20): 19, (80, 24): 26, (86, 24): 28, (140, 24): 28, (140, 45): 28, (200, 60): 56},
        ),
        ((32, 32, 3), {(60, 20): 19, (80, 24): 26, (98, 30): 32, (140, 45): 32, (200, 60): 64}),
    ],
    ids=["grey", "colour"],
)
@pytest.mark.slow
async def test_pictures_are_as_large_as_the_terminal_allows(
    experiment: Experiment, shape: tuple[int, int, int], sides: dict[tuple[int, int], int]
) -> None:
    add_run(experiment, 0, make_gallery(shape=shape))
    async with opened(experiment) as pilot:
        for size, side in sides.items():
            await pilot.resize_terminal(*size)
            await settle(pilot)
            pictures = pilot.app.screen.query_one(Pictures)
            blocks = [
                "".join(segment.text for segment in pictures.render_line(y)).count("▀")
                for y in range(pictures.size.height)
            ]
            rows = 2 if size == (140, 45) else 1
            assert blocks[: rows * (1 + (side + 1) // 2)] == (
                ([0] + [3 * side] * ((side + 1) // 2)) * rows
            ), size
            assert sum(blocks) == rows * 3 * side * ((side + 1) // 2), size
            assert ("shown reduced" in text(pilot, "facts")) == (side < shape[0]), size
            if size[1] >= 24:
                assert pilot.app.screen.query_one("#answers").region.bottom < size[1], "hidden by the footer"


async def test_what_does_not_fit_can_be_scrolled_to(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    async with opened(experiment, (80, 20)) as pilot:
        details = pilot.app.screen.query_one("#details")
        await press(pilot, "pagedown")
        assert details.scroll_y > 0
        await press(pilot, "pageup")
        assert details.scroll_y == 0


def damage(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    (experiment.run_folder(0) / "result" / "gallery.npz").write_bytes(b"damaged")


@pytest.mark.parametrize(
    ("prepare", "where", "reason"),
    [
        (lambda experiment: None, "", "No run is complete yet"),
        (
            lambda experiment: add_run(experiment, 1, make_gallery(members=0)),
            "run 2 of 3   set: adversarial",
            "no adversarial image",
        ),
        (lambda experiment: add_run(experiment, 0), "run 1 of 3", "an older version computed it"),
        (damage, "run 1 of 3", "cannot be read"),
    ],
    ids=["no run", "none adversarial", "older result", "damaged"],
)
async def test_where_there_is_nothing_to_see_it_says_why(
    experiment: Experiment, prepare: Callable[[Experiment], None], where: str, reason: str
) -> None:
    prepare(experiment)
    async with opened(experiment) as pilot:
        assert reason in text(pilot, "empty")
        assert text(pilot, "where") == where
        assert not pilot.app.screen.query_one("#body").display
        await press(pilot, "right", "end", "c", "a", "t", "y", "x", "X", "w", "up", "down")
        assert reason in text(pilot, "empty")
        assert not (experiment.folder / EXPORTS).exists()
        add_run(experiment, 2, make_gallery())
        await press(pilot, "up")
        assert text(pilot, "where").startswith("run 3 of 3   1 of 6")
        assert pilot.app.screen.query_one("#body").display


async def test_the_first_complete_run_appears_by_itself(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_module, "LOOK_SECONDS", 0.01)
    async with opened(experiment) as pilot:
        add_run(experiment, 0, make_gallery())
        await until(pilot, lambda: images(pilot))
        assert text(pilot, "where").startswith("run 1 of 3")


async def test_on_a_slow_file_system_it_appears_too(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_module, "LOOK_SECONDS", 0.01)
    let = threading.Event()
    let.set()
    begun: list[int] = []

    def slowly(*arguments: Any, **options: Any) -> Any:
        begun.append(1)
        assert let.wait(PATIENCE)
        return read(*arguments, **options)

    monkeypatch.setattr(gallery_module, "read", slowly)
    async with Viewer(experiment).run_test() as pilot:
        await until(pilot, lambda: len(begun) >= 2)  # it looks again and again by now
        let.clear()
        before = len(begun)
        await until(pilot, lambda: len(begun) > before)
        held = len(begun)
        await pilot.pause(0.2)  # as long as one look takes, no other is begun in its place
        assert len(begun) == held
        add_run(experiment, 0, make_gallery())
        let.set()
        await until(pilot, lambda: images(pilot))
        assert text(pilot, "where").startswith("run 1 of 3")


async def test_the_footer_shows_at_most_seven_keys_and_all_fit(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    async with opened(experiment) as pilot:
        footer = pilot.app.screen.query_one(Footer)
        bindings = [binding for binding in GalleryScreen.BINDINGS if isinstance(binding, Binding)]
        shown = [binding for binding in bindings if binding.show]
        assert len({binding.group or binding.id for binding in shown}) <= 6, "? is the seventh"
        assert max(child.region.right for child in footer.children) <= 80
        assert all(binding.id and binding.tooltip for binding in bindings)


def with_nearest(gallery: Gallery, k: int = 5, missing: tuple[int, ...] = ()) -> Gallery:
    """The same with k neighbours each: of member m before the change of class (m + rank) % 3, after it one on."""
    members = len(gallery)
    member, side, rank = np.indices((members, 2, k))
    source = (100 * member + 10 * side + rank).astype(np.int32)
    pictures = {
        one: np.full(gallery.original.shape[1:], one % 251, np.uint8) for one in source.ravel().tolist()
    }
    nearest = NearestImages(
        label=((member + side + rank) % 3).astype(np.int16),
        distance=member + side / 2 + rank / 10,
        source=source,
        counted=(5, 3, 1),
        pictures={one: picture for one, picture in pictures.items() if one not in missing},
    )
    return replace(gallery, nearest=nearest)


def nearest_rows(pilot: Pilot[None]) -> list[tuple[Panel, ...]]:
    return [pictures.rows[0] for pictures in pilot.app.screen.query_one(NearestPane).query(Pictures)]


def headings(pilot: Pilot[None]) -> list[str]:
    found = pilot.app.screen.query_one(NearestPane).query(Static).filter(".heading")
    return [str(one.render()) for one in found]


def is_seen(pilot: Pilot[None], name: str) -> bool:
    return pilot.app.screen.query_one(f"#{name}").region.area > 0


class TestTheNearest:
    async def test_they_are_those_of_the_member_before_and_after(self, experiment: Experiment) -> None:
        gallery = with_nearest(make_gallery())
        add_run(experiment, 0, gallery)
        async with opened(experiment) as pilot:
            assert not is_seen(pilot, "nearest")
            await press(pilot, "2", "right")
            assert is_seen(pilot, "nearest")
            assert not is_seen(pilot, "figure")
            nearest = gallery.nearest
            assert nearest is not None
            for side, row in enumerate(nearest_rows(pilot)):
                itself, *others = row
                shown = gallery.original[1] / 255 if side == 0 else gallery.image[1]
                assert np.abs(itself.image / 255 - shown).max() <= 0.5 / 255 + 1e-6
                names = [gallery.class_names[label] for label in nearest.label[1, side]]
                wrong = nearest.label[1, side] != gallery.label[1]
                assert [panel.caption for panel in others] == [
                    f"{'✗ ' if one else ''}{name}\n{distance:.2f}"
                    for one, name, distance in zip(wrong, names, nearest.distance[1, side], strict=True)
                ]
                assert [panel.marked for panel in others] == wrong.tolist()
                for panel, source in zip(others, nearest.source[1, side].tolist(), strict=True):
                    assert (panel.image == nearest.pictures[source]).all()
            await press(pilot, "1")
            assert is_seen(pilot, "figure")
            assert not is_seen(pilot, "nearest")

    async def test_the_votes_of_every_level_are_counted(self, experiment: Experiment) -> None:
        add_run(experiment, 0, with_nearest(make_gallery()))
        async with opened(experiment) as pilot:
            await press(pilot, "2")
            before, after = headings(pilot)
            # Of member 0, a cat: classes 0 1 2 0 1 before, 1 2 0 1 2 after.
            assert before.startswith("before, true cat   K = 5: cat ×2, [b]dog ×2, horse ×1  3: cat ×1,")
            assert after.endswith(
                "K = 5: [b]dog ×2, horse ×2, cat ×1  3: [b]dog ×1, horse ×1, cat ×1  1: [b]dog ×1"
            )
            assert after.startswith("after, says [b]dog")

    async def test_what_has_no_room_is_left_out_and_said(self, experiment: Experiment) -> None:
        add_run(experiment, 0, with_nearest(make_gallery(), k=9))
        async with opened(experiment, (60, 24)) as pilot:
            await press(pilot, "2")
            assert [len(row) for row in nearest_rows(pilot)] == [5, 5]
            assert all("(5 of 9 shown)" in heading for heading in headings(pilot))
            await pilot.resize_terminal(120, 24)
            await settle(pilot)
            assert [len(row) for row in nearest_rows(pilot)] == [10, 10], "the image itself and all nine"
            assert not any("shown" in heading for heading in headings(pilot))

    async def test_a_picture_that_is_not_kept_leaves_its_place(self, experiment: Experiment) -> None:
        add_run(experiment, 0, with_nearest(make_gallery(), missing=(12,)))
        async with opened(experiment) as pilot:
            await press(pilot, "2")
            _, after = nearest_rows(pilot)
            assert [panel.is_kept for panel in after] == [True, True, True, False, True, True]
            pictures = list(pilot.app.screen.query_one(NearestPane).query(Pictures))[1]
            assert "·" in "".join(segment.text for segment in pictures.render_line(3))

    @pytest.mark.slow
    async def test_where_there_is_room_both_stand_and_either_alone(self, experiment: Experiment) -> None:
        add_run(experiment, 0, with_nearest(make_gallery()))
        for size, side in (((140, 45), 28), ((200, 55), 56)):
            async with opened(experiment, size) as pilot:
                screen = pilot.app.screen
                for keys, seen in (
                    ((), {"figure", "details", "nearest"}),
                    (("2",), {"nearest"}),
                    (("1",), {"figure", "details"}),
                    (("1",), {"figure", "details", "nearest"}),
                    (("f",), {"figure", "details"}),
                    (("escape",), {"figure", "details", "nearest"}),
                ):
                    await press(pilot, *keys)
                    assert {name for name in ("figure", "details", "nearest") if is_seen(pilot, name)} == seen
                pictures = screen.query_one("#figure").query_one(Pictures)
                line = "".join(segment.text for segment in pictures.render_line(3))
                assert line.count("▀") == 3 * side, size
                assert pictures.size.height == 1 + side // 2, "whole, and nothing below"

    async def test_beside_the_answers_stand_the_votes_where_names_are_short(
        self, experiment: Experiment
    ) -> None:
        add_run(experiment, 0, replace(with_nearest(make_gallery()), class_names=("0", "1", "2")))
        async with opened(experiment, (120, 30)) as pilot:
            assert text(pilot, "answers").splitlines()[0].split()[-3:] == ["classified", "as", "votes"]
            assert [line.split()[-6:] for line in text(pilot, "answers").splitlines()[1:3]] == [
                ["1", "×2,", "2", "×2,", "0", "×1"],
                ["1", "×1,", "2", "×1,", "0", "×1"],
            ]

    async def test_images_of_the_data_set_have_one_row(self, experiment: Experiment) -> None:
        galleries = [with_nearest(make_gallery(name=name)) for name in ("misclassified", "adversarial")]
        add_run(experiment, 0, *galleries)
        async with opened(experiment) as pilot:
            await press(pilot, "2", "s")
            assert "set: misclassified" in text(pilot, "where")
            assert is_seen(pilot, "before")
            assert not is_seen(pilot, "after")
            assert headings(pilot)[0].startswith("Nearest to the image, true label cat")

    async def test_a_result_without_them_says_so(self, experiment: Experiment) -> None:
        add_run(experiment, 0, make_gallery())
        async with opened(experiment) as pilot:
            await press(pilot, "2")
            assert "holds no nearest training images" in text(pilot, "no-nearest")
            assert is_seen(pilot, "no-nearest")
            assert not is_seen(pilot, "before")


class TestThumbnails:
    async def test_arrows_move_enter_opens_and_escape_leaves(self, experiment: Experiment) -> None:
        add_run(experiment, 0, make_gallery())
        async with opened(experiment, (40, 20)) as pilot:
            await press(pilot, "t")
            thumbnails = pilot.app.screen.query_one(Thumbnails)
            assert (thumbnails.grid.columns, thumbnails.grid.rows) == (3, 2)
            for key, place in (
                ("right", 1), ("down", 4), ("down", 4), ("left", 3), ("up", 0), ("left", 0), ("end", 5),
                ("right", 5), ("home", 0), ("pagedown", 5), ("pageup", 0),
            ):  # fmt: skip
                await press(pilot, key)
                assert thumbnails.place == place, key
                assert f"{place + 1} of 6" in text(pilot, "where")
            await press(pilot, "down", "enter")
            assert not is_seen(pilot, "thumbnails")
            assert shown_source(pilot) == 103
            await press(pilot, "t", "escape")
            assert is_seen(pilot, "figure")
            assert isinstance(pilot.app.screen, GalleryScreen)

    async def test_every_member_that_passes_is_there_with_its_label_and_answer(
        self, experiment: Experiment
    ) -> None:
        add_run(experiment, 0, make_gallery())
        async with opened(experiment) as pilot:
            await press(pilot, "t")
            thumbnails = pilot.app.screen.query_one(Thumbnails)
            captions = "".join(segment.text for segment in thumbnails.render_line(0))
            assert captions.split()[:2] == ["▸cat→[b]dog"[:10], "[b]dog→horse"[:9]]
            await press(pilot, "c")
            assert thumbnails.members == [0, 3, 5], "the cats"

    async def test_a_page_follows_the_cursor(self, experiment: Experiment) -> None:
        add_run(experiment, 0, make_gallery())
        async with opened(experiment, (26, 12)) as pilot:
            await press(pilot, "t")
            thumbnails = pilot.app.screen.query_one(Thumbnails)
            assert thumbnails.grid.page == 2
            await press(pilot, "right", "right")
            assert list(thumbnails.shown) == [2, 3]
            await pilot.click(Thumbnails, offset=(14, 2))
            await settle(pilot)
            assert thumbnails.place == 3


async def test_the_panes_are_named_with_the_keys_that_they_have(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    async with opened(experiment) as pilot:
        assert text(pilot, "title").endswith("1 Image 2 Nearest t Thumbnails")


async def test_what_is_said_can_be_copied(experiment: Experiment) -> None:
    add_run(experiment, 0, make_gallery())
    async with opened(experiment) as pilot:
        await press(pilot, "y")
        assert "true label cat" in pilot.app.clipboard
        assert "classified as" in pilot.app.clipboard
