"""The report: one experiment as one HTML page without script or network, for reading, printing and keeping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from core.attacks.catalogue import ATTACKS
from core.records.gallery import Gallery
from core.report.caveat import caveat, listed
from core.report.figures.curves import accuracy_figure, p_value_figure, render
from core.report.figures.images import gallery_figure, rows_of
from core.report.page.markup import ABSENT, facts, figure, interval, number, section, table, words
from core.report.reproduce import commands
from core.report.terms import SENTENCES, SLOPES, TEST_NAMES, brief_reason
from core.sets.catalogue import SETS
from core.spec.spec import Spec

COUNTED = ("train", "test", "correct", "misclassified", "candidates", "adversarial", "adversarial_sources")
"""The counts of a run that have a column, besides those of the sets."""
ATTACK_NUMBERS = {
    "surrogate_fooled": ("fooled", ".4f"),
    "target_hit": ("target hit", ".4f"),
    "linf_max": ("largest change", ".4g"),
    "l2_mean": ("mean L2", ".4g"),
}
"""What a run tells of its attack: the column's title and the format."""
PICTURED = ("adversarial", "misclassified", "noise", "matched", "reverse")
"""The sets whose images are shown; the other controls are parts of the first, or its originals."""
READING = (
    "n: runs used. Statistic: t, for Wilcoxon the smaller rank sum, which has no df and no interval. Holm: p "
    "adjusted over j within one quantity, pair and test. Difference: mean of the first set minus the second over "
    "the runs, with its 95 % interval. Effect: Cohen's d (Welch), mean over standard deviation of the differences "
    "(paired t, Nadeau-Bengio), rank-biserial correlation (Wilcoxon). Direction: the first set against the second. "
    f"{ABSENT}: undefined; the reason stands at the end of the row."
)


def report_html(result: dict[str, Any], images: Mapping[str, tuple[int, Gallery] | str]) -> str:
    """The page for a JSON result, finished or not; the same result gives the same text.

    images: for each set of PICTURED the run, from 0, whose gallery is shown, and the gallery, with a member at
    least; or why there is none.
    """
    spec = Spec.from_mapping(result["spec"])
    title = f"{ATTACKS[spec.attack].title} on {spec.dataset_title}, epsilon {spec.epsilon:g}, Z = {spec.z}"
    done = sum(run["status"] == "complete" for run in result["runs"])
    sections = {
        "verdict": _verdict(result),
        "accuracy": _accuracy(result),
        "tests": _tests(result),
        "reasons": _reasons(result),
        "runs": _runs(result),
        "gallery": _gallery(images),
        "settings": _settings(result),
        "environment": _environment(result),
        "reproduce": _reproduce(result),
    }
    links = "".join(f'<li><a href="#{name}">{name.capitalize()}</a></li>' for name in sections)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{words(title)}</title>",
            f"<style>\n{files('core.report').joinpath('report.css').read_text(encoding='utf-8')}</style>",
            "</head>",
            "<body>",
            "<header>",
            f"<h1>{words(title)}</h1>",
            f'<p class="state"><strong id="state">{words(result["status"])}</strong>: '
            f"{number(done, 'd')} of {number(spec.runs, 'd')} runs, "
            f"experiment <code>{words(result['id'])}</code></p>",
            *_notice(result),
            f'<nav aria-label="Sections"><ul>{links}</ul></nav>',
            "</header>",
            "<main>",
            *sections.values(),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _notice(result: dict[str, Any]) -> Iterator[str]:
    """What a reader must know of an experiment that is not complete."""
    said = []
    if warning := caveat(result):
        head, _, rest = warning.partition(":")
        said.append(f"<strong>{head}:</strong>{rest}")
    said += [
        f"<strong>Run {run['index'] + 1} failed:</strong> {words(run['error'])}"
        + (f" ({words(run['hint'])})" if run["hint"] else "")
        for run in result["runs"]
        if run["status"] == "failed"
    ]
    if said:
        yield '<div class="notice">' + "".join(f"<p>{one}</p>" for one in said) + "</div>"


def _verdict(result: dict[str, Any]) -> str:
    sentences = "\n".join(f"<li>{words(sentence)}</li>" for sentence in result["verdict"])
    body = f"<ul>\n{sentences}\n</ul>" if sentences else "<p>There is none before a run is complete.</p>"
    return section("Verdict", body, name="verdict")


