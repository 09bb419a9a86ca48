"""The package that the documents build, installed with pip, is found by its entry points and shown everywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.attacks.registry import ATTACKS
from core.families.registry import FAMILIES
from core.sets.registry import SETS
from core.surrogates.registry import SURROGATES
from tests.documents.examples import write_blocks
from tests.fakes.page import Page

PAGES = ("adding/README.md", "adding/attack.md", "adding/family.md", "adding/surrogate.md", "adding/set.md")
SETTINGS = (
    *("--dataset", "digits", "--epsilon", "0.35", "--epochs", "2", "--runs", "3"),
    *("--attack", "stripes", "--stripe-width", "3"),
    *("--family", "prototypes"),
    *("--surrogate", "one-hidden-layer"),
    *("--controls", "noise,matched,looking-glass"),
)
LEVELS = ["coarse", "medium", "fine"]
OF_NEAREST_NEIGHBOURS = re.compile(r"\bvot(e|es|ing)\b|neighbour|\bk-?nn\b|\b[KZ] = ", re.IGNORECASE)
"""What only the family of the paper may say of itself."""
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages in which pip has installed the example."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    write_blocks(source, *PAGES)
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
        "--disable-pip-version-check", "--target", str(target), str(source),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def run(
    installed: Path, *words: str, module: str = "tui_aefit.shell.cli"
) -> subprocess.CompletedProcess[str]:
    """A command of a process that sees the example package."""
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        capture_output=True, text=True, check=False, env=environment(installed), cwd=installed,
    )  # fmt: skip


def environment(installed: Path, *further: Path) -> dict[str, str]:
    """The variables of such a process, without settings of whoever runs the tests."""
    known = {name: word for name, word in os.environ.items() if not name.startswith("AEFIT_")}
    paths = [str(installed), *map(str, further), os.environ.get("PYTHONPATH", "")]
    own = {"AEFIT_HOME": str(installed / "home"), "XDG_CONFIG_HOME": str(installed / "config")}
    return {**known, **own, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def result(installed: Path, home: Path) -> dict[str, Any]:
    """The JSON result of an experiment in which everything that can be is a plug-in's."""
    done = run(installed, "--batch", "--home", str(home), "--json", "--quiet", *SETTINGS)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_line_of_the_program_names_the_example() -> None:
    words = re.compile(
        r"stripes?\b|stripe_width|prototypes|one-hidden-layer|looking-glass|aefit_example", re.IGNORECASE
    )
    for package in ("core", "tui_aefit"):
        for path in (ROOT / package).rglob("*.py"):
            assert not words.search(path.read_text(encoding="utf-8")), path


def test_none_of_it_is_there_without_the_package() -> None:
    assert "stripes" not in ATTACKS
    assert "prototypes" not in FAMILIES
    assert "one-hidden-layer" not in SURROGATES
    assert "looking-glass" not in SETS


def test_the_result_is_keyed_by_the_familys_own_words(result: dict[str, Any]) -> None:
    assert result["status"] == "complete"
    assert result["ladder"] == {"knob": "detail", "levels": LEVELS, "values": [1, 10, 40]}
    for run_ in result["runs"]:
        assert list(run_["accuracy"]) == [
            "test",
            "misclassified",
            "adversarial",
            "noise",
            "matched",
            "looking-glass",
        ]
        assert all(list(by_level) == LEVELS for by_level in run_["accuracy"].values())
        assert run_["accuracy"]["adversarial"]["coarse"] == run_["accuracy"]["looking-glass"]["coarse"] == 0
        assert run_["accuracy"]["test"]["fine"] > run_["accuracy"]["test"]["coarse"] > 0.8
        assert run_["counts"]["candidates"] == run_["counts"]["correct"], "one candidate a source"
        assert run_["counts"]["adversarial"] > 0
        assert set(run_["sets"]) == {"noise", "looking-glass"}
    assert {test["j"] for test in result["tests"]} == {"medium", "fine"}
    assert ["adversarial", "looking-glass"] in [test["sets"] for test in result["tests"]]
    assert any("looking-glass" in sentence for sentence in result["verdict"])
    assert any("detail = fine" in sentence for sentence in result["verdict"])


