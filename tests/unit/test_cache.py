"""The cache gives back what was put in, whole or not at all, stays within its limit, and never stops anybody."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, floating_dtypes, integer_dtypes

from core.files.cache import MARK, Cache, key_of
from core.files.ownership import owned_name

KEY, OTHER = "1" * 64, "2" * 64
ARRAYS = {"index": np.arange(12, dtype=np.int32).reshape(3, 4), "empty": np.empty((0, 2), dtype=np.float32)}


def assert_same(found: Any, expected: Any) -> None:
    assert found is not None
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_what_was_put_in_comes_back_also_for_another_process(tmp_path: Path) -> None:
    Cache(tmp_path).put("kind", KEY, ARRAYS)
    assert_same(Cache(tmp_path).get("kind", KEY), ARRAYS)
    assert Cache(tmp_path).get("kind", OTHER) is None
    assert Cache(tmp_path).get("other", KEY) is None


@pytest.mark.parametrize("damage", [b"", b"x", b"x" * 5000])
def test_an_entry_that_is_not_whole_is_not_there(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path)
    cache.put("kind", KEY, ARRAYS)
    (tmp_path / "kind" / KEY).write_bytes(damage)
    assert cache.get("kind", KEY) is None
    cache.put("kind", KEY, ARRAYS)
    assert_same(cache.get("kind", KEY), ARRAYS)


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("kind", KEY, {"a": np.arange(3)})
    path = tmp_path / "kind" / KEY
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert cache.get("kind", KEY) is None


@pytest.mark.parametrize(
    "content",
    [
        b"PK not an archive",
        b"",
        b"\x80\x04N.",
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}",
    ],
)
def test_what_fits_its_checksum_and_is_no_archive_is_no_entry(tmp_path: Path, content: bytes) -> None:
    cache = Cache(tmp_path)
    cache.put("kind", KEY, ARRAYS)
    digest = hashlib.sha256(f"kind/{KEY}\n".encode() + content).digest()
    (tmp_path / "kind" / KEY).write_bytes(MARK + digest + content)
    assert cache.get("kind", KEY) is None


def test_entries_that_were_exchanged_are_none(tmp_path: Path) -> None:
    """Each is whole, and would be taken for the other."""
    cache = Cache(tmp_path)
    cache.put("kind", KEY, ARRAYS)
    cache.put("kind", OTHER, {"index": np.zeros((3, 4), dtype=np.int32)})
    cache.put("other", KEY, {"index": np.ones((3, 4), dtype=np.int32)})
    first, second, third = (tmp_path / name for name in (f"kind/{KEY}", f"kind/{OTHER}", f"other/{KEY}"))
    spare = tmp_path / "spare"
    first.rename(spare)
    second.rename(first)
    spare.rename(second)
    assert cache.get("kind", KEY) is None
    assert cache.get("kind", OTHER) is None
    third.replace(first)
    assert cache.get("kind", KEY) is None


def test_a_pipe_or_a_folder_in_an_entrys_place_is_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (tmp_path / "kind" / KEY).mkdir(parents=True)
    os.mkfifo(tmp_path / "kind" / OTHER)
    assert cache.get("kind", KEY) is None
    assert cache.get("kind", OTHER) is None
    cache.put("kind", KEY, ARRAYS)
    cache.put("kind", OTHER, ARRAYS)
    assert cache.get("kind", KEY) is None
    assert_same(cache.get("kind", OTHER), ARRAYS)


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    size = 1000
    one = {"a": np.zeros(size, dtype=np.uint8)}
    cache = Cache(tmp_path, limit=4 * (size + 500))
    keys = [key_of(number) for number in range(4)]
    for number, key in enumerate(keys):
        cache.put("kind", key, one)
        os.utime(tmp_path / "kind" / key, (number, number))
    assert cache.get("kind", keys[0]) is not None  # now the one used last
    cache.put("other", KEY, one)
    kept = {path.name for path in tmp_path.glob("*/*")}
    assert kept == {keys[0], keys[2], keys[3], KEY}
    assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= 4 * (size + 500)


def test_no_file_but_its_own_is_removed_to_make_room(tmp_path: Path) -> None:
    """A home may lie in a folder of a person's own that has a `cache` already."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"x" * 9000)
    home = tmp_path / "cache"
    mine = [
        home / "thesis" / "data.bin",
        home / "surrogates" / "notes.txt",
        home / "objects" / key_of("named after its content, as others do it"),
        home / "kind" / f".{KEY}.0123",
        home / "file",
    ]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 9000)
        os.utime(path, (1, 1))
    link = home / "kind" / OTHER
    link.symlink_to(elsewhere)
    cache = Cache(home, limit=3000)
    for number in range(5):
        cache.put("kind", key_of(number), {"a": np.zeros(1500, dtype=np.uint8)})
    assert all(path.stat().st_size == 9000 for path in mine)
    assert link.is_symlink()
    assert elsewhere.exists()
    own = [path.name for path in (home / "kind").glob("[0-9a-f]*") if path != link]
    assert own == [key_of(4)], "its own still make room for each other"


