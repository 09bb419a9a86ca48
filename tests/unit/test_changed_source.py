"""A user's own data set that was written to since is read again, in a process of its own."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.data import digest
from core.data.load import load
from core.errors import DataError
from core.files.exit_status import ExitStatus
from core.report.refusal import refusal_in
from tests.fakes.images import write_npz
from tui_aefit.shell.changed_source import refuse_changed_source


def computed_from(path: Path, sha256: str, created: float = 0.0) -> Any:
    """As much of an experiment as is looked at."""
    return SimpleNamespace(
        spec=SimpleNamespace(dataset=str(path)),
        created=created,
        id="own-fgsm-12345678",
        word="own-fgsm-12345678",
        results=lambda: {0: SimpleNamespace(data_sha256=sha256)},
    )


def sha256_of(path: Path) -> str:
    return load(
        str(path), data_dir=path.parent, cache_dir=path.parent / "cache", note=lambda text: None
    ).sha256


def test_the_digest_is_that_of_the_pool_that_runs_see(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_npz(tmp_path / "own.npz")
    assert digest.main([str(path), "--cache-dir", str(tmp_path / "cache")]) == ExitStatus.COMPLETE
    assert capfd.readouterr().out == f"{sha256_of(path)}\n"


def test_what_is_no_data_set_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(b"no archive")
    assert digest.main([str(path), "--cache-dir", str(tmp_path / "cache")]) == ExitStatus.REFUSED
    told = capfd.readouterr()
    refusal = refusal_in(told.err)
    assert told.out == ""
    assert refusal is not None
    assert str(path) in refusal.error


def test_a_disk_that_fails_is_told_of_in_a_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr("core.data.digest.user_data.read", fail)
    path = tmp_path / "own.npz"
    assert digest.main([str(path), "--cache-dir", str(tmp_path / "cache")]) == ExitStatus.REFUSED
    refusal = refusal_in(capfd.readouterr().err)
    assert refusal is not None
    assert refusal.error == f"{path} cannot be read: [Errno {errno.ESTALE}] Stale file handle"


@pytest.mark.slow
def test_the_same_images_are_accepted_others_and_no_images_are_not(tmp_path: Path) -> None:
    path, cache = write_npz(tmp_path / "own.npz"), tmp_path / "cache"
    experiment = computed_from(path, sha256_of(path))
    refuse_changed_source(experiment, cache)
    write_npz(path, seed=6)
    with pytest.raises(DataError, match="has changed since own-fgsm-12345678 was computed from it") as caught:
        refuse_changed_source(experiment, cache)
    assert "aefit-tui delete own-fgsm-12345678" in caught.value.hint
    np.savez(path, images=np.zeros((4, 8, 8), np.uint8), labels=np.zeros(4, int))
    with pytest.raises(DataError, match="has one class"):
        refuse_changed_source(experiment, cache)


def test_what_was_written_before_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(b"no archive")
    refuse_changed_source(computed_from(path, "", created=path.stat().st_mtime + 1), tmp_path / "cache")


def test_a_process_that_breaks_off_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_npz(tmp_path / "own.npz")
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(DataError, match="the process that should ended with status 1"):
        refuse_changed_source(computed_from(path, ""), tmp_path / "cache")
    monkeypatch.setattr("sys.executable", str(tmp_path / "absent"))
    with pytest.raises(DataError, match="no process can be started"):
        refuse_changed_source(computed_from(path, ""), tmp_path / "cache")
