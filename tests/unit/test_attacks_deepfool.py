"""DeepFool against closed forms on linear models, a float64 walk of its own, and foolbox."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.attacks.attack import Perturbed
from core.attacks.deepfool import TINY, DeepFool, UntargetedDeepFool

Array = NDArray[np.float64]


class LinearModel(nn.Module):
    """f(x) = weights @ flatten(x) + biases, in float64, counting the rows it was asked for in each call."""

    def __init__(self, weights: Array, biases: Array) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights))
        self.biases = nn.Parameter(torch.tensor(biases))
        self.rows: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.rows.append(len(images))
        return images.flatten(1) @ self.weights.T + self.biases


def attack(
    model: nn.Module, points: Array, targets: list[int], *, targeted: bool = True, **options: object
) -> Perturbed:
    """Run on the rows of `points`, each taken as an image of one line."""
    images = torch.tensor(points).reshape(len(points), 1, 1, -1)
    classes = torch.tensor(targets)
    kind = DeepFool if targeted else UntargetedDeepFool
    deepfool = kind(**{"epsilon": 1.0, **options})  # type: ignore[arg-type]
    return deepfool(model, images, torch.zeros_like(classes), classes, torch.Generator())


def rows_of(result: Perturbed) -> Array:
    return result.images.flatten(1).numpy()


def walk(weights: Array, biases: Array, point: Array, target: int, norm: str) -> tuple[Array, list[int]]:
    """The protocol's targeted walk on a linear model, one point, float64: its end and the winners on the way."""
    x = point.copy()
    winners: list[int] = []
    while (current := int(np.argmax(weights @ x + biases))) != target and len(winners) < 50:
        winners.append(current)
        w = weights[target] - weights[current]
        gap = abs(w @ x + biases[target] - biases[current]) + TINY
        x = x + 1.02 * (gap / (w @ w) * w if norm == "l2" else gap / np.abs(w).sum() * np.sign(w))
    return x, winners


@pytest.mark.parametrize("targeted", [True, False])
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_two_classes_end_just_across_the_closed_form_boundary(norm: str, targeted: bool) -> None:
    draw = np.random.default_rng(1)
    weights, biases = draw.normal(size=(2, 6)), np.zeros(2)
    points = draw.uniform(0.45, 0.55, size=(30, 6))
    biases[0] = (points @ (weights[1] - weights[0])).mean()  # the boundary passes through the cloud
    model = LinearModel(weights, biases)
    logits = points @ weights.T + biases
    w, gap = weights[1] - weights[0], np.abs(logits[:, 0] - logits[:, 1])
    targets = logits.argmin(1)

    result = attack(model, points, targets.tolist(), norm=norm, targeted=targeted)

    change = rows_of(result) - points
    length = np.linalg.norm(change, axis=1) if norm == "l2" else np.abs(change).max(1)
    dual = np.linalg.norm(w) if norm == "l2" else np.abs(w).sum()
    np.testing.assert_allclose(length, 1.02 * (gap + TINY) / dual, rtol=1e-9)
    direction = w / np.linalg.norm(w) if norm == "l2" else np.sign(w)
    np.testing.assert_allclose(change / length[:, None], np.where(targets == 1, 1, -1)[:, None] * direction)
    assert ((rows_of(result) @ weights.T + biases).argmax(1) == targets).all()
    assert (result.steps == 1).all()
    assert result.kept.all()


