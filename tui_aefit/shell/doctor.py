"""The sub-command `doctor`: what works here."""

from __future__ import annotations

import json
import os.path
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.data.catalogue import CATALOGUE, availability
from core.files.exit_status import ExitStatus
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import Settings, processors
from tui_aefit.shell.subcommands import Options


def doctor(options: Options, settings: Settings, console: Console) -> int:
    """Print versions, devices, folders and data sets; the exit status says whether computing is possible."""
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
        for text in _lines(examined):
            console.result(text)
    works = heavy.returncode == 0 and folders["experiments home"][1]
    return ExitStatus.COMPLETE if works else ExitStatus.REFUSED


def _lines(examined: dict[str, Any]) -> list[str]:
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
