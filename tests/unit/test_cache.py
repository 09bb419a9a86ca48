"""The cache gives back what was put in, whole or not at all, stays within its limit, and never stops anybody."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, floating_dtypes, integer_dtypes

from core.files.cache import Cache, key_of

ARRAYS = {"index": np.arange(12, dtype=np.int32).reshape(3, 4), "empty": np.empty((0, 2), dtype=np.float32)}


def assert_same(found: Any, expected: Any) -> None:
    assert found is not None
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_what_was_put_in_comes_back_also_for_another_process(tmp_path: Path) -> None:
    Cache(tmp_path).put("kind", "key", ARRAYS)
    assert_same(Cache(tmp_path).get("kind", "key"), ARRAYS)
    assert Cache(tmp_path).get("kind", "other") is None
    assert Cache(tmp_path).get("other", "key") is None


@pytest.mark.parametrize("damage", [b"", b"x", b"x" * 5000])
def test_an_entry_that_is_not_whole_is_not_there(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path)
    cache.put("kind", "key", ARRAYS)
    (tmp_path / "kind" / "key").write_bytes(damage)
    assert cache.get("kind", "key") is None
    cache.put("kind", "key", ARRAYS)
    assert_same(cache.get("kind", "key"), ARRAYS)


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("kind", "key", {"a": np.arange(3)})
    path = tmp_path / "kind" / "key"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert cache.get("kind", "key") is None


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    size = 1000
    one = {"a": np.zeros(size, dtype=np.uint8)}
    cache = Cache(tmp_path, limit=4 * (size + 500))
    for number in range(4):
        cache.put("kind", str(number), one)
        os.utime(tmp_path / "kind" / str(number), (number, number))
    assert cache.get("kind", "0") is not None  # now the one used last
    cache.put("other", "new", one)
    kept = {path.name for path in tmp_path.glob("*/*")}
    assert kept == {"0", "2", "3", "new"}
    assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= 4 * (size + 500)


def test_left_overs_of_killed_writers_count_and_go(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=5000)
    (tmp_path / "kind").mkdir()
    left = tmp_path / "kind" / ".key.0123"
    left.write_bytes(b"x" * 4000)
    os.utime(left, (1, 1))
    cache.put("kind", "key", {"a": np.zeros(2000, dtype=np.uint8)})
    assert [path.name for path in (tmp_path / "kind").iterdir()] == ["key"]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = Cache(tmp_path / "file")
    cache.put("kind", "key", ARRAYS)
    assert cache.get("kind", "key") is None
    assert (tmp_path / "file").read_text() == "no folder"


def test_many_writers_and_readers_get_along(tmp_path: Path) -> None:
    def work(number: int) -> None:
        cache = Cache(tmp_path, limit=20_000)
        for step in range(30):
            key = str((number + step) % 5)
            cache.put("kind", key, {"a": np.full(1000, int(key))})
            found = cache.get("kind", key)
            assert found is None or (found["a"] == int(key)).all()

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
