"""What a person writes about an experiment: label, tags and notes, beside the spec and never part of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from core.declarations.lazy import tomllib
from core.errors import ExperimentError
from core.files.atomic import write_atomically

ANNOTATIONS_FILE = "annotations.toml"


@dataclass(frozen=True)
class Annotations:
    """What a person says of one experiment; nothing that is computed depends on it.

    label: one line; line breaks and other control characters in what is given become single spaces.
    tags: single lines likewise, without repetition, none of them empty. notes: any text.
    Half of a surrogate pair, which no file could hold, becomes a question mark.
    """

    label: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", _one_line(self.label))
        object.__setattr__(self, "tags", tuple(dict.fromkeys(filter(None, map(_one_line, self.tags)))))
        object.__setattr__(self, "notes", _storable(self.notes))


def read_annotations(folder: Path) -> tuple[Annotations, str]:
    """The annotations of the experiment in `folder`, and what is wrong with their file, "" if nothing is.

    Never raises: a missing file says nothing, a broken one too, and a value of a wrong type counts as absent.
    """
    content, problem = _content(folder / ANNOTATIONS_FILE)
    label, tags, notes = content.get("label", ""), content.get("tags", []), content.get("notes", "")
    wrong: list[str] = []
    if not isinstance(label, str):
        label, wrong = "", [*wrong, "label must be text"]
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        tags, wrong = [], [*wrong, "tags must be a list of texts"]
    if not isinstance(notes, str):
        notes, wrong = "", [*wrong, "notes must be text"]
    if wrong:
        problem = f"{ANNOTATIONS_FILE}: {', '.join(wrong)}"
    return Annotations(label=label, tags=tuple(tags), notes=notes), problem


def write_annotations(folder: Path, annotations: Annotations) -> None:
    """Replace the annotations in `folder`; keys that this version does not know are kept.

    Raises ExperimentError where the file cannot be written, or holds what cannot be read: somebody's words
    would be lost.
    """
    path = folder / ANNOTATIONS_FILE
    content, problem = _content(path)
    if problem:
        raise ExperimentError(problem, f"mend or remove {path}")
    values = asdict(annotations) | {"tags": list(annotations.tags)}
    try:
        write_atomically(path, tomli_w.dumps(content | values))
    except OSError as error:
        raise ExperimentError(f"cannot write {path}: {error.strerror}") from error


def label(folder: Path, text: str) -> Annotations:
    """Give the experiment in `folder` a label, "" for none; what its annotations are now.

    Raises ExperimentError as `write_annotations`, and so do `tags` and `note`.
    """
    return _change(folder, lambda noted: replace(noted, label=text))


def tags(folder: Path, add: Collection[str] = (), remove: Collection[str] = ()) -> Annotations:
    """Add tags, which come last, and take others away; what its annotations are now.

    A tag that is there stays where it is; taking away one that is not there changes nothing.
    """
    gone = {_one_line(tag) for tag in remove}
    return _change(
        folder,
        lambda noted: replace(noted, tags=(*(tag for tag in noted.tags if tag not in gone), *add)),
    )


def note(folder: Path, text: str) -> Annotations:
    """Write the note of the experiment in `folder` anew, "" for none; what its annotations are now."""
    return _change(folder, lambda noted: replace(noted, notes=text))


def tag_changes(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """The tags to add and those to take away, as words ask for them: "+NAME" or "NAME", and "-NAME".

    Of what is asked for twice the later word counts. Raises ExperimentError for a word without a name.
    """
    wanted: dict[str, bool] = {}
    for word in words:
        name = _one_line(word[1:] if word[:1] in ("+", "-") else word)
        if not name:
            raise ExperimentError(
                f"{word!r} names no tag", "expected NAME or +NAME to add a tag, -NAME to take one away"
            )
        wanted[name] = not word.startswith("-")
    return [name for name, is_there in wanted.items() if is_there], [
        name for name, is_there in wanted.items() if not is_there
    ]


def _change(folder: Path, change: Callable[[Annotations], Annotations]) -> Annotations:
    """Write what `change` makes of the annotations as they are at this moment."""
    changed = change(read_annotations(folder)[0])
    write_annotations(folder, changed)
    return changed


def _content(path: Path) -> tuple[dict[str, object], str]:
    """What the file holds and what is wrong with it; nothing where there is no file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, RecursionError) as error:  # not UTF-8, not TOML, nested without end
        return {}, f"{ANNOTATIONS_FILE} cannot be read: {error}"


def _one_line(text: str) -> str:
    # A terminal would obey a control character.
    visible = (" " if unicodedata.category(character) == "Cc" else character for character in text)
    return " ".join(_storable("".join(visible)).split())


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
