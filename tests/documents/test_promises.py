"""docs/promises.md: every promise names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.data.memory_limit import IMAGES_OF_A_SET, SETTING
from core.files import toml
from core.records import journal
from tests.faults.bench import SHARES, chosen
from tests.faults.kinds import KINDS
from tests.faults.targets import TARGETS
from tests.faults.test_faults import FAULTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
PROMISES = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
PROMISES = [row for row in PROMISES if row != ["Promise", "Test"]]


@pytest.mark.parametrize(("promise", "tests"), PROMISES, ids=[promise[:40] for promise, _ in PROMISES])
def test_every_promise_names_tests_that_are_there(promise: str, tests: str) -> None:
    named = re.findall(r"`([^`]+)`(?:: `(\w+)`)?", tests)
    assert named
    for path, name in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(?:def|class) {name}\b", source, re.MULTILINE), (
            f"{path} has no {name}"
        )


def test_its_figures_are_those_of_the_program() -> None:
    assert f"{SETTING.default:,} MiB; an image a sixteenth" in PAGE
    assert IMAGES_OF_A_SET == 16
    assert f"up to {toml.LARGEST // 2**10} KiB, {toml.DEEPEST} levels" in PAGE
    assert f"line up to {journal.LONGEST_LINE // 2**20} MiB" in PAGE
    assert f"{sum(TARGETS.values()):,} malformed inputs" in PAGE
    assert len(FAULTS) == pytest.approx(60, abs=5)
    assert len(chosen(1, 500)) == sum(SHARES.values()) == 500
    alone = sum(share for _, share in KINDS.values())
    assert f"{alone} of them of an experiment, {500 - alone} of a study" in PAGE
