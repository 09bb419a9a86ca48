"""The export dialog: every choice writes what the command writes, and what cannot be written is told and stops no
other file."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from core.records.experiment import Experiment
from core.records.home import delete_experiment
from core.report.__main__ import main as publish
from tests.fakes import published
from tests.fakes.arrays import add_gallery
from tests.fakes.experiments import end, make_experiment
from tests.fakes.lab import PATIENCE, House, leave_files, notices, opened, text_of, until
from tests.fakes.page import Page, section_text
from tui_aefit.lab.app import Lab
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.screens.export import Export
from tui_aefit.lab.screens.leave import Leave
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable
from tui_aefit.shell import cli
from tui_aefit.shell.publications import EXPORTS

SMALL = (80, 24)
FIGURES = ("accuracy", "p-values", "gallery")
TABLES = ("accuracy", "tests", "summary", "claims", "deciding", "attacks")
LATER = "-claims.csv, -deciding.csv, -attacks.csv"
COMMANDS = {
    ".json": "export ID --format json",
    **{
        f"-{table}.{form}": f"export ID --format {form} --table {table}"
        for form in ("csv", "parquet")
        for table in TABLES
    },
    ".tex": "export ID --format latex",
    **{
        f"-{figure}.{form}": f"export ID --format {form} --figure {figure}"
        for figure in (*FIGURES, "crossfit")
        for form in ("pdf", "svg", "png")
    },
    ".html": "report ID",
}
"""What follows the id in a file's name, and the command that writes the same."""
CHOICES = {
    "1": [".json"],
    "2": [f"-{table}.csv" for table in TABLES],
    "3": [f"-{table}.parquet" for table in TABLES],
    "4": [".tex"],
    **{
        str(place): [f"-{figure}.{form}" for form in ("pdf", "svg", "png")]
        for place, figure in enumerate(FIGURES, start=5)
    },
    "8": [".html"],
    "9": list(COMMANDS),
    "0": [f"-crossfit.{form}" for form in ("pdf", "svg", "png")],
}
"""Key -> what it writes."""


@pytest.fixture
def experiment(house: House) -> Experiment:
    made = make_experiment(house.home, runs=5, z=5, controls=("noise",))
    add_gallery(made, 0)
    return made


class Child:
    """Stands for the processes that write figures, reports and Parquet files: writes the same here, if `let` to."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.let.set()
        self.at_work = 0
        self.most = 0
        self.begun = 0

    def __call__(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        assert list(command[1:4]) == ["-P", "-m", "core.report"]
        self.begun += 1
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        assert self.let.wait(PATIENCE)
        said = io.StringIO()
        with redirect_stderr(said):
            status = publish(list(command[4:]))
        self.at_work -= 1
        return subprocess.CompletedProcess(command, status, "", said.getvalue())


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    child = Child()
    monkeypatch.setattr("tui_aefit.shell.publications.subprocess.run", child)
    return child


def by_command(house: House, experiment: Experiment) -> dict[str, bytes]:
    """What the commands write, by what follows the id in the names of the lab's files."""
    written = {}
    for suffix, line in COMMANDS.items():
        path = house.folder / f"mine{suffix}"
        words = shlex.split(line.replace("ID", experiment.id))
        assert cli.run([*words, "--home", str(house.home), "--output", str(path)]) == 0
        written[suffix] = path.read_bytes()
    return written


def exported(experiment: Experiment) -> dict[str, bytes]:
    """All that lies in the experiment's exports, temporary files included, by what follows its id."""
    folder = experiment.folder / EXPORTS
    return {path.name.removeprefix(experiment.id): path.read_bytes() for path in folder.glob("*")}


async def ask(pilot: Pilot[None]) -> Export:
    """Press the key that opens the dialog, and see all of it."""
    await pilot.press("x")
    await until(pilot, lambda: isinstance(pilot.app.screen, Export) and "Files go into" in text_of(pilot.app))
    dialog = pilot.app.screen
    assert isinstance(dialog, Export)
    (box,) = dialog.query(".dialog")
    assert box.virtual_size.height <= box.size.height, "not all of it is seen"
    return dialog


