"""Results of schema version 1 as this version reads them: one converter, nothing else knows the old form."""

from __future__ import annotations

import msgspec

from core.errors import RecordError
from core.families.ladder import Ladder
from core.records.environment import Environment
from core.records.metrics import AttackFigures, ByLevel, Counts, RunMetrics
from core.records.statistics import Reason
from core.records.types import Count, Finite, Name, Record, Seconds, Share, parse
from core.sets.first_version import by_new_names


class _Matched(Record, frozen=True, kw_only=True):
    distinct: Count


class _Counts(Record, frozen=True, kw_only=True):
    train: Count
    test: Count
    correct: Count
    misclassified: Count
    candidates: Count
    rejected: Count = 0
    adversarial: Count
    adversarial_sources: Count
    sets: dict[Name, Count]
    matched: _Matched | None = None


class _Metrics(Record, frozen=True, kw_only=True):
    index: Count
    counts: _Counts
    surrogate_accuracy: Share
    surrogate_reused: bool = False
    attack: AttackFigures
    noise: AttackFigures | None = None
    accuracy: dict[Name, ByLevel]
    slopes: dict[Name, dict[Name, Finite | None]]
    slope_reasons: dict[Name, dict[Name, Reason]]
    search: dict[Name, Count] = msgspec.field(default_factory=dict)
    seconds: dict[Name, Seconds]
    data_sha256: Name
    environment: Environment
    sha256: dict[Name, Name] = msgspec.field(default_factory=dict)


def from_first_version(content: bytes) -> RunMetrics:
    """The metrics in a metrics.json of version 1, whose only family was K-NN. Raises RecordError."""
    old = parse(content, _Metrics, "metrics of version 1")
    levels = {level for by_level in old.accuracy.values() for level in by_level}
    if not all(level.isascii() and level.isdecimal() and len(level) < 5 for level in levels):
        raise RecordError(f"metrics of version 1 cannot be read: {sorted(levels)} are no K")
    ladder_of = sorted(map(int, levels), reverse=True)
    counts, matched = old.counts, old.counts.matched
    try:
        return RunMetrics(
            schema_version=1,
            index=old.index,
            ladder=Ladder("K", tuple(map(str, ladder_of)), tuple(ladder_of)),
            counts=Counts(
                train=counts.train,
                test=counts.test,
                correct=counts.correct,
                misclassified=counts.misclassified,
                candidates=counts.candidates,
                rejected=counts.rejected,
                adversarial=counts.adversarial,
                adversarial_sources=counts.adversarial_sources,
                sets=by_new_names(counts.sets),
                distinct={} if matched is None else {"matched": matched.distinct},
            ),
            surrogate_accuracy=old.surrogate_accuracy,
            surrogate_reused=old.surrogate_reused,
            attack=old.attack,
            sets={} if old.noise is None else {"noise": old.noise},
            accuracy=by_new_names(old.accuracy),
            slopes=by_new_names(old.slopes),
            slope_reasons=by_new_names(old.slope_reasons),
            search=old.search,
            seconds=old.seconds,
            data_sha256=old.data_sha256,
            environment=old.environment,
            sha256=old.sha256,
        )
    except ValueError as error:
        raise RecordError(f"metrics of version 1 cannot be read: {error}") from error
