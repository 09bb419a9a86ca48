"""The shell command that computes a specification headless."""

from __future__ import annotations

from core.declarations.printable import shell_word
from core.declarations.setting import Value
from core.spec.spec import Spec


def batch_command(spec: Spec) -> str:
    """The line that computes a spec. Every setting stands in it: another version's defaults may be others."""
    words = ["aefit-tui", "--batch"]
    for name, value in spec.values.items():
        if value is not None:
            words += [spec.settings[name].option, word_of(value)]
    return " ".join(map(shell_word, words))


def word_of(value: Value) -> str:
    """The word of a shell or a form that asks for a setting's value; "" for None, the default."""
    if value is None:
        return ""
    return (",".join(value) or "none") if isinstance(value, tuple) else str(value)


def format_value(value: Value, default: str = "the data set's own") -> str:
    """A setting's value for people. default: what stands for None."""
    if value is None:
        return default
    return (", ".join(value) or "none") if isinstance(value, tuple) else str(value)
