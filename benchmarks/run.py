"""One whole run, beside the script that a researcher would write for it.

The script trains the same LeNet-5 by the plain loop, attacks with torchattacks, and asks scikit-learn's
KNeighborsClassifier(algorithm="kd_tree") for each K; and the same with one faiss search in place of the trees. Both
peers' attack and search are measured on a sample and scaled to all test images and candidates, which is said; the
training, and our run, are measured whole. Controls are off: the script has none.
"""

from __future__ import annotations

import time

import faiss
import msgspec
import numpy as np
import torch
import torchattacks
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.measuring import limit_threads, parser, report
from benchmarks.problem import EPSILON, Problem, problem, targets
from benchmarks.training import plain_loop
from core.families.family import Resources
from core.protocol.run import compute_run
from core.spec.spec import Spec
from core.tensors.pixels import from_torch

Z = 7
EPOCHS = 3
SAMPLED_SOURCES = 200
KD_TREE_QUERIES = 45
SEARCHES = ("classifier", "halves", "filter", "subsets")
"""The stages of a run in which our neighbours are found."""


def main() -> None:
    """Measure and print a table."""
    chosen = parser("run", __doc__).parse_args()
    limit_threads(chosen.threads)
    given = problem(chosen.dataset, chosen.data_dir)
    spec = Spec(dataset=chosen.dataset, epochs=EPOCHS, runs=1, controls=(), options={"z": Z})
    start = time.perf_counter()
    metrics = compute_run(spec, 0, given.pool, resources=Resources(threads=chosen.threads)).metrics
    whole = time.perf_counter() - start
    counts, ours = metrics.counts, metrics.seconds
    candidates, queries = counts.candidates, counts.candidates + counts.test

    model, training = plain_loop(given, EPOCHS, 0)
    images, attack = _attacked(given, model)
    tree = _kd_tree_for_each_k(given, images)
    flat = _faiss_once(given, images, chosen.threads)
    rows: list[dict[str, object]] = [
        {"": "ours", "train s": ours["surrogate"], "attack s": ours["attack"],
         "neighbours s": sum(ours[stage] for stage in SEARCHES), "whole s": whole, "times ours": 1.0},
        *(
            {"": name, "train s": training, "attack s": attack * candidates, "neighbours s": search * queries,
             "whole s": (peer := training + attack * candidates + search * queries), "times ours": peer / whole}
            for name, search in (("script, KD-tree for each K", tree), ("script, one faiss search", flat))
        ),
    ]  # fmt: skip
    title = (
        f"{given.name}: one run of FGSM, Z = {Z}, {EPOCHS} epochs, {candidates:,} candidates; the scripts' attack "
        f"and faiss scaled from {len(images):,} candidates, their KD-tree from {KD_TREE_QUERIES}"
    )
    report(
        title, rows, threads=chosen.threads, path=chosen.json, extra={"counts": msgspec.to_builtins(counts)}
    )


def _attacked(given: Problem, model: torch.nn.Module) -> tuple[np.ndarray, float]:
    """A sample of candidates by torchattacks, (n, d), and its seconds a candidate."""
    wanted = targets(given, SAMPLED_SOURCES)
    attack = torchattacks.FGSM(model, eps=EPSILON)
    attack.set_mode_targeted_by_label(quiet=True)
    start = time.perf_counter()
    made = [
        attack(image, target)
        for image, target in zip(wanted.image.split(512), wanted.target.split(512), strict=True)
    ]
    seconds = time.perf_counter() - start
    images = from_torch(torch.cat(made))
    return images.reshape(len(images), -1), seconds / len(images)


def _kd_tree_for_each_k(given: Problem, images: np.ndarray) -> float:
    """Seconds a query of one classifier for each K, its fit left out."""
    seconds = 0.0
    for k in range(Z, 0, -2):
        classifier = KNeighborsClassifier(n_neighbors=k, algorithm="kd_tree", n_jobs=-1)
        classifier.fit(given.flat() / 255, given.train_label)
        start = time.perf_counter()
        classifier.predict(images[:KD_TREE_QUERIES])
        seconds += time.perf_counter() - start
    return seconds / KD_TREE_QUERIES


def _faiss_once(given: Problem, images: np.ndarray, threads: int) -> float:
    """Seconds a query of one search for all K."""
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(images.shape[1])
    index.add(given.flat().astype(np.float32) / np.float32(255))
    start = time.perf_counter()
    index.search(images, Z)
    return (time.perf_counter() - start) / len(images)


if __name__ == "__main__":
    main()
