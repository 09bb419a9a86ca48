"""The completion scripts, asked by the shell that they are for."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.data.catalogue import CATALOGUE
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tests.fakes import plugins
from tests.fakes.experiments import make_experiment_from_answers
from tui_aefit.shell.cli import run
from tui_aefit.shell.subcommands import SUB_COMMANDS

PROGRAM = [sys.executable, "-m", "tui_aefit.shell.cli"]


def script(capsys: pytest.CaptureFixture[str], shell: str) -> str:
    capsys.readouterr()
    assert run(["completion", shell]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    return told.out


def offered(script: Path, home: Path, *words: str) -> set[str]:
    """What bash offers for the last of the words."""
    line = "\n".join(
        (
            f'aefit-tui() {{ {shlex.join(PROGRAM)} "$@"; }}',
            "complete() { function=${@: -2:1}; }",  # the script ends by naming its function
            f"source {shlex.quote(str(script))}",
            f"COMP_WORDS=({shlex.join(['aefit-tui', *words])})",
            f"COMP_CWORD={len(words)}",
            '$function; printf "%s\\n" "${COMPREPLY[@]}"',
        )
    )
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "--norc", "-c", line],
        capture_output=True,
        text=True,
        check=False,
        env={"AEFIT_HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        timeout=120,
    )
    assert "error" not in done.stderr.lower(), done.stderr
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_commands_options_choices_and_experiments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    experiments = {
        make_experiment_from_answers(
            home, Spec(dataset="digits", runs=1, seed=seed), complete=[]
        ).experiment.id
        for seed in (0, 1)
    }
    path = tmp_path / "aefit-tui.bash"
    path.write_text(script(capsys, "bash"))
    assert offered(path, home, "") == set(SUB_COMMANDS)
    assert offered(path, home, "ex") == {"extend", "export"}
    assert offered(path, home, "--att") == {"--attack"}
    assert offered(path, home, "--attack", "deep") == {"deepfool", "deepfool-untargeted"}
    assert offered(path, home, "--dataset", "mnist") == {
        name for name in CATALOGUE if name.startswith("mnist")
    }
    assert offered(path, home, "show", "") == {"latest", *experiments}
    assert offered(path, home, "extend", "dig") == experiments
    assert offered(path, home, "export", "latest", "--format", "p") == {"parquet", "pdf", "png"}
    assert offered(path, home, "delete", "latest", "--y") == {"--yes"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_script_names_every_command_every_setting_and_asks_for_experiments(
    capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    text = script(capsys, shell)
    for name in (*SUB_COMMANDS, *(setting.option.lstrip("-") for setting in COMMON.values())):
        assert name in text
    assert "aefit-tui completion ids" in text


def test_a_script_offers_what_plug_ins_bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--strength" not in script(capsys, "bash")
    plugins.install(tmp_path / "site", monkeypatch)
    text = script(capsys, "bash")
    assert "--strength" in text
    assert "shift" in text
