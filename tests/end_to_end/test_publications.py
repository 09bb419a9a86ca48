"""`report` and `export` from the outside: what is written, where, and what is refused."""

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.end_to_end.conftest import Shell
from tests.fakes.page import Page, section_text
from tests.fakes.published import complete, nothing_yet, partly_failed
from tests.fakes.terminal import PATIENCE
from tui_aefit.shell.publications import EXPORTS

TABLES = ("accuracy", "tests", "summary", "claims", "deciding", "attacks")
BEGINNINGS = {"pdf": b"%PDF-", "svg": b"<?xml", "png": b"\x89PNG"}


def test_a_computed_experiment_is_reported_with_its_numbers_and_images(shell: Shell) -> None:
    computed = shell.batch("--runs", "3", "--epochs", "6", "--json")
    assert computed.returncode == 0, computed.stderr
    result = json.loads(computed.stdout)
    done = shell.run("report", "latest", "--paths")
    assert (done.returncode, done.stderr) == (0, "")
    path = shell.only_experiment().folder / EXPORTS / f"{result['id']}.html"
    assert done.stdout == f"{path}\n"
    page = Page(path.read_text(encoding="utf-8"))
    assert page.problems == []
    rows = {row[0].text: row[1:-3] for _, row in page.tables["accuracy-table"].rows}
    for name, by_k in result["summary"]["accuracy"].items():
        for cell, k in zip(rows[name], ("5", "3", "1"), strict=True):
            assert cell.values == [by_k[k]["mean"], *by_k[k]["ci95"]]
    shown = [row[5].values for name, table in page.tables.items() if name.startswith("tests-")
             for _, row in table.rows]  # fmt: skip
    pairs = list(dict.fromkeys(tuple(test["sets"]) for test in result["tests"]))
    in_order = sorted(result["tests"], key=lambda test: pairs.index(tuple(test["sets"])))
    assert shown == [[] if test["p"] is None else [test["p"]] for test in in_order]
    claims = [[cell.values for cell in row[1:3]] for _, row in page.tables["claims-table"].rows]
    assert claims == [[[claim["estimate"]], claim["ci95"] or []] for claim in result["claims"]]
    # Four adversarial images, then one each of the misclassified, noise, noise-matched, matched and reverse sets.
    assert sum(tag == "image" for tag, _ in page.tags) == (4 + 5) * 3
    drawn = shell.run(
        "export",
        "latest",
        "--format",
        "svg",
        "--figure",
        "gallery",
        "--sets",
        "noise,reverse",
        "--output",
        "-",
    )
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert drawn.stdout.count("<image") == 2 * 2 * 3
    (line,) = (line for line in page.words["reproduce"].splitlines() if "--batch" in line)
    again = shell.run(*shlex.split(line)[1:])
    assert again.returncode == 0
    assert "is complete already" in again.stderr, "the command asks for another experiment"


def test_every_format_is_written_where_it_was_asked_for(shell: Shell, tmp_path: Path) -> None:
    experiment = complete(shell.home)
    result = json.loads(shell.run("show", experiment.id, "--json").stdout)
    forms = [("parquet", "--table", table) for table in TABLES]
    figures = ("accuracy", "crossfit", "gallery")
    forms += [(form, "--figure", figure) for form in BEGINNINGS for figure in figures]
    for form, option, part in [*forms, ("pdf", "--figure", "p-values")]:
        done = shell.run("export", "latest", "--format", form, option, part)
        path = experiment.folder / EXPORTS / f"{experiment.id}-{part}.{form}"
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")
        named = tmp_path / f"mine.{form}"
        done = shell.run("export", "latest", "--format", form, option, part, "--output", named.name)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", f"wrote {named.name}\n")
        assert named.read_bytes() == path.read_bytes()
        assert path.read_bytes().startswith(BEGINNINGS.get(form, b"PAR1"))
    tests = pq.read_table(experiment.folder / EXPORTS / f"{experiment.id}-tests.parquet").to_pylist()
    assert [row["p"] for row in tests] == [test["p"] for test in result["tests"]]
    rows = csv.DictReader(
        io.StringIO(shell.run("export", "latest", "--format", "csv", "--table", "tests").stdout)
    )
    assert [row["p"] for row in rows] == ["" if t["p"] is None else str(t["p"]) for t in result["tests"]]
    rows = csv.DictReader(
        io.StringIO(shell.run("export", "latest", "--format", "csv", "--table", "summary").stdout)
    )
    assert [row["mean"] for row in rows] == [
        str(by_k["mean"]) for by_set in result["summary"]["accuracy"].values() for by_k in by_set.values()
    ]
    rows = csv.DictReader(
        io.StringIO(shell.run("export", "latest", "--format", "csv", "--table", "claims").stdout)
    )
    assert [(row["estimate"], row["decision"]) for row in rows] == [
        (str(claim["estimate"]), claim["decision"]) for claim in result["claims"]
    ]
    tables = shell.run("export", "latest", "--format", "latex").stdout
    assert tables.count(r"\begin{table}") == tables.count(r"\caption{") > 10
    assert tables.index("tab:" + experiment.id + "-claims") < tables.index(
        "tab:" + experiment.id + "-crossfit"
    )


