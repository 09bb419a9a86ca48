"""The sub-command `study`: looking at studies, computing, stopping and removing them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

from core.data.catalogue import check_available
from core.declarations.setting import Value
from core.errors import AefitError, ExperimentError, StudyError
from core.files.exit_status import ExitStatus
from core.records.home import delete_experiment
from core.records.overview import OverviewReader
from core.records.study import Study, delete_study, find_study, find_study_folder, load_study, study_folders
from core.records.study_state import StudyState, StudyStatus, lacking_datasets, read_study_state
from core.report.formatting import counted, moment
from core.report.study.result import study_result
from core.report.tables.text import align
from tui_aefit.following.study import axes_words
from tui_aefit.shell import study_batch, study_export
from tui_aefit.shell.commands import CANCEL_SECONDS
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options

LOOK_SECONDS = 0.1


def study(options: Options, settings: Settings, console: Console) -> int:
    """Do what is asked for with a study. Raises AefitError."""
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
    """Print the result of a study as it stands. Raises AefitError."""
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
    """Stop a study and those of its experiments that it has begun, and wait a while. Raises AefitError."""
    found = find_study(settings.certain_home(), options["name"])
    state = read_study_state(found)
    if state.status is not StudyStatus.RUNNING:
        raise StudyError(
            f"{found.name} is not being computed", f"aefit-tui study show {found.name} tells its state"
        )
    _request_stop(state)
    deadline = time.monotonic() + CANCEL_SECONDS
    while (running := _is_running(found)) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    if options.get("as_json"):
        console.result_json({**study_result(found).to_json(), "done": "asked" if running else "stopped"})
    if running:
        console.problem(
            f"{found.name} was asked to stop and has not yet", "look again with aefit-tui study list"
        )
        return ExitStatus.FAILED
    console.narrate(f"{found.name} stopped; go on with: aefit-tui study resume {found.name}")
    return ExitStatus.COMPLETE


def delete(options: Options, settings: Settings, console: Console) -> int:
    """Forget a study, and remove its experiments where that is asked for, after a yes. Raises AefitError."""
    folder = find_study_folder(settings.certain_home(), options["name"])
    with_experiments = options.get("experiments", False)
    try:
        found: Study | None = load_study(folder)
    except StudyError:
        if with_experiments:
            raise
        found = None
    there = [found.folder_of(cell) for cell in found.cells if found.folder_of(cell).is_dir()] if found else []
    what = f"the study {folder.name}"
    what += f" and its {counted(len(there), 'experiment')} with all results" if with_experiments else ""
    if not options.get("yes", False) and not _is_confirmed(what, folder.name, console):
        console.narrate("nothing was deleted")
        return ExitStatus.INTERRUPTED
    delete_study(folder)
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
    return ExitStatus.FAILED if left else ExitStatus.COMPLETE


def _request_stop(state: StudyState) -> None:
    """Ask its supervisor to stop; where it has none, those of its experiments that are computed."""
    found = state.study
    try:
        if found.running:
            found.cancel_file.touch()
            return
        for cell in state.cells:
            if (
                cell.overview is not None
                and cell.overview.experiment is not None
                and cell.overview.experiment.running
            ):
                cell.overview.experiment.cancel_file.touch()
    except OSError as error:
        raise StudyError(f"cannot ask {found.name} to stop: {error.strerror}") from error


def _is_running(found: Study) -> bool:
    return read_study_state(found).status is StudyStatus.RUNNING


def _is_confirmed(what: str, name: str, console: Console) -> bool:
    """Ask at the terminal whether to delete something. Raises StudyError where there is none."""
    if not sys.stdin.isatty():
        raise StudyError(f"deleting {what} needs a yes", f"aefit-tui study delete {name} --yes")
    return console.confirmed(f"delete {what}?")


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
