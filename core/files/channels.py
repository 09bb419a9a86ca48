"""Standard input, output and error: messages to a person, and what happens where one is closed or full."""

from __future__ import annotations

import os
import sys

from core.declarations.printable import printable_text


def hold_channels() -> None:
    """Open each of standard input, output and error that is closed, so that no other file gets its descriptor.

    Reading from the input then finds its end, writing to the output fails, and what is written to standard error is
    lost. Without this, what is printed would go into the next file that is opened.
    """
    for number, name, flags in (
        (0, "stdin", os.O_RDONLY),
        (1, "stdout", os.O_RDONLY),
        (2, "stderr", os.O_WRONLY),
    ):
        if getattr(sys, name) is not None:
            continue
        descriptor = os.open(os.devnull, flags)
        if descriptor != number:
            os.dup2(descriptor, number)
            os.close(descriptor)
        # Writing to standard output fails, as it does with a closed descriptor.
        file = open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, file)


def say(text: str) -> None:
    """Write a text to standard error; where that is full or closed the text is lost, and so are all later ones."""
    try:
        sys.stderr.write(printable_text(text))
        sys.stderr.flush()
    except OSError:
        forget(2)


def forget(number: int) -> None:
    """Drop all that is still written to a channel: Python would try to flush it at its exit, and fail."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, number)
    os.close(descriptor)
