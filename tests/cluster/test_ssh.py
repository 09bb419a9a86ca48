"""Runs on machines that are reached by SSH: a real server, whose connections can be cut."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from core.records.events import EpochFinished, RunFailed
from tests.cluster.ssh import Ssh, lacking, ssh_server
from tests.cluster.test_slurm import RUNS, expected, journal_of
from tests.end_to_end.conftest import Shell, numbers, wait_for_event


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    if reason := lacking():
        pytest.skip(reason)
    with ssh_server(tmp_path_factory.mktemp("ssh")) as server:
        yield server


def test_a_cut_connection_costs_its_runs_and_no_result(shell: Shell, local: Shell, ssh: Ssh) -> None:
    launcher = ("--launcher", f"ssh -F {ssh.config} {{node1,node2}}", "--jobs", "2")
    process = shell.start_batch(*RUNS, *launcher)
    wait_for_event(shell, EpochFinished, 2)
    assert ssh.cut() > 0
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
    assert "ended with status 255" in err
    assert all(failure.retry for failure in journal_of(shell, RunFailed))


def test_dask_on_hosts_by_ssh(shell: Shell, local: Shell, ssh: Ssh) -> None:
    pytest.importorskip("distributed", reason="no Dask here: pip install 'aefit-tui[dask]'")
    pytest.importorskip("asyncssh", reason="no asyncssh here: pip install 'aefit-tui[dask]'")
    process = shell.start_batch(*RUNS, "--dask", "ssh:node1,node2", "--jobs", "2", HOME=str(ssh.home))
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == expected(local)
