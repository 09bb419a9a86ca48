"""`make faults`: faults by seed; prints what was found, with figures, and ends with 1 where anything was.

A home that was broken stays, with what every command said, and `--only KIND` with `--seed` repeats its kind.
"""

from __future__ import annotations

import argparse
import collections
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.bench import SHARES, bring_about, chosen, undisturbed


def main() -> int:
    """Bring them about, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500, help="faults of all kinds together (default: 500)")
    parser.add_argument("--only", choices=SHARES, help="one kind alone")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="aefit-faults-"))
    expected = undisturbed(root / "undisturbed")
    found: list[str] = []
    spent: dict[str, list[float]] = collections.defaultdict(list)
    for place, (kind, seed) in enumerate(chosen(options.seed, options.count)):
        if options.only not in (None, kind):
            continue
        began = time.monotonic()
        folder = root / f"{place:04d}"
        try:
            bring_about(kind, seed, folder, expected)
            shutil.rmtree(folder, ignore_errors=True)
        except AssertionError as error:
            found.append(f"{error}\n  it lies in {folder}")
            print(found[-1], flush=True)
        spent[kind].append(time.monotonic() - began)
    for kind, seconds in spent.items():
        print(f"{kind:28} {len(seconds):4} faults  {sum(seconds):6.1f} s")
    count, total = sum(map(len, spent.values())), sum(map(sum, spent.values()))
    survived = count - len(found)
    print(f"{count} faults by seed {options.seed}, {survived} survived, {len(found)} findings, {total:.0f} s")
    if not found:
        shutil.rmtree(root)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