# At (0.5, 0.5) class 0 wins; one step toward class 1 makes class 2 the winner.
THIRD_WEIGHTS = np.array([[0.0, 0.0], [4.0, 0.0], [8.0, -10.0]])
THIRD_BIASES = np.array([0.0, -2.4, 0.6])


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_a_third_class_that_wins_on_the_way_becomes_the_one_to_beat(norm: str) -> None:
    point = np.array([0.5, 0.5])
    end, winners = walk(THIRD_WEIGHTS, THIRD_BIASES, point, 1, norm)
    assert winners[:2] == [0, 2]
    result = attack(LinearModel(THIRD_WEIGHTS, THIRD_BIASES), point[None], [1], norm=norm)
    np.testing.assert_allclose(rows_of(result)[0], end, rtol=0, atol=1e-9)
    assert result.steps.tolist() == [len(winners)]
    assert np.argmax(THIRD_WEIGHTS @ rows_of(result)[0] + THIRD_BIASES) == 1


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_many_classes_follow_the_float64_walk(norm: str) -> None:
    draw = np.random.default_rng(2)
    weights, biases = draw.normal(size=(5, 8)), draw.normal(size=5) / 10
    points = draw.uniform(0.4, 0.6, size=(40, 8))
    targets = draw.integers(0, 5, size=40).tolist()
    walks = [walk(weights, biases, point, t, norm) for point, t in zip(points, targets, strict=True)]
    ends = np.clip([end for end, _ in walks], np.clip(points - 0.4, 0, 1), np.clip(points + 0.4, 0, 1))
    assert max(len(winners) for _, winners in walks) > 1
    result = attack(LinearModel(weights, biases), points, targets, norm=norm, epsilon=0.4)
    np.testing.assert_allclose(rows_of(result), ends, rtol=0, atol=1e-9)
    assert result.steps.tolist() == [len(winners) for _, winners in walks]


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_untargeted_goes_to_the_nearest_of_the_closed_form_boundaries(norm: str) -> None:
    draw = np.random.default_rng(3)
    weights, biases = draw.normal(size=(4, 6)), draw.normal(size=4) / 10
    points = draw.uniform(0.4, 0.6, size=(40, 6))
    logits = points @ weights.T + biases
    own = logits.argmax(1)
    gaps = logits[np.arange(40), own][:, None] - logits
    duals = np.linalg.norm(weights[None] - weights[own][:, None], ord=2 if norm == "l2" else 1, axis=2)
    duals[np.arange(40), own] = np.nan
    nearest = np.nanmin((gaps + TINY) / duals, axis=1)
    result = attack(LinearModel(weights, biases), points, [0] * 40, norm=norm, targeted=False)
    change = rows_of(result) - points
    length = np.linalg.norm(change, axis=1) if norm == "l2" else np.abs(change).max(1)
    inside = (result.images.flatten(1).numpy() > 0).all(1) & (result.images.flatten(1).numpy() < 1).all(1)
    assert inside.sum() > 30
    np.testing.assert_allclose(length[inside], 1.02 * nearest[inside], rtol=1e-9)
    assert (result.steps == 1).all()


def test_clip_project_and_reject_read_the_bound_as_documented() -> None:
    # The first point's boundary is at 0.06 * 1.02, the second's beyond epsilon: f_1 - f_0 = 3 x_0 + 4 x_1 - 3.5.
    weights, biases = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([0.0, -3.5])
    points = np.array([[0.44, 0.455], [0.3, 0.3]])
    free = np.array([walk(weights, biases, point, 1, "l2")[0] for point in points])
    assert (np.abs(free - points).max(1) > 0.1).tolist() == [False, True]
    clip, project, reject = (
        attack(LinearModel(weights, biases), points, [1, 1], bound=bound, epsilon=0.1)
        for bound in ("clip", "project", "reject")
    )
    near = free[0]
    np.testing.assert_allclose(rows_of(clip), [near, np.clip(free[1], 0.2, 0.4)], atol=1e-9)
    np.testing.assert_allclose(rows_of(project), [near, [0.4, 0.4]], atol=1e-9)  # stopped at the corner
    np.testing.assert_allclose(rows_of(reject), [near, points[1]], atol=1e-9)
    assert clip.kept.tolist() == project.kept.tolist() == [True, True]
    assert reject.kept.tolist() == [True, False]
    assert clip.steps.tolist() == reject.steps.tolist() == [1, 1]
    assert project.steps.tolist() == [1, 50]


def test_projecting_finds_the_way_that_clipping_at_the_end_misses() -> None:
    # f_1 - f_0 = 2 x_0 + x_1 + x_2 - 2.35 lacks 0.35, and epsilon allows 0.4. The free step leaves the ball
    # along x_0; the projected walk makes it up along the other two pixels.
    weights, biases = np.array([[0.0] * 3, [2.0, 1.0, 1.0]]), np.array([0.0, -2.35])
    points = np.full((1, 3), 0.5)
    won = {
        bound: bool(
            np.argmax(
                weights
                @ rows_of(attack(LinearModel(weights, biases), points, [1], bound=bound, epsilon=0.1))[0]
                + biases
            )
        )
        for bound in ("clip", "project")
    }
    assert won == {"clip": False, "project": True}


