"""One run: what the protocol promises holds, and an auditor with scikit-learn gets the same numbers."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from core.attacks.registry import build_attack
from core.data.images import ImageSet
from core.files.cache import Cache
from core.protocol.candidates import Candidates
from core.protocol.run import RunResult, compute_run
from core.protocol.streams import Streams
from core.sets.catalogue import CONTROLS
from core.spec.spec import Spec
from core.surrogates.training import train
from tests.made_up import made_up_pool

SPEC = Spec(dataset="/made/up.npz", runs=2, z=5, epochs=15, epsilon=0.25)


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
        }


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


def test_the_example_is_worth_testing(result):
    counts = result.metrics["counts"]
    assert counts["adversarial"] >= 20
    assert counts["misclassified"] >= 4
    assert 0.5 < result.metrics["surrogate_accuracy"] < 1


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
    assert result.metrics["attack"]["linf_max"] == pytest.approx(SPEC.epsilon, abs=1e-6)
    assert result.arrays["adversarial_image"].min() >= 0
    assert result.arrays["adversarial_image"].max() <= 1


def test_accuracies_and_counts_are_those_of_the_arrays(result):
    arrays, metrics = result.arrays, result.metrics
    wrong = arrays["test_prediction"][0] != arrays["test_label"]
    for row, k in enumerate(arrays["k"]):
        right = arrays["test_prediction"][row] == arrays["test_label"]
        right_on_d = arrays["adversarial_prediction"][row] == arrays["adversarial_label"]
        accuracy = {name: by_k[str(k)] for name, by_k in metrics["accuracy"].items()}
        assert accuracy["test"] == pytest.approx(right.mean(), abs=1e-12)
        assert accuracy["misclassified"] == pytest.approx(right[wrong].mean(), abs=1e-12)
        assert accuracy["adversarial"] == pytest.approx(right_on_d.mean(), abs=1e-12)
    counts = metrics["counts"]
    assert counts["misclassified"] == wrong.sum()
    assert counts["correct"] == (~wrong).sum()
    assert counts["candidates"] == 3 * (~wrong).sum()
    assert counts["adversarial"] == len(arrays["adversarial_label"])
    assert counts["adversarial_sources"] == len(set(arrays["adversarial_source"].tolist()))
    assert counts["sets"]["sources"] == counts["sets"]["one-per-source"] == counts["adversarial_sources"]
    assert counts["sets"]["matched"] == counts["adversarial"]


def test_the_most_general_member_is_always_wrong_where_it_selected(result):
    for name in ("misclassified", "adversarial", "noise", "fooled", "one-per-source"):
        assert result.metrics["accuracy"][name]["5"] == 0, name
    assert result.metrics["accuracy"]["sources"]["5"] == 1
    assert result.metrics["accuracy"]["reverse"]["1"] == 0 < result.metrics["accuracy"]["reverse"]["5"]


def vote_margins(pool: ImageSet, train_index, images, labels) -> list[int]:
    """Votes for the winner minus votes for the label, counted in the neighbours that scikit-learn finds."""
    training = pool.images[train_index].reshape(len(train_index), -1).astype(np.float64)
    neighbours = KNeighborsClassifier(n_neighbors=5).fit(training, pool.labels[train_index])
    found = neighbours.kneighbors(images.reshape(len(images), -1).astype(np.float64), return_distance=False)
    votes = [np.bincount(pool.labels[train_index][row], minlength=pool.classes) for row in found]
    return [int(v.max() - v[label]) for v, label in zip(votes, labels, strict=True)]


def test_the_matched_control_has_misclassified_images_as_wrong_as_the_adversarial_ones(pool, result):
    arrays, accuracy = result.arrays, result.metrics["accuracy"]["matched"]
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
    counts = result.metrics["counts"]
    unlike = sum(offered[p] != m for p, m in zip(partners, own, strict=True))
    assert counts["matched"] == {"distinct": len(set(partners)), "unlike": unlike}


def test_the_reverse_control_is_selected_by_the_errors_at_k_1(pool):
    arrays = compute_run(replace(SPEC, controls=("reverse",)), 0, pool, keep=(kept := KeptInMemory())).arrays
    every = kept.arrays
    known = arrays["test_index"][arrays["test_prediction"][-1] == arrays["test_label"]]
    chosen = (every["prediction"][-1] != every["label"]) & np.isin(every["source"], known)
    right = every["prediction"][:, chosen] == every["label"][chosen]
    result = compute_run(replace(SPEC, controls=("reverse",)), 0, pool)
    assert result.metrics["counts"]["sets"]["reverse"] == chosen.sum() > 20
    for row, k in enumerate(arrays["k"]):
        assert result.metrics["accuracy"]["reverse"][str(k)] == pytest.approx(right[row].mean(), abs=1e-12)


def test_the_samples_of_the_candidates_show_members_of_their_sets(pool):
    result = compute_run(SPEC, 0, pool, keep=(kept := KeptInMemory()))
    every, sizes = kept.arrays, result.metrics["counts"]["sets"]
    place = {image.tobytes(): i for i, image in enumerate(every["image"])}
    wrong = every["prediction"] != every["label"]
    for name in ("adversarial", "reverse", "unfiltered", "fooled", "one-per-source"):
        sample = result.samples[name]
        places = [place[image.tobytes()] for image in sample.image]
        assert len(places) == len(set(places)) == min(sizes[name], 600 if name == "adversarial" else 100) > 5
        for array in ("source", "label", "target"):
            assert_array_equal(getattr(sample, array), every[array][places], name)
        assert_array_equal(sample.prediction, every["prediction"][:, places], name)
        assert name in ("reverse", "unfiltered") or wrong[0, places].all(), name
        assert name != "reverse" or wrong[-1, places].all()
        assert name != "one-per-source" or len(set(sample.source)) == len(places)


def test_the_sample_of_noise_shows_noise(pool, result):
    sample, arrays = result.samples["noise"], result.arrays
    assert len(sample.label) == min(100, result.metrics["counts"]["sets"]["noise"]) > 2
    assert_array_equal(sample.label, pool.labels[sample.source])
    correct = arrays["test_index"][arrays["test_prediction"][0] == arrays["test_label"]]
    assert np.isin(sample.source, correct).all()
    clean = pool.images[sample.source] / np.float32(255)
    signs = (sample.image - clean) / SPEC.epsilon
    inside = (clean >= SPEC.epsilon) & (clean <= 1 - SPEC.epsilon)
    assert np.abs(np.abs(signs[inside]) - 1).max() < 1e-5
    assert np.abs(signs).max() <= 1 + 1e-5
    for row, k in enumerate(SPEC.levels):
        scaled = np.float32(255) * sample.image
        expected = scikit_learn_predictions(pool, arrays["train_index"], scaled, k)
        assert_array_equal(sample.prediction[row], expected)
    assert (sample.prediction[0] != sample.label).all()


def test_the_samples_of_test_images_show_them_as_they_are(pool, result):
    arrays, sizes = result.arrays, result.metrics["counts"]["sets"]
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
        shown = result.metrics["counts"]["matched"]["distinct"] if name == "matched" else sizes[name]
        assert len(set(sample.source)) == len(sample.source) == min(shown, 100) > 2, name
        assert_array_equal(sample.image, pool.images[sample.source] / np.float32(255), strict=True)
        assert_array_equal(sample.label, pool.labels[sample.source])
        assert (sample.target == -1).all()
        column = {index: i for i, index in enumerate(arrays["test_index"].tolist())}
        places = [column[source] for source in sample.source.tolist()]
        assert_array_equal(sample.prediction, arrays["test_prediction"][:, places])
    assert list(result.samples) == list(result.metrics["accuracy"])


def test_slopes_are_ratios_of_neighbouring_accuracies(result):
    for name, accuracy in result.metrics["accuracy"].items():
        if name == "reverse":  # selected at K = 1: counted from there
            accuracy = {"5": accuracy["1"], "3": accuracy["3"], "1": accuracy["5"]}
        slope = result.metrics["slopes"][name]
        assert slope["1"] == pytest.approx(accuracy["1"] / accuracy["3"], rel=1e-12), name
        reason = result.metrics["slope_reasons"][name]
        assert (slope["3"] is None) == (accuracy["5"] == 0) == (reason == {"3": "by_construction"}), name


def test_the_split_is_stratified_and_whole(pool, result):
    train, test = result.arrays["train_index"], result.arrays["test_index"]
    assert sorted([*train, *test]) == list(range(len(pool.labels)))
    assert_array_equal(np.bincount(pool.labels[test]), [15, 15, 15, 15])


def test_a_run_is_the_same_whenever_it_is_computed_and_differs_from_other_runs(pool, result):
    again, other = compute_run(SPEC, 0, pool), compute_run(SPEC, 1, pool)
    for name, array in result.arrays.items():
        assert_array_equal(array, again.arrays[name])
    figures = [
        {k: v for k, v in r.metrics.items() if k not in ("seconds", "index")} for r in (result, again, other)
    ]
    assert json.dumps(figures[0]) == json.dumps(figures[1]) != json.dumps(figures[2])
    assert (result.arrays["test_index"] != other.arrays["test_index"]).any()


def test_two_compute_threads_give_the_same_run_each_time(pool):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        first, again = (compute_run(replace(SPEC, threads=2, epochs=4), 0, pool) for _ in range(2))
    finally:
        torch.set_num_threads(before)
    for name, array in first.arrays.items():
        assert_array_equal(array, again.arrays[name])
    assert first.metrics["accuracy"] == again.metrics["accuracy"]


def test_controls_do_not_change_the_paper_s_numbers(pool, result):
    bare = compute_run(replace(SPEC, controls=()), 0, pool)
    assert set(result.metrics["accuracy"]) - set(bare.metrics["accuracy"]) == set(CONTROLS)
    for name in ("test", "misclassified", "adversarial"):
        assert bare.metrics["accuracy"][name] == result.metrics["accuracy"][name]
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
def test_the_protocol_holds_for_every_attack_and_option(large_pool, settings):
    # DeepFool's perturbations are as small as can be: few of them carry an image across the 11-NN's boundary.
    spec = replace(SPEC, z=11, epochs=4, epsilon=0.9, controls=("noise",), **settings)
    pool, result = large_pool, compute_run(spec, 0, large_pool)
    arrays, counts = result.arrays, result.metrics["counts"]
    per_source = 1 if "untargeted" in spec.attack else 3
    assert counts["candidates"] + counts["rejected"] == per_source * counts["correct"]
    assert counts["adversarial"] == len(arrays["adversarial_label"]) >= 1
    assert (arrays["adversarial_prediction"][0] != arrays["adversarial_label"]).all()
    source = pool.images[arrays["adversarial_source"]] / np.float64(255)
    assert np.abs(arrays["adversarial_image"] - source).max(initial=0) <= spec.epsilon + 1e-6
    assert result.metrics["attack"]["linf_max"] <= spec.epsilon + 1e-6


def test_noise_has_as_many_draws_as_the_attack_has_candidates(pool):
    totals = {}

    def note(kind, **fields):
        if kind == "stage_started":
            totals[fields["stage"]] = fields["total"]

    spec = replace(SPEC, attack="fgsm-untargeted", controls=("noise",), epochs=1)
    untargeted = compute_run(spec, 0, pool, observe=note)
    assert totals["noise"] == totals["candidates"] == untargeted.metrics["counts"]["correct"]


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
        k: scikit_learn_predictions(pool, result.arrays["train_index"], np.float32(255) * noisy, k)
        for k in SPEC.levels
    }
    selected = prediction[SPEC.z] != label
    assert result.metrics["counts"]["sets"]["noise"] == selected.sum() > 0
    norms = np.linalg.norm((noisy - clean).reshape(len(noisy), -1).astype(np.float64), axis=1)
    assert result.metrics["noise"]["l2_mean"] == pytest.approx(norms.mean(), rel=1e-5)
    for k in SPEC.levels:
        right = prediction[k][selected] == label[selected]
        assert result.metrics["accuracy"]["noise"][str(k)] == pytest.approx(right.mean(), abs=1e-12), k


def test_the_sources_control_is_the_unperturbed_sources_of_the_adversarial_set(pool):
    # With this seed D's sources are classified worse than as many others.
    result = compute_run(replace(SPEC, seed=5, epochs=4, controls=("sources",)), 0, pool)
    arrays = result.arrays
    rows = np.isin(arrays["test_index"], arrays["adversarial_source"])
    assert result.metrics["counts"]["sets"]["sources"] == rows.sum()
    right = arrays["test_prediction"][:, rows] == arrays["test_label"][rows]
    expected = dict(zip(map(str, SPEC.levels), right.mean(axis=1), strict=True))
    assert result.metrics["accuracy"]["sources"] == pytest.approx(expected, abs=1e-12)
    correct = arrays["test_prediction"][0] == arrays["test_label"]
    on_all = np.mean(arrays["test_prediction"][-1][correct] == arrays["test_label"][correct])
    assert expected["1"] < on_all - 0.1, "any sources would do"


def test_the_surrogate_is_scored_on_the_test_images(pool, result):
    surrogate, test_index = surrogate_of(SPEC, pool, result), result.arrays["test_index"]
    with torch.inference_mode():
        answers = surrogate(pixels_of(pool, test_index)).argmax(dim=1).numpy()
    expected = np.mean(answers == pool.labels[test_index])
    assert result.metrics["surrogate_accuracy"] == pytest.approx(expected, abs=1e-12)


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
def test_the_attack_with_its_options_gives_the_figures_of_the_run(pool, settings):
    # At this epsilon DeepFool's perturbations are clipped, held back or rejected, some and not all of them.
    spec = replace(SPEC, epsilon=0.1, epochs=6, controls=(), **settings)
    result = compute_run(spec, 0, pool)
    surrogate = surrogate_of(spec, pool, result)
    index, label, target = candidates_to_be(pool, result)
    options = {"norm": "l2", "bound": "clip", "steps": 10} | settings
    del options["attack"]
    attack = build_attack(spec.attack, epsilon=0.1, **options)
    generator = Streams(spec.seed, 0).torch("attack")
    clean = pixels_of(pool, index)
    made, kept, _ = attack(surrogate, clean, torch.tensor(label), torch.tensor(target), generator)
    with torch.inference_mode():
        answers = surrogate(made).argmax(dim=1)[kept].numpy()
    kept = kept.numpy()
    change = (made.double() - clean.double()).numpy()[kept]
    norms = np.sqrt((change**2).sum(axis=(1, 2, 3)))
    counts = result.metrics["counts"]
    assert (counts["candidates"], counts["rejected"]) == (kept.sum(), (~kept).sum())
    assert counts["candidates"] > 0
    assert (counts["rejected"] > 0) == (spec.bound == "reject")
    figures = result.metrics["attack"]
    # What is held back step by step ends at a boundary: there the last bits, which depend on the batch around
    # an image, decide for one or two of them.
    few = 2.5 / kept.sum()
    assert figures["surrogate_fooled"] == pytest.approx(np.mean(answers != label[kept]), abs=few)
    assert figures["target_hit"] == pytest.approx(np.mean(answers == target[kept]), abs=few)
    assert figures["linf_max"] == pytest.approx(np.abs(change).max(), rel=1e-3)
    assert figures["l2_mean"] == pytest.approx(norms.mean(), rel=1e-3)


@pytest.mark.parametrize(
    "option", [{"norm": "linf"}, {"bound": "project"}, {"bound": "reject"}, {"steps": 3}], ids=str
)
def test_every_option_of_an_attack_makes_a_difference(pool, option):
    attack = "pgd" if "steps" in option else "deepfool"
    default = replace(SPEC, attack=attack, epsilon=0.1, epochs=4, controls=())
    usual, other = (compute_run(spec, 0, pool) for spec in (default, replace(default, **option)))
    assert usual.metrics["attack"]["l2_mean"] != pytest.approx(other.metrics["attack"]["l2_mean"], rel=0.01)


def test_tied_votes_go_where_the_rule_says(large_pool):
    spec = replace(SPEC, epochs=1, controls=())
    lowest, nearest = (
        compute_run(replace(spec, tie_rule=rule), 0, large_pool) for rule in ("lowest", "nearest")
    )
    pool, arrays = large_pool, nearest.arrays
    train_index, test_index = arrays["train_index"], arrays["test_index"]
    training, queries = (
        pool.images[index].reshape(len(index), -1).astype(np.float64) for index in (train_index, test_index)
    )
    searched = KNeighborsClassifier(SPEC.z, algorithm="brute").fit(training, pool.labels[train_index])
    voters = pool.labels[train_index][searched.kneighbors(queries, return_distance=False)]
    for row, k in enumerate(SPEC.levels):
        # Counter keeps the order of first votes, and `max` takes the first of equals.
        expected = [max(votes := Counter(few), key=votes.__getitem__) for few in voters[:, :k].tolist()]
        assert_array_equal(arrays["test_prediction"][row], expected)
    assert (arrays["test_prediction"] != lowest.arrays["test_prediction"]).any()


def test_both_searches_give_the_same_run(pool, result):
    other = compute_run(replace(SPEC, search="kd-tree"), 0, pool)
    for name, array in result.arrays.items():
        assert_array_equal(array, other.arrays[name])


def test_every_candidate_can_be_kept_and_the_adversarial_set_is_a_part_of_them(pool, result):
    kept = KeptInMemory()
    again, every = compute_run(SPEC, 0, pool, keep=kept), kept.arrays
    assert json.dumps(again.metrics["accuracy"]) == json.dumps(result.metrics["accuracy"])
    assert len(every["label"]) == result.metrics["counts"]["candidates"]
    chosen = every["prediction"][0] != every["label"]
    for name in ("image", "label", "source", "target"):
        assert_array_equal(every[name][chosen], result.arrays[f"adversarial_{name}"])


def test_nothing_adversarial_is_an_empty_set_with_a_reason(pool):
    tiny = compute_run(replace(SPEC, epsilon=1e-6, controls=("sources",)), 0, pool)
    assert tiny.metrics["counts"]["adversarial"] == 0
    assert tiny.metrics["accuracy"]["adversarial"] == {"5": None, "3": None, "1": None}
    assert tiny.metrics["slope_reasons"]["adversarial"]["1"] == "empty_set"
    assert tiny.arrays["adversarial_image"].shape == (0, 28, 28, 1)
    json.dumps(tiny.metrics, allow_nan=False)


def test_with_a_cache_a_second_computation_trains_and_searches_nothing_and_gives_the_same(
    pool, result, tmp_path
):
    cache, passing = Cache(tmp_path), ("seconds", "search", "surrogate_reused")
    first, second = (compute_run(SPEC, 0, pool, cache=cache) for _ in range(2))
    assert not first.metrics["surrogate_reused"]
    assert second.metrics["surrogate_reused"]
    assert first.metrics["search"]["reused"] == 0
    assert second.metrics["search"]["reused"] == second.metrics["counts"]["test"]
    for again in (first, second):
        for name, array in result.arrays.items():
            assert_array_equal(array, again.arrays[name])
        for name in result.metrics.keys() - passing:
            assert json.dumps(again.metrics[name]) == json.dumps(result.metrics[name]), name


def test_another_attack_epsilon_control_or_smaller_z_finds_surrogate_and_neighbours_in_the_cache(
    pool, tmp_path
):
    cache = Cache(tmp_path)
    compute_run(replace(SPEC, controls=()), 0, pool, cache=cache)
    for change in ({"attack": "deepfool"}, {"epsilon": 0.1}, {"controls": ("noise",)}, {"z": 3}):
        spec = replace(SPEC, **{"controls": (), **change})
        found, alone = compute_run(spec, 0, pool, cache=cache), compute_run(spec, 0, pool)
        assert found.metrics["surrogate_reused"], change
        assert found.metrics["search"]["reused"] == found.metrics["counts"]["test"], change
        assert found.metrics["accuracy"] == alone.metrics["accuracy"], change


@pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 14}, {"test_size": 50}])
def test_what_changes_a_surrogate_is_not_taken_from_the_cache(pool, tmp_path, change):
    cache = Cache(tmp_path)
    compute_run(replace(SPEC, controls=()), 0, pool, cache=cache)
    other = replace(pool, test_size=change.get("test_size", pool.test_size))
    found = compute_run(replace(SPEC, controls=(), **change), 0, other, cache=cache)
    assert not found.metrics["surrogate_reused"]


def test_a_larger_z_searches_again(pool, tmp_path):
    cache = Cache(tmp_path)
    compute_run(replace(SPEC, controls=()), 0, pool, cache=cache)
    spec = replace(SPEC, controls=(), z=9)
    found, alone = compute_run(spec, 0, pool, cache=cache), compute_run(spec, 0, pool)
    assert found.metrics["search"]["reused"] == 0
    assert found.metrics["accuracy"] == alone.metrics["accuracy"]
