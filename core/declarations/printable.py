"""Texts from anywhere as a terminal shows them and does not obey them, and as words that a shell takes. Pure.

What is not printable (control characters, characters that turn the direction of writing, halves of surrogate pairs)
becomes a mark in its place, U+FFFD.
"""

from __future__ import annotations

import shlex


def printable(text: str) -> str:
    """`text` as one line, every character that is not printable replaced by U+FFFD."""
    if text.isprintable():
        return text  # as nearly all are
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def printable_lines(text: str) -> str:
    """`text` with each of its lines made `printable`; tabs become spaces."""
    return "\n".join(map(printable, text.expandtabs(4).splitlines()))


def printable_text(text: str) -> str:
    """`text` made `printable` but for newlines and tabs, which stay: for output that may go to a pipe."""
    lines = text.split("\n")
    return "\n".join(
        line if line.isprintable() else "\t".join(map(printable, line.split("\t"))) for line in lines
    )


def shell_word(text: str) -> str:
    """`text` as one word of a shell, to be copied: quoted where it must be.

    What is not printable is written as the bytes that it is, in the `$'...'` of POSIX 2024, bash and zsh.
    """
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def _escaped(character: str) -> str:
    if character.isprintable() and character not in "'\\":
        return character
    try:
        content = character.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # no file can be called so
        content = character.encode("utf-8", "replace")
    return "".join(f"\\x{byte:02x}" for byte in content)
