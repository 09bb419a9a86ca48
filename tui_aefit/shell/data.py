"""The sub-command `data`: lists the data sets, fetches one, exports one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.data.catalogue import CATALOGUE, availability
from core.errors import AefitError
from core.files.exit_status import ExitStatus
from core.files.folders import make_home
from core.files.output import handed_on, is_standard_output
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options


def data(options: Options, settings: Settings, console: Console) -> int:
    """List the data sets, fetch one or export one; the exit status. Raises AefitError."""
    if options["action"] == "list":
        return _list(options, settings, console)
    action, name, output = options["action"], options.get("name"), options.get("output")
    if name is None or (action == "export" and output is None):
        usage = {"fetch": "fetch NAME", "export": "export NAME|PATH --output FILE.npz"}[action]
        raise AefitError(
            "which data set?" if name is None else "where to?",
            f"aefit-tui data {usage}; `aefit-tui data list` shows the names",
        )
    arguments = ["--data-dir", str(settings.data_dir)]
    if action == "export":
        arguments += ["--cache-dir", str(settings.cache_dir)]
    if settings.data_dir.is_relative_to(settings.home) or (action == "export" and name not in CATALOGUE):
        _make_home(settings.home)  # else the child process would make it, readable for all
    command = [sys.executable, "-P", "-m", f"core.data.{action}", *arguments]
    if action == "fetch" or output is None:
        return subprocess.run([*command, "--", str(name)], check=False).returncode
    if is_standard_output(output) and sys.stdout.isatty():
        raise AefitError("a terminal cannot show a data set", "give a file to --output, or a pipe")
    with handed_on(Path("/dev/stdout" if output == "-" else output)) as (target, passed):
        done = subprocess.run([*command, f"--output={target}", "--", str(name)], check=False, pass_fds=passed)
    return done.returncode


def _make_home(home: Path) -> None:
    """Make the home where there is none. Raises AefitError."""
    try:
        make_home(home)
    except OSError as error:
        raise AefitError(
            f"cannot make {home}: {error.strerror}",
            "choose another home with --home DIR, or another --data-dir",
        ) from error


def _list(options: Options, settings: Settings, console: Console) -> int:
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
