"""docs/result.md: its tables and real results have the same fields, files, columns and words, of the same types."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, get_args

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from core.deciding.halves import draw_subsets
from core.families.voting import SUBSETS
from core.records.arrays import write_arrays
from core.records.candidates import CandidateFiles
from core.records.deciding import BiasVariance, CrossFit, Decomposition, Flips, LevelRobustness, Robustness
from core.records.environment import Environment
from core.records.experiment import Experiment, load
from core.records.metrics import SCHEMA_VERSION, AttackFigures, Counts, RunMetrics
from core.records.state import read_state
from core.records.statistics import (
    Claim,
    Decision,
    Direction,
    Quantity,
    Reason,
    StatisticalTest,
    Summary,
    TestName,
)  # fmt: skip
from core.records.status import ExperimentStatus, RunStatus
from core.records.study import Study
from core.records.study_state import CellStatus
from core.records.types import Record
from core.report.columnar.parquet import long_parquet, study_parquet
from core.report.formats import OWN_TABLES, TABLES
from core.report.result import Result, result_of
from core.report.study.result import study_result
from core.report.study.tables import study_csv, study_long
from core.report.tables.long import long_csv
from core.spec.spec import Spec
from core.statistics.quantities import quantities
from tests.fakes.arrays import add_gallery, draw_arrays
from tests.fakes.experiments import make_experiment
from tests.fakes.plugins import install
from tests.fakes.studies import make_study
from tests.unit.test_candidate_files import NUMBERS, SHAPE, block_of

PAGE = (Path(__file__).parents[2] / "docs" / "result.md").read_text(encoding="utf-8")
Json = dict[str, Any]


class Row(NamedTuple):
    """A row of a table of the page. fields: name -> type, as the page calls it; "" where it has none."""

    of: str
    fields: dict[str, str]
    meaning: str


def _rows(heading: str) -> Iterator[Row]:
    """All rows of the tables under a heading such as "Object"; an empty first cell means the one above."""
    table, of = "", ""
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if not cells:
            table = table if line.startswith("|---") else ""
        elif not table:
            table = cells[0]
        elif table == heading:
            first, fields, meaning = cells if len(cells) == 3 else (*cells, "")
            of = first or of
            yield Row(of, dict(_fields(fields)), meaning)


def _fields(cell: str) -> Iterator[tuple[str, str]]:
    """The fields of a cell such as "`n`, `m` integer; `p` share", each with its type."""
    for part in cell.split(";"):
        kind = part.rpartition("`")[2].strip()
        yield from ((name, kind) for name in _quoted(part))


def _quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def _by_first(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """First cell -> every field that stands with it."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        there = found.setdefault(row.of, {})
        assert not there.keys() & row.fields.keys(), f"twice of {row.of}: {row.fields}"
        there |= row.fields
    return found


OBJECTS = list(_rows("Object"))
FIELDS = _by_first(OBJECTS)


# What the program writes


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def experiment(home: Path) -> Experiment:
    """One complete run, one that failed, one that has lost its arrays; the first with every file there can be."""
    made = make_experiment(
        home, state="failed", runs=4, keep="candidates", z=3, controls=("noise", "noise-matched", "matched")
    )
    (made.run_folder(3) / "result" / "arrays.npz").unlink()
    folder, spec = made.run_folder(0) / "result", made.spec
    arrays = draw_arrays(spec, 0)
    parts, random = [arrays["half"] == half for half in (0, 1)], np.random.default_rng(0)
    arrays["subset"] = np.stack([draw_subsets(part, SUBSETS, random) for part in parts])
    write_arrays(folder / "arrays.npz", arrays, spec.ladder)
    add_gallery(made, 0)
    with CandidateFiles(made.run_folder(0), NUMBERS, SHAPE) as files:
        files.add(*block_of(5, 0, halves=True))
        files.finish(folder)
    return made


@pytest.fixture(scope="module")
def result(experiment: Experiment) -> Result:
    return result_of(read_state(experiment))


@pytest.fixture(scope="module")
def study(home: Path) -> Study:
    """Two experiments, the first complete; for some of their settings an axis."""
    return make_study(home, {"epsilon": [0.05, 0.1]}, ("complete", None), controls=("noise",))


