"""What the sets of the first version are called since: two names have another meaning now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

NEW_NAMES = {
    "unfiltered": "candidates",
    # Its sources were right at both ends, which the adversarial set's need not be.
    "reverse": "reverse-both-ends",
}
OLD_NAMES = {new: old for old, new in NEW_NAMES.items()}


def new_name(name: str) -> str:
    """The present name of a set that the first version measured."""
    return NEW_NAMES.get(name, name)


def by_new_names(values: Mapping[str, T]) -> dict[str, T]:
    """Values by set, the names of the sets replaced by their present ones."""
    return {new_name(name): value for name, value in values.items()}
