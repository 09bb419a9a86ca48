"""Neighbours in a part of the training images are those of a classifier that was fitted on the part alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from core.errors import SpecError
from core.families.family import Predictions, TrainingImages
from core.families.knn import KNearestNeighbours
from core.families.voting import TIE_RULES
from core.neighbours.classifier import FittedNeighbours
from core.neighbours.search import Neighbours, NeighbourSearch, Pixels
from core.neighbours.subsets import NeighboursOfParts
from core.neighbours.vote import vote, vote_at_each

CLASSES = 4
SHAPE = (2, 2, 1)


class Case:
    """A family fitted on images of few grey levels, many of them twice, and images to ask about.

    Nearly all distances are tied: of equal ones the earlier training image comes first.
    """

    def __init__(self, z: int, tie_rule: str, *, images: int, queries: int = 40, seed: int = 0) -> None:
        random = np.random.default_rng([seed, z])
        self.family = KNearestNeighbours(z=z, tie_rule=tie_rule)
        # A label goes with the grey level, or levels of the ladder would differ by chance only.
        self.labels = random.integers(0, CLASSES, images)
        grey = 2 * self.labels[:, None, None, None] + random.integers(0, 6, (images, *SHAPE))
        self.images = grey.astype(np.uint8)
        self.images[images // 2 :] = self.images[: images - images // 2]
        clean = random.integers(0, 13, (queries // 2, *SHAPE)) / np.float32(255)
        moved = clean + random.uniform(0, 0.004, clean.shape).astype(np.float32)
        self.queries: NDArray[np.float32] = np.concatenate([clean, moved]).astype(np.float32)
        self.training = TrainingImages(self.images, self.labels, CLASSES)
        self.fitted: FittedNeighbours = self.family.fit(self.training)
        self.whole = self.fitted.predict(self.queries)
        self.random = random

    def draw_parts(self, share: float, count: int) -> NDArray[np.bool_]:
        """Parts with this share of the images, z at least."""
        total, parts = len(self.labels), np.zeros((count, len(self.labels)), dtype=bool)
        for part in parts:
            part[self.random.permutation(total)[: max(round(share * total), self.family.z)]] = True
        return parts

    def order(self) -> NDArray[np.intp]:
        """(n, N) all training images by distance, then by index."""
        flat, asked = (one.reshape(len(one), -1).astype(np.float64) for one in (self.images, self.grey))
        distance = np.square(asked[:, None] - flat).sum(axis=2)
        return np.argsort(distance, axis=1, kind="stable")

    @property
    def grey(self) -> NDArray[np.float32]:
        """The queries from 0 to 255, as float32 rounds them."""
        return np.float32(255) * self.queries

    def scikit_learn(self, part: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(levels, n) what the paper's classifier says that is fitted on a part.

        It is given the place of every image in the order of distances, so that none are tied.
        """
        order = self.order()
        place = np.argsort(order[part[order]].reshape(len(order), -1), axis=1).astype(np.float64)
        answers = []
        for k in self.family.voting.every_k:
            fitted = KNeighborsClassifier(k, algorithm="brute", metric="precomputed")
            fitted.fit(np.zeros((place.shape[1], place.shape[1])), self.labels[part])
            if self.family.tie_rule == "lowest":
                answers.append(fitted.predict(place))
            else:
                voters = self.labels[part][fitted.kneighbors(place, return_distance=False)]
                # Counter keeps the order of first votes, and `max` takes the first of equals.
                answers.append([max(votes := Counter(few), key=votes.__getitem__) for few in voters.tolist()])
        return np.array(answers)


@pytest.mark.parametrize("tie_rule", TIE_RULES)
@pytest.mark.parametrize("z", [3, 7, 21, 51])
@pytest.mark.parametrize("share", [0.5, 0.25, 0.0], ids=["half", "quarter", "z images"])
def test_a_part_is_answered_as_by_a_classifier_that_was_fitted_on_it(
    z: int, tie_rule: str, share: float
) -> None:
    case = Case(z, tie_rule, images=420)
    parts = case.draw_parts(share, 3)
    found = NeighboursOfParts(case.fitted, parts).predict(case.queries, case.whole)
    assert found.dtype == np.int64
    for part, answer in zip(parts, found, strict=True):
        assert_array_equal(answer, case.scikit_learn(part))
        fitted_on_it = case.family.fit(case.training.take(part))
        assert_array_equal(answer, fitted_on_it.predict(case.queries).label)
    assert len(np.unique(found, axis=1)[0]) > 1, "levels that agree everywhere would protect nothing"
    assert (found[0] != found[1]).any(), "parts that agree everywhere too"


