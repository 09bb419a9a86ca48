"""The sub-command `study`: lists, shows, computes, stops, deletes and exports studies."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

from core.data.catalogue import check_available
from core.declarations.printable import shell_word
from core.declarations.setting import Value
from core.errors import AefitError, ExperimentError, StudyError
from core.files.exit_status import ExitStatus
from core.records.home import delete_experiment
from core.records.overview import OverviewReader
from core.records.stopping import stop_study
from core.records.study import Study, delete_study, find_study, find_study_folder, load_study, study_folders
from core.records.study_state import StudyStatus, lacking_datasets, read_study_state
from core.report.formatting import counted, moment
from core.report.study.result import study_result
from core.report.tables.text import align
from tui_aefit.following.study import axes_words
from tui_aefit.shell import study_batch, study_export
from tui_aefit.shell.confirming import may_delete
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.stopping import wait_until_stopped
from tui_aefit.shell.subcommands import Options


def study(options: Options, settings: Settings, console: Console) -> int:
    """Run the action that was typed; the exit status. Raises AefitError."""
    action, name = options["action"], options.get("name")
    if action == "list":
        if name is not None:
            raise AefitError(
                f"`study list` takes no name, and {name!r} was given", "aefit-tui study show NAME"
            )
    elif name is None:
        raise AefitError(f"`study {action}` of which study?", f"aefit-tui study {action} NAME")
    return _ACTIONS[action](options, settings, console)


def list_studies(options: Options, settings: Settings, console: Console) -> int:
    """Print all studies of the home. Raises AefitError."""
    reader = OverviewReader(settings.home)
    records: list[dict[str, object]] = []
    rows: list[list[str]] = []
    for folder in study_folders(settings.home):
        try:
            state = read_study_state(load_study(folder), reader)
        except (StudyError, OSError) as error:
            records.append({"name": folder.name, "status": "unreadable", "reason": str(error)})
            rows.append([folder.name, "unreadable", "", "", "", ""])
            continue
        found = state.study
        records.append(
            {
                "name": found.name,
                "status": state.status.value,
                "experiments": len(state.cells),
                "complete": state.complete,
                "runs": state.runs,
                "runs_complete": state.done,
                "axes": {axis: list(map(_plain, values)) for axis, values in found.axes.items()},
            }
        )
        rows.append([
            found.name, state.status.value, f"{state.complete}/{len(state.cells)}", f"{state.done}/{state.runs}",
            moment(found.created, "%Y-%m-%d %H:%M"),
            "; ".join(axes_words(found.axes)),
        ])  # fmt: skip
    if options.get("as_json"):
        console.result_json(records)
    elif not rows:
        console.narrate(f"there is no study under {settings.home} yet")
    else:
        header = ["name", "status", "experiments", "runs", "created", "axes"]
        console.result(align([header, *rows], console.width, left=(0, 1, 5)))
    return ExitStatus.COMPLETE


def show(options: Options, settings: Settings, console: Console) -> int:
    """Print the present result of a study. Raises AefitError."""
    state = read_study_state(find_study(settings.home, options["name"]))
    study_batch.print_study(state, console, as_json=options.get("as_json", False), width=options.get("width"))
    failed = state.status is StudyStatus.FAILED
    return ExitStatus.FAILED if failed else ExitStatus.COMPLETE


def attach(options: Options, settings: Settings, console: Console) -> int:
    """Follow a study that is being computed. Raises AefitError."""
    found = find_study(settings.home, options["name"])
    return study_batch.attach(found, console, as_json=options.get("as_json", False))


def resume(options: Options, settings: Settings, console: Console) -> int:
    """Compute what a study lacks. Raises AefitError."""
    found = find_study(settings.home, options["name"])
    state = read_study_state(found)
    for dataset in lacking_datasets(state):
        check_available(dataset, settings.data_dir)
    how = study_batch.options_of(options, settings, state.runs - state.done)
    return study_batch.run_study(found, how, console)


def cancel(options: Options, settings: Settings, console: Console) -> int:
    """Ask a study and its running experiments to stop, and wait, see `wait_until_stopped`. Raises AefitError."""
    found = find_study(settings.certain_home(), options["name"])
    stop_study(read_study_state(found))
    stopped = wait_until_stopped(partial(_is_running, found))
    if options.get("as_json"):
        console.result_json({**study_result(found).to_json(), "done": "stopped" if stopped else "asked"})
    if not stopped:
        console.problem(
            f"{found.name} was asked to stop and has not yet", "look again with aefit-tui study list"
        )
        return ExitStatus.FAILED
    console.narrate(f"{found.name} stopped; go on with: aefit-tui study resume {found.name}")
    return ExitStatus.COMPLETE


def delete(options: Options, settings: Settings, console: Console) -> int:
    """Remove a study, with --experiments its experiments too, once a person has confirmed. Raises AefitError."""
    folder = find_study_folder(settings.certain_home(), options["name"])
    with_experiments = options.get("experiments", False)
    found: Study | None = None
    problem = ""
    try:
        found = load_study(folder)
    except StudyError as error:
        if with_experiments:
            raise
        problem = str(error)
    there = [found.folder_of(cell) for cell in found.cells if found.folder_of(cell).is_dir()] if found else []
    what = f"the study {folder.name}"
    what += f" and its {counted(len(there), 'experiment')} with all results" if with_experiments else ""
    unasked = f"aefit-tui study delete {shell_word(folder.name)}{' --experiments' * with_experiments} --yes"
    if not options.get("yes", False) and not may_delete(folder.name, what, unasked, console, problem):
        console.narrate("nothing was deleted")
        return ExitStatus.INTERRUPTED
    whole = True
    try:
        delete_study(folder)
    except StudyError as error:
        if os.path.lexists(folder):
            raise
        # It is none any more, and what is left of it is in nobody's way.
        console.problem(str(error), error.hint)
        whole = False
    left = []
    for experiment in there if with_experiments else []:
        try:
            delete_experiment(experiment)
        except ExperimentError as error:
            left.append(experiment.name)
            console.problem(f"{experiment.name} was not deleted: {error}", error.hint)
    if options.get("as_json"):
        console.result_json(
            {"name": folder.name, "deleted": True, "experiments": with_experiments, "left": left}
        )
    stay = "" if with_experiments else "; its experiments stay"
    console.narrate(f"deleted {what}{stay}")
    return ExitStatus.COMPLETE if whole and not left else ExitStatus.FAILED


def _is_running(found: Study) -> bool:
    return read_study_state(found).status is StudyStatus.RUNNING


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


_ACTIONS: Mapping[str, Callable[[Options, Settings, Console], int]] = {
    "list": list_studies,
    "show": show,
    "attach": attach,
    "resume": resume,
    "cancel": cancel,
    "delete": delete,
    "export": study_export.export,
    "report": study_export.report,
}
