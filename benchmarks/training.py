"""Accuracy and images a second of the surrogate's training, beside the loop that most would write.

The plain loop: Adam at 1e-3, batches of 64, a shuffled TensorDataset in a DataLoader, the same network without our
recipe. Both see the same images in as many epochs; the accuracy is that on the test part. Ours takes one thread,
whatever --threads says, so that its numbers do not depend on them; the plain loop takes as many as it is given.
"""

from __future__ import annotations

import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.measuring import limit_threads, parser, report
from benchmarks.problem import Problem, problem
from core.protocol.streams import Streams
from core.surrogates.lenet5 import LeNet5
from core.surrogates.network import Network, build_network
from core.surrogates.training import accuracy, train
from core.tensors.pixels import to_torch


def main() -> None:
    """Measure and print a table."""
    options = parser("training", __doc__)
    options.add_argument("--epochs", type=int, default=4, help="the most epochs of either")
    options.add_argument("--seeds", type=int, default=2)
    chosen = options.parse_args()
    limit_threads(chosen.threads)
    given = problem(chosen.dataset, chosen.data_dir)
    rows = []
    for epochs in range(1, chosen.epochs + 1):
        for name, work in (("ours", _ours), ("plain loop", _plain)):
            found = [work(given, epochs, seed) for seed in range(chosen.seeds)]
            rows.append(
                {
                    "training": name,
                    "epochs": epochs,
                    "accuracy": f"{sum(right for right, _ in found) / len(found):.4f}",
                    "lowest": f"{min(right for right, _ in found):.4f}",
                    "images a second": sum(rate for _, rate in found) / len(found),
                }
            )
    report(
        f"{given.name}: LeNet-5, mean of {chosen.seeds} seeds", rows, threads=chosen.threads, path=chosen.json
    )


def _ours(given: Problem, epochs: int, seed: int) -> tuple[float, float]:
    """Accuracy on the test part, and images a second."""
    streams = Streams(seed, 0)
    start = time.perf_counter()
    model = train(
        LeNet5(),
        given.train_image,
        given.train_label,
        classes=given.pool.classes,
        epochs=epochs,
        weights=streams.torch("weights"),
        batches=streams.numpy("batches"),
    )
    seconds = time.perf_counter() - start
    return accuracy(model, given.test_image, given.test_label), epochs * len(given.train_label) / seconds


def _plain(given: Problem, epochs: int, seed: int) -> tuple[float, float]:
    model, seconds = plain_loop(given, epochs, seed)
    return accuracy(model, given.test_image, given.test_label), epochs * len(given.train_label) / seconds


def plain_loop(given: Problem, epochs: int, seed: int) -> tuple[Network, float]:
    """The trained network, and the seconds that its epochs took."""
    torch.manual_seed(seed)
    pixels = to_torch(given.train_image)
    mean, sd = pixels.mean(dim=(0, 2, 3)), pixels.std(dim=(0, 2, 3))
    weights = torch.Generator().manual_seed(seed)
    model = build_network(LeNet5(), given.pool.shape, given.pool.classes, mean=mean, sd=sd, generator=weights)
    loader = DataLoader(
        TensorDataset(pixels, torch.from_numpy(given.train_label)), batch_size=64, shuffle=True
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    start = time.perf_counter()
    for _ in range(epochs):
        for image, label in loader:
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(image), label).backward()
            optimiser.step()
    return model.eval(), time.perf_counter() - start


if __name__ == "__main__":
    main()
