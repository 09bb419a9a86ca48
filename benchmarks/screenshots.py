"""The pictures of README and docs/lab.md, drawn by the lab itself.

python -m benchmarks.screenshots HOME ID [--folder docs/lab] [--only NAME ...]

ID is a finished experiment with images; the others of HOME stand beside it in the list. Its newest study is drawn.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

# Read when Textual is imported: a screen that moves is never twice the same picture.
os.environ["TEXTUAL_ANIMATIONS"] = "none"

from core.records.experiment import Experiment
from core.records.home import find
from tui_aefit.lab.app import Lab
from tui_aefit.shell.settings import Settings

SMALL, USUAL, LARGE = (80, 24), (140, 45), (200, 55)
SETTLE_SECONDS = 4.0
"""How long a screen may take to show all that it reads."""
PICTURES: tuple[tuple[str, tuple[int, int], tuple[str, ...]], ...] = (
    ("live", SMALL, ()),
    ("live", USUAL, ()),
    ("live", LARGE, ()),
    ("p-values", USUAL, ("3",)),
    ("setup", USUAL, ("escape", "down")),
    ("experiments", USUAL, ("e",)),
    ("study", USUAL, ("E", "enter")),
    ("gallery", USUAL, ("g",)),
    ("gallery-nearest", SMALL, ("g", "2")),
    ("gallery-thumbnails", SMALL, ("g", "t", "down")),
)
"""Name, columns and rows, and the keys that lead from the experiment's own screen to what is shown."""


async def picture(
    home: Path, experiment: Experiment, size: tuple[int, int], keys: tuple[str, ...], path: Path
) -> None:
    """Open the lab on an experiment, press some keys, and keep what it then shows as SVG."""
    lab = Lab(Settings({"home": str(home)}, environment={}), experiment)
    async with lab.run_test(size=size) as pilot:
        await pilot.pause(SETTLE_SECONDS)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(SETTLE_SECONDS)
        if keys:  # an example beside the form, which is made in a process of its own
            await pilot.pause(3 * SETTLE_SECONDS)
        path.write_text(lab.export_screenshot(title="aefit-tui"), encoding="utf-8")


def main() -> None:
    """Draw them all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("id")
    parser.add_argument("--folder", type=Path, default=Path("docs") / "lab")
    names = list(dict.fromkeys(name for name, _, _ in PICTURES))
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    options = parser.parse_args()
    experiment = find(options.home, options.id)
    options.folder.mkdir(exist_ok=True)
    for name, size, keys in (one for one in PICTURES if one[0] in options.only):
        columns, rows = size
        path = options.folder / f"{name}-{columns}x{rows}.svg"
        asyncio.run(picture(options.home, experiment, size, keys, path))


if __name__ == "__main__":
    main()