@pytest.fixture(scope="module")
def objects(result: Result, study: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Json]]:
    """What the page calls an object -> all of it in a result and a study. Of runs[] those with a result count."""
    whole = json.loads(result.to_text())
    of_study = json.loads(study_result(study).to_text())
    runs = [run for run in whole["runs"] if run["counts"] is not None]
    crossfits = [run[name] for run in runs for name in ("crossfit", "crossfit_fitted")]
    decomposed = [run["bias_variance"] for run in runs]
    sets = [one for name, one in decomposed[0].items() if name != "subsets"]
    both = [one for run in runs for one in (run["noise"], *run["variants"].values())]
    robust = [*(run["robustness"] for run in runs), *(one["robustness"] for one in both)]
    folder = tmp_path_factory.mktemp("plug-ins")
    with pytest.MonkeyPatch.context() as patch:
        install(folder, patch)
        specs = [Spec(attack=attack).to_json() for attack in ("deepfool", "pgd")]
        of_plugin = Spec(controls=("half",)).to_json()
    return {
        "result": [whole],
        "ladder": [whole["ladder"]],
        "spec": [whole["spec"], *specs, of_plugin],
        "environment": [whole["environment"], *(run["environment"] for run in runs)],
        "runs[]": whole["runs"],
        "counts": [run["counts"] for run in runs],
        "figures": [one for run in runs for one in (run["attack"], *run["sets"].values())],
        "crossfit": crossfits,
        "bias_variance": decomposed,
        "decomposition": [one for by_level in sets for one in by_level.values()],
        "robustness": [one for by_level in robust for one in by_level.values()],
        "flips": [*(run["flips"] for run in runs), *(one["flips"] for one in both)],
        "both": both,
        "summary": [one for by_level in whole["summary"]["accuracy"].values() for one in by_level.values()],
        "tests[]": whole["tests"],
        "claims[]": whole["claims"],
        "study result": [of_study],
        "study": [of_study["study"]],
        "cells[]": of_study["cells"],
    }


# JSON


def test_every_field_stands_in_the_page_and_every_one_there_exists(objects: Mapping[str, list[Json]]) -> None:
    words = {"claim", "reason"}
    assert FIELDS.keys() - words == objects.keys()
    for name, found in objects.items():
        assert found
        assert FIELDS[name].keys() == {key for one in found for key in one}, name


RECORDS: Mapping[str, type[Record]] = {
    "result": Result,
    "environment": Environment,
    "runs[]": RunMetrics,
    "counts": Counts,
    "figures": AttackFigures,
    "crossfit": CrossFit,
    "bias_variance": BiasVariance,
    "decomposition": Decomposition,
    "robustness": LevelRobustness,
    "flips": Flips,
    "both": Robustness,
    "summary": Summary,
    "tests[]": StatisticalTest,
    "claims[]": Claim,
}
"""What holds an object before it is JSON: its types say what can be null."""


def _is_interval(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] <= value[1]


def _is_list_of(kind: type, value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is kind for one in value)


CHECKS: dict[str, Callable[[Any], bool]] = {
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "share": lambda value: type(value) in (int, float) and 0 <= value <= 1,
    "text": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "list": lambda value: isinstance(value, list),
    "texts": partial(_is_list_of, str),
    "integers": partial(_is_list_of, int),
    "interval": _is_interval,
    "object": lambda value: isinstance(value, dict),
}


def test_every_value_has_the_type_of_its_line(objects: Mapping[str, list[Json]]) -> None:
    measured = {**objects, "runs[]": [run for run in objects["runs[]"] if run["counts"] is not None]}
    for row in OBJECTS:
        for name, kind in row.fields.items():
            values = [one[name] for one in measured.get(row.of, []) if name in one]
            for value in values:
                check = CHECKS["object" if kind in FIELDS else kind]
                assert value is None or check(value), (row.of, name, value)


def _has_null(kind: Any) -> bool:
    """Whether a type, or what a container of it holds, can be None."""
    return kind is NoneType or any(_has_null(one) for one in get_args(kind))


