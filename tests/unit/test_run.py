"""One run: what the protocol promises holds, and an auditor with scikit-learn gets the same numbers."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from core.attacks.registry import ATTACKS
from core.data.images import ImageSet
from core.engine.statistics import experiment_statistics
from core.errors import SpecError
from core.families.family import Resources, TrainingImages
from core.files.cache import Cache
from core.protocol.result import RunResult
from core.protocol.run import compute_run
from core.protocol.streams import Streams
from core.records.arrays import write_arrays
from core.records.candidates import IMAGES, CandidateFiles
from core.records.environment import Environment
from core.records.events import Event, StageStarted
from core.records.metrics import RunMetrics
from core.records.types import parse, to_json
from core.sets.members import Candidates
from core.sets.registry import own_controls
from core.spec.spec import Spec
from core.surrogates.registry import SURROGATES
from core.surrogates.training import train
from tests.fakes.arrays import read_arrays
from tests.fakes.images import made_up_pool
from tests.fakes.plugins import FittedKernel, Kernel, install

SPEC = Spec(dataset="/made/up.npz", runs=2, epochs=15, epsilon=0.25, options={"z": 5})


class KeptInMemory:
    """Every candidate that a run hands out, as arrays over all of them."""

    def __init__(self) -> None:
        self._blocks: list[tuple[Candidates, NDArray[np.int64]]] = []

    def add(self, block: Candidates, source_index: NDArray[np.int64]) -> None:
        self._blocks.append((block, source_index))

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        blocks = [block for block, _ in self._blocks]
        return {
            "image": np.concatenate([block.image for block in blocks]),
            "label": np.concatenate([block.label for block in blocks]),
            "target": np.concatenate([block.target for block in blocks]),
            "prediction": np.concatenate([block.prediction for block in blocks], axis=1),
            "source": np.concatenate([index for _, index in self._blocks]),
            "source_right": np.concatenate([block.source_right for block in blocks], axis=1),
        }


class KeptStages:
    """How many steps each stage of a run has."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self.totals[event.stage] = event.total


def assert_same(one: RunResult, other: RunResult, *passing: str) -> None:
    """Equal bit by bit, but for what a repetition may take. passing: fields of the metrics that may differ too."""
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        assert_array_equal(array, other.arrays[name], name, strict=True)
    for name in RunMetrics.__struct_fields__:
        if name not in ("search", "seconds", *passing):
            # In JSON a float is written with all its bits.
            first, second = (to_json(getattr(result.metrics, name)) for result in (one, other))
            assert first == second, name
    assert list(one.samples) == list(other.samples)
    assert list(one.nearest) == list(other.nearest)
    for name, nearest in one.nearest.items():
        assert_array_equal(nearest.source, other.nearest[name].source, name)
        assert_array_equal(nearest.distance, other.nearest[name].distance, name)
    for name, sample in one.samples.items():
        for field, own in vars(sample).items():
            assert_array_equal(own, getattr(other.samples[name], field), f"{name} {field}", strict=True)


@pytest.fixture(scope="module")
def pool() -> ImageSet:
    return made_up_pool()


@pytest.fixture(scope="module")
def large_pool() -> ImageSet:
    return made_up_pool(images=1400, seed=6)


@pytest.fixture(scope="module")
def result(pool: ImageSet) -> RunResult:
    return compute_run(SPEC, 0, pool)


def scikit_learn_predictions(pool: ImageSet, train_index, images, k: int):
    """The paper's classifier on the same scale of pixels, 0 to 255, searched by its KD-tree."""
    training = pool.images[train_index].reshape(len(train_index), -1).astype(np.float64)
    classifier = KNeighborsClassifier(n_neighbors=k, algorithm="kd_tree").fit(
        training, pool.labels[train_index]
    )
    return classifier.predict(images.reshape(len(images), -1).astype(np.float64))


def surrogate_of(spec: Spec, pool: ImageSet, result: RunResult):
    """The surrogate of run 0, trained once more."""
    streams, train_index = Streams(spec.seed, 0), result.arrays["train_index"]
    return train(
        SURROGATES[spec.surrogate](),
        pool.images[train_index],
        pool.labels[train_index],
        classes=pool.classes,
        epochs=spec.epochs,
        weights=streams.torch("weights"),
        batches=streams.numpy("batches"),
    )


