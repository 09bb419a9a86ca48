"""Worker processes behind a launcher such as `srun` or `ssh`: their command, their answers, how they are ended.

A launcher passes standard input and output on, no other descriptor, and perhaps no environment; it or a shell on
the way may print anything. So each answer follows a random word (the mark), the command has only words that a shell
leaves as they are, and the variables that the worker needs stand in it.
"""

from __future__ import annotations

import os
import secrets
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, BinaryIO
from urllib.parse import quote

from core.engine.executor import Request
from core.engine.local import LocalProcesses, WorkerProcess, WorkerSilent
from core.engine.messages import ENCODED
from core.engine.signs_of_life import MARKED
from core.errors import AefitError
from core.places.launcher import parse_launcher

CHUNK = 2**16
"""Bytes that are read at a time."""
END_SECONDS = 5.0
"""How long a launcher may take to end by itself when its worker is gone."""
SILENT_SECONDS = 180.0
"""How long a worker that has given a sign of life may go without another one: `srun` waits for a dead step for
ever, SSH for a dead machine for hours."""
LOADING_SECONDS = 900.0
"""How long it may go without another sign after the first, which it gives before it loads torch: that is slow where
many load it at once from one file server."""
ASKED_SECONDS = 1.0
"""How long a launcher may take to end when it is asked to, before it is killed."""
PASSED_ON = ("PYTHONPATH",)
"""The environment variables that a worker elsewhere needs, to find our packages; all else are its options."""


class LaunchedProcess:
    """A worker process behind a launcher; see `core.engine.local.WorkerProcess`.

    prefix: the launcher's words. options: the worker's, without --marked. noise: takes lines that are no answers.
    Raises AefitError for a command that a shell on the way would change, OSError where it does not start.
    """

    def __init__(
        self,
        prefix: Sequence[str],
        options: Sequence[str],
        *,
        environment: Mapping[str, str] = os.environ,
        noise: IO[bytes] | None = None,
    ) -> None:
        mark = f"answer-{secrets.token_hex(16)}:"
        self._process = subprocess.Popen(
            [*prefix, *worker_command([*options, MARKED, mark, "--tied"], environment)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl+C in a terminal is the coordinator's to answer; and the launcher's helpers are ended with it.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self.stdin = self._process.stdin
        self.answers = MarkedLines(self._process.stdout, mark, noise or sys.stderr.buffer)

    def wait(self, timeout: float | None = None) -> int:
        """See `WorkerProcess.wait`."""
        return self._process.wait(timeout)

    def kill(self) -> None:
        """See `WorkerProcess.kill`. Asks the launcher to end first: one that is killed cannot tell the worker."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it is gone already
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(ASKED_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


class MarkedLines:
    """The rest of each line that has a mark; all else is copied to `noise`. A mark alone is a sign of life.

    The first marked line may take as long as it likes, the one after a first sign of life LOADING_SECONDS, each
    later one SILENT_SECONDS.
    """

    def __init__(self, source: IO[bytes], mark: str, noise: IO[bytes] | BinaryIO) -> None:
        self._source, self._mark, self._noise = source, mark.encode(), noise
        self._patience: float | None = None
        self._ready = select.poll()  # which, other than select, knows more than a thousand descriptors
        self._ready.register(source.fileno(), select.POLLIN)
        self._unread = b""

    def readline(self, limit: int) -> bytes:
        """What follows the mark in the next marked line, `limit` bytes at most; b"" at the end.

        It waits without limit for the first sign of life: the worker may wait in a queue. Raises WorkerSilent.
        """
        while line := self._line(limit + len(self._mark)):
            before, mark, marked = line.partition(self._mark)
            if before.strip():
                self._noise.write(before if before.endswith(b"\n") else before + b"\n")
                self._noise.flush()
            if mark:
                is_first_sign = self._patience is None and marked == b"\n"
                self._patience = LOADING_SECONDS if is_first_sign else SILENT_SECONDS
            if mark and marked != b"\n":
                return marked
        return b""

    def close(self) -> None:
        """Read nothing more."""
        self._source.close()

    def _line(self, limit: int) -> bytes:
        """The next line, or its first `limit` bytes; b"" at the end. Raises WorkerSilent."""
        while (end := self._unread.find(b"\n") + 1) == 0 and len(self._unread) < limit:
            if not self._ready.poll(None if self._patience is None else 1000 * self._patience):
                raise WorkerSilent(f"gave no sign of life for {self._patience:.0f} s")
            if not (read := os.read(self._source.fileno(), CHUNK)):
                end = len(self._unread)
                break
            self._unread += read
        end = min(end or limit, limit)
        line, self._unread = self._unread[:end], self._unread[end:]
        return line


def worker_command(options: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command of a worker, of words that a shell leaves as they are.

    environment: has the variables of PASSED_ON. Raises AefitError where a shell would change the path of Python or
    of our packages.
    """
    passed = passed_on(environment)
    command = [*(["env", *passed] if passed else []), sys.executable]
    for word in command:
        if shlex.quote(word) != word:
            raise AefitError(
                f"a launcher cannot pass {word!r} on: a shell on the way would change it",
                "install the program in a folder whose path has letters, digits and _ @ % + = : , . / - only",
            )
    return [*command, "-P", "-m", "core.engine.worker", ENCODED, *(quote(word) for word in options)]


def passed_on(environment: Mapping[str, str]) -> list[str]:
    """NAME=VALUE of each variable of PASSED_ON that is set, its paths absolute: a worker may start anywhere."""
    found = []
    for name in PASSED_ON:
        if paths := [os.path.abspath(path) for path in environment.get(name, "").split(os.pathsep) if path]:
            found.append(f"{name}={os.pathsep.join(paths)}")
    return found


def make_executor(request: Request) -> LocalProcesses:
    """Workers behind the launcher that a person wrote.

    Raises AefitError where their command would not pass through a shell.
    """
    launcher = parse_launcher(request.text)
    worker_command([], os.environ)  # whether it can be passed on is said before anything is started

    def start(worker: int) -> WorkerProcess:
        prefix = launcher.prefix(worker, python=sys.executable, folder=request.folder)
        options = [*request.options(request.folder), "--journal", str(request.journal(worker)), "--serve"]
        return LaunchedProcess(prefix, options)

    return LocalProcesses(request.jobs, start, end_seconds=END_SECONDS)
