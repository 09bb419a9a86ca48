"""The sub-command `doctor`: what works here, and what to type for what does not."""

from __future__ import annotations

import locale
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from core.data.catalogue import CATALOGUE, availability, check_available
from core.declarations.printable import shell_word
from core.errors import DataError, RecordError
from core.files.exit_status import ExitStatus
from core.places.dask import INSTALL
from core.records.examined import Devices, Examined
from core.records.types import parse, plain
from core.report.formats import WIDTH
from tui_aefit.shell.console import Console
from tui_aefit.shell.parallelism import processors
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options

State = Literal["works", "limited", "absent", "broken"]
"""limited: a part of it does not work. absent: it is not here, and not needed. broken: it is needed to compute."""
LEAST_DISK, LITTLE_DISK = 100e6, 2e9
"""Bytes below which a run has no room, and a full-size experiment hardly any."""
EXAMINE = ("-P", "-m", "core.engine.doctor")
"""What Python is asked for: to load the heavy libraries, and to print what it finds as an `Examined`."""
SAID = 2000
"""Characters of the end of what that process said, which are told where it found nothing."""
DASK = {"distributed": "--dask", "dask-jobqueue": "--dask slurm", "asyncssh": "--dask ssh:HOST"}
"""Package of the Dask extra -> the option that needs it."""
SMALLEST = (60, 20)
"""Columns and lines of the smallest terminal that the lab is drawn for."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked. remedy: what to type or do, "" where nothing is to be mended."""

    what: str
    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Unexamined:
    """Why nothing is known of the libraries. problem: the end of what was said. check: what a person is told."""

    problem: str
    check: Check


def doctor(options: Options, settings: Settings, console: Console) -> int:
    """Print what was looked at; the exit status says whether computing is possible here."""
    libraries = examine_libraries()
    folders = {
        "experiments home": _writable(settings.home),
        "data folder": _writable(settings.data_dir),
    }
    examined: dict[str, object] = {
        "processors": processors(),
        "folders": {
            name: {"path": str(path), "writable": writable} for name, (path, writable) in folders.items()
        },
        "data_sets": {name: availability(name, settings.data_dir).ready for name in CATALOGUE},
    }
    if isinstance(libraries, Examined):
        examined |= plain(libraries)
        checks = _libraries(libraries)
    else:
        examined["problem"] = libraries.problem
        checks = [libraries.check]
    checks += [
        _home(settings.home, folders["experiments home"][1]),
        _data_folder(settings.data_dir, folders["data folder"][1]),
        *(_data_set(name, settings.data_dir) for name in CATALOGUE),
        *elsewhere_checks(),
        *terminal_checks(os.environ),
    ]
    works = all(check.state != "broken" for check in checks)
    if options.get("as_json"):
        console.result_json({**examined, "works": works, "checks": [asdict(check) for check in checks]})
    else:
        console.result(_text(checks, console.width or WIDTH, works=works))
    return ExitStatus.COMPLETE if works else ExitStatus.REFUSED


def _text(checks: list[Check], width: int, *, works: bool) -> str:
    """A paragraph a check: its state, what it is, the details, and the remedy in a line to type."""
    names = max(len(check.what) for check in checks)
    indent = " " * (9 + names + 2)
    lines = []
    for check in checks:
        head = f"{check.state:7}  {check.what:{names}}  "
        lines.append(
            textwrap.fill(head + check.detail, width, subsequent_indent=indent, break_on_hyphens=False)
        )
        if check.remedy:
            lines.append(f"{indent}-> {check.remedy}")
    last = (
        "experiments can be computed here"
        if works
        else "experiments cannot be computed here: see what is broken"
    )
    return "\n".join([*lines, "", last])


def examine_libraries() -> Examined | Unexamined:
    """What a process finds that loads the heavy libraries, or why it found nothing."""
    try:
        done = subprocess.run([sys.executable, *EXAMINE], capture_output=True, check=False)
    except OSError as error:
        problem = f"no process can be started: {error.strerror or error}"
        return Unexamined(problem, _unknown(problem))
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode < 0:  # it had no say in it: what it said last need not be why
        killed = f"the process that loads them was ended by {_signal_name(-done.returncode)}"
        return Unexamined(f"{said}\n{killed}".strip()[-SAID:], _unknown(killed))
    if done.returncode > 0:
        return Unexamined(said[-SAID:], _unloadable(said[-SAID:]))
    try:
        return answer_in(done.stdout)
    except RecordError as error:
        return Unexamined(str(error), _unknown(str(error)))


