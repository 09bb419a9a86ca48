"""What is done with several experiments is said with how many, and one that cannot be stops no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ExperimentError
from core.records.experiment import Experiment
from core.spec.spec import Spec
from tui_aefit.lab.actions import read_tags, with_each

MADE = [Experiment(Path("/home") / name, Spec()) for name in ("a", "b", "c")]


@pytest.mark.parametrize(
    ("text", "add", "remove"),
    [("fig5 +new -old", ["fig5", "new"], ["old"]), ("", [], []), ('"two words" -"a b"', ["two words"], ["a b"]),
     ("x -x", [], ["x"]), ("-x +x", ["x"], []), ("-no-dash", [], ["no-dash"])],
)  # fmt: skip
def test_tags_as_they_are_typed(text: str, add: list[str], remove: list[str]) -> None:
    assert read_tags(text) == (add, remove)


@pytest.mark.parametrize(
    ("text", "why"), [("fine +", "names no tag"), ("- x", "names no tag"), ('"open', "cannot be read")]
)
def test_what_is_no_tag_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(ExperimentError, match=why) as raised:
        read_tags(text)
    assert raised.value.hint


def test_one_alone_is_said_as_itself_several_by_their_number() -> None:
    assert with_each(MADE[:1], lambda one: f"did {one.id}", "did {}") == "did a"
    assert with_each(MADE, lambda one: f"did {one.id}", "did {}") == "did 3 experiments"


def test_one_that_cannot_be_stops_no_other() -> None:
    done = []

    def act(experiment: Experiment) -> str:
        if experiment.id != "c":
            raise ExperimentError(f"no {experiment.id}", "try again")
        done.append(experiment.id)
        return ""

    with pytest.raises(ExperimentError) as raised:
        with_each(MADE, act, "did {}")
    assert str(raised.value) == "did 1 of 3 experiments, but not a: no a (and 1 more)"
    assert raised.value.hint == "try again"
    assert done == ["c"]
    with pytest.raises(ExperimentError, match="of 2 experiments none could be: a: no a"):
        with_each(MADE[:2], act, "did {}")
