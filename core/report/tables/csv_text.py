"""CSV that any program may open: no cell of it is a formula, or obeyed by a terminal."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from core.declarations.printable import printable_text

FORMULA = re.compile(r"[=+@\t\n-]")
"""How a text begins that a spreadsheet may take for a formula (OWASP, "CSV injection")."""
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
"""What begins so and is none."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A header and rows as CSV; None is an empty field.

    A text that would be a formula stands behind an apostrophe, and what is not printable becomes U+FFFD. Such texts
    are names that somebody gave to files and folders; Parquet and JSON have them as they are.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, header))
    writer.writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    shown = printable_text(value)
    return f"'{shown}" if FORMULA.match(shown) and not NUMBER.fullmatch(shown) else shown
