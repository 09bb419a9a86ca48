"""How long the exact neighbour searches take, beside scikit-learn's, and whether they agree with brute force.

python -m benchmarks.knn [--data-dir DIR] [--queries 500] [--json FILE]

Searches MNIST if DIR holds it, else the packaged mnist-5k. Every method gets the same training images and the
same number of threads; the KD-trees answer fewer queries, because each takes them tens of milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from core.data.catalogue import availability
from core.data.load import load
from core.data.split import stratified_split
from core.neighbours.registry import build_search

EPSILON = np.float32(0.1)
Z = 7
KD_TREE_QUERIES = 50
VERIFIED_QUERIES = 20

Search = Callable[[NDArray[np.float32]], NDArray[np.int64]]
"""(n, d) float32 queries in [0, 1] -> (n, Z) indices of the nearest training images."""


@dataclass(frozen=True)
class Method:
    """One way to search; `ours` must be exact, `queries` is how many it is timed on."""

    name: str
    build: Callable[[], Search]
    queries: int
    ours: bool


@dataclass(frozen=True)
class Measurement:
    """What was measured of a method; `agreement` is the share of verified queries answered exactly."""

    method: str
    queries: int
    build_seconds: float
    milliseconds_a_query: float
    agreement: float


def main() -> None:
    """Measure, print a table, and exit with 1 where one of our searches gave a wrong neighbour."""
    options = _options()
    torch.set_num_threads(options.threads)
    dataset, training, queries = _problem(options.data_dir, options.queries)
    methods = _methods(training, len(queries), options.threads)
    with threadpool_limits(options.threads):
        measurements = _measure(methods, training, queries, options.rounds)
    print(
        f"{dataset}: {len(training):,} training images of {training.shape[1]} pixels, Z = {Z}, "
        f"sign noise of {EPSILON:g}, threads: {options.threads}, median of {options.rounds} rounds, "
        f"agreement with float64 brute force on {min(VERIFIED_QUERIES, len(queries))} queries"
    )
    _print_table(measurements)
    if options.json is not None:
        heading = {"dataset": dataset, "training": training.shape, "z": Z, "threads": options.threads}
        rows = [asdict(measurement) for measurement in measurements]
        options.json.write_text(json.dumps(heading | {"methods": rows}, indent=2) + "\n", encoding="utf-8")
    if any(m.ours and found.agreement < 1 for m, found in zip(methods, measurements, strict=True)):
        sys.exit("one of our searches disagrees with float64 brute force")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.knn")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="where torchvision's MNIST lies")
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements here too")
    return parser.parse_args()


def _problem(data_dir: Path, wanted: int) -> tuple[str, NDArray[np.uint8], NDArray[np.float32]]:
    """The set's name, (N, d) uint8 training images, (n, d) float32 held-out images under sign noise."""
    name = "mnist" if availability("mnist", data_dir).ready else "mnist-5k"
    pool = load(name, data_dir=data_dir, cache_dir=data_dir / "cache", note=lambda _: None)
    generator = np.random.default_rng(0)
    split = stratified_split(pool.labels, pool.test_size, generator)
    images = pool.images.reshape(len(pool.images), -1)
    clean = images[split.test_index[:wanted]].astype(np.float32) / np.float32(255)
    noise = EPSILON * generator.choice(np.array([-1, 1], dtype=np.float32), size=clean.shape)
    return name, images[split.train_index], np.clip(clean + noise, 0, 1)


def _methods(training: NDArray[np.uint8], queries: int, threads: int) -> list[Method]:
    few = min(queries, KD_TREE_QUERIES)
    return [
        Method("ours: blocked", lambda: _ours("blocked", training), queries, True),
        Method("scikit-learn: brute", lambda: _scikit_learn("brute", training, threads), queries, False),
        Method("ours: kd-tree", lambda: _ours("kd-tree", training), few, True),
        Method("scikit-learn: kd_tree", lambda: _scikit_learn("kd_tree", training, threads), few, False),
    ]


def _ours(name: str, training: NDArray[np.uint8]) -> Search:
    search = build_search(name, training)
    return lambda queries: search.search(queries, Z).index


def _scikit_learn(algorithm: str, training: NDArray[np.uint8], threads: int) -> Search:
    # In grey levels, as ours: brute force in float32 is scikit-learn's fastest, the tree makes float64 of it.
    index = NearestNeighbors(n_neighbors=Z, algorithm=algorithm, n_jobs=threads)
    index.fit(training.astype(np.float32))

    def search(queries: NDArray[np.float32]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = index.kneighbors(queries * np.float32(255), return_distance=False)
        return found

    return search


def _measure(
    methods: list[Method], training: NDArray[np.uint8], queries: NDArray[np.float32], rounds: int
) -> list[Measurement]:
    """One measurement a method. In a round the methods take turns, so that a busy moment hits them alike."""
    searches, build_seconds = [], []
    for method in methods:
        start = time.perf_counter()
        searches.append(method.build())
        build_seconds.append(time.perf_counter() - start)
    verified = queries[:VERIFIED_QUERIES]
    truth = np.stack([_brute_force(query, training) for query in verified])
    # The first answers serve as the warm-up too.
    agreement = [float((search(verified) == truth).all(axis=1).mean()) for search in searches]
    milliseconds: list[list[float]] = [[] for _ in methods]
    for _ in range(rounds):
        for method, search, times in zip(methods, searches, milliseconds, strict=True):
            start = time.perf_counter()
            search(queries[: method.queries])
            times.append(1000 * (time.perf_counter() - start) / method.queries)
    return [
        Measurement(method.name, method.queries, build, statistics.median(times), right)
        for method, build, times, right in zip(methods, build_seconds, milliseconds, agreement, strict=True)
    ]


def _brute_force(query: NDArray[np.float32], training: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The Z nearest by definition: every difference in float64, ordered by distance, then index."""
    grey = (query * np.float32(255)).astype(np.float64)
    distances = ((training - grey) ** 2).sum(axis=1)
    return np.argsort(distances, kind="stable")[:Z]


def _print_table(measurements: list[Measurement]) -> None:
    fastest = min(measurement.milliseconds_a_query for measurement in measurements)
    print(f"{'method':<22} {'queries':>7} {'build s':>8} {'ms/query':>9} {'ratio':>7} {'agreement':>9}")
    for found in measurements:
        ratio = found.milliseconds_a_query / fastest
        print(
            f"{found.method:<22} {found.queries:>7} {found.build_seconds:>8.2f} "
            f"{found.milliseconds_a_query:>9.3f} {ratio:>7.1f} {found.agreement:>9.0%}"
        )


if __name__ == "__main__":
    main()
