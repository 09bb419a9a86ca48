"""Faults of studies, of the queue, of who computes elsewhere; `after_study` says what must be so after each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from core.files.exit_status import ExitStatus
from core.files.locations import queue_dir
from core.records.metrics import RunMetrics
from core.records.process import ProcessIdentity, identity
from core.records.queue import Ticket, new_name
from core.records.types import to_json
from tests.faults.damage import damage_file, damage_home, damaged
from tests.faults.disk import ERRORS, KILLED, DiskFault
from tests.faults.kinds import DIES, check_tidy, check_words, delete, program_dies, program_meets_an_error
from tests.faults.study_lab import ASKED, FURTHER, GONE, IDS, NAME, RUNS, StudyLab

Fault = Callable[[StudyLab, random.Random], str]
"""See `tests.faults.kinds.Fault`."""


def supervisor_stops_meanwhile(lab: StudyLab, rng: random.Random) -> str:
    """It is stopped at any call, and others change what it sees to; then it goes on."""
    fault = DiskFault(rng.randint(1, lab.count()), "stop")
    stopped = lab.begin(fault)
    met = stopped.wait(stops=True)
    other = rng.choice(["delete", "delete all", "further", "delete experiment", "damage", "cancel"])
    words = {
        "delete": ("study", "delete", NAME, "--yes"),
        "delete all": ("study", "delete", NAME, "--yes", "--experiments"),
        "further": (*FURTHER, "--detach"),
        "delete experiment": ("delete", IDS[-1], "--yes"),
    }
    if other == "damage":
        damage_study(lab, rng)
    elif other == "cancel":
        (lab.study.folder / "cancel").touch()
    else:
        check_words(lab.command(*words[other]))
    check_words(stopped.finish(met))
    return f"{fault}, and meanwhile {other}"


def study_dies_in_a_command(lab: StudyLab, rng: random.Random) -> str:
    """Making a study, giving it more, or deleting it."""
    if rng.random() < 0.5:
        lab.begin().wait()
    words = rng.choice([
        (*FURTHER, "--detach"), ("study", "delete", NAME, "--yes"), ("queue", "first", IDS[0]),
        ("study", "delete", NAME, "--yes", "--experiments"), ("study", "export", NAME),
    ])  # fmt: skip
    fault = DiskFault(
        rng.randint(1, max(1, lab.count(words))), rng.choice([*DIES, "error"]), rng.choice(ERRORS)
    )
    ended = lab.command(*words, fault=fault)
    if ended.status != KILLED:
        check_words(ended)
    return f"{' '.join(words)}: {fault}"


def study_is_damaged(lab: StudyLab, rng: random.Random) -> str:
    """Its file half written or anybody's, what lies beside it, the specification of one of its experiments."""
    if rng.random() < 0.7:
        lab.begin(DiskFault(rng.randint(20, 120), "before") if rng.random() < 0.5 else None).wait()
        lab.rest()
    return ", ".join(damage_study(lab, rng) for _ in range(rng.choice([1, 1, 2])))


def damage_study(lab: StudyLab, rng: random.Random) -> str:
    """Do something to what a study consists of; what, in words."""
    path = lab.study.folder / "study.toml"
    kind = rng.choice(["cut", "cut", "file", "line", "line", "any", "spec", "cancel", "log"])
    specs = sorted((lab.home / "experiments").glob("*/spec.toml"))
    if kind == "any" or (kind == "spec" and not specs):
        return damage_home(rng, lab.home, lab.outside)
    if kind == "spec":
        return damage_file(rng, rng.choice(specs), lab.outside)
    if kind in ("cancel", "log"):
        place = lab.study.folder / {"cancel": "cancel", "log": "study.log"}[kind]
        place.write_bytes(b"")
        return damage_file(rng, place, lab.outside)
    if kind == "file" or not path.is_file():
        return damage_file(rng, path, lab.outside) if path.is_file() else "nothing, for it is gone"
    content = path.read_bytes()
    if kind == "cut":
        path.write_bytes(content[: rng.randrange(len(content) + 1)])
        return f"{path.name} cut to {path.stat().st_size} of {len(content)} bytes"
    lines = content.split(b"\n")
    number = rng.randrange(len(lines))
    name, _, value = lines[number].partition(b" = ")
    # Valid TOML, in which one value is anybody's.
    forged = rng.choice(
        [b"1e300", b"-1", b"[]", b"{}", b'"../.."', b'"\\u001b[31m"', b"true", b"9999999999999", b'""']
    )
    lines[number] = rng.choice([b"", name + b" = " + forged, lines[number] + b"\n" + lines[number]])
    path.write_bytes(b"\n".join(lines))
    return f"{path.name}: {lines[number]!r} in the place of {name + b' = ' + value!r}"


def studies_at_once(lab: StudyLab, rng: random.Random) -> str:
    """Supervisors and commands on one study, its experiments and the queue at the same time."""
    words = {
        "batch": ASKED, "further": FURTHER, "resume": ("study", "resume", NAME), "show": ("study", "show", NAME),
        "delete": ("study", "delete", NAME, "--yes"), "up": ("queue", "up", IDS[-1]),
        "first": ("queue", "first", IDS[-1]), "queue": ("queue", "list"), "cancel": ("study", "cancel", NAME),
        "one": ("resume", IDS[0]), "delete one": ("delete", IDS[0], "--yes"),
    }  # fmt: skip
    many = ["batch", *(rng.choice(["batch", "supervisor", *words]) for _ in range(rng.randint(1, 3)))]
    rng.shuffle(many)
    started = [lab.begin() if one == "supervisor" else lab.start(*words[one]) for one in many]
    for process in started:
        check_words(process.wait())
    return ", ".join(many)


