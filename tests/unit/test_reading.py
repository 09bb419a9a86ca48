"""Only plain files are read, and never more of them than was said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.files.reading import read_end, read_plain


def test_a_plain_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_plain(path, 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_plain(path, 4)
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "nowhere", 5)


def test_a_link_to_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to("file")
    assert read_plain(tmp_path / "link", 1) == b"1"


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    """A pipe that nobody writes to would have its reader wait, a device may have no end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "endless"):
        with pytest.raises(OSError, match="not a plain file"):
            read_plain(path, 10)


def test_the_end_of_a_file_is_read_without_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(2**40)  # takes no room, but would take all memory
        file.seek(0, os.SEEK_END)
        file.write(b"the end")
    assert read_end(path, 7) == b"the end"
    path.write_bytes(b"short")
    assert read_end(path, 100) == b"short"
