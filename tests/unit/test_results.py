"""A run's result appears whole or not at all, once, and says itself when its bytes have changed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from core.errors import RecordError
from core.records import results
from core.records.environment import Environment
from core.records.metrics import RunMetrics
from core.records.results import (
    Owner,
    load_result,
    parse_metrics,
    publish,
    read_result,
    same_numbers,
    sealed,
    sha256_of,
)
from core.records.types import plain, to_json
from core.spec.spec import Spec
from tests.fakes.numbers import draw_answers, metrics_from_answers

SPEC = Spec(dataset="digits", options={"z": 3}, controls=("noise", "matched"))
METRICS = metrics_from_answers(SPEC, 3, draw_answers(SPEC, 3, {"adversarial": 0}))
UNSEALED = msgspec.structs.replace(METRICS, experiment="")
"""As they were written before results said whose they are and had a checksum."""
NEEDED = sorted(field.name for field in msgspec.structs.fields(RunMetrics) if field.required)
"""What every result must have."""
BYTES = bytes(range(256)) * 40


def write(path: Path) -> None:
    path.write_bytes(BYTES)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_result_holds_the_metrics_the_arrays_and_their_checksum(tmp_path: Path) -> None:
    assert publish(tmp_path / "runs" / "0003", METRICS, write)
    result = tmp_path / "runs" / "0003" / "result"
    checksums = {"arrays.npz": hashlib.sha256(BYTES).hexdigest()}
    content = (result / "metrics.json").read_bytes()
    checksum = json.loads(content)["checksum"]
    assert hashlib.sha256(content.replace(checksum.encode(), b"0" * 64)).hexdigest() == checksum
    whole = msgspec.structs.replace(METRICS, sha256=checksums, checksum=checksum)
    assert json.loads(content) == json.loads(json.dumps(plain(whole)))
    assert (result / "arrays.npz").read_bytes() == BYTES
    assert read_result(result, verify=True) == whole
    assert METRICS.accuracy["adversarial"] == {"3": None, "1": None}
    assert files(result) == ["arrays.npz", "metrics.json"]
    assert files(result.parent) == ["result"]


def test_a_checksum_is_that_of_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(BYTES * 300)
    assert sha256_of(path) == hashlib.sha256(BYTES * 300).hexdigest()


@pytest.mark.parametrize(
    "metrics",
    [
        METRICS,
        msgspec.structs.replace(METRICS, seconds={"split": float("nan")}),
        msgspec.structs.replace(METRICS, seconds={"split": object()}),
        msgspec.structs.replace(METRICS, seconds={"split": -1.0}),
    ],
    ids=["disk full", "NaN", "not JSON", "no reader would take it"],
)
def test_a_publication_that_fails_leaves_nothing(tmp_path: Path, metrics: RunMetrics) -> None:
    def write_half(path: Path) -> None:
        path.write_bytes(BYTES[:100])
        if metrics is METRICS:
            raise OSError("No space left on device")

    with pytest.raises((OSError, ValueError, TypeError, RecordError)):
        publish(tmp_path, metrics, write_half)
    assert files(tmp_path) == []
    assert publish(tmp_path, METRICS, write)


def test_a_process_killed_before_the_rename_leaves_no_result(tmp_path: Path) -> None:
    killed = """
import os, signal, sys
from pathlib import Path
from core.records.metrics import RunMetrics
from core.records.results import publish
from core.records.types import parse

def write(path):
    path.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

