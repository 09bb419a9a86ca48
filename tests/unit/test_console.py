"""What is told in the shell: commands can be typed as they stand, also where the home was typed for one call."""

from __future__ import annotations

import io
import shlex

import pytest

from core.declarations.printable import shell_word
from core.errors import ExperimentError
from tui_aefit.shell.console import Console

HOME = "/a lab/of 'mine'"
TYPED = f" --home {shlex.quote(HOME)}"


def test_a_home_with_spaces_and_quotes_reaches_the_command_as_one_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console()
    console.typed_home = HOME
    console.narrate("go on with: aefit-tui resume mnist-fgsm-0123abcd")
    command = capsys.readouterr().err.partition("with: ")[2]
    assert shlex.split(command) == ["aefit-tui", "resume", "mnist-fgsm-0123abcd", "--home", HOME]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("aefit-tui delete a-b-1 --yes", f"aefit-tui delete a-b-1{TYPED} --yes"),
        (
            "follow it with `aefit-tui attach a.b-1`, or stop it with `aefit-tui cancel a.b-1`.",
            f"follow it with `aefit-tui attach a.b-1{TYPED}`, or stop it with `aefit-tui cancel a.b-1{TYPED}`.",
        ),
        ("aefit-tui extend a-b-1 --runs 4", f"aefit-tui extend a-b-1{TYPED} --runs 4"),
        ("then: aefit-tui resume a-b-1.", f"then: aefit-tui resume a-b-1{TYPED}."),
        ("aefit-tui resume a-b-1 computes it", f"aefit-tui resume a-b-1{TYPED} computes it"),
        ("`aefit-tui list` shows those", f"`aefit-tui list{TYPED}` shows those"),
        ("start one with `aefit-tui --batch`", f"start one with `aefit-tui --batch{TYPED}`"),
        ("`aefit-tui doctor` tells", f"`aefit-tui doctor{TYPED}` tells"),
        # These do not depend on the home, say so already, or are no command to type.
        ("see aefit-tui --help", "see aefit-tui --help"),
        ("aefit-tui data fetch mnist --data-dir D", "aefit-tui data fetch mnist --data-dir D"),
        ("aefit-tui show a-b-1 --home elsewhere", "aefit-tui show a-b-1 --home elsewhere"),
        ("`aefit-tui resume` computes it again", "`aefit-tui resume` computes it again"),
    ],
)
def test_a_hint_carries_the_home_that_was_typed_and_nothing_else_changes(
    capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    console = Console()
    error = ExperimentError("it is not there", text)
    assert console.refuse(error) == 2
    assert capsys.readouterr().err == f"aefit-tui: it is not there\n  {text}\n"
    console.typed_home = HOME
    assert console.refuse(error) == 2
    assert capsys.readouterr().err == f"aefit-tui: it is not there\n  {told}\n"


HOSTILE = "\x1b]0;owned\x07\u202e\x9b2J"


def test_nothing_that_is_said_is_obeyed_by_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console()
    console.typed_home = HOSTILE
    console.result(f"a{HOSTILE}\tb")
    console.narrate(f"see aefit-tui list {HOSTILE}")
    console.problem(HOSTILE, f"{HOSTILE}\n{HOSTILE}")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert console.confirmed(f"delete {HOSTILE}?")
    console.result_json({HOSTILE: HOSTILE})
    said = capsys.readouterr()
    assert not [c for c in said.out + said.err if not c.isprintable() and c not in "\n\t"]
    assert said.out.startswith("a\ufffd]0;owned\ufffd\ufffd\ufffd2J\tb\n")
    assert '"\\u001b]0;owned' in said.out, "JSON says all of it"


@pytest.mark.parametrize("name", ["x;touch owned;", "it's", "two words", HOSTILE, "$HOME"])
def test_a_folder_that_somebody_named_is_one_word_of_the_command_and_takes_the_home(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    console = Console()
    console.typed_home = HOME
    console.problem("broken", f"to remove it: aefit-tui delete {shell_word(name)}")
    line = capsys.readouterr().err.partition("it: ")[2]
    assert line == f"aefit-tui delete {shell_word(name)}{TYPED}\n"
