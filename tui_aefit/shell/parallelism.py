"""How many processors an experiment takes by default: runs at the same time, and threads of each."""

from __future__ import annotations

import os

from core.spec.call import CALL, MOST_THREADS


def threads_of(value: object, runs: int) -> int:
    """Compute threads of each of `runs` runs; value: as set, None for `default_threads`. Raises SpecError."""
    if value is None:
        return default_threads(runs)
    return _whole("threads", value)


def jobs_of(value: object, threads: int, runs: int) -> int:
    """Runs computed at the same time, at most `runs`. value: as set, None for processors / threads.

    threads: of a run. Raises SpecError.
    """
    wanted = max(1, processors() // threads) if value is None else _whole("jobs", value)
    return min(wanted, runs)


def limit_of(value: object, threads: int) -> int:
    """Processors that all experiments of a home may use together, as one sees it that has so many jobs and threads.

    value: its jobs; None asks for what suits the machine: all there are, however few of them its own runs need.
    Raises SpecError.
    """
    return max(processors(), threads) if value is None else _whole("jobs", value) * threads


def _whole(name: str, value: object) -> int:
    checked = CALL[name].check(value)
    assert isinstance(checked, int)
    return checked


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_threads(runs: int) -> int:
    """Threads of a run by default: processors / runs, 1 to MOST_THREADS.

    For small networks many runs of one thread beat one of many.
    """
    return max(1, min(MOST_THREADS, processors() // max(1, runs)))
