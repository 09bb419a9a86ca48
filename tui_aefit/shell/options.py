"""The command's grammar: its options and sub-commands, and what was typed as names and values."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NoReturn

from core import __version__
from core.declarations.setting import Setting, Value
from core.errors import AefitError, PluginError, closest
from core.report.formats import FIGURE_FORMATS, FIGURES, SET_FORMATS, TABLE_FORMATS, TABLES, TEXTS
from core.spec.settings import COMMON, PARTS
from tui_aefit.shell.declarations import (
    CALL,
    SETTINGS,
    declared_with,
    explain,
    plugin_options,
    read_word,
    variable_of,
)

EPILOG = """\
commands:
  list                    every experiment under the home, with its state
  show ID                 the result of an experiment, also of one that is still running
  attach ID               follow an experiment that is being computed
  resume ID               compute the runs that an experiment lacks, failed ones among them
  extend ID --runs N      ask for N runs in all and compute the further ones
  cancel ID               stop an experiment; complete runs are kept
  delete ID               remove an experiment and its results
  export ID               write a result as JSON, CSV, Parquet or LaTeX tables, or its figures as PDF, SVG or PNG
  report ID               write one HTML page on an experiment: verdict, tables, figures, how to reproduce it
  data list | fetch NAME  the data sets that have a name; download one
  data export NAME|PATH   write a data set as runs see it, with --output FILE.npz
  doctor                  versions, devices, threads, data sets, writable folders: what works here
  config show             every setting, its value and where it came from

ID may be shortened to any unambiguous prefix, or `latest`, the experiment created last.
`aefit-tui COMMAND --help` tells more.
exit status: 0 all runs complete, 1 some run failed, 2 the request is wrong, 130 interrupted
"""


DESTINATION = "setting "
"""Begins the name under which argparse keeps a setting: a plug-in may call its option as we call a word of ours."""


class Parser(argparse.ArgumentParser):
    """Raises AefitError where argparse would print its usage and leave."""

    def error(self, message: str) -> NoReturn:
        """A wrong command line."""
        raise AefitError(message, f"see {self.prog} --help")


def parse(words: list[str], environment: Mapping[str, str] = os.environ) -> argparse.Namespace:
    """What was typed: `command` (None for the lab or --batch), and only those settings that were given.

    environment: it too may name an attack, a family or a surrogate, whose options are then options of the command.
    Raises AefitError for a wrong command line; leaves by SystemExit after --help and --version.
    """
    broken: PluginError | None = None
    try:
        settings = declared_with(_named_parts(words, environment))
    except PluginError as error:  # whoever computes with it is told; help and `list` need it not
        settings, broken = SETTINGS, error
    parser = _parser(settings)
    asks_for_help = not {"-h", "--help"}.isdisjoint(words)
    # Loading plug-ins takes time, and only help, a mistake or an option of theirs can need it.
    unknown = not _long_options(words) <= _all_options(parser)
    if (asks_for_help or unknown) and (further := plugin_options()):
        parser = _parser({**further, **settings})
    elif unknown and broken is not None:
        raise broken
    _check_front(words, parser)
    return parser.parse_args(words)


def given_settings(options: argparse.Namespace) -> dict[str, Value]:
    """The settings among the options, by name."""
    return {
        name.removeprefix(DESTINATION): value
        for name, value in vars(options).items()
        if name.startswith(DESTINATION)
    }


def _named_parts(words: list[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The parts that are named in the shell or the environment: part -> name."""
    named = {part: word for part in PARTS if (word := environment.get(variable_of(part), ""))}
    for before, word in pairwise([*words, ""]):
        for part in PARTS:
            option = COMMON[part].option
            if before == option:
                named[part] = word
            elif before.startswith(f"{option}="):
                named[part] = before.partition("=")[2]
    return named


def _long_options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("--") and word != "--"}


def _all_options(parser: Parser) -> set[str]:
    """Every option of the command and of its sub-commands."""
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return set(
        chain.from_iterable(one._option_string_actions for one in (parser, *commands.choices.values()))
    )


