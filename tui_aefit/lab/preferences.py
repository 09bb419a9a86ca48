"""What the lab remembers between two visits: the form's last words, the theme, whether the bell rings.

A small file in the home. It is a convenience: a home that cannot be written, or a file that cannot be read, costs
the memory and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.files.atomic import write_atomically
from tui_aefit.lab.form import FIELDS

FILE = "lab.json"


@dataclass(frozen=True)
class Memory:
    """words: the set-up form's fields when an experiment was last started. theme: "" for the default."""

    words: Mapping[str, str] = field(default_factory=dict)
    theme: str = ""
    bell: bool = True


def recall(home: Path) -> Memory:
    """What is remembered in a home; nothing of a file that is missing or broken."""
    try:
        record = json.loads((home / FILE).read_text(encoding="utf-8"))
        words, theme, bell = record["words"], record["theme"], record["bell"]
        known = {name: word for name, word in words.items() if name in FIELDS and isinstance(word, str)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Memory()
    return Memory(known, theme if isinstance(theme, str) else "", bell is not False)


def remember(home: Path, memory: Memory) -> bool:
    """Keep it for the next visit; False where the home does not let us."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        write_atomically(home / FILE, json.dumps(asdict(memory), indent=1))
    except OSError:
        return False
    return True
