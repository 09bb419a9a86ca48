"""The README's pictures, drawn by the lab itself: `python -m benchmarks.screenshots HOME ID [--folder docs]`.

Writes live.svg (the live screen of a finished experiment) and gallery.svg (its images).
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

SIZE = (140, 45)
SETTLE_SECONDS = 2.0
"""How long a screen may take to show all that it reads."""


async def picture(home: Path, experiment: Experiment, keys: tuple[str, ...], path: Path) -> None:
    """Open the lab on an experiment, press some keys, and keep what it then shows as SVG."""
    lab = Lab(Settings({"home": str(home)}, environment={}), experiment)
    async with lab.run_test(size=SIZE) as pilot:
        await pilot.pause(SETTLE_SECONDS)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(SETTLE_SECONDS)
        path.write_text(lab.export_screenshot(title="aefit-tui"), encoding="utf-8")


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("id")
    parser.add_argument("--folder", type=Path, default=Path("docs"))
    options = parser.parse_args()
    experiment = find(options.home, options.id)
    options.folder.mkdir(exist_ok=True)
    asyncio.run(picture(options.home, experiment, (), options.folder / "live.svg"))
    asyncio.run(picture(options.home, experiment, ("g",), options.folder / "gallery.svg"))


if __name__ == "__main__":
    main()
