"""What `make fuzz` tries: inputs made from good ones, by random numbers, and the parsers that read them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.data import array_file, image_tree
from core.data.catalogue import CATALOGUE, availability, resolve
from core.data.idx import checked_shape
from core.engine.messages import Compute, Refusal, parse_answer, parse_command, to_line
from core.errors import AefitError
from core.files.cache import Cache, key_of
from core.files.locations import overviews_dir
from core.previews.records import AttackPreview, DataPreview
from core.records.annotations import read_annotations
from core.records.events import decode
from core.records.examined import Devices, Examined, Versions
from core.records.findings import findings_in
from core.records.gallery import read_gallery, sets_in
from core.records.home import find_folder
from core.records.lock import Lock
from core.records.overview import OverviewReader
from core.records.process import identity
from core.records.queue import Ticket, move, read_queue, room, sweep_queue, waiting_in
from core.records.results import parse_metrics
from core.records.state import read_state
from core.records.study import STUDY_FILE, load_study, save_study
from core.records.study_state import read_study_state
from core.records.types import parse, to_json
from core.report.refusal import refusal_in
from core.report.result import result_of
from core.report.study.result import study_result
from core.report.study.text import study_table
from core.report.tables.latex import latex
from core.report.tables.long import long_csv
from core.report.tables.text import tables
from core.spec.grid import specs_of
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tests.fakes.arrays import add_gallery
from tests.fakes.experiments import make_experiment
from tests.fakes.images import write_npz
from tests.faults.damage import ESCAPES, damaged
from tui_aefit.following.feed import Feed
from tui_aefit.following.listing import cells_of, telling_settings
from tui_aefit.following.quantities import quantities_of
from tui_aefit.lab.preferences import load_preferences
from tui_aefit.shell import cli
from tui_aefit.shell.doctor import answer_in
from tui_aefit.shell.options import given_settings
from tui_aefit.shell.options import parse as parse_words
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import SUB_COMMANDS

TEXTS = (
    "", " ", "a", "latest", "..", "../../etc", "/", "/etc/passwd", "/dev/zero", "~", "~nosuchuser/x", "*", "[", "-",
    "--", "%s%n", "{}", "a" * 300, "a" * 5000, "é", "٣", "\ud800", "\udcff", "NaN", "inf", "-inf", "1e999", "0x10",
    "1_000", "0", "-0", "1/0", "8/255", "true", "None", "none", "none,noise", ",", "mnist", "fgsm", "cuda",
    "9" * 400, "9" * 5000, "\n", "a\nb", "\\input{x}", "<script>alert(1)</script>", "$(id)", "';--", "=1+1",
    ESCAPES,
)  # fmt: skip
STUDY = specs_of(
    {"dataset": "digits", "z": 3, "controls": ()}, {"attack": ["fgsm", "pgd"], "epsilon": [0.1, 0.2]}
)
EXAMINED = Examined(
    versions=Versions(
        python="3", aefit_tui="1", numpy="2", scipy="1", scikit_learn="1", torch="2", torchvision="0"
    ),
    device="cpu", cpu="a processor", plugins={"attack a": "a 1"}, threads=2, devices=Devices(cpu="a processor"),
    problems={"attack a": ("it fails", "mend it")}, cuda_build="",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 3, 7, 10**18, 2**53, 2**63, 10**400, 0.5, -0.0, 1e308, 5e-324, None, True)


def junk(rng: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind < 3:
        return rng.choice(NUMBERS)
    if kind < 6:
        return rng.choice(TEXTS)
    if kind == 6:
        return [junk(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(TEXTS): junk(rng, depth + 1) for _ in range(rng.randrange(4))}


def spoiled(rng: random.Random, content: bytes) -> bytes:
    """JSON with a part replaced, removed or added; or bytes damaged."""
    if rng.random() < 0.3:
        return damaged(rng, content)
    value = json.loads(content)
    place = value
    while inner := [
        one
        for one in (place.values() if isinstance(place, dict) else place)
        if isinstance(one, dict | list) and one
    ]:
        if rng.random() < 0.3:
            break
        place = rng.choice(inner)
    key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
    if rng.random() < 0.2:
        del place[key]
    else:
        place[key] = junk(rng)
    return json.dumps(value).encode()


def toml(rng: random.Random, names: list[str]) -> bytes:
    """Lines with any names and values, or bytes damaged."""
    values = (
        "0", "-1", "7", "0x" + "f" * 4000, "9" * 4400, "nan", "1e999", "true", "1979-05-27", "[]", "[[]]",
        "{a = 1}", "[" * 3000, "bareword", "", "'x'", "'''a\nb'''",
    )  # fmt: skip
    lines = [
        f"{rng.choice([*names, 'x', 'runs.x', '[a]', '[' + '.'.join('a' * 900) + ']'])} = "
        f"{rng.choice([*values, json.dumps(rng.choice(TEXTS))])}"
        for _ in range(rng.randint(1, 4))
    ]
    content = "\n".join(lines).encode(errors="replace")
    return damaged(rng, content) if rng.random() < 0.2 else content


class Material:
    """What inputs are made from, and a folder for them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.experiment = make_experiment(self.home, runs=2, z=3, controls=("noise",))
        add_gallery(self.experiment, 0)
        result = self.experiment.run_folder(0) / "result"
        self.metrics = (result / "metrics.json").read_bytes()
        # As results of earlier versions, which nothing guards.
        self.unsealed = json.dumps({**json.loads(self.metrics), "checksum": "", "experiment": ""}).encode()
        self.gallery = (result / "gallery.npz").read_bytes()
        journals = sorted(self.experiment.journal.glob("*.jsonl"))
        self.lines = [line for path in journals for line in path.read_bytes().splitlines()]
        self.spec = (self.experiment.folder / "spec.toml").read_bytes()
        self.study = (save_study(self.home, "mine", STUDY).folder / STUDY_FILE).read_bytes()
        self.npz = write_npz(root / "mine.npz").read_bytes()
        png = io.BytesIO()
        Image.new("L", (28, 28), 7).save(png, "PNG")
        self.png = png.getvalue()
        self.names = [name for name in COMMON] + [
            "jobs",
            "threads",
            "data_dir",
            "home",
            "data_limit",
            "keys",
            "steps",
        ]

    def file(self, name: str, content: bytes) -> Path:
        """A file of this content."""
        path = self.root / "inputs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def copy(self) -> Path:
        """A home of its own with the experiment in it; the folder of that."""
        home = self.root / "copy"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.home, home)
        return home / "experiments" / self.experiment.id

    def settled(self) -> Path:
        """The same, of which nothing was changed lately."""
        folder = self.copy()
        for path in folder.rglob("*"):
            os.utime(path, (1e9, 1e9))
        return folder


