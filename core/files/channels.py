"""Standard output and error: what is said to a person, and what happens where one of them is closed or full."""

from __future__ import annotations

import os
import sys

from core.declarations.printable import printable_text


def hold_channels() -> None:
    """Give standard input, output and error that are closed a descriptor that nothing else can be given then.

    Reading finds an end, writing results fails, and what is said to nobody is lost. Else the next file that is
    opened would be written to in their place.
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
        # Of standard output writing fails, as the system would have it.
        file = open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, file)


def say(text: str) -> None:
    """Write to standard error what a person is to know; where it is full or closed nobody can be told."""
    try:
        sys.stderr.write(printable_text(text))
        sys.stderr.flush()
    except OSError:
        forget(2)


def forget(number: int) -> None:
    """Have nothing more come of a channel: Python would try to write the rest when it leaves, and fail."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, number)
    os.close(descriptor)