def answer_in(output: bytes) -> Examined:
    """The last line that may be one; libraries print others. Raises RecordError."""
    lines = [line for line in output.splitlines() if line.startswith(b"{")]
    return parse(lines[-1] if lines else b"", Examined, "what the process that loads them printed")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of those for real-time programs
        return f"signal {number}"


def _libraries(found: Examined) -> list[Check]:
    """What computes: torch, torchvision, the GPU, plug-ins."""
    versions, problems = found.versions, found.problems
    checks = [
        Check("python", "works", f"{versions.python}, numpy {versions.numpy}, scipy {versions.scipy}, "
              f"scikit-learn {versions.scikit_learn}"),
        Check("torch", "works", f"{versions.torch}, computing on {found.device} unless --device says "
              f"otherwise; {found.devices.cpu}, {processors()} processors"),
    ]  # fmt: skip
    if "torchvision" in problems:
        why, remedy = problems["torchvision"]
        checks.append(Check("torchvision", "limited", f"{why}; only its data sets need it", remedy))
    else:
        checks.append(Check("torchvision", "works", versions.torchvision))
    driver = shutil.which("nvidia-smi") is not None
    checks.append(_gpu(found.devices, problems.get("gpu"), found.cuda_build, driver=driver))
    for name, origin in found.plugins.items():
        why, remedy = problems.get(name, ("", ""))
        checks.append(
            Check(name, "limited" if why else "works", f"{origin}: {why}" if why else origin, remedy)
        )
    return checks


def _gpu(devices: Devices, problem: tuple[str, str] | None, cuda_build: str, *, driver: bool) -> Check:
    """problem: why it cannot compute, and what to do. driver: whether NVIDIA's own tools are here."""
    if problem is not None:
        why, remedy = problem
        return Check("GPU", "broken", f"{devices.cuda}: {why}", remedy)
    if devices.cuda:
        return Check("GPU", "works", devices.cuda)
    if driver and not cuda_build:
        return Check(
            "GPU", "limited", "there is NVIDIA's driver, and torch is a build without CUDA",
            "install the CUDA build that https://pytorch.org/get-started names",
        )  # fmt: skip
    if driver:
        return Check(
            "GPU", "limited", f"there is NVIDIA's driver, and torch (for CUDA {cuda_build}) finds no device",
            "nvidia-smi  (its CUDA version must be that of torch or later)",
        )  # fmt: skip
    if devices.mps:
        return Check("GPU", "absent", "Apple's is not used by itself: it has no float64, which decides ties")
    return Check(
        "GPU", "absent", "none: small networks and exact searches are computed on processors as well"
    )


def _unloadable(problem: str) -> Check:
    """The check of libraries that could not be loaded. problem: the end of what Python printed."""
    last = problem.splitlines()[-1] if problem else "it said nothing"
    missing = re.search(r"No module named '(\w+)", last)
    package = {"sklearn": "scikit-learn", "PIL": "pillow"}.get(missing[1], missing[1]) if missing else ""
    install = f"{shell_word(sys.executable)} -m pip install"
    remedy = f"{install} {package}" if package else f"{install} --force-reinstall torch torchvision"
    return Check("libraries", "broken", f"those that compute cannot be loaded: {last}", remedy)


def _unknown(why: str) -> Check:
    """Of libraries whose process neither answered nor refused."""
    by_hand = " ".join(map(shell_word, (sys.executable, *EXAMINE)))
    return Check("libraries", "broken", f"what of them works is not known: {why}", f"look at it: {by_hand}")


def _home(folder: Path, writable: bool) -> Check:
    """The check of the home: whether it can be written to, and how much room is left."""
    if not writable:
        return Check(
            "home",
            "broken",
            f"{folder} cannot be written to or made",
            "choose another: --home DIR, or AEFIT_HOME",
        )
    free = shutil.disk_usage(_nearest(folder)).free
    detail = f"{folder}, writable, {free / 1e9:,.1f} GB free"
    if free >= LITTLE_DISK:
        return Check("home", "works", detail)
    state: State = "limited" if free >= LEAST_DISK else "broken"
    return Check(
        "home", state, detail, f"make room (aefit-tui delete ID; {folder / 'cache'} may go), or --home DIR"
    )


def _data_folder(folder: Path, writable: bool) -> Check:
    if writable:
        return Check("data folder", "works", f"{folder}, writable")
    detail = f"{folder} cannot be written to or made: what is in it can be used, nothing can be fetched"
    return Check("data folder", "limited", detail, "choose another: --data-dir DIR, or AEFIT_DATA_DIR")