def specifications(material: Material, rng: random.Random) -> Any:
    text = toml(rng, material.names).decode(errors="replace")
    if rng.random() < 0.5:
        text = damaged(rng, material.spec).decode(errors="replace")
    spec = Spec.from_toml(text)
    assert Spec.from_toml(spec.to_toml()) == spec


def mappings(material: Material, rng: random.Random) -> Any:
    Spec.from_mapping({rng.choice(material.names): junk(rng) for _ in range(3)})


def settings_files(material: Material, rng: random.Random) -> Any:
    folder = material.file("aefit.toml", toml(rng, material.names)).parent
    settings = Settings({}, environment={}, folder=folder, forgiving=rng.random() < 0.5)
    settings.as_set()
    settings.for_processes()
    settings.shown()


def environments(material: Material, rng: random.Random) -> Any:
    given = {f"AEFIT_{rng.choice(material.names).upper()}": rng.choice(TEXTS) for _ in range(3)}
    Settings({}, environment=given, folder=material.root).shown()


def command_lines(material: Material, rng: random.Random) -> Any:
    words = [rng.choice([*SUB_COMMANDS, "--batch", *TEXTS])]
    for _ in range(rng.randrange(5)):
        words.append(
            rng.choice(
                [f"--{name.replace('_', '-')}" for name in [*material.names, "json", "format", "sets"]]
            )
        )
        words.append(rng.choice(TEXTS))
    options = parse_words(words)
    Settings(given_settings(options), environment={}, folder=material.root)


def commands_that_only_look(material: Material, rng: random.Random) -> Any:
    command = rng.choice(["list", "show", "command", "label", "export", "config"])
    words = [command, *([rng.choice([material.experiment.id, *TEXTS])] if command != "list" else [])]
    if rng.random() < 0.4:
        words += [rng.choice(["--json", "--table", "--format", "--width", "--sets"]), rng.choice(TEXTS)]
    status = cli.run([word.replace("\0", "") for word in words])
    assert status in (0, 1, 2), status


