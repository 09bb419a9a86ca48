"""What a reader must know of numbers that are not final."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def caveat(result: Mapping[str, Any]) -> str:
    """Of a JSON result, one sentence; "" where its numbers are over every run of a complete experiment."""
    over = listed(result["statistics_runs"])
    done = sum(run["status"] == "complete" for run in result["runs"])
    if result["status"] != "complete":
        if not over:
            return "Not complete: there are no numbers yet."
        return f"Not complete: the numbers are over {over} of {len(result['runs'])} and may change."
    if len(result["statistics_runs"]) != done:
        return f"Not up to date: means and tests are over {over or 'no run'} only."
    return ""


def listed(runs: Iterable[int]) -> str:
    """Runs, from 0, counted from 1 as words: "runs 1-4, 6"; "" for none."""
    spans: list[list[int]] = []
    for run in sorted(runs):
        if spans and spans[-1][-1] == run - 1:
            spans[-1].append(run)
        else:
            spans.append([run])
    said = [f"{span[0] + 1}-{span[-1] + 1}" if len(span) > 1 else str(span[0] + 1) for span in spans]
    return f"run{'s' * (sum(map(len, spans)) > 1)} {', '.join(said)}" if said else ""
