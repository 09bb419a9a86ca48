"""The sub-commands on experiments: looking at them, computing, stopping and removing them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from core.declarations.printable import printable, shell_word
from core.errors import ExperimentError
from core.files.exit_status import ExitStatus
from core.records.experiment import Experiment, load
from core.records.home import delete_experiment, find, find_folder
from core.records.overview import Overview, OverviewReader
from core.records.state import read_state
from core.records.status import ExperimentStatus
from core.records.stopping import stop_experiment
from core.report.formatting import counted
from core.report.tables.text import align
from core.spec.command import batch_command, word_of
from core.spec.settings import COMMON, part_options
from tui_aefit.following.listing import date_of, unusual
from tui_aefit.lab.opening import open_lab
from tui_aefit.shell import batch
from tui_aefit.shell.confirming import may_delete
from tui_aefit.shell.console import Console
from tui_aefit.shell.launcher import data_dir_of
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.stopping import wait_until_stopped
from tui_aefit.shell.subcommands import Options
from tui_aefit.shell.terminal import lab_is_possible


def list_experiments(options: Options, settings: Settings, console: Console) -> int:
    """Print all experiments of the home. Raises AefitError."""
    found = OverviewReader(settings.home).look()
    if options.get("as_json"):
        console.result_json([_list_record(overview) for overview in found])
    elif not found:
        console.narrate(f"there is no experiment under {settings.home} yet")
    else:
        header = (
            "id",
            "status",
            "runs",
            "dataset",
            "attack",
            "epsilon",
            "ladder",
            "created",
            "label",
            "settings",
        )
        console.result(align([header, *map(_list_row, found)], console.width, left=(0, 8, 9)))
    return ExitStatus.COMPLETE


def _list_record(overview: Overview) -> dict[str, object]:
    """An experiment in `list --json`; keys that need its spec are left out where that cannot be read."""
    try:
        created = datetime.fromtimestamp(overview.created, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):  # the file system says a year that no calendar has
        created = None
    record: dict[str, object] = {"id": overview.id, "status": overview.status, "created": created}
    if overview.annotations.label:
        record["label"] = overview.annotations.label
    if overview.annotations.tags:
        record["tags"] = list(overview.annotations.tags)
    if overview.annotations.notes:
        record["note"] = overview.annotations.notes
    if overview.reason:
        record["reason"] = overview.reason
    if overview.experiment is not None:
        spec = overview.experiment.spec
        main = [name for name, setting in spec.settings.items() if setting.main]
        record |= {
            "complete": overview.done,
            "ladder": {"knob": spec.ladder.knob, "levels": list(spec.ladder.levels)},
            "settings": unusual(spec, main),
        }
        record |= {name: spec.values[name] for name in main if name not in record}
    return record


def _list_row(overview: Overview) -> list[str]:
    about = [date_of(overview), printable(overview.annotations.label)]
    if overview.experiment is None:
        return [overview.id, overview.status, *[""] * 5, *about, ""]
    spec = overview.experiment.spec
    differing = unusual(spec, _in_columns(spec.family))
    asked = [printable(spec.dataset), spec.attack, f"{spec.epsilon:g}", spec.ladder.span]
    settings = " ".join([f"{name}={word_of(value)}" for name, value in differing.items()])
    return [overview.id, overview.status, f"{overview.done}/{spec.runs}", *asked, *about, settings]


@cache
def _in_columns(family: str) -> frozenset[str]:
    """The settings that are not repeated in the last column: main ones; those of a family show in the ladder."""
    options = part_options("family", family)
    return frozenset(name for name, setting in {**COMMON, **options}.items() if setting.main)


def show(options: Options, settings: Settings, console: Console) -> int:
    """Print the result of an experiment. Raises AefitError."""
    state = read_state(find(settings.home, options["id"]))
    status = batch.print_result(
        state, console, as_json=options.get("as_json", False), width=options.get("width")
    )
    # Runs that were not computed yet are no failure to show them.
    failed = state.status in (ExperimentStatus.FAILED, ExperimentStatus.REFUSED)
    return status if failed else ExitStatus.COMPLETE


def command_line(options: Options, settings: Settings, console: Console) -> int:
    """Print the line that computes an experiment again. Raises AefitError."""
    experiment = find(settings.home, options["id"])
    line = batch_command(experiment.spec)
    if options.get("as_json"):
        console.result_json({"id": experiment.id, "command": line})
    else:
        console.result(line)
    return ExitStatus.COMPLETE


def attach(options: Options, settings: Settings, console: Console) -> int:
    """Follow an experiment, in the lab where there is a terminal for it. Raises AefitError."""
    as_json = options.get("as_json", False)
    if lab_is_possible() and not as_json and not console.quiet:
        return open_lab(settings, console, options["id"])
    return batch.attach(find(settings.home, options["id"]), console, as_json=as_json)


def resume(options: Options, settings: Settings, console: Console) -> int:
    """Compute the runs that an experiment lacks. Raises AefitError."""
    experiment = find(settings.home, options["id"])
    return batch.run_batch(
        experiment, _batch_options(experiment, experiment.spec.runs, options, settings), console
    )


def extend(options: Options, settings: Settings, console: Console) -> int:
    """Ask for more runs of an experiment and compute them. Raises AefitError, having changed nothing."""
    experiment = find(settings.home, options["id"])
    runs = COMMON["runs"].check(settings["runs"])
    assert isinstance(runs, int)
    return batch.extend(experiment, runs, _batch_options(experiment, runs, options, settings), console)


def _batch_options(
    experiment: Experiment, runs: int, options: Options, settings: Settings
) -> batch.BatchOptions:
    """The options for computing what an experiment lacks of `runs` runs. Raises SpecError."""
    state = read_state(experiment)
    as_json = options.get("as_json", False)
    return batch.batch_options(
        settings,
        max(1, runs - len(state.results)),
        data_dir=data_dir_of(state, settings),
        detach=options.get("detach", False),
        as_json=as_json,
        now=options.get("now", False),
        # A damaged result does not count, since it is computed again: all files are read to find it.
        before=frozenset(experiment.results(verify=True)) if as_json else None,
    )


def cancel(options: Options, settings: Settings, console: Console) -> int:
    """Ask an experiment to stop, and wait until it has, see `wait_until_stopped`. Raises AefitError."""
    experiment = find(settings.certain_home(), options["id"])
    stop_experiment(experiment)
    stopped = wait_until_stopped(lambda: experiment.running)
    if options.get("as_json"):
        state = read_state(experiment)
        console.result_json(
            {
                "id": experiment.id,
                "status": state.status,
                "done": "stopped" if stopped else "asked",
                "complete": len(state.results),
                "runs": state.experiment.spec.runs,
            }
        )
    if not stopped:
        console.problem(
            f"{experiment.id} was asked to stop and has not yet", "look again with aefit-tui list"
        )
        return ExitStatus.FAILED
    console.narrate(f"{experiment.id} stopped; go on with: aefit-tui resume {experiment.word}")
    return ExitStatus.COMPLETE


def delete(options: Options, settings: Settings, console: Console) -> int:
    """Remove an experiment, after the person has confirmed it. Raises AefitError."""
    folder = find_folder(settings.certain_home(), options["id"])
    complete: int | None = None
    status: str = ExperimentStatus.UNREADABLE
    try:
        state = read_state(load(folder))
        complete, status = len(state.results), state.status
        what, problem = f"{folder.name}, with {counted(complete, 'complete run')}", ""
    except ExperimentError as error:
        what, problem = f"{folder.name}, which cannot be read", str(error)
    unasked = f"aefit-tui delete {shell_word(folder.name)} --yes"
    deleted = options.get("yes", False) or may_delete(folder.name, what, unasked, console, problem)
    if deleted:
        delete_experiment(folder)
    if options.get("as_json"):
        console.result_json(
            {
                "id": folder.name,
                "status": "deleted" if deleted else status,
                "done": "deleted" if deleted else "nothing",
                "deleted": deleted,
                "complete": complete,
            }
        )
    console.narrate(f"deleted {what}" if deleted else "nothing was deleted")
    return ExitStatus.COMPLETE if deleted else ExitStatus.INTERRUPTED