def names_of_experiments(material: Material, rng: random.Random) -> Any:
    found = find_folder(material.home, rng.choice(TEXTS))
    assert found.parent == material.home / "experiments", found


def events(material: Material, rng: random.Random) -> Any:
    line = spoiled(rng, rng.choice(material.lines))
    findings_in(line, material.experiment.spec.ladder)
    decode(line)


def whole_experiments(material: Material, rng: random.Random) -> Any:
    """One file of an experiment spoiled, and all that shows it."""
    folder = material.copy()
    chosen = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    content = chosen.read_bytes()
    if chosen.suffix == ".jsonl":
        lines = content.splitlines()
        place = rng.randrange(len(lines))
        lines[place] = spoiled(rng, lines[place])
        content = b"\n".join(lines) + b"\n"
    elif chosen.name == "metrics.json":
        content = spoiled(rng, material.unsealed)
    else:
        content = damaged(rng, content)
    chosen.write_bytes(content)
    (overview,) = OverviewReader(folder.parent.parent).look()
    if overview.experiment is not None:
        Feed(overview.experiment).look(time.time())
        result = result_of(read_state(overview.experiment))
        result.to_text()
        print(tables(result, 80))
        long_csv(result, rng.choice(["accuracy", "tests", "summary", "claims", "deciding", "attacks"]))
        latex(result)


def kept_overviews(material: Material, rng: random.Random) -> Any:
    """What is kept of an experiment spoiled, and all that the list shows of it."""
    home = material.settled().parent.parent
    OverviewReader(home).look()
    kept = rng.choice(sorted(overviews_dir(home).iterdir()))
    content = kept.read_bytes()
    if kept.suffix == ".overview":
        content = spoiled(rng, content)
    elif rng.random() < 0.5:
        content = damaged(rng, content)
    else:
        # As somebody would who knows how it is checked.
        _, name, line = content.rstrip(b"\n").split(b"\t")
        line = spoiled(rng, line).replace(b"\t", b" ")
        content = b"%08x\t%b\t%b\n" % (zlib.crc32(name + line), name, line)
    kept.write_bytes(content)
    found = OverviewReader(home).look()
    print(quantities_of(found))
    telling = telling_settings(found)
    print(*(cells_of(one, marked=False, now=time.time(), telling=telling) for one in found))


def metrics(material: Material, rng: random.Random) -> Any:
    parse_metrics(spoiled(rng, material.metrics if rng.random() < 0.1 else material.unsealed))


def messages(material: Material, rng: random.Random) -> Any:
    line = to_line(Compute(run=3) if rng.random() < 0.5 else Refusal(error="e", hint="h"))
    with contextlib.suppress(AefitError):
        parse_command(spoiled(rng, line))
    refusal_in(damaged(rng, line).decode(errors="replace"))
    for kind in (DataPreview, AttackPreview):
        with contextlib.suppress(AefitError):
            parse(spoiled(rng, line), kind, "a preview")
    with contextlib.suppress(AefitError):
        answer_in(b"what a library prints\n" + spoiled(rng, to_json(EXAMINED)))
    parse_answer(spoiled(rng, line) + b"\n")


def galleries(material: Material, rng: random.Random) -> Any:
    path = material.file("gallery.npz", damaged(rng, material.gallery))
    for name in (*sets_in(path), "adversarial"):
        read_gallery(path, name)


def notes(material: Material, rng: random.Random) -> Any:
    path = material.file("annotations.toml", toml(rng, ["label", "tags", "notes"]))
    read_annotations(path.parent)


def locks(material: Material, rng: random.Random) -> Any:
    record = {"host": os.uname().nodename, "pid": 1, "start_time": "1", "boot_id": "b", "pid_namespace": "p"}
    folder = material.file("lock", spoiled(rng, json.dumps(record).encode())).parent
    material.file("heartbeat", damaged(rng, b"1 1.0\n"))
    Lock(folder).holding()


def cache_entries(material: Material, rng: random.Random) -> Any:
    cache, key = Cache(material.root / "cache"), key_of("entry")
    arrays = {"a": np.arange(50)}
    cache.put("kind", key, arrays)
    path = material.root / "cache" / "kind" / key
    content = path.read_bytes()
    path.write_bytes(damaged(rng, content))
    found = cache.get("kind", key)
    assert found is None or path.read_bytes() == content or (found["a"] == arrays["a"]).all()


