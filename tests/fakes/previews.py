"""Previews without a process: a user's own data are really looked at, all else is made up."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.data.catalogue import CATALOGUE
from core.previews.dataset import preview_dataset
from core.previews.records import AttackPreview, AttackRequest, DataPreview, DataRequest


async def preview(request: DataRequest | AttackRequest) -> DataPreview | AttackPreview:
    """Stands for `tui_aefit.lab.previews.preview`."""
    if isinstance(request, AttackRequest):
        return made_up_attack(request)
    if request.dataset in CATALOGUE:
        return made_up_data(request.dataset)
    return await asyncio.to_thread(
        preview_dataset, request.dataset, data_dir=Path(request.data_dir), cache=None
    )


def made_up_data(name: str) -> DataPreview:
    """Two images of each class of a named set: stripes, that of class c brighter the higher c is."""
    entry = CATALOGUE[name]
    labels = tuple(range(entry.classes)) * 2
    height, width, channels = entry.shape
    each = (entry.train_size + entry.test_size) // entry.classes
    return DataPreview(
        images=entry.train_size + entry.test_size,
        classes=entry.classes,
        test_size=entry.test_size,
        shape=entry.shape,
        class_names=entry.class_names,
        counts=(each,) * entry.classes,
        labels=labels,
        pixels=b"".join(
            bytes((row % 8 < 4) * (55 + 20 * label) for row in range(height) for _ in range(width * channels))
            for label in labels
        ),
    )


def made_up_attack(request: AttackRequest) -> AttackPreview:
    """A bright square of which the attack makes a darker one."""
    step = round(255 * request.epsilon)
    square = bytes(
        200 if 8 <= row < 20 and 8 <= column < 20 else 0 for row in range(28) for column in range(28)
    )
    return AttackPreview(
        shape=(28, 28, 1),
        original=square,
        change=bytes(0 if pixel else 128 for pixel in square),
        changed=bytes(max(0, pixel - step) for pixel in square),
        gain=5,
        label="3",
        target="" if "untargeted" in request.attack else "8",
        said="3",
        says="8",
        sure=0.75,
        kept=True,
        largest=request.epsilon,
    )
