"""Starts coordinators and supervisors, which outlive the process that starts them, or end with it (tied)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ExperimentError, StudyError
from core.files.folders import open_to_append
from core.records.experiment import Experiment
from core.records.study import Study


@dataclass(frozen=True)
class How:
    """How experiments are computed: settings that change no number.

    jobs: runs at the same time; threads: of each. limit: processors that all experiments of the home may use
    together, None for jobs * threads. data_dir: where data lie. cache_dir: where what can be made again is kept.
    no_cache: train and search anew. now: wait for no other experiment. elsewhere: the options that have other
    machines compute, empty for this one.
    """

    jobs: int
    threads: int
    data_dir: Path
    cache_dir: Path
    limit: int | None = None
    no_cache: bool = False
    now: bool = False
    elsewhere: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """The options of a coordinator, or of a study's supervisor."""
        return [
            "--jobs", str(self.jobs), "--threads", str(self.threads),
            "--data-dir", str(self.data_dir), "--cache-dir", str(self.cache_dir),
            *(["--limit", str(self.limit)] if self.limit is not None else []),
            *(["--no-cache"] if self.no_cache else []),
            *(["--now"] if self.now else []),
            *self.elsewhere,
        ]  # fmt: skip


def start_coordinator(
    experiment: Experiment, how: How, *, tied: bool, since: float | None = None, study: str = ""
) -> subprocess.Popen[bytes]:
    """Start the process that computes an experiment's missing runs; what it prints goes to the experiment's log.

    It ends with one of `core.files.exit_status.ExitStatus`. tied: it stops when this process closes `stdin` of the
    result, or dies; else it goes on. since: its place in the queue, seconds since 1970, by default the present.
    study: the study that it is computed for, "" for none. Raises ExperimentError where the log cannot be written.
    """
    place = ["--since", repr(since)] if since is not None else []
    words = [str(experiment.folder), *how.words, *place, "--study", study]
    try:
        return _start("core.engine.coordinator", words, experiment.log, tied=tied)
    except OSError as error:
        raise ExperimentError(f"cannot write {experiment.log}: {error.strerror}") from error


def start_supervisor(study: Study, how: How, *, tied: bool) -> subprocess.Popen[bytes]:
    """Start the process that has a study's experiments computed; what it prints goes to the study's log.

    Exit statuses and tied: as for `start_coordinator`. Raises StudyError where the log cannot be written.
    """
    try:
        return _start("core.engine.supervisor", [str(study.folder), *how.words], study.log, tied=tied)
    except OSError as error:
        raise StudyError(f"cannot write {study.log}: {error.strerror}") from error


def _start(module: str, words: Sequence[str], log: Path, *, tied: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", module, *words, *(["--foreground"] if tied else [])]
    with os.fdopen(open_to_append(log), "ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
