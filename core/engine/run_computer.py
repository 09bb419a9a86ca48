"""Computes runs of one experiment in this process: reads the data once, then computes and publishes any run."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.data.images import ImageSet
from core.data.load import load
from core.engine.environment import describe_environment
from core.errors import AefitError
from core.families.family import Resources
from core.files.atomic import sync_file
from core.files.cache import Cache
from core.protocol.run import compute_run
from core.records.arrays import write_arrays
from core.records.candidates import CandidateFiles
from core.records.environment import Environment
from core.records.events import DatasetLoaded, EnvironmentReported, Event, Notice, Progress
from core.records.experiment import Experiment
from core.records.gallery import Gallery, galleries_of, write_galleries
from core.records.results import publish
from core.spec.spec import Spec
from core.tensors.device import choose_device

PROGRESS_SECONDS = 0.25
"""A stage reports its progress at most this often: a screen shows no more."""

Write = Callable[[Event], object]
"""Takes note of one event; must not raise."""


@dataclass(frozen=True)
class Failure:
    """Why a run could not be computed, and what to do about it."""

    error: str
    hint: str


@dataclass(frozen=True)
class RunComputer:
    """An experiment, its images (pool), and what its runs are computed with; `prepare` makes one.

    write: records an event. trace_place: where a person finds what was printed to standard error, such as "above".
    """

    experiment: Experiment
    pool: ImageSet
    environment: Environment
    resources: Resources
    write: Write
    trace_place: str

    def compute(self, run: int) -> Failure | None:
        """Compute and publish a run, unless it has a valid result; None on success."""
        try:
            if not self.experiment.stands(run):
                self._compute(run)
        except OSError as error:
            folder = self.experiment.run_folder(run)
            return Failure(
                f"its result cannot be written to {folder}: {error.strerror or error}",
                f"free some space, or allow writing there, then: aefit-tui resume {self.experiment.word}",
            )
        except AefitError as error:
            return Failure(str(error), error.hint)
        except Exception as error:  # noqa: BLE001  # whatever went wrong is this run's failure; its trace is printed
            traceback.print_exc()
            return Failure(f"{type(error).__name__}: {error}", f"the trace is {self.trace_place}")
        return None

    def _compute(self, run: int) -> None:
        spec, folder = self.experiment.spec, self.experiment.run_folder(run)
        with self._candidate_keeper(run) as keep:
            result = compute_run(
                spec, run, self.pool, resources=self.resources, observe=sparingly(self.write), keep=keep
            )
            galleries = galleries_of(result.samples, self.pool, spec.ladder, result.nearest)

            def write(path: Path) -> None:
                write_arrays(path, result.arrays, spec.ladder)
                if keep is not None:
                    keep.finish(path.parent)

            metrics = msgspec.structs.replace(
                result.complete(self.pool.sha256, self.environment), experiment=spec.digest
            )

            def put() -> None:
                publish(
                    folder,
                    metrics,
                    write,
                    lambda path: self._write_gallery(path, galleries, run),
                    stands=lambda: self.experiment.stands(run),
                    differs=lambda aside: self.write(set_aside(run, aside)),
                )

            try:
                put()
            except OSError as error:
                if keep is not None:  # what was written as it came cannot be written again
                    raise
                # One call to a file server that fails must not cost what took hours.
                text = f"run {run + 1}: its result is written once more: {error.strerror or error}"
                self.write(Notice(text=text))
                put()

    def _candidate_keeper(self, run: int) -> AbstractContextManager[CandidateFiles | None]:
        """A context that gives the writer of a run's candidates, None where the experiment does not keep them."""
        spec = self.experiment.spec
        if spec.keep != "candidates":
            return nullcontext()
        return CandidateFiles(self.experiment.run_folder(run), spec.ladder, self.pool.shape)

    def _write_gallery(self, path: Path, galleries: Sequence[Gallery], run: int) -> None:
        """Write a run's gallery; one that cannot be written is left out, with a notice: a gallery is no result."""
        try:
            write_galleries(path, galleries)
            sync_file(path)  # some file servers say only now that they are full
        except OSError as error:
            path.unlink(missing_ok=True)
            text = f"run {run + 1} has no gallery: it cannot be written: {error.strerror or error}"
            self.write(Notice(text=text))


def set_aside(run: int, aside: Path) -> Notice:
    """The notice that a second result of a run has other numbers than the first. aside: where the second is now."""
    text = (
        f"run {run + 1} was computed twice at the same time, by machines whose numbers differ: the first "
        f"result stands, the second is set aside as {aside.name}"
    )
    return Notice(text=text)


def prepare(
    experiment: Experiment,
    *,
    data_dir: Path,
    cache_dir: Path,
    cached: bool,
    threads: int,
    write: Write,
    trace_place: str,
) -> RunComputer:
    """Read the data of an experiment and check that its runs can be computed.

    data_dir, cache_dir: where data lie, and what can be made again; cached: whether surrogates and searches are
    taken from there and kept. threads: see `Resources`. trace_place: where to look for what standard error
    was told, such as "above". Raises AefitError.
    """
    spec = experiment.spec
    device = choose_device(spec.device)
    environment = describe_environment(device, spec.plugins)
    write(
        EnvironmentReported(
            versions=environment.versions,
            device=device,
            cpu=environment.cpu,
            threads=threads,
            plugins=environment.plugins,
        )
    )

    def note(text: str) -> None:
        write(Notice(text=text))

    pool = load(
        spec.dataset,
        data_dir=data_dir,
        cache_dir=cache_dir,
        test_size=spec.test_size,
        note=note,
    )
    _check_size(spec, pool)
    write(
        DatasetLoaded(
            name=pool.name,
            sha256=pool.sha256,
            images=len(pool.images),
            shape=pool.shape,
            classes=pool.class_names,
            test_size=pool.test_size,
            notices=pool.notices,
        )
    )
    resources = Resources(device=device, threads=threads, cache=Cache(cache_dir) if cached else None)
    return RunComputer(experiment, pool, environment, resources, write, trace_place)


def _check_size(spec: Spec, pool: ImageSet) -> None:
    """Raises SpecError where the training part of a run has too few images for the family."""
    spec.make_family().check_size(len(pool.labels) - pool.test_size)


def sparingly(write: Write, clock: Callable[[], float] = time.monotonic) -> Callable[[Event], None]:
    """A function that passes events on to `write`, Progress of one stage at most every PROGRESS_SECONDS.

    The last Progress of a stage (done == total) is always passed on. clock: seconds.
    """
    latest = 0.0

    def observe(event: Event) -> None:
        nonlocal latest
        if not isinstance(event, Progress):
            latest = 0.0
        elif event.done == event.total or clock() - latest >= PROGRESS_SECONDS:
            latest = clock()
        else:
            return
        write(event)

    return observe
