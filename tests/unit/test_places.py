"""What a person writes for other machines: how it is read, and what is said of what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.declarations.setting import Unfit
from core.places.dask import Cluster, DaskKind, parse_cluster
from core.places.launcher import LauncherKind, parse_launcher

FOLDER = Path("/home/of mine/experiments/one")


def prefix(text: str, worker: int = 1) -> list[str]:
    return parse_launcher(text).prefix(worker, python="/opt/py thon", folder=FOLDER)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("srun -n1 -c1", ["srun", "-n1", "-c1"]),
        ("ssh -o 'ProxyCommand nc %h %p' node2", ["ssh", "-o", "ProxyCommand nc %h %p", "node2"]),
        ("{python} wrap.py", ["/opt/py thon", "wrap.py"]),
        ("box --bind={folder}:/x run", ["box", f"--bind={FOLDER}:/x", "run"]),
    ],
)
def test_a_launcher_is_words_as_in_a_shell_with_what_is_put_in(text: str, words: list[str]) -> None:
    assert prefix(text) == words


def test_names_in_braces_are_taken_in_turn() -> None:
    text = "ssh {node1, node2,user@node3} nice"
    hosts = [prefix(text, worker)[1] for worker in range(1, 8)]
    assert hosts == ["node1", "node2", "user@node3", "node1", "node2", "user@node3", "node1"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected the command that starts another one"),
        ("  ", "expected the command that starts another one"),
        ("ssh 'node2", "No closing quotation"),
        ("ssh {host}", "{host} stands for nothing"),
        ("ssh {a,}", "{a,} stands for nothing"),
        ("ssh {}", "{} stands for nothing"),
    ],
)
def test_a_launcher_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        LauncherKind().check(text)
    assert reason in caught.value.allowed


@pytest.mark.parametrize(
    ("text", "cluster"),
    [
        ("tcp://node1:8786", Cluster("address", ("tcp://node1:8786",))),
        ("node1:8786", Cluster("address", ("node1:8786",))),
        ("tls://10.0.0.1:1", Cluster("address", ("tls://10.0.0.1:1",))),
        ("/shared/scheduler.json", Cluster("file", ("/shared/scheduler.json",))),
        ("slurm", Cluster("slurm")),
        ("local", Cluster("local")),
        ("ssh:node1, node2", Cluster("ssh", ("node1", "node2"))),
    ],
)
def test_a_dask_cluster_is_named(text: str, cluster: Cluster) -> None:
    assert parse_cluster(text) == cluster


@pytest.mark.parametrize("value", ["", "node1", "ssh:", "ssh:a,,b", "Slurm", "a b:3", 7, None])
def test_what_names_no_cluster_is_refused(value: object) -> None:
    with pytest.raises(Unfit, match="expected"):
        DaskKind().check(value)


@pytest.mark.parametrize("value", [7, None, ("ssh",)])
def test_a_launcher_is_text(value: object) -> None:
    with pytest.raises(Unfit, match="expected the command"):
        LauncherKind().check(value)


def test_a_scheduler_file_lies_beside_the_settings_file_that_names_it() -> None:
    kind = DaskKind()
    assert kind.beside("scheduler.json", Path("/project")) == "/project/scheduler.json"
    assert kind.beside("/shared/scheduler.json", Path("/project")) == "/shared/scheduler.json"
    assert kind.beside("slurm", Path("/project")) == "slurm"