def queue_holds_anything(lab: StudyLab, rng: random.Random) -> str:
    """Tickets of the dead, of other hosts, of the future, forged and damaged ones; and what is no ticket."""
    folder = queue_dir(lab.home)
    folder.mkdir()
    told = []
    here = identity()
    for _ in range(rng.randint(1, 4)):
        kind = rng.choice(
            ["dead", "pid 0", "elsewhere", "future", "past", "damaged", "damaged", "anything", "place"]
        )
        process = {
            "dead": msgspec.structs.replace(here, start_time="1"),
            "pid 0": ProcessIdentity(here.host, 0, "", here.boot_id, here.pid_namespace),
            "elsewhere": msgspec.structs.replace(here, host=GONE),
        }.get(kind, here)
        ticket = Ticket(
            process=process,
            experiment=rng.choice([*IDS, "../..", "\x1b[31m", "nobody"]),
            since={"future": 4e9, "past": 0.0}.get(kind, 1e9),
            study=rng.choice(["", NAME, "\u202e"]),
            # One that lives and wants everything may keep others waiting: these want nothing.
            using=10**9 if process is not here else 0,
            wanted=10**9 if process is not here else 0,
            at_once=rng.random() < 0.3,
        )
        path = folder / f"{new_name()}.json"
        path.write_bytes(to_json(ticket))
        if kind == "place":
            path.with_suffix(".place").write_bytes(
                rng.choice([b"nan", b"1e308", b"-1e308", b"x", b"", bytes(200)])
            )
        elif kind == "damaged":
            path.write_bytes(damaged(rng, path.read_bytes()))
        elif kind == "anything":
            kind = damage_file(rng, path, lab.outside)
        told.append(kind)
    check_words(lab.command("queue", "list"))
    check_words(
        lab.command("queue", rng.choice(["up", "down", "first", "last"]), rng.choice([*IDS, "latest"]))
    )
    if rng.random() < 0.5:
        check_words(lab.begin().wait())
    return ", ".join(told)


def comes_back_from_the_dead(lab: StudyLab, rng: random.Random) -> str:
    """A node that was silent for long publishes what somebody else has computed in the meantime."""
    run, differs = rng.randrange(RUNS), rng.random() < 0.7
    late = lab.late(run, differs=differs)
    late.wait(stops=True)
    heir = rng.choice(["coordinator", "supervisor", "resume"])
    begin = {
        "coordinator": lambda: lab.coordinate(lab.experiment.folder), "supervisor": lab.begin,
        "resume": lambda: lab.start("resume", lab.experiment.id),
    }[heir]  # fmt: skip
    # Whose last sign of life was just now is believed, and no coordinator waits for it.
    while (ended := begin().wait()).status == ExitStatus.LOCKED:
        check_words(ended)
    check_words(ended)
    assert ended.status == 0, ended
    before = lab.numbers()
    late.go_on()
    check_words(late.wait())
    assert lab.numbers() == before, "a result that comes late is in the place of another"
    aside = [path.name for path in lab.experiment.run_folder(run).glob(".differs.*")]
    assert len(aside) == differs, f"set aside: {aside}"
    said = "".join(path.read_text() for path in lab.experiment.journal.glob("*.jsonl"))
    assert all(name in said for name in aside), "nobody is told what was set aside"
    return f"run {run}, {'other' if differs else 'the same'} numbers, after a {heir}"


KINDS: dict[str, tuple[Fault, int]] = {
    "supervisor dies": (program_dies, 25),
    "supervisor meets an error": (program_meets_an_error, 15),
    "supervisor stops meanwhile": (supervisor_stops_meanwhile, 10),
    "study dies in a command": (study_dies_in_a_command, 10),
    "study is damaged": (study_is_damaged, 20),
    "studies at once": (studies_at_once, 10),
    "queue holds anything": (queue_holds_anything, 15),
    "comes back from the dead": (comes_back_from_the_dead, 10),
}
"""Name -> the fault and how many of 500."""


def after_study(lab: StudyLab, expected: Mapping[str, dict[int, RunMetrics]]) -> None:
    """What must be so after any fault: all is told of, computed again or refused in words; nothing else changed."""
    lab.rest()
    check_works(lab, ("study", "list"), ("queue", "list"))
    check_words(lab.command("study", "show", NAME))
    check_words(resumed := lab.command("study", "resume", NAME))
    if resumed.status != 0:
        # What cannot be gone on with can be deleted, and asked for anew.
        delete(lab, ("study", "delete", NAME, "--yes"), lab.study.folder, resumed)
    check_words(again := lab.command(*ASKED))
    if again.status != 0:
        for name in IDS:
            delete(lab, ("delete", name, "--yes"), Path(lab.home, "experiments", name), again)
        check_words(again := lab.command(*ASKED))
    assert again.status == 0, again
    lab.rest()
    for name, found in lab.results().items():
        assert found == expected[name], (
            f"other numbers of {name}: runs {sorted(found)} of {sorted(expected[name])}"
        )
    check_works(lab, ("study", "show", NAME), ("queue", "list"))
    if lab.litter():  # who holds a lock sweeps
        for folder in (lab.home / "experiments" / name for name in IDS):
            check_words(lab.coordinate(folder).wait())
        check_words(lab.begin().wait())
    check_tidy(lab)


def check_works(lab: StudyLab, *commands: tuple[str, ...]) -> None:
    """What holds of words that nothing must keep from their answer."""
    for words in commands:
        check_words(told := lab.command(*words))
        assert told.status == 0, told
