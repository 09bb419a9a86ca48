"""Which executor computes elsewhere, and what is said where there can be none; nothing is started."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.engine import dask_cluster, launched
from core.engine.dask_cluster import Connection, connect
from core.engine.elsewhere import executor_elsewhere
from core.engine.executor import Executor, Refused, Request, Task
from core.engine.local import LocalProcesses
from core.engine.postponed import Postponed
from core.engine.refusing import Refusing
from core.engine.seen_results import SeenResults
from core.errors import AefitError
from core.places.dask import INSTALL, Cluster, parse_cluster


def executor(folder: Path, place: str, text: str) -> Executor:
    request = Request(
        folder,
        text,
        jobs=3,
        threads=2,
        options=lambda folder: [str(folder), "--threads", "2"],
        journal=lambda worker: folder / f"{worker}.jsonl",
    )
    return executor_elsewhere(place, request)


def refusal(executor: Executor) -> Refused:
    assert isinstance(executor, Refusing)
    executor.submit(Task(Path("/one"), 0))
    report = executor.next_report(0.0)
    assert isinstance(report, Refused)
    executor.stop()
    return report


def test_a_launcher_has_its_workers_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[Sequence[str], Sequence[str]]] = []

    def launch(prefix: Sequence[str], options: Sequence[str]) -> object:
        started.append((prefix, options))
        raise OSError("enough")

    monkeypatch.setattr(launched, "LaunchedProcess", launch)
    found = executor(tmp_path, "launcher", "ssh {node1,node2} nice")
    assert isinstance(found, SeenResults)
    assert isinstance(found._executor, LocalProcesses)
    assert found.capacity == 3
    found.submit(Task(tmp_path, 0))
    found.next_report(0.0)
    found.next_report(0.0)
    assert [prefix for prefix, _ in started] == [["ssh", "node1", "nice"], ["ssh", "node2", "nice"]]
    assert started[0][1] == [str(tmp_path), "--threads", "2", "--journal", f"{tmp_path}/1.jsonl", "--serve"]


def test_what_cannot_be_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "{host} stands for nothing" in refusal(executor(tmp_path, "launcher", "ssh {host}")).error
    assert "expected the address" in refusal(executor(tmp_path, "dask", "nothing")).error
    monkeypatch.setenv("PYTHONPATH", "/home/of mine")
    assert "/home/of mine" in refusal(executor(tmp_path, "launcher", "ssh node2")).error


def test_without_the_extra_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named '{name}'")

    monkeypatch.setattr(dask_cluster, "importlib", SimpleNamespace(import_module=fail))
    refused = refusal(executor(tmp_path, "dask", "slurm"))
    assert "--dask needs distributed, which is not installed here" in refused.error
    assert refused.hint == INSTALL


@pytest.mark.parametrize(
    ("cluster", "module", "package"),
    [("slurm", "dask_jobqueue", "dask-jobqueue"), ("ssh:node1,node2", "asyncssh", "asyncssh")],
)
def test_what_one_kind_of_cluster_needs_is_asked_of_that_kind_only(
    cluster: str, module: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> Any:
        if name == module:
            raise ModuleNotFoundError(f"No module named '{name}'")
        return SimpleNamespace()

    monkeypatch.setattr(dask_cluster, "importlib", SimpleNamespace(import_module=load))
    assert f"--dask needs {package}, which" in refusal(executor(tmp_path, "dask", cluster)).error
    assert isinstance(executor(tmp_path, "dask", "local"), SeenResults)


class FakeDask:
    """In the place of `distributed` and `dask_jobqueue`: notes what is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.closed: list[str] = []
        self.refusal: Exception | None = None
        self.config = SimpleNamespace(get=lambda name, default: self.configured.get(name, default))
        self.configured: dict[str, object] = {}

    def __getattr__(self, name: str) -> Any:
        def ask(*words: Any, **options: Any) -> SimpleNamespace:
            self.asked.append((name, words, options))
            if self.refusal is not None:
                raise self.refusal
            return SimpleNamespace(
                close=lambda: self.closed.append(name),
                adapt=lambda **how: self.asked.append(("adapt", (), how)),
                subscribe_topic=lambda topic, handler: None,
                status="running",
            )

        return ask


@pytest.fixture
def dask(monkeypatch: pytest.MonkeyPatch) -> FakeDask:
    fake = FakeDask()
    monkeypatch.setattr(dask_cluster, "_import", lambda name: fake)
    return fake


