"""Small made-up image sets, hard enough that a classifier and a network both make mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.data.images import ImageSet


def made_up_pool(images: int = 420, classes: int = 4, seed: int = 5) -> ImageSet:
    """Grey 28x28 images: a class is a blurred blob at its own place, drowned in noise; test part one seventh."""
    generator = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    rows, columns = np.mgrid[0:28, 0:28]
    angle = 2 * np.pi * labels / classes
    centre = (
        13.5 + 5 * np.stack([np.sin(angle), np.cos(angle)], axis=1) + generator.normal(0, 2.2, (images, 2))
    )
    distance = (rows - centre[:, :1, None]) ** 2 + (columns - centre[:, 1:, None]) ** 2
    blob = 150 * np.exp(-distance / 40)
    pixels = np.clip(blob + generator.normal(40, 40, blob.shape), 0, 255).astype(np.uint8)
    names = tuple(f"class{label}" for label in range(classes))
    return ImageSet("made-up", pixels[..., None], labels.astype(np.int64), names, images // 7)


def write_npz(path: Path, **arguments: int) -> Path:
    """The same images as a user's own `.npz`."""
    pool = made_up_pool(**arguments)
    np.savez(path, images=pool.images[..., 0], labels=np.array(pool.class_names)[pool.labels])
    return path
