"""Real clusters on this machine: `make test-cluster` runs these tests, and each says why where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.slurm import Slurm, lacking, slurm_cluster
from tests.end_to_end.conftest import Shell
from tests.fakes.images import write_npz


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    if reason := lacking():
        pytest.skip(reason)
    with slurm_cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home", write_npz(tmp_path / "made-up.npz"))


@pytest.fixture
def local(tmp_path: Path) -> Shell:
    """The same in a home of its own, to compute on this machine what is compared with."""
    folder = tmp_path / "local"
    folder.mkdir()
    return Shell(folder / "home", tmp_path / "made-up.npz")
