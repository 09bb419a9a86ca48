"""Runs computed on a Dask cluster: each Dask task supervises one worker process of ours.

Dask decides where a run is computed, and notices when a machine is gone. Whether a run is done the files say, not
Dask. A future is released as soon as it is over: else Dask would compute its task again when the machine that holds
its value is gone. A task that Dask begins a second time (its first Dask worker died, or is silent) starts no
process: it is reported as lost, which is journaled, and submitted anew.
"""

from __future__ import annotations

import queue
import secrets
import sys
import threading
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from core.engine.dask_cluster import check_installed, connect
from core.engine.executor import (
    Assigned,
    Done,
    Executor,
    Failed,
    Lost,
    Refused,
    Report,
    Request,
    Task,
    WorkerStarted,
)
from core.engine.messages import Completed, Refusal, RunFailure
from core.engine.postponed import Postponed
from core.engine.refusing import Refusing
from core.engine.supervised import Begun, Outcome, end_session, supervise
from core.errors import AefitError
from core.places.dask import parse_cluster

LEAVE_SECONDS = 10.0
"""How long each step of stopping may take; worker processes that it does not reach leave when the lock is free."""
OUTCOME_SECONDS = 30.0
"""How long the outcome of a task that is over may take to arrive."""


class Future(Protocol):
    """As much of a `distributed.Future` as is used here."""

    @property
    def status(self) -> str: ...  # noqa: D102

    def result(self, timeout: float | None = None) -> Any: ...  # noqa: D102

    def exception(self, timeout: float | None = None) -> BaseException | None: ...  # noqa: D102

    def add_done_callback(self, callback: Callable[[Any], object]) -> None: ...  # noqa: D102

    def release(self) -> None: ...  # noqa: D102


