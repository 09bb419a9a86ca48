"""Runs behind srun: the numbers of this machine, also where a node is lost in the middle."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from core.records.events import EpochFinished, RunFailed, RunStarted, WorkerLost
from core.records.experiment import load
from core.records.folders import experiment_folders
from core.records.journal import read_all
from tests.cluster.slurm import Slurm, kill, wait_until_idle
from tests.documents.examples import blocks_of
from tests.end_to_end.conftest import BATCH, Shell, numbers, wait_for_event

LAUNCHER = ("--launcher", "srun -n1 -c1 --kill-on-bad-exit", "--jobs", "3")
RUNS = ("--runs", "3", "--json")


def expected(local: Shell) -> str:
    """The numbers of the same experiment, computed here."""
    return numbers(json.loads(local.batch(*RUNS).stdout))


def journal_of(shell: Shell, kind: type) -> list:
    return [event for event in read_all(shell.only_experiment().journal) if isinstance(event, kind)]


def test_behind_srun_the_numbers_are_those_of_this_machine(shell: Shell, local: Shell, slurm: Slurm) -> None:
    result = shell.run(
        *BATCH, "--dataset", str(shell.data), *RUNS, *LAUNCHER, SLURM_CONF=slurm.environment["SLURM_CONF"]
    )
    assert result.returncode == 0, result.stderr
    assert numbers(json.loads(result.stdout)) == expected(local)
    assert slurm.run("squeue", "-h") == ""
    assert not journal_of(shell, WorkerLost)


def test_the_script_of_the_documents_computes_what_it_says(
    shell: Shell, local: Shell, slurm: Slurm, tmp_path: Path
) -> None:
    script = blocks_of("machines.md")["paper.sbatch"]
    here = {
        "AEFIT_HOME=/shared/aefit AEFIT_DATA_DIR=/shared/data": f"AEFIT_HOME={shell.home}",
        "cd /shared/aefit-tui": f"cd {tmp_path}",
        "fgsm deepfool pgd": "fgsm noise",
        ".venv/bin/aefit-tui --batch": shlex.join([sys.executable, "-m", "tui_aefit.shell.cli", *BATCH]),
        "--dataset mnist": f"--dataset {shell.data} --runs 3",
        "--ntasks=12": "--ntasks=3",
    }
    for written, meant in here.items():
        assert written in script
        script = script.replace(written, meant)
    (tmp_path / "paper.sbatch").write_text(script)
    slurm.run("sbatch", "--wait", f"--output={tmp_path}/out", str(tmp_path / "paper.sbatch"), patience=300.0)
    for attack in ("fgsm", "noise"):
        (experiment,) = [e for e in map(load, experiment_folders(shell.home)) if e.spec.attack == attack]
        shown = shell.run("show", experiment.id, "--json")
        here_too = local.batch(*RUNS, "--attack", attack)
        assert numbers(json.loads(shown.stdout)) == numbers(json.loads(here_too.stdout))


def test_a_lost_node_costs_its_runs_and_no_result(shell: Shell, local: Shell, slurm: Slurm) -> None:
    with shell.workers_held():
        process = shell.start_batch(*RUNS, *LAUNCHER, SLURM_CONF=slurm.environment["SLURM_CONF"])
        wait_for_event(shell, EpochFinished, 3)
        assert slurm.kill_node("node1") > 0
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
    retried = [event.run for event in journal_of(shell, RunFailed) if event.retry]
    assert retried
    assert "its worker process" in err
    started = [event.run for event in journal_of(shell, RunStarted)]
    assert sorted(started) == sorted([0, 1, 2, *retried]), "what was complete was not begun again"
    slurm.start_node("node1")
    wait_until_idle(slurm)


def test_a_killed_step_is_tried_again(shell: Shell, local: Shell, slurm: Slurm) -> None:
    with shell.workers_held():
        process = shell.start_batch(*RUNS, *LAUNCHER, SLURM_CONF=slurm.environment["SLURM_CONF"])
        wait_for_event(shell, EpochFinished, 3)
        job, *_ = slurm.run("squeue", "-h", "-o", "%i").split()
        slurm.run("scancel", "--signal=KILL", "--full", job)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
    assert len(journal_of(shell, WorkerLost)) == 1


def test_who_stops_leaves_no_job(shell: Shell, slurm: Slurm) -> None:
    with shell.workers_held():
        process = shell.start_batch(*RUNS, *LAUNCHER, SLURM_CONF=slurm.environment["SLURM_CONF"])
        wait_for_event(shell, EpochFinished, 3)
        assert shell.run("cancel", "latest").returncode == 0
        process.communicate(timeout=120)
        assert process.returncode == 130
        wait_until_idle(slurm)
    assert slurm.run("squeue", "-h") == ""


def test_a_dead_coordinator_leaves_no_job_and_resume_computes_the_rest(
    shell: Shell, local: Shell, slurm: Slurm
) -> None:
    with shell.workers_held():
        process = shell.start_batch(*RUNS, *LAUNCHER, SLURM_CONF=slurm.environment["SLURM_CONF"])
        wait_for_event(shell, EpochFinished, 3)
        holding = shell.only_experiment().lock.holding()
        assert holding is not None
        assert holding.holder is not None
        kill(holding.holder.pid)
        process.communicate(timeout=120)
        wait_until_idle(slurm)
    result = shell.run("resume", "latest", "--json", *LAUNCHER, SLURM_CONF=slurm.environment["SLURM_CONF"])
    assert result.returncode == 0, result.stderr
    assert numbers(json.loads(result.stdout)) == expected(local)