def pixels_of(pool: ImageSet, index) -> torch.Tensor:
    """Images of a pool as torch takes them, in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pool.images[index].transpose(0, 3, 1, 2)) / np.float32(255))


def candidates_to_be(pool: ImageSet, result: RunResult):
    """Pool indices, labels and targets of one candidate for each source and each other class, in this order."""
    arrays = result.arrays
    sources = arrays["test_index"][arrays["test_prediction"][0] == arrays["test_label"]]
    pairs = [(x, pool.labels[x], t) for x in sources for t in range(pool.classes) if t != pool.labels[x]]
    return np.array(pairs, dtype=np.int64).T


@pytest.mark.slow
def test_the_example_is_worth_testing(result):
    counts = result.metrics.counts
    assert counts.adversarial >= 20
    assert counts.misclassified >= 4
    assert 0.5 < result.metrics.surrogate_accuracy < 1


@pytest.mark.slow
def test_an_auditor_gets_the_same_predictions_for_every_k(pool, result):
    arrays = result.arrays
    test_images = pool.images[arrays["test_index"]]
    adversarial = np.float32(255) * arrays["adversarial_image"]
    for row, k in enumerate(arrays["k"]):
        expected = scikit_learn_predictions(pool, arrays["train_index"], test_images, int(k))
        assert_array_equal(arrays["test_prediction"][row], expected)
        expected = scikit_learn_predictions(pool, arrays["train_index"], adversarial, int(k))
        assert_array_equal(arrays["adversarial_prediction"][row], expected)


def test_every_adversarial_image_comes_from_a_source_that_the_general_member_knows(pool, result):
    arrays = result.arrays
    known = arrays["test_index"][arrays["test_prediction"][0] == arrays["test_label"]]
    assert np.isin(arrays["adversarial_source"], known).all()
    assert_array_equal(arrays["adversarial_label"], pool.labels[arrays["adversarial_source"]])
    assert (arrays["adversarial_target"] != arrays["adversarial_label"]).all()
    pairs = np.stack([arrays["adversarial_source"], arrays["adversarial_target"]], axis=1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_no_pixel_changes_by_more_than_epsilon(pool, result):
    source = pool.images[result.arrays["adversarial_source"]] / np.float64(255)
    change = np.abs(result.arrays["adversarial_image"] - source)
    assert change.max() <= SPEC.epsilon + 1e-6
    assert result.metrics.attack.linf_max == pytest.approx(SPEC.epsilon, abs=1e-6)
    assert result.arrays["adversarial_image"].min() >= 0
    assert result.arrays["adversarial_image"].max() <= 1


def test_accuracies_and_counts_are_those_of_the_arrays(result):
    arrays, metrics = result.arrays, result.metrics
    wrong = arrays["test_prediction"][0] != arrays["test_label"]
    for row, k in enumerate(arrays["k"]):
        right = arrays["test_prediction"][row] == arrays["test_label"]
        right_on_d = arrays["adversarial_prediction"][row] == arrays["adversarial_label"]
        accuracy = {name: by_k[str(k)] for name, by_k in metrics.accuracy.items()}
        assert accuracy["test"] == pytest.approx(right.mean(), abs=1e-12)
        assert accuracy["misclassified"] == pytest.approx(right[wrong].mean(), abs=1e-12)
        assert accuracy["adversarial"] == pytest.approx(right_on_d.mean(), abs=1e-12)
    counts = metrics.counts
    assert counts.misclassified == wrong.sum()
    assert counts.correct == (~wrong).sum()
    assert counts.candidates == 3 * (~wrong).sum()
    assert counts.adversarial == len(arrays["adversarial_label"])
    assert counts.adversarial_sources == len(set(arrays["adversarial_source"].tolist()))
    assert counts.sets["sources"] == counts.sets["one-per-source"] == counts.adversarial_sources
    assert counts.sets["matched"] == counts.adversarial


def test_the_most_general_member_is_always_wrong_where_it_selected(result):
    for name in ("misclassified", "adversarial", "noise", "fooled", "one-per-source"):
        assert result.metrics.accuracy[name]["5"] == 0, name
    assert result.metrics.accuracy["sources"]["5"] == 1
    assert result.metrics.accuracy["reverse"]["1"] == 0 < result.metrics.accuracy["reverse"]["5"]


def vote_margins(pool: ImageSet, train_index, images, labels) -> list[int]:
    """Votes for the winner minus votes for the label, counted in the neighbours that scikit-learn finds."""
    training = pool.images[train_index].reshape(len(train_index), -1).astype(np.float64)
    neighbours = KNeighborsClassifier(n_neighbors=5).fit(training, pool.labels[train_index])
    found = neighbours.kneighbors(images.reshape(len(images), -1).astype(np.float64), return_distance=False)
    votes = [np.bincount(pool.labels[train_index][row], minlength=pool.classes) for row in found]
    return [int(v.max() - v[label]) for v, label in zip(votes, labels, strict=True)]


def test_the_matched_control_has_misclassified_images_as_wrong_as_the_adversarial_ones(pool, result):
    arrays, accuracy = result.arrays, result.metrics.accuracy["matched"]
    wrong = arrays["test_prediction"][0] != arrays["test_label"]
    offered = vote_margins(
        pool, arrays["train_index"], pool.images[arrays["test_index"][wrong]], arrays["test_label"][wrong]
    )
    adversarial = np.float32(255) * arrays["adversarial_image"]
    own = vote_margins(pool, arrays["train_index"], adversarial, arrays["adversarial_label"])
    assert len(set(own)) > 1, "one margin alone would protect nothing"
    right = arrays["test_prediction"][:, wrong] == arrays["test_label"][wrong]
    turns: dict[int, int] = {}
    partners = []
    for margin in own:
        nearest = min(sorted(set(offered)), key=lambda one: abs(one - margin))
        alike = [place for place, one in enumerate(offered) if one == nearest]
        turns[margin] = turns.get(margin, -1) + 1
        partners.append(alike[turns[margin] % len(alike)])
    for row, k in enumerate(arrays["k"]):
        assert accuracy[str(k)] == pytest.approx(right[row, partners].mean(), abs=1e-12)
    counts = result.metrics.counts
    assert counts.distinct == {"matched": len(set(partners))}


@pytest.mark.slow
def test_the_reverse_control_is_selected_by_the_errors_at_k_1(pool):
    arrays = compute_run(SPEC.changed(controls=("reverse",)), 0, pool, keep=(kept := KeptInMemory())).arrays
    every = kept.arrays
    known = arrays["test_index"][arrays["test_prediction"][-1] == arrays["test_label"]]
    chosen = (every["prediction"][-1] != every["label"]) & np.isin(every["source"], known)
    right = every["prediction"][:, chosen] == every["label"][chosen]
    result = compute_run(SPEC.changed(controls=("reverse",)), 0, pool)
    assert result.metrics.counts.sets["reverse"] == chosen.sum() > 20
    for row, k in enumerate(arrays["k"]):
        assert result.metrics.accuracy["reverse"][str(k)] == pytest.approx(right[row].mean(), abs=1e-12)


@pytest.mark.slow
def test_the_samples_of_the_candidates_show_members_of_their_sets(pool):
    result = compute_run(SPEC, 0, pool, keep=(kept := KeptInMemory()))
    every, sizes = kept.arrays, result.metrics.counts.sets
    place = {image.tobytes(): i for i, image in enumerate(every["image"])}
    wrong, known = every["prediction"] != every["label"], every["source_right"]
    conditions = {
        "adversarial": known[0] & wrong[0],
        "reverse": known[-1] & wrong[-1],
        "adversarial-both-ends": known[0] & known[-1] & wrong[0],
        "reverse-both-ends": known[0] & known[-1] & wrong[-1],
        "candidates": known[0],
    }
    for name, members in conditions.items():
        assert sizes[name] == members.sum(), name
    for name in (*conditions, "fooled", "one-per-source"):
        sample = result.samples[name]
        places = [place[image.tobytes()] for image in sample.image]
        assert len(places) == len(set(places)) == min(sizes[name], 600 if name == "adversarial" else 100) > 5
        for array in ("source", "label", "target"):
            assert_array_equal(getattr(sample, array), every[array][places], name)
        assert_array_equal(sample.prediction, every["prediction"][:, places], name)
        assert conditions.get(name, conditions["adversarial"])[places].all(), name
        assert name != "one-per-source" or len(set(sample.source)) == len(places)


def test_the_sample_of_noise_shows_noise(pool, result):
    sample, arrays = result.samples["noise"], result.arrays
    assert len(sample.label) == min(100, result.metrics.counts.sets["noise"]) > 2
    assert_array_equal(sample.label, pool.labels[sample.source])
    correct = arrays["test_index"][arrays["test_prediction"][0] == arrays["test_label"]]
    assert np.isin(sample.source, correct).all()
    clean = pool.images[sample.source] / np.float32(255)
    signs = (sample.image - clean) / SPEC.epsilon
    inside = (clean >= SPEC.epsilon) & (clean <= 1 - SPEC.epsilon)
    assert np.abs(np.abs(signs[inside]) - 1).max() < 1e-5
    assert np.abs(signs).max() <= 1 + 1e-5
    for row, k in enumerate(SPEC.ladder.values):
        scaled = np.float32(255) * sample.image
        expected = scikit_learn_predictions(pool, arrays["train_index"], scaled, int(k))
        assert_array_equal(sample.prediction[row], expected)
    assert (sample.prediction[0] != sample.label).all()


def test_the_samples_of_test_images_show_them_as_they_are(pool, result):
    arrays, sizes = result.arrays, result.metrics.counts.sets
    wrong = arrays["test_prediction"][0] != arrays["test_label"]
    members = {
        "test": arrays["test_index"],
        "misclassified": arrays["test_index"][wrong],
        "matched": arrays["test_index"][wrong],
        "sources": arrays["adversarial_source"],
    }
    for name, own in members.items():
        sample = result.samples[name]
        assert np.isin(sample.source, own).all(), name
        shown = result.metrics.counts.distinct.get(name, sizes[name])
        assert len(set(sample.source)) == len(sample.source) == min(shown, 100) > 2, name
        assert_array_equal(sample.image, pool.images[sample.source] / np.float32(255), strict=True)
        assert_array_equal(sample.label, pool.labels[sample.source])
        assert (sample.target == -1).all()
        column = {index: i for i, index in enumerate(arrays["test_index"].tolist())}
        places = [column[source] for source in sample.source.tolist()]
        assert_array_equal(sample.prediction, arrays["test_prediction"][:, places])
    assert list(result.samples) == list(result.metrics.accuracy)


def test_the_nearest_to_every_sample_are_those_that_every_distance_in_float64_finds(pool, result):
    train = result.arrays["train_index"]
    flat = pool.images[train].reshape(len(train), -1).astype(np.float64)
    assert list(result.nearest) == list(result.samples)
    differ = 0
    for name, nearest in result.nearest.items():
        sample = result.samples[name]
        assert nearest.counted == (5, 3, 1)
        assert nearest.source.shape == nearest.distance.shape == (len(sample.label), 2, 5), name
        grey = np.float32(255) * sample.image  # as the search has it
        for side, images in enumerate((pool.images[sample.source], grey)):
            queries = images.reshape(len(images), flat.shape[1]).astype(np.float64)
            distance = np.sqrt(((queries[:, None] - flat) ** 2).sum(axis=2)) / 255
            order = np.argsort(distance, axis=1, kind="stable")[:, :5]
            assert_array_equal(nearest.source[:, side], train[order], name)
            np.testing.assert_allclose(
                nearest.distance[:, side], np.take_along_axis(distance, order, axis=1), rtol=1e-12
            )
        # What is shown of an image is what its levels voted by.
        for level, k in enumerate(nearest.counted):
            votes = (pool.labels[nearest.source[:, 1, :k]][..., None] == np.arange(pool.classes)).sum(axis=1)
            assert_array_equal(votes.argmax(axis=1), sample.prediction[level], name)
        differ += int((nearest.source[:, 0] != nearest.source[:, 1]).any(axis=1).sum())
    assert differ > 20, "an attack that moves no image to other neighbours would show nothing"


def test_slopes_are_ratios_of_neighbouring_accuracies(result):
    for name, accuracy in result.metrics.accuracy.items():
        if name.startswith("reverse"):  # selected at K = 1: counted from there
            accuracy = {"5": accuracy["1"], "3": accuracy["3"], "1": accuracy["5"]}
        slope = result.metrics.slopes[name]
        assert slope["1"] == pytest.approx(accuracy["1"] / accuracy["3"], rel=1e-12), name
        reason = result.metrics.slope_reasons[name]
        assert (slope["3"] is None) == (accuracy["5"] == 0) == (reason == {"3": "by_construction"}), name


def test_the_split_is_stratified_and_whole(pool, result):
    train, test = result.arrays["train_index"], result.arrays["test_index"]
    assert sorted([*train, *test]) == list(range(len(pool.labels)))
    assert_array_equal(np.bincount(pool.labels[test]), [15, 15, 15, 15])


@pytest.mark.slow
def test_a_run_is_the_same_whenever_it_is_computed_and_differs_from_other_runs(pool, result):
    again, other = compute_run(SPEC, 0, pool), compute_run(SPEC, 1, pool)
    assert_same(result, again)
    assert again.metrics.search == result.metrics.search
    assert (result.metrics.index, other.metrics.index) == (0, 1)
    assert result.metrics.accuracy != other.metrics.accuracy
    assert (result.arrays["test_index"] != other.arrays["test_index"]).any()


@pytest.fixture
def torch_threads():
    """How many threads torch uses, to be set by a test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("attack", ["fgsm", "pgd", "deepfool"])
