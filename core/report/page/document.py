"""The report: one experiment as one HTML page without script or network, for reading, printing and keeping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core.records.environment import Environment
from core.records.gallery import Gallery
from core.records.metrics import RunMetrics
from core.records.statistics import StatisticalTest, Summary
from core.report.attack_figures import COLUMNS as ATTACK_COLUMNS
from core.report.attack_figures import READING as ATTACK_READING
from core.report.attack_figures import attack_title, by_attack, rates
from core.report.caveat import caveat, enumerate_runs
from core.report.deciding import FLIPS_READING, LevelTable, flips_rows, has_crossfit, level_tables
from core.report.figures.curves import accuracy_figure, crossfit_figure, p_value_figure, render
from core.report.figures.images import gallery_figure, rows_of
from core.report.formatting import ABSENT
from core.report.page.frame import page
from core.report.page.markup import facts, figure, interval, number, section, table, words
from core.report.reproduce import commands
from core.report.result import Result
from core.report.terms import (
    CLAIMS,
    DECIDING,
    INTERVALS,
    OVERLAP,
    SENTENCES,
    SLOPES,
    STEP,
    TEST_NAMES,
    brief_reason,
    claim_reason,
    term_of,
)
from core.sets.registry import SETS, is_known
from core.spec.command import format_value
from core.spec.spec import Spec
from core.statistics.student_t import critical_value

COUNTED = ("train", "test", "correct", "misclassified", "candidates", "adversarial", "adversarial_sources")
"""The counts of a run that have a column, besides those of the sets."""
READING = (
    "n: runs used. Statistic: t, for Wilcoxon the smaller rank sum, which has no df and no interval. Holm: p "
    "adjusted over j within one quantity, pair and test. Difference: mean of the first set minus the second over "
    "the runs, with its 95 % interval. Effect: Cohen's d (Welch), mean over standard deviation of the differences "
    "(paired t, Nadeau-Bengio), rank-biserial correlation (Wilcoxon). Direction: the first set against the second; "
    f"for Wilcoxon that of its effect, for which a mean difference is not given. {INTERVALS} "
    f"{ABSENT}: undefined; the reason stands at the end of the row."
)


def pictured_sets(spec: Spec) -> tuple[str, ...]:
    """The sets of an experiment whose images its report shows."""
    return tuple(name for name in spec.sets if is_known(name) and SETS[name].in_report)


def report_html(result: Result, images: Mapping[str, tuple[int, Gallery] | str]) -> str:
    """The page for a result, finished or not; the same result gives the same text.

    images: for each of `pictured_sets` the run, from 0, whose gallery is shown, and the gallery, with a member at
    least; or why there is none.
    """
    spec = result.spec
    title = f"{attack_title(result)} on {spec.dataset_title}, epsilon {spec.epsilon:g}, {result.ladder.span}"
    sections = {
        "verdict": _verdict(result),
        **_deciding(result),
        "accuracy": _accuracy(result),
        "tests": _tests(result),
        "reasons": _reasons(result),
        "runs": _runs(result),
        "gallery": _gallery(images),
        "settings": _settings(result),
        "environment": _environment(result),
        "reproduce": _reproduce(result),
    }
    state = (
        f"{number(result.complete, 'd')} of {number(spec.runs, 'd')} runs, "
        f"experiment <code>{words(result.id)}</code>"
    )
    return page(title, result.status, state, _notice(result), sections)


def _notice(result: Result) -> Iterator[str]:
    """What a reader must know of an experiment that is not complete."""
    lines = []
    if warning := caveat(result):
        head, _, rest = warning.partition(":")
        lines.append(f"<strong>{head}:</strong>{rest}")
    lines += [
        f"<strong>Run {run.index + 1} failed:</strong> {words(run.failure.error)}"
        + (f" ({words(run.failure.hint)})" if run.failure.hint else "")
        for run in result.runs
        if run.failure is not None
    ]
    if lines:
        yield '<div class="notice">' + "".join(f"<p>{line}</p>" for line in lines) + "</div>"


def _verdict(result: Result) -> str:
    sentences = "\n".join(f"<li>{words(sentence)}</li>" for sentence in result.verdict)
    body = f"<ul>\n{sentences}\n</ul>" if sentences else "<p>There is none before a run is complete.</p>"
    return section("Verdict", body, name="verdict")


def _deciding(result: Result) -> dict[str, str]:
    """The sections on what decides, by name; none for a result that did not measure it."""
    sections: dict[str, str] = {}
    if result.claims:
        sections["what-decides"] = section("What decides", *_claims(result), name="what-decides")
    tables = {table.name: _levels(result, table) for table in level_tables(result, critical_value)}
    if "crossfit" in tables:
        crossfit = [tables[name] for name in ("crossfit", "crossfit-fitted") if name in tables]
        drawing = [_crossfit_figure(result)] if has_crossfit(result) else []
        sections["cross-fitted"] = section("Cross-fitted accuracy", *drawing, *crossfit, name="cross-fitted")
    if "bias-variance" in tables:
        sections["bias"] = section("Bias and variance", tables["bias-variance"], name="bias")
    if "robustness" in tables:
        sections["robustness"] = section(
            "Robustness without selection", tables["robustness"], _flips(result), name="robustness"
        )
    return sections


def _claims(result: Result) -> Iterator[str]:
    groups: dict[str, list[list[str]]] = {}
    headings: dict[str, str] = {}
    for claim in result.claims:
        headings[claim.name] = words(term_of(claim).name)
        groups.setdefault(claim.name, []).append(
            [
                words(" - ".join(claim.sets)), number(claim.estimate, "+.4f"), interval(claim.ci95, "+.4f"),
                number(claim.margin, "g"), words(claim.decision), number(claim.n, "d"),
                words(claim_reason(claim)),
            ]
        )  # fmt: skip
    yield table(
        "Each quantity, over the runs, and what its interval decides",
        ["of", "estimate", "95 % interval", "margin", "decision", "n", "reason"],
        [(headings[name], rows) for name, rows in groups.items()],
        name="claims-table",
        wordy=(0, 4, 6),
    )
    yield f'<p class="note">Estimate: mean over the n runs. {words(OVERLAP)} {words(DECIDING)}</p>'
    yield facts([(headings[name], words(CLAIMS[name].definition)) for name in groups if name in CLAIMS])


def _crossfit_figure(result: Result) -> str:
    ladder = result.ladder
    return figure(
        render(crossfit_figure(result), "svg", text=True),
        f"Cross-fitted accuracy against {ladder.knob}: by the half that selected, dashed, and by the other, solid",
        f"Mean accuracy over {enumerate_runs(result.statistics_runs)} on what the classifier of one half of the "
        f"training images selects at {words(ladder.at(ladder.general))}, with 95 % intervals. Dashed: by that "
        f"classifier; solid: by that of the other half. {words(OVERLAP)}",
        name="crossfit-figure",
    )


def _levels(result: Result, shown: LevelTable) -> str:
    """A table with a column a level: a group of rows for each set or attack, what concerns it in its heading."""
    levels = result.ladder.levels
    groups = []
    for group in shown.groups:
        concerns = [
            f"{title} {number(fact, form)}"
            for fact, (title, form) in zip(group.facts, shown.facts.items(), strict=True)
            if fact is not None
        ]
        heading = words(group.title) + (f" ({', '.join(concerns)})" if concerns else "")
        rows = []
        for line in group.lines:
            summaries = [line.by_level[level] for level in levels]
            rows.append([words(line.what), *map(_mean, summaries), _counts_of(summaries)])
        groups.append((heading, rows))
    over = enumerate_runs(result.statistics_runs)
    drawn = table(
        f"{words(shown.title)}: mean over {over}, and its 95 % interval",
        ["", *(words(result.ladder.at(level)) for level in levels), "n"],
        groups,
        name=f"{shown.name}-table",
    )
    return f'{drawn}\n<p class="note">{words(shown.reading)} {words(OVERLAP)}</p>'


def _flips(result: Result) -> str:
    rows = [
        [
            words(row.title), number(row.fooled, ".4f"), number(row.hit, ".4f"), number(row.gained, ",d"),
            number(row.lost, ",d"), number(row.n, ",d"), number(row.net.mean, "+.4f"),
            interval(row.net.ci95, "+.4f"), number(row.net.n, "d"),
        ]
        for row in flips_rows(result, critical_value)
    ]  # fmt: skip
    header = ["", "fooled", "target hit", "gained", "lost", "n", "difference", "95 % interval", "runs"]
    drawn = table("Flips", header, [("", rows)], name="flips-table")
    return f'{drawn}\n<p class="note">{words(FLIPS_READING)} {words(OVERLAP)}</p>'


def _mean(summary: Summary) -> str:
    """A mean, its interval below it."""
    below = f"<br><small>{interval(summary.ci95, '.4f')}</small>" if summary.ci95 else ""
    return number(summary.mean, ".4f") + below


def _counts_of(summaries: Sequence[Summary]) -> str:
    """How many runs the means of a row are over."""
    counts = sorted({summary.n for summary in summaries})
    return ", ".join(number(count, "d") for count in counts)


def _accuracy(result: Result) -> str:
    ladder = result.ladder
    knob = words(ladder.knob)
    title = f"Accuracy against {knob}"
    if result.summary is None:
        return section(title, "<p>No run is complete yet.</p>", name="accuracy")
    accuracy = result.summary.accuracy
    rows = []
    for name, by_level in accuracy.items():
        summaries = [by_level[level] for level in ladder.levels]
        fooling = [number(rate, ".4f") for rate in rates(result, name)]
        rows.append([words(name), *map(_mean, summaries), _counts_of(summaries), *fooling])
    over = enumerate_runs(result.statistics_runs)
    wide = f" {words(OVERLAP)}" if result.claims else ""
    described = [(words(name), words(SETS[name].description)) for name in accuracy if is_known(name)]
    return section(
        title,
        figure(
            render(accuracy_figure(result), "svg", text=True),
            f"Accuracy against {ladder.knob} for every set, from {ladder.at(ladder.general)}, the most general "
            f"level, to {ladder.at(ladder.fitted)}",
            f"Mean accuracy over {over} against {knob}, from general to fitted, with 95 % intervals. The same "
            "numbers stand in the table. Points of one level stand beside each other only to be told apart.",
            name="accuracy-figure",
        ),
        table(
            f"Mean accuracy over {over}, and its 95 % interval",
            ["set", *(words(ladder.at(level)) for level in ladder.levels), "n", "fooled", "target hit"],
            [("", rows)],
            name="accuracy-table",
        ),
        f'<p class="note">Fooled, target hit: shares of the candidates from which a set was selected.{wide}</p>',
        facts(described),
        name="accuracy",
    )


def _tests(result: Result) -> str:
    if not result.tests:
        return section("Tests", "<p>No run is complete yet.</p>", name="tests")
    header = [
        "j", "test", "n", "statistic", "df", "p", "p, Holm", "difference", "95 % interval", "effect",
        "direction", "reason",
    ]  # fmt: skip
    tables = []
    for place, pair in enumerate(dict.fromkeys(test.sets for test in result.tests)):
        rows: dict[str, list[list[str]]] = {}
        for test in result.tests:
            if test.sets == pair:
                rows.setdefault(test.quantity, []).append(_test_row(test))
        groups = [(words(SLOPES[quantity]), group) for quantity, group in rows.items()]
        caption = f"{words(pair[0])} against {words(pair[1])}"
        tables.append(table(caption, header, groups, name=f"tests-{place + 1}", wordy=(0, 1, 10, 11),
                            kind="wide tests"))  # fmt: skip
    return section(
        "Tests",
        figure(
            render(p_value_figure(result), "svg", text=True),
            "p-values of the slopes on a logarithmic axis, a panel for each compared pair of sets",
            f"p-values (not adjusted) of the slopes {SLOPES['ratio']} ({STEP}), on a logarithmic axis. "
            "Dashed lines: 0.05 and 0.01.",
            name="p-value-figure",
        ),
        f'<p class="note">{words(READING)}</p>',
        *tables,
        name="tests",
    )


def _test_row(test: StatisticalTest) -> list[str]:
    return [
        words(test.j), words(TEST_NAMES[test.test]), number(test.n, "d"), number(test.statistic, ".3f"),
        number(test.df, ".2f"), number(test.p, ".3g"), number(test.p_holm, ".3g"),
        number(test.tested_difference, "+.4f"), interval(test.ci95, "+.4f"), number(test.effect_size, "+.3f"),
        words(test.direction or ABSENT), words(brief_reason(test.reason) if test.reason else ""),
    ]  # fmt: skip


def _reasons(result: Result) -> str:
    """Every reason code that stands in the result, in words."""
    codes = {str(test.reason) for test in result.tests if test.reason is not None}
    for metrics in result.metrics.values():
        codes.update(reason for by_step in metrics.slope_reasons.values() for reason in by_step.values())
    entries = [
        (f"{words(brief_reason(code))} (<code>{words(code)}</code>)", words(SENTENCES[code]))
        for code in sorted(codes)
    ]
    nothing = "Nothing is undefined." if result.summary is not None else "No run is complete yet."
    body = facts(entries) if entries else f"<p>{nothing}</p>"
    return section("Why a number is undefined", body, name="reasons")


def _runs(result: Result) -> str:
    titles = [name.removeprefix("adversarial_") for name in COUNTED]
    rows = [
        [
            number(run.index + 1, "d"),
            words(run.status),
            *_count_cells(result.metrics.get(run.index)),
        ]
        for run in result.runs
    ]
    parts = [
        table("Images of each run", ["run", "state", "surrogate accuracy", *titles, "seconds"], [("", rows)],
              name="counts-table", wordy=(0, 1)),
        '<p class="note">Seconds of all stages.</p>',
    ]  # fmt: skip
    if result.metrics:
        parts += [_set_sizes(result), _attacks(result)]
    return section("Runs", *parts, name="runs")


def _count_cells(metrics: RunMetrics | None) -> list[str]:
    if metrics is None:
        return [ABSENT] * (2 + len(COUNTED))
    counts = [number(getattr(metrics.counts, name), ",d") for name in COUNTED]
    return [number(metrics.surrogate_accuracy, ".4f"), *counts, number(metrics.run_seconds, ".0f")]


def _set_sizes(result: Result) -> str:
    names = list(dict.fromkeys(name for metrics in result.metrics.values() for name in metrics.counts.sets))
    rows = [
        [number(run + 1, "d"), *(number(metrics.counts.sets.get(name), ",d") for name in names)]
        for run, metrics in result.metrics.items()
    ]
    return table("Images in each set", ["run", *map(words, names)], [("", rows)], name="sets-table")


def _attacks(result: Result) -> str:
    groups = [
        (
            words(name),
            [
                [
                    number(run + 1, "d"),
                    *(number(getattr(one, f), form) for f, (_, form) in ATTACK_COLUMNS.items()),
                ]
                for run, one in by_run.items()
            ],
        )
        for name, by_run in by_attack(result).items()
    ]
    header = ["run", *(title for title, _ in ATTACK_COLUMNS.values())]
    drawn = table("The attack on the surrogate", header, groups, name="attack-table")
    return f'{drawn}\n<p class="note">{words(ATTACK_READING)}</p>'


def _gallery(images: Mapping[str, tuple[int, Gallery] | str]) -> str:
    adversarial = images["adversarial"]
    if isinstance(adversarial, str):
        parts = [f"<p>{words(adversarial)}</p>"]
    else:
        run, gallery = adversarial
        parts = [
            figure(
                render(gallery_figure(rows_of([gallery])), "svg", text=True),
                "Original, perturbation and adversarial image in a row, with what every level says of it",
                f"Adversarial images of run {run + 1}: original, amplified perturbation, adversarial image.",
                name="gallery-figure",
            )
        ]
    others = [found for name, found in images.items() if name != "adversarial" and not isinstance(found, str)]
    if others:
        names = ", ".join(f"{gallery.name} (run {run + 1})" for run, gallery in others)
        parts.append(
            figure(
                render(
                    gallery_figure(rows_of([gallery for _, gallery in others], len(others))), "svg", text=True
                ),
                "One image of each other set: original, perturbation, image, with what every level says of it",
                f"For comparison, one image of each set: {names}.",
                name="others-figure",
            )
        )
    return section("Gallery", *parts, name="gallery")


def _settings(result: Result) -> str:
    spec = result.spec
    rows = [
        [words(setting.title), f"<code>{words(setting.option)}</code>", words(format_value(value))]
        for name, setting in spec.settings.items()
        if (value := spec.values[name]) is not None
    ]
    for checksum in dict.fromkeys(metrics.data_sha256 for metrics in result.metrics.values()):
        rows.append(["SHA-256 of the data", "", f"<code>{words(checksum)}</code>"])
    return section("Settings", table("What was asked for", ["setting", "option", "value"], [("", rows)],
                                     name="settings-table", wordy=(0, 1, 2)), name="settings")  # fmt: skip


def _environment(result: Result) -> str:
    """A column for each environment that runs were computed in."""
    found: list[tuple[Environment, list[int]]] = []
    for run, metrics in result.metrics.items():
        runs = next((runs for one, runs in found if one == metrics.environment), None)
        if runs is None:
            found.append((metrics.environment, [run]))
        else:
            runs.append(run)
    if not found and result.environment is not None:
        found = [(result.environment, [])]
    if not found:
        return section("Environment", "<p>Nothing was computed yet.</p>", name="environment")
    described = [_described(environment) for environment, _ in found]
    names = dict.fromkeys(name for one in described for name in one)
    rows = [[words(name), *(words(one.get(name, ABSENT)) for one in described)] for name in names]
    header = ["", *(enumerate_runs(runs).capitalize() or "So far" for _, runs in found)]
    return section(
        "Environment",
        table("Where it was computed, and with which versions", header, [("", rows)], name="environment-table",
              wordy=range(len(header))),
        name="environment",
    )  # fmt: skip


def _described(environment: Environment) -> dict[str, str]:
    """What it is made of, by name."""
    threads = {} if environment.threads is None else {"threads": str(environment.threads)}
    machine = {"device": environment.device, "cpu": environment.cpu, **threads}
    return {**machine, **environment.plugins, **environment.versions}


def _reproduce(result: Result) -> str:
    lines = "\n".join(words(line) for line in commands(result))
    return section(
        "Reproduce",
        "<p>The same specification gives the same numbers on the same type of machine with these versions.</p>",
        f"<pre><code>{lines}</code></pre>",
        name="reproduce",
    )