def connection(text: str) -> Connection:
    return connect(parse_cluster(text), jobs=5, threads=2)


def test_a_scheduler_that_is_there_is_left_there(dask: FakeDask, tmp_path: Path) -> None:
    connection("tcp://node1:8786").close()
    assert dask.asked[0][:2] == ("Client", ("tcp://node1:8786",))
    file = tmp_path / "scheduler.json"
    file.touch()
    connection(str(file)).close()
    assert dask.asked[1][2]["scheduler_file"] == str(file)
    assert dask.closed == ["Client", "Client"]


def test_a_cluster_of_our_own_is_closed_with_its_client(dask: FakeDask) -> None:
    connection("local").close()
    name, _, options = dask.asked[0]
    assert (name, options["n_workers"], options["threads_per_worker"]) == ("LocalCluster", 5, 1)
    assert dask.closed == ["Client", "LocalCluster"]


def test_hosts_by_ssh_share_the_runs(dask: FakeDask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/with a blank")
    connection("ssh:node1,node2")
    asked = {name: (words, options) for name, words, options in dask.asked}
    words, options = asked["SSHCluster"]
    assert words == (["node1", "node1", "node2"],), "the scheduler's host, and a Dask worker on each"
    assert options["worker_options"] == {"nthreads": 3}
    assert options["remote_python"] == f"env 'PYTHONPATH=/with a blank' {sys.executable}"


def test_a_slurm_job_computes_one_run_unless_dasks_configuration_says_more(
    dask: FakeDask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/with a blank")
    connection("slurm")
    asked = {name: options for name, _, options in dask.asked}
    slurm = asked["SLURMCluster"]
    assert (slurm["cores"], slurm["processes"]) == (2, 1)
    assert slurm["worker_extra_args"] == ["--nthreads", "1"]
    assert slurm["job_script_prologue"] == ["export 'PYTHONPATH=/with a blank'"]
    assert asked["adapt"] == {"minimum_jobs": 5, "maximum_jobs": 5}
    dask.asked.clear()
    dask.configured = {
        "jobqueue.slurm.cores": 8,
        "jobqueue.slurm.memory": "64GB",
        "jobqueue.slurm.job-script-prologue": ["module load python"],
    }
    connection("slurm")
    asked = {name: options for name, _, options in dask.asked}
    assert (asked["SLURMCluster"]["cores"], asked["SLURMCluster"]["memory"]) == (8, "64GB")
    assert asked["SLURMCluster"]["job_script_prologue"][0] == "module load python"


@pytest.mark.parametrize("error", [OSError("timed out"), ValueError("cores"), RuntimeError("sbatch")])
def test_a_cluster_that_cannot_be_had_is_an_error_in_words(dask: FakeDask, error: Exception) -> None:
    dask.refusal = error
    with pytest.raises(AefitError, match=r"no Dask cluster can be had at node1:1: .*Error: ") as caught:
        connect(Cluster("address", ("node1:1",)), jobs=1, threads=1)
    assert "doctor" in caught.value.hint


def test_a_scheduler_file_that_is_not_there_is_named(dask: FakeDask, tmp_path: Path) -> None:
    with pytest.raises(AefitError, match=r"there is no scheduler file .*none\.json"):
        connection(str(tmp_path / "none.json"))


def test_a_cluster_is_started_with_the_first_run_and_closed_at_the_end(
    dask: FakeDask, tmp_path: Path
) -> None:
    found = executor(tmp_path, "dask", "slurm")
    assert isinstance(found, SeenResults)
    assert isinstance(found._executor, Postponed)
    assert found.capacity == 3
    assert found.next_report(0.0) is None
    assert dask.asked == [], "no job of Slurm's is taken before the experiment's turn"
    for run in range(2):
        found.submit(Task(tmp_path, run))
    assert [name for name, _, _ in dask.asked] == ["SLURMCluster", "adapt", "Client"]
    assert found.capacity == 3
    found.stop()
    assert dask.closed == ["Client", "SLURMCluster"]


def test_a_cluster_that_cannot_be_had_when_the_turn_comes_is_a_refusal(
    dask: FakeDask, tmp_path: Path
) -> None:
    dask.refusal = OSError("timed out")
    found = executor(tmp_path, "dask", "node1:8786")
    assert found.next_report(0.0) is None
    found.submit(Task(tmp_path, 0))
    report = found.next_report(0.0)
    assert isinstance(report, Refused)
    assert report.error == "no Dask cluster can be had at node1:8786: OSError: timed out"
    found.stop()
