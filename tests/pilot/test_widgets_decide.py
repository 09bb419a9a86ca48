"""What decides the claim, on the screen: every claim with its interval and decision, at every width."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest
from textual.widgets import Static

from core.records.statistics import Claim, Decision
from tests.fakes.experiments import make_experiment, snapshot_of
from tests.fakes.lab import text_of
from tests.fakes.screens import WIDE, Bench, row_text, settled, updates_of
from tui_aefit.following.crossfit import crossfit_means
from tui_aefit.following.listing import share
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import set_marker
from tui_aefit.lab.widgets.live.claims_table import DECISIONS, ClaimsTable, in_reading_order
from tui_aefit.lab.widgets.live.crossfit_table import CrossFitTable
from tui_aefit.lab.widgets.live.decides import NOT_MEASURED, NOT_YET, DecidesPane

FIRST = "crossfit_rise/adversarial/misclassified"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return snapshot_of(make_experiment(tmp_path_factory.mktemp("finished")))


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return snapshot_of(make_experiment(tmp_path_factory.mktemp("older"), runs=3, deciding=False))


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return snapshot_of(make_experiment(tmp_path_factory.mktemp("created"), state="created"))


def claim(**fields: Any) -> Claim:
    usual: dict[str, Any] = {
        "name": "crossfit_rise",
        "sets": ("adversarial", "misclassified"),
        "estimate": -0.081,
        "ci95": (-0.129, -0.029),
        "margin": 0.02,
        "decision": "lower",
        "n": 12,
    }
    return Claim(**{**usual, **fields})


# The claims


async def test_every_claim_has_its_interval_its_decision_and_its_runs(finished: Snapshot) -> None:
    table = ClaimsTable()
    async with Bench(table).run_test(size=(140, 60)) as pilot:
        table.snapshot = finished
        await settled(pilot)
        assert table.row_count == len(finished.claims) > 30
        for one in finished.claims:
            row = row_text(table, "/".join((one.name, *one.sets)))
            assert " − ".join(one.sets) in row
            assert one.ci95 is not None
            low, high = one.ci95
            assert f"{share(one.estimate, signed=True)} [{share(low)}, {share(high)}]" in row
            assert DECISIONS[one.decision] in row
            assert row.endswith(f"| {one.n:>2}")


async def test_those_that_a_verdict_begins_with_come_first(finished: Snapshot) -> None:
    ordered = in_reading_order(finished.claims)
    names = list(dict.fromkeys(one.name for one in finished.claims))
    assert [one.name for one in ordered[: len(names)]] == names
    assert ordered[0].sets == ("adversarial", "misclassified")
    assert sorted(map(str, ordered)) == sorted(map(str, finished.claims))


@pytest.mark.parametrize(
    ("decision", "shown"),
    [("higher", "▲ higher"), ("lower", "▼ lower"), ("same", "= same"), ("undecided", "? undecided")],
)
async def test_a_decision_is_a_word_and_a_sign(finished: Snapshot, decision: Decision, shown: str) -> None:
    table = ClaimsTable()
    app = Bench(table)
    async with app.run_test(size=(70, 12)) as pilot:
        table.snapshot = replace(finished, claims=(claim(decision=decision),))
        await settled(pilot)
        assert f" {shown} " in text_of(app)
        await pilot.resize_terminal(60, 12)
        await settled(pilot)
        assert f" {shown[0]} " in text_of(app)
        assert shown not in text_of(app)


@pytest.mark.parametrize("width", [58, 60, 70, 80, 100, 120, 200])
async def test_no_number_is_cut_at_any_width(finished: Snapshot, width: int) -> None:
    table = ClaimsTable()
    app = Bench(table)
    async with app.run_test(size=(width, 16)) as pilot:
        table.snapshot = finished
        await settled(pilot)
        lines = text_of(app).splitlines()[2:-1]
        assert table.max_scroll_x == 0
        for one, line in zip(in_reading_order(finished.claims), lines, strict=False):
            assert one.ci95 is not None
            assert f"{share(one.estimate, signed=True)} [{share(one.ci95[0])}, {share(one.ci95[1])}]" in line
            assert DECISIONS[one.decision][0] in line
        assert ("┊" in text_of(app)) is (width >= 100)


async def test_a_rise_and_the_same_in_random_order_stand_side_by_side_at_most_widths(
    finished: Snapshot,
) -> None:
    table = ClaimsTable()
    app = Bench(table)
    shuffled = claim(name="rise", sets=("misclassified", "misclassified-shuffled"))
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = replace(finished, claims=(shuffled,))
        for width, shown in (
            (140, "misclassified − misclassified-shuffled"),
            (80, "M − shuffled"),
        ):
            await pilot.resize_terminal(width, 16)
            await settled(pilot)
            assert f" {shown} " in text_of(app)


async def test_a_claim_without_an_interval_says_why(finished: Snapshot) -> None:
    table = ClaimsTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        undecided = claim(ci95=None, decision="undecided", n=2, reason="too_few_runs")
        table.snapshot = replace(finished, claims=(undecided,))
        await settled(pilot)
        assert "-.081 (too few runs)" in row_text(table, FIRST)
        assert "? undecided" in text_of(app)


async def test_a_claim_that_is_the_same_in_every_run_says_so_with_its_value(finished: Snapshot) -> None:
    table = ClaimsTable()
    app = Bench(table)
    async with app.run_test(size=(140, 16)) as pilot:
        constant = claim(estimate=0.25, ci95=None, decision="undecided", reason="zero_variance")
        table.snapshot = replace(finished, claims=(constant,))
        await settled(pilot)
        assert " +.250 in every run   ? undecided " in text_of(app)
        assert " exactly the same in every run, so that no interval decides: rise from K = 7" in text_of(app)
        await pilot.resize_terminal(60, 16)
        await settled(pilot)
        assert " +.250 in every run   ? " in text_of(app)


async def test_the_claim_under_the_cursor_is_explained_in_the_words_of_the_ladder(finished: Snapshot) -> None:
    table = ClaimsTable()
    app = Bench(table)
    async with app.run_test(size=(120, 16)) as pilot:
        table.snapshot = finished
        await settled(pilot)
        assert "rise from K = 7 to K = 1 by the half that did not select" in text_of(app).splitlines()[-1]
        assert table.explanation(FIRST).endswith("; adversarial less misclassified")
        unheard = claim(name="from_the_{future}", sets=("adversarial",))
        table.snapshot = replace(finished, claims=(unheard,))
        await settled(pilot)
        assert "from the {future}" in row_text(table, "from_the_{future}/adversarial")
        assert table.explanation("from_the_{future}/adversarial") == "from the {future}; adversarial"


async def test_only_what_changed_is_drawn_anew(finished: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    table = ClaimsTable()
    async with Bench(table).run_test(size=WIDE) as pilot:
        claims = (claim(), claim(name="bias_fall"))
        table.snapshot = replace(finished, claims=claims)
        await settled(pilot)
        with updates_of(table, monkeypatch) as drawn:
            table.snapshot = replace(finished, claims=claims, now=finished.now + 1)
            assert drawn == []
            table.snapshot = replace(finished, claims=(claim(estimate=-0.079), claims[1]))
        assert drawn == [(FIRST, "estimate")]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.114, ".114"), (-0.029, "-.029"), (1.0, "1.000"), (-0.0001, ".000"), (-2.5, "-2.500")],
)
def test_a_share_has_three_digits(value: float, text: str) -> None:
    assert share(value) == text


# The cross-fitted accuracies


async def test_accuracy_by_the_other_half_stands_beside_that_by_the_selecting_half(
    finished: Snapshot,
) -> None:
    table = CrossFitTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = finished
        table.focus()
        await settled(pilot)
        means = crossfit_means(finished.metrics.values(), finished.ladder)
        assert means is not None
        for name, by_level in means.other.items():
            assert f"{set_marker(name)} {name}" in table.get_cell(name, "set").plain
            for level, mean in by_level.items():
                own = means.own[name][level]
                assert mean is not None
                assert own is not None
                shown = table.get_cell(name, level).plain.strip()
                # All test images are the same for both: there nothing is selected.
                assert shown == share(mean) + ("" if name == "test" else f" ({share(own)})")
        assert f"mean of {finished.complete} runs" in text_of(app)
        await pilot.press("down")
        await settled(pilot)
        name = str(table.row_under_cursor)
        counts = [run.crossfit.counts[name] for run in finished.metrics.values() if run.crossfit]
        images = fmean(half for halves in counts for half in halves)
        told = f"images selected by a half at K = 7, mean of {finished.complete} runs"
        assert f"{images:,.1f}".removesuffix(".0") + f" {told}" in text_of(app)
        assert table.explanation("test") == ""


# Both


async def test_until_something_is_known_a_sentence_stands_there(
    finished: Snapshot, older: Snapshot, created: Snapshot
) -> None:
    pane = DecidesPane()
    app = Bench(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert NOT_YET in text_of(app)
        for snapshot, sentence in ((created, NOT_YET), (replace(older, claims=()), NOT_MEASURED)):
            pane.snapshot = snapshot
            await settled(pilot)
            assert str(pane.query_one("#no-claims Static", Static).content) == sentence
            assert sentence[:60] in text_of(app)
            assert "estimate" not in text_of(app)
        pane.snapshot = finished
        await settled(pilot)
        assert "estimate" in text_of(app)
        assert "by the other half" in text_of(app)
        assert NOT_YET not in text_of(app)


async def test_results_of_an_older_version_have_the_rises_that_the_paper_reports(older: Snapshot) -> None:
    pane = DecidesPane()
    app = Bench(pane)
    async with app.run_test(size=(90, 24)) as pilot:
        pane.snapshot = older
        await settled(pilot)
        assert "The paper's rises, not what decides" in text_of(app)
        assert "by the other half" not in text_of(app)
