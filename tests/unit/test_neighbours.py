"""The neighbours found are those of float64 brute force, ties by training index, however they are found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from core.errors import SpecError
from core.families.voting import SEARCHES
from core.neighbours.blocked import BlockedSearch
from core.neighbours.kd_tree import KDTreeSearch
from core.neighbours.projection import Projection
from core.neighbours.pruned import SHARES, PrunedSearch
from core.neighbours.registry import build_search
from core.neighbours.search import NeighbourSearch, Pixels, SearchReport, to_grey_levels

SEARCH_BUILDERS: dict[str, Callable[[NDArray[np.uint8]], NeighbourSearch]] = {
    "blocked": BlockedSearch,
    "blocked, no slack, odd blocks": lambda training: BlockedSearch(training, query_block=3, slack=0),
    "pruned": PrunedSearch,
    "pruned, small blocks, two threads": lambda training: PrunedSearch(training, block=3, threads=2),
    "kd-tree": KDTreeSearch,
}


@pytest.fixture(params=list(SEARCH_BUILDERS))
def build(request: pytest.FixtureRequest) -> Callable[[NDArray[np.uint8]], NeighbourSearch]:
    return SEARCH_BUILDERS[request.param]


def brute_force(
    queries: Pixels, training: NDArray[np.uint8], z: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The definition, written down: grey levels, float64, every pair, distance then index."""
    grey = queries.astype(np.float64) if queries.dtype == np.uint8 else queries * np.float32(255)
    distances = np.array(
        [((training - query.astype(np.float64)) ** 2).sum(axis=1) for query in grey]
    ).reshape(len(queries), len(training))
    index = np.lexsort((np.broadcast_to(np.arange(len(training)), distances.shape), distances))[:, :z]
    return index, np.take_along_axis(distances, index, axis=1)


def assert_exact(
    search: NeighbourSearch,
    queries: Pixels,
    training: NDArray[np.uint8],
    z: int,
    near: NDArray[np.int64] | None = None,
) -> tuple[int, int, int]:
    """How many queries were certified, widened and complete."""
    found = search.search(queries, z, near)
    index, distances = brute_force(queries, training, z)
    np.testing.assert_array_equal(found.index, index)
    np.testing.assert_allclose(found.squared_distance, distances, rtol=1e-13)
    assert sum(efforts(found.report)) == len(queries)
    assert z * len(queries) <= found.report.measured
    return efforts(found.report)


def efforts(report: SearchReport) -> tuple[int, int, int]:
    return report.certified, report.widened, report.complete


def in_unit_range(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.divide(images, 255, dtype=np.float32)


def noisy(images: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.float32]:
    noise = np.float32(0.1) * generator.choice(np.array([-1, 1], dtype=np.float32), size=images.shape)
    clipped: NDArray[np.float32] = np.clip(in_unit_range(images) + noise, 0, 1)
    return clipped


def test_a_pixel_divided_by_255_comes_back_exactly() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert all(np.float32(k / 255) * np.float32(255) == k for k in range(256))
    np.testing.assert_array_equal(to_grey_levels(in_unit_range(levels)), levels)
    np.testing.assert_array_equal(to_grey_levels((levels / 255).astype(np.float32)), levels)
    np.testing.assert_array_equal(to_grey_levels(torch.from_numpy(levels).float().div(255).numpy()), levels)


@pytest.mark.parametrize("z", [1, 7, 30])
def test_random_images_under_noise_get_the_neighbours_of_brute_force(
    build: Callable[[NDArray[np.uint8]], NeighbourSearch], z: int
) -> None:
    generator = np.random.default_rng(1)
    training = generator.integers(0, 256, (600, 48), dtype=np.uint8)
    queries = noisy(generator.integers(0, 256, (40, 48), dtype=np.uint8), generator)
    assert_exact(build(training), queries, training, z)


@pytest.mark.parametrize("z", [1, 5, 21])
def test_equal_distances_are_ordered_by_training_index(
    build: Callable[[NDArray[np.uint8]], NeighbourSearch], z: int
) -> None:
    generator = np.random.default_rng(2)
    distinct = generator.choice(np.array([0, 85, 255], dtype=np.uint8), size=(50, 6))
    training = distinct[generator.integers(0, 50, 400)]
    queries = generator.choice(np.array([0, 85, 170, 255], dtype=np.uint8), size=(60, 6))
    # Fewer distances than neighbours: without many ties this would protect nothing.
    _, distances = brute_force(queries, training, 21)
    assert len(np.unique(distances)) < 25
    assert_exact(build(training), queries, training, z)
    assert_exact(build(training), in_unit_range(queries), training, z)


@settings(max_examples=120)
@given(data=st.data())
def test_any_shape_gives_the_neighbours_of_brute_force(data: st.DataObject) -> None:
    total, pixels, count = (data.draw(st.integers(low, high)) for low, high in ((1, 40), (1, 12), (0, 7)))
    z = data.draw(st.integers(1, total))
    levels = data.draw(st.sampled_from([1, 2, 4, 256]))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    palette = np.linspace(0, 255, levels).astype(np.uint8)
    training, queries = generator.choice(palette, (total, pixels)), generator.choice(palette, (count, pixels))
    block, slack = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 5))
    assert_exact(BlockedSearch(training, query_block=block, slack=slack), queries, training, z)
    assert_exact(KDTreeSearch(training), in_unit_range(queries), training, z)
    pruned = PrunedSearch(training, block=block)
    assert_exact(pruned, queries, training, z)
    # Guesses of any quality, some rows of them alike.
    few = data.draw(st.integers(1, 3))
    guesses = np.array([generator.permutation(total) for _ in range(few)])
    near = guesses[np.sort(generator.integers(0, few, count))][:, : data.draw(st.integers(z, total))]
    assert_exact(pruned, in_unit_range(queries), training, z, near)