class Client(Protocol):
    """As much of a `distributed.Client` as is used here."""

    @property
    def status(self) -> str: ...  # noqa: D102

    def submit(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any: ...  # noqa: D102

    def subscribe_topic(self, topic: str, handler: Callable[[Any], object]) -> None: ...  # noqa: D102

    def run(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any: ...  # noqa: D102

    def cancel(self, futures: Any) -> Any: ...  # noqa: D102


@dataclass
class _Sent:
    """A task that Dask has. worker: the number of its worker process. begun: whether that was started."""

    worker: int
    task: Task
    future: Future
    begun: bool = False


@dataclass(frozen=True)
class _Over:
    """A future is over. outcome: what `supervise` returned, or None, and then reason says why there is none.

    counts: of one without an outcome, whether it counts as an attempt at the task: it may have been begun.
    """

    worker: int
    outcome: Outcome | None
    reason: str = ""
    counts: bool = False


class DaskTasks:
    """An executor: at most `jobs` Dask tasks at the same time, each with a worker process of its own.

    session: names this coordinator among all that use the cluster. options: the command-line options of the worker
    process for a task. journal: worker's number -> the path of its journal. close: gives client and cluster back.
    """

    def __init__(
        self,
        client: Client,
        jobs: int,
        *,
        session: str,
        options: Callable[[Task], Sequence[str]],
        journal: Callable[[int], Path],
        close: Callable[[], object],
    ) -> None:
        self._client = client
        self._jobs = jobs
        self._session = session
        self._options = options
        self._journal = journal
        self._close = close
        self._waiting: deque[Task] = deque()
        self._sent: dict[int, _Sent] = {}
        self._numbers = 0
        self._reports: deque[Report] = deque()
        self._inbox: queue.SimpleQueue[Begun | _Over] = queue.SimpleQueue()
        self._ever_ready = False
        """Whether any worker process was ever ready: then a later refusal concerns that machine, not all."""
        self._refused = False
        self._stopped = False
        client.subscribe_topic(session, lambda event: self._inbox.put(Begun(*event[1])))

    @property
    def capacity(self) -> int:
        """See `Executor.capacity`."""
        return self._jobs

    def submit(self, task: Task) -> None:
        """See `Executor.submit`."""
        self._waiting.append(task)

    def next_report(self, timeout: float) -> Report | None:
        """See `Executor.next_report`."""
        self._send()
        if not self._reports:
            try:
                said = self._inbox.get(timeout=timeout) if timeout else self._inbox.get_nowait()
            except queue.Empty:
                return None
            if isinstance(said, Begun):
                self._begin(said)
            else:
                self._end(said)
        return self._reports.popleft() if self._reports else None

    def stop(self) -> None:
        """See `Executor.stop`. Processes that cannot be reached within LEAVE_SECONDS end by themselves."""
        if self._stopped:
            return
        self._stopped = True
        futures = [sent.future for sent in self._sent.values()]
        self._sent.clear()
        self._waiting.clear()
        self._reports.clear()
        if futures and self._client.status == "running":
            _within(LEAVE_SECONDS, partial(self._client.run, end_session, self._session, on_error="ignore"))
            _within(LEAVE_SECONDS, partial(self._client.cancel, futures))
        _within(LEAVE_SECONDS, self._close)

    def _send(self) -> None:
        """Give Dask the waiting tasks while its scheduler is connected; report Refused once it is gone for good."""
        if self._client.status in ("closing", "closed"):
            if not self._refused:
                self._refused = True
                hint = "start the cluster again, then type the same command"
                self._reports.append(Refused("the scheduler of the Dask cluster is gone", hint))
            return
        while self._waiting and self._client.status == "running":
            task = self._waiting.popleft()
            self._numbers += 1
            number = self._numbers
            future = self._client.submit(
                supervise_and_tell,
                self._session, number, task.run, list(self._options(task)), str(self._journal(number)),
                # Each is a task of its own, the first ones first, and only this decides whether it is tried again.
                key=f"aefit-{self._session}-{number}", pure=False, retries=0, priority=-number,
            )  # fmt: skip
            self._sent[number] = _Sent(number, task, future)
            future.add_done_callback(partial(self._note, number))

    def _note(self, number: int, future: Future) -> None:
        """Called in a thread of Dask's when a future is over, also because the connection is."""
        self._inbox.put(_over(number, future))

    def _begin(self, begun: Begun) -> None:
        self._ever_ready = self._ever_ready or begun.ready
        sent = self._sent.get(begun.worker)
        if sent is not None and not sent.begun:
            sent.begun = True
            self._reports += [WorkerStarted(begun.worker, begun.pid), Assigned(sent.task, begun.worker)]

    def _end(self, over: _Over) -> None:
        sent = self._sent.pop(over.worker, None)
        if sent is None:
            return
        sent.future.release()  # else Dask computes it again when the machine that holds it is gone
        task, outcome = sent.task, over.outcome
        if not sent.begun and (over.counts or (outcome is not None and outcome.answer is not None)):
            # The message that it had begun came too late, or was lost with the Dask worker.
            self._reports += [
                WorkerStarted(sent.worker, outcome.pid if outcome else 0),
                Assigned(task, sent.worker),
            ]
        if outcome is None:
            self._lose(sent, over.reason)
            return
        # The message that it was ready may have been lost.
        self._ever_ready = self._ever_ready or isinstance(outcome.answer, Completed | RunFailure)
        match outcome.answer:
            case Completed():
                self._reports.append(Done(task))
            case RunFailure(error=error, hint=hint):
                self._reports.append(Failed(task, error, hint))
            case Refusal(error=error, hint=hint) if self._ever_ready:
                self._lose(sent, f"refused on {outcome.host} ({error})", hint)
            case Refusal(error=error, hint=hint):
                self._reports.append(Refused(f"on {outcome.host}: {error}", hint))
            case _ if outcome.again:
                self._lose(sent, "is gone with its Dask worker")
            case _:
                self._lose(sent, f"{outcome.ending} on {outcome.host}")

    def _lose(self, sent: _Sent, reason: str, hint: str = "") -> None:
        self._reports.append(Lost(sent.worker, sent.task, reason, ready=True, hint=hint))


def supervise_and_tell(session: str, worker: int, run: int, options: Sequence[str], journal: str) -> Outcome:
    """Called on a Dask worker: `supervise`, announcing to the coordinator by Dask events of topic `session`."""
    from distributed import get_worker  # noqa: PLC0415  # only where there is Dask

    def announce(begun: Begun) -> None:
        get_worker().log_event(session, tuple(begun))

    return supervise(session, worker, run, options, journal, announce)


def _over(number: int, future: Future) -> _Over:
    """What became of a future. Called in a thread of Dask's, for fetching the outcome may take a while."""
    try:
        if future.status == "finished":
            return _Over(number, future.result(timeout=OUTCOME_SECONDS))
        if future.status == "error":
            reason = f"was given up by Dask ({_named(future.exception(OUTCOME_SECONDS))})"
            return _Over(number, None, reason, counts=True)
    except (Exception, CancelledError) as error:  # noqa: BLE001  # whatever Dask says, the files decide
        return _Over(number, None, f"cannot be asked what became of it ({_named(error)})", counts=True)
    return _Over(number, None, "is out of sight: the connection to the Dask scheduler is lost")


def _named(error: BaseException | None) -> str:
    return type(error).__name__ + (f": {error}" if str(error) else "")


def _within(seconds: float, work: Callable[[], object]) -> None:
    """Call `work` in a thread and wait for it at most so long: it may ask a machine that no longer answers."""

    def attempt() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # the end of a cluster that is half gone
            sys.stderr.write(f"while the Dask cluster was left: {_named(error)}\n")

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)


def make_executor(request: Request) -> Postponed:
    """Tasks on the cluster that a person named, connected to or started when the experiment's turn has come.

    Raises AefitError where a package that this cluster needs is not installed.
    """
    cluster = parse_cluster(request.text)
    check_installed(cluster)  # what can be said before is not said hours later

    def make() -> Executor:
        try:
            connection = connect(cluster, jobs=request.jobs, threads=request.threads)
        except AefitError as error:
            return Refusing(error)
        return DaskTasks(
            connection.client,
            request.jobs,
            session=f"{request.folder.name}-{secrets.token_hex(8)}",
            options=lambda task: request.options(task.folder),
            journal=request.journal,
            close=connection.close,
        )

    return Postponed(request.jobs, make)