async def done(pilot: Pilot[None], *told: str) -> None:
    """Wait until the person was told so, and nothing is being written.

    told: what is said at the end of a choice, and was not said before: right after the key nobody writes yet.
    """

    def is_so() -> bool:
        said = notices(cast(Lab, pilot.app))
        at_work = any(worker.group == "publish" for worker in pilot.app.workers)
        return not at_work and all(words in said for words in told)

    await until(pilot, is_so)


async def on_live(pilot: Pilot[None], words: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, LiveScreen) and words in text_of(pilot.app))


def words(lab: Lab) -> str:
    """What the dialog shows in one line, without its frame."""
    region = lab.screen.query_one(".dialog").region
    lines = text_of(lab).splitlines()[region.y : region.bottom]
    return " ".join(" ".join(line[region.x : region.right] for line in lines).replace("│", " ").split())


@pytest.mark.slow
class TestWhatIsWritten:
    async def test_every_choice_writes_the_files_of_the_command(
        self, house: House, experiment: Experiment, child: Child
    ) -> None:
        expected = by_command(house, experiment)
        assert all(expected.values())
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            for key, suffixes in list(CHOICES.items())[:-1]:
                await ask(pilot)
                await pilot.press(key)
                names = ", ".join([experiment.id + suffixes[0], *suffixes[1:]])
                await done(pilot, f"wrote {names} to {experiment.folder / EXPORTS}")
                assert exported(experiment) == {suffix: expected[suffix] for suffix in suffixes}, key
                for path in (experiment.folder / EXPORTS).iterdir():
                    path.unlink()

    async def test_the_cursor_chooses_too_and_a_process_of_its_own_draws(
        self, house: House, experiment: Experiment
    ) -> None:
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await ask(pilot)
            await pilot.press("up", "up", "up", "up", "enter")
            await done(
                pilot,
                f"Gallery figure of {experiment.id}: being written",
                f"wrote {experiment.id}-gallery.pdf",
            )
        assert set(exported(experiment)) == set(CHOICES["7"])
        assert {content[:4] for content in exported(experiment).values()} == {b"%PDF", b"<?xm", b"\x89PNG"}

    async def test_p_writes_the_report_without_a_question(
        self, house: House, experiment: Experiment, child: Child
    ) -> None:
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await pilot.press("p")
            being_written = f"HTML report of {experiment.id}: being written"
            await done(pilot, being_written, f"wrote {experiment.id}.html to {experiment.folder / EXPORTS}")
            assert isinstance(lab.screen, LiveScreen)
        assert list(exported(experiment)) == [".html"]

    async def test_texts_are_written_without_a_word_before(
        self, house: House, experiment: Experiment
    ) -> None:
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await ask(pilot)
            await pilot.press("2")
            await done(pilot, f"wrote {experiment.id}-accuracy.csv")
            assert len(lab._notifications) == 1

    async def test_the_list_of_experiments_writes_those_of_the_chosen_one(
        self, house: House, experiment: Experiment, child: Child
    ) -> None:
        other = make_experiment(house.home, runs=3, seed=1)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("escape", "e")
            await until(pilot, lambda: "Experiments: 2" in text_of(lab) and "⏎ Open" in text_of(lab))
            for wanted in (experiment, other):
                assert isinstance(lab.screen, ExperimentsScreen)
                table = lab.screen.query_one(ExperimentsTable)
                table.move_cursor(row=table.get_row_index(wanted.id))
                await ask(pilot)
                assert f"Export {wanted.id}" in words(lab)
                await pilot.press("1")
                await done(pilot, f"wrote {wanted.id}.json to")
                await pilot.press("p")
                await done(pilot, f"wrote {wanted.id}.html to")
                assert sorted(exported(wanted)) == [".html", ".json"]
                assert json.loads(exported(wanted)[".json"])["id"] == wanted.id

    async def test_escape_writes_nothing(self, house: House, experiment: Experiment) -> None:
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await ask(pilot)
            await pilot.press("down", "escape")
            await pilot.pause()
            assert isinstance(lab.screen, LiveScreen)
            assert not lab._notifications
        assert not (experiment.folder / EXPORTS).exists()


