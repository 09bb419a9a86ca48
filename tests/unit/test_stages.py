"""Who watches a run learns of every stage; the seconds of stages and parts add up by the clock that is given."""

from __future__ import annotations

import msgspec
import pytest

from core.protocol.stages import Stages, ignore
from core.records.events import EpochFinished, Event, Progress, StageFinished, StageStarted, decode, encode


class Watch:
    """A clock that is moved by hand, and an observer that remembers."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.seen: list[Event] = []

    def clock(self) -> float:
        return self.now

    def observe(self, event: Event) -> None:
        self.seen.append(event)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def a_run(watch: Watch, stages: Stages) -> None:
    with stages.stage("split"):
        watch.now += 1
    with stages.stage("candidates", total=20):
        for done in (9, 20):
            with stages.part("attack"):
                watch.now += 10
            with stages.part("filter"):
                watch.now += 0.5
            watch.now += 2
            stages.progress(done)
    with stages.stage("surrogate", total=3):
        stages.epoch(1, 3, 0.25)
    with stages.stage("noise"), stages.part("attack"):
        watch.now += 100


def test_every_stage_is_reported_from_its_beginning_to_its_end(watch: Watch) -> None:
    a_run(watch, Stages(4, watch.observe, watch.clock))
    assert watch.seen == [
        StageStarted(run=4, stage="split", total=1),
        StageFinished(run=4, stage="split", seconds=1.0),
        StageStarted(run=4, stage="candidates", total=20),
        Progress(run=4, stage="candidates", done=9, total=20),
        Progress(run=4, stage="candidates", done=20, total=20),
        StageFinished(run=4, stage="candidates", seconds=25.0),
        StageStarted(run=4, stage="surrogate", total=3),
        EpochFinished(run=4, epoch=1, epochs=3, loss=0.25),
        StageFinished(run=4, stage="surrogate", seconds=0.0),
        StageStarted(run=4, stage="noise", total=1),
        StageFinished(run=4, stage="noise", seconds=100.0),
    ]


def test_seconds_add_up_by_name_in_the_order_of_their_first_beginning(watch: Watch) -> None:
    stages = Stages(0, ignore, watch.clock)
    a_run(watch, stages)
    assert list(stages.seconds.items()) == [
        ("split", 1.0),
        ("candidates", 25.0),
        ("attack", 120.0),
        ("filter", 1.0),
        ("surrogate", 0.0),
        ("noise", 100.0),
    ]


def test_what_an_observer_receives_is_what_a_journal_takes(watch: Watch) -> None:
    a_run(watch, Stages(0, watch.observe, watch.clock))
    assert len(watch.seen) == 11
    for event in watch.seen:
        assert decode(encode(event, seq=3, time=7.5)) == msgspec.structs.replace(event, seq=3, time=7.5)


def test_a_stage_that_fails_is_not_reported_as_finished(watch: Watch) -> None:
    stages = Stages(0, watch.observe, watch.clock)
    with pytest.raises(ZeroDivisionError), stages.stage("neighbours"):
        raise ZeroDivisionError
    assert watch.seen == [StageStarted(run=0, stage="neighbours", total=1)]
