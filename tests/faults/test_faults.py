"""Sixty of the faults of `make faults`, and that it would find what it looks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.records.results import publish
from tests.fakes.executor import write_no_arrays
from tests.faults.bench import SHARES, Numbers, bring_about, chosen, undisturbed
from tests.faults.disk import DiskFault
from tests.faults.kinds import after
from tests.faults.lab import Lab
from tests.faults.study_kinds import after_study
from tests.faults.study_lab import StudyLab

FAULTS = chosen(seed=1, count=60)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Numbers:
    """The numbers that nothing may change."""
    return undisturbed(tmp_path_factory.mktemp("faults") / "undisturbed")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seed"), FAULTS, ids=[seed for _, seed in FAULTS])
def test_nothing_is_lost_and_nothing_silently_changed(
    tmp_path: Path, expected: Numbers, kind: str, seed: str
) -> None:
    bring_about(kind, seed, tmp_path, expected)


def test_every_kind_is_among_five_hundred_and_among_sixty() -> None:
    for count in (60, 500):
        assert len(chosen(1, count)) == count
        assert {kind for kind, _ in chosen(1, count)} == set(SHARES)


def change_a_number(lab: Lab) -> None:
    """A whole result of run 1 with a checksum that fits, and another number."""
    metrics = lab.numbers()[1]
    changed = msgspec.structs.replace(metrics, surrogate_accuracy=metrics.surrogate_accuracy / 2, sha256={})
    publish(lab.experiment.run_folder(1), changed, write_no_arrays, stands=lambda: False)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (change_a_number, "other numbers"),
        (lambda lab: (lab.outside / "precious").write_bytes(b"gone"), "outside of the home"),
    ],
    ids=["a changed number", "something outside"],
)
def test_the_bench_finds(tmp_path: Path, expected: Numbers, harm: Callable[[Lab], object], told: str) -> None:
    lab = Lab(tmp_path)
    assert lab.begin().wait().status == 0
    harm(lab)
    with pytest.raises(AssertionError, match=told):
        after(lab, expected)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (change_a_number, "other numbers"),
        (lambda lab: (lab.outside / "precious").write_bytes(b"gone"), "outside of the home"),
    ],
    ids=["a changed number", "something outside"],
)
def test_the_bench_finds_it_in_a_study(
    tmp_path: Path, expected: Numbers, harm: Callable[[StudyLab], object], told: str
) -> None:
    lab = StudyLab(tmp_path)
    assert lab.begin().wait().status == 0
    harm(lab)
    with pytest.raises(AssertionError, match=told):
        after_study(lab, expected)


def test_a_fault_is_brought_about_where_it_was_asked_for(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    calls = lab.count()
    assert calls == lab.count(), "counting changes nothing"
    assert lab.begin(DiskFault(calls + 1, "before")).wait().status == 0
    assert len(lab.numbers()) == 3
    assert lab.begin(DiskFault(1, "before")).wait().status == 137
    stopped = lab.begin(DiskFault(2, "stop"))
    assert stopped.wait(stops=True).status is None
    stopped.go_on()
    assert stopped.wait().status == 0