def _accuracy(result: dict[str, Any]) -> str:
    title = "Accuracy against K"
    if result["summary"] is None:
        return section(title, "<p>No run is complete yet.</p>", name="accuracy")
    accuracy = result["summary"]["accuracy"]
    levels = sorted({int(k) for by_k in accuracy.values() for k in by_k}, reverse=True)
    rows = []
    for name, by_k in accuracy.items():
        cells = [
            number(by_k[str(k)]["mean"], ".4f")
            + (f"<br><small>{interval(by_k[str(k)]['ci95'], '.4f')}</small>" if by_k[str(k)]["ci95"] else "")
            for k in levels
        ]
        counts = sorted({by_k[str(k)]["n"] for k in levels})
        rows.append([words(name), *cells, ", ".join(number(count, "d") for count in counts)])
    over = listed(result["statistics_runs"])
    described = [(words(name), words(SETS[name].description)) for name in accuracy if name in SETS]
    return section(
        title,
        figure(
            render(accuracy_figure(result), "svg", text=True),
            "Accuracy against K for every set, from the most general K to K = 1",
            f"Mean accuracy over {over} against K, from general to fitted, with 95 % intervals. The same numbers "
            "stand in the table. Points of one K stand beside each other only to be told apart.",
            name="accuracy-figure",
        ),
        table(
            f"Mean accuracy over {over}, and its 95 % interval",
            ["set", *(f"K = {k}" for k in levels), "n"],
            [("", rows)],
            name="accuracy-table",
        ),
        facts(described),
        name="accuracy",
    )


def _tests(result: dict[str, Any]) -> str:
    tests = result["tests"]
    if not tests:
        return section("Tests", "<p>No run is complete yet.</p>", name="tests")
    header = [
        "j", "test", "n", "statistic", "df", "p", "p, Holm", "difference", "95 % interval", "effect",
        "direction", "reason",
    ]  # fmt: skip
    tables = []
    for place, pair in enumerate(dict.fromkeys(tuple(test["sets"]) for test in tests)):
        rows: dict[str, list[list[str]]] = {}
        for test in tests:
            if tuple(test["sets"]) == pair:
                rows.setdefault(test["quantity"], []).append(_test(test))
        groups = [(words(SLOPES.get(quantity, quantity)), group) for quantity, group in rows.items()]
        caption = f"{words(pair[0])} against {words(pair[1])}"
        tables.append(table(caption, header, groups, name=f"tests-{place + 1}", wordy=(0, 1, 10, 11),
                            kind="wide tests"))  # fmt: skip
    return section(
        "Tests",
        figure(
            render(p_value_figure(result), "svg", text=True),
            "p-values of the slopes on a logarithmic axis, a panel for each compared pair of sets",
            "p-values (not adjusted) of the slopes S_j = A_j / A_j+2, on a logarithmic axis. "
            "Dashed lines: 0.05 and 0.01.",
            name="p-value-figure",
        ),
        f'<p class="note">{words(READING)}</p>',
        *tables,
        name="tests",
    )


def _test(test: dict[str, Any]) -> list[str]:
    return [
        words(test["j"]), words(TEST_NAMES.get(test["test"], test["test"])), number(test["n"], "d"),
        number(test["statistic"], ".3f"), number(test["df"], ".2f"), number(test["p"], ".3g"),
        number(test["p_holm"], ".3g"), number(test["mean_difference"], "+.4f"), interval(test["ci95"], "+.4f"),
        number(test["effect_size"], "+.3f"), words(test["direction"] or ABSENT),
        words(brief_reason(test["reason"]) if test["reason"] else ""),
    ]  # fmt: skip


def _reasons(result: dict[str, Any]) -> str:
    """Every reason code that stands in the result, in words."""
    codes = {test["reason"] for test in result["tests"]}
    for run in result["runs"]:
        codes.update(code for by_j in (run["slope_reasons"] or {}).values() for code in by_j.values())
    told = [
        (f"{words(brief_reason(code))} (<code>{words(code)}</code>)", words(SENTENCES.get(code, "")))
        for code in sorted(codes - {None})
    ]
    nothing = "Nothing is undefined." if result["summary"] is not None else "No run is complete yet."
    body = facts(told) if told else f"<p>{nothing}</p>"
    return section("Why a number is undefined", body, name="reasons")


