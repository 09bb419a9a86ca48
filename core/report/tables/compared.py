"""A comparison of experiments for a terminal or a plain file, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from core.records.findings import ADVERSARIAL
from core.records.metrics import SCHEMA_VERSION
from core.records.statistics import Summary
from core.records.types import plain
from core.report.caveat import caveat
from core.report.comparison import Compared, accuracies, claims_of, differing
from core.report.differences import Between, differences, how_compared, key_title
from core.report.estimates import decided_words, estimate_words
from core.report.formats import WIDTH
from core.report.formatting import ABSENT, p_value
from core.report.headline import LEADING
from core.report.tables.text import align, wrapped
from core.report.terms import DECIDING, OVERLAP, title_of


def comparison_text(compared: Sequence[Compared], width: int = WIDTH) -> str:
    """Experiments side by side: settings that differ, what each found, and by how much every two of them differ.

    width: characters of a line. Ends without newline.
    """
    rows = [["experiment", "state", "runs", "id"]]
    rows += [
        [one.name, one.status.value, f"{one.result.complete}/{one.spec.runs}", one.result.id]
        for one in compared
    ]
    parts = [align(rows, width, left=(0, 1, 3))]
    parts += [wrapped(f"{one.name}: {warning}", width) for one in compared if (warning := caveat(one.result))]
    for part in (_settings(compared, width), _claims(compared, width), _accuracy(compared, width)):
        parts += ["", part] if part else []
    return "\n".join([*parts, "", _differences(compared, width)])


def comparison_json(compared: Sequence[Compared]) -> str:
    """The experiments and the differences of every two of them, the later's less the earlier's, as one object."""
    settings = [name for name, _ in differing([one.spec for one in compared])]
    found = {
        "schema_version": SCHEMA_VERSION,
        "experiments": [
            {
                "id": one.result.id,
                "name": one.name,
                "status": one.status.value,
                "complete": one.result.complete,
                "runs": one.spec.runs,
                "settings": {name: one.spec.values.get(name) for name in settings},
                "summary": plain(one.summary),
                "claims": plain(one.result.claims),
            }
            for one in compared
        ],
        "differences": [
            _difference_json(compared, one) for one in differences([one.result for one in compared])
        ],
    }
    return json.dumps(found, indent=2, allow_nan=False) + "\n"


def _difference_json(compared: Sequence[Compared], one: Between) -> dict[str, Any]:
    return {
        "first": compared[one.first].result.id,
        "second": compared[one.second].result.id,
        "name": one.key.name,
        "sets": list(one.key.sets),
        **plain(one.difference),
    }


def _settings(compared: Sequence[Compared], width: int) -> str:
    found = differing([one.spec for one in compared])
    if not found:
        return ""
    rows = [["setting", *(one.name for one in compared)], *([name, *values] for name, values in found)]
    return align(rows, width, left=range(len(compared) + 1))


def _claims(compared: Sequence[Compared], width: int) -> str:
    """The first claim of every name, those that a verdict begins with."""
    rows: list[list[str]] = []
    names: set[str] = set()
    for (name, sets), claims in claims_of(compared):
        if name not in names:
            names.add(name)
            rows.append([title_of(name, sets), *map(decided_words, claims)])
    if not rows:
        return ""
    header = ["what decides", *(one.name for one in compared)]
    notes = "D adversarial, M misclassified. Estimates: means over the runs with their 95 % intervals."
    return f"{align([header, *rows], width)}\n{wrapped(f'{notes} {OVERLAP} {DECIDING}', width)}"


def _accuracy(compared: Sequence[Compared], width: int) -> str:
    """On the adversarial set, level by level."""
    found = accuracies(compared, ADVERSARIAL)
    if not found:
        return ""
    knob = next(one.ladder.knob for one in compared if one.summary is not None)
    header = [f"A, D by {knob}", *(one.name for one in compared)]
    rows = [[level, *map(_mean, summaries)] for level, summaries in found]
    note = "A, D: accuracy on the adversarial set, mean over the runs with half the 95 % interval."
    return f"{align([header, *rows], width)}\n{wrapped(note, width)}"


def _mean(found: Summary | None) -> str:
    if found is None or found.mean is None:
        return ABSENT
    half = f" ± {(found.ci95[1] - found.ci95[0]) / 2:.4f}" if found.ci95 else ""
    return f"{found.mean:.4f}{half}"


def _differences(compared: Sequence[Compared], width: int) -> str:
    """A row a quantity, a group every two experiments."""
    found = differences([one.result for one in compared], LEADING)
    if not found:
        return "No two of them have complete runs, so they cannot be compared."
    rows = [["difference", "mean over the runs", "p", "n", "decision"]]
    for pair in dict.fromkeys((one.first, one.second) for one in found):
        rows.append([f"{compared[pair[1]].name} less {compared[pair[0]].name}"])
        for one in found:
            if (one.first, one.second) == pair:
                what = one.difference
                p = ABSENT if what.p is None else p_value(what.p)
                rows.append([f"  {key_title(one.key)}", estimate_words(what), p, str(what.n), what.decision])
    margins = _list(f"{margin:g}" for margin in sorted({one.difference.margin for one in found}))
    note = (
        f"{how_compared(one.difference for one in found)} p is not adjusted for the number of tests. Decision: as "
        f"above, margin {margins}."
    )
    return f"{align(rows, width)}\n{wrapped(note, width)}"


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)
