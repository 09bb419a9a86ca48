"""The lab's own look: every text can be read, and what is graded says more with each step."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from textual.app import App
from textual.color import Color
from textual.constants import DIM_FACTOR
from textual.theme import Theme

from tests.fakes.lab import in_house, opened
from tui_aefit.lab.theme import (
    AEFIT_DARK,
    AEFIT_LIGHT,
    LOAD,
    MONOCHROME,
    PROGRESS,
    THEMES,
    grade,
    ink,
    load_style,
    progress_style,
)

LEAST = 4.5
"""WCAG 2.2, success criterion 1.4.3 (AA)."""
LEAST_OF_LINES = 3.0
"""The same, 1.4.11, of what is no text: a border that shows where the focus is."""
BACKGROUNDS = ("surface", "panel", "background")
WORDS = ("foreground", "primary", "secondary", "accent", "success", "warning", "error")
PAIRS = (
    ("footer-key-foreground", "panel"),
    ("footer-description-foreground", "panel"),
    ("block-cursor-foreground", "block-cursor-background"),
    ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
    ("foreground", "input-selection-background"),
)
OWN = (AEFIT_DARK, AEFIT_LIGHT)


def luminance(colour: Color) -> float:
    """Relative luminance of an sRGB colour, by the definition of WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def variables(theme: Theme) -> dict[str, Color]:
    """What the style sheets call its colours; those that are fixed."""
    found = theme.to_color_system().generate()
    return {name: Color.parse(value) for name, value in found.items() if value.startswith("#")}


def test_contrast_is_computed_as_defined() -> None:
    black, white = Color(0, 0, 0), Color(255, 255, 255)
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(white, white) == 1
    assert contrast(white, Color.parse("#767676")) == pytest.approx(4.54, abs=0.005)  # the well-known limit


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_word_can_be_read_on_every_background(theme: Theme) -> None:
    colours = variables(theme)
    names = [*WORDS, *(f"text-{name}" for name in ("primary", "accent", "success", "warning", "error"))]
    if theme is not MONOCHROME:
        names.append("text-muted")
    for background in BACKGROUNDS:
        for name in names:
            assert contrast(colours[name], colours[background]) >= LEAST, (name, background)
        # What is dim is blended with what it stands on.
        dim = colours[background].blend(colours["foreground"], DIM_FACTOR)
        assert contrast(dim, colours[background]) >= LEAST, background


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_footer_cursor_and_selection_can_be_read_and_the_focus_seen(theme: Theme) -> None:
    colours = variables(theme)
    for text, background in PAIRS:
        assert contrast(colours[text], colours[background]) >= LEAST, (text, background)
    assert contrast(colours["border"], colours["surface"]) >= LEAST_OF_LINES
    assert contrast(colours["border"], colours["border-blurred"]) >= LEAST_OF_LINES, "focus by shade alone"


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("names", [LOAD, PROGRESS], ids=["load", "progress"])
def test_graded_colours_can_be_read_at_every_step(theme: Theme, names: tuple[str, ...]) -> None:
    colours = variables(theme)
    stops = [colours[name] for name in names]
    for step in range(101):
        for background in BACKGROUNDS:
            assert contrast(grade(stops, step / 100), colours[background]) >= LEAST, (step, background)


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_a_load_runs_through_the_colours_of_what_it_means(theme: Theme) -> None:
    stops = [variables(theme)[name] for name in LOAD]
    assert [grade(stops, share).hex6 for share in (0, 0.5, 1)] == [stop.hex6 for stop in stops]
    assert grade(stops, -1) == grade(stops, 0)
    assert grade(stops, 7) == grade(stops, 1)
    for got, one, other in zip(grade(stops, 0.25).rgb, stops[0].rgb, stops[1].rgb, strict=True):
        assert abs(got - (one + other) / 2) <= 1


@pytest.fixture
def app() -> App[None]:
    one: App[None] = App()
    for theme in THEMES:
        one.register_theme(theme)
    return one


async def styles(app: App[None], theme: str) -> dict[str, list[str]]:
    async with app.run_test() as pilot:
        app.theme = theme
        await pilot.pause()
        shares = [step / 10 for step in range(11)]
        return {
            "ink": [ink(app, style) for style in ("green", "bold red", "yellow", "dim", "")],
            "load": [load_style(app, share) for share in shares],
            "progress": [progress_style(app, share) for share in shares],
        }


async def test_words_of_meaning_have_the_colours_of_the_theme(app: App[None]) -> None:
    found = await styles(app, AEFIT_DARK.name)
    success, warning, error = (variables(AEFIT_DARK)[name].hex6 for name in LOAD)
    assert found["ink"] == [success, f"bold {error}", warning, "dim", ""]
    assert found["load"][0] == success
    assert found["load"][-1] == f"bold {error}"
    assert found["progress"][-1] == f"bold {success}"
    assert all(before != after for before, after in pairwise(found["load"]))


@pytest.mark.parametrize("theme", ["textual-dark", "nord", "solarized-light", "textual-light"])
async def test_in_a_theme_of_others_colours_are_those_that_it_has_for_text(
    app: App[None], theme: str
) -> None:
    found = await styles(app, theme)
    surface = Color.parse(app.theme_variables["surface"])
    for style in (*found["ink"][:3], *found["load"]):
        assert contrast(Color.parse(style.split()[-1]), surface) >= LEAST_OF_LINES


async def test_without_colour_only_weight_is_left(app: App[None]) -> None:
    found = await styles(app, MONOCHROME.name)
    assert found["ink"] == ["", "bold", "", "dim", ""]
    assert found["load"] == [""] * 9 + ["bold"] * 2
    assert found["progress"] == [""] * 10 + ["bold"]


async def test_the_terminals_own_colours_are_named(app: App[None]) -> None:
    found = await styles(app, "ansi-dark")
    assert found["ink"] == ["green", "bold red", "yellow", "dim", ""]
    assert {style.split()[-1] for style in found["load"]} == {"green", "yellow", "red"}
    assert {style.split()[-1] for style in found["progress"]} == {"blue", "green"}


async def test_a_new_lab_is_dark_of_its_own(tmp_path: Path) -> None:
    with in_house(tmp_path) as house:
        lab = house.lab()
    async with opened(lab, (80, 24)):
        assert lab.theme == "aefit-dark"
        assert {"aefit-dark", "aefit-light", "monochrome", "ansi-dark"} <= set(lab.available_themes)