def test_what_is_chosen_is_drawn(shell: Shell) -> None:
    experiment = complete(shell.home)
    folder = experiment.folder / EXPORTS
    words = ("export", "latest", "--format", "png", "--figure", "p-values")
    assert shell.run(*words).returncode == 0
    with Image.open(folder / f"{experiment.id}-p-values.png") as image:
        six = image.size
    assert shell.run(*words, "--sets", "adversarial,misclassified").returncode == 0
    with Image.open(folder / f"{experiment.id}-p-values.png") as image:
        assert image.width < six[0]
        assert image.height < six[1]
    drawn = (folder / f"{experiment.id}-p-values.png").read_bytes()
    assert shell.run(*words, "--sets", "misclassified, adversarial,adversarial").returncode == 0
    assert (folder / f"{experiment.id}-p-values.png").read_bytes() == drawn
    tables = shell.run("export", "latest", "--format", "latex", "--sets", "adversarial, noise, adversarial")
    # Claims, the five tables of what decides, attacks, accuracy; and three quantities of one pair.
    assert tables.stdout.count(r"\begin{table}") == 8 + 3


@pytest.mark.parametrize("words", [("report", "latest"), ("export", "latest", "--format", "parquet")])
def test_a_pipe_gets_the_file_and_a_terminal_never_does(shell: Shell, words: tuple[str, ...]) -> None:
    complete(shell.home)
    command = [sys.executable, "-m", "tui_aefit.shell.cli", *words, "--output", "-"]
    environment, folder = shell.environment, shell.home.parent
    piped = subprocess.run(
        command, capture_output=True, env=environment, cwd=folder, timeout=PATIENCE, check=True
    )
    assert piped.stdout.startswith((b"<!DOCTYPE html>", b"PAR1"))
    ours, theirs = os.openpty()
    refused = subprocess.run(
        command, stdout=theirs, stderr=subprocess.PIPE, env=environment, cwd=folder, check=False
    )
    os.close(theirs)
    os.close(ours)
    assert refused.returncode == 2
    assert b"a terminal cannot show" in refused.stderr


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        (("report", "latest"), b"<!DOCTYPE html>"),
        (("export", "latest", "--format", "pdf", "--figure", "accuracy"), BEGINNINGS["pdf"]),
        (("export", "latest", "--format", "json"), b"{"),
        (("data", "export", "digits"), b"PK"),
    ],
)
def test_a_command_that_a_shell_puts_in_a_file_s_place_reads_it(
    shell: Shell, tmp_path: Path, words: tuple[str, ...], beginning: bytes
) -> None:
    complete(shell.home)
    os.mkfifo(tmp_path / "done")
    mine = shlex.join([sys.executable, "-m", "tui_aefit.shell.cli", *words])
    done = subprocess.run(
        ["bash", "-c", f"{mine} --output >(cat >file; echo >done) && cat done"],
        env=shell.environment,
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_bytes().startswith(beginning)


def test_a_reader_that_leaves_early_is_no_error(shell: Shell) -> None:
    complete(shell.home)
    process = shell.start("report", "latest", "--output", "-")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert (process.wait(PATIENCE), err) == (141, "")


def test_an_unfinished_experiment_is_marked_and_never_refused_a_report(shell: Shell) -> None:
    for make, status in ((partly_failed, "failed"), (nothing_yet, "created")):
        experiment = make(shell.home)
        done = shell.run("report", experiment.id)
        assert done.returncode == 0
        page = Page(Path(done.stdout.strip()).read_text(encoding="utf-8"))
        assert f"{status}: " in section_text(page, "header")
        assert "Not complete:" in section_text(page, "header")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("export latest --format pdf", "--figure with one of accuracy, p-values, gallery, crossfit"),
        ("export latest --figure accuracy", "choose one of pdf, svg, png with --format"),
        ("export latest --format csv --sets noise", "choose one of latex, pdf, svg, png with --format"),
        ("export latest --format latex --sets nois", "expected one of test, misclassified"),
        ("export latest --format latex --table tests --sets test,noise", "compares no pair of these sets"),
        ("export latest --format latex --table summary", "its table accuracy is the summary"),
        ("export latest --format json --table tests", "choose one of csv, parquet, latex with --format"),
        ("export latest --format svg --figure gallery --sets noise", "has no noise images to show"),
        ("export latest --format svg --figure accuracy --sets nois", "expected one of test, misclassified"),
        ("export latest --format svg --figure gallery", "no adversarial images to show"),
        ("export latest --format svg --figure accuracy --output absent/a.svg", "cannot write"),
        ("report latest --output absent/a.html", "cannot write"),
        ("report nosuch", "there is no experiment 'nosuch'"),
        ("report latest --json", "unrecognized arguments: --json"),
    ],
)
def test_a_wrong_request_ends_with_2_and_says_what_would_be_right(
    shell: Shell, words: str, message: str
) -> None:
    experiment = partly_failed(shell.home)
    done = shell.run(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    exports = experiment.folder / EXPORTS
    assert not exports.exists() or not list(exports.iterdir())


def test_an_exports_folder_that_cannot_be_made_is_told(shell: Shell) -> None:
    experiment = complete(shell.home)
    (experiment.folder / EXPORTS).write_text("a file")
    done = shell.run("report", "latest")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"cannot export {experiment.id}" in done.stderr
