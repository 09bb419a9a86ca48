"""Pictures show the pixels they were given: as half blocks, as characters, and in an exported PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image
from rich.color import Color

from core.errors import ExperimentError
from core.records.gallery import Gallery
from core.report.figures.picture import LEAST_SIDE, figure, geometry, write_figure
from tui_aefit.lab.widgets.picture import characters, fitted, half_blocks
from tui_aefit.lab.widgets.shades import BRIGHTNESS, SIGNED


def random_image(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


class TestHalfBlocks:
    @pytest.mark.parametrize(("height", "channels"), [(2, 1), (4, 3), (5, 3), (1, 1)])
    def test_a_cell_is_the_upper_pixel_over_the_lower_one(self, height: int, channels: int) -> None:
        image, around = random_image(height, 3, channels), Color.parse("#123456")
        lines = half_blocks(image, around)
        assert len(lines) == (height + 1) // 2
        for y in range(height):
            for x in range(3):
                cell = lines[y // 2][x]
                pixel = image[y, x].tolist() * (3 if channels == 1 else 1)
                assert cell.text == "▀"
                assert cell.style is not None
                shown = cell.style.bgcolor if y % 2 else cell.style.color
                assert shown is not None
                assert shown.triplet is not None
                assert list(shown.triplet) == pixel
        if height % 2:
            assert {cell.style and cell.style.bgcolor for cell in lines[-1]} == {around}


class TestCharacters:
    def test_brightness_goes_up_the_ramp(self) -> None:
        levels = np.array([[0, 25, 26, 128, 230, 231, 255]], dtype=np.uint8)
        image = np.repeat(levels, 2, axis=0)[..., None]
        assert characters(image, BRIGHTNESS) == ["  .+%@@"]

    def test_a_character_stands_for_the_mean_of_two_pixels(self) -> None:
        image = np.array([[0, 0, 255], [255, 100, 255], [255, 0, 10]], dtype=np.uint8)[..., None]
        assert characters(image, BRIGHTNESS) == ["=.@", "@  "]

    def test_colours_count_as_their_brightness(self) -> None:
        pure = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
        expected = "".join(BRIGHTNESS[int(share * 255 / 25.6)] for share in (0.299, 0.587, 0.114, 1.0))
        assert characters(pure, BRIGHTNESS) == [expected]

    def test_a_signed_picture_is_blank_at_mid_grey(self) -> None:
        image = np.array([[0, 100, 127, 128, 160, 255]], dtype=np.uint8)[..., None]
        assert characters(image, SIGNED) == ["=-  +#"]


class TestFitting:
    @settings(max_examples=100)
    @given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 130), st.integers(1, 65))
    def test_it_fits_and_is_as_large_as_can_be(
        self, height: int, width: int, columns: int, rows: int
    ) -> None:
        image = random_image(height, width, 3)
        shown = fitted(image, columns, rows)
        assert shown.shape[1] <= columns
        assert shown.shape[0] <= 2 * rows
        scale = min(shown.shape[0] // height, shown.shape[1] // width)
        if scale:
            assert_array_equal(shown, np.kron(image, np.ones((scale, scale, 1), np.uint8)))
            assert (scale + 1) * width > columns or (scale + 1) * height > 2 * rows
        else:
            fills_one_side = shown.shape[1] == columns or shown.shape[0] == 2 * rows
            assert fills_one_side or 1 in shown.shape[:2]

    @pytest.mark.parametrize(
        ("size", "columns", "rows"), [(28, 26, 14), (32, 26, 16), (32, 40, 14), (32, 11, 9)]
    )
    def test_a_reduced_image_is_the_mean_of_the_areas(self, size: int, columns: int, rows: int) -> None:
        image = random_image(size, size, 3)
        side = min(columns, 2 * rows)
        shown = fitted(image, columns, rows)
        assert shown.shape == (side, side, 3)
        exact = np.stack([area_mean(image[..., c], side) for c in range(3)], axis=2)
        assert np.abs(shown - exact).max() <= 0.5 + 1e-9


def area_mean(plane: np.ndarray, side: int) -> np.ndarray:
    """Every pixel as side x side equal parts, then the mean of blocks of as many parts as there were pixels."""
    size = len(plane)
    fine = plane.astype(float).repeat(side, axis=0).repeat(side, axis=1)
    return np.asarray(fine.reshape(side, size, side, size).mean(axis=(1, 3)))


def gallery_of_images(shape: tuple[int, int, int], members: int = 3) -> Gallery:
    generator = np.random.default_rng(9)
    original = generator.integers(0, 256, (members, *shape), dtype=np.uint8)
    change = generator.choice([-0.1, 0, 0.1], original.shape)
    return Gallery(
        name="adversarial",
        original=original,
        image=np.clip(original / 255 + change, 0, 1).astype(np.float32),
        label=np.zeros(members, np.int16),
        target=np.array([1, -1, 1][:members], np.int16),
        source=np.arange(members, dtype=np.int32),
        prediction=np.ones((2, members), np.int16),
        knob="K",
        levels=("3", "1"),
        class_names=("cat", "犬" * 60),
    )


class TestPng:
    @pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
    def test_every_pixel_is_a_square_of_its_colour(self, tmp_path: Path, shape: tuple[int, int, int]) -> None:
        gallery, members = gallery_of_images(shape), [2, 0]
        write_figure(tmp_path / "figures" / "f.png", gallery, members)
        with Image.open(tmp_path / "figures" / "f.png") as image:
            assert image.format == "PNG"
            pixels = np.asarray(image.convert("RGB"))
        scale = geometry(gallery).scale
        assert (scale - 1) * shape[1] < LEAST_SIDE <= scale * shape[1]
        square = np.ones((scale, scale, 1), np.uint8)
        for row, member in enumerate(members):
            original, adversarial = gallery.original[member], gallery.image[member]
            change = adversarial - original / 255
            for column, expected in (
                (0, original.astype(float)),
                (1, 127.5 + 1275 * change),  # at most a tenth, so amplified ten times
                (2, adversarial * 255.0),
            ):
                left, top = geometry(gallery).place(row, column)
                shown = pixels[top : top + scale * shape[0], left : left + scale * shape[1]]
                assert_array_equal(shown, np.kron(shown[::scale, ::scale], square))
                assert np.abs(shown[::scale, ::scale] - expected).max() <= 0.51

    def test_captions_are_below_the_pictures_and_inside_the_paper(self) -> None:
        gallery = gallery_of_images((28, 28, 1))
        pixels = np.asarray(figure(gallery, [0, 1]))
        places = geometry(gallery)
        assert pixels.shape[1::-1] == places.size(2)
        for row in range(2):
            for column in range(3):
                left, top = places.place(row, column)
                below = pixels[top + places.height + 2 : top + places.height + places.caption, left:]
                assert (below[:, : places.width] < 128).any()
                gap = below[:, places.width : places.width + 8]
                assert (gap > 128).all(), "a caption runs into its neighbour"

    def test_equal_galleries_give_equal_files(self, tmp_path: Path) -> None:
        for name in ("a.png", "b.png"):
            write_figure(tmp_path / name, gallery_of_images((32, 32, 3)), [1])
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()

    @pytest.mark.parametrize("where", ["file/f.png", "nowhere/deeper/f.png"])
    def test_where_nothing_can_be_written_it_says_so(self, tmp_path: Path, where: str) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ExperimentError, match="cannot write"):
            write_figure(tmp_path / where, gallery_of_images((28, 28, 1)), [0])
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
