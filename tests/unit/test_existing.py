"""What exists of an experiment that is being set up is said with the keys that go on from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.records.overview import OverviewReader
from tests.fakes.experiments import State, lock_of_the_dead, make_experiment
from tui_aefit.following.existing import NEW, describe_standing


@pytest.mark.parametrize(
    ("state", "runs", "said"),
    [
        ("complete", 6, "✓ exists, complete, 6 of 6 runs: O opens it"),
        ("complete", 4, "✓ exists, complete, 6 of 6 runs: O opens it"),
        ("complete", 9, "✓ exists, complete, 6 of 6 runs: S computes the other 3, O opens it"),
        ("running", 6, "▶ exists, running, 2 of 6 runs: O opens it"),
        ("interrupted", 6, "◐ exists, interrupted, 2 of 6 runs: S computes the other 4, O opens it"),
        ("interrupted", 1, "◐ exists, interrupted, 2 of 6 runs: S computes the other 4, O opens it"),
        ("created", 6, "· exists, not started, 0 of 6 runs: S computes the other 6, O opens it"),
    ],
)
def test_it_is_what_the_folder_says(tmp_path: Path, state: State, runs: int, said: str) -> None:
    experiment = make_experiment(tmp_path, state=state, runs=6)
    reader = OverviewReader(tmp_path)
    assert describe_standing(runs, reader.look_at(experiment.folder), start="S", show="O") == said
    if state == "running":
        lock_of_the_dead(experiment)
        assert "interrupted" in describe_standing(6, reader.look_at(experiment.folder), start="S", show="O")


def test_what_is_not_there_is_new_and_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    reader = OverviewReader(tmp_path)
    assert describe_standing(6, None, start="S", show="O") == NEW
    experiment = make_experiment(tmp_path, runs=3)
    (experiment.folder / "spec.toml").write_text("runs = [")
    said = describe_standing(3, reader.look_at(experiment.folder), start="S", show="O")
    assert said.startswith("? exists, unreadable: ")


def test_one_that_was_looked_at_alone_is_among_all_and_the_others_stay(tmp_path: Path) -> None:
    first, second = (make_experiment(tmp_path, runs=3, seed=seed) for seed in (1, 2))
    reader = OverviewReader(tmp_path)
    alone = reader.look_at(first.folder)
    found = {overview.id: overview for overview in reader.look()}
    assert found[first.id] == alone
    assert found.keys() == {first.id, second.id}
