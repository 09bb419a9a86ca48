"""The sub-commands `label`, `tag` and `note`: what a person writes about an experiment."""

from __future__ import annotations

from pathlib import Path

from core.declarations.printable import shell_word
from core.errors import AefitError
from core.files.exit_status import ExitStatus
from core.records import annotations as kept
from core.records.annotations import Annotations
from core.records.home import find_folder
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options


def label(options: Options, settings: Settings, console: Console) -> int:
    """Label an experiment; without a text print its label. Raises AefitError."""
    folder = find_folder(settings.certain_home(), options["id"])
    words = options.get("text")
    if not words:
        return _print(folder, read(folder), console, options, read(folder).label)
    written = kept.label(folder, " ".join(words))
    console.narrate(
        f"{folder.name} is labelled {written.label}" if written.label else f"{folder.name} has no label"
    )
    return _print(folder, written, console, options)


def tag(options: Options, settings: Settings, console: Console) -> int:
    """Add and remove tags of an experiment; without any print those it has. Raises AefitError."""
    folder = find_folder(settings.certain_home(), options["id"])
    changes: list[str] = options.get("changes", [])
    if not changes:
        return _print(folder, read(folder), console, options, "\n".join(read(folder).tags))
    for change in changes:
        if change[:1] not in ("+", "-") or not change[1:].strip():
            raise AefitError(
                f"the tag {change!r} is neither added nor taken away: expected +NAME or -NAME",
                f"aefit-tui tag {shell_word(folder.name)} +{change.strip('+- ') or 'NAME'}",
            )
    added, removed = ([word[1:] for word in changes if word[0] == sign] for sign in "+-")
    absent = [name for name in removed if name not in read(folder).tags]
    written = kept.tags(folder, add=added, remove=removed)
    if absent:
        console.narrate(f"{folder.name} had no tag {', '.join(absent)}")
    has = ", ".join(written.tags)
    console.narrate(f"{folder.name} is tagged {has}" if has else f"{folder.name} has no tags")
    return _print(folder, written, console, options)


def note(options: Options, settings: Settings, console: Console) -> int:
    """Replace the notes on an experiment; without a text print them. Raises AefitError."""
    folder = find_folder(settings.certain_home(), options["id"])
    words = options.get("text")
    if not words:
        return _print(folder, read(folder), console, options, read(folder).notes)
    written = kept.note(folder, " ".join(words))
    console.narrate(f"{folder.name}: noted" if written.notes else f"{folder.name} has no notes")
    return _print(folder, written, console, options)


def read(folder: Path) -> Annotations:
    """The annotations of an experiment. Raises AefitError where they cannot be read."""
    found, problem = kept.read_annotations(folder)
    if problem:
        raise AefitError(problem, f"mend or remove {folder / kept.ANNOTATIONS_FILE}")
    return found


def _print(folder: Path, found: Annotations, console: Console, options: Options, asked: str = "") -> int:
    """Print all annotations of an experiment where JSON is asked for, else `asked`, unless that is ""."""
    if options.get("as_json"):
        console.result_json(
            {"id": folder.name, "label": found.label, "tags": list(found.tags), "note": found.notes}
        )
    elif asked:
        console.result(asked)
    return ExitStatus.COMPLETE
