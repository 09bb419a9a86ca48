"""Runs on a Dask cluster: the numbers of this machine, whatever is killed in the middle."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.records.events import EpochFinished, Notice, RunCompleted, RunFailed, RunStarted, WorkerStarted
from core.records.journal import read_all
from tests.cluster.dask_processes import DaskProcesses, dask_processes
from tests.cluster.slurm import Slurm, exists, kill, wait_until_idle
from tests.cluster.test_slurm import RUNS, expected, journal_of
from tests.end_to_end.conftest import Shell, numbers, wait_for, wait_for_event


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskProcesses]:
    folder = tmp_path / "dask"
    folder.mkdir()
    with dask_processes(folder) as found:
        yield found


def at(cluster: DaskProcesses, jobs: int = 2) -> tuple[str, ...]:
    return ("--dask", str(cluster.file), "--jobs", str(jobs))


def worker_pids(shell: Shell) -> list[int]:
    return [
        event.pid for event in read_all(shell.only_experiment().journal) if isinstance(event, WorkerStarted)
    ]


def test_a_cluster_of_our_own_computes_the_numbers_of_this_machine(shell: Shell, local: Shell) -> None:
    pytest.importorskip("distributed", reason="no Dask here: pip install 'aefit-tui[dask]'")
    result = shell.batch(*RUNS, "--dask", "local", "--jobs", "2")
    assert result.returncode == 0, result.stderr
    assert numbers(json.loads(result.stdout)) == expected(local)


def test_a_killed_dask_worker_costs_its_run_and_no_result(
    shell: Shell, local: Shell, cluster: DaskProcesses
) -> None:
    with shell.workers_held():
        victim = cluster.start_worker(**shell.holding)
        process = shell.start_batch(*RUNS, *at(cluster))
        wait_for_event(shell, EpochFinished)
        (computing,) = worker_pids(shell)
        victim.kill()
        cluster.start_worker()
        wait_for(lambda: not exists(computing))
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
    assert [event.run for event in journal_of(shell, RunFailed)] == [0]
    assert "is gone with its Dask worker" in err
    assert [event.run for event in journal_of(shell, RunStarted)] in (
        [0, 0, 1, 2],
        [0, 1, 0, 2],
        [0, 1, 2, 0],
    )


def test_a_killed_process_of_ours_is_begun_again(shell: Shell, local: Shell, cluster: DaskProcesses) -> None:
    with shell.workers_held():
        cluster.start_worker(**shell.holding)
        process = shell.start_batch(*RUNS, *at(cluster, 1))
        wait_for_event(shell, EpochFinished)
        kill(worker_pids(shell)[0])
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
    assert "was killed (SIGKILL) on" in err


def test_a_silent_dask_worker_costs_no_result_and_nothing_is_kept_twice(
    shell: Shell, local: Shell, cluster: DaskProcesses
) -> None:
    with shell.workers_held():
        silent = cluster.start_worker(**shell.holding)
        process = shell.start_batch(*RUNS, *at(cluster))
        wait_for_event(shell, EpochFinished)
        silent.send_signal(signal.SIGSTOP)  # its process of ours goes on, and nobody can tell of it
        cluster.start_worker()
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
    kept = [path.name for path in (shell.only_experiment().folder / "runs").glob("*/*")]
    assert kept == ["result"] * 3


def test_a_scheduler_that_comes_back_is_given_the_runs_again(
    shell: Shell, local: Shell, cluster: DaskProcesses
) -> None:
    with shell.workers_held():
        cluster.start_worker(**shell.holding)
        process = shell.start_batch(*RUNS, *at(cluster))
        wait_for_event(shell, EpochFinished)
        (computing,) = worker_pids(shell)
        cluster.scheduler.kill()
        cluster.scheduler.wait()
        wait_for_event(shell, RunFailed)
        cluster.start_scheduler()
        cluster.start_worker()
        wait_for_event(shell, RunStarted, 2)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
    assert "the connection to the Dask scheduler is lost" in err
    wait_for(lambda: not exists(computing))


def test_without_its_scheduler_the_work_ends_and_resume_goes_on(
    shell: Shell, local: Shell, cluster: DaskProcesses
) -> None:
    cluster.start_worker()
    process = shell.start_batch(*RUNS, *at(cluster, 1))
    wait_for_event(shell, RunCompleted)
    cluster.scheduler.kill()
    _, err = process.communicate(timeout=240)
    assert process.returncode == 2, err
    assert "the scheduler of the Dask cluster is gone" in err
    cluster.start_scheduler()
    cluster.start_worker()
    before = shell.only_experiment().results(verify=True)
    again = shell.run("resume", "latest", "--json", *at(cluster))
    assert again.returncode == 0, again.stderr
    assert numbers(json.loads(again.stdout)) == expected(local)
    assert set(json.loads(again.stdout)["computed"]) == {0, 1, 2} - before.keys()


def test_who_stops_leaves_nobody_computing(shell: Shell, cluster: DaskProcesses) -> None:
    with shell.workers_held():
        cluster.start_worker(**shell.holding)
        cluster.start_worker(**shell.holding)
        process = shell.start_batch(*RUNS, *at(cluster))
        wait_for_event(shell, EpochFinished, 2)
        pids = worker_pids(shell)
        assert len(pids) == 2
        assert shell.run("cancel", "latest").returncode == 0
        process.communicate(timeout=120)
        assert process.returncode == 130
        wait_for(lambda: not any(map(exists, pids)))
    assert all(worker.poll() is None for worker in cluster.workers), "the cluster is not ours to end"


def test_slurm_jobs_with_dask_workers(shell: Shell, local: Shell, slurm: Slurm) -> None:
    pytest.importorskip("dask_jobqueue", reason="no dask-jobqueue here: pip install 'aefit-tui[dask]'")
    with shell.workers_held():
        process = shell.start_batch(
            *RUNS, "--dask", "slurm", "--jobs", "2", SLURM_CONF=slurm.environment["SLURM_CONF"]
        )
        wait_for_event(shell, EpochFinished, 2)
        assert slurm.kill_node("node1") > 0
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
    assert not [event for event in journal_of(shell, Notice) if "differ" in event.text]
    slurm.start_node("node1")
    wait_until_idle(slurm)
    assert slurm.run("squeue", "-h") == ""
