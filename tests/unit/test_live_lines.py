"""The lines above the panes of the live screen: they fit any width, and say what the snapshot says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.families.ladder import Ladder
from core.records.status import ExperimentStatus, RunStatus
from core.spec.spec import Spec
from tests.fakes import plugins
from tests.fakes.experiments import NOW, make_experiment, snapshot_of
from tests.fakes.numbers import draw_metrics
from tui_aefit.following.machine import Load
from tui_aefit.following.snapshot import RunView, Snapshot
from tui_aefit.lab.live_panes import LOW, PADDING
from tui_aefit.lab.widgets.live.answer import IN_SHORT, advice, answer, fitting
from tui_aefit.lab.widgets.live.header import HERE, describe_load, header_line
from tui_aefit.lab.widgets.live.progress import bar, clock, percent, short
from tui_aefit.lab.widgets.live.run_details import details
from tui_aefit.lab.widgets.live.strip import run_strip

SPEC = Spec(dataset="mnist", runs=9)
BUSY = Load(processors=0.98, memory=0.25, memory_used=1_900_000_000, gpu=0.5, gpu_memory_used=10**10)


def view(index: int, **fields: object) -> RunView:
    return replace(RunView(index), **fields)  # type: ignore[arg-type]


def at_work(index: int, stage: str, done: int, total: int = 100) -> RunView:
    return view(
        index, status=RunStatus.RUNNING, stage=stage, done=done, total=total, stage_started=90.0, started=80.0
    )


RUNNING = Snapshot(
    "mnist-fgsm-0884ceda",
    SPEC,
    SPEC.ladder,
    status=ExperimentStatus.RUNNING,
    now=100.0,
    runs=(
        *(view(index, status=RunStatus.COMPLETE) for index in range(4)),
        at_work(4, "surrogate", 61), at_work(5, "candidates", 12), view(6, status=RunStatus.FAILED),
        view(7), view(8),
    ),
    metrics={index: draw_metrics(SPEC, index) for index in range(4)},
    jobs=2,
    remaining=190.0,
    left={4: 60.0, 5: 100.0},
    host=HERE,
)  # fmt: skip


# The header


def test_the_header_says_all_where_there_is_room_and_the_load_at_its_end() -> None:
    line = header_line(RUNNING, BUSY, 150).plain
    parts = "mnist · fgsm · eps 0.1 · Z 7 · seed 0  ▶ running  4/9 runs · 3 min 10 s left · 2 at a time"
    assert line.startswith(parts)
    assert line.endswith("cpu █ 98 %  mem ▃ 1.9 GB  gpu ▅ 50 % 10.0 GB")
    assert len(line) == 150
    for seconds, words in ((190.0, "~3 min left"), (42.0, "~42 s left"), (7500.0, "~2 h 05 min left")):
        rough = replace(RUNNING, rough=True, remaining=seconds)
        assert f"4/9 runs · {words}" in header_line(rough, BUSY, 150).plain


@given(st.integers(0, 220))
def test_what_does_not_fit_is_left_out_from_the_right(width: int) -> None:
    whole, line = header_line(RUNNING, Load(), 400).plain, header_line(RUNNING, Load(), width).plain
    assert whole.startswith(line)
    assert len(line) <= max(width, len("mnist"))
    assert "\n" not in line
    with_load = header_line(RUNNING, BUSY, width).plain
    assert with_load.startswith(line)
    assert len(with_load) <= max(width, len("mnist"))


def test_the_ladder_is_told_as_its_family_does_else_by_its_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins.install(tmp_path / "plugins", monkeypatch)
    spec = Spec(dataset="mnist", family="kernel")
    snapshot = replace(RUNNING, spec=spec, ladder=spec.ladder)
    assert "eps 0.1 · Bandwidth wide to narrow · seed 0" in header_line(snapshot, BUSY, 150).plain
    # Whatever its knob is called.
    other = replace(snapshot, ladder=Ladder("K", ("9", "5", "1")))
    assert "eps 0.1 · K 9 to 1 · seed 0" in header_line(other, BUSY, 150).plain
    monkeypatch.setattr(plugins.Kernel, "headline", "3 widths\x1b", raising=False)
    assert "eps 0.1 · 3 widths\ufffd · seed 0" in header_line(snapshot, BUSY, 150).plain


def test_the_load_is_that_of_the_machine_that_computes() -> None:
    assert "cpu" not in header_line(replace(RUNNING, host="another"), BUSY, 200).plain
    stopped = replace(RUNNING, status=ExperimentStatus.CANCELLED, worked=61.0)
    line = header_line(stopped, BUSY, 200).plain
    assert "cpu" not in line
    assert "in 1 min 01 s  mnist-fgsm-0884ceda  fooled" in line


def test_what_is_not_known_of_the_load_is_absent() -> None:
    assert describe_load(Load()) == []
    assert describe_load(Load(processors=0.0)) == ["cpu ▁ 0 %"]
    assert describe_load(Load(gpu=1.0)) == ["gpu █ 100 %"]


# The runs


def test_the_strip_has_a_cell_for_each_run_that_rests_and_a_segment_for_each_at_work() -> None:
    line = run_strip(RUNNING, 120).plain
    assert line == "runs ■■■■  5 █████░░░░ surrogate 61 % 6.1/s  6 █░░░░░░░░ candidates 12 % 1.2/s  ✗  ··"
    # As there is less room, rates go first, then bars, then stages.
    assert (
        run_strip(RUNNING, 75).plain
        == "runs ■■■■  5 █████░░░░ surrogate 61 %  6 █░░░░░░░░ candidates 12 %  ✗  ··"
    )
    assert run_strip(RUNNING, 60).plain == "runs ■■■■  5 surrogate 61 %  6 candidates 12 %  ✗  ··"
    assert run_strip(RUNNING, 40).plain == "runs ■■■■  5 61 %  6 12 %  ✗  ··"
    damaged = replace(RUNNING, damaged=frozenset([7]))
    assert run_strip(damaged, 40).plain.endswith("✗  !  ·")


def test_very_many_runs_are_counted() -> None:
    runs = tuple(view(index, status=RunStatus.COMPLETE) for index in range(300))
    many = replace(RUNNING, runs=(*runs, at_work(300, "split", 0, 1), *(view(n) for n in range(301, 900))))
    assert run_strip(many, 80).plain == "runs ■ 300 complete  301 ░░░░░░░░░ split 0 %  · 599 waiting"


@given(st.integers(1, 200))
def test_the_strip_fits_any_width(width: int) -> None:
    assert run_strip(RUNNING, width).cell_len <= width


# The answer


def test_the_answer_is_the_verdicts_first_sentence_wherever_it_stands() -> None:
    text = f"{IN_SHORT}the rise is lower (-0.066); the fall of bias is lower; robustness is the same. Of it, 81%."
    verdict = ("First of all, the attack hardly reaches its targets.", text)
    clauses = answer(replace(RUNNING, verdict=verdict), "r")
    assert " ".join(clauses) == text
    assert fitting(clauses, 200, 2) == [text]
    # What does not fit is left out clause by clause.
    assert fitting(clauses, 60, 1) == [f"{IN_SHORT}the rise is lower (-0.066); …"]
    assert fitting(clauses, 22, 1) == ["The rise is lower …"]


@pytest.mark.parametrize(
    "found",
    [
        "the rise of accuracy from K = 15 to K = 1 is the same within 0.01 on adversarial images as on ordinary "
        "mistakes, which the claim does not predict (-0.0012 [-0.0094, +0.0069])",
        "it is undecided whether the rise of accuracy from K = 15 to K = 1 differs between adversarial images and "
        "ordinary mistakes (-0.0123 [-0.1234, +0.1234])",
    ],
)
def test_what_decides_is_said_whole_in_a_small_terminal(found: str) -> None:
    text = (
        f"{IN_SHORT}by the classifier that did not select the images, {found}; "
        "without selection, robustness is lower."
    )
    clauses = answer(replace(RUNNING, verdict=(text,)), "r")
    assert found in " ".join(fitting(clauses, 80 - PADDING, 3))
    assert LOW <= 24, "so many lines it has there"


@given(st.lists(st.text("ab ;.", min_size=1), min_size=1), st.integers(0, 90), st.integers(0, 4))
def test_an_answer_never_takes_more_room_than_there_is(clauses: list[str], width: int, height: int) -> None:
    lines = fitting(clauses, width, height)
    assert len(lines) <= height
    assert all(len(line) <= max(width, 2) for line in lines)


def test_until_there_is_an_answer_it_says_what_is_done_and_when_there_will_be_one() -> None:
    text = " ".join(answer(replace(RUNNING, metrics={}), "r"))
    assert (
        "Run 5 of 9: surrogate 61 %, and 1 run beside it. The first result comes in about 1 min 00 s." in text
    )
    assert "Here will stand whether" in text


@pytest.mark.parametrize("state", ["created", "interrupted", "refused", "cancelled"])
def test_every_state_without_an_answer_says_what_to_do(tmp_path: Path, state: str) -> None:
    experiment = make_experiment(tmp_path, state=state, runs=3, complete=0)  # type: ignore[arg-type]
    assert " R2 " in " ".join(answer(snapshot_of(experiment), "R2"))


def test_where_runs_are_too_few_for_an_answer_it_says_what_has_more_computed(tmp_path: Path) -> None:
    said = {
        runs: advice(snapshot_of(make_experiment(tmp_path / str(runs), runs=runs)), "M") for runs in (2, 3)
    }
    assert said == {2: ["M has more runs computed."], 3: []}
    unfinished = make_experiment(tmp_path, state="interrupted", runs=5, complete=2)
    assert advice(snapshot_of(unfinished), "M") == []


# One run


def test_the_details_of_a_run_have_its_stages_losses_counts_and_attack(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=3)
    snapshot = snapshot_of(experiment, NOW)
    found = "\n".join(line.plain for line in details(snapshot, snapshot.runs[1], str))
    metrics = snapshot.metrics[1]
    for stage, seconds in snapshot.runs[1].seconds.items():
        assert f"{stage:<15}{seconds:>8.1f} s" in found
    assert f"{metrics.counts.misclassified:,} misclassified" in found
    assert f"{metrics.counts.adversarial:,} adversarial" in found
    assert f"{metrics.surrogate_accuracy:.4f}" in found
    losses = snapshot.runs[1].losses
    assert len(losses) == snapshot.spec.epochs == 3
    assert f"{losses[-1]:.4f} after epoch 3 of 3" in found
    # The curve falls as the losses do: 24 steps from 0 to the highest.
    lines = found.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("loss"))
    curve = [line[27:36].ljust(9) for line in lines[start : start + 3]]
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row[3 * epoch]) for row in curve) for epoch in range(len(losses))]
    assert heights == [round(24 * loss / max(losses)) for loss in losses]


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=90))
def test_any_losses_make_a_curve(losses: list[float]) -> None:
    told = view(0, status=RunStatus.RUNNING, losses=tuple(losses), epochs=len(losses))
    lines = list(details(replace(RUNNING, runs=(told,)), told, str))
    assert all(len(line.plain) < 100 for line in lines)


# Numbers in few cells


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.5, "0.5"), (12, "12"), (999, "999"), (1200, "1.2k"), (45_000, "45k"), (3.1e6, "3.1M")],
)
def test_a_rate_has_four_cells(number: float, text: str) -> None:
    assert short(number) == text


def test_shares_are_never_more_than_is_done() -> None:
    assert [percent(share) for share in (0.0, 0.999, 1.0, 2.0, -1.0)] == [
        "0 %",
        "99 %",
        "100 %",
        "100 %",
        "0 %",
    ]
    assert bar(0.99, 9) == "████████░"
    assert [clock(seconds) for seconds in (7, 754, 3720, 9e5)] == ["0:07", "12:34", "1h02m", "250h"]