def _data_set(name: str, data_dir: Path) -> Check:
    found = availability(name, data_dir)
    if found.ready:
        return Check(name, "works", found.detail)
    try:
        check_available(name, data_dir)
    except DataError as error:
        remedy = error.hint.removeprefix("type: ")
        return Check(name, "limited" if found.damaged else "absent", found.detail, remedy)
    return Check(name, "works", "it has come just now")


def elsewhere_checks() -> list[Check]:
    """The checks of what has other machines compute: Slurm, SSH, Dask."""
    checks = []
    for what, program, launcher in (
        ("Slurm", "srun", "srun -n1 -c1"),
        ("SSH", "ssh", "ssh {node1,node2}"),
    ):
        path = shutil.which(program)
        if path is None:
            checks.append(Check(what, "absent", f"there is no {program} here"))
        else:
            checks.append(Check(what, "works", f"{path}: --launcher '{launcher}' --jobs N"))
    return [*checks, _dask()]


def _dask() -> Check:
    """The check of which Dask packages are installed; they are not loaded."""
    found = {package: _version(package) for package in DASK}
    lacking = [f"{package} ({DASK[package]})" for package, number in found.items() if not number]
    there = ", ".join(f"{package} {number}" for package, number in found.items() if number)
    if not lacking:
        return Check("Dask", "works", there)
    if not found["distributed"]:
        return Check("Dask", "absent", "not installed: no --dask", INSTALL)
    return Check("Dask", "limited", f"{there}; without {', '.join(lacking)}", INSTALL)


def _version(package: str) -> str:
    """The version of a package, "" where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def terminal_checks(environment: Mapping[str, str]) -> list[Check]:
    """The checks of what the lab needs of the terminal: that there is one, its size, colours, characters, tmux."""
    if not all(channel.isatty() for channel in (sys.stdin, sys.stdout, sys.stderr)):
        what = "standard input, output or error is no terminal: the lab needs one, --batch does not"
        return [Check("terminal", "absent", what)]
    kind = environment.get("TERM", "dumb")
    if kind == "dumb":
        return [
            Check(
                "terminal",
                "limited",
                "TERM says that it cannot move its cursor: no lab",
                "TERM=xterm-256color",
            )
        ]
    columns, lines = shutil.get_terminal_size()
    small = columns < SMALLEST[0] or lines < SMALLEST[1]
    size = Check(
        "terminal", "limited" if small else "works", f"{columns} x {lines}, {kind}",
        f"make it {SMALLEST[0]} x {SMALLEST[1]} or larger" if small else "",
    )  # fmt: skip
    return [size, _colours(environment), _characters(sys.stdout.encoding or locale.getpreferredencoding()),
            *([_tmux(environment)] if "TMUX" in environment else [])]  # fmt: skip


def _colours(environment: Mapping[str, str]) -> Check:
    if environment.get("NO_COLOR"):
        return Check("colours", "works", "none, as NO_COLOR asks: everything is told in words and shapes too")
    many = environment.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    if many or environment.get("TERM", "").endswith("-direct"):
        return Check("colours", "works", "16 million")
    detail = (
        "256 at most: shades are rounded" if "256color" in environment["TERM"] else "16: shades are rounded"
    )
    return Check("colours", "works", detail, "if it can do more, which most can: export COLORTERM=truecolor")


def _characters(encoding: str) -> Check:
    if encoding.lower().replace("-", "").startswith("utf"):
        return Check("characters", "works", encoding)
    detail = f"{encoding}: lines, blocks and braille dots of charts cannot be shown"
    return Check("characters", "limited", detail, "export LC_ALL=C.UTF-8")


def _tmux(environment: Mapping[str, str]) -> Check:
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return Check(
            "tmux", "works", "colours pass where its terminal-features have RGB; no key of ours is tmux's"
        )
    detail = "256 colours pass; for all of them, a line in ~/.tmux.conf"
    return Check("tmux", "works", detail, "set -as terminal-features ',*:RGB'")


def _nearest(folder: Path) -> Path:
    """`folder`, or the nearest folder above it that exists."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))


def _writable(folder: Path) -> tuple[Path, bool]:
    """The folder, and whether it could be made and written to: tried in the nearest folder that exists."""
    try:
        # Permissions alone do not tell: a file system may be read-only, or make no folders for anybody.
        with TemporaryDirectory(prefix=".aefit-", dir=_nearest(folder)):
            return folder, True
    except OSError:
        return folder, False