@pytest.mark.parametrize("name", [f"neighbours/{OTHER}", f"surrogates/{OTHER}", f"datasets/{'3' * 32}.npz"])
def test_entries_of_earlier_versions_make_room(tmp_path: Path, name: str) -> None:
    earlier = tmp_path / name
    earlier.parent.mkdir()
    earlier.write_bytes(b"x" * 4000)
    os.utime(earlier, (1, 1))
    Cache(tmp_path, limit=5000).put("kind", KEY, {"a": np.zeros(2000, dtype=np.uint8)})
    assert not earlier.exists()
    assert (tmp_path / "kind" / KEY).exists()


def test_half_entries_of_killed_writers_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "kind").mkdir()
    leaving = (
        "import sys; from pathlib import Path; from core.files.ownership import owned_name;"
        f"Path(sys.argv[1], owned_name('.{KEY}')).write_bytes(b'half')"
    )
    subprocess.run([sys.executable, "-c", leaving, str(tmp_path / "kind")], check=True)
    assert len(list((tmp_path / "kind").iterdir())) == 1
    living = tmp_path / "kind" / owned_name(f".{KEY}")
    living.write_bytes(b"half")
    Cache(tmp_path).put("kind", OTHER, ARRAYS)
    assert {path.name for path in (tmp_path / "kind").iterdir()} == {living.name, OTHER}


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = Cache(tmp_path / "file")
    cache.put("kind", KEY, ARRAYS)
    assert cache.get("kind", KEY) is None
    assert (tmp_path / "file").read_text() == "no folder"


def test_many_writers_and_readers_get_along(tmp_path: Path) -> None:
    def work(number: int) -> None:
        cache = Cache(tmp_path, limit=20_000)
        for step in range(30):
            number_of = (number + step) % 5
            key = key_of(number_of)
            cache.put("kind", key, {"a": np.full(1000, number_of)})
            found = cache.get("kind", key)
            assert found is None or (found["a"] == number_of).all()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, number) for number in range(8)]:
            done.result()


@given(
    arrays(st.one_of(integer_dtypes(), floating_dtypes()), array_shapes(max_dims=3, max_side=4)),
    st.integers(0, 2),
    st.lists(st.one_of(st.integers(), st.text()), max_size=3),
)
def test_a_key_depends_on_all_its_parts_and_on_nothing_else(
    array: Any, place: int, others: list[Any]
) -> None:
    parts = [*others[:place], array, *others[place:]]
    key = key_of(*parts)
    assert key == key_of(*[part.copy() if isinstance(part, np.ndarray) else part for part in parts])
    assert key != key_of(*parts, "")
    assert key != key_of(*others, array.reshape(-1, 1, 1, 1))
    if others:
        assert key != key_of(*others)


def test_parts_do_not_run_into_each_other() -> None:
    assert key_of("ab", "c") != key_of("a", "bc")
    assert key_of(np.array([1, 2]), np.array([3])) != key_of(np.array([1]), np.array([2, 3]))
    assert key_of(1) != key_of("1") != key_of(np.array(1))