def test_all_searches_give_the_same_neighbours_and_the_same_distances_to_the_last_bit() -> None:
    generator = np.random.default_rng(3)
    training = generator.integers(0, 4, (500, 30), dtype=np.uint8) * np.uint8(85)
    queries = noisy(generator.integers(0, 256, (50, 30), dtype=np.uint8), generator)
    blocked = BlockedSearch(training).search(queries, 9)
    for other in (KDTreeSearch(training), PrunedSearch(training)):
        found = other.search(queries, 9)
        np.testing.assert_array_equal(blocked.index, found.index)
        np.testing.assert_array_equal(blocked.squared_distance, found.squared_distance)


@pytest.mark.parametrize("name", ["blocked", "kd-tree"])
def test_well_separated_images_are_certified_at_first_go(name: str) -> None:
    generator = np.random.default_rng(4)
    training = generator.integers(0, 256, (1000, 784), dtype=np.uint8)
    queries = noisy(training[:20], generator)
    assert assert_exact(build_search(name, training), queries, training, 7) == (20, 0, 0)


def test_identical_training_images_are_all_measured_and_taken_in_order(
    build: Callable[[NDArray[np.uint8]], NeighbourSearch],
) -> None:
    generator = np.random.default_rng(5)
    training = np.repeat(generator.integers(0, 256, (1, 64), dtype=np.uint8), 200, axis=0)
    queries = noisy(generator.integers(0, 256, (4, 64), dtype=np.uint8), generator)
    found = build(training).search(queries, 7)
    np.testing.assert_array_equal(found.index, np.tile(np.arange(7), (4, 1)))
    assert efforts(found.report) == (0, 0, 4)


