"""One whole run on the processor and on another device: seconds of each stage, and how far apart the numbers are.

python -m benchmarks.device --device cuda [--attack fgsm]

The device computes twice: the two must agree to the last bit. Between processor and device the split, the
classifier and the noise are the same; the network's weights differ in their last bits, and with them what the
attack makes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping

import torch

from benchmarks.measuring import limit_threads, parser, report
from benchmarks.problem import problem
from core.data.images import ImageSet
from core.families.family import Resources
from core.protocol.run import compute_run
from core.records.metrics import RunMetrics
from core.records.types import plain
from core.spec.spec import Spec

MEASUREMENTS_OF_TIME = ("seconds", "search", "surrogate_reused", "environment")
"""What may differ between two computations of the same run."""
OF_THE_CLASSIFIER_ALONE = ("accuracy.test.", "accuracy.misclassified.", "accuracy.noise.", "crossfit.test.")


def main() -> None:
    """Measure, print a table, and exit with 1 where the device contradicts itself or the processor."""
    options = parser("device", __doc__)
    options.add_argument("--device", default="cuda", help="torch's name of it")
    options.add_argument("--attack", default="fgsm")
    options.add_argument("--only", action="store_true", help="leave the processor out")
    chosen = options.parse_args()
    limit_threads(chosen.threads)
    pool = problem(chosen.dataset, chosen.data_dir).pool
    spec = Spec(dataset=chosen.dataset, attack=chosen.attack, test_size=pool.test_size)
    names = [chosen.device, chosen.device] if chosen.only else [chosen.device, chosen.device, "cpu"]
    # What a device needs once a process is not part of a run.
    torch.zeros(1, device=chosen.device)
    runs, walls = [], []
    for device in names:
        start = time.perf_counter()
        runs.append(_run(spec, pool, device, chosen.threads))
        walls.append(time.perf_counter() - start)
    stages = list(dict.fromkeys(stage for metrics in runs for stage in metrics.seconds))
    rows: list[dict[str, object]] = [
        {"stage": stage, **{_column(names, n): metrics.seconds.get(stage) for n, metrics in enumerate(runs)}}
        for stage in stages
    ]
    rows.append({"stage": "whole run", **{_column(names, n): wall for n, wall in enumerate(walls)}})
    title = f"{pool.name}, {chosen.attack}: seconds of one run"
    if chosen.device.startswith("cuda"):
        title += f"; {torch.cuda.get_device_name(chosen.device)}"
    report(title, rows, threads=chosen.threads, path=chosen.json)
    again = _differences(runs[0], runs[1])
    print(f"{chosen.device} twice: {len(again)} numbers differ {sorted(again)[:5]}")
    wrong = bool(again)
    if not chosen.only:
        apart = _differences(runs[0], runs[2])
        print(f"{chosen.device} and cpu: {len(apart)} numbers differ; the largest differences of accuracies:")
        shown = sorted(
            (name for name in apart if name.startswith(("accuracy", "crossfit", "bias"))),
            key=apart.__getitem__,
        )
        for name in shown[-12:]:
            print(f"  {name}: {apart[name]:.4f}")
        unequal = [name for name in apart if name.startswith(OF_THE_CLASSIFIER_ALONE)]
        print(f"of the classifier alone: {len(unequal)} numbers differ {unequal[:5]}")
        wrong = wrong or bool(unequal)
    if wrong:
        sys.exit("numbers that should be equal are not")


def _run(spec: Spec, pool: ImageSet, device: str, threads: int) -> RunMetrics:
    return compute_run(spec, 0, pool, resources=Resources(device=device, threads=threads)).metrics


def _column(names: list[str], place: int) -> str:
    return f"{names[place]}, again" if names[place] in names[:place] else names[place]


def _differences(one: RunMetrics, other: RunMetrics) -> dict[str, float]:
    """Name of a number -> how far apart the two are, where they are not the same."""
    left, right = dict(_numbers(plain(one))), dict(_numbers(plain(other)))
    return {
        name: abs(left[name] - right[name]) if name in left and name in right else float("inf")
        for name in left.keys() | right.keys()
        if left.get(name) != right.get(name)
    }


def _numbers(value: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in it, with the path to it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not name and key in MEASUREMENTS_OF_TIME:
                continue
            yield from _numbers(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            yield from _numbers(inner, f"{name}.{place}")
    elif isinstance(value, (int, float)):
        yield name, float(value)


if __name__ == "__main__":
    main()
