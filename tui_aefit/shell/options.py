"""The command's grammar: its options and sub-commands, and what was typed as names and values."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from core import __version__
from core.errors import AefitError, closest
from core.report.formats import FIGURE_FORMATS, FIGURES, SET_FORMATS, TABLE_FORMATS, TABLES, TEXTS
from core.spec.spec import DEFAULTS
from tui_aefit.shell.settings import SETTINGS, Setting, read_word

EPILOG = """\
commands:
  list                    every experiment under the home, with its state
  show ID                 the result of an experiment, also of one that is still running
  attach ID               follow an experiment that is being computed
  resume ID               compute the runs that an experiment lacks, failed ones among them
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


class Parser(argparse.ArgumentParser):
    """Raises AefitError where argparse would print its usage and leave."""

    def error(self, message: str) -> NoReturn:
        """A wrong command line."""
        raise AefitError(message, f"see {self.prog} --help")


def parse(words: list[str]) -> argparse.Namespace:
    """What was typed: `command` (None for the lab or --batch), and only those settings that were given.

    Raises AefitError for a wrong command line; leaves by SystemExit after --help and --version.
    """
    parser = _parser()
    _check_front(words, parser)
    return parser.parse_args(words)


def given_settings(options: argparse.Namespace) -> dict[str, object]:
    """The settings among the options, by name."""
    return {name: value for name, value in vars(options).items() if name in SETTINGS}


def _parser() -> Parser:
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
    for setting in SETTINGS.values():
        _add(experiment if setting.name in DEFAULTS else parser, setting)
    _add_output(parser)
    parser.add_argument("--detach", action="store_true", help="with --batch: go on in the background")
    _add_no_cache(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", help=argparse.SUPPRESS)
    for name, build in COMMANDS.items():
        command = commands.add_parser(name, argument_default=argparse.SUPPRESS, allow_abbrev=False)
        _add(command, SETTINGS["home"])
        build(command)
        _add_output(command, as_json=name != "report")
    return parser


def _add(target: argparse._ActionsContainer, setting: Setting) -> None:
    def read(word: str) -> object:
        return read_word(setting, word, setting.option)

    default = setting.default_text or DEFAULTS.get(setting.name)
    text = f"{setting.summary} (default: {default})" if default is not None else setting.summary
    target.add_argument(
        setting.option,
        type=read,
        metavar=setting.metavar,
        dest=setting.name,
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
    for name in ("jobs", "data_dir"):
        _add(command, SETTINGS[name])
    command.add_argument("--detach", action="store_true", help="go on in the background")
    _add_no_cache(command)


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
    _add(command, SETTINGS["data_dir"])


def _doctor(command: argparse.ArgumentParser) -> None:
    _add(command, SETTINGS["data_dir"])


def _config(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("show",))
    for name, setting in SETTINGS.items():
        if name != "home":
            _add(command, setting)


COMMANDS: dict[str, Callable[[argparse.ArgumentParser], Any]] = {
    "list": lambda command: None,
    "show": _takes_id,
    "attach": _takes_id,
    "resume": _resume,
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
