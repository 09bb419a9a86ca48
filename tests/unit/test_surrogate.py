"""The surrogate: LeNet-5's layers against plain NumPy, its training's repeatability, its verdict on images."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score
from torch import nn

from core.declarations.setting import Setting, Whole
from core.errors import AefitError, SpecError
from core.files.cache import Cache
from core.surrogates.cached import train_or_load
from core.surrogates.lenet5 import LeNet5
from core.surrogates.network import Network, build_network
from core.surrogates.registry import SURROGATES
from core.surrogates.surrogate import Surrogate
from core.surrogates.training import Recipe, accuracy, logits, predict, train

SHAPES = [(28, 28, 1), (32, 32, 3)]


def lenet(shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10, seed: int = 0) -> Network:
    channels = shape[2]
    return build_network(
        LeNet5(),
        shape,
        classes,
        mean=torch.linspace(0.1, 0.4, channels),
        sd=torch.linspace(0.2, 0.3, channels),
        generator=torch.Generator().manual_seed(seed),
    )


def quadrants(
    n: int, shape: tuple[int, int, int] = (28, 28, 1)
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Dim noise with one bright quadrant, whose number is the label: four separable classes."""
    generator = np.random.default_rng(5)
    labels = np.arange(n, dtype=np.int64) % 4
    images = generator.integers(0, 60, (n, *shape), dtype=np.uint8)
    half = shape[0] // 2
    for image, label in zip(images, labels, strict=True):
        top, left = half * (label // 2), half * (label % 2)
        image[top : top + half, left : left + half] += 150
    return images, labels


def trained(
    n: int = 150,
    weights: int = 1,
    batches: int = 2,
    epochs: int = 1,
    shape: tuple[int, int, int] = (28, 28, 1),
    recipe: Recipe | None = None,
    surrogate: Surrogate | None = None,
) -> Network:
    images, labels = quadrants(n, shape)
    return train(
        surrogate or LeNet5(),
        images,
        labels,
        classes=4,
        epochs=epochs,
        weights=torch.Generator().manual_seed(weights),
        batches=np.random.default_rng(batches),
        recipe=recipe or Recipe(),
    )


def same(a: Network, b: Network) -> bool:
    return all(torch.equal(x, b.state_dict()[name]) for name, x in a.state_dict().items())


def convolve(
    x: NDArray[np.float64], weight: NDArray[np.float64], bias: NDArray[np.float64], padding: int
) -> NDArray[np.float64]:
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(1, 2))
    convolved: NDArray[np.float64] = np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None]
    return convolved