def array_files(material: Material, rng: random.Random) -> Any:
    content = damaged(rng, material.npz)
    if rng.random() < 0.5:
        buffer = io.BytesIO()
        shape = rng.choice([(10**12, 28, 28), (-1,), (), (2, 28, 28), (3, 0, 5), (2, 3, 32, 32)])
        kind = rng.choice(["|u1", "<f8", "|O", "<U100000000", "<M8[s]"])
        head = rng.choice(
            [f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}", "{" * 300, "1" * 5000]
        ).encode()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in ("images.npy", "labels.npy"):
                archive.writestr(
                    name, b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(2 * 784)
                )
        content = buffer.getvalue()
    array_file.read(material.file("mine.npz", content))


def image_files(material: Material, rng: random.Random) -> Any:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name in ("a/0.png", "a/1.png", "b/0.png", "b/1.png"):
            archive.writestr(name, damaged(rng, material.png) if rng.random() < 0.2 else material.png)
        if rng.random() < 0.3:
            archive.writestr(
                rng.choice(["../../owned.png", "/owned.png", f"a/{ESCAPES}.png", "a/b/c.png"]), b"none"
            )
    content = buffer.getvalue()
    image_tree.decode(material.file("set.zip", damaged(rng, content) if rng.random() < 0.4 else content))


def studies(material: Material, rng: random.Random) -> Any:
    """A study's own file damaged, or with any values, and what shows how it stands."""
    content = damaged(rng, material.study)
    if rng.random() < 0.6:
        lines = material.study.splitlines()
        place = rng.randrange(len(lines))
        lines[place] = toml(rng, [*material.names, "id", "created", "schema_version", "base", "cell"])
        content = b"\n".join(lines)
    study = load_study(material.file("study.toml", content).parent)
    read_study_state(study, OverviewReader(material.home))
    study_table(study_result(study), 80)


def files_for_studies(material: Material, rng: random.Random) -> Any:
    content = toml(rng, ["name", "pair", "base.runs", "grid.epsilon", "grid.attack", "grid.z", "case"])
    if rng.random() < 0.5:
        tables = [f"[{name}]\n".encode() + toml(rng, material.names) for name in ("base", "grid", "[case]")]
        content = b"\n".join(tables)
    settings = Settings({}, environment={}, folder=material.root, study=material.file("grid.toml", content))
    settings.specs()


def tickets(material: Material, rng: random.Random) -> Any:
    name = f"{rng.randrange(16**32):032x}"
    place = material.home / "queue" / f"{name}.json"
    shutil.rmtree(place.parent, ignore_errors=True)
    place.parent.mkdir()
    ticket = Ticket(process=identity(), experiment=material.experiment.id, since=1e9, wanted=1)
    place.write_bytes(spoiled(rng, to_json(ticket)))
    place.with_suffix(".place").write_bytes(damaged(rng, b"1000000000.5"))
    queue = read_queue(material.home)
    assert room(queue, name, 2) <= 2
    waiting_in(material.home)
    move(material.home, material.experiment.id, rng.choice([-1, 1, 10**9]))
    cli.run(["queue", "list"])
    sweep_queue(material.home)


def published_sets(material: Material, rng: random.Random) -> Any:
    head = bytes((0, 0, 8, 3)) + b"".join(rng.choice([3, 28, 2**31]).to_bytes(4, "big") for _ in range(3))
    path = material.file("images-idx3-ubyte", damaged(rng, head + bytes(100)))
    availability(rng.choice(list(CATALOGUE)), path.parent)
    with contextlib.suppress(AefitError):
        resolve(rng.choice(TEXTS).replace("\0", ""))
    checked_shape(path, 3, "")


def preferences(material: Material, rng: random.Random) -> Any:
    kept = json.dumps({"words": {"runs": "3"}, "theme": "x", "bell": True}).encode()
    load_preferences(material.file("lab.json", spoiled(rng, kept)).parent)


TARGETS: dict[Callable[[Material, random.Random], Any], int] = {
    specifications: 1500, mappings: 800, settings_files: 800, environments: 300, command_lines: 600,
    commands_that_only_look: 300, names_of_experiments: 300, events: 2000, whole_experiments: 400, metrics: 1000,
    kept_overviews: 200, messages: 500, galleries: 500, notes: 400, locks: 300, cache_entries: 300,
    array_files: 500, image_files: 300, published_sets: 300, preferences: 200, studies: 400,
    files_for_studies: 400, tickets: 300,
}  # fmt: skip
"""What each does with one input, and how many of 12,600."""
