"""The table of screens and what the type checker is told of them are the same."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from textual.screen import Screen

from tui_aefit.lab import screens


def test_every_screen_is_there_for_the_type_checker_and_no_other() -> None:
    source = Path(screens.__file__).read_text(encoding="utf-8")
    (block,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    )
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert {alias.name: node.module for node in imports for alias in node.names} == dict(screens.SCREENS)


@pytest.mark.parametrize("name", list(screens.SCREENS))
def test_a_screen_is_found_by_its_name(name: str) -> None:
    found = getattr(screens, name)
    assert issubclass(found, Screen)
    assert found.__name__ == name


def test_what_is_no_screen_is_not_found() -> None:
    with pytest.raises(AttributeError, match="NoScreen"):
        screens.NoScreen  # type: ignore[attr-defined]  # noqa: B018