@pytest.mark.slow
def test_no_number_depends_on_threads_to_the_last_bit(pool, torch_threads, monkeypatch, attack):
    # Many blocks, so that threads have something to do.
    monkeypatch.setattr("core.protocol.candidates.CANDIDATES_AT_ONCE", 24)
    spec = SPEC.changed(attack=attack, epochs=2)
    alone = compute_run(spec, 0, pool)
    assert alone.metrics.counts.candidates > 4 * 24
    for threads, of_torch in ((2, 1), (4, 1), (1, 2), (1, 4), (4, 4)):
        torch_threads(of_torch)
        assert_same(compute_run(spec, 0, pool, resources=Resources(threads=threads)), alone)
        assert torch.get_num_threads() == of_torch, "the caller's setting comes back"


@pytest.mark.slow
@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_blocks_change_no_set(pool, result, monkeypatch, attack):
    spec = SPEC.changed(attack=attack)
    whole = compute_run(spec, 0, pool)
    monkeypatch.setattr("core.protocol.candidates.CANDIDATES_AT_ONCE", 24)
    parts = compute_run(spec, 0, pool)
    assert parts.metrics.counts == whole.metrics.counts
    assert_array_equal(parts.arrays["adversarial_source"], whole.arrays["adversarial_source"])


@pytest.mark.slow
def test_controls_do_not_change_the_paper_s_numbers(pool, result):
    bare = compute_run(SPEC.changed(controls=()), 0, pool)
    assert set(result.metrics.accuracy) - set(bare.metrics.accuracy) == set(own_controls())
    for name in ("test", "misclassified", "adversarial"):
        assert bare.metrics.accuracy[name] == result.metrics.accuracy[name]
    assert_array_equal(bare.arrays["adversarial_image"], result.arrays["adversarial_image"])