def nearly_equidistant(generator: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Training images in crowds of 40, and queries whose distances to one crowd and the next differ by 2.

    Squared distances are near 1e7, where sums of 784 float32 products are off by more than that. Pixels come
    in pairs in which a query q is constant, so that (q - t - 1)^2 + (q - t + 1)^2 = 2 (q - t)^2 + 2 whatever
    q: the number of pairs that are bent by 1 says how far an image is, which pairs does not matter.
    """
    light = np.full((320, 392, 2), 250, dtype=np.uint8)
    for image, bent in zip(light, np.repeat(np.arange(100, 108), 40), strict=True):
        image[generator.permutation(392)[:bent]] += np.array([1, -1]).astype(np.uint8)
    # As many black images: the training mean is grey, and taking it away leaves large norms.
    training = np.concatenate([light, np.zeros_like(light)]).reshape(640, 784)
    # Grey levels with six binary places (most come back exactly): too fine for float32 sums, exact in
    # float64, so that ties stay ties.
    levels = np.arange(51 * 64, 255 * 64) / 64
    pixels = (levels / 255).astype(np.float32)
    queries = generator.choice(pixels[to_grey_levels(pixels) == levels], (6, 392)).repeat(2, axis=1)
    return training[generator.permutation(640)], queries


def test_differences_below_float32_resolution_are_decided_by_float64(
    build: Callable[[NDArray[np.uint8]], NeighbourSearch],
) -> None:
    training, queries = nearly_equidistant(np.random.default_rng(6))
    found = build(training).search(queries, 7)
    assert found.report.measured >= 6 * 40  # the whole crowd of each: nothing less can tell
    # The first crowd's images differ from 250 in the fewest pixels; equally far, they come in file order.
    bent = np.where(training.max(axis=1) > 0, (training != 250).sum(axis=1), 784)
    first_crowd = np.flatnonzero(bent == bent.min())[:7]
    np.testing.assert_array_equal(found.index, np.tile(first_crowd, (6, 1)))


def test_float32_products_alone_would_get_those_wrong() -> None:
    training, queries = nearly_equidistant(np.random.default_rng(6))
    left, right = torch.from_numpy(to_grey_levels(queries)), torch.from_numpy(training).float()
    scores = right.square().sum(1) - 2 * left @ right.T
    careless = scores.topk(7, largest=False).indices.numpy()
    assert (careless != brute_force(queries, training, 7)[0]).any()


def test_a_crowd_at_the_zth_distance_widens_the_search_to_the_crowd_only() -> None:
    generator = np.random.default_rng(7)
    crowd = np.repeat(generator.integers(0, 256, (1, 784), dtype=np.uint8), 100, axis=0)
    others = generator.integers(0, 256, (400, 784), dtype=np.uint8)
    training = np.concatenate([others, crowd])
    queries = noisy(crowd[:5], generator)
    for search in (BlockedSearch(training), KDTreeSearch(training)):
        assert assert_exact(search, queries, training, 7) == (0, 5, 0)


@pytest.mark.parametrize("axes", [1, 5, 30])
@pytest.mark.parametrize("kind", ["natural", "few dimensions", "all the same"])
def test_points_are_never_farther_apart_than_their_images(axes: int, kind: str) -> None:
    generator = np.random.default_rng(13)
    images = {
        "natural": generator.integers(0, 256, (200, 30), dtype=np.uint8),
        # All of them in 3 dimensions: of their rests nothing is left but rounding.
        "few dimensions": generator.integers(0, 256, (200, 3), dtype=np.uint8).repeat(10, axis=1),
        "all the same": np.full((200, 30), 77, dtype=np.uint8),
    }[kind]
    projection = Projection(images, axes)
    points = projection.points(images, [axes])[0]
    apart, distance = cdist(points, points, "sqeuclidean"), cdist(images, images, "sqeuclidean")
    norm = np.linalg.norm(points, axis=1)
    slack = 4 * projection.point_error * (norm[:, None] + norm) ** 2
    assert (apart <= distance + slack).all()
    np.testing.assert_allclose(norm, np.linalg.norm(images - projection.centre, axis=1), rtol=1e-9)


def test_axes_hold_the_variance_that_a_singular_value_decomposition_finds() -> None:
    generator = np.random.default_rng(14)
    images = (
        (generator.standard_normal((500, 40)) * np.linspace(40, 1, 40) + 128).clip(0, 255).astype(np.uint8)
    )
    projection = Projection(images, 10)
    values = np.linalg.svd(images - projection.centre, compute_uv=False) ** 2
    np.testing.assert_allclose(projection.share, np.cumsum(values[:10]) / values.sum(), rtol=1e-3)


def test_images_without_any_structure_are_all_measured() -> None:
    # The same variance along every axis: no few axes tell anything.
    generator = np.random.default_rng(4)
    training = generator.integers(0, 256, (1000, 784), dtype=np.uint8)
    assert assert_exact(PrunedSearch(training), noisy(training[:20], generator), training, 7) == (0, 0, 20)


def test_guesses_that_are_alike_are_searched_together_and_excluded_images_are_few() -> None:
    generator = np.random.default_rng(15)
    # Images around 20 centres, as classes are: elsewhere there would be nothing to exclude.
    centres = generator.integers(0, 256, (20, 784))
    spread = generator.normal(0, 12, (2000, 784))
    training = (centres[generator.integers(0, 20, 2000)] + spread).clip(0, 255).astype(np.uint8)
    queries = noisy(training[:10].repeat(9, axis=0), generator)
    near = brute_force(training[:10], training, 16)[0].repeat(9, axis=0)
    search = PrunedSearch(training)
    assert assert_exact(search, queries, training, 7, near) == (90, 0, 0)
    assert search.search(queries, 7, near).report.measured < 90 * 300


def smooth(generator: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """(count, 400) images of 20x20 whose variance falls along the axes, as that of natural images does."""
    steps = generator.normal(0, 12, (count, 20, 20)).cumsum(axis=2)
    images = 127 + steps + generator.normal(0, 8, steps.shape)
    return images.clip(0, 255).astype(np.uint8).reshape(count, 400)


def unusual_queries(training: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.float32]:
    """Nine in turn like each of: known images, these under noise, nothing at all, and what is far from any."""
    known = in_unit_range(training[:18])
    grey = np.repeat(np.linspace(0, 1, 9, dtype=np.float32)[:, None], 400, axis=1)
    black = np.zeros((9, 400), dtype=np.float32)
    white_noise = generator.random((9, 400), dtype=np.float32)
    corners = generator.integers(0, 2, (9, 400)).astype(np.float32)
    under_noise = [noisy(training[[row] * 9], generator) for row in (0, 700, 1400)]
    return np.concatenate([known, *under_noise, grey, black, white_noise, corners])


@pytest.mark.parametrize("z", [1, 7, 28, 101])
@pytest.mark.parametrize("guesses", ["none", "good", "bad"])
def test_every_bound_keeps_the_neighbours_of_unusual_queries(z: int, guesses: str) -> None:
    generator = np.random.default_rng([16, z])
    training = smooth(generator, 1500)
    training[300:450] = training[:150]  # ties
    training[1000:1004] = [[0], [0], [255], [127]]  # constant images
    queries = unusual_queries(training, generator)
    order = brute_force(queries, training, len(training))[0][::9].repeat(9, axis=0)
    near = {"none": None, "good": order[:, : z + 9], "bad": order[:, -z - 9 :]}[guesses]
    search = PrunedSearch(training)
    assert len(search._levels) == len(SHARES), "bounds that are the same would protect nothing"
    assert_exact(search, queries, training, z, near)
    measured = search.search(queries, z, near).report.measured
    # Where a group has far queries, or bad guesses, more is left.
    assert measured < len(queries) * len(training) * {"none": 0.6, "good": 0.8, "bad": 1.0}[guesses]


@pytest.mark.parametrize("pixel", [0, 1, 255])
def test_a_comparison_is_not_farther_off_than_it_says(pixel: int) -> None:
    # Products as large as they get, or nothing at all.
    generator = np.random.default_rng(17)
    training = generator.integers(0, 256, (300, 3072), dtype=np.uint8)
    training[:100] = pixel
    queries = np.concatenate([noisy(training[50:55], generator), noisy(training[200:205], generator)])
    grey = to_grey_levels(queries)
    distance, error = PrunedSearch(training)._compared(grey, np.arange(300))
    true = cdist(grey.astype(np.float64), training.astype(np.float64), "sqeuclidean")
    assert (np.abs(distance - true) <= error).all()
    # That of any signs would be this: gamma_d of the largest sizes.
    sizes = np.linalg.norm(grey, axis=1)[:, None] + np.linalg.norm(training.astype(np.float64), axis=1)
    assert (error <= 3074 * 2.0**-24 * sizes**2).all()


@pytest.mark.parametrize(
    ("near", "complaint"),
    [
        (np.zeros((2, 2), np.int64), r"guesses must be \(2, at least 3\)"),
        (np.array([[0, 1, 2]]), r"guesses must be \(2, at least 3\)"),
        (np.array([[0, 1, 2], [3, 4, 9]]), "from 0 to 8"),
        (np.array([[0, 1, 2], [3, 4, -1]]), "from 0 to 8"),
        (np.array([[0, 1, 2], [3, 4, 3]]), "distinct"),
    ],
)
def test_impossible_guesses_are_refused(
    build: Callable[[NDArray[np.uint8]], NeighbourSearch], near: NDArray[np.int64], complaint: str
) -> None:
    search = build(np.eye(9, dtype=np.uint8))
    with pytest.raises(ValueError, match=complaint):
        search.search(np.zeros((2, 9), np.uint8), 3, near)


def test_queries_in_blocks_get_what_one_block_gets() -> None:
    generator = np.random.default_rng(8)
    training = generator.integers(0, 256, (300, 20), dtype=np.uint8)
    queries = noisy(training[:23], generator)
    whole = BlockedSearch(training, query_block=100).search(queries, 5)
    for block in (1, 4, 22, 23):
        parts = BlockedSearch(training, query_block=block).search(queries, 5)
        np.testing.assert_array_equal(parts.index, whole.index)
        np.testing.assert_array_equal(parts.squared_distance, whole.squared_distance)


def test_uint8_and_float32_queries_of_one_image_get_the_same(
    build: Callable[[NDArray[np.uint8]], NeighbourSearch],
) -> None:
    generator = np.random.default_rng(9)
    training = generator.integers(0, 256, (300, 20), dtype=np.uint8)
    queries = generator.integers(0, 256, (30, 20), dtype=np.uint8)
    search = build(training)
    whole, scaled = search.search(queries, 5), search.search(in_unit_range(queries), 5)
    np.testing.assert_array_equal(whole.index, scaled.index)
    np.testing.assert_array_equal(whole.squared_distance, scaled.squared_distance)


def test_distances_are_euclidean_between_images_in_the_unit_range() -> None:
    generator = np.random.default_rng(10)
    training = generator.integers(0, 256, (100, 20), dtype=np.uint8)
    queries = generator.random((8, 20), dtype=np.float32)
    found = BlockedSearch(training).search(queries, 4)
    expected = np.sort(cdist(queries, training / 255), axis=1)[:, :4]
    np.testing.assert_allclose(found.distance, expected, rtol=1e-6)


def test_no_query_gets_no_neighbours(build: Callable[[NDArray[np.uint8]], NeighbourSearch]) -> None:
    found = build(np.eye(9, dtype=np.uint8)).search(np.empty((0, 9), dtype=np.float32), 3)
    assert found.index.shape == found.squared_distance.shape == (0, 3)
    assert found.report == SearchReport(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("queries", "z", "complaint"),
    [
        (np.zeros((2, 9), np.uint8), 10, "z = 10 neighbours asked of 9"),
        (np.zeros((2, 9), np.uint8), 0, "z = 0"),
        (np.zeros((2, 8), np.uint8), 1, r"must be \(n, 9\)"),
        (np.zeros(9, np.uint8), 1, r"must be \(n, 9\)"),
        (np.zeros((2, 9)), 1, "uint8 or float32"),
        (np.full((2, 9), 1.5, np.float32), 1, r"\[0, 1\]"),
        (np.full((2, 9), -0.1, np.float32), 1, r"\[0, 1\]"),
        (np.full((2, 9), np.nan, np.float32), 1, r"\[0, 1\]"),
    ],
)
def test_impossible_requests_are_refused(
    build: Callable[[NDArray[np.uint8]], NeighbourSearch], queries: Pixels, z: int, complaint: str
) -> None:
    search = build(np.eye(9, dtype=np.uint8))
    with pytest.raises(ValueError, match=complaint):
        search.search(queries, z)


@pytest.mark.parametrize(
    "training", [np.zeros((3, 2)), np.zeros((3, 2, 1), np.uint8), np.zeros((0, 2), np.uint8)]
)
def test_training_images_of_another_form_are_refused(
    build: Callable[[NDArray[np.uint8]], NeighbourSearch], training: NDArray[np.uint8]
) -> None:
    with pytest.raises(ValueError, match="training images must be"):
        build(training)


@pytest.fixture
def careless_precision() -> Iterator[str]:
    """A process that allows TF32 and bfloat16 inside float32 products."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield "medium"
    torch.set_float32_matmul_precision(before)


def test_products_are_full_float32_during_a_search_and_the_setting_comes_back(
    careless_precision: str,
) -> None:
    in_force: list[str] = []

    class Watched(BlockedSearch):
        def _scores(self, centred: NDArray[np.float64]) -> torch.Tensor:
            in_force.append(torch.get_float32_matmul_precision())
            return super()._scores(centred)

    training = np.random.default_rng(11).integers(0, 256, (100, 20), dtype=np.uint8)
    assert_exact(Watched(training), training[:5], training, 3)
    assert in_force == ["highest"]
    assert torch.get_float32_matmul_precision() == careless_precision


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_that_the_family_names_can_be_built(name: str) -> None:
    training = np.random.default_rng(12).integers(0, 256, (50, 10), dtype=np.uint8)
    assert_exact(build_search(name, training), training[:9], training, 3)


def test_an_unknown_search_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SpecError, match="expected one of pruned, blocked, kd-tree") as caught:
        build_search("kdtree", np.eye(3, dtype=np.uint8))
    assert caught.value.hint == "did you mean kd-tree?"


def test_the_names_of_the_searches_load_no_numerical_library() -> None:
    program = (
        "import sys, core.families.knn as c; assert c.SEARCHES and c.TIE_RULES;"
        "print(sorted({'torch', 'sklearn', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