def _runs(result: dict[str, Any]) -> str:
    complete = [run for run in result["runs"] if run["status"] == "complete"]
    rows = []
    for run in result["runs"]:
        if run["status"] != "complete":
            rows.append([number(run["index"] + 1, "d"), words(run["status"]), *[ABSENT] * (2 + len(COUNTED))])
            continue
        seconds = sum(spent for stage, spent in run["seconds"].items() if stage not in ("attack", "filter"))
        counts = [number(run["counts"][name], ",d") for name in COUNTED]
        index, state = number(run["index"] + 1, "d"), words(run["status"])
        accuracy = number(run["surrogate_accuracy"], ".4f")
        rows.append([index, state, accuracy, *counts, number(seconds, ".0f")])
    titles = [name.removeprefix("adversarial_") for name in COUNTED]
    parts = [
        table("Images of each run", ["run", "state", "surrogate accuracy", *titles, "seconds"], [("", rows)],
              name="counts-table", wordy=(0, 1)),
    ]  # fmt: skip
    if complete:
        names = list(dict.fromkeys(name for run in complete for name in run["counts"]["sets"]))
        rows = [
            [
                number(run["index"] + 1, "d"),
                *(number(run["counts"]["sets"].get(name), ",d") for name in names),
                *(number(run["attack"][name], form) for name, (_, form) in ATTACK_NUMBERS.items()),
            ]
            for run in complete
        ]
        header = ["run", *map(words, names), *(title for title, _ in ATTACK_NUMBERS.values())]
        parts += [
            table(
                "Images in each set, and the attack on the surrogate", header, [("", rows)], name="sets-table"
            ),
            '<p class="note">Seconds of all stages. Fooled, target hit: shares of the candidates that the '
            "surrogate misclassifies, and takes for the target. Changes of pixels in [0, 1].</p>",
        ]
    return section("Runs", *parts, name="runs")


def _gallery(images: Mapping[str, tuple[int, Gallery] | str]) -> str:
    adversarial = images["adversarial"]
    if isinstance(adversarial, str):
        parts = [f"<p>{words(adversarial)}</p>"]
    else:
        run, gallery = adversarial
        parts = [
            figure(
                render(gallery_figure(rows_of([gallery])), "svg", text=True),
                "Original, perturbation and adversarial image in a row, with what every K says of it",
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
                "One image of each other set: original, perturbation, image, with what every K says of it",
                f"For comparison, one image of each set: {names}.",
                name="others-figure",
            )
        )
    return section("Gallery", *parts, name="gallery")


def _settings(result: dict[str, Any]) -> str:
    rows = [
        [words(name), words(", ".join(value) or "none" if isinstance(value, list) else value)]
        for name, value in result["spec"].items()
        if name != "schema_version" and value is not None
    ]
    for checksum in dict.fromkeys(run["data_sha256"] for run in result["runs"] if run["data_sha256"]):
        rows.append(["SHA-256 of the data", f"<code>{words(checksum)}</code>"])
    return section("Settings", table("What was asked for", ["setting", "value"], [("", rows)],
                                     name="settings-table", wordy=(0, 1)), name="settings")  # fmt: skip


def _environment(result: dict[str, Any]) -> str:
    """A column for each environment that runs were computed in."""
    found: list[tuple[dict[str, Any], list[int]]] = []
    for run in result["runs"]:
        if run["environment"] is not None:
            runs = next((runs for one, runs in found if one == run["environment"]), None)
            if runs is None:
                found.append((run["environment"], [run["index"]]))
            else:
                runs.append(run["index"])
    if not found and result["environment"] is not None:
        found = [(result["environment"], [])]
    if not found:
        return section("Environment", "<p>Nothing was computed yet.</p>", name="environment")
    described = [
        {**{name: one[name] for name in one if name != "versions"}, **one["versions"]} for one, _ in found
    ]
    names = dict.fromkeys(name for one in described for name in one)
    rows = [[words(name), *(words(one.get(name, ABSENT)) for one in described)] for name in names]
    header = ["", *(listed(runs).capitalize() or "So far" for _, runs in found)]
    return section(
        "Environment",
        table("Where it was computed, and with which versions", header, [("", rows)], name="environment-table",
              wordy=range(len(header))),
        name="environment",
    )  # fmt: skip


def _reproduce(result: dict[str, Any]) -> str:
    lines = "\n".join(words(line) for line in commands(result))
    return section(
        "Reproduce",
        "<p>The same specification gives the same numbers on the same type of machine with these versions.</p>",
        f"<pre><code>{lines}</code></pre>",
        name="reproduce",
    )