@pytest.mark.parametrize(
    "settings",
    [
        {"attack": "deepfool"},
        {"attack": "deepfool", "norm": "linf", "bound": "project"},
        {"attack": "deepfool", "bound": "reject"},
        {"attack": "deepfool-untargeted"},
        {"attack": "fgsm-untargeted"},
        {"attack": "pgd", "steps": 3},
        {"attack": "noise"},
        {"search": "kd-tree"},
        {"tie_rule": "nearest"},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
@pytest.mark.slow
def test_the_protocol_holds_for_every_attack_and_option(large_pool, settings):
    # DeepFool's perturbations are as small as can be: few of them carry an image across the 11-NN's boundary.
    spec = SPEC.changed(z=11, epochs=4, epsilon=0.9, controls=("noise",), **settings)
    pool, result = large_pool, compute_run(spec, 0, large_pool)
    arrays, counts = result.arrays, result.metrics.counts
    per_source = 1 if "untargeted" in spec.attack else 3
    assert counts.candidates + counts.rejected == per_source * counts.correct
    assert counts.adversarial == len(arrays["adversarial_label"]) >= 1
    assert (arrays["adversarial_prediction"][0] != arrays["adversarial_label"]).all()
    source = pool.images[arrays["adversarial_source"]] / np.float64(255)
    assert np.abs(arrays["adversarial_image"] - source).max(initial=0) <= spec.epsilon + 1e-6
    assert (result.metrics.attack.linf_max or 0) <= spec.epsilon + 1e-6


def test_noise_has_as_many_draws_as_the_attack_has_candidates(pool):
    spec = SPEC.changed(attack="fgsm-untargeted", controls=("noise",), epochs=1)
    untargeted = compute_run(spec, 0, pool, observe=(stages := KeptStages()))
    assert stages.totals["noise"] == stages.totals["candidates"] == untargeted.metrics.counts.test
    assert untargeted.metrics.counts.candidates == untargeted.metrics.counts.correct


def test_the_noise_control_is_noise_of_epsilon_selected_as_the_adversarial_set_is(pool, result):
    # A CPU generator draws element after element: neither blocks nor anything else but the order counts.
    generator = Streams(SPEC.seed, 0).torch("noise")
    index, label, _ = candidates_to_be(pool, result)
    shape = (1, *pool.shape[2:], *pool.shape[:2])
    bits = [torch.randint(0, 2, shape, generator=generator, dtype=torch.int8).numpy() for _ in index]
    signs = 2 * np.concatenate(bits).transpose(0, 2, 3, 1) - np.float32(1)
    clean = pool.images[index] / np.float32(255)
    noisy = np.clip(clean + np.float32(SPEC.epsilon) * signs, 0, 1)
    prediction = {
        k: scikit_learn_predictions(pool, result.arrays["train_index"], np.float32(255) * noisy, int(k))
        for k in SPEC.ladder.values
    }
    selected = prediction[SPEC.ladder.values[0]] != label
    assert result.metrics.counts.sets["noise"] == selected.sum() > 0
    norms = np.linalg.norm((noisy - clean).reshape(len(noisy), -1).astype(np.float64), axis=1)
    assert result.metrics.sets["noise"].l2_mean == pytest.approx(norms.mean(), rel=1e-5)
    for k in SPEC.ladder.values:
        right = prediction[k][selected] == label[selected]
        assert result.metrics.accuracy["noise"][str(k)] == pytest.approx(right.mean(), abs=1e-12), k


def test_the_sources_control_is_the_unperturbed_sources_of_the_adversarial_set(pool):
    # With this seed D's sources are classified worse than as many others.
    result = compute_run(SPEC.changed(seed=5, epochs=4, controls=("sources",)), 0, pool)
    arrays = result.arrays
    rows = np.isin(arrays["test_index"], arrays["adversarial_source"])
    assert result.metrics.counts.sets["sources"] == rows.sum()
    right = arrays["test_prediction"][:, rows] == arrays["test_label"][rows]
    expected = dict(zip(SPEC.ladder.levels, right.mean(axis=1), strict=True))
    assert result.metrics.accuracy["sources"] == pytest.approx(expected, abs=1e-12)
    correct = arrays["test_prediction"][0] == arrays["test_label"]
    on_all = np.mean(arrays["test_prediction"][-1][correct] == arrays["test_label"][correct])
    assert expected["1"] < on_all - 0.1, "any sources would do"


def test_the_surrogate_is_scored_on_the_test_images(pool, result):
    surrogate, test_index = surrogate_of(SPEC, pool, result), result.arrays["test_index"]
    with torch.inference_mode():
        answers = surrogate(pixels_of(pool, test_index)).argmax(dim=1).numpy()
    expected = np.mean(answers == pool.labels[test_index])
    assert result.metrics.surrogate_accuracy == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "settings",
    [
        {"attack": "fgsm"},
        {"attack": "deepfool"},
        {"attack": "deepfool", "norm": "linf"},
        {"attack": "deepfool", "bound": "project"},
        {"attack": "deepfool", "bound": "reject"},
        {"attack": "pgd"},
        {"attack": "pgd", "steps": 3},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
@pytest.mark.slow
def test_the_attack_with_its_options_gives_the_figures_of_the_run(pool, settings):
    # At this epsilon DeepFool's perturbations are clipped, held back or rejected, some and not all of them.
    spec = SPEC.changed(epsilon=0.1, epochs=6, controls=(), **settings)
    result = compute_run(spec, 0, pool)
    surrogate = surrogate_of(spec, pool, result)
    index, label, target = candidates_to_be(pool, result)
    options = {name: value for name, value in settings.items() if name != "attack"}
    attack = ATTACKS[spec.attack](epsilon=0.1, **options)
    generator = Streams(spec.seed, 0).torch("attack")
    clean = pixels_of(pool, index)
    made, not_rejected, _ = attack(surrogate, clean, torch.tensor(label), torch.tensor(target), generator)
    with torch.inference_mode():
        answers = surrogate(made).argmax(dim=1)[not_rejected].numpy()
    kept = not_rejected.numpy()
    change = (made.double() - clean.double()).numpy()[kept]
    norms = np.sqrt((change**2).sum(axis=(1, 2, 3)))
    counts = result.metrics.counts
    assert (counts.candidates, counts.rejected) == (kept.sum(), (~kept).sum())
    assert counts.candidates > 0
    assert (counts.rejected > 0) == (spec.options.get("bound") == "reject")
    figures = result.metrics.attack
    # What is held back step by step ends at a boundary: there the last bits, which depend on the batch around
    # an image, decide for one or two of them.
    few = 2.5 / kept.sum()
    assert figures.surrogate_fooled == pytest.approx(np.mean(answers != label[kept]), abs=few)
    assert figures.target_hit == pytest.approx(np.mean(answers == target[kept]), abs=few)
    assert figures.linf_max == pytest.approx(np.abs(change).max(), rel=1e-3)
    assert figures.l2_mean == pytest.approx(norms.mean(), rel=1e-3)


@pytest.mark.parametrize(
    "option", [{"norm": "linf"}, {"bound": "clip"}, {"bound": "reject"}, {"steps": 3}], ids=str
)
@pytest.mark.slow
def test_every_option_of_an_attack_makes_a_difference(pool, option):
    attack = "pgd" if "steps" in option else "deepfool"
    default = SPEC.changed(attack=attack, epsilon=0.1, epochs=4, controls=())
    usual, other = (compute_run(spec, 0, pool) for spec in (default, default.changed(**option)))
    assert usual.metrics.attack.l2_mean != pytest.approx(other.metrics.attack.l2_mean, rel=0.01)


@pytest.mark.slow
def test_tied_votes_go_where_the_rule_says(large_pool):
    spec = SPEC.changed(epochs=1, controls=())
    lowest, nearest = (
        compute_run(spec.changed(tie_rule=rule), 0, large_pool) for rule in ("lowest", "nearest")
    )
    pool, arrays = large_pool, nearest.arrays
    train_index, test_index = arrays["train_index"], arrays["test_index"]
    training, queries = (
        pool.images[index].reshape(len(index), -1).astype(np.float64) for index in (train_index, test_index)
    )
    searched = KNeighborsClassifier(SPEC.options["z"], algorithm="brute").fit(
        training, pool.labels[train_index]
    )
    voters = pool.labels[train_index][searched.kneighbors(queries, return_distance=False)]
    for row, k in enumerate(SPEC.ladder.values):
        # Counter keeps the order of first votes, and `max` takes the first of equals.
        expected = [max(votes := Counter(few), key=votes.__getitem__) for few in voters[:, :k].tolist()]
        assert_array_equal(arrays["test_prediction"][row], expected)
    assert (arrays["test_prediction"] != lowest.arrays["test_prediction"]).any()


@pytest.mark.slow
def test_both_searches_give_the_same_run(pool, result):
    assert_same(compute_run(SPEC.changed(search="kd-tree"), 0, pool), result)


@pytest.mark.slow
def test_every_candidate_can_be_kept_and_the_adversarial_set_is_a_part_of_them(pool, result):
    kept = KeptInMemory()
    again, every = compute_run(SPEC, 0, pool, keep=kept), kept.arrays
    assert_same(again, result)
    assert len(every["label"]) == 3 * result.metrics.counts.test
    assert sum(every["source_right"][0]) == result.metrics.counts.candidates
    chosen = every["source_right"][0] & (every["prediction"][0] != every["label"])
    for name in ("image", "label", "source", "target"):
        assert_array_equal(every[name][chosen], result.arrays[f"adversarial_{name}"])


def test_nothing_adversarial_is_an_empty_set_with_a_reason(pool):
    tiny = compute_run(SPEC.changed(epsilon=1e-6, controls=("sources",)), 0, pool)
    assert tiny.metrics.counts.adversarial == 0
    assert tiny.metrics.accuracy["adversarial"] == {"5": None, "3": None, "1": None}
    assert tiny.metrics.slope_reasons["adversarial"]["1"] == "empty_set"
    assert tiny.arrays["adversarial_image"].shape == (0, 28, 28, 1)
    assert parse(to_json(tiny.metrics), RunMetrics, "metrics") == tiny.metrics


@pytest.mark.slow
def test_with_a_cache_a_second_computation_trains_and_searches_nothing_and_gives_the_same(
    pool, result, tmp_path
):
    resources = Resources(cache=Cache(tmp_path))
    first, second = (compute_run(SPEC, 0, pool, resources=resources) for _ in range(2))
    assert not first.metrics.surrogate_reused
    assert second.metrics.surrogate_reused
    assert first.metrics.search["reused"] == 0
    assert second.metrics.search["reused"] == second.metrics.counts.test
    for again in (first, second):
        assert_same(again, result, "surrogate_reused")


@pytest.mark.slow
def test_another_attack_epsilon_control_or_smaller_z_finds_surrogate_and_neighbours_in_the_cache(
    pool, tmp_path
):
    resources = Resources(cache=Cache(tmp_path))
    compute_run(SPEC.changed(controls=()), 0, pool, resources=resources)
    for change in ({"attack": "deepfool"}, {"epsilon": 0.1}, {"controls": ("noise",)}, {"z": 3}):
        spec = SPEC.changed(**{"controls": (), **change})
        found, alone = compute_run(spec, 0, pool, resources=resources), compute_run(spec, 0, pool)
        assert found.metrics.surrogate_reused, change
        assert found.metrics.search["reused"] == found.metrics.counts.test, change
        assert_same(found, alone, "surrogate_reused")


@pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 14}, {"test_size": 50}])
@pytest.mark.slow
def test_what_changes_a_surrogate_is_not_taken_from_the_cache(pool, tmp_path, change):
    resources = Resources(cache=Cache(tmp_path))
    compute_run(SPEC.changed(controls=()), 0, pool, resources=resources)
    other = replace(pool, test_size=change.get("test_size", pool.test_size))
    found = compute_run(SPEC.changed(controls=(), **change), 0, other, resources=resources)
    assert not found.metrics.surrogate_reused


