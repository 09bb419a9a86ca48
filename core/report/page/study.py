"""The report on a study: one HTML page without script or network that begins with what changes along each axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.records.study import Study
from core.report.differences import how_compared
from core.report.figures.curves import render
from core.report.figures.study import MOST_CELLS, MOST_LINES, curve_figure, heatmap_figure
from core.report.formatting import ABSENT, counted
from core.report.headline import LEADING, LEADING_CLAIMS
from core.report.page.frame import page
from core.report.page.markup import facts, figure, interval, number, section, table, words
from core.report.quantities_by_run import ACCURACY, Key
from core.report.study.changes import Change, changes
from core.report.study.measures import Reading, measure_title, reading
from core.report.study.result import CellResult, StudyResult
from core.report.study.words import (
    DIFFERENCES,
    UNADJUSTED,
    along,
    decided,
    place_name,
    value_word,
)
from core.report.terms import CLAIMS, DECIDING, OVERLAP, claim_reason
from core.spec.command import format_value

DRAWN = (*LEADING_CLAIMS[:3], Key(ACCURACY, ("adversarial",)))
"""The quantities that are drawn."""
LETTERS = (
    "D: adversarial images; M: ordinary mistakes, the misclassified test images; A: accuracy. Fooled: the share of "
    "the candidates that the surrogate misclassifies."
)


def study_html(study: Study, result: StudyResult) -> str:
    """The page for a study, finished or not; the same results give the same text. No path stands in it."""
    found = {axis: changes(result, axis) for axis in result.axes}
    sections = {
        "what-changes": _changes(result, found),
        "experiments": _experiments(result),
        **_curves(result),
        **_heatmaps(result),
        **_differences(found),
        "quantities": _quantities(result),
        "settings": _settings(result),
        "reports": _reports(result),
    }
    title = f"Study {study.name}"
    runs, done = sum(cell.runs for cell in result.cells), sum(cell.complete for cell in result.cells)
    notice = (
        ['<div class="notice"><p><strong>Not complete:</strong> the numbers may change.</p></div>']
        if result.complete < len(result.cells)
        else []
    )
    state = (
        f"{number(result.complete, 'd')} of {counted(len(result.cells), 'experiment')}, {number(done, 'd')} of "
        f"{counted(runs, 'run')}; {words(_axes(result))}"
    )
    return page(title, result.status, state, notice, sections)


def _axes(result: StudyResult) -> str:
    """The axes and their values: "epsilon 0.05, 0.1; attack fgsm, pgd"."""
    return "; ".join(
        f"{name} {', '.join(value_word(name, value) for value in values)}"
        for name, values in result.axes.items()
    )


def _changes(result: StudyResult, found: dict[str, list[Change]]) -> str:
    parts = []
    if sentences := decided(result):
        parts += ["<h3>Decided in the experiments</h3>", _list(sentences)]
    every = [change for of_axis in found.values() for change in of_axis]
    for of_axis in found.values():
        for one in along(of_axis):
            parts.append(f"<h3>Along {words(one.title)}</h3>")
            entries = [(words(heading), _list(phrases)) for heading, phrases in one.parts]
            parts.append(facts(entries))
    if every:
        how = how_compared(change.difference for change in every)
        parts.append(
            f'<p class="note">{words(DIFFERENCES)} {words(how)} {words(UNADJUSTED)} {words(LETTERS)}</p>'
        )
    elif not parts:
        parts = ["<p>No run is complete yet.</p>"]
    else:
        parts.append(
            '<p class="note">No two experiments that differ in one setting only have complete runs.</p>'
        )
    return section("What changes, and what does not", *parts, name="what-changes")


def _list(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{words(item)}</li>" for item in items) + "</ul>"


def _experiments(result: StudyResult) -> str:
    header = [
        *map(words, result.axes or ["experiment"]),
        "state",
        "runs",
        *(words(measure_title(k)) for k in LEADING),
    ]
    rows = [
        [
            *([words(value_word(name, cell.settings.get(name))) for name in result.axes] or [words(cell.id)]),
            words(cell.status), f"{number(cell.complete, 'd')}/{number(cell.runs, 'd')}",
            *(_reading(cell, key) for key in LEADING),
        ]
        for cell in result.cells
    ]  # fmt: skip
    drawn = table(
        "Every experiment: means over the runs, 95 % intervals, decisions",
        header,
        [("", rows)],
        name="experiments-table",
        wordy=range(len(result.axes or [""]) + 1),
    )
    note = f'<p class="note">{words(OVERLAP)} {words(DECIDING)} {words(LETTERS)}</p>'
    return section("Experiments", drawn, note, name="experiments")


def _reading(cell: CellResult, key: Key) -> str:
    """A number; below it its interval and decision."""
    found = reading(cell, key)
    if found is None:
        return ABSENT
    form = "+.3f" if key in LEADING_CLAIMS else ".3f"
    below = [interval(found.ci95, form)] if found.ci95 else [words(_why_none(cell, key))]
    below += [words(found.decision)] if found.decision else []
    return f"{number(found.value, form)}<br><small>{'<br>'.join(filter(None, below))}</small>"


def _why_none(cell: CellResult, key: Key) -> str:
    claim = cell.by_quantity.get((key.name, key.sets))
    return claim_reason(claim) if claim is not None else ""


def _has(result: StudyResult, key: Key) -> list[Reading]:
    return [found for cell in result.cells if (found := reading(cell, key)) is not None]


def _curves(result: StudyResult) -> dict[str, str]:
    """A curve for each quantity against the axis that is drawn by default; none where there is nothing to draw."""
    keys = [key for key in DRAWN if _has(result, key)]
    others = [len(values) for values in result.axes.values()]
    if not (keys and result.axes) or max(1, len(result.cells) // max(others)) > MOST_LINES:
        return {}
    figures = [
        figure(
            render(curve_figure(result, [key]), "svg", text=True),
            f"{measure_title(key)} along an axis of the study, a line for each combination of the other settings",
            f"{words(measure_title(key))}: means over the runs with 95 % intervals, also in the table.",
            name=f"curve-{place}",
        )
        for place, key in enumerate(keys)
    ]
    return {"curves": section("Curves", *figures, name="curves")}


def _heatmaps(result: StudyResult) -> dict[str, str]:
    keys = [key for key in DRAWN if _has(result, key)]
    if len(result.axes) < 2 or not keys or max(map(len, result.axes.values())) > MOST_CELLS:
        return {}
    figures = [
        figure(
            render(heatmap_figure(result, key), "svg", text=True),
            f"{measure_title(key)} over two axes of the study; the same numbers stand in the table",
            f"{words(measure_title(key))}: means over the runs{_decided(key)}. Hatched: no number.",
            name=f"heatmap-{place}",
        )
        for place, key in enumerate(keys)
    ]
    return {"heat-maps": section("Heat maps", *figures, name="heat-maps")}


def _decided(key: Key) -> str:
    return ", and what their intervals decide" if key in LEADING_CLAIMS else ""


def _differences(found: dict[str, list[Change]]) -> dict[str, str]:
    """Every pair, a table an axis; none where nothing was compared."""
    tables = []
    for place, (axis, of_axis) in enumerate(found.items(), start=1):
        groups: dict[Key, list[list[str]]] = {}
        for change in of_axis:
            groups.setdefault(change.key, []).append(_difference_row(change))
        if groups:
            header = ["", "with", "difference", "95 % interval", "p", "p, Holm", "n", "decision"]
            rows = [(words(measure_title(key)), of_key) for key, of_key in groups.items()]
            tables.append(
                table(f"Along {words(axis)}", header, rows, name=f"differences-{place}", wordy=(0, 1, 7))
            )
    if not tables:
        return {}
    every = [change for of_axis in found.values() for change in of_axis]
    how = how_compared(change.difference for change in every)
    note = (
        f'<p class="note">{words(DIFFERENCES)} {words(how)} Holm: p adjusted over all pairs along '
        "one axis of one quantity.</p>"
    )
    return {"differences": section("Differences", note, *tables, name="differences")}


def _difference_row(change: Change) -> list[str]:
    found = change.difference
    return [
        words(f"{value_word(change.axis, change.second)} less {value_word(change.axis, change.first)}"),
        words(place_name(change.fixed)), number(found.estimate, "+.4f"), interval(found.ci95, "+.4f"),
        number(found.p, ".3g"), number(change.p_holm, ".3g"), number(found.n, "d"),
        words("exactly the same in every run" if found.constant else found.decision),
    ]  # fmt: skip


def _quantities(result: StudyResult) -> str:
    names = dict.fromkeys(claim.name for cell in result.cells for claim in cell.claims)
    entries = [
        (words(CLAIMS[name].short), words(CLAIMS[name].definition)) for name in names if name in CLAIMS
    ]
    body = facts(entries) if entries else "<p>No run is complete yet.</p>"
    return section("What the quantities are", body, name="quantities")


def _settings(result: StudyResult) -> str:
    """What all experiments have in common."""
    specs = [cell.spec for cell in result.cells if cell.spec is not None]
    rows = []
    for name, setting in specs[0].settings.items() if specs else ():
        value = specs[0].values[name]
        if value is None or name in result.axes or any(spec.values.get(name) != value for spec in specs):
            continue
        shown = value_word(name, value) if name == "dataset" else format_value(value)
        rows.append([words(setting.title), f"<code>{words(setting.option)}</code>", words(shown)])
    drawn = table("What all experiments have in common", ["setting", "option", "value"], [("", rows)],
                  name="settings-table", wordy=(0, 1, 2))  # fmt: skip
    return section("Settings", drawn, name="settings")


def _reports(result: StudyResult) -> str:
    """What to type for the report on each experiment, and for its command line."""
    rows = [
        [words(place_name(cell.settings) or cell.id), f"<code>{words(cell.id)}</code>", *_commands(cell)]
        for cell in result.cells
    ]
    drawn = table("One experiment alone", ["experiment", "id", "its report", "its command line"], [("", rows)],
                  name="reports-table", wordy=range(4))  # fmt: skip
    again = (
        f"<p>To compute what is missing: <code>aefit-tui study resume {words(result.name)}</code>. As tables: "
        f"<code>aefit-tui study export {words(result.name)} --format csv --table cells</code>.</p>"
    )
    return section("Reports", drawn, again, name="reports")


def _commands(cell: CellResult) -> Iterator[str]:
    for command in ("report", "command"):
        yield f"<code>aefit-tui {command} {words(cell.id)}</code>"
