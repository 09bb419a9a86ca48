"""The two image sizes that the surrogate takes, and how any other image is brought to one of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREY = (28, 28, 1)
COLOUR = (32, 32, 3)


def fitting_shape(channels: int) -> tuple[int, int, int]:
    """Height, width and channels for images of 1 or 3 channels.

    The channels as stored decide: an image stored as RGB stays colour even where its channels are equal.
    """
    return GREY if channels == 1 else COLOUR


def resize(image: Image.Image, channels: int) -> NDArray[np.uint8]:
    """A Pillow image of mode L or RGB as an (H, W, C) uint8 array of the fitting shape.

    Pillow's bilinear filter, whose support grows with the reduction (antialiased); the aspect ratio is not
    kept. Images that fit already are returned as they are.
    """
    height, width, _ = fitting_shape(channels)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(height, width, channels)


def fit(images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Images (N, H, W, C), C 1 or 3, at the fitting size, and a notice where that changed them."""
    _, height, width, channels = images.shape
    shape = fitting_shape(channels)
    if (height, width, channels) == shape:
        return images, ()
    fitted = np.empty((len(images), *shape), dtype=np.uint8)
    for index, pixels in enumerate(images):
        fitted[index] = resize(Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels), channels)
    return fitted, (f"{len(images):,} images of {width}x{height} pixels resized to {shape[1]}x{shape[0]}",)
