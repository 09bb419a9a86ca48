"""A worker process as a coordinator has it: started, ready, and gone when its input ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.records.experiment import Experiment


@contextmanager
def ready_worker(experiment: Experiment, folder: Path) -> Iterator[Callable[[int], object]]:
    """Within the block the worker lives; what it gives has a run computed and tells the worker's answer.

    folder: where data and cache may lie.
    """
    experiment.journal.mkdir()
    words = [str(experiment.folder), "--journal", str(experiment.journal / "w.jsonl")]
    words += ["--data-dir", str(folder), "--cache-dir", str(folder / "cache")]
    with subprocess.Popen(
        [sys.executable, "-m", "core.engine.worker", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        stdin, stdout = worker.stdin, worker.stdout

        def compute(run: int) -> object:
            stdin.write(json.dumps({"run": run}) + "\n")
            stdin.flush()
            return json.loads(stdout.readline())

        assert json.loads(stdout.readline())["answer"] == "ready"
        yield compute
        # Not before the answer: a worker whose coordinator is gone leaves at once.
        stdin.close()
