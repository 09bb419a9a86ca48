"""How a command typed by a person answers, in this very process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Its exit status, standard output, standard error."""

    status: int
    out: str
    err: str


Command = Callable[..., Answer]
"""Takes the words after the program's name."""
