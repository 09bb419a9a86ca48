"""Every number of experiments that the first version computed is found again, for any number of threads.

What decides the claim was measured later: records that were computed anew since have it too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest
import torch
from _pytest.mark import ParameterSet

from core.files.cache import Cache
from core.sets.registry import own_controls
from tests.regression.recorded import (
    Computer,
    RecordedExperiment,
    compute,
    digest_of_claims,
    digest_of_summary,
    digest_of_tests,
    metrics_of,
    names,
    read,
    statistics_over,
)

SMALL = ("digits-deepfool-untargeted-small", "digits-fgsm-small")
"""Of which all runs are compared; a run of the others takes up to a minute."""
QUICK = "digits-fgsm-small"
"""What is compared always."""
ON_SEVERAL_THREADS = ("digits-fgsm-small", "mnist-5k-fgsm-one-epoch")


def of_this_computer(name: str) -> RecordedExperiment:
    """A record; skips the test where numbers may differ from it in their last bits."""
    recorded, this = read(name), Computer.this()
    if recorded.computer != this:
        pytest.skip(f"recorded on {recorded.computer}, this is {this}: last bits depend on it")
    return recorded


def with_slow_marked(chosen: Iterable[str]) -> list[ParameterSet]:
    return [pytest.param(name, marks=[] if name == QUICK else [pytest.mark.slow]) for name in chosen]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """An empty one, of all test processes: experiments of one seed have their split and surrogate in common."""
    folder = tmp_path_factory.getbasetemp()
    return Cache((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "common")


def test_there_are_records_of_every_attack_on_both_small_sets() -> None:
    specs = [read(name).spec for name in names()]
    attacks = {spec.attack for spec in specs}
    assert len(attacks) == 7
    assert {(spec.dataset, spec.attack) for spec in specs} == {
        (dataset, attack) for dataset in ("digits", "mnist-5k") for attack in attacks
    }


def test_the_small_set_has_records_of_all_that_is_measured() -> None:
    for name in names():
        recorded = read(name)
        if recorded.spec.dataset == "digits":
            assert recorded.spec.controls == own_controls()
            assert all(run.variants and run.bias_variance and run.noise for run in recorded.runs), name


@pytest.mark.parametrize("name", with_slow_marked(names()))
def test_every_number_is_the_recorded_one(name: str, cache: Cache) -> None:
    recorded = of_this_computer(name)
    # The later runs differ in their seeds only: one takes up to a minute, and all of them an hour.
    for run, expected in enumerate(recorded.runs[: None if name in SMALL else 1]):
        found, _ = compute(recorded.spec, run, cache=cache)
        assert found.as_far_as(expected) == expected, run


@pytest.mark.parametrize("name", names())
def test_every_statistic_is_the_recorded_one(name: str) -> None:
    recorded = of_this_computer(name)
    metrics = [metrics_of(recorded.spec, run, one) for run, one in enumerate(recorded.runs)]
    statistics = statistics_over(recorded.spec, metrics)
    if recorded.summary is not None:
        assert statistics.summary == recorded.summary
        assert statistics.tests == recorded.tests
        assert statistics.claims == recorded.claims
    assert digest_of_summary(statistics) == recorded.summary_sha256
    assert digest_of_tests(statistics) == recorded.tests_sha256
    assert digest_of_claims(statistics) == recorded.claims_sha256


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_SEVERAL_THREADS)
def test_no_number_depends_on_the_threads(name: str) -> None:
    """On any computer: what it is compared with is computed here."""
    spec = read(name).spec
    expected, _ = compute(spec, 0, threads=1)
    before = torch.get_num_threads()
    for threads in (2, 4):
        torch.set_num_threads(threads)
        try:
            found, _ = compute(spec, 0, threads)
        finally:
            torch.set_num_threads(before)
        assert found == expected, threads
