"""The sub-command `completion`: a script by which a shell completes commands, options, choices and experiments."""

from __future__ import annotations

import argparse

import shtab

from core.data.catalogue import CATALOGUE
from core.declarations.setting import Folder, Setting
from core.files.exit_status import ExitStatus
from core.records.folders import experiment_folders
from core.records.study import study_folders
from tui_aefit.shell.console import Console
from tui_aefit.shell.declarations import SETTINGS, plugin_options
from tui_aefit.shell.options import grammar
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import DESTINATION, Options

EXPERIMENTS = shtab.cmd("aefit-tui completion ids 2>/dev/null")
"""The command by which the shell completes an experiment's id, run each time, since experiments come and go."""
STUDIES = shtab.cmd("aefit-tui completion studies 2>/dev/null")
"""The command by which the shell completes the name of a study."""


def completion(options: Options, settings: Settings, console: Console) -> int:
    """Print the completion script for a shell, or the ids or names that the script asks for. Raises AefitError."""
    if options["shell"] == "ids":
        for name in ["latest", *(folder.name for folder in experiment_folders(settings.home))]:
            console.result(name)
        return ExitStatus.COMPLETE
    if options["shell"] == "studies":
        for name in ["latest", *(folder.name for folder in study_folders(settings.home))]:
            console.result(name)
        return ExitStatus.COMPLETE
    declared = {**plugin_options(), **SETTINGS}
    parser = grammar(declared)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            action.help = "what to do"  # suppressed for the help, which lists commands itself
            for command in action.choices.values():
                _offer(command, declared)
    _offer(parser, declared)
    console.result(shtab.complete(parser, shell=options["shell"]))
    return ExitStatus.COMPLETE


def _offer(parser: argparse.ArgumentParser, declared: dict[str, Setting]) -> None:
    """Set on each argument of a grammar what the shell offers for it."""
    for action in parser._actions:
        setting = declared.get(action.dest.removeprefix(DESTINATION))
        if action.dest in ("id", "ids"):
            action.complete = EXPERIMENTS  # type: ignore[attr-defined]  # it is shtab's
        elif action.dest == "name" and action.metavar == "NAME":
            action.complete = STUDIES  # type: ignore[attr-defined]
        elif action.dest in ("output", "config", "study"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.dest in ("name", f"{DESTINATION}dataset"):
            action.choices = list(CATALOGUE)
        elif setting is not None and isinstance(setting.kind, Folder):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif setting is not None and setting.choices():
            action.choices = list(setting.choices())