@pytest.mark.slow
def test_a_larger_z_searches_again(pool, tmp_path):
    resources = Resources(cache=Cache(tmp_path))
    compute_run(SPEC.changed(controls=()), 0, pool, resources=resources)
    spec = SPEC.changed(controls=(), z=9)
    found, alone = compute_run(spec, 0, pool, resources=resources), compute_run(spec, 0, pool)
    assert found.metrics.search["reused"] == 0
    assert found.metrics.accuracy == alone.metrics.accuracy


# A family whose levels are words, a set and an attack, all of another author


GROWN = {
    "family": "kernel",
    "attack": "shift",
    "strength": 0.5,
    "controls": (*own_controls(), "half", "shifted"),
}


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    """An experiment with plug-ins of each kind, which are installed for the test."""
    install(tmp_path / "site", monkeypatch)
    monkeypatch.setattr("core.protocol.candidates.CANDIDATES_AT_ONCE", 24)
    return SPEC.changed(epochs=2, **GROWN)


def test_a_run_of_plug_ins_is_counted_by_the_labels_of_their_ladder(pool, grown, tmp_path):
    result = compute_run(grown, 0, pool, observe=(stages := KeptStages()), keep=(kept := KeptInMemory()))
    metrics, arrays, labels = result.metrics, result.arrays, ("wide", "medium", "narrow")
    assert metrics.ladder == grown.ladder == Kernel().ladder
    assert list(metrics.accuracy) == list(result.samples) == list(grown.sets)
    assert result.nearest == {}, "this family judges by no training images"
    assert all(tuple(by_level) == labels for by_level in metrics.accuracy.values())
    assert all(set(by_level) == {"medium", "narrow"} for by_level in metrics.slopes.values())
    assert metrics.search == {"weighed": 7}
    assert arrays["bandwidth"].tolist() == [2.5, 0.25, 0.02]
    assert "k" not in arrays
    assert metrics.counts.adversarial > 5
    assert metrics.counts.misclassified > 5

    index = arrays["train_index"]
    fitted = Kernel().fit(TrainingImages(pool.images[index], pool.labels[index], pool.classes))
    expected = fitted.predict(pool.images[arrays["test_index"]]).label
    assert_array_equal(arrays["test_prediction"], expected)
    assert_array_equal(
        arrays["adversarial_prediction"],
        fitted.predict(np.asarray(arrays["adversarial_image"], np.float32)).label,
    )
    every = kept.arrays
    assert len(np.unique(every["prediction"], axis=0)) == 3, (
        "levels that agree everywhere would protect nothing"
    )
    known = every["source_right"][0]
    chosen = known & (every["prediction"][0] != every["label"])
    for row, level in enumerate(labels):
        right = arrays["test_prediction"][row] == arrays["test_label"]
        assert metrics.accuracy["test"][level] == pytest.approx(right.mean(), abs=1e-12)
        right = every["prediction"][row] == every["label"]
        assert metrics.accuracy["candidates"][level] == pytest.approx(right[known].mean(), abs=1e-12)
        assert metrics.accuracy["adversarial"][level] == pytest.approx(right[chosen].mean(), abs=1e-12)

    # It judges by no order.
    assert {"shuffled", "misclassified-shuffled"} == set(Kernel.unfilled())
    assert all(metrics.counts.sets[name] == 0 for name in Kernel.unfilled())

    # The attack was made with its option: half of epsilon.
    assert metrics.attack.linf_max == pytest.approx(SPEC.epsilon / 2, abs=1e-6)
    assert metrics.sets["shifted"].linf_max == pytest.approx(SPEC.epsilon, abs=1e-6)
    assert stages.totals["noise"] == stages.totals["candidates"] == 3 * metrics.counts.test
    assert stages.totals["shifted"] == metrics.counts.candidates == 3 * metrics.counts.correct
    assert metrics.accuracy["shifted"]["wide"] == 0 < metrics.counts.sets["shifted"]
    count, half = len(every["label"]), metrics.counts.sets["half"]
    assert abs(half - count / 2) < 4 * np.sqrt(count) / 2

    write_arrays(tmp_path / "arrays.npz", arrays, metrics.ladder)
    assert read_arrays(tmp_path / "arrays.npz").keys() == arrays.keys()
    assert parse(to_json(metrics), RunMetrics, "metrics") == metrics


