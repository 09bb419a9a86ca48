"""The sub-commands: looking at experiments and data sets, stopping, resuming, removing, exporting."""

from __future__ import annotations

import argparse
import json
import os.path
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.data.catalogue import CATALOGUE, OWN_DEFAULT_EPOCHS, availability
from core.errors import AefitError, ExperimentError
from core.files.output import write_output
from core.records.experiment import Experiment, delete, find, find_folder, load
from core.records.overview import Overview, OverviewReader
from core.report.chosen import names_in
from core.report.formats import FIGURE_FORMATS, FIGURES, SET_FORMATS, TABLE_FORMATS, TEXTS
from core.report.result import result_of
from core.report.tables.text import align
from core.spec.spec import DEFAULTS, Spec
from tui_aefit.following.listing import date_of, printable
from tui_aefit.lab.coordinators import data_dir_of
from tui_aefit.lab.form import word_of
from tui_aefit.lab.opening import open_lab
from tui_aefit.shell.batch import BatchOptions, attach, print_result, run_batch
from tui_aefit.shell.console import EXIT_COMPLETE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_WRONG_REQUEST, Console
from tui_aefit.shell.publications import default_path, publish, text_of
from tui_aefit.shell.settings import Settings, default_threads, processors, written
from tui_aefit.shell.terminal import lab_is_possible

