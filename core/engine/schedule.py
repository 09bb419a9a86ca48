"""Decides which task is next, and what follows when a worker is lost. Pure: it starts nothing and reads no file."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from core.engine.executor import Task

ATTEMPTS = 2
"""How often a task is begun when its workers keep dying: once, and one retry. Also how many workers in a row may
die before any is ready."""
ATTEMPTS_ELSEWHERE = 5
"""ATTEMPTS where workers are on other machines: these go away for reasons that have nothing to do with the run."""


@dataclass(frozen=True)
class Consequence:
    """What follows from the loss of a worker.

    retry: the task that it had begun, where that is begun once more. failed: the task that it had begun, where that
    was the last attempt. at_once: from now on so many tasks at a time, fewer than before; None: as many as before.
    hopeless: `attempts` workers in a row died before they were ready, while no other was.
    """

    retry: Task | None = None
    failed: Task | None = None
    at_once: int | None = None
    hopeless: bool = False


class Schedule:
    """Unfinished tasks: waiting here, submitted to an executor, or begun by a worker. attempts: see ATTEMPTS."""

    def __init__(self, tasks: Iterable[Task], attempts: int = ATTEMPTS) -> None:
        self.attempts = attempts
        self._waiting = deque(tasks)
        self._submitted: set[Task] = set()
        self._begun: set[Task] = set()
        self._attempts: Counter[Task] = Counter()
        self._ready: set[int] = set()
        self._limit: int | None = None
        self._lost_in_a_row = 0

    @property
    def waiting(self) -> tuple[Task, ...]:
        """The tasks that are not submitted, the next one first."""
        return tuple(self._waiting)

    @property
    def at_work(self) -> int:
        """How many tasks an executor has."""
        return len(self._submitted) + len(self._begun)

    @property
    def left(self) -> int:
        """How many tasks are not finished."""
        return len(self._waiting) + self.at_work

    @property
    def unfinished(self) -> bool:
        """Whether any task is left."""
        return self.left > 0

    def add(self, tasks: Iterable[Task]) -> None:
        """Further tasks, after those there are."""
        self._waiting.extend(tasks)

    def take(self, capacity: int) -> list[Task]:
        """The tasks to submit now to an executor that takes `capacity` of them at the same time."""
        at_once = capacity if self._limit is None else min(capacity, self._limit)
        room = max(0, at_once - self.at_work)
        taken = [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]
        self._submitted.update(taken)
        return taken

    def begin(self, task: Task) -> int:
        """Note that a worker begins a task; the number of this attempt, from 1."""
        self._submitted.discard(task)
        self._begun.add(task)
        self._attempts[task] += 1
        return self._attempts[task]

    def finish(self, task: Task) -> None:
        """A task has its result, or has failed for good."""
        self._submitted.discard(task)
        self._begun.discard(task)

    def worker_ready(self, worker: int) -> None:
        """A worker takes tasks."""
        self._ready.add(worker)
        self._lost_in_a_row = 0

    def worker_lost(self, worker: int, task: Task | None, *, ready: bool) -> Consequence:
        """A worker is gone. task: came back unfinished with it, None for none. ready: whether the worker was."""
        self._ready.discard(worker)
        at_once, hopeless = None, False
        if not ready and self._ready:
            # There is no room for so many (memory, most likely): those that work go on. What `take` was allowed
            # last says nothing of it: other experiments may have their turn just now.
            in_hand = self.at_work if self._limit is None else min(self.at_work, self._limit)
            at_once = self._limit = max(1, in_hand - 1)
        elif not ready:
            self._lost_in_a_row += 1
            hopeless = self._lost_in_a_row >= self.attempts
        retry, failed = self._take_back(task) if task is not None else (None, None)
        return Consequence(retry, failed, at_once, hopeless)

    def _take_back(self, task: Task) -> tuple[Task | None, Task | None]:
        """Put a task back at the front, or give it up: (the task if it had begun, None), or (None, the task)."""
        begun = task in self._begun
        self.finish(task)
        if begun and self._attempts[task] >= self.attempts:
            return None, task
        self._waiting.appendleft(task)
        return (task if begun else None), None
