"""An auditor with a run's files, the data set and scikit-learn gets the same numbers that decide the claim."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from core.data.images import ImageSet
from core.families.family import Predictions
from core.families.knn import ORDERS, KNearestNeighbours
from core.families.voting import SUBSETS
from core.protocol.result import RunResult
from core.protocol.run import compute_run
from core.protocol.streams import Streams
from core.records.arrays import write_arrays
from core.records.candidates import ARRAYS, IMAGES, CandidateFiles
from core.records.deciding import BiasVariance, ByLevel, CrossFit, Flips, Robustness
from core.sets.registry import own_controls
from core.spec.spec import Spec
from tests.fakes.arrays import read_arrays
from tests.fakes.images import made_up_pool

EXACT = 1e-12
SPEC = Spec(
    dataset="/made/up.npz",
    runs=2,
    epochs=15,
    epsilon=0.25,
    keep="candidates",
    controls=own_controls(),
    options={"z": 5},
)
CASES = {
    "fgsm": SPEC,
    "nearest": SPEC.changed(tie_rule="nearest", seed=1),
    "rejected": SPEC.changed(attack="deepfool", bound="reject", z=3, seed=2, epochs=6),
}
OTHER_RULE = {"lowest": "nearest", "nearest": "lowest"}
Answers = NDArray[np.int64]
"""(levels, n): what a classifier says of n images at each level."""


def flat(images: NDArray[Any]) -> NDArray[np.float64]:
    return images.reshape(len(images), -1).astype(np.float64)


def grey(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images in [0, 1] on the scale of the data set, 0 to 255."""
    return np.float32(255) * images


def vote_of(voters: Sequence[int], rule: str) -> int:
    """The winner among labels, the nearest neighbour's first."""
    votes = Counter(voters)
    if rule == "nearest":  # Counter keeps the order of first votes, and `max` takes the first of equals
        return max(votes, key=votes.__getitem__)
    return min(label for label, count in votes.items() if count == max(votes.values()))


@dataclass(frozen=True)
class Judged:
    """Images with all that the auditor has scikit-learn say of them and of what they were made from.

    whole, other: by the two tie rules. halves: (2, levels, n). subsets: (2, B, levels, n). source: rows of the test
    images, -1 for those that are test images themselves.
    """

    label: NDArray[np.int64]
    source: NDArray[np.int64]
    whole: Answers
    other: Answers
    halves: NDArray[np.int64]
    subsets: NDArray[np.int64]


