"""The preferences that the lab keeps between two visits: the form's last words, the theme, whether the bell rings.

They are a small file in the home. Where that cannot be written or read, the preferences are lost and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import RecordError
from core.files.atomic import write_atomically
from core.files.folders import make_home
from core.files.reading import read_plain
from tui_aefit.lab.form import fields_of

FILE = "lab.json"
LARGEST = 2**20
"""Bytes of the file, at most."""


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """The preferences. words: of the form's fields when something was last started. theme: "" for the default."""

    words: Mapping[str, str] = field(default_factory=dict)
    theme: str = ""
    bell: bool = True


def load_preferences(home: Path) -> Preferences:
    """The preferences kept in a home; the defaults where the file is missing or broken."""
    try:
        text = read_plain(home / FILE, LARGEST)
    except OSError:
        return Preferences()
    from core.records.types import parse  # noqa: PLC0415  # takes longer to load than this file to read

    try:
        found = parse(text, Preferences, "the preferences")
    except RecordError:
        return Preferences()
    # Another version, or a plug-in that is gone, may have had further fields.
    known = fields_of(found.words)
    return replace(found, words={name: word for name, word in found.words.items() if name in known})


def save_preferences(home: Path, preferences: Preferences) -> bool:
    """Keep the preferences for the next visit; False where the home cannot be written."""
    from core.records.types import to_json  # noqa: PLC0415  # as above

    try:
        make_home(home)
        write_atomically(home / FILE, to_json(preferences, indent=1))
    except (OSError, UnicodeEncodeError):  # a word of the shell may be no Unicode
        return False
    return True
