"""A study's results are those of its experiments; what changes along an axis is what SciPy finds in their files."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy import stats

from core.records.experiment import Experiment, load
from core.records.overview import OverviewReader
from core.records.results import publish, read_result
from core.records.state import read_state
from core.records.study import Study, load_study
from core.records.study_state import CellStatus
from core.report.attack_figures import rates
from core.report.differences import key_title
from core.report.quantities_by_run import ACCURACY, FOOLED, IMAGES, Key
from core.report.result import result_of
from core.report.study.changes import Change, changes
from core.report.study.result import StudyResult, study_result
from core.report.study.text import study_table
from core.report.study.words import along, decided, place_name
from tests.fakes.experiments import write_no_arrays
from tests.fakes.study_numbers import RUNS, make_varied_study

RISE = Key("crossfit_rise", ("adversarial", "misclassified"))
SHARE = Key("selection_share", ("adversarial",))
A_OF_D = Key(ACCURACY, ("adversarial",))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    home = tmp_path_factory.mktemp("home")
    return make_varied_study(home, {"attack": ["fgsm", "pgd"], "epsilon": [0.05, 0.1, 0.2]})


@pytest.fixture(scope="module")
def result(study: Study) -> StudyResult:
    return study_result(study)


def metrics_on_disk(study: Study, place: int) -> list[dict[str, object]]:
    folder = study.folder_of(study.cells[place]) / "runs"
    return [json.loads((folder / f"{run:04}" / "result" / "metrics.json").read_text()) for run in range(RUNS)]


def rises(study: Study, place: int) -> list[float]:
    """Of each run, by hand: the cross-fitted rise on adversarial images less that on mistakes."""
    found = []
    for run in metrics_on_disk(study, place):
        crossfit = run["crossfit"]
        assert isinstance(crossfit, dict)
        on = {name: crossfit[name]["1"] - crossfit[name]["7"] for name in ("adversarial", "misclassified")}
        found.append(on["adversarial"] - on["misclassified"])
    return found


def overlap_of(study: Study, place: int) -> float:
    counts = metrics_on_disk(study, place)[0]["counts"]
    assert isinstance(counts, dict)
    return float(counts["test"] / counts["train"])


def place_of(study: Study, identity: str) -> int:
    return next(place for place, cell in enumerate(study.cells) if cell.id == identity)


def test_a_cell_says_what_its_experiment_says(study: Study, result: StudyResult) -> None:
    assert result.axes == {"attack": ("fgsm", "pgd"), "epsilon": (0.05, 0.1, 0.2)}
    assert [cell.id for cell in result.cells] == [cell.id for cell in study.cells]
    for cell, of_study in zip(result.cells, study.cells, strict=True):
        whole = result_of(read_state(load(study.folder_of(of_study))))
        assert of_study.spec is not None
        assert cell.settings == {name: of_study.spec.values[name] for name in ("attack", "epsilon")}
        assert (cell.claims, cell.summary) == (whole.claims, whole.summary)
        assert (cell.status, cell.complete, cell.runs) == (CellStatus.COMPLETE, RUNS, RUNS)
        assert (cell.fooled, cell.hit) == rates(whole)
        assert cell.statistics_runs == whole.statistics_runs == tuple(range(RUNS))
        assert cell.tests == tuple(one for one in whole.tests if one.sets == ("adversarial", "misclassified"))


def test_what_the_runs_measured_is_what_their_files_say(study: Study, result: StudyResult) -> None:
    for place, cell in enumerate(result.cells):
        runs = metrics_on_disk(study, place)
        measured = cell.measured
        assert measured is not None
        assert list(measured.by_run(RISE).values()) == pytest.approx(rises(study, place))
        at_1 = [run["accuracy"]["adversarial"]["1"] for run in runs]  # type: ignore[index]
        assert list(measured.by_run(A_OF_D).values()) == at_1
        assert measured.by_run(A_OF_D._replace(level="1")) == measured.by_run(A_OF_D)
        at_3 = [run["accuracy"]["adversarial"]["3"] for run in runs]  # type: ignore[index]
        assert list(measured.by_run(A_OF_D._replace(level="3")).values()) == at_3
        fooled = [run["attack"]["surrogate_fooled"] for run in runs]  # type: ignore[index]
        assert list(measured.by_run(Key(FOOLED)).values()) == fooled
        sizes = [run["counts"]["sets"]["misclassified"] for run in runs]  # type: ignore[index]
        assert list(measured.by_run(Key(IMAGES, ("misclassified",))).values()) == sizes
        assert measured.by_run(Key("unheard of")) == {}
        assert measured.overlap == overlap_of(study, place)


def test_the_json_form_has_the_fields_of_the_contract(result: StudyResult) -> None:
    found = json.loads(result.to_text())
    assert list(found) == ["schema_version", "study", "cells"]
    assert found["study"] == {
        "name": "ours", "axes": {"attack": ["fgsm", "pgd"], "epsilon": [0.05, 0.1, 0.2]}
    }  # fmt: skip
    first = found["cells"][0]
    assert list(first) == ["settings", "id", "status", "complete", "runs", "claims"]
    assert first["settings"] == {"attack": "fgsm", "epsilon": 0.05}
    assert (first["status"], first["complete"], first["runs"]) == ("complete", RUNS, RUNS)
    claim = next(c for c in first["claims"] if (c["name"], c["sets"]) == (RISE.name, list(RISE.sets)))
    assert {"estimate", "ci95", "margin", "decision", "n", "reason"} < set(claim)


def test_an_experiment_in_which_nothing_changed_is_not_read_again(study: Study) -> None:
    reader = OverviewReader(study.home)
    before = study_result(study, reader)
    after = study_result(study, reader, before)
    assert after == before
    assert all(new.measured is old.measured for new, old in zip(after.cells, before.cells, strict=True))


def test_experiments_in_every_state(tmp_path: Path) -> None:
    study = make_varied_study(
        tmp_path, {"epsilon": [0.05, 0.1, 0.2, 0.3]}, states={0: "interrupted", 1: None, 2: "refused"}
    )
    result = study_result(study)
    by_epsilon = {cell.settings["epsilon"]: cell for cell in result.cells}
    assert [cell.status.value for cell in result.cells] == ["interrupted", "waiting", "refused", "complete"]
    assert (by_epsilon[0.05].complete, by_epsilon[0.05].statistics_runs) == (1, (0,))
    assert by_epsilon[0.1].claims == ()
    assert by_epsilon[0.1].measured is None
    assert "images of class 3" in by_epsilon[0.2].reason
    text = study_table(result, 80)
    assert "1 of 4 experiments, 5 of 16 runs" in text
    assert "images of class 3" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    # Two experiments have runs, one of them one only: nothing is decided between them.
    (rise,) = changes(result, "epsilon", [RISE])
    assert (rise.first, rise.second) == (0.05, 0.3)
    assert (rise.difference.n, rise.difference.reason) == (1, "too_few_runs")


def test_a_study_of_which_nothing_is_computed(tmp_path: Path) -> None:
    study = make_varied_study(tmp_path, {"epsilon": [0.05, 0.1]}, states={0: None, 1: None})
    result = study_result(study)
    assert changes(result, "epsilon") == []
    text = study_table(result, 80)
    assert "waiting" in text
    assert "Along" not in text


def test_a_cell_without_a_specification_stays_in_the_table(tmp_path: Path) -> None:
    study = make_varied_study(tmp_path, {"epsilon": [0.05, 0.1]})
    path = study.folder / "study.toml"
    path.write_text(path.read_text().replace("epsilon = 0.1", 'epsilon = 0.1, attack = "unheard-of"'))
    result = study_result(load_study(study.folder))
    lost = next(cell for cell in result.cells if cell.spec is None)
    assert (lost.status, lost.settings) == (CellStatus.UNREADABLE, {})
    assert lost.id in study_table(result, 80)


# What changes


def steps(found: Sequence[Change]) -> list[tuple[object, object, bool, bool]]:
    return [(one.first, one.second, one.step, one.leading) for one in found]


def test_neighbours_and_both_ends_are_compared_along_numbers(result: StudyResult) -> None:
    found = changes(result, "epsilon", [RISE])
    expected = [(0.05, 0.1, True, False), (0.1, 0.2, True, False), (0.05, 0.2, False, True)]
    for attack in ("fgsm", "pgd"):
        assert steps([one for one in found if one.fixed == {"attack": attack}]) == expected
    assert len(found) == 2 * len(expected)


def test_each_is_compared_with_each_along_names(tmp_path: Path) -> None:
    study = make_varied_study(tmp_path, {"attack": ["fgsm", "pgd", "deepfool"]})
    found = changes(study_result(study), "attack", [RISE])
    assert [(one.first, one.second) for one in found] == [
        ("fgsm", "pgd"), ("fgsm", "deepfool"), ("pgd", "deepfool")
    ]  # fmt: skip
    assert all(one.leading for one in found)


@pytest.mark.parametrize("axis", ["attack", "epsilon"])
def test_experiments_that_share_splits_are_paired_by_run(
    study: Study, result: StudyResult, axis: str
) -> None:
    found = changes(result, axis, [RISE])
    assert found
    for one in found:
        first, second = (place_of(study, identity) for identity in one.ids)
        d = np.subtract(rises(study, second), rises(study, first))
        error = d.std(ddof=1) * math.sqrt(1 / RUNS + overlap_of(study, first))
        assert one.difference.test == "nadeau_bengio"
        assert one.difference.estimate == pytest.approx(d.mean())
        expected = stats.t.interval(0.95, RUNS - 1, loc=d.mean(), scale=error)
        assert one.difference.ci95 == pytest.approx(expected)
        assert one.difference.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, RUNS - 1))


def test_p_values_are_adjusted_over_an_axis(result: StudyResult) -> None:
    found = changes(result, "epsilon", [RISE, SHARE])
    for key in (RISE, SHARE):
        of_key = [one for one in found if one.key == key]
        ps = sorted((one.difference.p, one.p_holm) for one in of_key)
        largest = 0.0
        for rank, (p, adjusted) in enumerate(ps):
            assert p is not None
            largest = max(largest, min(1.0, p * (len(ps) - rank)))
            assert adjusted == pytest.approx(largest)


def test_experiments_of_other_splits_are_compared_by_welch(tmp_path: Path) -> None:
    study = make_varied_study(tmp_path, {"seed": [0, 1]})
    (one,) = changes(study_result(study), "seed", [RISE])
    samples = [rises(study, place_of(study, identity)) for identity in one.ids]
    wider = math.sqrt(1 + RUNS * overlap_of(study, 0))
    sides = [s for values in reversed(samples)
             for s in (np.mean(values), np.std(values, ddof=1) * wider, RUNS)]  # fmt: skip
    assert one.difference.test == "welch"
    assert one.difference.p == pytest.approx(stats.ttest_ind_from_stats(*sides, equal_var=False).pvalue)


def test_another_data_set_under_the_same_name_is_not_paired(study: Study, result: StudyResult) -> None:
    """Its images have another checksum in some run that both have."""
    cells = list(result.cells)
    measured = cells[0].measured
    assert measured is not None
    cells[0] = dataclasses.replace(
        cells[0], measured=dataclasses.replace(measured, data=("f" * 64, *measured.data[1:]))
    )
    found = changes(dataclasses.replace(result, cells=tuple(cells)), "epsilon", [RISE])
    tests = {one.ids: one.difference.test for one in found}
    assert {test for ids, test in tests.items() if cells[0].id in ids} == {"welch"}
    assert {test for ids, test in tests.items() if cells[0].id not in ids} == {"nadeau_bengio"}


def test_words_say_of_each_pair_what_its_interval_says(result: StudyResult) -> None:
    every = [change.difference.decision for axis in result.axes for change in changes(result, axis)]
    assert {"higher", "same", "undecided"} <= set(every)
    for axis in result.axes:
        found = changes(result, axis)
        told = along(found)
        leading = [one for one in found if one.leading]
        assert [one.title for one in told] == list(
            dict.fromkeys(f"{axis}: {one.second} against {one.first}" for one in leading)
        )
        for change in leading:
            one = next(x for x in told if x.title == f"{axis}: {change.second} against {change.first}")
            decision = change.difference.decision
            where = {"same": one.same, "undecided": one.undecided}.get(decision, one.changed)
            shown = shown_difference(change)
            title = key_title(change.key)
            assert any(shown in phrase for phrase in where if phrase.startswith(title))
            others = {*one.same, *one.undecided, *one.changed} - set(where)
            assert not any(shown in phrase for phrase in others if phrase.startswith(title))
            if where is one.changed:
                assert any(f"{title} {decision} " in phrase for phrase in where)


def shown_difference(change: Change) -> str:
    found = change.difference
    if found.ci95 is None:
        return f"{place_name(change.fixed)} exactly {found.estimate:+z.3f} in every run"
    low, high = found.ci95
    return f"{place_name(change.fixed)} {found.estimate:+z.3f} [{low:+z.3f}, {high:+z.3f}]"


def test_decisions_of_the_experiments_are_counted(result: StudyResult) -> None:
    for line in decided(result):
        title, _, rest = line.partition(": ")
        name = {"cross-fit rise, D - M": RISE, "selected share, D": SHARE}.get(title)
        if name is None:
            continue
        claims = [cell.by_quantity[name.name, name.sets] for cell in result.cells]
        kinds = {claim.decision for claim in claims}
        if len(kinds) == 1:
            assert f"in all {len(claims)} experiments" in rest
        low, high = min(c.estimate for c in claims), max(c.estimate for c in claims)
        assert f"{low:+.3f}" in rest
        assert f"{high:+.3f}" in rest


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_table_has_every_number_of_the_claims_it_shows(result: StudyResult, width: int) -> None:
    text = study_table(result, width)
    assert all(len(line) <= width for line in text.splitlines())
    for cell in result.cells:
        for key in (RISE, SHARE):
            claim = cell.by_quantity[key.name, key.sets]
            assert claim.ci95 is not None
            low, high = claim.ci95
            assert f"{claim.estimate:+.3f} [{low:+.3f}, {high:+.3f}] {claim.decision}" in text
        assert cell.summary is not None
        assert f"{cell.summary.accuracy['adversarial']['1'].mean:.4f}" in text
        assert f"{cell.fooled:.4f}" in text


def test_the_table_says_where_numbers_are_over_other_runs(tmp_path: Path) -> None:
    study = make_varied_study(tmp_path, {"epsilon": [0.05, 0.1]})
    assert "over other runs" not in study_table(study_result(study), 80)
    run = load(study.folder_of(study.cells[0])).run_folder(1)
    older = load(study.folder_of(study.cells[1])).run_folder(0)
    assert run.is_dir()
    # The last run's result was lost and the study asks for no more than the others.
    fewer = make_varied_study(tmp_path, {"epsilon": [0.3]}, name="fewer", runs=3)
    lost = load(fewer.folder_of(fewer.cells[0]))
    lost.extend(4)
    publish_like(lost, older)
    assert "Of 1 experiment the numbers are over other runs" in " ".join(
        study_table(study_result(fewer), 80).split()
    )


def publish_like(experiment: Experiment, other_run: Path) -> None:
    """The experiment gets its last run, with the numbers of another, and no statistics over it."""
    found = read_result(other_run / "result")
    assert found is not None
    last = experiment.reloaded().spec.runs - 1
    metrics = msgspec.structs.replace(found, experiment=experiment.spec.digest, index=last)
    publish(experiment.run_folder(last), metrics, write_no_arrays)
