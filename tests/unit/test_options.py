"""The command's grammar: what is typed becomes settings; what is mistyped is answered with what would be right."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from core import __version__
from core.errors import AefitError, SpecError
from core.spec.call import CALL, TYPED_ONLY
from core.spec.settings import COMMON, RESERVED, known_options
from core.spec.spec import Spec
from tests.fakes import plugins
from tui_aefit.shell import options
from tui_aefit.shell.declarations import SETTINGS, explain
from tui_aefit.shell.options import given_settings, parse
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import SUB_COMMANDS

WORDS = {
    "dataset": "digits", "attack": "pgd", "epsilon": "0.25", "z": "9", "runs": "4", "seed": "17", "epochs": "6",
    "controls": "noise,sources", "tie_rule": "nearest", "norm": "linf", "bound": "reject", "steps": "5",
    "test_size": "99", "search": "kd-tree", "keep": "candidates", "device": "cpu", "threads": "3", "jobs": "2",
    "family": "knn", "surrogate": "lenet5", "splits": "folds", "data_dir": "images", "home": "lab",
    "launcher": "env", "dask": "node1:8786", "data_limit": "64",
}  # fmt: skip
VALUES = {
    **WORDS,
    **{
        name: int(WORDS[name])
        for name in ("z", "runs", "seed", "epochs", "steps", "test_size", "threads", "jobs", "data_limit")
    },
    "epsilon": 0.25,
    "controls": ("noise", "sources"),
}


@pytest.fixture(autouse=True)
def no_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_aefit.shell.settings.user_config", lambda: tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)


def values_of(words: list[str]) -> dict[str, object]:
    """The values of the settings in a command line, by name."""
    found = Settings(given_settings(parse(words)), environment={}).found
    return {name: one.value for name, one in found.items()}


def mistake(line: str) -> AefitError:
    with pytest.raises(AefitError) as caught:
        values_of(line.split())
    return caught.value


def help_text(capsys: pytest.CaptureFixture[str], line: str) -> str:
    with pytest.raises(SystemExit) as left:
        parse(line.split())
    assert left.value.code == 0
    return capsys.readouterr().out


def test_only_what_was_typed_is_given() -> None:
    assert given_settings(parse([])) == {}
    assert parse([]).command is None
    typed = parse(["--batch", "--runs", "3", "--quiet"])
    assert typed.batch
    assert typed.quiet
    assert given_settings(typed) == {"runs": "3"}


ATTACKS_OF = {"norm": "deepfool", "bound": "deepfool", "steps": "pgd"}
"""Option -> an attack that has it."""


@pytest.mark.parametrize("join", [" ", "="])
@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_an_option_of_its_type(name: str, join: str) -> None:
    attack = ["--attack", ATTACKS_OF[name]] if name in ATTACKS_OF else []
    values = values_of([*attack, *f"{SETTINGS[name].option}{join}{WORDS[name]}".split(" ")])
    assert values.keys() == ({name, "attack"} if attack else {name})
    assert values[name] == VALUES[name]
    assert type(values[name]) is type(VALUES[name])


@pytest.mark.parametrize("name", SETTINGS)
def test_config_show_takes_every_setting(name: str) -> None:
    typed = parse(["config", "show", SETTINGS[name].option, WORDS[name]])
    assert given_settings(typed) == {name: WORDS[name]}


def test_a_negative_number_is_a_value_not_an_option() -> None:
    assert values_of(["--seed", "-1", "--epsilon", "-.5"]) == {"seed": -1, "epsilon": -0.5}


@pytest.mark.parametrize(
    ("word", "names"),
    [("none", ()), ("noise", ("noise",)), (" noise , sources", ("noise", "sources"))],
)
def test_controls_are_names_between_commas(word: str, names: tuple[str, ...]) -> None:
    assert values_of(["--controls", word]) == {"controls": names}


@pytest.mark.parametrize("word", ["", ",", "noise,,sources", "noise,", "none,noise", "noise,none"])
def test_an_empty_name_is_no_control_and_none_stands_alone(word: str) -> None:
    with pytest.raises(AefitError) as caught:
        values_of(["--batch", "--controls", word])
    assert str(caught.value) == (
        f"--controls = {word!r} is not possible: expected names with commas between them, or none alone"
    )
    assert caught.value.hint == explain(SETTINGS["controls"])
    assert "one-per-source" in caught.value.hint


@pytest.mark.parametrize(
    "line", ["--home lab --json list", "list --home lab --json", "--json list --home lab"]
)
def test_common_options_stand_before_or_after_the_command(line: str) -> None:
    typed = parse(line.split())
    assert (typed.command, typed.as_json) == ("list", True)
    assert given_settings(typed) == {"home": "lab"}


def test_options_of_the_commands() -> None:
    typed = parse(["export", "abc", "--format", "csv", "--output", "table.csv", "--config", "mine.toml"])
    assert (typed.id, typed.format, typed.output) == ("abc", "csv", "table.csv")
    assert typed.config == Path("mine.toml")
    assert parse(["export", "abc"]).format == "json"
    typed = parse(["export", "abc", "--format", "pdf", "--figure", "p-values", "--sets", "test,noise"])
    assert (typed.format, typed.figure, typed.sets) == ("pdf", "p-values", "test,noise")
    assert parse(["export", "abc", "--format", "parquet", "--table", "tests"]).table == "tests"
    assert parse(["report", "abc", "--output", "a.html"]).output == "a.html"
    assert parse(["delete", "abc", "--yes"]).yes
    assert not hasattr(parse(["delete", "abc"]), "yes")
    resumed = given_settings(parse(["resume", "abc", "--jobs", "2", "--data-dir", "images"]))
    assert resumed == {"jobs": "2", "data_dir": "images"}
    extended = parse(["extend", "abc", "--runs", "20", "--threads", "2", "--detach", "--json"])
    assert (extended.id, extended.detach, extended.as_json) == ("abc", True, True)
    assert given_settings(extended) == {"runs": "20", "threads": "2"}
    for line in ("tag abc +a -hard -b", "tag --json abc +a -hard -b", "tag abc +a --json -hard -b"):
        typed = parse(line.split())
        assert (typed.id, typed.changes) == ("abc", ["+a", "-hard", "-b"])
    assert not getattr(parse(["tag", "abc"]), "changes", [])
    assert parse(["label", "abc", "my", "--quiet", "try"]).text == ["my", "try"]
    assert parse(["note", "abc", ""]).text == [""]
    fetched = parse(["data", "fetch", "mnist"])
    assert (fetched.action, fetched.name) == ("fetch", "mnist")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("lst", "there is no command 'lst': expected one of list, show", "did you mean `aefit-tui list`?"),
        ("xyzzy", "there is no command 'xyzzy': expected one of list, show", "see aefit-tui --help"),
        ("exprot latest", "there is no command 'exprot': expected", "did you mean `aefit-tui export`?"),
        ("--home lab exprot latest", "there is no command 'exprot': expected", "did you mean `aefit-tui export`?"),
        ("--quiet --seed -1 lst", "there is no command 'lst': expected", "did you mean `aefit-tui list`?"),
        ("--batch --home=list lst", "there is no command 'lst': expected", "did you mean `aefit-tui list`?"),
        ("--epsilon --z 7", "argument --epsilon: expected one argument", "see aefit-tui --help"),
        ("--batch --eps 0.2", "there is no option --eps", "did you mean --epsilon?"),
        ("--epslion=0.2", "there is no option --epslion", "did you mean --epsilon?"),
        ("--batch --data_dir x", "there is no option --data_dir", "did you mean --data-dir?"),
        ("--xyzzy", "there is no option --xyzzy", "see aefit-tui --help"),
        ("--epsilon much", "--epsilon = 'much' is not possible: expected a number", SETTINGS["epsilon"].help),
        ("--epsilon 8/255", "--epsilon = '8/255' is not possible: expected a number, 0.0314 for 8/255", "largest"),
        ("--epsilon 1/0", "--epsilon = '1/0' is not possible: expected a number", SETTINGS["epsilon"].help),
        ("--z 7/2", "--z = '7/2' is not possible: expected a whole number", SETTINGS["z"].help),
        ("--z 7.0", "--z = '7.0' is not possible: expected a whole number", SETTINGS["z"].help),
        ("--epsilon", "argument --epsilon: expected one argument", "see aefit-tui --help"),
        ("show", "the following arguments are required: ID", "see aefit-tui show --help"),
        ("extend abc", "the following arguments are required: --runs", "see aefit-tui extend --help"),
        ("show --jsn latest", "unrecognized arguments: --jsn", "see aefit-tui --help"),
        ("list extra", "unrecognized arguments: extra", "see aefit-tui --help"),
        ("export abc --format xml", "argument --format: invalid choice: 'xml'", "see aefit-tui export --help"),
        ("tag abc --jsn +a", "unrecognized arguments: --jsn", "see aefit-tui --help"),
        ("report abc --json", "unrecognized arguments: --json", "see aefit-tui --help"),
        ("data", "the following arguments are required: action", "see aefit-tui data --help"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_with_what_would_be_right(line: str, message: str, hint: str) -> None:
    error = mistake(line)
    assert str(error).startswith(message)
    assert error.hint.startswith(hint)


def test_a_value_may_be_called_as_a_command_is() -> None:
    typed = parse(["--home", "list", "show", "abc"])
    assert (typed.command, given_settings(typed)) == ("show", {"home": "list"})
    assert parse(["--home", "lst", "list"]).command == "list"


def test_no_decimal_is_offered_for_what_is_no_fraction() -> None:
    for line in ("--epsilon 1/0", "--epsilon 1/2/3", "--epsilon a/2", "--epsilon /", "--z 7/2"):
        assert str(mistake(line)).endswith("number")


def test_a_word_that_begins_a_command_is_no_abbreviation_of_it() -> None:
    assert "sho" in str(mistake("sho latest"))
    assert "--form" in str(mistake("export abc --form csv"))


def test_help_names_every_setting_with_its_default_and_every_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = " ".join(help_text(capsys, "--help").split())
    for setting in SETTINGS.values():
        assert f"{setting.option} {setting.metavar}" in text
        assert f"(default: {setting.default_text or setting.default})" in text
        # Lines are broken at hyphens too.
        assert all(choice in text.replace("- ", "-") for choice in setting.choices())
    for command in SUB_COMMANDS:
        assert f" {command} " in text.partition("commands: ")[2]


@pytest.mark.parametrize("command", SUB_COMMANDS)
def test_every_command_has_a_help_of_its_own(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert help_text(capsys, f"{command} --help").startswith(f"usage: aefit-tui {command} ")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert help_text(capsys, "--version") == f"aefit-tui {__version__}\n"


def test_help_shows_a_home_with_a_percent_sign(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = replace(SETTINGS["home"], default_text="/data/50%off")
    for settings in (SETTINGS, CALL):
        monkeypatch.setitem(settings, "home", changed)
    assert "/data/50%off" in help_text(capsys, "--help")
    assert "/data/50%off" in help_text(capsys, "list --help")


# Plug-ins


@pytest.fixture
def plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins.install(tmp_path / "site", monkeypatch)


@pytest.mark.usefixtures("plugged_in")
def test_the_options_of_a_plug_in_are_options_of_the_command() -> None:
    for line in ("--attack shift --strength 0.5", "--strength 0.5 --attack=shift", "--strength=0.5"):
        assert values_of(line.split())["strength"] == 0.5
    assert given_settings(parse(["config", "show", "--strength", "0.5"])) == {"strength": "0.5"}
    named = {"AEFIT_FAMILY": "kernel"}
    assert given_settings(parse(["--bandwidths", "2"], named)) == {"bandwidths": "2"}
    assert (
        str(mistake("--attack shift --strength much"))
        == "--strength = 'much' is not possible: expected a number"
    )


@pytest.mark.usefixtures("plugged_in")
def test_help_names_plug_ins_and_their_options(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_text(capsys, "--help")
    assert "--strength S" in text
    assert "--bandwidths N" in text
    assert all(name in text for name in ("shift", "kernel", "linear", "shifted"))


def test_without_the_plug_in_its_option_is_a_mistake() -> None:
    assert "there is no option --strength" in str(mistake("--strength 0.5"))


def test_a_plug_in_that_cannot_be_loaded_stops_neither_help_nor_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plugins.install(
        tmp_path / "site", monkeypatch, {"aefit.attacks": {"broken": "tests.fakes.nowhere:Broken"}}
    )
    assert "--epsilon E" in help_text(capsys, "--help")
    assert "there is no option --epslion" in str(mistake("--epslion 1"))
    assert parse(["list"], {"AEFIT_ATTACK": "broken"}).command == "list"
    assert "cannot be loaded" in str(mistake("--attack broken --strength 0.5"))


# The table of sub-commands


@pytest.mark.parametrize("name", SUB_COMMANDS)
def test_every_command_names_a_function_that_does_it(name: str) -> None:
    module, _, function = SUB_COMMANDS[name].run.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_help_has_a_line_for_every_way_to_use_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_text(capsys, "--help")
    for line in (
        "  extend ID --runs N        ask for N runs in all and compute the further ones\n",
        "  data list | fetch NAME    the data sets that have a name; download one\n",
        "  config show               every setting, its value and where it came from\n",
    ):
        assert line in text


def test_no_part_may_call_an_option_as_the_command_calls_one() -> None:
    parser_words = {word.lstrip("-").replace("-", "_") for word in all_options() if word.startswith("--")}
    assert parser_words - set(COMMON) - set(known_options(plugins=False)) <= RESERVED | SUB_COMMAND_ONLY
    assert parser_words - set(SETTINGS) - SUB_COMMAND_ONLY == {*TYPED_ONLY, "help", "version"}


SUB_COMMAND_ONLY = {
    "axis",
    "experiments",
    "paths",
    "quantity",
    "format",
    "table",
    "figure",
    "sets",
    "output",
    "width",
}
"""Options of commands that take no settings."""


def all_options() -> set[str]:
    return options._all_options(options.grammar(SETTINGS))


def test_the_line_that_the_first_version_wrote_into_a_report_is_understood_but_for_two_names() -> None:
    """Of the sets that it called unfiltered and reverse; the latter is now another set's."""
    line = (
        "aefit-tui --batch --dataset digits --attack fgsm --epsilon 0.1 --z 7 --runs 12 --seed 0 --epochs 40 "
        "--controls noise,matched,reverse,sources,unfiltered,fooled,one-per-source --tie-rule lowest --norm l2 "
        "--bound clip --steps 10 --search pruned --keep adversarial --device auto --threads 1"
    )
    _, *words = line.split()
    with pytest.raises(SpecError, match="unfiltered"):
        Settings(given_settings(parse(words)), environment={}).spec()
    _, *words = line.replace("unfiltered", "candidates").replace("reverse", "reverse-both-ends").split()
    settings = Settings(given_settings(parse(words)), environment={})
    first = ("noise", "matched", "reverse-both-ends", "sources", "candidates", "fooled", "one-per-source")
    assert settings.spec() == Spec(dataset="digits", epochs=40, controls=first)
    assert settings.warnings == []
