"""The process that computes runs: loads the data once, then takes runs from its coordinator one by one.

Commands come as JSON lines on standard input, answers go as JSON lines to standard output; progress goes to
the worker's own journal. When the input ends (the coordinator stopped, or died) the process leaves at once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.metadata import version
from pathlib import Path

import torch

from core.data.images import ImageSet
from core.data.load import load
from core.errors import AefitError, SpecError
from core.files.atomic import sync_file
from core.files.cache import Cache
from core.protocol.run import compute_run
from core.protocol.stages import Observer
from core.records.arrays import write_arrays
from core.records.candidates import KeptCandidates
from core.records.experiment import Experiment
from core.records.experiment import load as load_experiment
from core.records.gallery import Gallery, galleries_of, write_galleries
from core.records.journal import JournalWriter
from core.records.results import publish
from core.spec.spec import Spec
from core.tensors.device import choose_device, processor_name

PROGRESS_SECONDS = 0.25
"""A stage reports its progress at most this often: a screen shows no more."""
PACKAGES = ("aefit-tui", "numpy", "scipy", "scikit-learn", "torch", "torchvision")


def main(arguments: list[str] | None = None) -> int:
    """Serve one coordinator until it closes our standard input."""
    parser = argparse.ArgumentParser(prog="python -m core.engine.worker", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--no-cache", action="store_true")
    options = parser.parse_args(arguments)

    answer = _answering()
    commands = _commands()
    experiment = load_experiment(options.folder)
    spec = experiment.spec
    torch.set_num_threads(spec.threads)
    journal = JournalWriter(options.journal)
    try:
        device = choose_device(spec.device)
        environment = describe_environment(device)
        journal.write("environment", **environment)
        pool = load(
            spec.dataset,
            data_dir=options.data_dir,
            cache_dir=options.cache_dir,
            test_size=spec.test_size,
            note=lambda text: journal.write("notice", text=text),
        )
        _check_neighbours(spec, pool)
    except AefitError as error:
        answer({"answer": "refused", "error": str(error), "hint": error.hint})
        return 2
    _report_dataset(journal, pool)
    cache = None if options.no_cache else Cache(options.cache_dir)
    answer({"answer": "ready", "data_sha256": pool.sha256})
    while True:
        run = commands.get()
        answer(_compute(experiment, run, pool, device, environment, journal, cache))


def describe_environment(device: str) -> dict[str, object]:
    """What a result is computed with now: `versions`, `device`, `threads` (those that torch takes), `cpu`."""
    versions: dict[str, str] = {"python": platform.python_version()}
    versions |= {package: version(package) for package in PACKAGES}
    return {
        "versions": versions,
        "device": device,
        "threads": torch.get_num_threads(),
        "cpu": processor_name(),
    }


def _compute(
    experiment: Experiment,
    run: int,
    pool: ImageSet,
    device: str,
    environment: dict[str, object],
    journal: JournalWriter,
    cache: Cache | None,
) -> dict[str, object]:
    """Compute and publish one run, unless its valid result is there; the answer for the coordinator."""
    try:
        if experiment.result(run, verify=True) is None:
            with _keeping(experiment, run, pool) as kept:
                result = compute_run(
                    experiment.spec, run, pool, device=device, observe=_sparingly(journal, run), cache=cache,
                    keep=kept,
                )  # fmt: skip
                metrics = {
                    "schema_version": 1,
                    **result.metrics,
                    "data_sha256": pool.sha256,
                    "environment": environment,
                }
                galleries = galleries_of(result.samples, pool, experiment.spec.levels)

                def write(path: Path) -> None:
                    write_arrays(path, result.arrays)
                    if kept is not None:
                        kept.finish(path.parent)

                publish(
                    experiment.run_folder(run),
                    metrics,
                    write,
                    lambda path: _write_if_possible(path, galleries, run, journal),
                )
    except OSError as error:
        return {
            "answer": "failed",
            "run": run,
            "error": f"its result cannot be written to {experiment.run_folder(run)}: {error.strerror or error}",
            "hint": f"free some space, or allow writing there, then: aefit-tui resume {experiment.id}",
        }
    except AefitError as error:
        return {"answer": "failed", "run": run, "error": str(error), "hint": error.hint}
    except Exception as error:  # noqa: BLE001  # whatever went wrong is this run's failure, told with its trace
        traceback.print_exc()
        text = f"{type(error).__name__}: {error}"
        return {"answer": "failed", "run": run, "error": text, "hint": f"the trace is in {experiment.log}"}
    return {"answer": "completed", "run": run}


def _keeping(
    experiment: Experiment, run: int, pool: ImageSet
) -> AbstractContextManager[KeptCandidates | None]:
    """Keeps the candidates of a run while the block lasts, if the experiment wants them."""
    if experiment.spec.keep != "candidates":
        return nullcontext()
    return KeptCandidates(experiment.run_folder(run), experiment.spec.levels, pool.shape)


def _write_if_possible(path: Path, galleries: Sequence[Gallery], run: int, journal: JournalWriter) -> None:
    """Write a run's gallery; where the disk has no room for it the run goes without, and that is said."""
    try:
        write_galleries(path, galleries)
        sync_file(path)  # some file servers tell only now that they are full
    except OSError as error:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            text = f"run {run + 1} has no gallery: it cannot be written: {error.strerror or error}"
            journal.write("notice", text=text)


def _sparingly(journal: JournalWriter, run: int) -> Observer:
    """An observer that journals a run's events, its progress at most every PROGRESS_SECONDS."""
    latest = 0.0

    def observe(kind: str, **fields: object) -> None:
        nonlocal latest
        now = time.monotonic()
        if kind == "progress" and fields["done"] != fields["total"] and now - latest < PROGRESS_SECONDS:
            return
        latest = now if kind == "progress" else 0.0
        # A disk that is full for a moment costs a line of the journal, not hours of computing.
        with suppress(OSError):
            journal.write(kind, run=run, **fields)

    return observe


def _check_neighbours(spec: Spec, pool: ImageSet) -> None:
    """Raises SpecError where the training part of a run has fewer than Z images."""
    training = len(pool.labels) - pool.test_size
    if spec.z > training:
        raise SpecError("z", spec.z, f"a run has only {training} training images to find neighbours among")


def _report_dataset(journal: JournalWriter, pool: ImageSet) -> None:
    journal.write(
        "dataset",
        name=pool.name,
        sha256=pool.sha256,
        images=len(pool.images),
        shape=list(pool.shape),
        classes=list(pool.class_names),
        test_size=pool.test_size,
        notices=list(pool.notices),
    )


def _answering() -> Callable[[dict[str, object]], None]:
    """A function that sends one answer; whatever a library prints goes to the log from now on."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def answer(message: dict[str, object]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    return answer


def _commands() -> queue.SimpleQueue[int]:
    """The runs that the coordinator asks for, as they come."""
    commands: queue.SimpleQueue[int] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            commands.put(int(json.loads(line)["run"]))
        # Nobody is left to answer to; the run at work is computed again by whoever resumes.
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    return commands


if __name__ == "__main__":
    sys.exit(main())
