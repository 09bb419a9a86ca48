"""Faults of an experiment. Each is brought about in a lab, by random numbers; `after` then says what must be so."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from core.records.metrics import RunMetrics
from tests.fakes.damage import LINES, line_of
from tests.faults.damage import damage_home, damaged
from tests.faults.disk import ERRORS, KILLED, DiskFault, How
from tests.faults.lab import (
    AGAIN,
    COORDINATOR,
    OBEYED,
    SILENCE,
    STATUSES,
    SUPERVISOR,
    TRACE,
    Ended,
    Lab,
    contents,
)

Fault = Callable[[Lab, random.Random], str]
"""Brings a fault about; what it was, in words. Raises AssertionError where something is not as it must be."""
EXPORT = "result.json"
DIES: tuple[How, ...] = ("before", "after", "torn")


def program_dies(lab: Lab, rng: random.Random) -> str:
    """A coordinator, or a supervisor or one that it started, at any call, and perhaps the heirs too."""
    told = []
    for _ in range(rng.choice([1, 1, 2])):
        fault = DiskFault(rng.randint(1, lab.count()), rng.choice(DIES))
        ended = lab.begin(fault).wait()
        assert ended.status in (KILLED, *lab.leaves_with), ended
        told.append(str(fault))
    return ", ".join(told)


def program_meets_an_error(lab: Lab, rng: random.Random) -> str:
    """Once or from then on, at any call; what it starts does too."""
    fault = DiskFault(rng.randint(1, lab.count()), "error", rng.choice(ERRORS), for_good=rng.random() < 0.5)
    check_words(lab.begin(fault).wait())
    return str(fault)


def coordinator_stops_meanwhile(lab: Lab, rng: random.Random) -> str:
    """It is stopped at any call, another one comes, or somebody deletes the experiment; then it goes on."""
    fault = DiskFault(rng.randint(1, lab.count()), "stop")
    stopped = lab.begin(fault)
    met = stopped.wait(stops=True)
    other = rng.choice(["coordinator", "delete", "resume", "damage"])
    if other == "damage":
        damage_home(rng, lab.home, lab.outside)
    elif other == "resume":
        following = lab.start("resume", lab.experiment.id)
        if met.status is None:
            stopped.go_on()
        check_words(following.wait())
    else:
        ended = (
            lab.begin() if other == "coordinator" else lab.start("delete", lab.experiment.id, "--yes")
        ).wait()
        check_words(ended)
    check_words(stopped.finish(met))
    return f"{fault}, and meanwhile {other}"


def several_at_once(lab: Lab, rng: random.Random) -> str:
    """Coordinators and commands on one experiment at the same time."""
    many = [
        rng.choice(["coordinator", "coordinator", "resume", "batch", "show", "delete"])
        for _ in range(rng.randint(2, 4))
    ]
    started = []
    for one in many:
        words = {"batch": AGAIN, "delete": ("delete", lab.experiment.id, "--yes")}.get(
            one, (one, lab.experiment.id)
        )
        started.append(lab.begin() if one == "coordinator" else lab.start(*words))
    for process in started:
        check_words(process.wait())
    return ", ".join(many)


def command_dies(lab: Lab, rng: random.Random) -> str:
    """Making an experiment, deleting, labelling or exporting one."""
    if rng.random() < 0.8:
        lab.begin().wait()
    name = lab.experiment.id
    choices: list[tuple[str, ...]] = [
        ("delete", name, "--yes"), ("label", name, "a label"), ("tag", name, "+a"),
        ("export", name, "--output", str(lab.home / EXPORT)),
    ]  # fmt: skip
    words = rng.choice(choices)
    fault = DiskFault(rng.randint(1, lab.count(words)), rng.choice([*DIES, "error"]), rng.choice(ERRORS))
    ended = lab.command(*words, fault=fault)
    assert ended.status == KILLED or ended.status in STATUSES, ended
    if fault.how == "error":
        check_words(ended)
    return f"{' '.join(words)}: {fault}"


def files_are_damaged(lab: Lab, rng: random.Random) -> str:
    """Some of the files of an experiment, complete or not."""
    if rng.random() < 0.8:
        lab.begin(DiskFault(rng.randint(20, 60), "before") if rng.random() < 0.4 else None).wait()
    return ", ".join(damage_home(rng, lab.home, lab.outside) for _ in range(rng.choice([1, 1, 1, 2, 4])))


def journal_holds_anything(lab: Lab, rng: random.Random) -> str:
    """Lines of another shape, of nobody, of later versions, torn ones."""
    lab.begin().wait()
    if rng.random() < 0.5:
        shutil.rmtree(lab.experiment.run_folder(1))
    told = rng.choice(list(LINES))
    journal = rng.choice(sorted(lab.experiment.journal.iterdir()))
    line = line_of(LINES[told])
    with journal.open("ab") as file:
        file.write(damaged(rng, line) if rng.random() < 0.3 else line)
        file.write(b"\n" * rng.randint(0, 2))
    return told


def lock_is_anything(lab: Lab, rng: random.Random) -> str:
    """A lock that somebody left."""
    lab.begin(DiskFault(rng.randint(5, lab.count()), "before")).wait()
    folder = lab.experiment.folder
    place = folder / rng.choice(["lock", "heartbeat", "cancel", f".lock.{'0' * 64}"])
    content = place.read_bytes() if place.is_file() else b"{}"
    kind = rng.choice(["bytes", "future", "past", "folder", "dangling", "pipe"])
    place.unlink(missing_ok=True)
    if kind == "folder":
        (place / "precious").mkdir(parents=True)
    elif kind == "dangling":
        place.symlink_to(lab.outside / "nowhere")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.write_bytes(damaged(rng, content))
        moment = {"bytes": 0.0, "future": 9e9, "past": 1.0}[kind]
        if moment:
            os.utime(place, (moment, moment))
    return f"{place.name}: {kind}"


KINDS: dict[str, tuple[Fault, int]] = {
    "coordinator dies": (program_dies, 85),
    "coordinator meets an error": (program_meets_an_error, 70),
    "coordinator stops meanwhile": (coordinator_stops_meanwhile, 45),
    "several at once": (several_at_once, 35),
    "command dies": (command_dies, 40),
    "files are damaged": (files_are_damaged, 70),
    "journal holds anything": (journal_holds_anything, 20),
    "lock is anything": (lock_is_anything, 20),
}
"""Name -> the fault and how many of 500."""


def check_words(ended: Ended) -> None:
    """What holds of whatever was typed: a documented status, no traceback, nothing that a terminal obeys."""
    assert ended.status in STATUSES, f"exit status {ended.status} of {ended.words}: {ended.said}"
    assert not TRACE.search(ended.said), f"{ended.words}: {ended.said}"
    assert not OBEYED.search(ended.said), f"{ended.words}: {ended.said!r}"
    # What a main program has to say its journal holds, or its experiments' do.
    silent = ended.words in (COORDINATOR, SUPERVISOR) and ended.status != 2
    assert ended.status == 0 or silent or ended.said.strip(), (
        f"{ended.words}: status {ended.status} without a word"
    )


def after(lab: Lab, expected: Mapping[str, dict[int, RunMetrics]]) -> None:
    """What must be so after any fault: all is told of, computed again or refused in words; nothing else changed.

    expected: the numbers of an undisturbed computation, by experiment.
    """
    name = lab.experiment.id
    check_words(listed := lab.command("list"))
    assert listed.status == 0, listed
    check_words(lab.command("show", name))
    check_words(resumed := lab.command("resume", name))
    if resumed.status != 0:
        # What cannot be gone on with can be deleted, and computed anew.
        left = lab.home / "experiments" / name
        delete(lab, ("delete", name, "--yes"), left, resumed)
    check_words(again := lab.command(*AGAIN))
    assert again.status == 0, again
    found = lab.numbers()
    assert found == expected[name], f"other numbers: runs {sorted(found)} of {sorted(expected[name])}"
    if lab.litter():  # who holds the lock sweeps, and who writes the same again
        check_words(lab.begin().wait())
        check_words(lab.command("export", name, "--output", str(lab.home / EXPORT)))
    check_tidy(lab)


def delete(lab: Lab, words: tuple[str, ...], folder: Path, because: Ended) -> None:
    """Have a folder deleted, which works the second time at the latest.

    Whose lock names nobody, but whose heart beat just now, is believed to be alive until it was silent for long.
    """
    check_words(ended := lab.command(*words))
    if ended.status != 0:
        time.sleep(SILENCE)
        check_words(ended := lab.command(*words))
    assert not os.path.lexists(folder), f"{folder} stays after {because} and {ended}"


def check_tidy(lab: Lab) -> None:
    """Nothing is left behind, and nothing outside of the home was changed."""
    assert (litter := lab.litter()) == [], f"left behind: {litter}"
    assert contents(lab.outside) == lab.untouched, "something outside of the home was changed"
