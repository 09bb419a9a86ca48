"""The notes beside the form: what the field in focus means, with drawings where possible. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.text import Text

from core.attacks.attack import Attack
from core.data.catalogue import Entry
from core.declarations.printable import printable
from core.declarations.setting import Setting
from core.families.family import Family
from core.families.ladder import Ladder, slope_name
from core.previews.records import AttackPreview, DataPreview
from core.report.formatting import counted
from core.spec.spec import Spec
from tui_aefit.following.precision import USUAL, Precision
from tui_aefit.lab.widgets.setup.fields import TYPE_A_PATH
from tui_aefit.lab.widgets.setup.thumbnails import Thumbnail
from tui_aefit.lab.widgets.shades import SIGNED
from tui_aefit.shell.declarations import explain

MOST_LEVELS = 12
"""Levels of a ladder that are drawn; of more, the middle is left out."""
BAR = 28
"""Cells of the longest bar."""
READING = "its images are being read"
MAKING = "an example is being made"


@dataclass(frozen=True)
class Note:
    """A note on a setting. images: shown below the text."""

    title: str = ""
    text: Text = field(default_factory=Text)
    images: Sequence[Thumbnail] = ()


def of_setting(setting: Setting) -> Note:
    """The note on any setting: what it means, its default, and its possible names with their meanings."""
    text = Text(explain(setting) + "\n")
    text.append(f"default: {default_of(setting)}\n", "dim")
    choices = setting.choices()
    width = max(map(cell_len, choices), default=0)
    for name, meaning in choices.items():
        text.append(f"\n{name.ljust(width)}", "bold")
        text.append(f"  {meaning}")
    return Note(setting.title, text)


def default_of(setting: Setting) -> str:
    """The default of a setting in words."""
    if setting.default_text:
        return setting.default_text
    return ", ".join(setting.default) if isinstance(setting.default, tuple) else str(setting.default)


def of_named_data(entry: Entry, where: str, test: int, preview: DataPreview | None, trouble: str) -> Note:
    """The note on a set of the catalogue. where: its files lie, or what is missing. test: test images of a run.

    preview: its images, None while they are read, or where they cannot be: then trouble says why.
    """
    images = entry.train_size + entry.test_size
    text = _of_size(images, entry.shape, entry.classes, test)
    text.append(f"{where}\n", "dim")
    counts = preview.counts if preview is not None else ()
    return _with_images(entry.title, text, entry.class_names, counts, preview, trouble)


def of_own_data(
    path: str, test: int | None, preview: DataPreview | None, trouble: str, near: Sequence[str]
) -> Note:
    """The note on a user's own set. near: paths that begin with `path`. Else as `of_named_data`."""
    title = path.rstrip("/").rpartition("/")[2] or "A data set of your own"
    text = Text()
    if preview is not None:
        text = _of_size(preview.images, preview.shape, preview.classes, test or preview.test_size)
        text.append(f"{path}\n", "dim")
        for notice in preview.notices:
            text.append(f"{notice}\n", "dim")
        return _with_images(title, text, preview.class_names, preview.counts, preview, trouble)
    if near:
        text.append("tab completes it:\n", "dim")
        text.append("\n".join(near))
        return Note(title, text)
    return Note(title, Text(trouble or (READING if path else TYPE_A_PATH)))


def _of_size(images: int, shape: Sequence[int], classes: int, test: int) -> Text:
    height, width, channels = shape
    colour = "grey" if channels == 1 else "colour"
    return Text(
        f"{images:,} images of {height} × {width} {colour} pixels, {classes} classes\n"
        f"a run trains on {images - test:,} and tests on {test:,}\n"
    )


def _with_images(
    title: str,
    text: Text,
    names: Sequence[str],
    counts: Sequence[int],
    preview: DataPreview | None,
    trouble: str,
) -> Note:
    if preview is None:
        text.append(f"\n{trouble or READING}", "" if trouble else "dim italic")
        return Note(title, text)
    if len(set(counts)) > 1:
        text.append(
            " · ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=False)) + "\n", "dim"
        )
    elif counts:
        text.append(f"{counts[0]:,} of each class\n", "dim")
    images = tuple(
        Thumbnail(preview.class_names[label], preview.shape, preview.image(place))
        for place, label in enumerate(preview.labels)
    )
    return Note(title, text, images)