def test_the_line_of_what_can_be_null_says_so(objects: Mapping[str, list[Json]]) -> None:
    for row in OBJECTS:
        records = RECORDS.get(row.of)
        fields = msgspec.structs.fields(records) if records else ()
        nullable = {field.name for field in fields if _has_null(field.type)}
        for name in row.fields:
            is_null = row.of != "runs[]" and any(one.get(name, 0) is None for one in objects.get(row.of, []))
            if is_null or name in nullable:
                assert "null" in row.meaning, (row.of, name)


def test_the_whole_of_a_run_without_a_result_is_null(result: Result) -> None:
    lacking = [run for run in json.loads(result.to_text())["runs"] if run["counts"] is None]
    assert {run["status"] for run in lacking} == {"failed", "pending"}
    for run in lacking:
        there = {name for name, value in run.items() if value is not None}
        assert there - {"error", "hint", "problem"} == {"index", "status"}


def test_a_result_of_version_1_is_read_as_the_page_says() -> None:
    (folder,) = (Path(__file__).parents[1] / "first_version" / "experiments").iterdir()
    whole = json.loads(result_of(read_state(load(folder))).to_text())
    assert (whole["schema_version"], whole["spec"]["schema_version"]) == (SCHEMA_VERSION, 1)
    (said,) = re.findall(
        r"is 1;(.*?)of a run are null,(.*?) empty;.*?its sets(.*?)are called(.*?)\.", PAGE, re.DOTALL
    )
    nulls, empty, old, new = map(_quoted, said)
    for run in whole["runs"]:
        assert {name for name, value in run.items() if value is None} == {*nulls}
        assert {name for name, value in {**whole, **run}.items() if value in ([], {})} == {*empty}
        assert {*new} <= run["accuracy"].keys()
        assert not {*old} & run["accuracy"].keys()
    metrics = json.loads((folder / "runs" / "0000" / "result" / "metrics.json").read_bytes())
    assert {*old} <= metrics["accuracy"].keys()
    assert "ladder" not in metrics
    assert metrics["noise"].keys() == FIELDS["figures"].keys()
    assert "distinct" in metrics["counts"]["matched"]
    gallery = np.load(folder / "runs" / "0000" / "result" / "gallery.npz")
    assert {"k", *(f"{name}.label" for name in old)} <= {*gallery}
    assert not {"level", "knob"} & {*gallery}


def test_its_words_are_those_of_the_program(result: Result) -> None:
    unread = {ExperimentStatus.NEWER, ExperimentStatus.UNREADABLE}
    assert _words("result", "status") == {*ExperimentStatus} - unread
    assert _words("runs[]", "status") == {*RunStatus}
    assert _words("cells[]", "status") == {*CellStatus, "cells"}
    assert _words("tests[]", "quantity") == {*get_args(Quantity)}
    assert _words("tests[]", "test") == {*get_args(TestName)}
    assert _words("tests[]", "direction") == {*get_args(Direction)}
    assert _words("claims[]", "decision") == {*get_args(Decision)}
    assert FIELDS["reason"].keys() == {*get_args(Reason)}
    claims = quantities(result.ladder, result.spec.controls)
    assert FIELDS["claim"].keys() == {claim.name for claim in claims}
    assert f"`schema_version` of a result is {SCHEMA_VERSION}" in PAGE


def _words(of: str, field: str) -> set[str]:
    """What is quoted in the line of a field."""
    (row,) = (row for row in OBJECTS if row.of == of and field in row.fields)
    return {*_quoted(row.meaning)}


# Files


