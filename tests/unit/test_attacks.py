"""What all attacks promise, and FGSM, PGD and noise against closed forms and foolbox."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.attacks.attack import Attack, Perturbed, all_kept, confine, same_steps
from core.attacks.deepfool import DeepFool
from core.attacks.fgsm import FGSM, UntargetedFGSM
from core.attacks.noise import SignNoise
from core.attacks.pgd import PGD, UntargetedPGD
from core.attacks.registry import ATTACKS
from core.declarations.setting import Choice, Setting
from core.errors import SpecError
from core.surrogates.lenet5 import LeNet5
from core.surrogates.network import build_network
from core.tensors.device import one_thread

CLASSES = 4
OURS = {name: ATTACKS[name] for name in ATTACKS.own}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_net(seed: int = 0) -> nn.Sequential:
    """Convolution, ReLU, pooling and a linear layer on 2 x 8 x 8 images, with weights drawn from the seed."""
    net = nn.Sequential(
        nn.Conv2d(2, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(80, CLASSES)
    )
    source = generator(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=source) / 3)
    return net.eval()


def inputs(count: int, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Random images, about a third of their pixels exactly 0 or 1, labels, and targets that are not labels."""
    source = generator(seed)
    images = (torch.rand(count, 2, 8, 8, generator=source) * 1.5 - 0.25).clamp(0, 1)
    labels = torch.randint(0, CLASSES, (count,), generator=source)
    targets = (labels + torch.randint(1, CLASSES, (count,), generator=source)) % CLASSES
    return images, labels, targets


def linear_net(weights: Tensor, biases: Tensor, shape: tuple[int, int, int]) -> nn.Sequential:
    """f(x) = weights @ flatten(x) + biases."""
    layer = nn.Linear(math.prod(shape), len(biases))
    with torch.no_grad():
        layer.weight.copy_(weights)
        layer.bias.copy_(biases)
    return nn.Sequential(nn.Flatten(), layer).eval()


def variants(epsilon: float, batch_size: int | None = None) -> list[Attack]:
    """Every attack with every combination of its worded options; numbers are 3."""
    built: list[Attack] = []
    for attack in OURS.values():
        choices: list[list[Any]] = [list(option.choices()) or [3] for option in attack.options]
        for values in product(*choices):
            given = {option.name: value for option, value in zip(attack.options, values, strict=True)}
            built.append(attack(epsilon=epsilon, **given))
    if batch_size is None:
        return built
    return [
        attack if isinstance(attack, SignNoise) else replace(attack, batch_size=batch_size)  # type: ignore[type-var]
        for attack in built
    ]


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
        assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("targeted", [True, False])
def test_a_source_repeated_for_its_targets_gets_what_it_gets_alone(targeted: bool) -> None:
    images, labels, _ = inputs(7, 3)
    repeats = torch.tensor([3, 1, 2, 3, 1, 1, 2])
    row = torch.arange(7).repeat_interleave(repeats)
    targets = (labels[row] + 1 + torch.arange(len(row)) % (CLASSES - 1)) % CLASSES
    model = small_net().double()
    for size in (1, 2, 100):
        attack = (FGSM if targeted else UntargetedFGSM)(epsilon=0.1, batch_size=size)
        together = attack(model, images[row].double(), labels[row], targets, generator())
        for place, one in enumerate(row.tolist()):
            source, label = images[one : one + 1].double(), labels[one : one + 1]
            alone = attack(model, source, label, targets[place : place + 1], generator())
            torch.testing.assert_close(together.images[place], alone.images[0], rtol=0, atol=0)


@settings(max_examples=15)
@given(epsilon=st.floats(1e-4, 1), seed=st.integers(0, 2**31), extremes=st.booleans())
@pytest.mark.slow
def test_no_attack_leaves_the_epsilon_ball_or_the_pixel_range(
    epsilon: float, seed: int, extremes: bool
) -> None:
    images, labels, targets = inputs(5, seed)
    if extremes:
        images = images.round()
    for attack in variants(epsilon):
        perturbed, kept, steps = attack(small_net(seed), images, labels, targets, generator())
        assert perturbed.shape == images.shape
        assert perturbed.dtype == torch.float32
        assert kept.dtype == torch.bool
        assert steps.dtype == torch.int64
        assert kept.shape == steps.shape == (5,)
        change = perturbed.double() - images.double()  # float64: the test adds no rounding of its own
        assert change.abs().max() <= epsilon + 1e-6
        assert perturbed.min() >= 0
        assert perturbed.max() <= 1
        assert torch.equal(perturbed[~kept], images[~kept])


