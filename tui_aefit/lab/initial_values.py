"""The words that the form begins with: what was asked for in the shell, the environment and files. Pure."""

from __future__ import annotations

from core.errors import AefitError
from core.spec.call import CALL
from core.spec.command import word_of
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tui_aefit.lab.form import OF_CALL, PAIRED, words_of
from tui_aefit.shell.settings import Settings


def initial_values(settings: Settings, study: str, *, paired: bool) -> tuple[dict[str, str], list[str]]:
    """The form's fields -> their words, so that the form asks for what `--batch` would compute; and warnings.

    study, paired: the typed name of a study, "" for none, and whether its lists are to be paired.
    """
    several, warnings = settings.several, []
    try:
        defaults = words_of(settings.specs(paired=paired)[0] if several else settings.spec())
    except AefitError as error:
        # The form shows the wrong value, where the person can mend it.
        warnings.append(str(error))
        defaults = words_of(Spec())
    if settings.cases:
        warnings.append("the form takes no cases: --batch computes them")
    # Empty unless they were set: their defaults depend on the data set.
    open_ones = {name: "" for name, setting in COMMON.items() if setting.default_text}
    asked = {
        name: ",".join(map(_word_as_set, several.get(name, (found.value,))))
        for name, found in settings.found.items()
        if name not in CALL or name in OF_CALL
    }
    pairs = {"pair": PAIRED} if paired else {}
    return {**defaults, **open_ones, **asked, **pairs, "name": study}, warnings


def _word_as_set(value: object) -> str:
    """The word for a value as set, even if that is not possible."""
    return word_of(tuple(map(str, value)) if isinstance(value, list | tuple) else str(value))