publish(Path(sys.argv[1]), parse(sys.stdin.buffer.read(), RunMetrics, "metrics"), write)
"""
    command = [sys.executable, "-c", killed, str(tmp_path)]
    assert subprocess.run(command, input=to_json(METRICS), check=False).returncode == -9
    assert files(tmp_path) != [], "it was killed too early to show anything"
    assert read_result(tmp_path / "result") is None
    assert not (tmp_path / "result").exists()
    assert publish(tmp_path, METRICS, write)
    assert read_result(tmp_path / "result", verify=True) is not None


def test_the_second_publisher_leaves_the_first_result_in_place(tmp_path: Path) -> None:
    assert publish(tmp_path, METRICS, write)
    assert not publish(tmp_path, msgspec.structs.replace(METRICS, seconds={"split": 9.0}), Path.touch)
    found = read_result(tmp_path / "result", verify=True)
    assert found is not None
    assert found.seconds == METRICS.seconds
    assert files(tmp_path) == ["result"]


def test_who_publishes_again_what_may_not_be_on_the_disk_yet_brings_it_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def fail(folder: Path) -> None:
        if folder == tmp_path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as away:
        away.setattr(results, "sync_folder", fail)
        with pytest.raises(OSError, match="Input/output error"):
            publish(tmp_path, METRICS, write)
    monkeypatch.setattr(results, "sync_folder", synced.append)
    assert not publish(tmp_path, METRICS, write)
    assert synced[-1] == tmp_path
    assert read_result(tmp_path / "result", verify=True) is not None
    assert files(tmp_path) == ["result"]


def write_others(path: Path) -> None:
    path.write_bytes(BYTES[1:])


def test_of_two_results_that_differ_the_second_is_set_aside(tmp_path: Path) -> None:
    told: list[Path] = []

    def write_others(path: Path) -> None:
        path.write_bytes(BYTES[1:])

    publish(tmp_path, METRICS, write)
    assert not publish(tmp_path, METRICS, write, differs=told.append)
    assert told == []
    assert not publish(tmp_path, METRICS, write_others, differs=told.append)
    other = msgspec.structs.replace(METRICS, surrogate_accuracy=METRICS.surrogate_accuracy / 2)
    assert not publish(tmp_path, other, write, differs=told.append)
    found = read_result(tmp_path / "result", verify=True)
    assert found is not None
    assert found.surrogate_accuracy == METRICS.surrogate_accuracy
    by_arrays, by_metrics = told
    assert (by_arrays / "arrays.npz").read_bytes() == BYTES[1:]
    aside = read_result(by_metrics, verify=True)
    assert aside is not None
    assert aside.surrogate_accuracy == METRICS.surrogate_accuracy / 2
    assert files(tmp_path) == sorted([by_arrays.name, by_metrics.name, "result"])


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": {"split": 9.0}},
        {"search": {"distances": 5}},
        {"surrogate_reused": not METRICS.surrogate_reused},
        {"environment": Environment(versions={"torch": "9"}, device="cuda", cpu="another")},
    ],
)
def test_how_and_where_a_run_was_computed_makes_no_other_numbers(changes: dict[str, object]) -> None:
    assert same_numbers(METRICS, msgspec.structs.replace(METRICS, **changes))


def test_every_changed_byte_of_the_metrics_is_noticed(tmp_path: Path) -> None:
    publish(tmp_path, METRICS, write)
    path = tmp_path / "result" / "metrics.json"
    whole = path.read_bytes()
    name = whole.index(b'"checksum"')
    for place in {*range(0, len(whole), 7), *range(name, name + 12)}:
        for flip in (1, 4, 32):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            assert read_result(tmp_path / "result") is None, (place, flip)
    path.write_bytes(whole.replace(b'"checksum"', b'"check"'))
    with pytest.raises(RecordError, match="its checksum is missing"):
        load_result(tmp_path / "result")
    digit = whole.index(b'"train": ') + len(b'"train": ')
    path.write_bytes(whole[:digit] + bytes([whole[digit] ^ 1]) + whole[digit + 1 :])
    with pytest.raises(RecordError, match="it is not what its checksum says"):
        load_result(tmp_path / "result")


@pytest.mark.parametrize(
    ("owner", "problem"),
    [
        (Owner(METRICS.experiment, 3), ""),
        (Owner(METRICS.experiment, 2), "its numbers are those of run 4"),
        (Owner("f" * 64, 3), "its numbers are of another specification"),
    ],
)
@pytest.mark.parametrize("how", ["copied", "linked"])
def test_the_result_of_another_run_or_experiment_is_none_of_this(
    tmp_path: Path, owner: Owner, problem: str, how: str
) -> None:
    publish(tmp_path / "there", METRICS, write)
    result = tmp_path / "here" / "result"
    result.parent.mkdir()
    if how == "copied":
        shutil.copytree(tmp_path / "there" / "result", result)
    else:
        result.symlink_to("../there/result")
    assert read_result(result) is not None
    if not problem:
        assert load_result(result, owner, verify=True).index == 3
        return
    with pytest.raises(RecordError, match=problem):
        load_result(result, owner)
    right = msgspec.structs.replace(METRICS, experiment=owner.experiment, index=owner.run)
    assert publish(tmp_path / "here", right, write)
    assert load_result(result, owner, verify=True).index == owner.run
    aside, name = files(tmp_path / "here")
    assert (aside[:8], name) == (".broken.", "result")
    assert read_result(tmp_path / "there" / "result") is not None


def test_of_results_that_do_not_say_whose_they_are_the_run_is_checked_and_their_numbers_are_read(
    tmp_path: Path,
) -> None:
    """Those that were written before."""
    publish(tmp_path, METRICS, write)
    path = tmp_path / "result" / "metrics.json"
    record = json.loads(path.read_bytes())
    del record["checksum"], record["experiment"]
    path.write_text(json.dumps(record))
    found = load_result(tmp_path / "result", Owner("f" * 64, 3), verify=True)
    assert found.accuracy == METRICS.accuracy
    with pytest.raises(RecordError, match="those of run 4"):
        load_result(tmp_path / "result", Owner("f" * 64, 0))


def test_what_stands_is_for_the_caller_to_say(tmp_path: Path) -> None:
    publish(tmp_path, METRICS, write)
    assert not publish(tmp_path, METRICS, write, stands=lambda: True)
    assert publish(tmp_path, METRICS, write, stands=lambda: False)


def test_an_experiment_that_a_person_has_removed_is_not_made_again(tmp_path: Path) -> None:
    experiment = tmp_path / "experiment"
    with pytest.raises(FileNotFoundError):
        publish(experiment / "runs" / "0003", METRICS, write)
    assert not experiment.exists()


def test_metrics_without_end_are_not_read(tmp_path: Path) -> None:
    publish(tmp_path, METRICS, write)
    path = tmp_path / "result" / "metrics.json"
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(RecordError, match="not a plain file"):
        load_result(tmp_path / "result")


def test_of_publishers_at_the_same_time_one_succeeds(tmp_path: Path) -> None:
    together = threading.Barrier(5)
    succeeded: list[bool] = []

    def write_together(path: Path) -> None:
        write(path)
        together.wait()

    threads = [
        threading.Thread(target=lambda: succeeded.append(publish(tmp_path, METRICS, write_together)))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(succeeded) == [False] * 4 + [True]
    assert files(tmp_path) == ["result"]


@pytest.mark.parametrize("content", [BYTES[:-1], b"\x01" + BYTES[1:], b""])
def test_changed_arrays_are_found_when_verified(tmp_path: Path, content: bytes) -> None:
    publish(tmp_path, METRICS, write)
    (tmp_path / "result" / "arrays.npz").write_bytes(content)
    assert read_result(tmp_path / "result") is not None
    assert read_result(tmp_path / "result", verify=True) is None


@pytest.mark.parametrize(
    "metrics",
    [
        b'{"index": 3, "sha2',
        b"\xff",
        b"[]",
        b"null",
        pytest.param(b"[" * 100_000, id="deep"),
        b'{"index": 3}',
        b'{"sha256": {}}',
        b'{"sha256": ["arrays.npz"]}',
        b'{"sha256": {"arrays.npz": "", "lost.npz": ""}}',
        b'{"sha256": {"arrays.npz": "", "\\u0000": ""}}',
    ],
)
def test_metrics_that_cannot_be_trusted_are_no_result(tmp_path: Path, metrics: bytes) -> None:
    publish(tmp_path, METRICS, write)
    (tmp_path / "result" / "metrics.json").write_bytes(metrics)
    assert read_result(tmp_path / "result") is None


@pytest.mark.parametrize("name", NEEDED)
def test_without_what_tables_need_there_is_no_result_and_it_can_be_published_anew(
    tmp_path: Path, name: str
) -> None:
    publish(tmp_path, METRICS, write)
    metrics = tmp_path / "result" / "metrics.json"
    record = json.loads(metrics.read_bytes())
    del record[name]
    metrics.write_text(json.dumps(record))
    assert read_result(tmp_path / "result") is None
    assert publish(tmp_path, METRICS, write)
    assert read_result(tmp_path / "result", verify=True) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"index": -1},
        {"surrogate_accuracy": 1.5},
        {"surrogate_accuracy": "0.9"},
        {"counts": {}},
        {"counts": {**plain(METRICS.counts), "sets": {}}},
        {"accuracy": {"test": {"3": 0.5}}},
        {"accuracy": {"test": {"3": 0.5, "2": 0.5}}},
        {"accuracy": {"test": {"3": 0.5, "1": 1.01}}},
        {"accuracy": {"unheard-of": {"3": 0.5, "1": 0.5}}},
        {"slopes": {"test": {"1": 1e301}}},
        {"slope_reasons": {"test": {"1": "because"}}},
        {"seconds": {"split": -1}},
        {"ladder": {"knob": "K", "levels": [], "values": []}},
        {"ladder": {"knob": "K", "levels": ["3", "3"], "values": [3, 3]}},
        {"environment": {"device": "cpu"}},
        {"environment": {"device": "\x1b[2J", "cpu": "", "versions": {}}},
        {"sha256": {"arrays.npz": None}},
        {"schema_version": 99},
        {"schema_version": None},
    ],
    ids=str,
)
def test_metrics_that_contradict_their_description_are_refused(changes: dict[str, object]) -> None:
    assert parse_metrics(to_json(UNSEALED)) == UNSEALED
    with pytest.raises(RecordError):
        parse_metrics(json.dumps({**plain(UNSEALED), **changes}).encode())


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    assert parse_metrics(json.dumps({**plain(UNSEALED), "mood": [1]}).encode()) == UNSEALED


def test_a_result_of_the_first_version_is_read(first_version_home: Path) -> None:
    found = {path.parent.parent.name: read_result(path.parent, verify=True) for path in
             sorted(first_version_home.glob("experiments/*/runs/*/result/metrics.json"))}  # fmt: skip
    assert found
    for name, metrics in found.items():
        assert metrics is not None
        assert (metrics.schema_version, metrics.index) == (1, int(name))
        assert metrics.ladder.knob == "K"
        assert metrics.ladder.fitted == "1"
        assert metrics.environment.threads is not None
        # Two sets have other names now, and what decides the claim was not measured.
        names = {
            "test", "misclassified", "adversarial", "noise", "matched", "reverse-both-ends", "sources",
            "candidates", "fooled", "one-per-source",
        }  # fmt: skip
        assert metrics.accuracy.keys() == metrics.slopes.keys() == metrics.counts.sets.keys() == names
        assert metrics.accuracy["reverse-both-ends"]["1"] == 0
        assert metrics.counts.sets["candidates"] == metrics.counts.candidates
        for name in ("crossfit", "crossfit_fitted", "bias_variance", "robustness", "flips", "noise"):
            assert getattr(metrics, name) is None, name
        assert metrics.variants == {}


def test_a_result_of_before_the_claim_was_decided_is_read() -> None:
    older = metrics_from_answers(SPEC, 3, draw_answers(SPEC, 3), deciding=False)
    older = msgspec.structs.replace(older, experiment="")
    names = ("crossfit", "crossfit_fitted", "bias_variance", "robustness", "flips", "noise", "variants")
    content = {name: value for name, value in plain(older).items() if name not in names}
    assert parse_metrics(json.dumps(content).encode()) == older


def test_what_decides_the_claim_is_read_as_it_was_written() -> None:
    found = metrics_from_answers(SPEC, 3, draw_answers(SPEC, 3))
    assert found.crossfit is not None
    assert found.bias_variance is not None
    assert found.variants
    assert parse_metrics(sealed(found)) == msgspec.structs.replace(
        found, checksum=json.loads(sealed(found))["checksum"]
    )


def test_a_missing_part_is_no_result(tmp_path: Path) -> None:
    assert read_result(tmp_path / "nowhere") is None
    publish(tmp_path, METRICS, write)
    (tmp_path / "result" / "arrays.npz").unlink()
    assert read_result(tmp_path / "result") is None


@pytest.mark.parametrize("damage", ["arrays", "metrics", "file", "empty"])
def test_a_broken_result_is_replaced_and_kept_aside(tmp_path: Path, damage: str) -> None:
    result = tmp_path / "result"
    if damage == "file":
        result.write_text("no folder")
    elif damage == "empty":
        result.mkdir()
    else:
        publish(tmp_path, METRICS, write)
        (result / {"arrays": "arrays.npz", "metrics": "metrics.json"}[damage]).write_bytes(b"damaged")
    assert publish(tmp_path, METRICS, write)
    assert read_result(result, verify=True) is not None
    aside = [name for name in files(tmp_path) if name.startswith(".broken.")]
    assert files(tmp_path) == [*aside, "result"]
    assert len(aside) == 1
