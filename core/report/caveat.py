"""What a reader must know of numbers that are not final."""

from __future__ import annotations

from collections.abc import Iterable

from core.records.status import ExperimentStatus
from core.report.result import Result


def caveat(result: Result) -> str:
    """One sentence; "" where the numbers of a result are over every run of a complete experiment."""
    over = enumerate_runs(result.statistics_runs)
    if result.status is not ExperimentStatus.COMPLETE:
        if not over:
            return "Not complete: there are no numbers yet."
        return f"Not complete: the numbers are over {over} of {len(result.runs)} and may change."
    if len(result.statistics_runs) != result.complete:
        return f"Not up to date: means and tests are over {over or 'no run'} only."
    return ""


def enumerate_runs(runs: Iterable[int]) -> str:
    """Runs, from 0, counted from 1 as words: "runs 1-4, 6"; "" for none."""
    spans: list[list[int]] = []
    for run in sorted(runs):
        if spans and spans[-1][-1] == run - 1:
            spans[-1].append(run)
        else:
            spans.append([run])
    texts = [f"{span[0] + 1}-{span[-1] + 1}" if len(span) > 1 else str(span[0] + 1) for span in spans]
    return f"run{'s' * (sum(map(len, spans)) > 1)} {', '.join(texts)}" if texts else ""
