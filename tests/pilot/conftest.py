"""What the tests of the lab share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.lab import House, in_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with in_house(tmp_path) as house:
        yield house
