"""Workers behind a launcher that does what ssh does: no environment, another folder, a shell, a talkative login."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.files.exit_status import ExitStatus
from core.records.events import EpochFinished, RunFailed, WorkerStarted
from core.records.journal import read_all
from tests.end_to_end.conftest import BATCH, Shell, alive, kill_hard, numbers, wait_for, wait_for_event
from tests.fakes.terminal import PATIENCE

SSH = """#!{python}
import os, subprocess, sys, threading
host, *words = sys.argv[1:]
print(f"Welcome to {{host}}\\nLast login: today", end="", flush=True)
# What a test holds workers with comes from here, and which GPUs are seen: another device has other numbers.
passed = ("PATH", "TEST_HOLD_FILE", "CUDA_VISIBLE_DEVICES")
kept = {{name: os.environ[name] for name in passed if name in os.environ}}
remote = subprocess.Popen(
    ["sh", "-c", "exec " + " ".join(words)], cwd="/", env=kept, stdin=subprocess.PIPE, stdout=subprocess.PIPE
)
with open(os.environ["WORKERS"], "a") as file:
    print(remote.pid, file=file)
def there():
    while said := os.read(0, 65536):
        os.write(remote.stdin.fileno(), said)
    remote.stdin.close()
threading.Thread(target=there, daemon=True).start()
while said := os.read(remote.stdout.fileno(), 65536):
    os.write(1, said)
sys.exit(remote.wait() % 256)
"""
RUNS = ("--runs", "3", "--json")


@pytest.fixture
def ssh(tmp_path: Path) -> dict[str, str]:
    """The environment in which `ssh` is such a launcher."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(SSH.format(python=sys.executable))
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "WORKERS": str(tmp_path / "workers")}


def remote_workers(ssh: dict[str, str]) -> list[int]:
    return [int(line) for line in Path(ssh["WORKERS"]).read_text().split()]


def test_the_numbers_are_those_of_this_machine(shell: Shell, ssh: dict[str, str], tmp_path: Path) -> None:
    launched = shell.run(
        *BATCH, "--dataset", str(shell.data), *RUNS, "--launcher", "ssh {node1,node2}", "--jobs", "2", **ssh
    )
    assert launched.returncode == 0, launched.stderr
    log = shell.only_experiment().log.read_text()
    assert "Welcome to node1\n" in log
    assert "Welcome to node2\n" in log
    assert "Last login: today" in log
    other = Shell(tmp_path / "other", shell.data)
    assert numbers(json.loads(launched.stdout)) == numbers(json.loads(other.batch(*RUNS).stdout))


def test_a_cut_connection_costs_one_retry_and_ends_the_worker(shell: Shell, ssh: dict[str, str]) -> None:
    with shell.workers_held():
        process = shell.start_batch(*RUNS, "--launcher", "ssh node1", "--jobs", "1", ignored=None, **ssh)
        wait_for_event(shell, EpochFinished)
        started = wait_for_event(shell, WorkerStarted)
        (remote,) = remote_workers(ssh)
        kill_hard(started.pid)
        wait_for(lambda: not alive(remote))
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    (failure,) = [e for e in read_all(shell.only_experiment().journal) if isinstance(e, RunFailed)]
    assert failure.retry
    assert "its worker process" in failure.error


def test_who_stops_leaves_nobody_on_the_other_machine(shell: Shell, ssh: dict[str, str]) -> None:
    with shell.workers_held():
        process = shell.start_batch(*RUNS, "--launcher", "ssh node1", "--jobs", "1", ignored=None, **ssh)
        wait_for_event(shell, EpochFinished)
        (remote,) = remote_workers(ssh)
        assert shell.run("cancel", "latest").returncode == 0
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        wait_for(lambda: not alive(remote))


def test_a_killed_coordinator_leaves_nobody_on_the_other_machine(shell: Shell, ssh: dict[str, str]) -> None:
    with shell.workers_held():
        process = shell.start_batch(*RUNS, "--launcher", "ssh node1", "--jobs", "1", ignored=None, **ssh)
        wait_for_event(shell, EpochFinished)
        (remote,) = remote_workers(ssh)
        holding = shell.only_experiment().lock.holding()
        assert holding is not None
        assert holding.holder is not None
        kill_hard(holding.holder.pid)
        process.communicate(timeout=PATIENCE)
        wait_for(lambda: not alive(remote))


def test_a_tied_worker_that_computes_alone_ends_with_its_input(shell: Shell) -> None:
    assert shell.batch("--runs", "2").returncode == 0
    experiment = shell.only_experiment()
    shutil.rmtree(experiment.run_folder(1))
    journal = experiment.journal / "9001-worker-1.jsonl"
    with shell.workers_held():
        worker = subprocess.Popen(
            [sys.executable, "-m", "core.engine.worker", str(experiment.folder), "1", "--no-cache", "--tied",
             "--journal", str(journal)],
            stdin=subprocess.PIPE, env={**os.environ, **shell.holding},
        )  # fmt: skip
        wait_for(lambda: journal.exists() and b'"event":"epoch"' in journal.read_bytes())
        assert worker.stdin is not None
        worker.stdin.close()
        assert worker.wait(PATIENCE) == ExitStatus.INTERRUPTED
    assert list(experiment.results()) == [0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--launcher", "ssh {host}"), "expected {python}, {folder}, or names to be taken in turn"),
        (("--launcher", "ssh a", "--dask", "slurm"), "--dask is set too: expected one of the two"),
        (("--dask", "somewhere"), "expected the address of a scheduler"),
        pytest.param(
            ("--dask", "/nowhere/scheduler.json"),
            "there is no scheduler file /nowhere/scheduler.json",
            marks=pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed"),
        ),
        (("--launcher", "/nowhere/srun"), "could not be started: No such file or directory"),
    ],
)
def test_what_cannot_be_is_said_without_a_trace(shell: Shell, words: tuple[str, ...], said: str) -> None:
    result = shell.batch("--runs", "1", *words)
    assert result.returncode in (1, 2)
    assert said in " ".join(result.stderr.split())