class TestTheQuestion:
    async def test_it_says_where_the_files_go(self, house: House, experiment: Experiment) -> None:
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            dialog = await ask(pilot)
            path = str(experiment.folder / EXPORTS)
            assert path in text_of(lab).replace("│", "").replace(" ", "").replace("\n", "")
            assert dialog.query_one(OptionList).size.height == len(CHOICES)
            assert not dialog.query_one("#detail").display

    @pytest.mark.slow
    async def test_what_it_says_follows_an_experiment_that_goes_on(
        self, house: House, experiment: Experiment
    ) -> None:
        running = make_experiment(house.home, state="running", runs=3, complete=1, seed=1)
        lab = house.lab(running)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "1/3 runs")
            await ask(pilot)
            await until(pilot, lambda: "▶ running: the numbers are over 1 of 3 runs" in words(lab))
            end(running, "interrupted")
            await until(pilot, lambda: "◐ interrupted: the numbers are over 1 of 3 runs" in words(lab))
            whole = make_experiment(house.folder / "elsewhere", state="complete", runs=3, seed=1)
            for run in (1, 2):
                leave_files(whole.run_folder(run), running.run_folder(run))
            await until(pilot, lambda: not lab.screen.query_one("#detail").display)
            delete_experiment(running.folder)
            await until(pilot, lambda: "? unreadable: it holds no file spec.toml" in words(lab))

    @pytest.mark.slow
    async def test_of_several_it_says_how_many_and_writes_each(
        self, house: House, experiment: Experiment
    ) -> None:
        other = make_experiment(house.home, state="interrupted", runs=3, seed=1)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("escape", "e")
            await until(pilot, lambda: "Experiments: 2" in text_of(lab) and "⏎ Open" in text_of(lab))
            await pilot.press("space", "space")
            await ask(pilot)
            assert "Export 2 experiments" in words(lab)
            await until(pilot, lambda: "1 of 2 is not complete" in words(lab))
            await pilot.press("1")
            await done(pilot, "wrote files of 2 experiments, JSON")
        for one in (experiment, other):
            assert list(exported(one)) == [".json"]
            assert json.loads(exported(one)[".json"])["id"] == one.id

    @pytest.mark.parametrize(
        ("make", "status"), [(published.running, "▶ running"), (published.partly_failed, "✗ failed")]
    )
    @pytest.mark.slow
    async def test_of_an_experiment_that_is_not_complete_it_says_over_what_the_numbers_are(
        self, house: House, child: Child, make: Callable[[Path], Experiment], status: str
    ) -> None:
        experiment = make(house.home)
        runs, complete = experiment.spec.runs, len(experiment.results())
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, f"{complete}/{runs} runs")
            await ask(pilot)
            note = f"{status}: the numbers are over {complete} of {runs} runs; files with numbers say so"
            assert note in words(lab)
            await pilot.press("1")
            await done(pilot, f"wrote {experiment.id}.json to")
            await ask(pilot)
            await pilot.press("8")
            await done(pilot, f"wrote {experiment.id}.html to")
        files = exported(experiment)
        assert json.loads(files[".json"])["status"] == status.split()[1]
        assert "Not complete: the numbers are over" in section_text(Page(files[".html"].decode()), "header")


