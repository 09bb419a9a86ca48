"""Texts from disk as a terminal shows them and does not obey them. Pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` as one line without control characters."""
    return "".join(character if character.isprintable() else "�" for character in text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines, which stay lines."""
    return "\n".join(map(printable, text.expandtabs(4).splitlines()))
