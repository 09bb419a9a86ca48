"""What a Dask worker does for us: it starts a worker process of ours for one run, and says what became of it.

This is called by name on the Dask workers. The process can be killed where a Dask task could not, takes its memory
with it, and ends by itself when the Dask worker dies, since its standard input ends then.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import core
from core.engine.local import PipedProcess, how_it_ended, send
from core.engine.messages import LONGEST_LINE, Answer, Compute, Ready, parse_answer
from core.errors import RecordError

_AT_WORK: dict[str, set[PipedProcess]] = {}
"""The processes that this Dask worker supervises, by the session of the coordinator that they are for."""
_ENDED: set[str] = set()
"""The sessions of which nothing more is begun here."""
_GUARD = threading.Lock()


class Begun(NamedTuple):
    """A worker process has been started. worker: the number that the coordinator gave it.

    ready: whether it has read the data by now.
    """

    worker: int
    host: str
    pid: int
    ready: bool = False


class Outcome(NamedTuple):
    """What became of a worker process: its last answer, or None and how it ended; pid is 0 where none was started.

    again: nothing was begun, since this very task was before, and Dask begins it again.
    """

    host: str
    pid: int
    answer: Answer | None
    ending: str
    again: bool = False


def supervise(
    session: str,
    worker: int,
    run: int,
    options: Sequence[str],
    journal: str,
    announce: Callable[[Begun], object],
) -> Outcome:
    """Have a process compute a run; what became of it.

    session: the coordinator's, by which `end_session` ends the process. options: of `core.engine.worker`; journal:
    its journal, which is there if Dask has begun this task before. announce: is told when the process is there, and
    when that has read the data.
    """
    host = socket.gethostname()
    if Path(journal).exists():
        return Outcome(host, 0, None, "", again=True)
    command = [sys.executable, "-P", "-m", "core.engine.worker", *options, "--journal", journal]
    with _GUARD:
        if session in _ENDED:
            return Outcome(host, 0, None, "was stopped before it began")
        process = PipedProcess([*command, "--serve", "--tied"], _environment())
        _AT_WORK.setdefault(session, set()).add(process)
    try:
        begun = Begun(worker, host, process.pid)
        announce(begun)
        return _converse(process, run, host, lambda: announce(begun._replace(ready=True)))
    finally:
        with _GUARD:
            _AT_WORK[session].discard(process)
        process.kill()
        process.wait()
        process.answers.close()


def end_session(session: str) -> int:
    """Kill all processes of a session on this Dask worker, and begin no more; how many there were."""
    with _GUARD:
        _ENDED.add(session)
        found = list(_AT_WORK.get(session, ()))
    for process in found:
        process.kill()
    return len(found)


def _converse(process: PipedProcess, run: int, host: str, tell_ready: Callable[[], object]) -> Outcome:
    """Ask a process for a run and hear its answer, or how it ended."""
    try:
        answer = _hear(process)
        if isinstance(answer, Ready):
            tell_ready()
            answer = _hear(process) if send(process, Compute(run=run)) else None
    except RecordError as error:
        return Outcome(host, process.pid, None, f"said what it should not: {error}")
    if answer is None:
        return Outcome(host, process.pid, None, how_it_ended(process.wait()))
    return Outcome(host, process.pid, answer, "")


def _hear(process: PipedProcess) -> Answer | None:
    """The next answer; None where there is none any more. Raises RecordError."""
    line = process.answers.readline(LONGEST_LINE)
    return parse_answer(line) if line else None


def _environment() -> dict[str, str]:
    """Our variables, with the folder of our packages first on the way to find them."""
    ours = str(Path(core.__file__).parents[1])
    paths = [ours, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
