"""The sub-commands: looking at experiments and data sets, stopping, resuming, removing, exporting."""

from __future__ import annotations

import argparse
import json
import os.path
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.data.catalogue import CATALOGUE, OWN_DEFAULT_EPOCHS, availability
from core.declarations.setting import Value
from core.errors import AefitError, ExperimentError
from core.files.exit_status import ExitStatus
from core.files.output import write_output
from core.records.experiment import Experiment, delete, find, find_folder, load
from core.records.overview import Overview, OverviewReader
from core.records.status import ExperimentStatus
from core.report.chosen import names_in
from core.report.formats import FIGURE_FORMATS, FIGURES, SET_FORMATS, TABLE_FORMATS, TEXTS
from core.report.formatting import counted
from core.report.result import result_of
from core.report.tables.text import align
from core.spec.command import word_of
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tui_aefit.following.listing import date_of
from tui_aefit.following.printable import printable
from tui_aefit.following.stopping import request_stop
from tui_aefit.lab.opening import open_lab
from tui_aefit.shell.batch import attach, batch_options, print_result, run_batch
from tui_aefit.shell.console import Console
from tui_aefit.shell.launcher import data_dir_of
from tui_aefit.shell.publications import default_path, publish, text_of
from tui_aefit.shell.settings import Settings, processors
from tui_aefit.shell.terminal import lab_is_possible

