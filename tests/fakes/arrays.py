"""Small made-up arrays and galleries of a run, far fewer images than its counts say; reading arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.catalogue import CATALOGUE
from core.records.experiment import Experiment
from core.records.gallery import Gallery, write_galleries
from core.records.nearest import NearestImages
from core.records.results import GALLERY
from core.sets.registry import SETS
from core.spec.spec import Spec


def draw_arrays(spec: Spec, run: int, test: int = 40, adversarial: int = 12) -> dict[str, NDArray[Any]]:
    """What arrays.npz of a run holds, by name."""
    generator = np.random.default_rng([spec.seed, run, 2])
    entry, levels = CATALOGUE[spec.dataset], len(spec.ladder.levels)
    index = generator.permutation(entry.train_size + entry.test_size).astype(np.int32)
    label = generator.integers(0, entry.classes, adversarial).astype(np.int16)
    prediction = generator.integers(0, entry.classes, (levels, adversarial)).astype(np.int16)
    prediction[0] = (label + 1) % entry.classes
    test_label = generator.integers(0, entry.classes, test).astype(np.int16)
    return {
        "train_index": index[test : 4 * test],
        "test_index": index[:test],
        "test_label": test_label,
        "test_prediction": np.tile(test_label, (levels, 1)),
        spec.ladder.array_name: np.array(spec.ladder.values, dtype=np.int32),
        "adversarial_image": generator.random((adversarial, *entry.shape), dtype=np.float32),
        "adversarial_label": label,
        "adversarial_source": index[:adversarial],
        "adversarial_target": ((label + 1) % entry.classes).astype(np.int16),
        "adversarial_prediction": prediction,
        "half": (np.arange(3 * test) % 2).astype(np.uint8),
        "crossfit_test_prediction": np.tile(test_label, (2, levels, 1)),
    }


def add_gallery(
    experiment: Experiment,
    run: int,
    names: tuple[str, ...] = ("cat", "<b>dog</b> & $5$", "horse"),
    sets: tuple[str, ...] = ("adversarial",),
) -> Gallery:
    """Give a complete run five pictures of each of these sets to show; those of the first."""
    galleries = [draw_gallery(name, experiment.spec, run, names) for name in sets]
    write_galleries(experiment.run_folder(run) / "result" / GALLERY, galleries)
    return galleries[0]


def draw_gallery(name: str, spec: Spec, run: int, class_names: tuple[str, ...]) -> Gallery:
    """Five pictures of one set, in three classes."""
    generator = np.random.default_rng(run)
    label = np.arange(5, dtype=np.int16) % 3
    original = generator.integers(30, 220, (5, 28, 28, 1), dtype=np.uint8)
    change = generator.choice([-0.1, 0.1], original.shape) * SETS[name].perturbed
    return Gallery(
        name=name,
        original=original,
        image=(original / np.float32(255) + change).astype(np.float32),
        label=label,
        target=(label + 1) % np.int16(3) if SETS[name].perturbed else np.full_like(label, -1),
        source=np.arange(100, 105, dtype=np.int32),
        prediction=np.stack([(label + row) % 3 for row in range(len(spec.ladder.levels))]).astype(np.int16),
        knob=spec.ladder.knob,
        levels=spec.ladder.levels,
        class_names=class_names,
        nearest=draw_nearest(5, len(spec.ladder.levels)),
    )


def draw_nearest(members: int, levels: int) -> NearestImages:
    """Three training images for each member and side, in three classes; every level counts one."""
    member, side, rank = np.indices((members, 2, 3))
    source = (30 + 3 * member + side + rank).astype(np.int32)
    generator = np.random.default_rng(members)
    return NearestImages(
        label=(source % 3).astype(np.int16),
        distance=1.0 + member + rank / 2,
        source=source,
        counted=(1,) * levels,
        pictures={
            one: generator.integers(0, 256, (28, 28, 1), dtype=np.uint8)
            for one in set(source.ravel().tolist())
        },
    )


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of one run, by name; nothing in the file is executed."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
