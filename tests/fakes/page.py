"""A reader of published HTML pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Cell:
    """A cell as it is read, and the numbers behind it with all their digits."""

    text: str = ""
    values: list[float] = field(default_factory=list)


@dataclass
class Grid:
    """A table: its caption, its header, and the rows with the heading that stands over each."""

    caption: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[tuple[str, list[Cell]]] = field(default_factory=list)


VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """An HTML page: its tables by id, the words of its sections, and what would make it invalid."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, Grid] = {}
        self.words: dict[str, str] = {}
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self._section = "header"
        self._grid = Grid()
        self._heading = ""
        self._cells: list[Cell] = []
        self._cell: Cell | None = None
        self._group = False
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if len(attributes) != len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        self.tags.append((tag, attributes))
        if attributes.get("id"):
            self.ids.append(str(attributes["id"]))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "section":
            self._section = str(attributes["id"])
        elif tag == "table":
            self._grid = self.tables[str(attributes["id"])] = Grid()
        elif tag == "tbody":
            self._heading = ""
        elif tag == "tr":
            self._cells = []
        elif tag in ("td", "th"):
            self._cell = Cell()
            self._cells.append(self._cell)
            self._group = attributes.get("scope") == "rowgroup"
        elif tag == "data":
            assert self._cell is not None or self._section == "header"
            if self._cell is not None:
                self._cell.values.append(float(str(attributes["value"])))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")
        if tag in ("td", "th"):
            self._cell = None
        elif tag == "tr":
            if "thead" in self._open:
                self._grid.header = [cell.text for cell in self._cells]
            elif self._group:
                self._heading = self._cells[0].text
            else:
                self._grid.rows.append((self._heading, self._cells))
            self._group = False

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words[self._section] = self.words.get(self._section, "") + data
        if self._cell is not None:
            self._cell.text += data
        elif "caption" in self._open:
            self._grid.caption += data


def section_text(page: Page, section: str) -> str:
    """The words of a section with single spaces."""
    return re.sub(r"\s+", " ", page.words[section]).strip()