class TestWhatCannotBe:
    async def test_one_file_that_cannot_be_made_keeps_no_other_from_being_written(
        self, house: House, child: Child
    ) -> None:
        experiment = published.nothing_yet(house.home)
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "0/4 runs")
            await ask(pilot)
            assert "not started: no run is complete yet" in words(lab)
            await pilot.press("9")
            await done(pilot, f"wrote {experiment.id}.json, -accuracy.csv")
            drawn = {suffix for key in "5670" for suffix in CHOICES[key]}
            assert set(exported(experiment)) == set(COMMANDS) - drawn
            shown = notices(lab)
        ungiven = {
            figure: ", ".join(f"-{figure}.{form}" for form in ("svg", "png"))
            for figure in (*FIGURES, "crossfit")
        }
        assert (
            f", but not {experiment.id}-accuracy.pdf, {ungiven['accuracy']}, -p-values.pdf, {ungiven['p-values']}, "
            f"-crossfit.pdf, {ungiven['crossfit']}: "
            f"{experiment.id} has no complete run: there is nothing to draw yet; "
            f"not {experiment.id}-gallery.pdf, {ungiven['gallery']}: "
            f"{experiment.id} has no adversarial images to show"
        ) in shown
        assert f"aefit-tui resume {experiment.id} computes what is missing" in shown

    async def test_a_figure_without_a_run_says_what_would_bring_one(self, house: House, child: Child) -> None:
        experiment = published.nothing_yet(house.home)
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "0/4 runs")
            await ask(pilot)
            await pilot.press("5")
            why = f"{experiment.id} has no complete run: there is nothing to draw yet\naefit-tui resume"
            await done(pilot, why)
            assert "wrote" not in notices(lab)

    async def test_a_file_in_the_way_is_told_and_the_others_are_written(
        self, house: House, experiment: Experiment
    ) -> None:
        in_the_way = experiment.folder / EXPORTS / f"{experiment.id}-accuracy.csv"
        in_the_way.mkdir(parents=True)
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await ask(pilot)
            await pilot.press("2")
            await done(
                pilot,
                f"wrote {experiment.id}-tests.csv, -summary.csv, {LATER} to {experiment.folder / EXPORTS}, "
                f"but not {in_the_way.name}: "
                f"cannot write {str(in_the_way)!r}: Is a directory",
            )
            for table in TABLES[1:]:
                other = in_the_way.with_name(f"{experiment.id}-{table}.csv")
                other.unlink()
                other.mkdir()
            await ask(pilot)
            await pilot.press("2")
            await done(pilot, f"nothing was written: cannot write {str(in_the_way)!r}: Is a directory")

    @pytest.mark.parametrize("key", ["1", "5", "9"])
    async def test_a_folder_that_cannot_be_made_is_told(
        self, house: House, experiment: Experiment, child: Child, key: str
    ) -> None:
        (experiment.folder / EXPORTS).touch()
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await ask(pilot)
            await pilot.press(key)
            why = f"cannot export {experiment.id} into {experiment.folder / EXPORTS}: it is not a folder\n"
            await done(pilot, why)
            assert "on the command line, --output FILE writes elsewhere" in notices(lab)
            assert child.begun == 0

    async def test_results_of_another_form_are_none(self, house: House, child: Child) -> None:
        experiment = make_experiment(house.home, runs=1, controls=[])
        path = experiment.run_folder(0) / "result" / "metrics.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"counts": {}}))
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("escape", "e")
            await until(pilot, lambda: "Experiments: 1" in text_of(lab) and "⏎ Open" in text_of(lab))
            await ask(pilot)
            assert "interrupted: no run is complete yet, so tables are empty" in words(lab)
            await pilot.press("2")
            await done(pilot, f"wrote {experiment.id}-accuracy.csv, -tests.csv, -summary.csv, {LATER} to")
        (header,) = exported(experiment)["-accuracy.csv"].decode().splitlines()
        assert "accuracy" in header

    async def test_what_the_system_refuses_is_told_and_the_lab_goes_on(
        self, house: House, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise OSError(12, "Cannot allocate memory")

        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            for name, key, expected in (
                ("tui_aefit.shell.publications.subprocess.run", "5", "no process can be started"),
                ("tui_aefit.lab.exporting.result_of", "1", f"cannot read {experiment.id}"),
            ):
                with monkeypatch.context() as patch:
                    patch.setattr(name, refuse)
                    await ask(pilot)
                    await pilot.press(key)
                    await done(pilot, f"{expected}: Cannot allocate memory")
            assert lab.is_running

    @pytest.mark.parametrize("errors", ["", "usage: core.report\nno such option", '{"other": 1}'])
    async def test_a_process_that_ends_as_no_process_of_ours_is_told(
        self, house: House, experiment: Experiment, monkeypatch: pytest.MonkeyPatch, errors: str
    ) -> None:
        def end(command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
            return subprocess.CompletedProcess(command, 2, "", errors)

        monkeypatch.setattr("tui_aefit.shell.publications.subprocess.run", end)
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await pilot.press("p")
            await done(pilot, "the process that should ended with status 2")
            assert lab.is_running

    async def test_a_process_that_takes_for_ever_is_given_up(
        self, house: House, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        run = subprocess.run
        monkeypatch.setattr("tui_aefit.shell.publications.LONGEST_SECONDS", 0.2)
        monkeypatch.setattr(
            "tui_aefit.shell.publications.subprocess.run", lambda _, **options: run(command, **options)
        )
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await pilot.press("p")
            await done(pilot, "took more than 0.2 seconds")


@pytest.mark.slow
class TestMeanwhile:
    async def test_leaving_the_screen_gives_nothing_up(
        self, house: House, experiment: Experiment, child: Child
    ) -> None:
        child.let.clear()
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await ask(pilot)
            await pilot.press("5")
            await until(pilot, lambda: child.at_work)
            await pilot.press("n")
            await until(pilot, lambda: len(lab.screen_stack) == 1)
            child.let.set()
            await done(pilot, f"wrote {experiment.id}-accuracy.pdf")
        assert set(exported(experiment)) == set(CHOICES["5"])

    async def test_a_second_choice_waits_for_the_first(
        self, house: House, experiment: Experiment, child: Child
    ) -> None:
        expected = by_command(house, experiment)
        child.let.clear()
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            for key in ("9", "5"):
                await ask(pilot)
                await pilot.press(key)
            await until(pilot, lambda: child.at_work)
            await pilot.pause()
            child.let.set()
            names = ", ".join([experiment.id + CHOICES["9"][0], *CHOICES["9"][1:]])
            three = f"wrote {experiment.id}-accuracy.pdf, -accuracy.svg, -accuracy.png to"
            await done(pilot, f"wrote {names} to", three)
        assert exported(experiment) == expected
        assert child.most == 1

    async def test_quitting_waits_for_the_files_and_says_so(
        self, house: House, experiment: Experiment, child: Child
    ) -> None:
        child.let.clear()
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "5/5 runs")
            await ask(pilot)
            await pilot.press("5")
            await until(pilot, lambda: child.at_work)
            await pilot.press("q", "q")
            await until(pilot, lambda: "the lab closes when all files are written" in notices(lab))
            await pilot.pause(0.1)
            assert lab.is_running
            child.let.set()
            deadline = time.monotonic() + PATIENCE
            while lab.is_running and time.monotonic() < deadline:
                await pilot.pause(0.05)
        assert not lab.is_running
        assert set(exported(experiment)) == set(CHOICES["5"])

    async def test_who_stays_takes_quitting_back(
        self, house: House, child: Child, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment = make_experiment(house.home, state="running", runs=5, z=5, controls=("noise",))
        child.let.clear()
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await on_live(pilot, "▶ running")
            await pilot.press("p")
            await until(pilot, lambda: child.at_work)
            await pilot.press("q")
            await until(pilot, lambda: isinstance(lab.screen, Leave))
            await pilot.press("l")
            await until(pilot, lambda: "the lab closes when" in notices(lab))
            await pilot.press("q")
            await until(pilot, lambda: isinstance(lab.screen, Leave))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(lab.screen, Leave))
            child.let.set()
            await done(pilot, f"wrote {experiment.id}.html to")
            await pilot.pause(0.2)
            assert lab.is_running
