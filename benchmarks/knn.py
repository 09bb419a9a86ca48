"""How long the exact neighbour searches take, beside faiss, scikit-learn and torch, and whether they are exact.

Queries are FGSM candidates, as in a run; the time of ours includes the search of their sources, whose neighbours
it begins from. Every method gets the same training images, the same queries and the same number of threads; the
KD-trees answer fewer queries, because each takes them tens of milliseconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from benchmarks.measuring import in_turns, limit_threads, median, parser, report
from benchmarks.problem import fgsm_candidates, problem
from core.neighbours.classifier import NEARBY
from core.neighbours.registry import build_search
from core.tensors.batches import batches

KD_TREE_QUERIES = 45

Search = Callable[[NDArray[np.float32]], NDArray[np.int64]]
"""(n, d) float32 queries in [0, 1] -> (n, z) indices of the nearest training images."""


@dataclass(frozen=True)
class Method:
    """One way to search; those of `ours` must be exact, `share` of the queries are given to it."""

    name: str
    build: Callable[[], Search]
    few: bool = False
    ours: bool = False


def main() -> None:
    """Measure, print a table, and exit with 1 where one of our searches gave a wrong neighbour."""
    options = parser("knn", __doc__)
    options.add_argument(
        "--sources", type=int, default=400, help="each has a candidate for every other class"
    )
    options.add_argument("--verify", type=int, default=2000, help="queries compared with float64 brute force")
    options.add_argument("--neighbours", type=int, default=7, help="a run asks for 7, or 28 with its halves")
    options.add_argument("--without-kd-tree", action="store_true")
    chosen = options.parse_args()
    limit_threads(chosen.threads)
    z = chosen.neighbours
    given = problem(chosen.dataset, chosen.data_dir)
    training = given.flat()
    queries = fgsm_candidates(given, given.surrogate(), chosen.sources)
    each = given.pool.classes - 1
    sources = given.test_image[: chosen.sources].reshape(chosen.sources, -1)
    methods = [
        Method("ours: pruned", lambda: _pruned(training, z, sources, each, chosen.threads), ours=True),
        Method(
            "ours: pruned, without sources", lambda: _ours("pruned", training, z, chosen.threads), ours=True
        ),
        Method("ours: blocked", lambda: _ours("blocked", training, z, chosen.threads), ours=True),
        Method("faiss: IndexFlatL2", lambda: _faiss(training, z, chosen.threads)),
        Method("scikit-learn: brute", lambda: _scikit_learn("brute", training, z, chosen.threads)),
        Method("torch: product and topk", lambda: _torch(training, z)),
    ]
    if not chosen.without_kd_tree:
        methods.append(
            Method(
                "scikit-learn: kd_tree",
                lambda: _scikit_learn("kd_tree", training, z, chosen.threads),
                few=True,
            )
        )
    searches, build_seconds = [], []
    for method in methods:
        start = time.perf_counter()
        searches.append(method.build())
        build_seconds.append(time.perf_counter() - start)
    counts = [min(KD_TREE_QUERIES, len(queries)) if method.few else len(queries) for method in methods]
    verified = np.linspace(0, len(queries) - 1, min(chosen.verify, len(queries))).astype(int)
    truth = _brute_force_distances(queries[verified], training, z)
    agreement = []
    for method, search in zip(methods, searches, strict=True):
        places = verified[verified < KD_TREE_QUERIES] if method.few else verified
        found = search(queries[: KD_TREE_QUERIES if method.few else len(queries)])[places]
        agreement.append(_share_right(found, queries[places], training, truth[: len(places)]))
    works = [
        lambda search=search, count=count: search(queries[:count])
        for search, count in zip(searches, counts, strict=True)
    ]
    seconds = in_turns(works, chosen.rounds)
    milliseconds = [1000 * median(times) / count for times, count in zip(seconds, counts, strict=True)]
    rows = [
        {
            "method": method.name,
            "queries": count,
            "build s": build,
            "ms a query": each_ms,
            "times ours": each_ms / milliseconds[0],
            "exact": right,
        }
        for method, count, build, each_ms, right in zip(
            methods, counts, build_seconds, milliseconds, agreement, strict=True
        )
    ]
    title = (
        f"{given.name}: {len(training):,} training images of {training.shape[1]} pixels, Z = {z}, FGSM candidates; "
        f"exact: the share of {len(verified):,} queries with the distances of float64 brute force"
    )
    report(title, rows, threads=chosen.threads, path=chosen.json)
    if any(method.ours and right < 1 for method, right in zip(methods, agreement, strict=True)):
        sys.exit("one of our searches disagrees with float64 brute force")


def _pruned(
    training: NDArray[np.uint8], z: int, sources: NDArray[np.uint8], each: int, threads: int
) -> Search:
    search = build_search("pruned", training, threads=threads)

    def found(queries: NDArray[np.float32]) -> NDArray[np.int64]:
        near = search.search(sources[: -(-len(queries) // each)], z + NEARBY).index
        return search.search(queries, z, near.repeat(each, axis=0)[: len(queries)]).index

    return found


def _ours(name: str, training: NDArray[np.uint8], z: int, threads: int) -> Search:
    search = build_search(name, training, threads=threads)
    return lambda queries: search.search(queries, z).index


def _faiss(training: NDArray[np.uint8], z: int, threads: int) -> Search:
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(training.shape[1])
    index.add(training.astype(np.float32))

    def found(queries: NDArray[np.float32]) -> NDArray[np.int64]:
        nearest: NDArray[np.int64] = index.search(queries * np.float32(255), z)[1]
        return nearest

    return found


def _scikit_learn(algorithm: str, training: NDArray[np.uint8], z: int, threads: int) -> Search:
    # In grey levels, as ours: brute force in float32 is scikit-learn's fastest, the tree makes float64 of it.
    index = NearestNeighbors(n_neighbors=z, algorithm=algorithm, n_jobs=threads)
    index.fit(training.astype(np.float32))

    def found(queries: NDArray[np.float32]) -> NDArray[np.int64]:
        with threadpool_limits(threads, user_api="blas"):  # its own way to use them
            nearest: NDArray[np.int64] = index.kneighbors(queries * np.float32(255), return_distance=False)
        return nearest

    return found


def _torch(training: NDArray[np.uint8], z: int) -> Search:
    table = torch.from_numpy(training).float()
    norms = table.square().sum(dim=1)

    def found(queries: NDArray[np.float32]) -> NDArray[np.int64]:
        grey = torch.from_numpy(queries * np.float32(255))
        blocks = [
            (norms - 2 * grey[part] @ table.T).topk(z, largest=False)[1] for part in batches(len(grey), 256)
        ]
        nearest: NDArray[np.int64] = torch.cat(blocks).numpy()
        return nearest

    return found


def _brute_force_distances(
    queries: NDArray[np.float32], training: NDArray[np.uint8], z: int
) -> NDArray[np.float64]:
    """(n, z) the smallest squared distances, ascending, every one from a float64 product."""
    grey = (queries * np.float32(255)).astype(np.float64)
    smallest = np.full((len(queries), z), np.inf)
    for block in batches(len(training), 4096):
        images = training[block].astype(np.float64)
        distances = (grey**2).sum(axis=1)[:, None] + (images**2).sum(axis=1) - 2 * grey @ images.T
        smallest = np.sort(np.concatenate([smallest, distances], axis=1), axis=1)[:, :z]
    return smallest


def _share_right(
    found: NDArray[np.int64],
    queries: NDArray[np.float32],
    training: NDArray[np.uint8],
    truth: NDArray[np.float64],
) -> float:
    """The share of queries whose neighbours, measured in float64, are as near as those of brute force."""
    grey = (queries * np.float32(255)).astype(np.float64)
    own = np.stack(
        [np.square(training[row] - query).sum(axis=1) for row, query in zip(found, grey, strict=True)]
    )
    return float(np.isclose(own, truth, rtol=1e-9, atol=1e-3).all(axis=1).mean())


if __name__ == "__main__":
    main()