def test_images_like_known_ones_are_listed_with_as_many_neighbours_as_the_parts_need() -> None:
    case = Case(7, "lowest", images=1000)
    halves = case.family.fit_parts(case.fitted, case.training, np.stack([np.arange(1000) % 2 == 0] * 2))
    assert isinstance(halves, NeighboursOfParts)
    for one, width in ((halves.whole, halves.wanted), (case.fitted, 7)):
        listed = one.predict(case.queries, case.whole.near)
        assert_array_equal(listed.near, case.order()[:, :width])
        assert_array_equal(listed.label, case.whole.label)
        assert_array_equal(listed.support, case.whole.support)
    assert halves.wanted == case.fitted.listed(0.5, 2) < case.fitted.listed(0.25, 2)


def test_where_all_distances_are_tied_the_index_decides() -> None:
    family = KNearestNeighbours(z=3)
    images, labels = np.zeros((8, *SHAPE), dtype=np.uint8), np.array([0, 1, 1, 2, 2, 3, 3, 3])
    fitted = family.fit(TrainingImages(images, labels, CLASSES))
    parts = np.array(
        [[1, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0, 0]], dtype=bool
    )
    found = NeighboursOfParts(fitted, parts).predict(images[:1], fitted.predict(images[:1]))
    # By hand: the first three labels are 0, 1, 2, then 2, 3, 3, then 1, 2, 2; K = 3, then K = 1.
    assert found[:, :, 0].tolist() == [[0, 0], [3, 2], [2, 1]]


class RecordingSearch:
    """A search that remembers how many images it was asked for, and for how many neighbours of each."""

    def __init__(self, search: NeighbourSearch) -> None:
        self._search = search
        self.asked: list[tuple[int, int]] = []

    def search(self, queries: Pixels, z: int, near: NDArray[np.int64] | None = None) -> Neighbours:
        self.asked.append((len(queries), z))
        return self._search.search(queries, z, near)


def lacking(case: Case, parts: NDArray[np.bool_], width: int) -> int:
    """How many lists of so many neighbours hold fewer than z images of some part."""
    members = parts[:, case.order()[:, :width]].sum(axis=2)
    return int((members < case.family.z).any(axis=0).sum())


def assert_only_what_lacks_is_asked_for(
    case: Case, parts: NDArray[np.bool_], width: int, asked: list[tuple[int, int]]
) -> None:
    """asked: what a search was asked after lists of a width, until all lists have z images of every part."""
    for count, longer in asked:
        assert count == lacking(case, parts, width) > 0
        assert longer > width
        width = longer
    assert lacking(case, parts, width) == 0


@pytest.mark.parametrize("z", [3, 7, 21])
def test_images_are_searched_for_again_only_where_the_list_lacks_neighbours(z: int) -> None:
    case = Case(z, "lowest", images=1000, queries=400)
    parts = case.draw_parts(0.25, 3)
    parts[1] = case.images.sum(axis=(1, 2, 3)) > 24  # far from the darkest of the queries
    search = RecordingSearch(case.fitted.search)
    found = NeighboursOfParts(replace(case.fitted, search=search), parts).predict(case.queries, case.whole)
    assert 0 < search.asked[0][0] < len(case.queries) / 2
    assert_only_what_lacks_is_asked_for(case, parts, case.whole.near.shape[1], search.asked)
    again = case.fitted.effort["searched"] - len(case.queries)
    assert again == sum(count for count, _ in search.asked)
    for part, answer in zip(parts, found, strict=True):
        assert_array_equal(answer, case.scikit_learn(part))


def test_no_search_takes_place_where_every_list_serves() -> None:
    case = Case(7, "lowest", images=1000)
    parts = case.draw_parts(0.5, 2)
    assert lacking(case, parts, case.whole.near.shape[1]) == 0
    for _ in range(2):
        NeighboursOfParts(case.fitted, parts).predict(case.queries, case.whole)
        assert case.fitted.effort["searched"] == len(case.queries), "those of the whole"


@pytest.mark.parametrize("width", [0, 1, 7, 20])
def test_a_list_that_is_shorter_than_wanted_is_replaced_by_a_longer_one(width: int) -> None:
    case = Case(7, "nearest", images=1000)
    parts = case.draw_parts(0.25, 4)
    expected = NeighboursOfParts(case.fitted, parts).predict(case.queries, case.whole)
    short = Predictions(case.whole.label, case.whole.support, case.whole.near[:, :width])
    wanted = NeighboursOfParts(case.fitted, parts).wanted
    assert width < wanted < case.whole.near.shape[1]
    for near in (None, case.whole.near, case.whole.near[:, :width]):
        search = RecordingSearch(case.fitted.search)
        shortened = NeighboursOfParts(replace(case.fitted, search=search), parts)
        assert_array_equal(shortened.predict(case.queries, short, near), expected)
        assert search.asked[0] == (len(case.queries), wanted)
        assert_only_what_lacks_is_asked_for(case, parts, wanted, search.asked[1:])


