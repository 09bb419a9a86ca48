"""Small images are the means of the areas that they cover, and as large as their place allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_aefit.lab.widgets.picture import fitted
from tui_aefit.lab.widgets.setup.thumbnails import SMALLEST, layout, resized


def drawn(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.array(resized(image.shape, image.tobytes(), width, height))


@pytest.mark.parametrize(
    ("shape", "side"), [((28, 28, 1), 11), ((28, 28, 1), 14), ((32, 32, 3), 9), ((32, 32, 3), 31)]
)
def test_a_reduced_image_is_that_of_the_gallery(shape: tuple[int, int, int], side: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    expected = np.broadcast_to(fitted(image, side, (side + 1) // 2), (side, side, 3)).astype(int)
    assert np.abs(drawn(image, side, side) - expected).max() <= 1  # halves may be rounded either way


def test_each_new_pixel_is_the_mean_of_its_block() -> None:
    image = np.random.default_rng(2).integers(0, 256, (28, 28, 1), dtype=np.uint8)
    blocks = image.reshape(14, 2, 14, 2).mean(axis=(1, 3))
    assert np.abs(drawn(image, 14, 14)[..., 0] - blocks).max() <= 0.5


def test_an_enlarged_image_repeats_its_pixels() -> None:
    image = np.random.default_rng(3).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    assert (drawn(image, 8, 10) == image.repeat(2, axis=0).repeat(2, axis=1)).all()


@given(
    st.integers(1, 20), st.integers(0, 200), st.integers(0, 60), st.sampled_from([(28, 28, 1), (32, 32, 3)])
)
@settings(max_examples=200)
def test_all_that_are_shown_fit_and_are_large_enough(
    images: int, width: int, height: int, shape: tuple[int, int, int]
) -> None:
    found = layout(images, shape, width, height)
    if found is None:
        # Not even one has room.
        assert min(width, 2 * (height - 1)) < SMALLEST
        return
    assert 1 <= found.images <= images
    assert min(found.width, found.height) >= SMALLEST
    assert found.columns * (found.width + 1) - 1 <= width
    assert -(-found.images // found.columns) * found.rows_each <= height


def test_no_other_number_of_columns_makes_them_larger() -> None:
    found = layout(20, (28, 28, 1), 85, 26)
    assert found is not None
    sides = [min((85 + 1) // columns - 1, 2 * (26 // -(-20 // columns) - 1), 28) for columns in range(1, 21)]
    assert found.width == max(sides)