CANCEL_SECONDS = 30.0
"""How long `cancel` waits to see the work stop before it says that it has not yet."""


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do one sub-command; the exit status. Raises AefitError."""
    command: Callable[[dict[str, Any], Settings, Console], int] = _COMMANDS[options.command]
    return command(vars(options), settings, console)


def _list(options: dict[str, Any], settings: Settings, console: Console) -> int:
    found = OverviewReader(settings.home).look()
    if options.get("as_json"):
        console.result_json([_list_record(overview) for overview in found])
    elif not found:
        console.narrate(f"there is no experiment under {settings.home} yet")
    else:
        header = ("id", "status", "runs", "dataset", "attack", "epsilon", "Z", "created", "label", "settings")
        console.result(align([header, *map(_list_row, found)], console.width, left=(0, 8, 9)))
    return EXIT_COMPLETE


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
        named = {name: getattr(spec, name) for name in ("runs", "dataset", "attack", "epsilon", "z")}
        record |= {"complete": overview.done, **named, "settings": _unusual(spec)}
    return record


def _list_row(overview: Overview) -> list[str]:
    about = [date_of(overview), printable(overview.annotations.label)]
    if overview.experiment is None:
        return [overview.id, overview.status, *[""] * 5, *about, ""]
    spec = overview.experiment.spec
    unusual = " ".join(f"{name}={word_of(value)}" for name, value in _unusual(spec).items())
    asked = [printable(spec.dataset), spec.attack, f"{spec.epsilon:g}", str(spec.z)]
    return [overview.id, overview.status, f"{overview.done}/{spec.runs}", *asked, *about, unusual]


def _unusual(spec: Spec) -> dict[str, object]:
    """The settings that have no column of their own and are not what this machine would choose, by name."""
    epochs = CATALOGUE[spec.dataset].default_epochs if spec.dataset in CATALOGUE else OWN_DEFAULT_EPOCHS
    usual = {**DEFAULTS, "epochs": epochs, "threads": default_threads(spec.runs)}
    in_columns = ("dataset", "attack", "epsilon", "z", "runs")
    chosen = {
        name: value for name, value in spec.to_json().items() if name in usual and name not in in_columns
    }
    return {name: value for name, value in chosen.items() if getattr(spec, name) != usual[name]}


def _show(options: dict[str, Any], settings: Settings, console: Console) -> int:
    state = find(settings.home, options["id"]).state()
    status = print_result(state, console, as_json=options.get("as_json", False))
    # Runs that were not computed yet are no failure to show them.
    return status if state.status in ("failed", "refused") else EXIT_COMPLETE


def _attach(options: dict[str, Any], settings: Settings, console: Console) -> int:
    as_json = options.get("as_json", False)
    if lab_is_possible() and not as_json and not console.quiet:
        return open_lab(settings, console, options["id"])
    return attach(find(settings.home, options["id"]), console, as_json=as_json)


def _resume(options: dict[str, Any], settings: Settings, console: Console) -> int:
    experiment = find(settings.home, options["id"])
    batch = BatchOptions(
        jobs=settings.jobs(experiment.spec),
        data_dir=data_dir_of(experiment.state(), settings),
        cache_dir=settings.cache_dir,
        no_cache=settings.no_cache,
        detach=options.get("detach", False),
        as_json=options.get("as_json", False),
    )
    return run_batch(experiment, batch, console)


def _cancel(options: dict[str, Any], settings: Settings, console: Console) -> int:
    experiment = find(settings.certain_home(), options["id"])
    if not experiment.running:
        raise ExperimentError(
            f"{experiment.id} is not being computed", f"aefit-tui show {experiment.id} tells its state"
        )
    try:
        experiment.cancel_file.touch()
    except OSError as error:
        raise ExperimentError(f"{experiment.cancel_file} cannot be written: {error.strerror}") from error
    deadline = time.monotonic() + CANCEL_SECONDS
    while experiment.running:
        if time.monotonic() > deadline:
            console.problem(
                f"{experiment.id} was asked to stop and has not yet", "look again with aefit-tui list"
            )
            return EXIT_FAILED
        time.sleep(0.1)
    console.narrate(f"{experiment.id} stopped; go on with: aefit-tui resume {experiment.id}")
    return EXIT_COMPLETE


def _delete(options: dict[str, Any], settings: Settings, console: Console) -> int:
    folder = find_folder(settings.certain_home(), options["id"])
    try:
        done = len(load(folder).results())
        what = f"with {done} complete run{'s' * (done != 1)}"
        reason = ""
    except ExperimentError as error:
        what, reason = "which cannot be read", f": {error}"
    if not options.get("yes", False):
        if not sys.stdin.isatty():
            raise ExperimentError(
                f"deleting {folder.name}, {what}, needs a yes{reason}",
                f"aefit-tui delete {folder.name} --yes",
            )
        if reason:
            console.narrate(f"{folder.name} cannot be read{reason}")
        sys.stderr.write(f"delete {folder.name}, {what}? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            console.narrate("nothing was deleted")
            return EXIT_INTERRUPTED
    delete(folder)
    console.narrate(f"deleted {folder.name}, {what}")
    return EXIT_COMPLETE


def _export(options: dict[str, Any], settings: Settings, console: Console) -> int:
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
        return EXIT_COMPLETE
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


def _report(options: dict[str, Any], settings: Settings, console: Console) -> int:
    return _publish(find(settings.home, options["id"]), "html", options.get("output"), console)


def _publish(
    experiment: Experiment, form: str, output: str | None, console: Console, *, part: str = "", **chosen: str
) -> int:
    """Write what is not for a terminal; the path is the answer, unless it is that of an export and was given."""
    if output == "-":
        if sys.stdout.isatty():
            raise AefitError(f"a terminal cannot show {form}", "give a file to --output, or a pipe")
        publish(experiment, form, None, **chosen)
        return EXIT_COMPLETE
    path = default_path(experiment, form, part) if output is None else Path(output).absolute()
    publish(experiment, form, path, **chosen)
    if output is None or form == "html":
        console.result(str(path))
    else:
        console.narrate(f"wrote {output}")
    return EXIT_COMPLETE


def _data(options: dict[str, Any], settings: Settings, console: Console) -> int:
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


def _data_list(options: dict[str, Any], settings: Settings, console: Console) -> int:
    found = {name: availability(name, settings.data_dir) for name in CATALOGUE}
    if options.get("as_json"):
        console.result_json(
            {name: {"ready": there.ready, "detail": there.detail} for name, there in found.items()}
        )
        return EXIT_COMPLETE
    for name, there in found.items():
        entry = CATALOGUE[name]
        size = f"{entry.train_size + entry.test_size:,} images of {' x '.join(map(str, entry.shape))}"
        state = "ready" if there.ready else "damaged" if there.damaged else "not here"
        console.result(f"{name:14}  {state:8}  {size:30}  {there.detail}")
    return EXIT_COMPLETE


def _doctor(options: dict[str, Any], settings: Settings, console: Console) -> int:
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
    sound = heavy.returncode == 0 and folders["experiments home"][1]
    return EXIT_COMPLETE if sound else EXIT_WRONG_REQUEST


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


def _config(options: dict[str, Any], settings: Settings, console: Console) -> int:
    try:
        shown, status = settings.shown(), EXIT_COMPLETE
    except AefitError as error:
        # Where each value is from is what a person needs now.
        shown, status = settings.as_set(), console.refuse(error)
    if options.get("as_json"):
        console.result_json({name: {"value": value, "source": source} for name, value, source in shown})
    else:
        rows = [(name, written(value), source) for name, value, source in shown]
        console.result(align([("setting", "value", "source"), *rows]))
    return status


_COMMANDS: dict[str, Callable[[dict[str, Any], Settings, Console], int]] = {
    "list": _list,
    "show": _show,
    "attach": _attach,
    "resume": _resume,
    "cancel": _cancel,
    "delete": _delete,
    "export": _export,
    "report": _report,
    "data": _data,
    "doctor": _doctor,
    "config": _config,
}
