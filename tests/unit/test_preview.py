"""The preview says what the experiment's own records say."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import mean

import pytest

from core.records.annotations import Annotations, write_annotations
from core.records.overview import Overview, OverviewReader
from core.records.state import read_state
from tests.fakes.experiments import State, make_experiment
from tui_aefit.following.preview import accuracies, answer, estimate, facts, read_preview


def only(home: Path) -> Overview:
    (one,) = OverviewReader(home).look()
    return one


def test_of_a_complete_one(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=4, z=5, splits="folds")
    write_annotations(experiment.folder, Annotations("mine", ("fig5", "b"), "two\nlines\x1b[0m"))
    one, full = only(tmp_path), read_state(experiment)
    preview = read_preview(one)
    assert full.statistics is not None
    assert preview.statistics == full.statistics
    (short,) = (text for text in full.statistics.verdict if text.startswith("In short: "))
    said = answer(preview)
    assert said[1:-1] in short
    assert said.endswith(".")
    words = dict(facts(preview, one.created + 7200))
    runs = full.results.values()
    counts = [run.counts for run in runs]
    assert words["images"] == (
        f"D {mean(c.adversarial for c in counts):,.1f} of {mean(c.candidates for c in counts):,.1f} candidates, "
        f"M {mean(c.misclassified for c in counts):,.1f} of {mean(c.test for c in counts):,.0f} test images"
    ).replace(".0 ", " ")
    (rise,) = (
        claim
        for claim in full.statistics.claims
        if (claim.name, claim.sets) == ("crossfit_rise", ("adversarial", "misclassified"))
    )
    assert words["decides"] == f"rise D − M {estimate(rise)}"
    assert words["settings"] == "mnist, fgsm, epsilon 0.1, K 5 to 1; splits folds; z 5"
    assert words["tags"] == "#fig5 #b"
    assert words["note"] == "two\nlines�[0m"
    assert words["folder"] == str(experiment.folder)
    assert words["created"].endswith(", 2h ago")
    assert words["runs"].startswith("4 of 4 runs, ")
    header, *rows = accuracies(preview)
    assert header == ["K", "5", "3", "1"]
    for name, *cells in rows:
        for level, cell in zip(("5", "3", "1"), cells, strict=True):
            assert float(cell) == pytest.approx(
                mean(run.accuracy[name][level] or 0.0 for run in runs), abs=5e-4
            )
    assert [name for name, *_ in rows] == ["test", "misclassified", "adversarial", "noise"]


@pytest.mark.parametrize(("state", "said"), [("created", "not started: no run is complete yet"),
                                             ("refused", "images of class 3")])  # fmt: skip
def test_without_results_it_says_how_it_stands(tmp_path: Path, state: State, said: str) -> None:
    make_experiment(tmp_path, state=state, runs=3)
    preview = read_preview(only(tmp_path))
    assert answer(preview).startswith(said)
    assert accuracies(preview) == []
    assert "images" not in dict(facts(preview, 0.0))


def test_numbers_over_other_runs_than_there_are_are_told_of(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=3)
    shutil.rmtree(experiment.run_folder(1) / "result")
    assert dict(facts(read_preview(only(tmp_path)), 0.0))["runs"].endswith("; the numbers are over 3")


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "experiments" / "rubbish").mkdir(parents=True)
    preview = read_preview(only(tmp_path))
    assert answer(preview) == "it holds no file spec.toml"
    assert dict(facts(preview, 0.0))["state"] == "? unreadable: it holds no file spec.toml"


def test_results_of_an_older_version_have_an_answer_too(tmp_path: Path) -> None:
    make_experiment(tmp_path, runs=3, deciding=False)
    preview = read_preview(only(tmp_path))
    assert "have not measured what decides" in answer(preview)
    assert "decides" not in dict(facts(preview, 0.0))
