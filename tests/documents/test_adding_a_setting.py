"""The document's one field in a copy of the program: specification, command, environment, form and help follow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.spec.spec import Spec
from tests.documents.copies import command, copy_program, insert_before, run
from tests.documents.examples import blocks_of

FIELD_BEFORE = "    keep: str = _declare("

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with the field that the document adds."""
    folder = tmp_path_factory.mktemp("copy")
    copy_program(folder)
    (block,) = blocks_of("adding/setting.md").values()
    field = block.removeprefix("class CommonSettings:\n")
    insert_before(folder / "core/spec/settings.py", FIELD_BEFORE, field)
    return folder


def test_command_environment_files_and_help_have_it(copy: Path, tmp_path: Path) -> None:
    assert "the curve of brightness" in command(copy, "--help").stdout
    shown = json.loads(command(copy, "config", "show", "--json", "--gamma", "0.5").stdout)
    assert shown["gamma"] == {"value": 0.5, "source": "option"}
    shown = json.loads(command(copy, "config", "show", "--json", AEFIT_GAMMA="2").stdout)
    assert shown["gamma"]["value"] == 2
    file = tmp_path / "own.toml"
    file.write_text("gamma = 3", encoding="utf-8")
    shown = json.loads(command(copy, "config", "show", "--json", "--config", str(file)).stdout)
    assert shown["gamma"]["value"] == 3
    refused = command(copy, "--batch", "--home", str(tmp_path), "--gamma", "11")
    assert refused.returncode == 2
    assert "gamma = 11.0 is not possible: expected a number above 0 and at most 10" in refused.stderr


LOOK = """
from core.spec.spec import Spec
from tui_aefit.lab.form import check, words_of
assert words_of(Spec(gamma=0.5))["gamma"] == "0.5"
assert "above 0" in check({"gamma": "-1"}).problems["gamma"]
assert Spec.from_toml(Spec(gamma=0.5).to_toml()).gamma == 0.5
print(Spec().digest, Spec(gamma=0.5).digest, Spec(gamma=1.0).digest)
"""


def test_form_and_file_have_it_and_no_experiment_is_renamed(copy: Path) -> None:
    done = run(copy, "-c", LOOK)
    assert done.returncode == 0, done.stderr
    default, other, same = done.stdout.split()
    assert default == same == Spec().digest
    assert other != default
