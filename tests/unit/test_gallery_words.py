"""What the gallery says of the nearest training images and their labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from core.families.family import Family
from core.families.knn import KNearestNeighbours
from core.spec.spec import Spec
from tests.fakes.arrays import draw_gallery
from tui_aefit.lab.gallery_words import answers, labels_of_nearest, line_of_nearest, nearest_panels

GALLERY = draw_gallery("adversarial", Spec(options={"z": 5}), 0, ("cat", "dog", "horse"))


def test_labels_are_counted_of_as_many_of_the_nearest_as_a_level_counts() -> None:
    near = GALLERY.nearest
    assert near is not None
    gallery = replace(GALLERY, nearest=replace(near, counted=(3, 2, 1)))
    for member in range(len(GALLERY)):
        for side in (0, 1):
            labels = near.label[member, side].tolist()
            for said, count in zip(labels_of_nearest(gallery, member, side), (3, 2, 1), strict=True):
                expected = Counter(gallery.class_names[label] for label in labels[:count])
                assert {one.split(" ×")[0]: int(one.split(" ×")[1]) for one in said.split(", ")} == expected


def test_of_more_images_than_a_result_holds_no_labels_are_counted() -> None:
    near = GALLERY.nearest
    assert near is not None
    gallery = replace(GALLERY, nearest=replace(near, counted=(5, 4, 1)))
    first = GALLERY.class_names[near.label[0, 1, 0]]
    assert labels_of_nearest(gallery, 0, 1) == ["", "", f"{first} ×1"]
    assert line_of_nearest(gallery, 0, 1) == f"K = 1: {first} ×1"
    assert line_of_nearest(replace(gallery, nearest=replace(near, counted=(9, 9, 9))), 0, 1) == ""
    assert labels_of_nearest(replace(gallery, nearest=None), 0, 1) == []


def test_the_labels_of_the_nearest_stand_beside_the_answers_under_what_their_family_calls_them() -> None:
    near = GALLERY.nearest
    assert near is not None
    first = GALLERY.class_names[near.label[0, 1, 0]]
    for word in (Family.counted_as, KNearestNeighbours.counted_as):
        head, *_, last = answers(GALLERY, 0, 100, word).plain.splitlines()
        assert head.split()[-1] == word
        assert last.endswith(f"  {first} ×1")
        assert word not in answers(GALLERY, 0, None, word).plain
    assert (Family.counted_as, KNearestNeighbours.counted_as) == ("nearest", "votes")


def test_those_of_another_label_are_marked_and_distances_have_two_digits() -> None:
    near = GALLERY.nearest
    assert near is not None
    for member in range(len(GALLERY)):
        panels = nearest_panels(GALLERY, near, member, 0)
        wrong = near.label[member, 0] != GALLERY.label[member]
        assert [panel.marked for panel in panels] == wrong.tolist()
        assert [panel.caption.startswith("✗ ") for panel in panels] == wrong.tolist()
        shown = [float(panel.caption.split("\n")[1]) for panel in panels]
        np.testing.assert_allclose(shown, near.distance[member, 0], atol=0.005)
