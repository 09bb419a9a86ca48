"""What a run keeps to be looked at: the training images nearest to those that its galleries show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.protocol.classifying import Classified, SplitImages
from core.protocol.work import Work
from core.sets.measurement import Measured
from core.sets.members import Members
from core.sets.nearest import MOST, NearestToMembers


def nearest_to_samples(
    work: Work, split: SplitImages, classified: Classified, measured: Mapping[str, Measured]
) -> dict[str, NearestToMembers]:
    """By set; of none where the family judges by no training images. Nothing is trained, no random number drawn."""
    found: dict[str, NearestToMembers] = {}
    for name, one in measured.items():
        nearest = _nearest(work, split, classified, one.sample)
        if nearest is not None:
            found[name] = nearest
    return found


def _nearest(
    work: Work, split: SplitImages, classified: Classified, sample: Members
) -> NearestToMembers | None:
    originals = work.pool.images[sample.source]
    near = _guesses(split, classified, sample)
    of_original = work.family.nearest(classified.classifier, originals, MOST, near)
    of_image = work.family.nearest(classified.classifier, sample.image, MOST, near)
    if of_original is None or of_image is None:
        return None
    both = of_original, of_image
    return NearestToMembers(
        np.stack([split.train_index[one.index] for one in both], axis=1),
        np.stack([one.distance for one in both], axis=1),
        of_original.counted,
    )


def _guesses(split: SplitImages, classified: Classified, sample: Members) -> NDArray[np.int64] | None:
    """What the classifier noted of the test images that the members were made from; None where some are others."""
    if not len(sample.source):
        return None
    order = np.argsort(split.test_index)
    place = np.searchsorted(split.test_index, sample.source, sorter=order).clip(max=len(order) - 1)
    rows = order[place]
    if (split.test_index[rows] != sample.source).any():
        return None
    near: NDArray[np.int64] = classified.predictions.near[rows]
    return near