class Auditor:
    """Knows what the files say, the data set and the specification; recomputes the rest."""

    def __init__(self, spec: Spec, pool: ImageSet, folder: Path) -> None:
        self.spec, self.pool = spec, pool
        self.every_k = [int(value) for value in spec.ladder.values]
        self.rule = str(spec.make_family().tie_rule)  # type: ignore[attr-defined]
        self.arrays = read_arrays(folder / "arrays.npz")
        self.kept = read_arrays(folder / ARRAYS)
        self.image: NDArray[np.float32] = np.load(folder / IMAGES)
        self.train = self.arrays["train_index"].astype(np.int64)
        self.test_index = self.arrays["test_index"].astype(np.int64)
        self.label = pool.labels[self.test_index]
        self.half = self.arrays["half"]

    # What scikit-learn says

    def fit(self, rows: NDArray[np.bool_]) -> KNeighborsClassifier:
        """The paper's classifier on some of the training images."""
        index = self.train[rows]
        fitted = KNeighborsClassifier(self.every_k[0], algorithm="brute")
        return fitted.fit(flat(self.pool.images[index]), self.pool.labels[index])

    def ask(self, rows: NDArray[np.bool_], images: NDArray[np.float64], rule: str) -> Answers:
        """(levels, n) answers of the classifier on these rows of the training images."""
        fitted = self.fit(rows)
        if rule == "lowest":
            return np.array([fitted.set_params(n_neighbors=k).predict(images) for k in self.every_k])
        near = fitted.kneighbors(images, return_distance=False)
        voters = self.pool.labels[self.train[rows]][near].tolist()
        return np.array([[vote_of(row[:k], rule) for row in voters] for k in self.every_k])

    def judge(
        self, images: NDArray[np.float64], label: NDArray[np.int64], source: NDArray[np.int64]
    ) -> Judged:
        everything = np.ones(len(self.train), dtype=bool)
        return Judged(
            label=label,
            source=source,
            whole=self.ask(everything, images, self.rule),
            other=self.ask(everything, images, OTHER_RULE[self.rule]),
            halves=np.stack([self.ask(self.half == half, images, self.rule) for half in (0, 1)]),
            subsets=np.stack(
                [[self.ask(one, images, self.rule) for one in of_half] for of_half in self.arrays["subset"]]
            ),
        )

    @cached_property
    def test(self) -> Judged:
        return self.judge(flat(self.pool.images[self.test_index]), self.label, np.full(len(self.label), -1))

    @cached_property
    def candidates(self) -> Judged:
        row = {index: place for place, index in enumerate(self.test_index.tolist())}
        source = np.array([row[index] for index in self.kept["source"].tolist()])
        return self.judge(flat(grey(self.image)), self.label[source], source)

    @cached_property
    def noise(self) -> Judged:
        images, source = self.made_of_noise("noise", None)
        return self.judge(flat(grey(images)), self.label[source], source)

    def on_source(self, judged: Judged, name: str) -> NDArray[np.int64]:
        """What was said of the images that some were made from."""
        answers: NDArray[np.int64] = getattr(self.test, name)[..., judged.source]
        return answers

    # Noise, drawn again

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """A row of the test images and a target for every candidate that the attack may make, in their order."""
        known = np.flatnonzero(self.test.whole[0] == self.label)
        unknown = np.flatnonzero(self.test.whole[0] != self.label)
        rows = np.concatenate([known, unknown]).tolist()
        return [(row, t) for row in rows for t in range(self.pool.classes) if t != self.label[row]]

    def made_of_noise(
        self, stream: str, norms: NDArray[np.float64] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Images made by random signs from every pair, or of a norm from the first ones; rows of their sources."""
        source = np.array([row for row, _ in self.pairs[: len(norms) if norms is not None else None]])
        clean = self.pool.images[self.test_index[source]] / np.float32(255)
        generator = Streams(self.spec.seed, 0).torch(stream)
        shape = (len(source), *clean.shape[-1:], *clean.shape[1:-1])
        bits = torch.randint(0, 2, shape, generator=generator, dtype=torch.int8).numpy()
        signs = 2 * bits.transpose(0, 2, 3, 1) - np.float32(1)
        if norms is None:
            return np.clip(clean + np.float32(self.spec.epsilon) * signs, 0, 1), source
        made = [with_norm(*one) for one in zip(clean, signs, norms, strict=True)]
        return np.array(made, dtype=np.float32), source

    @cached_property
    def norms(self) -> NDArray[np.float64]:
        """Of the attack's own change, for every pair of a known source; NaN where its candidate was thrown away."""
        known = int((self.test.whole[0] == self.label).sum()) * (self.pool.classes - 1)
        change = self.image - self.pool.images[self.kept["source"]] / np.float32(255)
        norm = np.linalg.norm(flat(change), axis=1)
        keys = zip(self.candidates.source.tolist(), self.kept["target"].tolist(), strict=True)
        by_pair = dict(zip(keys, norm.tolist(), strict=True))
        return np.array([by_pair.get(pair, np.nan) for pair in self.pairs[:known]])


def with_norm(
    clean: NDArray[np.float32], signs: NDArray[np.float32], norm: float
) -> NDArray[np.float64] | NDArray[np.float32]:
    """clip01(clean + s * signs) with the s of that norm, by bisection; the clean image where the norm is NaN."""
    if np.isnan(norm):
        return clean
    before, (low, high) = clean.astype(np.float64), (0.0, 1.0)
    for _ in range(100):
        middle = (low + high) / 2
        change = np.clip(before + middle * signs, 0, 1) - before
        low, high = (middle, high) if np.linalg.norm(change) < norm else (low, middle)
    return np.clip(before + high * signs, 0, 1)


@pytest.fixture(scope="module", params=CASES)
def audit(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Auditor, RunResult]:
    """A run whose files are on disk, and who reads them."""
    spec, pool, folder = CASES[request.param], made_up_pool(), tmp_path_factory.mktemp("run")
    with CandidateFiles(folder, spec.ladder, pool.shape) as files:
        result = compute_run(spec, 0, pool, keep=files)
        files.finish(folder)
    write_arrays(folder / "arrays.npz", result.arrays, spec.ladder)
    return Auditor(spec, pool, folder), result


Audit = tuple[Auditor, RunResult]


@pytest.mark.slow
def test_the_examples_are_worth_an_audit(audit: Audit) -> None:
    auditor, result = audit
    counts, found = result.metrics.counts, result.metrics
    assert (counts.rejected > 0) == (auditor.spec.options.get("bound") == "reject")
    assert len(auditor.image) + (counts.rejected > 0) > 0.1 * len(auditor.pairs)
    assert counts.adversarial >= 5
    assert found.crossfit is not None
    assert min(min(pair) for pair in found.crossfit.counts.values()) >= 1
    assert found.flips is not None
    assert found.flips.gained != found.flips.lost
    assert (auditor.candidates.whole != auditor.candidates.other).any(), "the rules would be one"


@pytest.mark.slow
def test_the_halves_answer_as_scikit_learn_does(audit: Audit) -> None:
    auditor, _ = audit
    assert_array_equal(auditor.arrays["test_prediction"], auditor.test.whole)
    assert_array_equal(auditor.arrays["crossfit_test_prediction"], auditor.test.halves)
    assert_array_equal(auditor.kept["prediction"], auditor.candidates.whole)
    assert_array_equal(auditor.kept["crossfit_prediction"], auditor.candidates.halves)


def test_the_subsets_are_halves_of_the_halves(audit: Audit) -> None:
    auditor, _ = audit
    subset = auditor.arrays["subset"]
    assert subset.shape == (2, SUBSETS, len(auditor.train))
    for half in (0, 1):
        assert not subset[half][:, auditor.half != half].any()
        assert (subset[half].sum(axis=1) == (auditor.half == half).sum() // 2).all()
        assert len(np.unique(subset[half], axis=0)) == SUBSETS
    labels = auditor.pool.labels[auditor.train]
    sizes = np.stack([np.bincount(labels[auditor.half == half]) for half in (0, 1)])
    assert np.abs(sizes[0] - sizes[1]).max() <= 1


# Cross-fitted selection


def selected(auditor: Auditor, name: str, place: int) -> tuple[Judged, list[list[int]]]:
    """The images of a deciding set, and for each half the rows of those that it selects at one level."""
    judged = {
        "test": auditor.test,
        "misclassified": auditor.test,
        "adversarial": auditor.candidates,
        "noise": auditor.noise,
    }[name]
    chosen: list[list[int]] = [[], []]
    for half in (0, 1):
        for row, label in enumerate(judged.label):
            wrong = judged.halves[half, place, row] != label
            if name in ("adversarial", "noise"):
                wrong &= auditor.test.halves[half, place, judged.source[row]] == label
            if name == "test" or wrong:
                chosen[half].append(row)
    return judged, chosen


@pytest.mark.parametrize("end", ["general", "fitted"])
@pytest.mark.parametrize("name", ["test", "misclassified", "adversarial", "noise"])
def test_cross_fitted_accuracy_is_scikit_learn_s(audit: Audit, end: str, name: str) -> None:
    auditor, result = audit
    found = result.metrics.crossfit if end == "general" else result.metrics.crossfit_fitted
    assert isinstance(found, CrossFit)
    judged, chosen = selected(auditor, name, 0 if end == "general" else -1)
    assert found.counts[name] == (len(chosen[0]), len(chosen[1]))
    by_other: ByLevel = getattr(found, name)
    for row, level in enumerate(auditor.spec.ladder.levels):
        shares: dict[bool, list[float]] = {True: [], False: []}
        for half, own in itertools.product((0, 1), (True, False)):
            answers = judged.halves[half if own else 1 - half, row]
            shares[own].append(np.mean([answers[place] == judged.label[place] for place in chosen[half]]))
        assert by_other[level] == pytest.approx(np.mean(shares[False]), abs=EXACT)
        assert found.own[name][level] == pytest.approx(np.mean(shares[True]), abs=EXACT)


# Bias and variance


@pytest.mark.parametrize("name", ["test", "misclassified", "adversarial", "noise"])
def test_bias_and_variance_are_those_of_a_plain_loop_over_scikit_learn_s_answers(
    audit: Audit, name: str
) -> None:
    auditor, result = audit
    found = result.metrics.bias_variance
    assert isinstance(found, BiasVariance)
    assert found.subsets == SUBSETS
    judged, chosen = selected(auditor, name, 0)
    for row, level in enumerate(auditor.spec.ladder.levels):
        one = getattr(found, name)[level]
        orders = [
            domingos(
                judged.subsets[1 - half, :, row, chosen[half]].tolist(), judged.label[chosen[half]].tolist()
            )
            for half in (0, 1)
        ]
        for part, (first, second) in {key: (orders[0][key], orders[1][key]) for key in orders[0]}.items():
            assert getattr(one, part) == pytest.approx((first + second) / 2, abs=EXACT), part
        assert one.error == pytest.approx(one.bias + one.unbiased - one.biased, abs=EXACT)


def domingos(votes_of_images: list[list[int]], labels: list[int]) -> dict[str, float]:
    """Bias, variance and error of 0-1 loss, image by image; votes_of_images: of every part."""
    sums = dict.fromkeys(("bias", "variance", "unbiased", "biased", "error"), 0.0)
    for votes, label in zip(votes_of_images, labels, strict=True):
        main, parts = vote_of(votes, "lowest"), len(votes)
        variance = sum(vote != main for vote in votes) / parts
        right = sum(vote == label for vote in votes) / parts
        sums["bias"] += main != label
        sums["variance"] += variance
        sums["unbiased"] += variance if main == label else 0
        sums["biased"] += right if main != label else 0
        sums["error"] += 1 - right
    return {name: value / len(labels) for name, value in sums.items()}


# Robustness without selection


def robustness_by_hand(
    auditor: Auditor, judged: Judged, rule: str
) -> tuple[dict[str, tuple[float, ...]], Flips]:
    """Level -> accuracy, success and worst case; flips."""
    answers, on_test = getattr(judged, rule), getattr(auditor.test, rule)
    rows = range(len(judged.label))
    right = [[bool(a == y) for a, y in zip(level, judged.label, strict=True)] for level in answers]
    known = [
        [bool(on_test[j, judged.source[i]] == judged.label[i]) for i in rows] for j in range(len(answers))
    ]
    levels: dict[str, tuple[float, ...]] = {}
    for j, level in enumerate(auditor.spec.ladder.levels):
        broken = {int(judged.source[i]) for i in rows if not right[j][i]}
        safe = [x for x, y in enumerate(auditor.label) if on_test[j, x] == y and x not in broken]
        of_known = [right[j][i] for i in rows if known[j][i]]
        levels[level] = (
            sum(right[j]) / len(rows),
            1 - sum(of_known) / len(of_known),
            len(safe) / len(auditor.label),
        )
    both = [i for i in rows if known[0][i] and known[-1][i]]
    gained = sum(right[-1][i] and not right[0][i] for i in both)
    lost = sum(right[0][i] and not right[-1][i] for i in both)
    return levels, Flips(gained=gained, lost=lost, n=len(both))


@pytest.mark.parametrize("of", ["candidates", "other tie rule", "noise"])
def test_robustness_is_counted_candidate_by_candidate(audit: Audit, of: str) -> None:
    auditor, result = audit
    metrics = result.metrics
    assert metrics.robustness is not None
    assert metrics.flips is not None
    assert list(metrics.variants) == [f"ties: {OTHER_RULE[auditor.rule]}"]
    (variant,) = metrics.variants.values()
    recorded = {
        "candidates": Robustness(robustness=metrics.robustness, flips=metrics.flips),
        "other tie rule": variant,
        "noise": metrics.noise,
    }[of]
    assert recorded is not None
    judged = auditor.noise if of == "noise" else auditor.candidates
    levels, flips = robustness_by_hand(auditor, judged, "other" if of == "other tie rule" else "whole")
    assert recorded.flips == flips
    for level, expected in levels.items():
        one = recorded.robustness[level]
        assert (one.accuracy, one.success, one.worst_case) == pytest.approx(expected, abs=EXACT), level


def test_no_candidate_is_missing_but_those_that_the_attack_threw_away(audit: Audit) -> None:
    auditor, result = audit
    pairs = list(zip(auditor.candidates.source.tolist(), auditor.kept["target"].tolist(), strict=True))
    places = [auditor.pairs.index(pair) for pair in pairs]
    assert places == sorted(set(places)), "in their order, none twice"
    assert (len(pairs) < len(auditor.pairs)) == (result.metrics.counts.rejected > 0)
    counts = result.metrics.counts
    assert counts.candidates + counts.rejected == len(auditor.norms)
    assert counts.candidates == np.isfinite(auditor.norms).sum()


# The controls


def accuracy_by_hand(auditor: Auditor, judged: Judged, chosen: NDArray[np.bool_]) -> dict[str, float]:
    right = judged.whole[:, chosen] == judged.label[chosen]
    return dict(zip(auditor.spec.ladder.levels, right.mean(axis=1).tolist(), strict=True))


def test_both_readings_of_the_reverse_are_symmetric_to_the_adversarial_set(audit: Audit) -> None:
    auditor, result = audit
    every = auditor.candidates
    known, wrong = auditor.on_source(every, "whole") == every.label, every.whole != every.label
    expected = {
        "adversarial": known[0] & wrong[0],
        "reverse": known[-1] & wrong[-1],
        "adversarial-both-ends": known[0] & known[-1] & wrong[0],
        "reverse-both-ends": known[0] & known[-1] & wrong[-1],
        "candidates": known[0],
    }
    for name, chosen in expected.items():
        assert result.metrics.counts.sets[name] == chosen.sum() > 0, name
        assert result.metrics.accuracy[name] == pytest.approx(
            accuracy_by_hand(auditor, every, chosen), abs=EXACT
        )
    assert (known[0] & ~known[-1]).any(), "both ends would know the same sources"


def test_matched_noise_changes_each_source_as_much_as_the_attack_did(audit: Audit) -> None:
    auditor, result = audit
    images, source = auditor.made_of_noise("set noise-matched", auditor.norms)
    made = np.isfinite(auditor.norms)
    images, source = images[made], source[made]
    clean = auditor.pool.images[auditor.test_index[source]] / np.float32(255)
    norms = np.linalg.norm(flat(images - clean), axis=1)
    # Rounding of a pixel in float32, of 784 pixels.
    np.testing.assert_allclose(norms, auditor.norms[made], atol=28 * 1e-7, rtol=0)

    everything = np.ones(len(auditor.train), dtype=bool)
    label, answers = auditor.label[source], auditor.ask(everything, flat(grey(images)), auditor.rule)
    chosen = answers[0] != label
    metrics = result.metrics
    assert metrics.counts.sets["noise-matched"] == chosen.sum() > 0
    right = (answers[:, chosen] == label[chosen]).mean(axis=1)
    expected = dict(zip(auditor.spec.ladder.levels, right.tolist(), strict=True))
    assert metrics.accuracy["noise-matched"] == pytest.approx(expected, abs=EXACT)
    assert metrics.sets["noise-matched"].l2_mean == pytest.approx(auditor.norms[made].mean(), rel=1e-6)
    assert metrics.attack.l2_mean == pytest.approx(auditor.norms[made].mean(), rel=1e-6)

    sample = result.samples["noise-matched"]
    assert len(sample.label) == min(chosen.sum(), 100)
    row = {index: place for place, index in enumerate(auditor.test_index.tolist())}
    place = {pair: i for i, pair in enumerate(auditor.pairs)}
    by_place = dict(zip(np.flatnonzero(made).tolist(), images, strict=True))
    for image, index, target in zip(
        sample.image, sample.source.tolist(), sample.target.tolist(), strict=True
    ):
        np.testing.assert_allclose(image, by_place[place[row[index], target]], atol=2e-7)


def voters_of(auditor: Auditor, images: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n, z): labels of the nearest training images."""
    near = auditor.fit(np.ones(len(auditor.train), dtype=bool)).kneighbors(images, return_distance=False)
    voters: NDArray[np.int64] = auditor.pool.labels[auditor.train][near]
    return voters


def chance_of_a_right_vote(voters: Sequence[int], k: int, truth: int, rule: str) -> float:
    """How often the first k vote for the truth, over the orders in which all voters together vote as they did."""
    answer = vote_of(voters, rule)
    orders = [order for order in itertools.permutations(voters) if vote_of(order, rule) == answer]
    return sum(vote_of(order[:k], rule) == truth for order in orders) / len(orders)


@pytest.mark.parametrize("name", ["shuffled", "misclassified-shuffled"])
def test_a_random_order_of_the_neighbours_gives_what_all_orders_give(audit: Audit, name: str) -> None:
    auditor, result = audit
    if name == "shuffled":
        images = flat(grey(auditor.arrays["adversarial_image"].astype(np.float32)))
        truth = auditor.arrays["adversarial_label"].astype(np.int64)
    else:
        wrong = auditor.test.whole[0] != auditor.label
        images, truth = flat(auditor.pool.images[auditor.test_index[wrong]]), auditor.label[wrong]
    found, voters = result.metrics.accuracy[name], voters_of(auditor, images)
    z = auditor.every_k[0]
    assert result.metrics.counts.sets[name] == len(truth)
    assert found[str(z)] == 0
    if auditor.rule == "lowest":
        assert found["1"] == pytest.approx((voters == truth[:, None]).mean(), abs=EXACT)
    for k in auditor.every_k:
        chances = [
            chance_of_a_right_vote(row, k, label, auditor.rule)
            for row, label in zip(voters.tolist(), truth.tolist(), strict=True)
        ]
        # At the ends they are exact; between, each image is drawn ORDERS times: five deviations of the mean of all.
        drawn = 0 if k in (z, 1) else 1
        deviation = drawn * np.sqrt(sum(p * (1 - p) for p in chances) / ORDERS) / len(chances)
        assert found[str(k)] == pytest.approx(np.mean(chances), abs=5 * deviation + EXACT)


@pytest.mark.parametrize("rule", ["lowest", "nearest"])
def test_with_many_draws_the_random_orders_come_near_to_all_orders(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.families.knn.ORDERS", 20_000)
    family = KNearestNeighbours(z=7, tie_rule=rule)
    z = family.z
    labels = np.array([2, 0, 1, 1, 0, 2, 2, 0, 1, 0])
    near = np.array([[0, 1, 2, 3, 4, 5, 6, 9], [9, 7, 1, 0, 2, 3, 8, 4], [5, 6, 0, 8, 7, 2, 3, 1]])
    near = near[[0, 1, 1, 1, 2, 2, 2]]
    truth = np.array([1, 0, 1, 2, 0, 1, 2])
    of_images = [labels[row[:z]].tolist() for row in near]
    answer = np.array([vote_of(voters, rule) for voters in of_images])
    tied = [sorted(Counter(voters).values())[-2:] == [3, 3] for voters in of_images]
    # Without a tie; then right, wrong with the true label among the tied ones, and wrong with another.
    assert tied == [False] + 6 * [True]
    whole = Predictions(np.array([answer] * 4), np.zeros((len(near), 3), dtype=np.int64), near)
    found = family.shuffled(whole, labels, truth, np.random.default_rng(0))
    shares = found.right / found.out_of[:, None]
    assert found.out_of.tolist() == [1, 20_000, 20_000, z]
    for image, (voters, label) in enumerate(zip(of_images, truth.tolist(), strict=True)):
        for level, k in enumerate((7, 5, 3, 1)):
            expected = chance_of_a_right_vote(voters, k, label, rule)
            # Five standard deviations of the mean of the draws.
            tolerance = 0 if k in (7, 1) else 5 * np.sqrt(expected * (1 - expected) / 20_000)
            assert shares[level, image] == pytest.approx(expected, abs=tolerance + EXACT), (image, k)
    if rule == "nearest":
        # In 3 of 7 orders the true label comes first; it would have won then.
        assert (of_images[2].count(truth[2]), shares[-1, 2]) == (3, 0)
