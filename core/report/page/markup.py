"""The elements of the HTML report: escaped words, numbers that keep all their digits, tables, figures inline."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Sequence

from core.declarations.printable import printable
from core.report.figures.curves import INK, PAPER
from core.report.formatting import ABSENT


def words(value: object) -> str:
    """Any value as escaped text; what cannot be printed becomes a mark in its place."""
    return html.escape("\n".join(map(printable, str(value).split("\n"))))


def number(value: float | None, form: str) -> str:
    """A rounded number; its `value` attribute has all digits of the JSON result."""
    return ABSENT if value is None else f'<data value="{value!r}">{format(value, form)}</data>'


def interval(ends: Sequence[float] | None, form: str) -> str:
    """A 95 % interval, from low to high."""
    return ABSENT if not ends else f"[{number(ends[0], form)}, {number(ends[1], form)}]"


def table(
    caption: str,
    header: Sequence[str],
    groups: Iterable[tuple[str, Iterable[Sequence[str]]]],
    *,
    name: str,
    wordy: Collection[int] = (0,),
    kind: str = "wide",
) -> str:
    """A table of markup, with `name` for its id and `kind` for its class in the style sheet.

    groups: a heading ("" for none) and the rows below it; a row's first cell is its heading. wordy: the columns
    of words, which begin at the left.
    """

    def cell(tag: str, column: int, content: str) -> str:
        side = "" if column in wordy else ' class="number"'
        return f"<{tag}{side}>{content}</{tag.partition(' ')[0]}>"

    heads = "".join(cell('th scope="col"', column, title) for column, title in enumerate(header))
    lines = [
        f'<div class="{kind}" role="region" tabindex="0" aria-labelledby="{name}-caption">',
        f'<table id="{name}">',
        f'<caption id="{name}-caption">{caption}</caption>',
        f"<thead><tr>{heads}</tr></thead>",
    ]
    for heading, rows in groups:
        lines.append("<tbody>")
        if heading:
            lines.append(f'<tr><th scope="rowgroup" colspan="{len(header)}">{heading}</th></tr>')
        for first, *others in rows:
            cells = [
                cell('th scope="row"', 0, first),
                *(cell("td", at, one) for at, one in enumerate(others, 1)),
            ]
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines.append("</tbody>")
    return "\n".join([*lines, "</table>", "</div>"])


def facts(entries: Iterable[tuple[str, str]]) -> str:
    """Names and what each means, both as markup."""
    return "<dl>\n" + "\n".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries) + "\n</dl>"


def section(title: str, *parts: str, name: str) -> str:
    """A section of the page, with `name` for its id."""
    return "\n".join([f'<section id="{name}">', f"<h2>{title}</h2>", *parts, "</section>"])


def figure(svg: bytes, title: str, caption: str, *, name: str) -> str:
    """An SVG of `core.report.figures.curves.render` inside the page, in the page's own colours.

    title: what it shows, for those who cannot see it. name: its id, which begins all ids within.
    """
    drawing = svg.decode()
    drawing = re.sub("<[^>]*>", lambda tag: _inlined(tag[0], name), drawing[drawing.index("<svg") :])
    start = drawing.index(">") + 1
    view = re.search(r'viewBox="[^"]*"', drawing[:start])
    width = re.search(r'width="([0-9.]+)pt"', drawing[:start])
    if view is None or width is None:
        raise ValueError("an SVG without a size cannot be put into a page")
    root = (
        f'<svg id="{name}" {view[0]} preserveAspectRatio="xMinYMin" style="width: {width[1]}pt" role="img" '
        f'aria-label="{html.escape(title)}">'
    )
    return f"<figure>\n{root}{drawing[start:].strip()}\n<figcaption>{caption}</figcaption>\n</figure>"


def _inlined(tag: str, name: str) -> str:
    """A tag of an SVG as it can stand in a page: no name spaces, ids of its own, colours of the page."""
    tag = tag.replace(' id="', f' id="{name}-').replace("url(#", f"url(#{name}-")
    tag = tag.replace('xlink:href="#', f'href="#{name}-').replace("xlink:href", "href")
    return tag.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