def pool(x: NDArray[np.float64]) -> NDArray[np.float64]:
    c, h, w = x.shape
    pooled: NDArray[np.float64] = x.reshape(c, h // 2, 2, w // 2, 2).max(axis=(2, 4))
    return pooled


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("classes", [2, 10])
def test_the_parameters_are_as_many_as_the_layers_of_lenet5_have(
    shape: tuple[int, int, int], classes: int
) -> None:
    expected = (
        (25 * shape[2] + 1) * 6 + (25 * 6 + 1) * 16 + (400 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * classes
    )
    assert sum(p.numel() for p in lenet(shape, classes).parameters()) == expected
    if classes == 10:
        assert expected == {1: 61_706, 3: 62_006}[shape[2]]


@pytest.mark.parametrize("shape", [(28, 28, 3), (32, 32, 1), (64, 64, 3)])
def test_a_shape_that_lenet5_is_not_defined_for_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="LeNet-5"):
        lenet(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_logits_are_those_of_a_float64_forward_pass_in_numpy(shape: tuple[int, int, int]) -> None:
    model = lenet(shape, classes=7)
    with torch.no_grad():  # biases begin at zero, which would hide a forgotten one
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.uniform_(-0.5, 0.5, generator=torch.Generator().manual_seed(9))
    images = np.random.default_rng(3).random((2, shape[2], *shape[:2]))
    parts = {name: value.double().numpy() for name, value in model.state_dict().items()}
    expected = []
    for x in images:
        x = (x - parts["mean"].reshape(-1, 1, 1)) / parts["sd"].reshape(-1, 1, 1)
        x = convolve(x, parts["layers.0.weight"], parts["layers.0.bias"], 2 if shape[0] == 28 else 0)
        x = pool(np.maximum(x, 0))
        x = convolve(x, parts["layers.3.weight"], parts["layers.3.bias"], 0)
        x = pool(np.maximum(x, 0)).ravel()
        for layer in ("layers.7", "layers.9"):
            x = np.maximum(parts[f"{layer}.weight"] @ x + parts[f"{layer}.bias"], 0)
        expected.append(parts["layers.11.weight"] @ x + parts["layers.11.bias"])
    with torch.no_grad():
        actual = model(torch.from_numpy(images).float()).numpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


def test_the_initial_weights_have_the_variance_of_he_initialisation() -> None:
    weight = dict(lenet(seed=4).named_parameters())["layers.7.weight"]
    assert weight.shape == (120, 400)
    # 48,000 draws: the relative standard error of the deviation is 0.3 %.
    assert weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.02)


def test_the_normalisation_is_that_of_the_training_images() -> None:
    images, _ = quadrants(150, (32, 32, 3))
    images[..., 2] //= 3
    model = train(
        LeNet5(),
        images,
        np.arange(150) % 4,
        classes=4,
        epochs=1,
        weights=torch.Generator().manual_seed(0),
        batches=np.random.default_rng(0),
    )
    scaled = images.astype(np.float64) / 255
    np.testing.assert_allclose(model.mean.ravel(), scaled.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(model.sd.ravel(), scaled.std(axis=(0, 1, 2)), rtol=1e-6)


def test_images_of_one_grey_level_do_not_divide_by_zero() -> None:
    model = train(
        LeNet5(),
        np.full((8, 28, 28, 1), 7, np.uint8),
        np.arange(8) % 2,
        classes=2,
        epochs=1,
        weights=torch.Generator().manual_seed(0),
        batches=np.random.default_rng(0),
    )
    assert all(p.isfinite().all() for p in model.parameters())


def test_the_same_streams_give_the_same_weights_to_the_last_bit() -> None:
    assert same(trained(epochs=2), trained(epochs=2))


def test_the_threads_of_the_caller_change_no_bit_of_the_weights_nor_of_the_logits() -> None:
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            model = trained(n=640)
            found.append((model, logits(model, quadrants(640)[0])))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for model, values in found[1:]:
        assert same(model, found[0][0])
        np.testing.assert_array_equal(values, found[0][1])


@pytest.mark.parametrize(("weights", "batches"), [(11, 2), (1, 12)])
def test_another_stream_gives_other_weights(weights: int, batches: int) -> None:
    assert not same(trained(weights=1, batches=2), trained(weights=weights, batches=batches))


def test_the_global_generators_are_left_alone() -> None:
    torch_before = torch.get_rng_state()
    with np.printoptions(threshold=10_000):
        numpy_before = repr(np.random.get_state(legacy=False))  # noqa: NPY002
        trained()
        numpy_after = repr(np.random.get_state(legacy=False))  # noqa: NPY002
    assert torch.equal(torch_before, torch.get_rng_state())
    assert numpy_before == numpy_after


def test_training_leaves_images_and_labels_as_they_were_and_takes_read_only_ones() -> None:
    images, labels = quadrants(100)
    copies = images.copy(), labels.copy()
    images.flags.writeable = labels.flags.writeable = False
    train(
        LeNet5(),
        images,
        labels,
        classes=4,
        epochs=1,
        weights=torch.Generator().manual_seed(0),
        batches=np.random.default_rng(0),
    )
    np.testing.assert_array_equal(images, copies[0])
    np.testing.assert_array_equal(labels, copies[1])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_separable_set_is_learnt_and_the_network_comes_back_frozen(shape: tuple[int, int, int]) -> None:
    model = trained(n=400, epochs=10, shape=shape)
    images, labels = quadrants(400, shape)
    assert accuracy(model, images, labels) == 1.0
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())


def test_predictions_logits_and_accuracy_agree_with_one_pass_and_scikit_learn() -> None:
    images = np.random.default_rng(6).integers(0, 256, (2_345, 28, 28, 1), dtype=np.uint8)
    labels = np.random.default_rng(7).integers(0, 10, 2_345)
    model = lenet().eval()
    with torch.no_grad():
        whole = model(torch.from_numpy(images.transpose(0, 3, 1, 2) / np.float32(255))).numpy()
    np.testing.assert_allclose(logits(model, images), whole, rtol=1e-4, atol=1e-4)
    predicted = predict(model, images)
    np.testing.assert_array_equal(predicted, logits(model, images).argmax(axis=1))
    assert len(np.unique(predicted)) > 1
    assert accuracy(model, images, labels) == accuracy_score(labels, predicted)


def test_the_rate_rises_to_its_peak_and_falls_to_zero_linearly() -> None:
    recipe = Recipe(peak_rate=0.4, warm_up=0.25)
    shares = [0.0, 0.125, 0.25, 0.625, 1.0]
    assert [recipe.learning_rate(share) for share in shares] == pytest.approx([0.0, 0.2, 0.4, 0.2, 0.0])


def test_progress_counts_every_image_once_an_epoch_and_losses_are_reported() -> None:
    images, labels = quadrants(150)
    seen: list[int] = []
    epochs: list[tuple[int, int, float]] = []
    train(
        LeNet5(),
        images,
        labels,
        classes=4,
        epochs=2,
        weights=torch.Generator().manual_seed(0),
        batches=np.random.default_rng(0),
        on_images=seen.append,
        on_epoch=lambda *report: epochs.append(report),
    )
    assert seen == [50, 100, 150, 200, 250, 300]
    assert [report[:2] for report in epochs] == [(1, 2), (2, 2)]
    assert 0 < epochs[1][2] < epochs[0][2]


def test_a_reported_loss_is_the_mean_cross_entropy() -> None:
    images, labels = quadrants(40)
    reported: list[float] = []
    # A rate of zero leaves the initial weights, so one pass by hand must give the same loss.
    model = train(
        LeNet5(),
        images,
        labels,
        classes=4,
        epochs=1,
        weights=torch.Generator().manual_seed(0),
        batches=np.random.default_rng(0),
        on_epoch=lambda epoch, epochs, loss: reported.append(loss),
        recipe=Recipe(peak_rate=0.0, batch_size=16),
    )
    values = logits(model, images).astype(np.float64)
    by_hand = np.log(np.exp(values).sum(axis=1)) - values[np.arange(40), labels]
    assert reported == pytest.approx([by_hand.mean()], rel=1e-5)


# After a single step only the weights show it: the loss was taken before.
@pytest.mark.parametrize(("n", "peak_rate"), [(16, 1e40), (400, 1e6)])
def test_training_that_diverges_is_an_error_with_a_way_out(n: int, peak_rate: float) -> None:
    with pytest.raises(AefitError, match="diverged") as caught:
        trained(n=n, recipe=Recipe(peak_rate=peak_rate))
    assert "--seed" in caught.value.hint


@pytest.mark.parametrize(
    ("images", "labels", "epochs", "message"),
    [
        (np.zeros((4, 28, 28, 1), np.float32), np.zeros(4, np.int64), 1, "uint8"),
        (np.zeros((4, 28, 28), np.uint8), np.zeros(4, np.int64), 1, "uint8"),
        (np.zeros((0, 28, 28, 1), np.uint8), np.zeros(0, np.int64), 1, "at least 1"),
        (np.zeros((4, 28, 28, 1), np.uint8), np.zeros(3, np.int64), 1, "for each image"),
        (np.zeros((4, 28, 28, 1), np.uint8), np.full(4, 3, np.int64), 1, "0 to 2"),
        (np.zeros((4, 28, 28, 1), np.uint8), np.full(4, -1, np.int64), 1, "0 to 2"),
        (np.zeros((4, 28, 28, 1), np.uint8), np.zeros(4, np.int64), 0, "epochs"),
    ],
)
def test_input_that_cannot_be_trained_on_is_refused(
    images: NDArray[np.uint8], labels: NDArray[np.int64], epochs: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        train(
            LeNet5(),
            images,
            labels,
            classes=3,
            epochs=epochs,
            weights=torch.Generator(),
            batches=np.random.default_rng(0),
        )


class Perceptron(Surrogate):
    """One hidden layer, normalised, with an option: an architecture beside ours."""

    title = "Perceptron"
    summary = "one hidden layer"
    options = (
        Setting(name="width", title="Width", metavar="N", kind=Whole(1, 100), default=8, help="hidden units"),
    )
    width: int

    def layers(self, shape: tuple[int, int, int], classes: int) -> Sequence[nn.Module]:
        return [
            nn.Flatten(),
            nn.Linear(shape[0] * shape[1] * shape[2], self.width),
            nn.BatchNorm1d(self.width),
            nn.ReLU(),
            nn.Linear(self.width, classes),
        ]


class Buffered(Surrogate):
    """A layer whose buffers nobody begins."""

    title = summary = "Buffered"

    def layers(self, shape: tuple[int, int, int], classes: int) -> Sequence[nn.Module]:
        layer = nn.Linear(shape[0] * shape[1] * shape[2], classes)
        layer.register_buffer("mask", torch.ones(3))
        return [nn.Flatten(), layer]


def test_the_registry_and_every_architecture_are_read_without_any_heavy_library() -> None:
    code = (
        "import sys\n"
        "from core.surrogates.registry import SURROGATES\n"
        "made = [SURROGATES[name]() for name in SURROGATES.own]\n"
        "shown = [(one.title, one.summary, one.options, one.identity) for one in made]\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules} & {'torch', 'numpy', 'scipy', 'sklearn'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert SURROGATES["lenet5"] is LeNet5


def test_an_option_of_an_architecture_is_checked_and_has_its_default() -> None:
    assert Perceptron().width == 8
    assert Perceptron(width=5).width == 5
    with pytest.raises(SpecError, match="width = 0 is not possible: expected a whole number from 1 to 100"):
        Perceptron(width=0)
    with pytest.raises(TypeError, match="depth"):
        Perceptron(depth=2)


def test_an_architecture_is_told_apart_by_its_class_and_its_options() -> None:
    assert LeNet5().identity == repr(LeNet5()) == "core.surrogates.lenet5.LeNet5()"
    assert Perceptron().identity == f"{__name__}.Perceptron(width=8)"
    assert Perceptron(width=5).identity != Perceptron().identity


def test_another_architecture_is_trained_from_the_streams_alone() -> None:
    model = trained(n=400, epochs=5, surrogate=Perceptron())
    assert same(model, trained(n=400, epochs=5, surrogate=Perceptron()))
    images, labels = quadrants(400)
    assert accuracy(model, images, labels) > 0.9


def test_normalising_layers_begin_with_a_scale_of_one_and_torchs_statistics() -> None:
    mean, sd = torch.tensor([0.5]), torch.tensor([0.25])
    network = build_network(
        Perceptron(), (28, 28, 1), 4, mean=mean, sd=sd, generator=torch.Generator().manual_seed(0)
    )
    state = network.state_dict()
    assert (state["layers.2.weight"] == 1).all()
    assert (state["layers.2.bias"] == 0).all()
    assert (state["layers.2.running_mean"] == 0).all()
    assert (state["layers.2.running_var"] == 1).all()
    assert state["layers.2.num_batches_tracked"] == 0


def test_a_layer_whose_buffers_would_hold_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="without buffers"):
        trained(surrogate=Buffered())


def cached(
    cache: Cache | None, surrogate: Surrogate | None = None, weights: int = 1
) -> tuple[Network, bool, list[int]]:
    images, labels = quadrants(150)
    seen: list[int] = []
    network, reused = train_or_load(
        cache,
        surrogate or LeNet5(),
        images,
        labels,
        classes=4,
        epochs=1,
        weights=torch.Generator().manual_seed(weights),
        batches=np.random.default_rng(2),
        device="cpu",
        on_images=seen.append,
        on_epoch=lambda epoch, epochs, loss: None,
    )
    return network, reused, seen


@pytest.mark.parametrize("surrogate", [LeNet5(), Perceptron()], ids=repr)
def test_a_cached_network_is_the_trained_one_to_the_last_bit(tmp_path: Path, surrogate: Surrogate) -> None:
    network, reused, _ = cached(Cache(tmp_path), surrogate)
    again, reused_again, seen = cached(Cache(tmp_path), surrogate)
    assert (reused, reused_again) == (False, True)
    assert same(network, again)
    assert same(network, cached(None, surrogate)[0])
    assert seen == [150]
    assert not again.training
    assert not any(p.requires_grad for p in again.parameters())


def test_a_cached_network_is_not_that_of_another_architecture_option_or_stream(tmp_path: Path) -> None:
    class Renamed(LeNet5):
        pass

    cache = Cache(tmp_path)
    cached(cache)
    for surrogate, weights in (
        (Perceptron(), 1),
        (Perceptron(width=5), 1),
        (Renamed(), 1),
        (LeNet5(), 9),
    ):
        assert not cached(cache, surrogate, weights)[1]
    assert cached(cache)[1]


@pytest.mark.parametrize("wrong", ["name", "shape", "dtype", "lacking"])
def test_an_entry_that_holds_no_such_network_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    network, _, _ = cached(Cache(tmp_path))
    whole = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    first, *_ = whole
    others = {name: array for name, array in whole.items() if name != first}
    forged = {
        "name": {"index": whole[first], **others},
        "shape": {first: whole[first][:0], **others},
        "dtype": {first: whole[first].astype(np.float64), **others},
        "lacking": others,
    }[wrong]
    monkeypatch.setattr(Cache, "get", lambda cache, kind, key: forged)
    again, reused, _ = cached(Cache(tmp_path))
    assert not reused
    assert same(network, again)


def test_a_cached_network_is_not_that_of_layers_since_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(Cache(tmp_path))
    whole = LeNet5.layers
    monkeypatch.setattr(
        LeNet5, "layers", lambda self, shape, classes: [*whole(self, shape, classes), nn.Identity()]
    )
    assert not cached(Cache(tmp_path))[1]


def test_a_cached_network_serves_callers_with_any_number_of_threads(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        cached(Cache(tmp_path))
        torch.set_num_threads(2)
        assert cached(Cache(tmp_path))[1]
    finally:
        torch.set_num_threads(before)
