"""The table of sub-commands: what each takes, what it is for, and which function runs it.

The grammar, the help and the commands that hints suggest are made from it. The help must be fast, so the functions
are named here, not imported.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.declarations.setting import Setting
from core.report.formats import (
    COMPARISON_TABLES,
    FIGURE_FORMATS,
    FIGURES,
    NARROWEST,
    SET_FORMATS,
    STUDY_FIGURES,
    STUDY_QUANTITY,
    STUDY_TABLES,
    TABLE_FORMATS,
    TABLES,
    TEXTS,
    WIDTH,
)
from core.spec.call import CALL
from core.spec.settings import COMMON
from tui_aefit.shell.declarations import explain

DESTINATION = "setting "
"""The prefix of argparse's names for settings: a plug-in's option may be called like an argument of ours."""

Options = Mapping[str, Any]
"""Name -> what was typed, parsed by the grammar's types; absent where nothing was typed."""
Build = Callable[[argparse.ArgumentParser, Mapping[str, Setting]], object]
"""Adds the arguments of a command to its grammar; the mapping has every setting, by name."""


@dataclass(frozen=True, kw_only=True)
class SubCommand:
    """One sub-command.

    usages: what may follow its name -> what it then does, in the words of the help. run: the function that runs
    it, as "module:name". build: adds its arguments besides the home and the options of every command. has_json:
    whether it takes --json. forgiving: whether it works though a settings file is broken, since it computes
    nothing from it. suggested: whether messages suggest it and its answer depends on the home: they then add
    --home to it. takes_dashes: whether a word with one dash, "-NAME", is a value of it and no option.
    """

    usages: Mapping[str, str]
    run: str
    build: Build = lambda command, settings: None
    has_json: bool = True
    forgiving: bool = False
    suggested: bool = True
    takes_dashes: bool = False

    @property
    def takes_id(self) -> bool:
        """Whether an experiment's id follows its name."""
        return any(usage.startswith("ID") for usage in self.usages)


def add_setting(
    target: argparse._ActionsContainer, setting: Setting, text: str = "", *, required: bool = False
) -> None:
    """Add a setting as an option that takes a word. text: its help, by default its meaning and default."""
    if not text:
        default = setting.default_text or setting.default
        text = explain(setting) + (f" (default: {default})" if default is not None else "")
    target.add_argument(
        setting.option,
        metavar=setting.metavar,
        dest=f"{DESTINATION}{setting.name}",
        required=required,
        help=text.replace("%", "%%"),  # a home may have one; argparse would format it
    )


def add_no_cache(target: argparse._ActionsContainer) -> None:
    """Add --no-cache."""
    target.add_argument(
        "--no-cache", action="store_true", help="train surrogates and search anew, and keep neither"
    )


def add_now(target: argparse._ActionsContainer) -> None:
    """Add --now."""
    target.add_argument(
        "--now", action="store_true", help="compute at once, beside what else is computed in this home"
    )