@pytest.mark.parametrize("parts", [1, 2, 40])
@pytest.mark.parametrize("share", [0.5, 0.25, 0.1])
def test_one_list_in_a_hundred_lacks_neighbours_in_some_of_the_parts(share: float, parts: int) -> None:
    case, random = Case(7, "lowest", images=2000), np.random.default_rng(1)
    size = round(share * 2000)
    members = random.hypergeometric(size, 2000 - size, case.fitted.listed(share, parts), (20_000, parts))
    # The number of members is about normal only.
    assert 0.0005 < (members < 7).any(axis=1).mean() < 0.012


def test_no_list_is_longer_than_the_training_images() -> None:
    assert Case(7, "lowest", images=2000).fitted.listed(0.001, 2) == 2000


def test_neighbours_are_counted_right_in_the_longest_lists() -> None:
    # The far part is found in a list of all images only, where the other part has 40,000.
    images = np.zeros((40_000, 1, 1, 1), dtype=np.uint8)
    images[-3:] = 9
    labels = np.zeros(len(images), dtype=np.int64)
    labels[-3:] = [2, 1, 1]
    fitted = KNearestNeighbours(z=3).fit(TrainingImages(images, labels, CLASSES))
    parts = np.stack([images[:, 0, 0, 0] == 9, np.ones(len(images), dtype=bool)])
    found = NeighboursOfParts(fitted, parts).predict(images[:2], fitted.predict(images[:2]))
    assert found.tolist() == [[[1, 1], [2, 2]], [[0, 0], [0, 0]]]


@pytest.mark.parametrize("n", [1, 2])
def test_where_no_list_serves_all_images_are_searched_for(n: int) -> None:
    images = np.arange(1000, dtype=np.int64)[:, None, None, None] // 4
    training = TrainingImages(images.astype(np.uint8), np.arange(1000) % CLASSES, CLASSES)
    case = KNearestNeighbours(z=3).fit(training)
    asked = images[:n].astype(np.uint8)
    part = np.arange(1000) >= 900
    found = NeighboursOfParts(case, part[None]).predict(asked, case.predict(asked))
    assert found.tolist() == [[[0] * n, [0] * n]]
    # First for the whole, then for longer lists until these hold the last images.
    assert case.effort["searched"] > 2 * n


def test_no_image_gets_no_label() -> None:
    case = Case(3, "lowest", images=60)
    none = case.queries[:0]
    found = NeighboursOfParts(case.fitted, case.draw_parts(0.5, 2)).predict(none, case.fitted.predict(none))
    assert found.shape == (2, 2, 0)


def test_a_part_with_fewer_images_than_neighbours_is_refused() -> None:
    case = Case(7, "lowest", images=60)
    parts = case.draw_parts(0.5, 2)
    parts[1] = np.arange(60) < 6
    with pytest.raises(ValueError, match="a part has 6 images, fewer than z = 7"):
        NeighboursOfParts(case.fitted, parts)
    parts[1] = np.arange(60) < 7
    NeighboursOfParts(case.fitted, parts)
    for wrong in (parts[:, :59], parts[0]):
        with pytest.raises(ValueError, match=r"parts must be \(p, 60\)"):
            NeighboursOfParts(case.fitted, wrong)


def test_what_another_family_answered_is_refused() -> None:
    case = Case(3, "lowest", images=60)

    class Other:
        effort: ClassVar[dict[str, int]] = {}

        def predict(self, images: object, near: object = None) -> Predictions:
            raise NotImplementedError

    with pytest.raises(TypeError, match="Other is no answer of this family's"):
        case.family.fit_parts(Other(), case.training, case.draw_parts(0.5, 2))


@pytest.mark.parametrize("tie_rule", TIE_RULES)
@pytest.mark.parametrize("every_k", [(7, 5, 3, 1), (1, 2, 3, 4), (9, 2, 5), (4,)], ids=str)
def test_votes_at_several_k_are_those_at_each(every_k: tuple[int, ...], tie_rule: str) -> None:
    random = np.random.default_rng(len(every_k))
    for classes in (1, 2, 5):
        labels = random.integers(0, classes, (80, 9))
        found = vote_at_each(every_k, labels, classes, tie_rule)
        assert found.dtype == np.int64
        assert_array_equal(found, [vote(labels, k, classes, tie_rule) for k in every_k])
    assert vote_at_each(every_k, labels[:0], 5, tie_rule).shape == (len(every_k), 0)


def test_impossible_votes_at_several_k_are_refused() -> None:
    labels = np.array([[0, 1, 2]])
    for tie_rule in TIE_RULES:
        with pytest.raises(ValueError, match="k = 5 votes asked of 3"):
            vote_at_each((5, 3), labels, 3, tie_rule)
        with pytest.raises(ValueError, match="0 to 1"):
            vote_at_each((3, 1), labels, 2, tie_rule)
    with pytest.raises(SpecError, match="expected one of lowest, nearest"):
        vote_at_each((3, 1), labels, 3, "neares")
