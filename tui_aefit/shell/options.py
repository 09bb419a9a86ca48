"""The grammar of the command, and the parsing of what was typed; `subcommands` has the sub-commands' part."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Collection, Mapping
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NoReturn

from core import __version__
from core.declarations.setting import Setting
from core.errors import AefitError, PluginError, closest
from core.spec.call import CALL
from core.spec.settings import COMMON, PARTS
from tui_aefit.shell.console import Console
from tui_aefit.shell.declarations import SETTINGS, declared_with, plugin_options, variable_of
from tui_aefit.shell.subcommands import (
    DESTINATION,
    SUB_COMMANDS,
    add_no_cache,
    add_now,
    add_setting,
    lines_of_help,
)

EPILOG = """\
commands:
{commands}

ID may be shortened to any unambiguous prefix, or `latest`, the experiment created last.
`aefit-tui COMMAND --help` tells more.
exit status: 0 all runs complete, 1 some run failed, 2 the request is wrong, 130 interrupted
"""

ONE_DASH = re.compile(r"-(?!-)")
"""How a word with one dash in front begins."""


class Parser(argparse.ArgumentParser):
    """Raises AefitError where argparse would print its usage and leave."""

    def error(self, message: str) -> NoReturn:
        """Raise the error for a wrong command line."""
        raise AefitError(message, f"see {self.prog} --help")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print the help or the version as a result."""
        if message:
            Console().result(message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, but options may stand among the words of an argument that takes any number of them."""
        found, rest = super().parse_known_args(args, namespace)
        for action in self._get_positional_actions():
            if action.nargs == "*":
                words = [word for word in rest if not word.startswith("--")]
                setattr(found, action.dest, [*getattr(found, action.dest, []), *words])
                rest = [word for word in rest if word.startswith("--")]
        return found, rest


def parse(words: list[str], environment: Mapping[str, str] = os.environ) -> argparse.Namespace:
    """What was typed: `command` (None for the lab or --batch), and only those settings that were given.

    environment: may name an attack, a family or a surrogate, whose options the command then has too.
    Raises AefitError for a wrong command line, SystemExit after --help and --version.
    """
    broken: PluginError | None = None
    try:
        settings = declared_with(_named_parts(words, environment))
    except PluginError as error:  # told where it is computed with; help and `list` do not need it
        settings, broken = SETTINGS, error
    # Only the named commands: to make the grammar of all takes longer than to parse the words.
    named = SUB_COMMANDS if "--" in words else [name for name in SUB_COMMANDS if name in words]
    parser = grammar(settings, named)
    asks_for_help = not {"-h", "--help"}.isdisjoint(words)
    # Loading plug-ins takes time, and only help, a mistake or an option of theirs can need it.
    unknown = not _long_options(words) <= _all_options(parser)
    if (asks_for_help or unknown) and (further := plugin_options()):
        parser = grammar({**further, **settings}, named)
    elif unknown and broken is not None:
        raise broken
    _check_front(words, parser)
    return parser.parse_args(words)


def given_settings(options: argparse.Namespace) -> dict[str, str]:
    """Name of a setting -> the word that was typed for it."""
    return {
        name.removeprefix(DESTINATION): word
        for name, word in vars(options).items()
        if name.startswith(DESTINATION)
    }


def _named_parts(words: list[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Part (attack, family, ...) -> the name that was typed for it, else the environment's."""
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
    """Every option of the command and of the sub-commands in its grammar."""
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return set(
        chain.from_iterable(one._option_string_actions for one in (parser, *commands.choices.values()))
    )


def grammar(settings: Mapping[str, Setting], names: Collection[str] = SUB_COMMANDS) -> Parser:
    """The grammar of the command with these settings and the sub-commands of these names."""
    parser = Parser(
        prog="aefit-tui",
        description="The terminal laboratory for one question: do adversarial examples come from the "
        "fitting-generalisation trade-off? Without --batch it opens the lab.",
        epilog=EPILOG.format(commands="\n".join(lines_of_help())),
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
        group = experiment if setting.name in COMMON else parser if setting.name in CALL else parts
        add_setting(group, setting)
    _add_output(parser)
    parser.add_argument("--detach", action="store_true", help="with --batch: go on in the background")
    add_now(parser)
    add_no_cache(parser)
    studies = parser.add_argument_group(
        "studies: with --batch, several values with commas between them make an experiment each"
    )
    studies.add_argument(
        "--pair", action="store_true", help="pair the values instead of taking every combination of them"
    )
    studies.add_argument(
        "--study",
        type=Path,
        metavar="FILE.toml",
        help="read a study's [base], [grid] and [[case]] from a file",
    )
    studies.add_argument("--name", metavar="NAME", help="what the study is called (default: by its settings)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", help=argparse.SUPPRESS)
    for name in names:
        sub_command = SUB_COMMANDS[name]
        command = commands.add_parser(
            name,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
            add_help=not sub_command.takes_dashes,
            help=next(iter(sub_command.usages.values())),
        )
        if sub_command.takes_dashes:
            command.add_argument("--help", action="help", help="show this help message and exit")
            # What argparse takes for a negative number it takes for a value, and -h is one here.
            command._negative_number_matcher = ONE_DASH
        add_setting(command, CALL["home"])
        sub_command.build(command, settings)
        _add_output(command, as_json=sub_command.has_json)
    return parser


def _add_output(target: argparse._ActionsContainer, *, as_json: bool = True) -> None:
    target.add_argument("--config", type=Path, metavar="FILE", help="settings file, instead of ./aefit.toml")
    if as_json:
        target.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON value on standard output"
        )
    target.add_argument("--quiet", action="store_true", help="no narration on standard error")


def _check_front(words: list[str], parser: Parser) -> None:
    """Raises AefitError for an unknown command, or an unknown option before it.

    argparse would take the value of an unknown option for a command, and say that there is no such command.
    """
    options = parser._option_string_actions
    known = [option[2:] for option in options if option.startswith("--")]
    for before, word in pairwise(["", *words]):
        if not word.startswith("-"):
            if before in options and options[before].nargs is None:
                continue  # its value
            if word in SUB_COMMANDS:
                return
            near = closest(word, SUB_COMMANDS)
            hint = f"did you mean `aefit-tui {near}`?" if near else "see aefit-tui --help"
            raise AefitError(f"there is no command {word!r}: expected one of {', '.join(SUB_COMMANDS)}", hint)
        if word in ("-h", "--help", "--version", "--"):
            return
        name = word[2:].partition("=")[0]
        if word.startswith("--") and name not in known:
            near = next((option for option in known if option.startswith(name)), "") or closest(name, known)
            hint = f"did you mean --{near}?" if near else "see aefit-tui --help"
            raise AefitError(f"there is no option --{name}", hint)
