"""The frame of every page: head, style, title, how it stands, links to its sections, the sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files

from core.report.page.markup import words


def page(title: str, status: str, state: str, notice: Iterable[str], sections: Mapping[str, str]) -> str:
    """A whole page. title, status: texts. state: HTML after the status. notice: lines of HTML. sections: by id."""
    links = "".join(
        f'<li><a href="#{name}">{name.capitalize().replace("-", " ")}</a></li>' for name in sections
    )
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{words(title)}</title>",
            f"<style>\n{files('core.report.page').joinpath('report.css').read_text(encoding='utf-8')}</style>",
            "</head>",
            "<body>",
            "<header>",
            f"<h1>{words(title)}</h1>",
            f'<p class="state"><strong id="state">{words(status)}</strong>: {state}</p>',
            *notice,
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
