"""A Dask cluster of plain processes: a scheduler that others find by its file, and workers that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.slurm import PATIENCE, free_ports


class DaskProcesses:
    """folder: where logs and the scheduler's file lie. workers: the processes of the Dask workers."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        (self._port,) = free_ports(1)
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start the scheduler, also one that was killed, at the same address."""
        self.file.unlink(missing_ok=True)
        self.scheduler = self._start(
            "scheduler", "--port", str(self._port), "--no-dashboard", "--scheduler-file", str(self.file),
            # How long a Dask worker may be silent, 5 minutes unless somebody says so.
            DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="30s",
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not self.file.exists():
            assert time.monotonic() < deadline, "the scheduler did not come up"
            time.sleep(0.05)

    def start_worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """One more Dask worker, of one thread."""
        self.workers.append(
            self._start(
                "worker", "--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory",
                str(self._folder), "--scheduler-file", str(self.file), **environment,
            )
        )  # fmt: skip
        return self.workers[-1]

    def end(self) -> None:
        """Kill all that is left."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, what: str, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{what}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", what, *words],
                env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip


@contextmanager
def dask_processes(folder: Path) -> Iterator[DaskProcesses]:
    """Within the block there is a scheduler. Skips the test where there is no Dask."""
    pytest.importorskip("distributed", reason="no Dask here: pip install 'aefit-tui[dask]'")
    cluster = DaskProcesses(folder)
    try:
        yield cluster
    finally:
        cluster.end()