def _takes_id(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    command.add_argument(
        "id", metavar="ID", help="an id, an unambiguous prefix of it, or latest: the one created last"
    )


def _show(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    _takes_id(command, settings)
    _add_width(command)


def _add_width(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--width",
        metavar="N",
        type=_width,
        help=f"characters of a line, {NARROWEST} or more (default: the terminal's, {WIDTH} elsewhere)",
    )


def _width(word: str) -> int:
    """The width in a word, NARROWEST at least. Raises ArgumentTypeError."""
    if not word.isdecimal() or int(word) < NARROWEST:
        raise argparse.ArgumentTypeError(
            f"{word!r} is not possible: expected a whole number from {NARROWEST}"
        )
    return int(word)


def _resume(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    _takes_id(command, settings)
    for setting in CALL.values():
        if setting.name != "home":  # which every command takes
            add_setting(command, setting)
    command.add_argument("--detach", action="store_true", help="go on in the background")
    add_now(command)
    add_no_cache(command)


def _extend(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    add_setting(command, COMMON["runs"], "how many runs there are to be in all", required=True)
    _resume(command, settings)


def _study(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    command.add_argument("action", choices=STUDY_ACTIONS)
    command.add_argument(
        "name", metavar="NAME", nargs="?", help="a study's name, an unambiguous prefix of it, or latest"
    )
    for setting in CALL.values():
        if setting.name != "home":  # which every command takes
            add_setting(command, setting)
    command.add_argument("--detach", action="store_true", help="resume: go on in the background")
    add_now(command)
    add_no_cache(command)
    command.add_argument("--yes", action="store_true", help="delete: do not ask")
    command.add_argument(
        "--experiments", action="store_true", help="delete: its experiments and their results too"
    )
    _add_width(command)
    _add_study_export(command)


def _add_study_export(command: argparse.ArgumentParser) -> None:
    forms = (*TEXTS, "parquet", *FIGURE_FORMATS)
    command.add_argument("--format", choices=forms, help="of an export (default: json)")
    command.add_argument(
        "--table",
        choices=STUDY_TABLES,
        help=f"of {', '.join(TABLE_FORMATS)} (default: cells; latex: cells, changes and claims)",
    )
    of = ", ".join(FIGURE_FORMATS)
    command.add_argument("--figure", choices=STUDY_FIGURES, help=f"of {of}")
    command.add_argument(
        "--quantity",
        metavar="NAME",
        help=f"of {of}: a claim's name, accuracy, accuracy@LEVEL, images, fooled, target_hit, p or p@LEVEL "
        f"(default: {STUDY_QUANTITY})",
    )
    command.add_argument(
        "--axis",
        metavar="SETTING",
        help=f"of {of}: what runs to the right (default: the longest with numbers)",
    )
    command.add_argument(
        "--sets",
        metavar="A,B",
        help=f"of {of}: the sets of the quantity (default: adversarial, misclassified)",
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        help=f"- is standard output (default: - for {', '.join(TEXTS)}, else a file in the study's exports)",
    )


def _queue(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    command.add_argument("action", choices=("list", "up", "down", "first", "last", "now"))
    command.add_argument("id", metavar="ID", nargs="?", help="an experiment that is in the queue")


def _delete(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    _takes_id(command, settings)
    command.add_argument("--yes", action="store_true", help="do not ask")


def _text(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    _takes_id(command, settings)
    command.add_argument(
        "text", metavar="TEXT", nargs="*", help='"" takes away what there is; without any it is printed'
    )


def _tag(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    _takes_id(command, settings)
    command.add_argument(
        "changes",
        metavar="+NAME|-NAME",
        nargs="*",
        help="a tag to add, a tag to take away; without any they are printed",
    )


def _export(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    _takes_id(command, settings)
    forms = (*TEXTS, "parquet", *FIGURE_FORMATS)
    command.add_argument("--format", choices=forms, default="json", help="default: json")
    command.add_argument(
        "--table",
        choices=TABLES,
        help=f"of {', '.join(TABLE_FORMATS)} (default: accuracy; latex: all)",
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


def _report(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    _takes_id(command, settings)
    command.add_argument("--output", metavar="FILE", help="default: ID.html in the experiment's exports")
    command.add_argument(
        "--paths", action="store_true", help="with the folders that data and results lie in, which name users"
    )


def _compare(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    command.add_argument(
        "ids",
        metavar="ID",
        nargs="*",
        help="two experiments or more, by their ids, unambiguous prefixes of these, or latest",
    )
    command.add_argument("--format", choices=("csv", "latex"), help="default: text")
    command.add_argument("--table", choices=COMPARISON_TABLES, help="of csv (default: claims)")
    command.add_argument("--output", metavar="FILE", help="default: -, standard output")
    _add_width(command)


def _data(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    command.add_argument("action", choices=("list", "fetch", "export"))
    command.add_argument("name", nargs="?", metavar="NAME|PATH", help="the data set to fetch or export")
    command.add_argument(
        "--output", metavar="FILE.npz", help="where export writes images and labels to; - is standard output"
    )
    add_setting(command, CALL["data_dir"])
    add_setting(command, CALL["data_limit"])


def _doctor(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    add_setting(command, CALL["data_dir"])


def _config(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    command.add_argument("action", choices=("show", "keys"))
    for setting in settings.values():
        if setting.name != "home":
            add_setting(command, setting)


def _completion(command: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    command.add_argument(
        "shell",
        choices=("bash", "zsh", "fish", "ids", "studies"),
        help="ids, studies: what the scripts ask for",
    )


STUDY_ACTIONS = ("list", "show", "attach", "resume", "cancel", "delete", "export", "report")
_EXPERIMENTS = "tui_aefit.shell.commands"
_ANNOTATING = "tui_aefit.shell.annotating"

SUB_COMMANDS: Mapping[str, SubCommand] = {
    "list": SubCommand(
        usages={"": "every experiment under the home, with its state"},
        run=f"{_EXPERIMENTS}:list_experiments",
        forgiving=True,
    ),
    "show": SubCommand(
        usages={"ID": "the result of an experiment, also of one that is still running"},
        run=f"{_EXPERIMENTS}:show",
        build=_show,
        forgiving=True,
    ),
    "attach": SubCommand(
        usages={"ID": "follow an experiment that is being computed"},
        run=f"{_EXPERIMENTS}:attach",
        build=_takes_id,
    ),
    "resume": SubCommand(
        usages={"ID": "compute the runs that an experiment lacks, failed ones among them"},
        run=f"{_EXPERIMENTS}:resume",
        build=_resume,
    ),
    "extend": SubCommand(
        usages={"ID --runs N": "ask for N runs in all and compute the further ones"},
        run=f"{_EXPERIMENTS}:extend",
        build=_extend,
    ),
    "cancel": SubCommand(
        usages={"ID": "stop an experiment; complete runs are kept"},
        run=f"{_EXPERIMENTS}:cancel",
        build=_takes_id,
        forgiving=True,
    ),
    "delete": SubCommand(
        usages={"ID": "remove an experiment and its results"},
        run=f"{_EXPERIMENTS}:delete",
        build=_delete,
        forgiving=True,
    ),
    "label": SubCommand(
        usages={"ID TEXT": "give an experiment a name of your own"},
        run=f"{_ANNOTATING}:label",
        build=_text,
        forgiving=True,
    ),
    "tag": SubCommand(
        usages={"ID +NAME -NAME": "add tags to an experiment, take tags away"},
        run=f"{_ANNOTATING}:tag",
        build=_tag,
        forgiving=True,
        takes_dashes=True,
    ),
    "note": SubCommand(
        usages={"ID TEXT": "write down what is worth knowing of an experiment"},
        run=f"{_ANNOTATING}:note",
        build=_text,
        forgiving=True,
    ),
    "command": SubCommand(
        usages={"ID": "the command line that computes an experiment again"},
        run=f"{_EXPERIMENTS}:command_line",
        build=_takes_id,
        forgiving=True,
    ),
    "export": SubCommand(
        usages={
            "ID": "write a result as JSON, CSV, Parquet or LaTeX tables, or its figures as PDF, SVG or PNG"
        },
        run="tui_aefit.shell.export:export",
        build=_export,
    ),
    "report": SubCommand(
        usages={"ID": "write one HTML page on an experiment: verdict, tables, figures, how to reproduce it"},
        run="tui_aefit.shell.export:report",
        build=_report,
        has_json=False,
    ),
    "compare": SubCommand(
        usages={"ID ID...": "experiments side by side, and by how much every two of them differ"},
        run="tui_aefit.shell.comparing:compare",
        build=_compare,
        forgiving=True,
    ),
    "study": SubCommand(
        usages={
            "list": "every study under the home, with its state",
            "show|attach NAME": "the result of a study; follow one that is being computed",
            "resume|cancel NAME": "compute what a study lacks; stop it",
            "export|report NAME": "write a study's tables or figures; one HTML page on it",
            "delete NAME": "forget a study; its experiments stay unless --experiments is typed",
        },
        run="tui_aefit.shell.studies:study",
        build=_study,
        forgiving=True,
    ),
    "queue": SubCommand(
        usages={
            "list": "who computes here or waits to, in turn",
            "up|down ID": "move an experiment in the queue",
            "first|last ID": "the same, to its front or its end",
            "now ID": "have it wait for nobody, as with --now",
        },
        run="tui_aefit.shell.queueing:queue",
        build=_queue,
        forgiving=True,
    ),
    "data": SubCommand(
        usages={
            "list | fetch NAME": "the data sets that have a name; download one",
            "export NAME|PATH": "write a data set as runs see it, with --output FILE.npz",
        },
        run="tui_aefit.shell.data:data",
        build=_data,
        suggested=False,
    ),
    "doctor": SubCommand(
        usages={"": "what works here, and what to type for what does not; 2 where nothing can be computed"},
        run="tui_aefit.shell.doctor:doctor",
        build=_doctor,
        forgiving=True,
    ),
    "config": SubCommand(
        usages={
            "show": "every setting, its value and where it came from",
            "keys": "the keys of the lab by their names, as a settings file's [keys] changes them",
        },
        run="tui_aefit.shell.config:config",
        build=_config,
        forgiving=True,
        suggested=False,
    ),
    "completion": SubCommand(
        usages={"bash|zsh|fish": "a script that completes commands, options and ids in your shell"},
        run="tui_aefit.shell.completion:completion",
        build=_completion,
        has_json=False,
        forgiving=True,
        suggested=False,
    ),
}
"""Every sub-command, by name, in the order of the help."""


def lines_of_help() -> list[str]:
    """A line for each way to use a sub-command: what to type and what it does."""
    typed = {
        f"{name} {usage}".strip(): meaning
        for name, command in SUB_COMMANDS.items()
        for usage, meaning in command.usages.items()
    }
    width = max(map(len, typed))
    return [f"  {words:{width}}  {meaning}" for words, meaning in typed.items()]
