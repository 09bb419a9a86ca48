"""A run's result appears whole or not at all, once, and says itself when its bytes have changed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.records.results import NEEDED, publish, read_result, sha256_of

METRICS: dict[str, object] = {
    **dict.fromkeys(NEEDED),
    "index": 3,
    "accuracy": {"test": {"1": 0.5, "3": None}},
}
BYTES = bytes(range(256)) * 40


def write(path: Path) -> None:
    path.write_bytes(BYTES)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_result_holds_the_metrics_the_arrays_and_their_checksum(tmp_path: Path) -> None:
    assert publish(tmp_path / "runs" / "0003", METRICS, write)
    result = tmp_path / "runs" / "0003" / "result"
    checksums = {"arrays.npz": hashlib.sha256(BYTES).hexdigest()}
    assert json.loads((result / "metrics.json").read_bytes()) == {**METRICS, "sha256": checksums}
    assert (result / "arrays.npz").read_bytes() == BYTES
    assert read_result(result, verify=True) == {**METRICS, "sha256": checksums}
    assert files(result) == ["arrays.npz", "metrics.json"]
    assert files(result.parent) == ["result"]


def test_a_checksum_is_that_of_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(BYTES * 300)
    assert sha256_of(path) == hashlib.sha256(BYTES * 300).hexdigest()


@pytest.mark.parametrize(
    "metrics", [METRICS, {**METRICS, "loss": float("nan")}, {**METRICS, "array": object()}]
)
def test_a_publication_that_fails_leaves_nothing(tmp_path: Path, metrics: dict[str, object]) -> None:
    def write_half(path: Path) -> None:
        path.write_bytes(BYTES[:100])
        if metrics is METRICS:
            raise OSError("No space left on device")

    with pytest.raises((OSError, ValueError, TypeError)):
        publish(tmp_path, metrics, write_half)
    assert files(tmp_path) == []
    assert publish(tmp_path, METRICS, write)


def test_a_process_killed_before_the_rename_leaves_no_result(tmp_path: Path) -> None:
    killed = """
import os, signal, sys
from pathlib import Path
from core.records.results import NEEDED, publish

def write(path):
    path.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

publish(Path(sys.argv[1]), dict.fromkeys(NEEDED), write)
"""
    assert subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False).returncode == -9
    assert files(tmp_path) != [], "it was killed too early to show anything"
    assert read_result(tmp_path / "result") is None
    assert not (tmp_path / "result").exists()
    assert publish(tmp_path, METRICS, write)
    assert read_result(tmp_path / "result", verify=True) is not None


def test_the_second_publisher_leaves_the_first_result_in_place(tmp_path: Path) -> None:
    assert publish(tmp_path, METRICS, write)
    assert not publish(tmp_path, {**METRICS, "index": 4}, Path.touch)
    found = read_result(tmp_path / "result", verify=True)
    assert found is not None
    assert found["index"] == 3
    assert files(tmp_path) == ["result"]


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


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_without_what_tables_need_there_is_no_result_for_reader_and_publisher_alike(
    tmp_path: Path, name: str
) -> None:
    publish(tmp_path, METRICS, write)
    metrics = tmp_path / "result" / "metrics.json"
    record = json.loads(metrics.read_bytes())
    del record[name]
    metrics.write_text(json.dumps(record))
    assert read_result(tmp_path / "result") is None
    with pytest.raises(ValueError, match=f"metrics without {name} "):
        publish(tmp_path, {key: value for key, value in METRICS.items() if key != name}, write)
    assert files(tmp_path) == ["result"]
    assert publish(tmp_path, METRICS, write)
    assert read_result(tmp_path / "result", verify=True) is not None


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
