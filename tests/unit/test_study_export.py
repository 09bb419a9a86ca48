"""`study export` and `study report`: what is written, where, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.errors import AefitError
from core.records.study import Study
from tests.fakes.study_numbers import make_varied_study
from tui_aefit.shell.console import Console
from tui_aefit.shell.options import parse
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.study_export import export, report

MAGIC = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return make_varied_study(
        tmp_path_factory.mktemp("home"), {"attack": ["fgsm", "pgd"], "epsilon": [0.05, 0.1]}
    )


def options_of(*words: str) -> dict[str, Any]:
    return vars(parse(["study", "export", "ours", *words]))


def exported(study: Study, *words: str) -> int:
    return export(options_of(*words), Settings({"home": str(study.home)}), Console(quiet=True))


def test_json_is_the_default(capsys: pytest.CaptureFixture[str], study: Study) -> None:
    assert exported(study) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["study"]["name"] == "ours"
    assert len(found["cells"]) == 4


def test_texts_go_to_standard_output_or_a_file(
    capsys: pytest.CaptureFixture[str], study: Study, tmp_path: Path
) -> None:
    exported(study, "--format", "csv")
    shown = capsys.readouterr().out
    assert len(list(csv.DictReader(io.StringIO(shown)))) == 4
    exported(study, "--format", "csv", "--output", str(tmp_path / "cells.csv"))
    assert (tmp_path / "cells.csv").read_text() == shown
    exported(study, "--format", "latex", "--table", "changes")
    assert "tab:ours-changes-epsilon" in capsys.readouterr().out


@pytest.mark.slow
def test_other_files_go_to_the_exports_of_the_study(capsys: pytest.CaptureFixture[str], study: Study) -> None:
    exported(study, "--format", "parquet", "--table", "claims")
    path = Path(capsys.readouterr().out.strip())
    assert path == study.folder / "exports" / "ours-claims.parquet"
    assert "epsilon" in pq.read_table(path).column_names
    exported(
        study, "--format", "svg", "--figure", "curve", "--quantity", "accuracy@3", "--sets", "noise,test"
    )
    path = Path(capsys.readouterr().out.strip())
    assert path.name == "ours-accuracy-3-curve.svg"
    assert path.read_bytes().startswith(MAGIC["svg"])


@pytest.mark.slow
def test_the_report_is_one_page(capsys: pytest.CaptureFixture[str], study: Study) -> None:
    assert report({"name": "ours"}, Settings({"home": str(study.home)}), Console(quiet=True)) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == study.folder / "exports" / "ours.html"
    page = path.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert str(study.home) not in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "png"], "--figure with one of curve, heatmap"),
        (["--format", "csv", "--quantity", "fooled"], "--format csv has no --quantity"),
        (["--format", "png", "--figure", "curve", "--table", "cells"], "--format png has no --table"),
        (["--format", "latex", "--table", "tests"], "--format csv --table tests"),
        (["--format", "png", "--figure", "curve", "--quantity", "fuled"], "did you mean fooled?"),
        (["--format", "png", "--figure", "curve", "--axis", "z"], "expected one of attack, epsilon"),
        (
            ["--format", "png", "--figure", "heatmap", "--quantity", "accuracy", "--sets", "test,noise"],
            "a heat map has one set",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(study: Study, words: list[str], said: str) -> None:
    with pytest.raises(AefitError) as refused:
        exported(study, *words)
    assert said in f"{refused.value} {refused.value.hint}"