IN_COLUMNS = ("dataset", "attack", "epsilon", "z", "runs")
"""The settings that have a column of their own, or a field, in a list; a ladder says what z does."""
Options = Mapping[str, Any]
"""What was typed, by name, as the grammar's types have read it."""
CANCEL_SECONDS = 30.0
"""How long `cancel` waits to see the work stop before it says that it has not yet."""


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do one sub-command; the exit status. Raises AefitError."""
    command: Callable[[Options, Settings, Console], int] = _COMMANDS[options.command]
    return command(vars(options), settings, console)


def _list(options: Options, settings: Settings, console: Console) -> int:
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
    """An experiment in `list --json`; what needs its spec is left out where that cannot be read."""
    try:
        created = datetime.fromtimestamp(overview.created, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):  # the file system says a year that no calendar has
        created = None
    record: dict[str, object] = {"id": overview.id, "status": overview.status, "created": created}
    if overview.annotations.label:
        record["label"] = overview.annotations.label
    if overview.reason:
        record["reason"] = overview.reason
    if overview.experiment is not None:
        spec = overview.experiment.spec
        named = {name: spec.values[name] for name in ("runs", "dataset", "attack", "epsilon")}
        of_knn = {"z": spec.options["z"]} if "z" in spec.options else {}
        record |= {"complete": overview.done, **named, **of_knn, "settings": _unusual(spec)}
    return record


def _list_row(overview: Overview) -> list[str]:
    about = [date_of(overview), printable(overview.annotations.label)]
    if overview.experiment is None:
        return [overview.id, overview.status, *[""] * 5, *about, ""]
    spec = overview.experiment.spec
    unusual = " ".join(f"{name}={word_of(value)}" for name, value in _unusual(spec).items())
    asked = [printable(spec.dataset), spec.attack, f"{spec.epsilon:g}", spec.ladder.span]
    return [overview.id, overview.status, f"{overview.done}/{spec.runs}", *asked, *about, unusual]


def _unusual(spec: Spec) -> dict[str, Value]:
    """The settings without a column of their own that are not at their default, by name."""
    epochs = CATALOGUE[spec.dataset].default_epochs if spec.dataset in CATALOGUE else OWN_DEFAULT_EPOCHS
    usual = {**{name: setting.default for name, setting in spec.settings.items()}, "epochs": epochs}
    return {
        name: value for name, value in spec.values.items() if name not in IN_COLUMNS and value != usual[name]
    }


def _show(options: Options, settings: Settings, console: Console) -> int:
    state = find(settings.home, options["id"]).state()
    status = print_result(state, console, as_json=options.get("as_json", False))
    # Runs that were not computed yet are no failure to show them.
    failed = state.status in (ExperimentStatus.FAILED, ExperimentStatus.REFUSED)
    return status if failed else ExitStatus.COMPLETE


def _attach(options: Options, settings: Settings, console: Console) -> int:
    as_json = options.get("as_json", False)
    if lab_is_possible() and not as_json and not console.quiet:
        return open_lab(settings, console, options["id"])
    return attach(find(settings.home, options["id"]), console, as_json=as_json)


def _resume(options: Options, settings: Settings, console: Console) -> int:
    return _compute_missing(find(settings.home, options["id"]), options, settings, console)


def _extend(options: Options, settings: Settings, console: Console) -> int:
    experiment = find(settings.home, options["id"])
    settings.jobs(experiment.spec)  # what is wrong with it is said before anything changes
    runs = COMMON["runs"].check(settings["runs"])
    assert isinstance(runs, int)
    return _compute_missing(experiment.extend(runs), options, settings, console)


def _compute_missing(experiment: Experiment, options: Options, settings: Settings, console: Console) -> int:
    batch = batch_options(
        settings,
        experiment.spec,
        data_dir=data_dir_of(experiment.state(), settings),
        detach=options.get("detach", False),
        as_json=options.get("as_json", False),
    )
    return run_batch(experiment, batch, console)


def _cancel(options: Options, settings: Settings, console: Console) -> int:
    experiment = find(settings.certain_home(), options["id"])
    request_stop(experiment)
    deadline = time.monotonic() + CANCEL_SECONDS
    while (running := experiment.running) and time.monotonic() < deadline:
        time.sleep(0.1)
    if options.get("as_json"):
        state = experiment.state()
        console.result_json({"id": experiment.id, "status": state.status, "complete": len(state.results)})
    if running:
        console.problem(
            f"{experiment.id} was asked to stop and has not yet", "look again with aefit-tui list"
        )
        return ExitStatus.FAILED
    console.narrate(f"{experiment.id} stopped; go on with: aefit-tui resume {experiment.id}")
    return ExitStatus.COMPLETE


def _delete(options: Options, settings: Settings, console: Console) -> int:
    folder = find_folder(settings.certain_home(), options["id"])
    done: int | None = None
    try:
        done = len(load(folder).results())
        what, reason = f"with {counted(done, 'complete run')}", ""
    except ExperimentError as error:
        what, reason = "which cannot be read", f": {error}"
    deleted = options.get("yes", False) or _is_confirmed(folder.name, what, reason, console)
    if deleted:
        delete(folder)
    if options.get("as_json"):
        console.result_json({"id": folder.name, "deleted": deleted, "complete": done})
    console.narrate(f"deleted {folder.name}, {what}" if deleted else "nothing was deleted")
    return ExitStatus.COMPLETE if deleted else ExitStatus.INTERRUPTED


def _is_confirmed(name: str, what: str, reason: str, console: Console) -> bool:
    """Ask at the terminal whether to delete an experiment. Raises ExperimentError where there is none."""
    if not sys.stdin.isatty():
        raise ExperimentError(
            f"deleting {name}, {what}, needs a yes{reason}", f"aefit-tui delete {name} --yes"
        )
    if reason:
        console.narrate(f"{name} cannot be read{reason}")
    sys.stderr.write(f"delete {name}, {what}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _export(options: Options, settings: Settings, console: Console) -> int:
    form, table, figure = options["format"], options.get("table"), options.get("figure")
    if options.get("as_json") and form != "json":
        raise AefitError(f"--json and --format {form} exclude each other", "leave one of them out")
    _check_export(form, table, figure, options.get("sets"))
    experiment = find(settings.home, options["id"])
    if form in TEXTS:
        text = text_of(result_of(experiment.state()), form, table, names_in(options.get("sets", "")))
        output = options.get("output", "-")
        if output == "-":
            console.result(text)
        else:
            write_output(Path(output), text.encode())
            console.narrate(f"wrote {output}")
        return ExitStatus.COMPLETE
    chosen = {"table": table, "figure": figure, "sets": options.get("sets")}
    given = {name: value for name, value in chosen.items() if value is not None}
    return _publish(
        experiment, form, options.get("output"), console, part=figure or table or "accuracy", **given
    )


def _check_export(form: str, table: str | None, figure: str | None, sets: str | None) -> None:
    """Raises AefitError where the options do not belong together."""
    if form in FIGURE_FORMATS and figure is None:
        raise AefitError("which figure?", f"--format {form} --figure with one of {', '.join(FIGURES)}")
    if figure is not None and form not in FIGURE_FORMATS:
        raise AefitError(
            f"--format {form} has no --figure", f"choose one of {', '.join(FIGURE_FORMATS)} with --format"
        )
    if sets is not None and form not in SET_FORMATS:
        raise AefitError(
            f"--format {form} has no --sets", f"choose one of {', '.join(SET_FORMATS)} with --format"
        )
    if table is not None and form not in TABLE_FORMATS:
        raise AefitError(
            f"--format {form} has no --table",
            f"choose one of {', '.join(TABLE_FORMATS)} with --format",
        )


def _report(options: Options, settings: Settings, console: Console) -> int:
    return _publish(find(settings.home, options["id"]), "html", options.get("output"), console)


def _publish(
    experiment: Experiment, form: str, output: str | None, console: Console, *, part: str = "", **chosen: str
) -> int:
    """Write what is not for a terminal; the path is the answer, unless it is that of an export and was given."""
    if output == "-":
        if sys.stdout.isatty():
            raise AefitError(f"a terminal cannot show {form}", "give a file to --output, or a pipe")
        publish(experiment, form, None, **chosen)
        return ExitStatus.COMPLETE
    path = default_path(experiment, form, part) if output is None else Path(output).absolute()
    publish(experiment, form, path, **chosen)
    if output is None or form == "html":
        console.result(str(path))
    else:
        console.narrate(f"wrote {output}")
    return ExitStatus.COMPLETE


def _data(options: Options, settings: Settings, console: Console) -> int:
    if options["action"] == "list":
        return _data_list(options, settings, console)
    action, name, output = options["action"], options.get("name"), options.get("output")
    if name is None or (action == "export" and output is None):
        usage = {"fetch": "fetch NAME", "export": "export NAME|PATH --output FILE.npz"}[action]
        raise AefitError(
            "which data set?" if name is None else "where to?",
            f"aefit-tui data {usage}; `aefit-tui data list` shows the names",
        )
    arguments = [name, "--data-dir", str(settings.data_dir)]
    if action == "export":
        arguments += ["--output", output, "--cache-dir", str(settings.cache_dir)]
    command = [sys.executable, "-P", "-m", f"core.data.{action}", *arguments]
    return subprocess.run(command, check=False).returncode


def _data_list(options: Options, settings: Settings, console: Console) -> int:
    found = {name: availability(name, settings.data_dir) for name in CATALOGUE}
    if options.get("as_json"):
        console.result_json(
            {name: {"ready": there.ready, "detail": there.detail} for name, there in found.items()}
        )
        return ExitStatus.COMPLETE
    for name, there in found.items():
        entry = CATALOGUE[name]
        size = f"{entry.train_size + entry.test_size:,} images of {' x '.join(map(str, entry.shape))}"
        state = "ready" if there.ready else "damaged" if there.damaged else "not here"
        console.result(f"{name:14}  {state:8}  {size:30}  {there.detail}")
    return ExitStatus.COMPLETE


def _doctor(options: Options, settings: Settings, console: Console) -> int:
    command = [sys.executable, "-P", "-m", "core.engine.doctor"]
    heavy = subprocess.run(command, capture_output=True, text=True, check=False)
    folders = {
        "experiments home": _writable(settings.home),
        "data folder": _writable(settings.data_dir),
    }
    examined: dict[str, Any] = {
        "processors": processors(),
        "folders": {
            name: {"path": str(path), "writable": writable} for name, (path, writable) in folders.items()
        },
        "data_sets": {name: availability(name, settings.data_dir).ready for name in CATALOGUE},
    }
    if heavy.returncode == 0:
        examined |= json.loads(heavy.stdout)
    else:
        examined["problem"] = heavy.stderr.strip()[-2000:]
    if options.get("as_json"):
        console.result_json(examined)
    else:
        for text in _doctor_lines(examined):
            console.result(text)
    works = heavy.returncode == 0 and folders["experiments home"][1]
    return ExitStatus.COMPLETE if works else ExitStatus.REFUSED


def _doctor_lines(examined: dict[str, Any]) -> list[str]:
    lines = [f"processors  {examined['processors']}"]
    if "problem" in examined:
        lines.append(f"PROBLEM     the computing libraries cannot be loaded:\n{examined['problem']}")
    else:
        lines += [f"{name:10}  {text}" for name, text in examined["devices"].items()]
        lines.append(f"computing   on {examined['device']} unless --device says otherwise")
        lines += [f"version     {name} {number}" for name, number in examined["versions"].items()]
    for name, folder in examined["folders"].items():
        lines.append(
            f"folder      {name}: {folder['path']} ({'writable' if folder['writable'] else 'NOT WRITABLE'})"
        )
    lines += [
        f"data set    {name}: {'ready' if ready else 'not ready'}"
        for name, ready in examined["data_sets"].items()
    ]
    return lines


def _writable(folder: Path) -> tuple[Path, bool]:
    """Whether the folder exists or could be made, and may be written to: tried, in the nearest that exists."""
    existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    try:
        # Permissions alone do not tell: a file system may be read-only, or make no folders for anybody.
        with TemporaryDirectory(prefix=".aefit-", dir=existing):
            return folder, True
    except OSError:
        return folder, False


def _config(options: Options, settings: Settings, console: Console) -> int:
    status: int = ExitStatus.COMPLETE
    try:
        shown = settings.shown()
    except AefitError as error:
        # Where each value is from is what a person needs now.
        shown, status = settings.as_set(), console.refuse(error)
    if options.get("as_json"):
        console.result_json(
            {name: {"value": found.value, "source": found.source} for name, found in shown.items()}
        )
    else:
        rows = [
            (name, _describe_value(found.value, settings.declared[name].default_text), found.source)
            for name, found in shown.items()
        ]
        console.result(align([("setting", "value", "source"), *rows]))
    return status


def _describe_value(value: object, default: str) -> str:
    """A setting's value for a person. default: what stands for none, in words."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    return default if value is None else str(value)


_COMMANDS: dict[str, Callable[[Options, Settings, Console], int]] = {
    "list": _list,
    "show": _show,
    "attach": _attach,
    "resume": _resume,
    "extend": _extend,
    "cancel": _cancel,
    "delete": _delete,
    "export": _export,
    "report": _report,
    "data": _data,
    "doctor": _doctor,
    "config": _config,
}