@pytest.mark.parametrize("attack", variants(0.1), ids=str)
def test_no_attack_touches_images_weights_gradients_or_mode(attack: Attack) -> None:
    net = small_net()
    next(net.parameters()).requires_grad_(False)
    net[2].train()
    before = [parameter.clone() for parameter in net.parameters()]
    images, labels, targets = inputs(5)
    original = images.clone()
    with torch.no_grad():
        perturbed = attack(net, images, labels, targets, generator())
    assert not perturbed.images.requires_grad
    assert torch.equal(images, original)
    assert not images.requires_grad
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert [parameter.grad for parameter in net.parameters()] == [None] * 4
    assert [parameter.requires_grad for parameter in net.parameters()] == [False, True, True, True]
    assert [module.training for module in net] == [False, False, True, False, False]


def test_weights_are_trainable_again_after_an_attack_that_failed() -> None:
    net = small_net()
    images, labels, targets = inputs(3)
    with pytest.raises((IndexError, RuntimeError)):
        FGSM(epsilon=0.1)(net, images, labels, targets + CLASSES, generator())
    assert all(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("index", range(len(variants(0.1))))
def test_the_size_of_a_batch_changes_nothing(index: int) -> None:
    images, labels, targets = inputs(11)
    whole, parts = (
        variants(0.1, size)[index](small_net().double(), images.double(), labels, targets, generator())
        for size in (512, 3)
    )
    torch.testing.assert_close(parts.images, whole.images, rtol=0, atol=1e-6)
    assert torch.equal(parts.kept, whole.kept)
    assert torch.equal(parts.steps, whole.steps)


@pytest.mark.parametrize(
    "attack",
    [*(a for a in variants(0.1) if not isinstance(a, PGD | SignNoise)), PGD(epsilon=0.1, random_start=False)],
    ids=str,
)
def test_a_candidate_does_not_depend_on_its_company(attack: Attack) -> None:
    images, labels, targets = inputs(7)
    net, images = small_net().double(), images.double()
    together = attack(net, images, labels, targets, generator())
    for row in range(7):
        one = slice(row, row + 1)
        alone = attack(net, images[one], labels[one], targets[one], generator())
        torch.testing.assert_close(alone.images, together.images[one], rtol=0, atol=1e-6)
        assert alone.kept == together.kept[one]
        assert alone.steps == together.steps[one]


@pytest.mark.parametrize("attack", variants(0.1), ids=str)
def test_the_threads_of_the_caller_change_nothing_within_one_thread(attack: Attack) -> None:
    # Last bits depend on threads in DeepFool, whose batches shrink; every attack is asked nevertheless.
    images = (torch.rand(8, 1, 28, 28, generator=generator(2)) * 1.5 - 0.25).clamp(0, 1)
    labels = torch.arange(8) % 10
    mean, sd = torch.tensor([0.4]), torch.tensor([0.3])
    model = build_network(LeNet5(), (28, 28, 1), 10, mean=mean, sd=sd, generator=generator(1)).eval()
    found = []
    for number in (1, 2, 4):
        with threads(number), one_thread():
            found.append(attack(model, images, labels, (labels + 3) % 10, generator()))
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_one_thread_gives_the_caller_its_threads_back_after_an_error_too() -> None:
    with threads(3):
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
        with pytest.raises(RuntimeError, match="broken"), one_thread():
            raise RuntimeError("broken")
        assert torch.get_num_threads() == 3


@pytest.mark.parametrize("name", [name for name, kind in OURS.items() if not kind.random])
def test_an_attack_that_is_not_random_leaves_the_generator_alone(name: str) -> None:
    source = generator(8)
    before = source.get_state()
    OURS[name](epsilon=0.1)(small_net(), *inputs(3), source)
    assert torch.equal(source.get_state(), before)


@pytest.mark.parametrize("attack", variants(0.1), ids=str)
def test_no_images_give_no_candidates(attack: Attack) -> None:
    perturbed, kept, steps = attack(small_net(), *inputs(0), generator())
    assert (tuple(perturbed.shape), tuple(kept.shape), tuple(steps.shape)) == ((0, 2, 8, 8), (0,), (0,))


@pytest.mark.parametrize("epsilon", [0.0, -0.1, 1.01, math.nan])
@pytest.mark.parametrize("name", OURS)
def test_epsilon_outside_its_range_is_refused(name: str, epsilon: float) -> None:
    with pytest.raises(ValueError, match="epsilon"):
        OURS[name](epsilon=epsilon)


@pytest.mark.parametrize("attack", variants(0.1), ids=str)
def test_inputs_of_another_form_are_refused(attack: Attack) -> None:
    images, labels, targets = inputs(3)
    too_bright, not_a_number = images.clone(), images.clone()
    too_bright[1, 0, 0, 0] = 1.001
    not_a_number[1, 0, 0, 0] = math.nan
    for wrong, match in (
        ((too_bright, labels, targets), "pixels"),
        ((not_a_number, labels, targets), "pixels"),
        ((images[0], labels, targets), "images"),
        (((images * 255).byte(), labels, targets), "images"),
        ((images, labels[:2], targets), "labels"),
        ((images, labels, targets.int()), "targets"),
    ):
        with pytest.raises(ValueError, match=match):
            attack(small_net(), *wrong, generator())


@pytest.mark.parametrize("name", [name for name, kind in OURS.items() if kind.targeted])
def test_a_targeted_attack_needs_targets(name: str) -> None:
    images, labels, targets = inputs(3)
    with pytest.raises(ValueError, match="targets"):
        OURS[name](epsilon=0.1)(small_net(), images, labels, targets.fill_(-1), generator())


@pytest.mark.parametrize("name", [name for name, kind in OURS.items() if kind.uses_gradient])
def test_a_model_that_diverged_is_reported(name: str) -> None:
    net = small_net()
    with torch.no_grad():
        list(net.parameters())[-1].fill_(math.nan)
    with pytest.raises(ValueError, match="diverged"):
        OURS[name](epsilon=0.1)(net, *inputs(3), generator())


def test_confine_is_the_nearest_point_of_ball_and_pixel_range() -> None:
    x = torch.tensor([0.05, 0.5, 0.5, 0.95, 0.5]).reshape(5, 1, 1, 1)
    moved = torch.tensor([-1.0, 0.9, 0.3, 2.0, 0.55]).reshape(5, 1, 1, 1)
    expected = torch.tensor([0.0, 0.6, 0.4, 1.0, 0.55]).reshape(5, 1, 1, 1)
    torch.testing.assert_close(confine(x, moved, 0.1), expected)


@pytest.mark.parametrize("scale", [1.0, 60.0], ids=["plain", "confident"])
@pytest.mark.parametrize("targeted", [True, False])
def test_fgsm_follows_the_closed_form_gradient_of_softmax_regression(targeted: bool, scale: float) -> None:
    draw = np.random.default_rng(5)
    weights, biases = draw.normal(size=(3, 12)) * scale, draw.normal(size=3)
    images = draw.uniform(0.2, 0.8, size=(40, 12)).astype(np.float32)
    logits = images.astype(np.float64) @ weights.astype(np.float32).T + biases.astype(np.float32)
    labels = logits.argmax(1)
    targets = (labels + 1) % 3
    towards = targets if targeted else labels
    # grad CE = sum_k (p_k - [k = class]) w_k, free of cancellation: sum over k != class of p_k (w_k - w_class)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    gradient = np.einsum("nk,nkd->nd", p, weights[None] - weights[towards][:, None])
    expected = images + 0.1 * np.sign(gradient) * (-1 if targeted else 1)
    result = (FGSM if targeted else UntargetedFGSM)(epsilon=0.1)(
        linear_net(torch.tensor(weights), torch.tensor(biases), (1, 3, 4)),
        torch.tensor(images).reshape(-1, 1, 3, 4),
        torch.tensor(labels),
        torch.tensor(targets),
        generator(),
    )
    np.testing.assert_allclose(result.images.reshape(-1, 12).numpy(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("targeted", [True, False])
def test_fgsm_equals_foolbox(targeted: bool) -> None:
    foolbox = pytest.importorskip("foolbox")
    images, labels, targets = inputs(40)
    net = small_net()
    peer = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    if targeted:
        attack = foolbox.attacks.LinfBasicIterativeAttack(abs_stepsize=0.1, steps=1, random_start=False)
        criterion = foolbox.criteria.TargetedMisclassification(targets)
    else:
        attack, criterion = (
            foolbox.attacks.LinfFastGradientAttack(),
            foolbox.criteria.Misclassification(labels),
        )
    expected = attack.run(peer, images, criterion, epsilon=0.1)
    result = (FGSM if targeted else UntargetedFGSM)(epsilon=0.1)(net, images, labels, targets, generator())
    torch.testing.assert_close(result.images, expected, rtol=0, atol=1e-6)
    assert (result.steps == 1).all()


@pytest.mark.parametrize("targeted", [True, False])
def test_pgd_without_random_start_equals_foolbox(targeted: bool) -> None:
    foolbox = pytest.importorskip("foolbox")
    images, labels, targets = inputs(40)
    net = small_net()
    attack = foolbox.attacks.LinfPGD(abs_stepsize=2.5 * 0.1 / 7, steps=7, random_start=False)
    criterion = (
        foolbox.criteria.TargetedMisclassification(targets)
        if targeted
        else foolbox.criteria.Misclassification(labels)
    )
    peer = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    expected = attack.run(peer, images, criterion, epsilon=0.1)
    result = (PGD if targeted else UntargetedPGD)(epsilon=0.1, steps=7, random_start=False)(
        net, images, labels, targets, generator()
    )
    torch.testing.assert_close(result.images, expected, rtol=0, atol=1e-6)
    assert (result.steps == 7).all()


def test_pgd_starts_uniformly_in_the_ball() -> None:
    from scipy.stats import kstest

    flat = linear_net(torch.zeros(CLASSES, 128), torch.zeros(CLASSES), (2, 8, 8))  # no gradient: it stays
    images = torch.full((40, 2, 8, 8), 0.5)
    _, labels, targets = inputs(40)
    result = PGD(epsilon=0.2)(flat, images, labels, targets, generator(3))
    offsets = (result.images - images).flatten().numpy()
    assert kstest(offsets, "uniform", args=(-0.2, 0.4)).pvalue > 0.01


@pytest.mark.parametrize("attack", [kind(epsilon=0.1) for kind in OURS.values() if kind.random], ids=str)
def test_a_seed_fixes_the_random_draws(attack: Attack) -> None:
    images, labels, targets = inputs(6)
    first, again, other = (
        attack(small_net(), images, labels, targets, generator(seed)).images for seed in (7, 7, 8)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_noise_moves_every_pixel_by_epsilon_and_the_signs_are_fair() -> None:
    images = torch.rand(100, 2, 8, 8, generator=generator(2))
    labels = torch.zeros(100, dtype=torch.int64)
    result = SignNoise(epsilon=0.1)(small_net(), images, labels, labels, generator(4))
    change = result.images - images
    inside = (images >= 0.1) & (images <= 0.9)
    torch.testing.assert_close(change[inside].abs(), torch.full_like(change[inside], 0.1), rtol=0, atol=1e-6)
    clipped = change[~inside].abs() < 0.1 - 1e-6
    edge = result.images[~inside][clipped]
    assert ((edge == 0) | (edge == 1)).all()
    signs = (change[inside] > 0).double()
    deviation = abs(signs.mean().item() - 0.5) * 2 * math.sqrt(len(signs))  # in binomial standard deviations
    assert deviation < 3


def test_stronger_attacks_lower_the_loss_of_the_target_further() -> None:
    images, labels, targets = inputs(60)
    net = small_net()

    def target_loss(attack: Attack) -> float:
        perturbed = attack(net, images, labels, targets, generator()).images
        return nn.functional.cross_entropy(net(perturbed), targets).item()

    pgd, fgsm = target_loss(PGD(epsilon=0.05)), target_loss(FGSM(epsilon=0.05))
    assert pgd < fgsm < target_loss(SignNoise(epsilon=0.05))


def test_deepfool_refuses_settings_it_does_not_know() -> None:
    for wrong in ({"norm": "l1"}, {"bound": "none"}, {"overshoot": -0.1}, {"max_steps": 0}):
        with pytest.raises(ValueError, match="expected"):
            DeepFool(epsilon=0.1, **wrong)


class Dimming(Attack):
    """Every pixel down by epsilon: an attack that leaves its construction to the base class."""

    title = "Dimming"
    summary = "every pixel down"
    options = (
        Setting(
            name="where", title="Where", metavar="HALF", kind=Choice({"top": "the upper half", "all": "all"}),
            default="all", help="which pixels",
        ),
    )  # fmt: skip
    epsilon: float
    where: str

    def __call__(
        self, model: nn.Module, images: Tensor, labels: Tensor, targets: Tensor, generator: torch.Generator
    ) -> Perturbed:
        moved = images.clone()
        moved[:, :, : images.shape[2] // (2 if self.where == "top" else 1)] -= self.epsilon
        return Perturbed(confine(images, moved, self.epsilon), all_kept(images), same_steps(images, 1))


def test_an_attack_without_a_constructor_of_its_own_is_made_with_epsilon_and_its_options() -> None:
    images, labels, targets = inputs(2)
    assert Dimming(epsilon=0.2).where == "all"
    top = Dimming(epsilon=0.2, where="top")
    changed = top(small_net(), images, labels, targets, generator()).images != images
    assert changed[:, :, :4].any()
    assert not changed[:, :, 4:].any()
    with pytest.raises(ValueError, match="epsilon"):
        Dimming(epsilon=2.0)
    with pytest.raises(SpecError, match="top, all"):
        Dimming(epsilon=0.2, where="left")
    with pytest.raises(TypeError, match="wher"):
        Dimming(epsilon=0.2, wher="top")