@pytest.mark.parametrize("targeted", [True, False])
def test_an_image_without_gradient_is_left_alone(targeted: bool) -> None:
    flat = LinearModel(np.zeros((3, 4)), np.array([1.0, 0.0, 0.0]))
    points = np.full((2, 4), 0.5)
    result = attack(flat, points, [1, 2], targeted=targeted)
    np.testing.assert_array_equal(rows_of(result), points)
    assert result.steps.tolist() == [0, 0]


def test_an_image_already_in_the_target_class_is_left_alone() -> None:
    model = LinearModel(np.eye(3), np.zeros(3))
    points = np.array([[0.2, 0.7, 0.3]])
    result = attack(model, points, [1])
    np.testing.assert_array_equal(rows_of(result), points)
    assert result.steps.tolist() == [0]


def test_the_walk_ends_after_max_steps() -> None:
    weights, biases = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0.0, -9.0])  # out of reach of [0, 1]
    model = LinearModel(weights, biases)
    result = attack(model, np.full((1, 2), 0.5), [1], bound="project", max_steps=7)
    assert result.steps.tolist() == [7]
    assert model.rows == [1] * 7


@pytest.mark.parametrize("batch_size", [4, 100])
def test_only_images_on_their_way_are_in_the_batch_and_waiting_ones_take_the_free_places(
    batch_size: int,
) -> None:
    draw = np.random.default_rng(2)
    model = LinearModel(draw.normal(size=(5, 8)), draw.normal(size=5) / 10)
    points = draw.uniform(0.4, 0.6, size=(40, 8))
    targets = draw.integers(0, 5, size=40).tolist()
    result = attack(model, points, targets, batch_size=batch_size)
    assert len(set(result.steps.tolist())) > 2
    assert result.steps.max() < 50
    # Each image is seen once a step and once more when it has arrived, and never again.
    assert sum(model.rows) == int((result.steps + 1).sum())
    assert max(model.rows) <= batch_size
    if batch_size == 100:
        assert model.rows == [int((result.steps >= i).sum()) for i in range(len(model.rows))]
    else:  # full until the last ones leave
        drained = next(i for i, rows in enumerate(model.rows) if rows < batch_size)
        assert sum(model.rows[drained:]) <= batch_size * int(result.steps.max() + 1)
        assert model.rows[:drained] == [batch_size] * drained
        assert drained > 10


@pytest.mark.parametrize(("norm", "name"), [("l2", "L2DeepFoolAttack"), ("linf", "LinfDeepFoolAttack")])
def test_untargeted_perturbations_are_as_long_as_those_of_foolbox(norm: str, name: str) -> None:
    """Within 1.02e-4 a step plus 0.5 % of the length.

    Foolbox adds its 1e-4 to the distance, the protocol to the logits. Foolbox also clips to [0, 1] within the
    walk; the images keep to the middle of the range, so that nothing is clipped.
    """
    foolbox = pytest.importorskip("foolbox")
    source = torch.Generator().manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(54, 16),
        nn.ReLU(),
        nn.Linear(16, 5),
    ).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=source) / 2)
        images = torch.rand(100, 1, 8, 8, generator=source) * 0.5 + 0.25
        net[-1].bias -= net(images).mean(0)  # so that every class wins somewhere
        labels = net(images).argmax(1)
    assert len(labels.unique()) > 1
    peer = getattr(foolbox.attacks, name)(overshoot=0.02, loss="logits", candidates=None)
    theirs = peer.run(
        foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu"),
        images,
        foolbox.criteria.Misclassification(labels),
    )
    ours = UntargetedDeepFool(epsilon=1.0, norm=norm)(net, images, labels, labels, torch.Generator())
    order = 2 if norm == "l2" else torch.inf
    sizes = [(x - images).flatten(1).norm(p=order, dim=1) for x in (ours.images, theirs)]
    assert sizes[1].min() > 0
    excess = (sizes[0] - sizes[1]).abs() - 1.02e-4 * ours.steps
    assert (excess <= 0.005 * sizes[1]).all()
    assert ours.steps.max() > 1
    assert (net(ours.images).argmax(1) != labels).all()