@pytest.mark.slow
def test_a_run_of_plug_ins_is_the_same_for_any_number_of_threads(pool, grown):
    assert_same(compute_run(grown, 0, pool), compute_run(grown, 0, pool, resources=Resources(threads=3)))


@pytest.mark.slow
def test_sets_of_another_author_change_nothing_of_ours(pool, grown):
    alone = compute_run(grown.changed(controls=own_controls()), 0, pool)
    beside = compute_run(grown, 0, pool)
    for name in alone.metrics.accuracy:
        assert beside.metrics.accuracy[name] == alone.metrics.accuracy[name], name
        assert_array_equal(beside.samples[name].image, alone.samples[name].image)


@pytest.mark.slow
def test_the_statistics_of_plug_ins_have_their_levels_and_their_sets(pool, grown):
    metrics = {run: compute_run(grown, run, pool).metrics for run in range(3)}
    found = experiment_statistics(grown, metrics)
    assert list(found.summary.accuracy) == list(grown.sets)
    assert all(list(by_level) == ["wide", "medium", "narrow"] for by_level in found.summary.accuracy.values())
    assert {test.j for test in found.tests} == {"narrow", "medium"}
    assert ("adversarial", "half") in {test.sets for test in found.tests}
    by_construction = {test.j for test in found.tests if test.reason == "by_construction"}
    assert by_construction == {"medium"}
    mean = np.mean([one.accuracy["half"]["narrow"] for one in metrics.values()])
    assert found.summary.accuracy["half"]["narrow"].mean == pytest.approx(mean)
    assert found.verdict
    assert "K" not in " ".join(found.verdict).split()


