"""When a worker far away leaves, told by looks at a lock; nothing waits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.engine.tether import wait_for_the_end
from core.records.lock import LOOKS, Holding, Life


def held(content: bytes = b"ours", life: Life = "alive") -> Holding:
    return Holding(None, life, life != "dead", content)


def looks_until_the_end(seen: Sequence[Holding | OSError | None]) -> int:
    """How often the lock was looked at before the worker left; what is seen last stays so."""
    taken: list[int] = []

    def look() -> Holding | None:
        taken.append(1)
        found = seen[min(len(taken), len(seen)) - 1]
        if isinstance(found, OSError):
            raise found
        return found

    pauses: list[int] = []
    wait_for_the_end(look, lambda: pauses.append(1))
    assert len(pauses) == len(taken)
    return len(taken)


@pytest.mark.parametrize("gone", [None, held(b"another's"), held(life="dead")])
def test_it_leaves_when_its_holder_is_gone_for_good(gone: Holding | None) -> None:
    assert looks_until_the_end([held(), held(), gone]) == 2 + LOOKS


def test_what_is_seen_late_or_is_out_of_sight_for_a_moment_is_no_end() -> None:
    seen = [held(), *[None] * (LOOKS - 1), held(life="unknown"), *[OSError()] * 9, None]
    assert looks_until_the_end(seen) == 1 + (LOOKS - 1) + 1 + 9 + LOOKS


def test_without_any_holder_there_is_nobody_to_compute_for() -> None:
    assert looks_until_the_end([None]) == LOOKS
