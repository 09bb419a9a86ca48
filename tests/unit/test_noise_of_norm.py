"""Noise of a given norm is what a bisection finds, image by image, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.attacks.attack import Attack
from core.attacks.noise import SignNoise, add_noise_of_norm

SHAPE = (2, 5, 4)
PIXELS = 40
ROUNDING = 2e-7
"""Of a pixel in [0, 1] in float32, twice."""


def images_of(n: int, seed: int) -> torch.Tensor:
    """Images with many pixels at 0 and 1, where there is no room on one side."""
    random = np.random.default_rng(seed)
    pixels = random.choice([0, 0.001, 0.3, 0.99, 1], (n, *SHAPE)) * random.choice([1, 0.9], (n, *SHAPE))
    return torch.from_numpy(pixels.astype(np.float32))


def signs_of(seed: int, images: torch.Tensor) -> NDArray[np.float64]:
    """The signs that noise of epsilon draws first from a generator, seen where there is room on both sides."""
    attack: Attack = SignNoise(epsilon=0.5)
    grey = torch.full_like(images, 0.5)
    label = torch.zeros(len(images), dtype=torch.int64)
    made = attack(torch.nn.Identity(), grey, label, label, torch.Generator().manual_seed(seed))
    return np.sign((made.images - grey).numpy().astype(np.float64))


def by_bisection(image: NDArray[np.float64], sign: NDArray[np.float64], norm: float) -> NDArray[np.float64]:
    """clip01(image + s * sign) with the s of that norm, the largest change where there is none."""

    def change(s: float) -> NDArray[np.float64]:
        return np.clip(image + s * sign, 0, 1) - image

    low, high = 0.0, 1.0
    if np.linalg.norm(change(high)) <= norm:
        return image + change(high)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.linalg.norm(change(middle)) < norm else (low, middle)
    return image + change(high)


@settings(max_examples=60)
@given(
    norms=st.lists(st.floats(0, 7) | st.sampled_from([0.0, 1e-6, 1e-3, 6.4]), min_size=1, max_size=6),
    seed=st.integers(0, 2**31),
)
def test_every_image_is_the_one_that_a_bisection_finds(norms: list[float], seed: int) -> None:
    images = images_of(len(norms), seed)
    made = add_noise_of_norm(
        images, torch.tensor(norms, dtype=torch.float64), torch.Generator().manual_seed(seed)
    )
    assert made.dtype == torch.float32
    assert made.shape == images.shape
    assert 0 <= made.min() <= made.max() <= 1
    for image, one, sign, norm in zip(images, made, signs_of(seed, images), norms, strict=True):
        before = image.double().numpy()
        expected = by_bisection(before, sign, norm)
        np.testing.assert_allclose(one.double().numpy(), expected, atol=ROUNDING, rtol=0)
        found = np.linalg.norm(one.double().numpy() - before)
        assert found == pytest.approx(np.linalg.norm(expected - before), abs=ROUNDING * PIXELS**0.5)


def test_the_norm_is_the_one_asked_for_in_float64() -> None:
    images = images_of(50, 3).double()
    wanted = torch.linspace(0.01, 3, 50, dtype=torch.float64)
    made = add_noise_of_norm(images, wanted, torch.Generator().manual_seed(3))
    room = torch.linalg.vector_norm(
        add_noise_of_norm(images, wanted + 100, torch.Generator().manual_seed(3)) - images, dim=(1, 2, 3)
    )
    assert (wanted < room).all()
    found = torch.linalg.vector_norm(made - images, dim=(1, 2, 3))
    torch.testing.assert_close(found, wanted, rtol=1e-11, atol=0)


def test_a_norm_of_zero_changes_nothing() -> None:
    images = images_of(20, 1)
    made = add_noise_of_norm(images, torch.zeros(20, dtype=torch.float64), torch.Generator().manual_seed(0))
    assert torch.equal(made, images)


@pytest.mark.parametrize("norm", [PIXELS**0.5, 100.0])
def test_a_norm_that_there_is_no_room_for_gives_the_largest_change(norm: float) -> None:
    images = images_of(20, 2)
    made = add_noise_of_norm(
        images, torch.full((20,), norm, dtype=torch.float64), torch.Generator().manual_seed(2)
    )
    assert torch.equal(made, torch.from_numpy((signs_of(2, images) > 0).astype(np.float32)))


def test_an_image_with_no_room_at_all_stays() -> None:
    generator = torch.Generator().manual_seed(4)
    signs = signs_of(4, torch.zeros(1, *SHAPE))
    image = torch.from_numpy((signs > 0).astype(np.float32))
    assert torch.equal(add_noise_of_norm(image, torch.ones(1, dtype=torch.float64), generator), image)


def test_an_image_does_not_depend_on_those_beside_it() -> None:
    images, norms = images_of(30, 5), torch.linspace(0, 5, 30, dtype=torch.float64)
    generator = torch.Generator().manual_seed(6)
    whole = add_noise_of_norm(images, norms, torch.Generator().manual_seed(6))
    parts = [add_noise_of_norm(images[rows], norms[rows], generator) for rows in (slice(0, 7), slice(7, 30))]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=ROUNDING)


def test_how_many_are_moved_at_once_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    images, norms = images_of(30, 5), torch.linspace(0, 5, 30, dtype=torch.float64)
    labels = torch.zeros(30, dtype=torch.int64)
    made = []
    for pixels in (1, 100, 2**20):
        monkeypatch.setattr("core.attacks.noise.PIXELS_AT_ONCE", pixels)
        generator = torch.Generator().manual_seed(6)
        signs = SignNoise(epsilon=0.1)(torch.nn.Identity(), images, labels, labels, generator).images
        made.append(torch.cat([signs, add_noise_of_norm(images, norms, generator)]))
    assert torch.equal(made[0], made[2])
    assert torch.equal(made[1], made[2])


def test_no_image_gets_no_noise() -> None:
    none = torch.empty(0, *SHAPE)
    assert add_noise_of_norm(none, torch.empty(0, dtype=torch.float64), torch.Generator()).shape == none.shape