def test_options_and_versions_stand_in_the_spec_the_identity_and_the_environment(
    result: dict[str, Any],
) -> None:
    spec, plugins = (
        result["spec"],
        {
            "attack stripes": "aefit-example 1.0",
            "family prototypes": "aefit-example 1.0",
            "surrogate one-hidden-layer": "aefit-example 1.0",
            "set looking-glass": "aefit-example 1.0",
        },
    )
    assert (spec["attack"], spec["stripe_width"], spec["family"]) == ("stripes", 3, "prototypes")
    assert "z" not in spec
    assert spec["plugins"] == plugins
    assert result["environment"]["plugins"] == plugins
    assert result["id"].startswith("digits-stripes-")


def test_the_command_lists_shows_exports_and_reports_it(
    installed: Path, home: Path, result: dict[str, Any]
) -> None:
    at = ("--home", str(home))
    shown = run(installed, "show", "latest", *at).stdout
    assert all(f"detail = {level}" in shown for level in LEVELS)
    assert "looking-glass" in shown
    listed = json.loads(run(installed, "list", "--json", *at).stdout)
    assert listed[0]["stripe_width"] == 3
    table = run(installed, "export", "latest", "--format", "csv", *at).stdout
    assert ",detail," in table
    assert ",looking-glass," in table
    assert ",medium," in table
    tex = run(installed, "export", "latest", "--format", "latex", *at).stdout
    assert "looking-glass" in tex
    page = Path(run(installed, "report", "latest", *at).stdout.strip())
    html = page.read_text(encoding="utf-8")
    assert "detail = fine" in html
    assert "looking-glass" in html
    assert "Stripe width" in html or "stripe_width" in html
    seen = Page(html)
    read_aloud = [
        str(said) for _, words in seen.tags for name, said in words.items() if name in ("alt", "aria-label")
    ]
    for said in (*result["verdict"], shown, *seen.words.values(), *read_aloud):
        assert not OF_NEAREST_NEIGHBOURS.search(said), said
    again = run(installed, "--batch", *at, *SETTINGS)
    assert again.returncode == 0
    assert "complete already" in again.stderr


def test_help_settings_and_mistakes_speak_of_it(installed: Path, home: Path) -> None:
    assert "--stripe-width" in run(installed, "--help").stdout
    shown = run(installed, "config", "show", "--attack", "stripes", "--json").stdout
    assert json.loads(shown)["stripe_width"]["value"] == 2
    wrong = run(installed, "--batch", "--home", str(home), "--attack", "stripes", "--stripe-width", "15")
    assert wrong.returncode == 2
    assert "expected a whole number from 1 to 14" in wrong.stderr
    other = run(installed, "--batch", "--home", str(home), "--attack", "fgsm", "--stripe-width", "3")
    assert other.returncode == 2
    assert "it belongs to stripes" in other.stderr


def test_an_experiment_of_a_missing_plugin_says_what_to_install(
    home: Path, result: dict[str, Any], tmp_path: Path
) -> None:
    done = run(tmp_path, "show", result["id"], "--home", str(home))
    assert done.returncode == 2
    assert "aefit-example 1.0, which is not installed" in done.stderr
    assert run(tmp_path, "list", "--home", str(home)).returncode == 0


LAB = """
import asyncio, sys
from pathlib import Path
from core.records.home import find
from textual.widgets import Select
from tests.fakes.lab import text_of, until
from tui_aefit.lab.app import Lab
from tui_aefit.shell.settings import Settings

async def main() -> None:
    home, words = Path(sys.argv[1]), sys.argv[2:]
    lab = Lab(Settings({"home": str(home)}, environment={}), None)
    async with lab.run_test(size=(140, 45)) as pilot:
        await until(pilot, lambda: lab.screen.query("#jobs"))  # the fold, which is made last
        lab.screen.query_one("#attack", Select).value = "stripes"
        await until(pilot, lambda: lab.screen.query("#stripe_width"))
    lab = Lab(Settings({"home": str(home)}, environment={}), find(home, "latest"))
    async with lab.run_test(size=(140, 45)) as pilot:
        await until(pilot, lambda: all(word in text_of(lab) for word in words))

asyncio.run(main())
"""


def test_the_lab_shows_its_option_its_levels_and_its_control(
    installed: Path, home: Path, result: dict[str, Any], tmp_path: Path
) -> None:
    script = tmp_path / "look_at_the_lab.py"
    script.write_text(LAB, encoding="utf-8")
    headline, chart = "detail coarse to fine", "accuracy against detail"
    words = [headline, chart, *(f" {level} " for level in LEVELS), "looking-glass"]
    done = subprocess.run(
        [sys.executable, str(script), str(home), *words], capture_output=True, text=True, check=False,
        env=environment(installed, ROOT), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
