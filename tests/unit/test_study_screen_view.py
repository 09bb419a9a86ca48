"""What of a study is on the screen: what stays and what follows when it is read again or a person chooses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.records.study_state import read_study_state
from tests.fakes.studies import make_study
from tui_aefit.following.quantities import FITTED_ACCURACY, RISE_OF_CLAIM, Quantity
from tui_aefit.following.study import StudyView
from tui_aefit.lab.study_view import ShownStudy


def shown_of(home: Path) -> ShownStudy:
    """Attack by epsilon, two rows of three."""
    shown = ShownStudy()
    shown.read(StudyView(read_study_state(make_study(home))))
    return shown


def test_nothing_is_shown_before_anything_was_read() -> None:
    shown = ShownStudy()
    shown.filter("attack:pgd")
    assert (shown.cells, shown.chosen, shown.row_name, shown.axes) == ((), None, "", ())
    assert shown.quantities() == []
    assert shown.curves() is None
    assert shown.title("paper\x1b[2J") == "Study paper\N{REPLACEMENT CHARACTER}[2J"


def test_the_cursor_stays_on_its_experiment_where_the_axes_turn(tmp_path: Path) -> None:
    shown = shown_of(tmp_path)
    shown.cursor, shown.reading = (1, 2), "0.2"
    chosen = shown.chosen
    shown.turn()
    assert (shown.across, shown.cursor, shown.chosen) == ("attack", (2, 1), chosen)
    assert shown.reading is None, "it was a value of the other axis"
    shown.turn()
    assert (shown.across, shown.cursor) == ("epsilon", (1, 2))


def test_the_cursor_goes_to_the_nearest_place_where_its_experiment_is_filtered_out(tmp_path: Path) -> None:
    shown = shown_of(tmp_path)
    shown.cursor = (1, 2)
    shown.filter("attack:fgsm epsilon<0.2")
    assert (shown.grid.rows, shown.grid.columns, shown.cursor) == ((("fgsm",),), ("0.05", "0.1"), (0, 1))
    assert "2 shown" in shown.title("paper")
    shown.filter("attack>")
    assert shown.problems
    shown.filter("attack:nothing")
    assert (shown.cells, shown.cursor, shown.chosen) == ((), (0, 0), None)


def test_the_quantity_that_was_chosen_stays_when_the_study_is_read_again(tmp_path: Path) -> None:
    shown = shown_of(tmp_path)
    assert shown.quantity == RISE_OF_CLAIM
    shown.choose(FITTED_ACCURACY)
    assert shown.view is not None
    shown.read(shown.view)
    assert (shown.quantity, shown.drawn) == (FITTED_ACCURACY, (FITTED_ACCURACY,))


def test_several_series_are_curves_of_one_row_and_a_single_one_is_the_quantity(tmp_path: Path) -> None:
    shown = shown_of(tmp_path)
    shown.choose(FITTED_ACCURACY)
    found = shown.alike()
    assert found["adversarial"] == FITTED_ACCURACY
    assert {one.level for one in found.values()} == {FITTED_ACCURACY.level}
    curves = shown.curves()
    assert curves is not None
    assert list(curves.curves) == ["fgsm", "pgd"]
    shown.choose_series((found["test"], found["adversarial"]))
    assert shown.quantity == FITTED_ACCURACY, "the heat map still shows it"
    curves = shown.curves()
    assert curves is not None
    assert list(curves.curves) == ["test", "adversarial"]
    shown.choose_series((found["test"],))
    assert (shown.quantity, shown.series) == (found["test"], ())
    shown.choose(Quantity("images"))
    assert list(shown.alike()) == [Quantity("images").series]


def test_of_a_study_that_is_half_read_the_title_says_no_status(tmp_path: Path) -> None:
    shown = shown_of(tmp_path)
    assert shown.view is not None
    assert shown.title("paper") == "Study paper  ✓ complete · 6/6 experiments · 18/18 runs"
    state = shown.view.state
    shown.read(StudyView(replace(state, cells=state.cells[:4])))
    assert shown.title("paper") == "Study paper · 4 of 6 experiments read"
