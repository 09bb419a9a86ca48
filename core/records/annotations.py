"""What a person writes about an experiment: label, tags and notes, beside the spec and never part of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

import tomli_w

from core.errors import ExperimentError, RecordError
from core.files.atomic import half_written, write_atomically
from core.files.ownership import sweep
from core.files.toml import LARGEST, parse_toml, read_toml
from core.records.types import convert

ANNOTATIONS_FILE = "annotations.toml"

T = TypeVar("T")


@dataclass(frozen=True)
class Annotations:
    """What a person writes about one experiment; nothing that is computed depends on it.

    label: one line; line breaks and other control characters in it become single spaces. tags: lines of that kind,
    each once, none empty. notes: any text. Half of a surrogate pair, which UTF-8 cannot hold, becomes a question
    mark.
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

    Never raises: a missing or broken file has no annotations, and a value of a wrong type counts as absent.
    """
    content, problem = _content(folder / ANNOTATIONS_FILE)
    wrong: list[str] = []

    def read(name: str, kind: type[T], absent: T, expected: str) -> T:
        try:
            return convert(content.get(name, absent), kind, name)
        except RecordError:
            wrong.append(f"{name} must be {expected}")
            return absent

    annotations = Annotations(
        label=read("label", str, "", "text"),
        tags=read("tags", tuple[str, ...], (), "a list of texts"),
        notes=read("notes", str, "", "text"),
    )
    return annotations, f"{ANNOTATIONS_FILE}: {', '.join(wrong)}" if wrong else problem


def write_annotations(folder: Path, annotations: Annotations) -> None:
    """Replace the annotations in `folder`; keys that this version does not know are kept.

    Raises ExperimentError where the file cannot be written, and where the present one cannot be read: what somebody
    wrote there would be lost.
    """
    path = folder / ANNOTATIONS_FILE
    content, problem = _content(path)
    if problem:
        raise ExperimentError(problem, f"mend or remove {path}")
    values = asdict(annotations) | {"tags": list(annotations.tags)}
    try:
        write_atomically(path, _readable(tomli_w.dumps(content | values)))
        sweep(folder, re.escape(half_written(path)))
    except OSError as error:
        raise ExperimentError(f"cannot write {path}: {error.strerror}") from error


def label(folder: Path, text: str) -> Annotations:
    """Label the experiment in `folder`, "" for none; what is written of it now. Raises as `write_annotations`."""
    return _written(folder, replace(read_annotations(folder)[0], label=text))


def tags(folder: Path, *, add: Iterable[str] = (), remove: Collection[str] = ()) -> Annotations:
    """Take tags away, then add some; what is written of the experiment now. Raises as `write_annotations`."""
    before = read_annotations(folder)[0]
    kept = [tag for tag in before.tags if tag not in remove]
    return _written(folder, replace(before, tags=(*kept, *add)))


def note(folder: Path, text: str) -> Annotations:
    """Replace the notes of the experiment in `folder`, "" for none; its annotations now.

    Raises as `write_annotations`.
    """
    return _written(folder, replace(read_annotations(folder)[0], notes=text))


def _written(folder: Path, annotations: Annotations) -> Annotations:
    write_annotations(folder, annotations)
    return annotations


def _readable(text: str) -> str:
    """`text`, the content of an annotations file. Raises ExperimentError where it could not be read again."""
    if len(text.encode()) > LARGEST:
        raise ExperimentError(
            f"that is too much to be noted: expected at most {LARGEST:,} bytes",
            "keep it in a file of its own",
        )
    try:
        parse_toml(text)
    except ValueError as error:
        raise ExperimentError(f"that cannot be noted: {error}", "put it in other words") from error
    return text


def _content(path: Path) -> tuple[dict[str, object], str]:
    """The table in an annotations file, and what is wrong with it; {} and "" where there is no file."""
    try:
        return read_toml(path), ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:  # not a file, not UTF-8, not TOML
        return {}, f"{ANNOTATIONS_FILE} cannot be read: {error}"


def _one_line(text: str) -> str:
    # A terminal would obey a control character.
    visible = (" " if unicodedata.category(character) == "Cc" else character for character in text)
    return " ".join(_storable("".join(visible)).split())


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
