"""The work of a Dask task: starts a worker process of ours for one run, and returns what became of it.

Dask workers import this module and call it. A process, unlike a Dask task, can be killed and gives its memory back;
it ends by itself when the Dask worker dies, since its standard input ends then.
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
"""The sessions for which this Dask worker starts no more processes."""
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

    again: none was started, since Dask had begun this task before.
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
    """Have a worker process compute a run; what became of it.

    session: the coordinator's, for `end_session`. worker: the number that the coordinator gave it. options: of
    `core.engine.worker`. journal: the path of its journal, which exists if Dask has begun this task before.
    announce: called when the process is started, and once more when it has read the data.
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
    """Kill all processes of a session on this Dask worker, and start no more for it; how many there were."""
    with _GUARD:
        _ENDED.add(session)
        found = list(_AT_WORK.get(session, ()))
    for process in found:
        process.kill()
    return len(found)


def _converse(process: PipedProcess, run: int, host: str, tell_ready: Callable[[], object]) -> Outcome:
    """Ask a process for a run; its answer, or how it ended. tell_ready: called when it has read the data."""
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
    """The next answer of a process; None once it has closed its answers. Raises RecordError."""
    line = process.answers.readline(LONGEST_LINE)
    return parse_answer(line) if line else None


def _environment() -> dict[str, str]:
    """Our environment variables, with the folder of our packages first in PYTHONPATH."""
    ours = str(Path(core.__file__).parents[1])
    paths = [ours, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
