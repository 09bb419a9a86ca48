"""The experiments screen: every state is shown, every key does what it says or says why it does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.widgets import Footer

from core.records.annotations import Annotations, read_annotations, write_annotations
from core.records.home import delete_experiment
from tests.fakes.experiments import NOW, State, make_experiment
from tests.fakes.screens import desk
from tui_aefit.lab.messages import (
    CloneExperiment,
    ExportExperiment,
    ExtendExperiment,
    NewExperiment,
    OpenExperiment,
    OpenScreen,
    ResumeExperiment,
)
from tui_aefit.lab.screens.compare import CompareScreen
from tui_aefit.lab.screens.confirm import Ask, Confirm
from tui_aefit.lab.screens.experiments import ExperimentsScreen

RESUMABLE: tuple[State, ...] = ("interrupted", "created", "failed")
STATES: tuple[State, ...] = ("complete", "running", "failed")


class TestWhatIsShown:
    async def test_every_state_has_its_glyph_and_word_and_the_newest_is_first(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="running", runs=6, now=NOW)
        make_experiment(tmp_path, state="complete", runs=3, seed=1, now=NOW - 1e5)
        make_experiment(tmp_path, state="failed", runs=12, seed=2, now=NOW - 2e5)
        make_experiment(tmp_path, state="interrupted", runs=6, seed=3, complete=1, now=NOW - 3e5)
        make_experiment(tmp_path, state="created", runs=3, seed=4, now=NOW - 4e5)
        async with desk(tmp_path) as here:
            assert here.columns("state", "runs") == [
                ["▶ running", "2/6"],
                ["✓ complete", "3/3"],
                ["✗ failed", "11/12"],
                ["◐ interrupted", "1/6"],
                ["· not started", "0/3"],
            ]
            assert here.text("#title") == "Experiments: 5, 1 running"

    async def test_a_row_has_the_settings_and_the_label(self, tmp_path: Path) -> None:
        experiment = make_experiment(
            tmp_path, state="created", runs=3, attack="deepfool", epsilon=8 / 255, z=9
        )
        write_annotations(experiment.folder, Annotations("[bold]mine[/] 日本", ("fig5",), "as in\nthe paper"))
        async with desk(tmp_path) as here:
            assert here.columns("name", "dataset", "attack", "epsilon", "ladder") == [
                ["[bold]mine[/] 日本", "mnist", "deepfool", "0.0314", "K 9 to 1"]
            ]
            assert here.text("#detail").startswith(f"{experiment.id} · created 2026-")
            assert here.text("#detail").endswith("\n#fig5 · as in the paper")

    async def test_without_colour_no_state_is_coloured(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_experiment(tmp_path, state="failed", runs=3)
        async with desk(tmp_path) as here:
            error = here.lab.theme_variables["text-error"]
            assert error in {str(span.style) for span in here.table.get_row_at(0)[1].spans}
        monkeypatch.setenv("NO_COLOR", "1")
        async with desk(tmp_path) as here:
            assert not any("#" in str(span.style) for span in here.table.get_row_at(0)[1].spans)

    async def test_without_a_label_the_digest_is_the_name(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="created", runs=3)
        async with desk(tmp_path) as here:
            assert here.columns("name") == [[experiment.spec.digest[:8]]]

    async def test_the_reason_of_a_failure_is_told(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="failed", runs=12)
        async with desk(tmp_path) as here:
            assert "a run failed: the surrogate did not learn" in here.text("#detail")

    async def test_changes_appear_and_the_cursor_stays_on_its_experiment(self, tmp_path: Path) -> None:
        old = make_experiment(tmp_path, state="running", runs=3, now=NOW - 1e5)
        async with desk(tmp_path) as here:
            make_experiment(tmp_path, state="created", runs=3, seed=1, now=NOW)
            old.cancel_file.touch()
            await here.look()
            assert here.columns("state") == [["· not started"], ["◼ stopping"]]
            assert here.table.chosen is not None
            assert here.table.chosen.id == old.id
            (old.folder / "lock").unlink()
            await here.look()
            assert here.columns("state") == [["· not started"], ["◐ interrupted"]]

    @pytest.mark.parametrize("width", [60, 80, 90])
    async def test_rows_fit_the_terminal(self, tmp_path: Path, width: int) -> None:
        experiment = make_experiment(
            tmp_path,
            state="failed",
            runs=3,
            dataset="fashion-mnist",
            attack="deepfool-untargeted",
            epsilon=8 / 255,
        )
        write_annotations(experiment.folder, Annotations("a label that is much longer than most are " * 3))
        async with desk(tmp_path, (width, 24)) as here:
            assert (here.table.virtual_size.width <= width) == (width >= 80)
            assert here.columns("name")[0][0].startswith("a label")
            # The date, which stands below too, is the first to give way to the name.
            assert ("created" in {str(key.value) for key in here.table.columns}) == (width >= 80)

    async def test_five_keys_are_in_the_footer_beside_the_apps_own(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3)
        async with desk(tmp_path) as here:
            active = here.lab.screen.active_bindings.values()
            shown = [one.binding.description for one in active if one.binding.show and not one.binding.system]
            assert here.lab.screen.query(Footer)
            assert shown == ["Open", "New", "Resume", "Mark", "Export"]


class TestWhateverLiesThere:
    async def test_an_empty_home_says_what_to_do(self, tmp_path: Path) -> None:
        async with desk(tmp_path / "nowhere") as here:
            assert (
                here.text("#empty")
                == f"No experiments yet under {tmp_path / 'nowhere'}\n\nn  sets up a new one"
            )
            assert not here.table.display
            await here.press("enter", "space", "c", "r", "m", "s", "d", "a", "x", "p")
            assert here.lab.requests == []
            assert here.lab.notices == []
            await here.press("n")
            assert [type(message) for message in here.lab.requests] == [NewExperiment]

    async def test_the_first_experiment_can_be_used_at_once(self, tmp_path: Path) -> None:
        async with desk(tmp_path) as here:
            experiment = make_experiment(tmp_path, state="created", runs=3)
            await here.look()
            await here.press("enter")
            (message,) = here.lab.requests
            assert isinstance(message, OpenExperiment)
            assert message.experiment == experiment

    async def test_a_home_that_cannot_be_listed_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "experiments").write_text("a file")
        async with desk(tmp_path) as here:
            assert here.text("#empty").startswith(f"cannot list {tmp_path / 'experiments'}")

    async def test_rubbish_is_shown_and_refuses_every_deed_with_the_reason(self, tmp_path: Path) -> None:
        folders = tmp_path / "experiments"
        for name, content in {"rubbish": "runs = [", "newer": "schema_version = 9"}.items():
            (folders / name).mkdir(parents=True)
            (folders / name / "spec.toml").write_text(content)
            os.utime(folders / name / "spec.toml", (NOW, NOW + len(name)))
        os.mkdir(os.fsencode(folders) + b"/\xff\x1b[31m")
        (folders / "a file").write_text("")
        async with desk(tmp_path) as here:
            assert sorted(here.columns("state", "name")) == [
                ["? unreadable", "rubbish"],
                ["? unreadable", "��[31m"],
                ["^ newer version", "newer"],
            ]
            for name, reason in {
                "rubbish": "it is not valid TOML",
                "newer": "written by a newer version",
            }.items():
                here.table.move_cursor(row=here.table.get_row_index(name))
                for key in ("enter", "space", "c", "r", "m", "s", "d", "a", "x", "p"):
                    here.lab.notices.clear()
                    await here.press(key)
                    assert len(here.lab.notices) == 1, key
                    assert reason in here.lab.notices[0]
            assert here.lab.requests == []
            assert here.lab.export_screenshot()
        assert {path.name for path in folders.iterdir()} >= {"rubbish", "newer", "a file"}

    async def test_an_experiment_that_a_newer_version_went_on_with_is_only_read(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="newer", runs=3)
        async with desk(tmp_path) as here:
            assert here.columns("state") == [["✓ complete"]]
            await here.press("r", "s", "d", "a")
            assert (
                here.lab.notices
                == [f"{experiment.id} can only be read: its journal was written by a newer version"] * 4
            )
            await here.press("enter", "c")
            assert [type(message) for message in here.lab.requests] == [OpenExperiment, CloneExperiment]


class TestFilter:
    async def test_it_leaves_those_that_match(self, tmp_path: Path) -> None:
        first = make_experiment(tmp_path, state="created", runs=3, attack="deepfool", now=NOW - 9)
        make_experiment(tmp_path, state="created", runs=3, now=NOW)
        async with desk(tmp_path) as here:
            await here.press("slash", *"DEEP")
            assert [o.id for o in here.table.overviews] == [first.id]
            assert here.text("#title") == "Experiments: 2, 1 shown"
            assert here.text("#detail").startswith(first.id)
            await here.press("z")
            assert here.table.overviews == ()
            assert here.lab.screen.query_one("#empty").display
            assert here.text("#empty") == "No experiment matches the filter\n\nescape  shows all again"
            await here.press("escape")
            assert len(here.table.overviews) == 2

    async def test_enter_or_down_goes_on_in_the_table_and_escape_shows_all(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3, seed=1)
        make_experiment(tmp_path, state="created", runs=3, seed=2, attack="deepfool")
        async with desk(tmp_path) as here:
            for leave in ("enter", "down"):
                await here.press("slash", "p")
                assert here.lab.focused is here.lab.screen.query_one("#filter")
                await here.press(leave)
                assert here.lab.focused is here.table
                assert len(here.table.overviews) == 1
                await here.press("escape")
                assert len(here.table.overviews) == 2
                assert here.lab.focused is here.table
                assert not here.lab.screen.query_one("#filter").display

    async def test_without_a_filter_escape_leaves(self, tmp_path: Path) -> None:
        async with desk(tmp_path) as here:
            await here.press("escape")
            assert not isinstance(here.lab.screen, ExperimentsScreen)


class TestForTheApp:
    async def test_enter_opens_and_c_clones_the_chosen_one(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3, now=NOW)
        second = make_experiment(tmp_path, state="created", runs=3, seed=1, now=NOW - 9)
        async with desk(tmp_path) as here:
            await here.press("down", "enter", "c")
            opened, cloned = here.lab.requests
            assert isinstance(opened, OpenExperiment)
            assert isinstance(cloned, CloneExperiment)
            assert (opened.experiment, cloned.spec) == (second, second.spec)

    async def test_r_resumes_what_can_be(self, tmp_path: Path) -> None:
        can = [
            make_experiment(tmp_path, state=state, runs=3, seed=seed) for seed, state in enumerate(RESUMABLE)
        ]
        complete, running = (
            make_experiment(tmp_path, state="complete", runs=3, seed=3),
            make_experiment(tmp_path, state="running", runs=3, seed=4),
        )
        async with desk(tmp_path) as here:
            for experiment in (*can, complete, running):
                here.at(experiment)
                await here.press("r")
            asked = [
                message.experiment for message in here.lab.requests if isinstance(message, ResumeExperiment)
            ]
            assert asked == can
            assert here.lab.notices == [
                f"{complete.id} is complete: no run is missing", f"{running.id} is running already",
            ]  # fmt: skip

    async def test_m_asks_for_more_runs_of_whatever_is_no_newer_versions(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state=state, runs=3, seed=seed) for seed, state in enumerate(STATES)
        ]
        newer = make_experiment(tmp_path, state="newer", runs=3, seed=3)
        async with desk(tmp_path) as here:
            for experiment in (*made, newer):
                here.at(experiment)
                await here.press("m")
            asked = [
                message.experiment for message in here.lab.requests if isinstance(message, ExtendExperiment)
            ]
            assert asked == made
            assert [notice.partition(":")[0] for notice in here.lab.notices] == [
                f"{newer.id} can only be read"
            ]

    async def test_x_and_p_export_the_chosen_one(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3, now=NOW)
        failed = make_experiment(tmp_path, state="failed", runs=6, seed=1, now=NOW - 9)
        async with desk(tmp_path) as here:
            await here.press("down", "x", "p")
            for message, choice in zip(here.lab.requests, ("", "report"), strict=True):
                assert isinstance(message, ExportExperiment)
                assert (message.experiment, message.choice) == (failed, choice)
                assert (message.status, message.done) == ("failed", 5)

    async def test_the_marked_are_compared(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state="created", runs=3, seed=seed, now=NOW - seed) for seed in range(4)
        ]
        async with desk(tmp_path) as here:
            await here.press("space", "equals_sign")
            assert here.lab.requests == []
            assert here.lab.notices == ["mark two or more experiments with space, then compare them"]
            await here.press("space", "space", "equals_sign", "C")
            for message in here.lab.requests:
                assert isinstance(message, OpenScreen)
                assert isinstance(message.screen, CompareScreen)
                assert message.screen.experiments == made[:3]
            assert len(here.lab.requests) == 2
            assert here.columns("mark") == [["●"], ["●"], ["●"], [""]]
            assert here.text("#title") == "Experiments: 4, 3 marked (= compares them)"

    async def test_space_again_takes_the_mark_away_and_so_does_deletion(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state="created", runs=3, seed=seed, now=NOW - seed) for seed in range(2)
        ]
        async with desk(tmp_path) as here:
            await here.press("space", "up", "space")
            assert here.columns("mark") == [[""], [""]]
            here.at(made[1])
            await here.press("space")
            delete_experiment(made[1].folder)
            await here.look()
            assert here.table.marked == frozenset()


class TestDoneHere:
    async def test_s_asks_and_then_asks_the_coordinator_to_stop(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="running", runs=6)
        async with desk(tmp_path) as here:
            await here.press("s")
            assert isinstance(here.lab.screen, Confirm)
            assert here.text("#question") == f"Stop {experiment.id}?"
            assert here.text("#detail").startswith("2 of 6 runs are complete and kept")
            await here.press("n")
            assert not experiment.cancel_file.exists()
            await here.press("s", "y")
            assert experiment.cancel_file.exists()
            assert here.lab.notices == [f"{experiment.id} was asked to stop"]
            assert here.columns("state") == [["◼ stopping"]]

    async def test_what_ended_meanwhile_is_not_asked_to_stop(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="running", runs=3)
        async with desk(tmp_path) as here:
            await here.press("s")
            (experiment.folder / "lock").unlink()
            await here.press("y")
            assert here.lab.notices == [
                f"{experiment.id} is not being computed; aefit-tui show {experiment.id} tells its state"
            ]
            assert not experiment.cancel_file.exists()
            await here.press("s")
            assert here.lab.notices[1:] == [f"{experiment.id} is not running"]

    async def test_d_asks_and_then_deletes_and_the_cursor_stays_near(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state="complete", runs=1, seed=seed, now=NOW - 1000 * seed)
            for seed in range(3)
        ]
        async with desk(tmp_path) as here:
            await here.press("down", "d")
            assert here.text("#question") == f"Delete {made[1].id}?"
            assert "1 complete runs" in here.text("#detail")
            await here.press("escape")
            assert made[1].folder.exists()
            await here.press("d", "y")
            assert not made[1].folder.exists()
            assert here.lab.notices == [f"deleted {made[1].id}"]
            assert here.table.chosen is not None
            assert here.table.chosen.id == made[2].id

    async def test_a_running_experiment_is_not_deleted(self, tmp_path: Path) -> None:
        running = make_experiment(tmp_path, state="running", runs=3, now=NOW)
        started_meanwhile = make_experiment(tmp_path, state="created", runs=3, seed=1, now=NOW - 1e5)
        async with desk(tmp_path) as here:
            await here.press("d")
            assert here.lab.notices == [f"{running.id} is running: stop it first (s)"]
            here.at(started_meanwhile)
            await here.press("d")
            with started_meanwhile.lock:
                await here.press("y")
            assert "is being computed by process" in here.lab.notices[1]
        assert running.folder.exists()
        assert started_meanwhile.folder.exists()

    async def test_a_labels_and_keeps_tags_and_notes(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="created", runs=3)
        write_annotations(experiment.folder, Annotations("old", ("tag",), "notes"))
        async with desk(tmp_path) as here:
            await here.press("a")
            assert isinstance(here.lab.screen, Ask)
            await here.press("end", *"er", "escape")
            assert read_annotations(experiment.folder)[0].label == "old"
            await here.press("a", "end", *"er", "enter")
            assert read_annotations(experiment.folder)[0] == Annotations("older", ("tag",), "notes")
            assert here.columns("name") == [["older"]]
            assert here.lab.notices == [f"{experiment.id} is labelled older"]

    async def test_broken_annotations_are_not_lost_to_a_label(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="created", runs=3)
        (experiment.folder / "annotations.toml").write_text("label =")
        async with desk(tmp_path) as here:
            await here.press("a", *"new", "enter")
            assert "annotations.toml cannot be read" in here.lab.notices[0]
            assert (experiment.folder / "annotations.toml").read_text() == "label ="
