"""How the time of a run grows: with candidates, training images, dimensions, and runs at the same time.

The search is measured on sources under sign noise, nine draws each, so that no surrogate is needed: images are
brought to other sizes by averaging. Runs at the same time are measured with the real command, on mnist-5k.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measuring import in_turns, limit_threads, median, parser, report
from benchmarks.problem import EPSILON, Problem, problem
from core.neighbours.classifier import NEARBY
from core.neighbours.pruned import PrunedSearch

Z = 7
DRAWS = 9
SOURCES = 200
SIDES = (8, 16, 24, 32)
RUNS = 4


def main() -> None:
    """Measure and print a table."""
    chosen = parser("scaling", __doc__).parse_args()
    limit_threads(chosen.threads)
    given = problem(chosen.dataset, chosen.data_dir)
    rows: list[dict[str, object]] = []
    flat = given.flat()
    for sources in (SOURCES // 4, SOURCES // 2, SOURCES, 2 * SOURCES):
        rows.append(_row("candidates", DRAWS * sources, *_search(flat, _test(given, sources), chosen)))
    for images in (len(flat) // 8, len(flat) // 4, len(flat) // 2, len(flat)):
        rows.append(_row("training images", images, *_search(flat[:images], _test(given, SOURCES), chosen)))
    for side in SIDES:
        small = _resized(given.train_image, side)
        sources_of = _resized(given.test_image[:SOURCES], side)
        rows.append(_row("pixels", small.shape[1], *_search(small, sources_of, chosen)))
    for jobs in sorted({1, 2, os.cpu_count() or 1}):
        seconds = _command(jobs)
        rows.append({"what": "runs at a time", "amount": jobs, f"seconds of {RUNS} runs": seconds})
    report(
        f"{given.name}: the pruned search, Z = {Z}; then {RUNS} runs on mnist-5k",
        rows,
        threads=chosen.threads,
        path=chosen.json,
    )


def _row(what: str, amount: int, queries: int, seconds: float, measured: float) -> dict[str, object]:
    return {
        "what": what,
        "amount": amount,
        "ms a query": 1000 * seconds / queries,
        "distances a query": measured,
    }


def _test(given: Problem, count: int) -> NDArray[np.uint8]:
    return given.test_image[:count].reshape(count, -1)


def _search(
    training: NDArray[np.uint8], sources: NDArray[np.uint8], options: argparse.Namespace
) -> tuple[int, float, float]:
    """Queries, the median seconds for all of them and their sources, and the distances measured for each."""
    search = PrunedSearch(training, threads=options.threads)
    signs = np.random.default_rng(0).choice(
        np.array([-1, 1], dtype=np.float32), (DRAWS * len(sources), training.shape[1])
    )
    clean = sources.astype(np.float32).repeat(DRAWS, axis=0) / np.float32(255)
    queries = np.clip(clean + np.float32(EPSILON) * signs, 0, 1).astype(np.float32)
    measured = []

    def work() -> None:
        near = search.search(sources, Z + NEARBY).index.repeat(DRAWS, axis=0)
        measured.append(search.search(queries, Z, near).report.measured / len(queries))

    seconds = in_turns([work], options.rounds)[0]
    return len(queries), median(seconds), measured[-1]


def _resized(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(n, side * side * C) images of another size."""
    if images.shape[1] == side:
        return images.reshape(len(images), -1)
    shape = images.shape[1:] if images.shape[3] == 3 else images.shape[1:3]
    small = [np.asarray(Image.fromarray(image.reshape(shape)).resize((side, side), Image.Resampling.BOX))
             for image in images]  # fmt: skip
    return np.stack(small).reshape(len(images), -1)


def _command(jobs: int) -> float:
    """Seconds of the real command, each run with one thread."""
    with tempfile.TemporaryDirectory() as home:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "tui_aefit.shell.cli", "--batch", "--runs", str(RUNS), "--home", home, "--quiet",
             "--jobs", str(jobs), "--threads", "1", "--no-cache"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
