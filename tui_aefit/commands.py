"""The sub-commands: looking at experiments and data sets, stopping, resuming, removing, exporting."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.data.catalogue import CATALOGUE, availability
from core.errors import AefitError, ExperimentError
from core.records.experiment import Experiment, Unreadable, delete, every, find, find_folder, load
from core.records.files import write_atomically
from core.report.long_table import long_csv
from core.report.result import result_of
from core.report.text import align
from tui_aefit.batch import BatchOptions, attach, print_result, run_batch
from tui_aefit.console import EXIT_COMPLETE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_WRONG_REQUEST, Console
from tui_aefit.lab import open_lab
from tui_aefit.settings import Settings, processors, written
from tui_aefit.terminal import lab_is_possible

CANCEL_SECONDS = 30.0
"""How long `cancel` waits to see the work stop before it says that it has not yet."""


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do one sub-command; the exit status. Raises AefitError."""
    command: Callable[[dict[str, Any], Settings, Console], int] = _COMMANDS[options.command]
    return command(vars(options), settings, console)


def _list(options: dict[str, Any], settings: Settings, console: Console) -> int:
    rows = [_list_row(found) for found in every(settings.home)]
    if options.get("as_json"):
        console.result_json(rows)
    elif not rows:
        console.narrate(f"there is no experiment under {settings.home} yet")
    else:
        header = ("id", "status", "runs", "dataset", "attack", "epsilon", "Z")
        keys = ("id", "status", "runs", "dataset", "attack", "epsilon", "z")
        table = [["" if row.get(key) is None else str(row[key]) for key in keys] for row in rows]
        console.result(align([header, *table]))
    return EXIT_COMPLETE


def _list_row(found: Experiment | Unreadable) -> dict[str, object]:
    if isinstance(found, Unreadable):
        return {"id": found.folder.name, "status": "unreadable", "reason": found.reason}
    state, spec = found.state(), found.spec
    names = ("dataset", "attack", "epsilon", "z")
    shown = {name: getattr(spec, name) for name in names}
    return {"id": found.id, "status": state.status, "runs": f"{len(state.results)}/{spec.runs}", **shown}


def _show(options: dict[str, Any], settings: Settings, console: Console) -> int:
    state = find(settings.home, options["id"]).state()
    status = print_result(state, console, as_json=options.get("as_json", False))
    # Runs that were not computed yet are no failure to show them.
    return status if state.status in ("failed", "refused") else EXIT_COMPLETE


def _attach(options: dict[str, Any], settings: Settings, console: Console) -> int:
    as_json = options.get("as_json", False)
    if lab_is_possible() and not as_json and not console.quiet:
        return open_lab(settings, options["id"])
    return attach(find(settings.home, options["id"]), console, as_json=as_json)


def _resume(options: dict[str, Any], settings: Settings, console: Console) -> int:
    experiment = find(settings.home, options["id"])
    # Unless told otherwise, the data are where they were when the experiment was computed last.
    began = experiment.state().last("coordinator_started")
    data_dir = settings.data_dir
    if settings["data_dir"] is None and began is not None and "data_dir" in began.fields:
        data_dir = Path(str(began["data_dir"]))
    batch = BatchOptions(
        jobs=settings.jobs(experiment.spec),
        data_dir=data_dir,
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
    result = result_of(find(settings.home, options["id"]).state())
    text = (
        long_csv(result)
        if options["format"] == "csv"
        else json.dumps(result, indent=2, allow_nan=False) + "\n"
    )
    output: str = options.get("output", "-")
    if output == "-":
        console.result(text)
        return EXIT_COMPLETE
    try:
        _write_output(Path(output).resolve(), text)
    except OSError as error:
        raise ExperimentError(
            f"cannot write {output!r}: {error.strerror}", "choose another --output FILE"
        ) from error
    console.narrate(f"wrote {output}")
    return EXIT_COMPLETE


def _write_output(path: Path, text: str) -> None:
    """Put a text into a file, whole or not at all; a pipe or a device is written to, never replaced."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
    else:
        write_atomically(path, text)


def _data(options: dict[str, Any], settings: Settings, console: Console) -> int:
    if options["action"] == "list":
        return _data_list(options, settings, console)
    name = options.get("name")
    if name is None:
        raise AefitError(
            "which data set?", "aefit-tui data fetch NAME; `aefit-tui data list` shows the names"
        )
    command = [sys.executable, "-P", "-m", "core.data.fetch", name, "--data-dir", str(settings.data_dir)]
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
    command = [sys.executable, "-P", "-m", "core.doctor"]
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
        f"data set    {name}: {'ready' if ready else 'not here'}"
        for name, ready in examined["data_sets"].items()
    ]
    return lines


def _writable(folder: Path) -> tuple[Path, bool]:
    """Whether the folder, or the nearest of its parents that exists, may be written to."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return folder, existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


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
    "data": _data,
    "doctor": _doctor,
    "config": _config,
}
