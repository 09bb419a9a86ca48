"""A worker process as a coordinator has it: started, ready, and gone when its input ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.engine.local import PipedProcess
from core.engine.messages import Answer, Compute, Ready, parse_answer, to_line
from core.records.experiment import Experiment


@contextmanager
def ready_worker(experiment: Experiment, folder: Path, *options: str) -> Iterator[Callable[[int], Answer]]:
    """Within the block the worker lives; what it gives has a run computed and returns the worker's answer.

    folder: where data and cache may lie. options: further ones of `core.engine.worker`.
    """
    experiment.journal.mkdir()
    words = [str(experiment.folder), "--serve", "--journal", str(experiment.journal / "w.jsonl")]
    words += ["--data-dir", str(folder), "--cache-dir", str(folder / "cache")]
    worker = PipedProcess([sys.executable, "-m", "core.engine.worker", *words, *options])
    assert worker.stdin is not None
    stdin, answers = worker.stdin, worker.answers

    def compute(run: int) -> Answer:
        stdin.write(to_line(Compute(run=run)))
        stdin.flush()
        return parse_answer(answers.readline())

    with answers:
        assert isinstance(parse_answer(answers.readline()), Ready)
        yield compute
        # Not before the answer: a worker whose coordinator is gone leaves at once.
        stdin.close()
        worker.wait()