def test_the_levels_of_a_family_may_be_fewer(pool, grown):
    result = compute_run(grown.changed(bandwidths=2, controls=("reverse",)), 0, pool)
    assert set(result.metrics.accuracy["reverse"]) == {"wide", "narrow"}
    assert set(result.metrics.slopes["reverse"]) == {"narrow"}
    assert result.arrays["test_prediction"].shape[0] == 2


def test_the_surrogate_of_another_author_is_the_one_that_is_attacked(pool, grown):
    spec = SPEC.changed(surrogate="linear", controls=(), epochs=2)
    result = compute_run(spec, 0, pool)
    surrogate, test_index = surrogate_of(spec, pool, result), result.arrays["test_index"]
    with torch.inference_mode():
        answers = surrogate(pixels_of(pool, test_index)).argmax(dim=1).numpy()
    assert result.metrics.surrogate_accuracy == pytest.approx(np.mean(answers == pool.labels[test_index]))


# What a caller adds


def test_a_run_is_complete_with_its_data_and_its_environment(result):
    environment = Environment(versions={"torch": "1"}, device="cpu", cpu="a processor")
    complete = result.complete("a" * 64, environment)
    assert (complete.data_sha256, complete.environment) == ("a" * 64, environment)
    assert (
        msgspec.structs.replace(complete, data_sha256="", environment=result.metrics.environment)
        == result.metrics
    )


def test_more_neighbours_than_training_images_are_refused(pool):
    with pytest.raises(SpecError, match="only 360 training images"):
        compute_run(SPEC.changed(z=361), 0, pool)


def test_where_no_test_image_is_recognised_nothing_becomes_adversarial(pool, grown, monkeypatch, tmp_path):
    predict = FittedKernel.predict

    def know_none(self, images, near=None):
        found = predict(self, images, near)
        found.label[0] = -1
        return found

    monkeypatch.setattr(FittedKernel, "predict", know_none)
    with CandidateFiles(tmp_path, grown.ladder, pool.shape) as kept:
        result = compute_run(grown, 0, pool, keep=kept)
        kept.finish(tmp_path)
    assert np.load(tmp_path / IMAGES).shape == (180, 28, 28, 1)
    counts = result.metrics.counts
    assert (counts.correct, counts.candidates, counts.adversarial) == (0, 0, 0)
    assert counts.misclassified == counts.test == 60
    assert result.metrics.accuracy["adversarial"] == dict.fromkeys(grown.ladder.levels)
    assert result.metrics.attack.linf_max is None
    assert parse(to_json(result.metrics), RunMetrics, "metrics") == result.metrics
