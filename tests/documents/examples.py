"""The examples of the documents as files: a fenced block whose title names a file is that file's content."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r'^```\w+ title="(?P<title>[^"]+)"\n(?P<content>.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks_of(page: str) -> dict[str, str]:
    """Title -> content of the titled blocks of a page, given by its path under docs/."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return {block["title"]: block["content"] for block in _BLOCK.finditer(text)}


def write_blocks(folder: Path, *pages: str) -> None:
    """Write the titled blocks of some pages as files under a folder."""
    for page in pages:
        for title, content in blocks_of(page).items():
            path = folder / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