def test_the_lines_that_open_the_files_open_them_and_name_what_is_there(
    experiment: Experiment, result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(experiment.run_folder(0) / "result")
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    opened: dict[str, Any] = {}
    exec(code, opened)
    named = _by_first(_rows("File"))
    files = {path.name for path in Path().iterdir()}
    assert named.keys() == files
    run = json.loads(result.to_text())["runs"][0]
    assert opened["metrics"].keys() - run.keys() == named["metrics.json"].keys()
    assert run.keys() - opened["metrics"].keys() == {"status"}
    for name, kind in named["metrics.json"].items():
        assert CHECKS[kind](opened["metrics"][name])

    spec = experiment.spec
    arrays = opened["arrays"]
    (m, height, width, channels), levels = arrays["adversarial_image"].shape, len(spec.ladder.levels)
    n, train = len(arrays["test_index"]), len(arrays["train_index"])
    sizes = {"L": levels, "H": height, "W": width, "C": channels, "n": n, "m": m, "N-n": train, "B": SUBSETS}
    _compare(named["arrays.npz"], arrays, sizes)
    gallery = opened["gallery"]
    g, _, k = gallery["adversarial.near_label"].shape
    u, classes = len(gallery["near_picture"]), len(gallery["class_names"])
    of_gallery = {name.replace("SET.", "adversarial."): kind for name, kind in named["gallery.npz"].items()}
    _compare(of_gallery, gallery, {**sizes, "g": g, "k": k, "u": u, "classes": classes})
    of_candidates = {"L": len(NUMBERS.levels), "m": 5, **dict(zip("HWC", SHAPE, strict=True))}
    _compare(named["candidates.npz"], opened["candidates"], of_candidates)
    image = {"candidate_image": opened["candidate_image"]}
    _compare(named["candidate_image.npy"], image, of_candidates)


def _compare(named: Mapping[str, str], arrays: Mapping[str, NDArray[Any]], sizes: Mapping[str, int]) -> None:
    """Whether exactly these arrays are there. named: name -> shape, by the letters of `sizes`, and type."""
    assert named.keys() == {*arrays}
    for name, words in named.items():
        found = re.fullmatch(r"\((.*)\) (\w+)", words)
        assert found is not None, words
        shape = [one.strip() for one in found[1].split(",") if one.strip()]
        expected = tuple(int(one) if one.isdigit() else sizes[one] for one in shape)
        assert arrays[name].shape == expected, name
        kind = arrays[name].dtype
        assert found[2] == ("str" if kind.kind == "U" else kind.name), name


# Tables

PARQUET = {"integer": "int64", "number": "double", "text": "string"}


def test_the_long_tables_have_these_columns_of_these_types(result: Result) -> None:
    of_tables = _by_first(_rows("Table"))
    of_own = {name: of_tables.pop(name) for name in OWN_TABLES}
    assert of_own
    assert {name for words in of_tables for name in words.split(", ")} == {"all", *TABLES}
    for table in TABLES:
        wanted = [fields for words, fields in of_tables.items() if {"all", table} & {*words.split(", ")}]
        columns = {name: PARQUET[kind] for fields in wanted for name, kind in fields.items()}
        (header, *_) = csv.reader(io.StringIO(long_csv(result, table)))
        assert sorted(header) == sorted(columns), table
        schema = pq.read_schema(io.BytesIO(long_parquet(result, table)))
        assert {field.name: str(field.type) for field in schema} == columns, table


def test_the_parts_and_measures_of_the_table_deciding_are_named(result: Result) -> None:
    rows = list(csv.DictReader(io.StringIO(long_csv(result, "deciding"))))
    meaning = {name: row.meaning for row in _rows("Table") for name in row.fields if row.of == "deciding"}
    assert {*_quoted(meaning["part"])} == {row["part"] for row in rows}
    measures = {row["measure"] for row in rows}
    own = {*_quoted(meaning["measure"])} - {"variants"}
    fields = {name for of in ("decomposition", "robustness", "flips") for name in FIELDS[of]}
    assert own <= measures
    assert measures == own | fields


def test_the_tables_of_a_study_have_these_columns_of_these_types(study: Study) -> None:
    named, found = _by_first(_rows("Table")), study_result(study)
    ends = {"claim": ("_ci95_low", "_ci95_high", "_decision"), "mean": ("_ci95_low", "_ci95_high")}
    for table in OWN_TABLES:
        columns = {axis: PARQUET["number"] for axis in found.axes}
        for name, kind in named[table].items():
            columns[name] = PARQUET[{"claim": "number", "mean": "number"}.get(kind, kind)]
            for end in ends.get(kind, ()):
                columns[name + end] = PARQUET["text" if end == "_decision" else "number"]
        (header, *_) = csv.reader(io.StringIO(study_csv(study, found, table)))
        assert sorted(header) == sorted(columns), table
        schema = pq.read_schema(io.BytesIO(study_parquet(study_long(study, found, table), found.axes)))
        assert {field.name: str(field.type) for field in schema} == columns, table
