"""`make fuzz`: malformed input for every parser, by seed, in one process; ends with 1 where one does not refuse it.

Each must take an input, or refuse it by an `AefitError` in some seconds; nothing that is printed may be obeyed by a
terminal. `--only TARGET` repeats a target.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from core.errors import AefitError
from tests.faults.lab import OBEYED
from tests.faults.targets import TARGETS, Material

SLOW = 10
"""Seconds that no small input may take."""


class TookTooLong(Exception):
    """It is given up."""


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Raises TookTooLong in the block after SLOW seconds."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SLOW)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tried(
    target: Callable[[Material, random.Random], Any], material: Material, seed: str
) -> tuple[str, bool]:
    """One input: what is wrong, "" where nothing is, and whether it was refused."""
    said = io.StringIO()
    wrong, refused = "", False
    try:
        with in_time(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            target(material, random.Random(seed))
    except AefitError:
        refused = True
    except SystemExit:
        pass  # after --help and --version
    except TookTooLong:
        wrong = f"takes more than {SLOW} s"
    except Exception:  # noqa: BLE001  # what is looked for
        wrong = traceback.format_exc()[-1500:]
    if found := OBEYED.search(said.getvalue()):
        wrong = f"prints {said.getvalue()[max(0, found.start() - 40) : found.end() + 20]!r}"
    return wrong, refused


def fuzz(seed: int, count: int, root: Path, only: str = "") -> dict[str, list[str]]:
    """What is wrong, by target. count: of inputs in all."""
    os.environ["AEFIT_HOME"] = str(root / "home")
    os.environ["XDG_CONFIG_HOME"] = str(root / "config")
    material = Material(root)
    share = count / sum(TARGETS.values())
    findings: dict[str, list[str]] = {}
    for target, number in TARGETS.items():
        if only not in ("", target.__name__):
            continue
        began, refusals = time.monotonic(), 0
        signs: Counter[str] = Counter()
        for case in (f"{seed}:{target.__name__}:{place}" for place in range(max(1, round(number * share)))):
            wrong, refused = tried(target, material, case)
            refusals += refused
            if wrong:
                signs[wrong.splitlines()[-1]] += 1
                if signs[wrong.splitlines()[-1]] == 1:
                    findings.setdefault(target.__name__, []).append(f"{case}: {wrong}")
        print(
            f"{target.__name__:24} {round(number * share):5} tried, {refusals:5} refused, "
            f"{sum(signs.values()):4} findings, {time.monotonic() - began:5.1f} s", flush=True,
        )  # fmt: skip
    return findings


def main() -> int:
    """All targets, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=sum(TARGETS.values()))
    parser.add_argument("--only", choices=[target.__name__ for target in TARGETS], default="")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aefit-fuzz-") as root:
        findings = fuzz(options.seed, options.count, Path(root), options.only)
    for name, found in findings.items():
        for one in found:
            print(f"\n== {name}\n{one}")
    print(
        f"seed {options.seed}: {sum(map(len, findings.values()))} findings, {time.monotonic() - began:.0f} s"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