def of_attack(
    attack: type[Attack], epsilon: float | None, preview: AttackPreview | None, trouble: str
) -> Note:
    """The note on an attack: how it works, and an image changed by it. epsilon: None while its field is wrong."""
    text = Text(f"{attack.about or attack.summary}\n")
    if attack.formula:
        text.append(f"\n  {attack.formula}\n", "bold")
    if preview is None:
        waiting = MAKING if epsilon is not None else "the example is there once every field is right"
        text.append(f"\n{trouble or waiting}", "" if trouble else "dim italic")
        return Note(attack.title, text)
    aimed = f" toward {preview.target}" if preview.target else ""
    text.append(f"\nAn example: a {preview.label} of MNIST, moved{aimed} with epsilon {epsilon:.3g}. ")
    if not preview.kept:
        text.append("It went farther than epsilon, and is discarded.")
    elif preview.says == preview.said:
        text.append(f"The network still says {preview.says} ({100 * preview.sure:.0f} % sure).")
    else:
        text.append(
            f"The network said {preview.said}, and now says {preview.says} ({100 * preview.sure:.0f} % sure)."
        )
    text.append(f" No pixel changes by more than {preview.largest:.3g}.\n")
    images = (
        Thumbnail(f"says {preview.said}", preview.shape, preview.original),
        Thumbnail(f"change ×{preview.gain}", preview.shape, preview.change, SIGNED),
        Thumbnail(f"says {preview.says}", preview.shape, preview.changed),
    )
    return Note(attack.title, text, images)


def of_ladder(family: Family, setting: Setting) -> Note:
    """The levels of a classifier family, from general to fitted; after them the setting in focus."""
    ladder = family.ladder
    text = Text(f"{family.summary}\n\n")
    for line in _rungs(ladder, family.beside_levels):
        text.append_text(line)
        text.append("\n")
    text.append(
        "\nAdversarial images and mistakes are those that the classifier gets wrong at "
        f"{ladder.at(ladder.general)}: their accuracy A is 0 there. Measured is how it rises from level to level, "
        "S, and whether it rises faster on adversarial images.\n\n"
    )
    text.append_text(of_setting(setting).text)
    return Note(f"{family.title}: {ladder.span}", text)


def _rungs(ladder: Ladder, beside: Mapping[str, str]) -> list[Text]:
    """A line for each level. beside: what its family shows there, padded to one width."""
    levels = list(ladder.levels)
    left_out = len(levels) - MOST_LEVELS
    if left_out > 0:
        half = MOST_LEVELS // 2
        levels = [*levels[:half], "", *levels[-half:]]
    width = max(cell_len(ladder.at(level)) for level in levels)
    signs = {level: printable(beside.get(level, "")) for level in levels}
    widest = max(map(cell_len, signs.values()))
    rows = []
    for place, level in enumerate(levels):
        end = "general" if place == 0 else "fitted" if place == len(levels) - 1 else "   │"
        if not level:
            rows.append(Text(f"     ⋮     {counted(left_out, 'level')} more", "dim"))
            continue
        row = Text(f"  {end.ljust(9)}", "dim")
        row.append(ladder.at(level).ljust(width + 2), "bold")
        row.append(signs[level] + " " * (widest + 2 - cell_len(signs[level])) if widest else "")
        row.append("selects: A = 0" if level == ladder.general else _slope(ladder, level), "dim")
        rows.append(row)
    return rows


def _slope(ladder: Ladder, level: str) -> str:
    before = ladder.before(level)
    if before == ladder.general:
        return f"A_{level}; no {slope_name(level)}, since A_{before} = 0"
    return f"{slope_name(level)} = A_{level} / A_{before}"


def of_runs(spec: Spec, precision: Precision, setting: Setting) -> Note:
    """The note on runs: how wide the interval will be, by their number; after that the setting in focus."""
    past = precision.past
    text = Text("Half the width of the 95 % interval of what decides the claim")
    if past is not None:
        text.append(f", from {counted(past.runs, 'run')} of {past.id} ({precision.what})\n")
    else:
        text.append(
            f", relative to {USUAL} runs: no past experiment of this data set says how far runs lie apart\n"
        )
    longest = max([*precision.half_widths.values(), precision.endless])
    widths: Mapping[str, float] = {
        **{f"{runs:,}": width for runs, width in precision.half_widths.items()}, "endless": precision.endless,
    }  # fmt: skip
    for runs, half in widths.items():
        chosen = runs == f"{spec.runs:,}"
        figure = f"± {half:.3f}" if past is not None else f"{half:.2f} ×"
        bar = "━" * max(1, round(BAR * half / longest))
        text.append(f"\n{'▸' if chosen else ' '} {runs:>7}  {figure}  {bar}", "bold" if chosen else "dim")
    if spec.runs < min(precision.half_widths):
        text.append(f"\n{counted(spec.runs, 'run')} {'has' if spec.runs == 1 else 'have'} no interval: 3 do.")
    text.append("\n\nRuns divide one pool of images: more of them narrow it only so far.\n\n")
    text.append_text(of_setting(setting).text)
    return Note("Runs and what they decide", text)