def _parser(settings: Mapping[str, Setting]) -> Parser:
    """The grammar with these settings."""
    parser = Parser(
        prog="aefit-tui",
        description="The terminal laboratory for one question: do adversarial examples come from the "
        "fitting-generalisation trade-off? Without --batch it opens the lab.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.set_defaults(command=None)
    parser.add_argument("--version", action="version", version=f"aefit-tui {__version__}")
    parser.add_argument("--batch", action="store_true", help="compute headless and print the result")
    experiment = parser.add_argument_group("experiment (the lab takes them as its form's first values)")
    parts = parser.add_argument_group("options that only some attacks, classifiers and surrogates have")
    for setting in settings.values():
        _add(experiment if setting.name in COMMON else parser if setting.name in CALL else parts, setting)
    _add_output(parser)
    parser.add_argument("--detach", action="store_true", help="with --batch: go on in the background")
    _add_no_cache(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", help=argparse.SUPPRESS)
    for name, build in COMMANDS.items():
        command = commands.add_parser(name, argument_default=argparse.SUPPRESS, allow_abbrev=False)
        _add(command, CALL["home"])
        build(command)
        if name == "config":
            for setting in settings.values():
                if setting.name != "home":
                    _add(command, setting)
        _add_output(command, as_json=name != "report")
    return parser


def _add(target: argparse._ActionsContainer, setting: Setting) -> None:
    default = setting.default_text or setting.default
    text = explain(setting) + (f" (default: {default})" if default is not None else "")
    _add_setting(target, setting, text)


def _add_setting(
    target: argparse._ActionsContainer, setting: Setting, text: str, *, required: bool = False
) -> None:
    def read(word: str) -> Value:
        return read_word(setting, word, setting.option)

    target.add_argument(
        setting.option,
        type=read,
        metavar=setting.metavar,
        dest=f"{DESTINATION}{setting.name}",
        required=required,
        help=text.replace("%", "%%"),  # a home may have one; argparse would format it
    )


def _add_output(target: argparse._ActionsContainer, *, as_json: bool = True) -> None:
    target.add_argument("--config", type=Path, metavar="FILE", help="settings file, instead of ./aefit.toml")
    if as_json:
        target.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON value on standard output"
        )
    target.add_argument("--quiet", action="store_true", help="no narration on standard error")


def _add_no_cache(target: argparse._ActionsContainer) -> None:
    target.add_argument(
        "--no-cache", action="store_true", help="train surrogates and find neighbours anew, and keep neither"
    )


def _takes_id(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "id", metavar="ID", help="an id, an unambiguous prefix of it, or latest: the one created last"
    )


def _resume(command: argparse.ArgumentParser) -> None:
    _takes_id(command)
    for name in ("jobs", "threads", "data_dir"):
        _add(command, CALL[name])
    command.add_argument("--detach", action="store_true", help="go on in the background")
    _add_no_cache(command)


def _extend(command: argparse.ArgumentParser) -> None:
    _add_setting(command, COMMON["runs"], "how many runs there are to be in all", required=True)
    _resume(command)


def _delete(command: argparse.ArgumentParser) -> None:
    _takes_id(command)
    command.add_argument("--yes", action="store_true", help="do not ask")


def _export(command: argparse.ArgumentParser) -> None:
    _takes_id(command)
    forms = (*TEXTS, "parquet", *FIGURE_FORMATS)
    command.add_argument("--format", choices=forms, default="json", help="default: json")
    command.add_argument(
        "--table",
        choices=TABLES,
        help=f"of {', '.join(TABLE_FORMATS)} (default: accuracy; latex: accuracy and tests)",
    )
    command.add_argument("--figure", choices=FIGURES, help=f"of {', '.join(FIGURE_FORMATS)}")
    command.add_argument(
        "--sets",
        metavar="A,B",
        help=f"of {', '.join(SET_FORMATS)}: only these sets, and the pairs among them "
        "(default: all; gallery: adversarial)",
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        help=f"- is standard output (default: - for {', '.join(TEXTS)}, else a file in the experiment's exports)",
    )


def _report(command: argparse.ArgumentParser) -> None:
    _takes_id(command)
    command.add_argument("--output", metavar="FILE", help="default: ID.html in the experiment's exports")


def _data(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("list", "fetch", "export"))
    command.add_argument("name", nargs="?", metavar="NAME|PATH", help="the data set to fetch or export")
    command.add_argument("--output", metavar="FILE.npz", help="where export writes images and labels to")
    _add(command, CALL["data_dir"])


def _doctor(command: argparse.ArgumentParser) -> None:
    _add(command, CALL["data_dir"])


def _config(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("show",))


COMMANDS: dict[str, Callable[[argparse.ArgumentParser], Any]] = {
    "list": lambda command: None,
    "show": _takes_id,
    "attach": _takes_id,
    "resume": _resume,
    "extend": _extend,
    "cancel": _takes_id,
    "delete": _delete,
    "export": _export,
    "report": _report,
    "data": _data,
    "doctor": _doctor,
    "config": _config,
}

FORGIVING = frozenset(("list", "show", "cancel", "delete", "doctor", "config"))
"""Commands that work although a settings file is broken: none of them computes anything by it."""


def _check_front(words: list[str], parser: Parser) -> None:
    """Raises AefitError for an option before the command, or a command, that does not exist.

    argparse would take the option's value for a command, and say that there is no such command.
    """
    options = parser._option_string_actions
    known = [option[2:] for option in options if option.startswith("--")]
    for before, word in pairwise(["", *words]):
        if not word.startswith("-"):
            if before in options and options[before].nargs is None:
                continue  # its value
            if word in COMMANDS:
                return
            near = closest(word, COMMANDS)
            hint = f"did you mean `aefit-tui {near}`?" if near else "see aefit-tui --help"
            raise AefitError(f"there is no command {word!r}: expected one of {', '.join(COMMANDS)}", hint)
        if word in ("-h", "--help", "--version", "--"):
            return
        name = word[2:].partition("=")[0]
        if word.startswith("--") and name not in known:
            near = next((option for option in known if option.startswith(name)), "") or closest(name, known)
            hint = f"did you mean --{near}?" if near else "see aefit-tui --help"
            raise AefitError(f"there is no option --{name}", hint)
