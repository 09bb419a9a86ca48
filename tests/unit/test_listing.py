"""The list of experiments: which a filter leaves, how columns share the width, nothing that a terminal obeys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from core.records.annotations import Annotations
from core.records.experiment import Experiment
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.spec.spec import Spec
from tui_aefit.following.listing import (
    COLUMNS,
    PADDING,
    SMALLEST_NAME,
    STATES,
    STOPPING,
    cells_of,
    date_of,
    detail,
    matches,
    state_words,
    titles,
    widths_of,
)


def overview(
    spec: Spec | None = None,
    *,
    folder: str = "mnist-fgsm-1f3a9c2e",
    status: ExperimentStatus = ExperimentStatus.COMPLETE,
    label: str = "",
    tags: tuple[str, ...] = (),
    created: float = 1e9,
    reason: str = "",
) -> Overview:
    path = Path("/home/experiments") / folder
    return Overview(
        path, status, Experiment(path, spec) if spec else None, done=2, created=created,
        annotations=Annotations(label=label, tags=tags), reason=reason,
    )  # fmt: skip


PAPER = overview(Spec(), label="The Paper", tags=("fig5",))
OTHER = overview(
    Spec(dataset="cifar10", attack="deepfool"),
    folder="cifar10-deepfool-abcdef01",
    status=ExperimentStatus.INTERRUPTED,
)
UNREADABLE = overview(
    folder="rubbish", status=ExperimentStatus.UNREADABLE, reason="it holds no file spec.toml"
)


@pytest.mark.parametrize(
    ("words", "found"),
    [("PAPER", [PAPER]), ("fig5", [PAPER]), ("1f3a", [PAPER]), ("mnist", [PAPER]), ("fgsm comp", [PAPER]),
     ("deepfool", [OTHER]), ("cifar", [OTHER]), ("inter", [OTHER]), ("rubb", [UNREADABLE]),
     ("unread", [UNREADABLE]),
     ("paper cifar", []), ("zzz", []), ("", [PAPER, OTHER, UNREADABLE]), ("  ", [PAPER, OTHER, UNREADABLE])],
)  # fmt: skip
def test_a_filter_leaves_those_that_hold_all_its_words(words: str, found: list[Overview]) -> None:
    assert [one for one in (PAPER, OTHER, UNREADABLE) if matches(one, words)] == found


def test_every_state_has_a_glyph_and_a_word_of_its_own() -> None:
    states = [*STATES.values(), STOPPING]
    assert set(STATES) == set(ExperimentStatus)
    assert len({glyph for glyph, _, _ in states}) == len({word for _, word, _ in states}) == len(states)
    assert all(cell_len(glyph) == 1 for glyph, _, _ in states)


def test_one_that_was_asked_to_stop_is_stopping() -> None:
    running = replace(PAPER, status=ExperimentStatus.RUNNING)
    assert state_words(running)[1] == "running"
    assert state_words(replace(running, stopping=True)) == STOPPING


def test_cells() -> None:
    cells = cells_of(OTHER, marked=True, narrow=False)
    assert {**cells, "created": ""} == {
        "mark": "●", "state": "◐ interrupted", "runs": "2/12", "name": "abcdef01", "dataset": "cifar10",
        "attack": "deepfool", "epsilon": "0.1", "ladder": "K 7 to 1", "created": "",
    }  # fmt: skip
    assert cells["created"].startswith("2001-09-0")  # the 8th or 9th, as the time zone has it
    assert cells_of(OTHER, marked=True, narrow=True)["ladder"] == "7…1"
    assert (titles(narrow=False)["ladder"], titles(narrow=True)["ladder"]) == ("ladder", "levels")
    unreadable = cells_of(UNREADABLE, marked=False, narrow=True)
    assert (unreadable["name"], unreadable["state"]) == ("rubbish", "? unreadable")
    assert set(unreadable) == set(cells) == set(COLUMNS)


@pytest.mark.parametrize("created", [1e300, -1e300, 1e15])
def test_a_date_beyond_all_calendars_is_a_question_mark(created: float) -> None:
    assert date_of(overview(created=created)) == "?"


@given(
    available=st.integers(40, 220),
    narrow=st.booleans(),
    labels=st.lists(st.text(max_size=60), min_size=1, max_size=4),
    attack=st.sampled_from(["fgsm", "deepfool-untargeted"]),
)
@settings(deadline=None, max_examples=60)
def test_the_columns_take_all_the_width_and_no_more(
    available: int, narrow: bool, labels: list[str], attack: str
) -> None:
    rows = [
        cells_of(overview(Spec(attack=attack), label=label), marked=False, narrow=narrow) for label in labels
    ]
    widths = widths_of(rows, available=available, narrow=narrow)
    total = sum(width + PADDING for width in widths.values())
    assert total == available or (
        total > available
        and widths["name"]
        == min(SMALLEST_NAME, max(cell_len(text) for text in ("name", *(row["name"] for row in rows))))
        and "created" not in widths
    )
    assert list(widths) == [key for key in COLUMNS if key in widths]
    assert set(COLUMNS) - set(widths) <= {"created"}


@given(folder=st.text(min_size=1, max_size=20).filter(lambda t: "/" not in t and "\0" not in t and t not in ".."),
       reason=st.text(max_size=20))  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_nothing_that_a_terminal_obeys_is_shown(folder: str, reason: str) -> None:
    one = overview(folder=folder, reason=reason)
    shown = [*cells_of(one, marked=True, narrow=True).values(), *detail(one).splitlines()]
    assert all(text.isprintable() for text in shown)


def test_the_details_are_two_lines() -> None:
    line = f"mnist-fgsm-1f3a9c2e · created {date_of(PAPER)} · seed 0 · 3 epochs"
    assert detail(PAPER) == f"{line}\n#fig5"
    assert detail(UNREADABLE).splitlines()[1] == "it holds no file spec.toml"


def test_a_narrow_list_shortens_nothing_that_there_is_room_for() -> None:
    long = overview(Spec(attack="deepfool-untargeted"))
    for label, width in (("", len("deepfool-untargeted")), ("a label that takes all there is", 10)):
        row = cells_of(replace(long, annotations=Annotations(label=label)), marked=False, narrow=True)
        assert widths_of([row], available=90, narrow=True)["attack"] == width
