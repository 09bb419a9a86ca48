"""The documents' screen is opened by its class, shows what it says, and leads back."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from core.records.annotations import Annotations, write_annotations
from tests.documents.examples import write_blocks
from tests.fakes.experiments import make_experiment
from tui_aefit.lab import screens
from tui_aefit.lab.app import Lab
from tui_aefit.lab.messages import OpenScreen
from tui_aefit.shell.settings import Settings


@pytest.mark.slow
async def test_a_screen_is_a_file_its_style_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_blocks(tmp_path / "package", "adding/screen.md")
    monkeypatch.syspath_prepend(tmp_path / "package")
    monkeypatch.setattr(screens, "SCREENS", {**screens.SCREENS, "NotesScreen": "notes"})
    home = tmp_path / "home"
    experiment = make_experiment(home, state="complete")
    write_annotations(
        experiment.folder, Annotations(label="[b]first[/b]", tags=("a", "b"), notes="look again")
    )
    lab = Lab(Settings({"home": str(home)}, environment={}), experiment)
    async with lab.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        before = lab.screen
        before.post_message(OpenScreen(screens.NotesScreen(experiment)))  # type: ignore[attr-defined]
        await pilot.pause()
        texts = {
            name: str(lab.screen.query_one(f"#{name}", Static).content) for name in ("label", "tags", "notes")
        }
        assert texts == {"label": "[b]first[/b]", "tags": "#a #b", "notes": "look again"}
        await pilot.press("escape")
        assert lab.screen is before
