"""A family answers for every level of its knob; the neighbours' levels are scikit-learn's classifiers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from core.data.load import load
from core.data.split import stratified_split
from core.errors import SpecError
from core.families.family import Family, Resources, TrainingImages
from core.families.knn import KNearestNeighbours
from core.families.ladder import Ladder
from core.families.registry import FAMILIES
from core.families.voting import SEARCHES, TIE_RULES, Voting
from core.neighbours.blocked import BlockedSearch
from core.neighbours.classifier import NEARBY, QUARTER, FittedNeighbours
from core.neighbours.search import Neighbours, Pixels
from core.sets.registry import SETS
from tests.fakes.plugins import Kernel


class CountingSearch:
    """A search that remembers what it was asked."""

    def __init__(self, training: NDArray[np.uint8]) -> None:
        self.inner = BlockedSearch(training)
        self.asked: list[tuple[int, int]] = []

    def search(self, queries: Pixels, z: int, near: NDArray[np.int64] | None = None) -> Neighbours:
        self.asked.append((len(queries), z))
        return self.inner.search(queries, z, near)


def in_unit_range(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.divide(images, 255, dtype=np.float32)


def colour_images(n: int, generator: np.random.Generator) -> TrainingImages:
    images = generator.integers(0, 256, (n, 6, 4, 3), dtype=np.uint8)
    return TrainingImages(images, generator.integers(0, 5, n), 5)


def scikit_learn_predictions(training: TrainingImages, queries: Pixels, ladder: Ladder) -> NDArray[np.int64]:
    flat, asked = (
        images.reshape(len(images), -1).astype(np.float64) for images in (training.images, queries)
    )
    return np.array(
        [
            KNeighborsClassifier(k, algorithm="kd_tree").fit(flat, training.labels).predict(asked)
            for k in map(int, ladder.levels)
        ]
    )


def test_levels_run_from_general_to_fitted() -> None:
    family: Family = KNearestNeighbours(z=9)
    assert family.ladder == Ladder("K", ("9", "7", "5", "3", "1"), (9, 7, 5, 3, 1))
    assert KNearestNeighbours().ladder.levels == ("7", "5", "3", "1")
    assert KNearestNeighbours(z=3).ladder.levels == ("3", "1")


@pytest.mark.parametrize("search", SEARCHES)
def test_every_level_is_scikit_learns_classifier_on_data_without_ties(search: str) -> None:
    generator = np.random.default_rng(0)
    training = colour_images(400, generator)
    queries = colour_images(60, generator).images
    family = KNearestNeighbours(z=7, search=search)
    expected = scikit_learn_predictions(training, queries, family.ladder)
    assert len(np.unique(expected, axis=0)) == 4, "levels that agree everywhere would protect nothing"
    np.testing.assert_array_equal(family.fit(training).predict(queries).label, expected)


@pytest.mark.slow
def test_every_level_is_scikit_learns_classifier_on_handwritten_digits(tmp_path: Path) -> None:
    pool = load("mnist-5k", data_dir=tmp_path, cache_dir=tmp_path, note=lambda _: None)
    generator = np.random.default_rng(0)
    split = stratified_split(pool.labels, pool.test_size, generator)
    index = split.train_index
    training = TrainingImages(pool.images[index], pool.labels[index], pool.classes)
    clean = pool.images[split.test_index[:60]]
    noise = np.float32(0.1) * generator.choice(np.array([-1, 1], dtype=np.float32), size=clean.shape)
    noisy = np.clip(in_unit_range(clean) + noise, 0, 1)
    family = KNearestNeighbours(z=7)
    fitted = family.fit(training)
    cases: list[tuple[Pixels, Pixels]] = [(clean, clean), (noisy, noisy * np.float32(255))]
    for queries, grey in cases:
        expected = scikit_learn_predictions(training, grey, family.ladder)
        np.testing.assert_array_equal(fitted.predict(queries).label, expected)
    assert (fitted.predict(clean).label[0] == pool.labels[split.test_index[:60]]).mean() > 0.85


def test_all_levels_come_from_one_search() -> None:
    training = colour_images(200, np.random.default_rng(1))
    search = CountingSearch(training.images.reshape(200, -1))
    fitted = FittedNeighbours(Voting(7), search, (6, 4, 3), training.labels, 5)
    first = fitted.predict(training.images[:20])
    assert first.label.shape == (4, 20)
    # As many as serve a quarter of the training images too.
    known = fitted.listed(QUARTER, KNearestNeighbours.subsets)
    assert 4 * 7 < known < 200 - NEARBY
    assert search.asked == [(20, known + NEARBY)]
    fitted.predict(training.images[:20], first.near)
    assert search.asked[1:] == [(20, 7)]


def test_notes_on_images_help_with_images_like_them_and_change_nothing() -> None:
    generator = np.random.default_rng(7)
    training = colour_images(600, generator)
    clean = colour_images(10, generator).images
    noise = np.float32(0.02) * generator.standard_normal((90, 6, 4, 3), dtype=np.float32)
    like_them = np.clip(in_unit_range(clean).repeat(9, axis=0) + noise, 0, 1)
    fitted, alone = (KNearestNeighbours(z=5).fit(training) for _ in range(2))
    near = fitted.predict(clean).near
    known = fitted.listed(QUARTER, KNearestNeighbours.subsets) + NEARBY
    for row, image in enumerate(clean):
        distance = np.square(training.images - image.astype(np.float64)).sum(axis=(1, 2, 3))
        np.testing.assert_array_equal(near[row], np.argsort(distance, kind="stable")[:known])
    helped = fitted.predict(like_them, near.repeat(9, axis=0))
    np.testing.assert_array_equal(helped.label, alone.predict(like_them).label)
    assert fitted.effort["searched"] == fitted.effort["certified"] + fitted.effort["complete"] == 100
    assert fitted.effort["measured"] < 100 * 600


def test_the_tie_rule_reaches_the_vote() -> None:
    # Pixels 1, 2, 3 levels from the query; three neighbours, three labels: a tie at K = 3.
    images, query = np.array([1, 2, 3], dtype=np.uint8).reshape(3, 1, 1, 1), np.zeros((1, 1, 1, 1), np.uint8)
    training = TrainingImages(images, np.array([2, 1, 0]), 3)
    predictions = {
        rule: KNearestNeighbours(z=3, tie_rule=rule).fit(training).predict(query).label.tolist()
        for rule in TIE_RULES
    }
    assert predictions == {"lowest": [[0], [2]], "nearest": [[2], [2]]}


@pytest.mark.parametrize("rule", TIE_RULES)
def test_what_the_other_tie_rules_say_comes_with_every_answer(rule: str) -> None:
    training = colour_images(90, np.random.default_rng(11))
    queries = colour_images(40, np.random.default_rng(12)).images
    by_rule = {one: KNearestNeighbours(z=7, tie_rule=one).fit(training).predict(queries) for one in TIE_RULES}
    assert (by_rule["lowest"].label != by_rule["nearest"].label).any(), "no tie would protect nothing"
    variants = by_rule[rule].variants
    assert set(variants) == {f"ties: {other}" for other in TIE_RULES if other != rule}
    for other in set(TIE_RULES) - {rule}:
        np.testing.assert_array_equal(variants[f"ties: {other}"], by_rule[other].label)
    some = by_rule[rule].take(np.array([3, 1]))
    np.testing.assert_array_equal(some.near, by_rule[rule].near[[3, 1]])
    for other, label in some.variants.items():
        np.testing.assert_array_equal(label, variants[other][:, [3, 1]])


def test_grey_levels_and_unit_range_of_one_image_are_predicted_alike() -> None:
    training = colour_images(80, np.random.default_rng(2))
    fitted = KNearestNeighbours(z=5).fit(training)
    queries = colour_images(30, np.random.default_rng(3)).images
    one, other = fitted.predict(queries), fitted.predict(in_unit_range(queries))
    np.testing.assert_array_equal(one.label, other.label)


def test_no_image_gets_no_prediction() -> None:
    training = colour_images(20, np.random.default_rng(4))
    none = np.empty((0, 6, 4, 3), dtype=np.float32)
    assert KNearestNeighbours(z=5).fit(training).predict(none).label.shape == (3, 0)


def test_images_of_another_shape_are_refused_even_with_as_many_pixels() -> None:
    training = colour_images(20, np.random.default_rng(5))
    fitted = KNearestNeighbours(z=3).fit(training)
    with pytest.raises(ValueError, match=r"images are \(3, 6, 4\), those fitted were \(6, 4, 3\)"):
        fitted.predict(training.images.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("z", "allowed", "hint"),
    [
        (1, "expected a whole number from 3 to 999", ""),
        (0, "expected a whole number from 3 to 999", ""),
        (-3, "expected a whole number from 3 to 999", ""),
        (1001, "expected a whole number from 3 to 999", ""),
        (4, "Z must be odd, so that K falls in steps of 2 to 1", "try 3"),
        (998, "Z must be odd, so that K falls in steps of 2 to 1", "try 997"),
    ],
)
def test_a_ladder_that_cannot_be_is_refused(z: int, allowed: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        KNearestNeighbours(z=z)
    error = caught.value
    assert (error.field, error.value, error.allowed, error.hint) == ("z", z, allowed, hint)


def test_a_family_that_says_no_more_than_it_must_has_plain_words_and_the_time_of_a_small_network() -> None:
    family = Kernel()
    assert KNearestNeighbours.unfilled() == ()
    assert set(family.unfilled()) == {name for name in SETS if SETS[name].shuffles is not None}
    assert (family.headline, family.beside_levels, family.counted_as) == ("", {}, "nearest")
    assert family.prediction_time(60_000, 784) == family.prediction_time(10, 784)
    assert family.prediction_time(10, 784).first == family.prediction_time(10, 784).again
    assert (
        KNearestNeighbours().prediction_time(60_000, 784).first
        > 10 * family.prediction_time(60_000, 784).first
    )


def test_the_neighbours_that_vote_stand_as_dots_beside_their_levels_unless_there_are_too_many() -> None:
    assert KNearestNeighbours(z=5).beside_levels == {"5": "●●●●●", "3": "●●●", "1": "●"}
    assert len(KNearestNeighbours(z=25).beside_levels) == 13
    assert KNearestNeighbours(z=27).beside_levels == {}
    assert KNearestNeighbours(z=27).headline == "Z 27"


@pytest.mark.parametrize(("option", "hint"), [("tie_rule", "lowest"), ("search", "kd-tree")])
def test_a_rule_or_a_search_that_is_not_known_is_refused(option: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        FAMILIES["knn"](**{option: hint[:-1]})
    assert (caught.value.field, caught.value.hint) == (option, f"did you mean {hint}?")


def test_the_family_has_the_options_that_it_declares_with_their_defaults() -> None:
    family = vars(FAMILIES["knn"]())
    assert {option.name: option.default for option in KNearestNeighbours.options} == family
    assert not next(option for option in KNearestNeighbours.options if option.name == "search").identifies
    with pytest.raises(TypeError):
        FAMILIES["knn"](depth=3)


def test_too_few_training_images_are_refused() -> None:
    training = colour_images(4, np.random.default_rng(6))
    with pytest.raises(SpecError, match="only 4 training images"):
        KNearestNeighbours(z=5).fit(training)
    with pytest.raises(SpecError, match="only 4 training images"):
        KNearestNeighbours(z=5).check_size(4)
    KNearestNeighbours(z=5).check_size(5)
    with pytest.raises(ValueError, match="4 images with 3 labels"):
        TrainingImages(training.images, training.labels[:3], 5)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_change_no_answer(threads: int) -> None:
    training = colour_images(700, np.random.default_rng(8))
    queries = colour_images(1300, np.random.default_rng(9)).images  # more than two blocks of the search
    alone = KNearestNeighbours(z=5).fit(training).predict(queries)
    found = KNearestNeighbours(z=5).fit(training, Resources(threads=threads)).predict(queries)
    for name in ("label", "support", "near"):
        np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))


def test_support_is_the_votes_of_the_most_general_level() -> None:
    training = colour_images(60, np.random.default_rng(10))
    found = KNearestNeighbours(z=7).fit(training).predict(training.images)
    assert (found.support.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(found.support.argmax(axis=1), found.label[0])


@pytest.mark.parametrize("search", SEARCHES)
def test_the_nearest_are_those_of_every_distance_in_float64_and_no_more_than_asked_for(search: str) -> None:
    generator = np.random.default_rng(3)
    training = colour_images(300, generator)
    queries = in_unit_range(colour_images(20, generator).images)
    family = KNearestNeighbours(z=21, search=search)
    fitted = family.fit(training)
    near = fitted.predict(queries).near
    effort = dict(fitted.effort)
    grey = (np.float32(255) * queries).reshape(20, 1, -1).astype(np.float64)
    distance = np.sqrt(((grey - training.images.reshape(1, 300, -1)) ** 2).sum(axis=2)) / 255
    order = np.argsort(distance, axis=1, kind="stable")
    for guesses in (None, near):
        for most, k in ((15, 15), (99, 21)):
            found = family.nearest(fitted, queries, most, guesses)
            assert found.counted == tuple(range(21, 0, -2))
            np.testing.assert_array_equal(found.index, order[:, :k])
            expected = np.take_along_axis(distance, order[:, :k], axis=1)
            np.testing.assert_allclose(found.distance, expected, rtol=1e-12)
    assert dict(fitted.effort) == effort, "it is looked at, and no part of what a run has taken"
    with pytest.raises(ValueError, match="images are"):
        family.nearest(fitted, queries[:, :5], 15)
