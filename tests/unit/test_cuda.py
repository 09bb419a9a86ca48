"""On a CUDA device: neighbours are exact, attacks are those of the processor, and a run repeats to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor, nn

from core.attacks.attack import confine
from core.attacks.registry import ATTACKS
from core.families.family import Resources
from core.neighbours.blocked import BlockedSearch
from core.protocol.run import compute_run
from core.records.metrics import RunMetrics
from core.records.types import plain
from core.spec.spec import Spec
from core.surrogates.lenet5 import LeNet5
from core.surrogates.network import build_network
from core.tensors.device import exact_convolutions
from tests.fakes.images import made_up_pool

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")

CLASSES = 4
EPSILON = 0.1
TIME_ONLY = ("seconds", "search", "surrogate_reused", "environment")
"""What two computations of a run may differ in."""


@pytest.fixture
def network() -> nn.Module:
    source = torch.Generator().manual_seed(3)
    net = build_network(
        LeNet5(), (28, 28, 1), CLASSES, mean=torch.tensor([0.2]), sd=torch.tensor([0.3]), generator=source
    )
    return net.eval().requires_grad_(False)


def inputs(count: int) -> tuple[Tensor, Tensor, Tensor]:
    pool = made_up_pool(count, CLASSES)
    images = torch.from_numpy(pool.images).permute(0, 3, 1, 2).float() / 255
    labels = torch.from_numpy(pool.labels)
    return images, labels, (labels + 1) % CLASSES


@pytest.mark.parametrize("kind", ["grey levels", "between them"])
def test_neighbours_are_those_of_float64_brute_force(kind: str) -> None:
    random = np.random.default_rng(0)
    training = random.integers(0, 256, (3000, 300), dtype=np.uint8)
    training[1500:1600] = training[:100]  # ties, which the index breaks
    queries: NDArray[np.uint8] | NDArray[np.float32] = training[:400]
    if kind == "between them":
        noise = random.uniform(-0.1, 0.1, queries.shape).astype(np.float32)
        queries = np.clip(queries / np.float32(255) + noise, 0, 1).astype(np.float32)
    grey = queries.astype(np.float64) if queries.dtype == np.uint8 else queries * np.float32(255)
    distance = cdist(grey.astype(np.float64), training.astype(np.float64), "sqeuclidean")
    expected = np.argsort(distance, axis=1, kind="stable")[:, :21]
    found = BlockedSearch(training, device="cuda").search(queries, 21)
    assert_array_equal(found.index, expected)
    np.testing.assert_allclose(
        found.squared_distance, np.take_along_axis(distance, expected, axis=1), rtol=1e-12
    )


def test_fgsm_follows_the_sign_of_a_float64_gradient(network: nn.Module) -> None:
    images, labels, targets = inputs(200)
    exact = network.double()
    x = images.double().requires_grad_(True)
    gradient = torch.autograd.grad(nn.functional.cross_entropy(exact(x), targets, reduction="sum"), x)[0]
    # Where the gradient is far from 0 beside the rounding of float32, its sign is beyond doubt.
    sure = gradient.abs() > 1e-4 * gradient.abs().amax(dim=(1, 2, 3), keepdim=True)
    expected = (images - EPSILON * gradient.sign().float()).clamp(0, 1)
    attack = ATTACKS["fgsm"](epsilon=EPSILON)
    network.float().cuda()
    with exact_convolutions():
        found = attack(network, images.cuda(), labels.cuda(), targets.cuda(), torch.Generator()).images.cpu()
    assert sure.float().mean() > 0.5
    torch.testing.assert_close(found[sure], expected[sure], rtol=0, atol=1e-6)


def test_noise_is_that_of_the_processor_to_the_last_bit(network: nn.Module) -> None:
    images, labels, targets = inputs(50)
    attack = ATTACKS["noise"](epsilon=EPSILON)
    here = attack(network, images, labels, targets, torch.Generator().manual_seed(1)).images
    network.cuda()
    random = torch.Generator().manual_seed(1)
    there = attack(network, images.cuda(), labels.cuda(), targets.cuda(), random).images
    assert torch.equal(here, there.cpu())


@pytest.mark.parametrize(
    "name", ["deepfool", "pgd", "deepfool-untargeted", "pgd-untargeted", "fgsm-untargeted"]
)
def test_an_attack_stays_within_its_bounds_and_fools_as_often_as_on_the_processor(
    name: str, network: nn.Module
) -> None:
    images, labels, targets = inputs(200)
    attack = ATTACKS[name](epsilon=EPSILON)
    aims = targets if attack.targeted else labels
    here = attack(network, images, labels, aims, torch.Generator().manual_seed(1))
    predicted_here = network(here.images).argmax(dim=1)
    network.cuda()
    clean, random = images.cuda(), torch.Generator().manual_seed(1)
    with exact_convolutions():
        there = attack(network, clean, labels.cuda(), aims.cuda(), random)
        predicted_there = network(there.images).argmax(dim=1).cpu()
    assert torch.equal(confine(clean, there.images, EPSILON + 1e-6), there.images)
    # One image in a hundred may lie so near to a boundary that rounding decides.
    assert (predicted_here != predicted_there).float().mean() <= 0.01


def test_a_run_repeats_to_the_last_bit_and_its_classifier_is_that_of_the_processor() -> None:
    pool = made_up_pool()
    spec = Spec(dataset="/made/up.npz", runs=1, epochs=15, epsilon=0.25, options={"z": 5})

    def run(device: str) -> RunMetrics:
        return compute_run(spec, 0, pool, resources=Resources(device=device)).metrics

    first, again, here = run("cuda"), run("cuda"), run("cpu")
    first_numbers, again_numbers = (
        {name: value for name, value in plain(one).items() if name not in TIME_ONLY} for one in (first, again)
    )
    assert first_numbers == again_numbers
    for name in ("test", "misclassified", "noise"):
        assert first.accuracy[name] == here.accuracy[name]
    assert first.crossfit is not None
    assert here.crossfit is not None
    assert first.crossfit.accuracy["test"] == here.crossfit.accuracy["test"]
    assert first.noise == here.noise
    assert abs(first.surrogate_accuracy - here.surrogate_accuracy) <= 0.05
