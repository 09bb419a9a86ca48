"""An event survives its line of text; a line that is no event is refused with a reason, never with a crash."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records.events import KINDS, SCHEMA_VERSION, BrokenLine, Event, decode, encode

LINE = {"seq": 3, "time": 1.5, "v": 1, "event": "run_completed", "run": 0}

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@st.composite
def kinds_with_fields(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A known kind with its fields and perhaps some more, as a later version may add."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    names = KINDS[kind] | set(draw(st.lists(st.text(min_size=1).map(lambda name: f"x{name}"), max_size=2)))
    return kind, {name: draw(values) for name in sorted(names)}


@settings(deadline=None, max_examples=150)
@given(kinds_with_fields(), st.integers(1, 10**9), st.floats(0, 1e12))
def test_an_event_survives_its_line(event: tuple[str, dict[str, object]], sequence: int, time: float) -> None:
    kind, fields = event
    line = encode(sequence, time, kind, fields)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode("w", line) == Event("w", sequence, time, SCHEMA_VERSION, kind, fields)
    assert json.loads(line) == {"seq": sequence, "time": time, "v": 1, "event": kind, **fields}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused_when_written(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(1, 0.0, "statistics", {"runs": [0], "summary": {"deep": [number]}, "tests": []})


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("run_complete", {"run": 1}, "unknown kind"),
        ("run_started", {"run": 1, "attempt": 1}, r"missing \['worker'\]"),
        ("notice", {"text": "", "seq": 7, "v": 2}, r"\['seq', 'v'\] are the line's own"),
    ],
)
def test_a_wrong_event_is_refused_when_written(kind: str, fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        encode(1, 0.0, kind, fields)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
def test_no_line_whatever_its_bytes_raises_anything_else_than_broken_line(line: bytes) -> None:
    with pytest.raises(BrokenLine):
        decode("w", line)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(json.dumps({**LINE, "time": math.nan}).encode(), id="time NaN"),
        pytest.param(json.dumps({**LINE, "time": 10**400}).encode(), id="time beyond every float"),
        pytest.param(json.dumps(LINE).replace("1.5", "1e999").encode(), id="time overflows"),
        pytest.param(json.dumps({**LINE, "time": "1.5"}).encode(), id="time as text"),
        pytest.param(json.dumps({**LINE, "seq": True}).encode(), id="seq true"),
        pytest.param(json.dumps({**LINE, "v": 1.0}).encode(), id="v a fraction"),
        pytest.param(json.dumps({**LINE, "event": None}).encode(), id="no kind"),
        pytest.param(json.dumps({**LINE, "loss": math.inf}).encode(), id="Infinity in a field"),
        pytest.param(
            json.dumps({key: LINE[key] for key in LINE if key != "run"}).encode(), id="a field missing"
        ),
        pytest.param(json.dumps({key: LINE[key] for key in LINE if key != "v"}).encode(), id="no version"),
        pytest.param(b"[" * 100_000, id="deeper than the parser goes"),
        pytest.param(b"\xff\xfe\n", id="not UTF-8"),
        pytest.param(b"\n", id="empty"),
    ],
)
def test_a_line_that_is_almost_an_event_is_broken(line: bytes) -> None:
    assert decode("w", json.dumps(LINE).encode()).sequence == 3
    with pytest.raises(BrokenLine):
        decode("w", line)


def test_what_a_newer_version_writes_is_kept_as_it_is() -> None:
    line = json.dumps({"seq": 1, "time": 2, "v": 99, "event": "teleported", "where": ["a", None]}).encode()
    assert decode("w", line) == Event("w", 1, 2.0, 99, "teleported", {"where": ["a", None]})


def test_the_clock_orders_a_sessions_events_and_never_those_of_two_sessions() -> None:
    def event(writer: str, time: float, sequence: int) -> Event:
        return Event(writer, sequence, time, 1, "notice", {"text": ""})

    in_order = [
        event("0001-coordinator", 100.0, 1),
        event("0001-worker-1", 101.0, 1),
        event("0001-worker-1", 101.0, 2),
        event("0001-coordinator", 102.0, 2),
        event("0002-coordinator", 50.0, 1),  # resumed where the clock is behind
        event("0002-worker-1", 51.0, 1),
        event("0010-coordinator", 51.0, 1),
    ]
    assert sorted(reversed(in_order), key=lambda e: e.order) == in_order
