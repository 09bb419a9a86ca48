"""What is counted and selected of the candidates equals a plain loop over them, whatever their blocks."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.families.ladder import Ladder
from core.protocol.selection import Selection
from core.sets.adversarial import Adversarial
from core.sets.candidate_part import CandidatePart
from core.sets.margin import margin_of, match_margins
from core.sets.measurement import CandidateTally
from core.sets.members import Candidates
from core.sets.one_per_source import OnePerSource
from core.sets.registry import SETS
from core.sets.sample import Sample
from core.sets.tally import Tally
from tests.fakes.plugins import Half

LADDER = Ladder("Fit", ("wide", "medium", "narrow"))
LEVELS = LADDER.levels
SHAPE = (2, 2, 1)
CLASSES = 3


def cuts_of(draw: st.DrawFn, count: int) -> list[slice]:
    """Some way of dividing `count` things into blocks, empty ones among them."""
    cuts = sorted(draw(st.lists(st.integers(0, count), max_size=3)))
    return [slice(start, end) for start, end in zip([0, *cuts], [*cuts, count], strict=True)]


@st.composite
def predictions_in_blocks(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64], list[slice]]:
    count = draw(st.integers(0, 12))
    entries = st.lists(st.integers(0, CLASSES - 1), min_size=count, max_size=count)
    prediction = np.array([draw(entries) for _ in LEVELS], dtype=np.int64).reshape(len(LEVELS), count)
    return prediction, np.array(draw(entries), dtype=np.int64), cuts_of(draw, count)


@settings(max_examples=100)
@given(predictions_in_blocks())
def test_a_tally_equals_counting_one_by_one(
    case: tuple[NDArray[np.int64], NDArray[np.int64], list[slice]],
) -> None:
    prediction, label, blocks = case
    tally = Tally(LADDER)
    for block in blocks:
        tally.add(prediction[:, block], label[block])
    expected: dict[str, float | None] = {}
    for row, level in enumerate(LEVELS):
        right = sum(int(prediction[row, i]) == int(label[i]) for i in range(len(label)))
        expected[level] = right / len(label) if len(label) else None
    assert tally.accuracy() == expected
    assert list(tally.accuracy()) == list(LEVELS)
    assert tally.count == len(label)
    assert all(type(share) in (float, type(None)) for share in tally.accuracy().values())


def candidates(source: list[int], label: list[int], **arrays: object) -> Candidates:
    """A block whose images differ from one another; what is not given is drawn from a fixed seed.

    The most general level gets its sources right.
    """
    count, random = len(source), np.random.default_rng(len(source))
    source_prediction = random.integers(0, CLASSES, (len(LEVELS), count))
    source_prediction[0] = label
    given = {
        "target": random.integers(-1, CLASSES, count),
        "prediction": random.integers(0, CLASSES, (len(LEVELS), count)),
        "source_prediction": source_prediction,
        "recognised": True,
        "place": np.arange(count),
        "near": np.empty((count, 0), dtype=np.int64),
        "variants": {},
        "half_prediction": None,
        "support": random.integers(0, 6, (count, CLASSES)),
        "surrogate_prediction": random.integers(0, CLASSES, count),
        "rejected": 0,
    } | arrays
    return Candidates(
        image=random.random((count, *SHAPE), dtype=np.float32),
        source=np.array(source, dtype=np.int64),
        label=np.array(label, dtype=np.int64),
        linf=random.random(count),
        l2=random.random(count) * 1e3,
        **given,  # type: ignore[arg-type]
    )


@st.composite
def candidate_blocks(draw: st.DrawFn) -> list[Candidates]:
    """Blocks of sources with 0 to 3 candidates each; all of a source in the same block.

    First of sources that the most general level gets right, then of those that it gets wrong.
    """
    blocks, source, first = [], 0, 0
    for recognised in [True] * draw(st.integers(0, 3)) + [False] * draw(st.integers(0, 2)):
        sources: list[int] = []
        labels: list[int] = []
        for _ in range(draw(st.integers(0, 4))):
            count, label = draw(st.integers(0, 3)), draw(st.integers(0, CLASSES - 1))
            sources += [source] * count
            labels += [label] * count
            source += 1
        entries = st.lists(st.integers(0, CLASSES - 1), min_size=len(sources), max_size=len(sources))
        source_prediction, prediction = (
            np.array([draw(entries) for _ in LEVELS], dtype=np.int64).reshape(len(LEVELS), -1)
            for _ in range(2)
        )
        source_prediction[0] = np.array(labels, dtype=np.int64) + (0 if recognised else 1)
        rejected = draw(st.integers(0, 5))
        everything = len(sources) + rejected
        kept = draw(st.permutations(range(everything)))[: len(sources)]
        block = candidates(
            sources,
            labels,
            prediction=prediction,
            source_prediction=source_prediction,
            recognised=recognised,
            place=first + np.array(sorted(kept), dtype=np.int64),
            surrogate_prediction=np.array(draw(entries), dtype=np.int64),
            target=np.array(draw(entries), dtype=np.int64) - draw(st.integers(0, 1)),
            rejected=rejected,
        )
        first += everything
        blocks.append(block)
    return blocks


def shares(members: list[tuple[Candidates, int]]) -> dict[str, float | None]:
    """Accuracy at each level of some candidates, counted one by one."""
    if not members:
        return dict.fromkeys(LEVELS)
    return {
        level: sum(bool(b.prediction[row, i] == b.label[i]) for b, i in members) / len(members)
        for row, level in enumerate(LEVELS)
    }


def selection_of(seed: int, ladder: Ladder = LADDER) -> Selection:
    """A selection of all our sets that are parts of the candidates; each draws from a stream of this seed."""
    sets: dict[str, CandidatePart] = {}
    for name in SETS.own:
        if issubclass(kind := SETS[name], CandidatePart):
            sets[name] = kind()
    tallies = {
        name: CandidateTally(ladder, Sample(len(ladder.levels), SHAPE, CLASSES, kind.shown))
        for name, kind in sets.items()
    }
    random = {name: np.random.default_rng(seed) for name in sets}
    return Selection(sets, tallies, levels=len(ladder.levels), shape=SHAPE, random=random)


@settings(max_examples=100)
@given(candidate_blocks(), st.integers(0, 2**32))
def test_a_selection_equals_a_loop_over_the_candidates(blocks: list[Candidates], seed: int) -> None:
    selection = selection_of(seed)
    for block in blocks:
        selection.add(block)
    # Sources stand elsewhere in the pooled data set.
    source_index = 1000 - np.arange(100)
    everything = [(block, i) for block in blocks for i in range(len(block.label))]
    every = [(b, i) for b, i in everything if b.source_prediction[0, i] == b.label[i]]
    chosen = [(b, i) for b, i in every if b.prediction[0, i] != b.label[i]]
    fooled = [(b, i) for b, i in chosen if b.surrogate_prediction[i] != b.label[i]]
    known = [(b, i) for b, i in everything if b.source_prediction[-1, i] == b.label[i]]
    reverse = [(b, i) for b, i in known if b.prediction[-1, i] != b.label[i]]
    expected = {
        "adversarial": chosen,
        "candidates": every,
        "fooled": fooled,
        "reverse": reverse,
        "adversarial-both-ends": [(b, i) for b, i in chosen if b.source_prediction[-1, i] == b.label[i]],
        "reverse-both-ends": [(b, i) for b, i in reverse if b.source_prediction[0, i] == b.label[i]],
    }
    for name, own in expected.items():
        part = selection.parts[name].measured(source_index)
        assert part.accuracy == shares(own), name
        assert part.count == len(own), name
        assert part.distinct is None
        assert part.attack is None
        # There are fewer of them than a sample may hold, so it holds them all.
        assert sorted(image.tobytes() for image in part.sample.image) == sorted(
            b.image[i].tobytes() for b, i in own
        )
        assert sorted(part.sample.source) == sorted(1000 - b.source[i] for b, i in own)
    assert set(selection.parts) == {*expected, "one-per-source"}
    assert selection.attack.count == len(every)
    recognised = [block for block in blocks if block.recognised]
    assert selection.attack.rejected == sum(block.rejected for block in recognised)
    norms = {int(b.place[i]): float(b.l2[i]) for b, i in every}
    assert len(selection.norms) == len(every) + selection.attack.rejected
    for place, norm in enumerate(selection.norms.tolist()):
        assert norm == norms[place] if place in norms else math.isnan(norm)

    members, margins = selection.adversarial(), selection.margins()
    assert members.image.shape == (len(chosen), *SHAPE)
    assert members.image.dtype == np.float32
    assert members.prediction.shape == (len(LEVELS), len(chosen))
    for place, (block, i) in enumerate(chosen):
        assert np.array_equal(members.image[place], block.image[i])
        assert np.array_equal(members.prediction[:, place], block.prediction[:, i])
        assert margins[place] == max(block.support[i]) - block.support[i][block.label[i]]
        for name in ("source", "label", "target"):
            assert getattr(members, name)[place] == getattr(block, name)[i]

    by_source: dict[int, list[tuple[Candidates, int]]] = defaultdict(list)
    for b, i in chosen:
        by_source[int(b.source[i])].append((b, i))
    one_each = selection.parts["one-per-source"].measured(np.arange(100))
    assert one_each.count == len(by_source)
    assert sorted(one_each.sample.source.tolist()) == sorted(by_source)
    for row, level in enumerate(LEVELS):
        share = one_each.accuracy[level]
        right = [{bool(b.prediction[row, i] == b.label[i]) for b, i in own} for own in by_source.values()]
        if share is None:
            assert not by_source
        else:
            assert sum(one == {True} for one in right) <= round(share * len(right), 9)
            assert round(share * len(right), 9) <= sum(True in one for one in right)

    figures = selection.attack.figures()
    targeted = [(b, i) for b, i in every if b.target[i] >= 0]
    hit = [(b, i) for b, i in targeted if b.surrogate_prediction[i] == b.target[i]]
    if every:
        away = [(b, i) for b, i in every if b.surrogate_prediction[i] != b.label[i]]
        assert figures.surrogate_fooled == len(away) / len(every)
        assert figures.linf_max == max(float(b.linf[i]) for b, i in every)
        assert figures.l2_mean == pytest.approx(math.fsum(float(b.l2[i]) for b, i in every) / len(every))
    else:
        assert figures.surrogate_fooled is figures.linf_max is figures.l2_mean is None
    assert figures.target_hit == (len(hit) / len(targeted) if targeted else None)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 7), max_size=30), st.lists(st.integers(0, 7), max_size=12))
def test_every_margin_is_matched_by_the_nearest_on_offer_in_turn(own: list[int], offered: list[int]) -> None:
    places = match_margins(np.array(own, dtype=np.int64), np.array(offered, dtype=np.int64))
    if not offered:
        assert len(places) == 0
        return
    assert len(places) == len(own)
    got = [offered[place] for place in places]
    for margin, other in zip(own, got, strict=True):
        assert abs(other - margin) == min(abs(one - margin) for one in offered)
    for margin in set(own):
        times = Counter(place for place, mine in zip(places.tolist(), own, strict=True) if mine == margin)
        alike = [place for place, one in enumerate(offered) if one == offered[next(iter(times))]]
        counts = [times[place] for place in alike]
        assert max(counts) - min(counts) <= 1
        assert counts == sorted(counts, reverse=True)  # the first on offer first


def test_of_two_margins_equally_near_the_smaller_is_taken() -> None:
    assert match_margins(np.array([4, 4]), np.array([5, 3])).tolist() == [1, 1]


def test_a_margin_is_the_votes_by_which_the_true_label_was_missed() -> None:
    support = np.array([[3, 4, 0], [7, 0, 0], [3, 3, 1]])
    assert margin_of(support, np.array([0, 2, 0])).tolist() == [1, 7, 0]


def test_one_of_each_source_is_taken_with_equal_chances() -> None:
    """Three members of D a source and one candidate that is none; level j is right for member j alone."""
    sources, members = 3000, 3
    ladder = Ladder("K", ("7", "5", "3", "1"))
    levels = ladder.levels
    member = np.tile(np.arange(members + 1), sources)
    label = np.ones(len(member), dtype=np.int64)
    prediction = np.zeros((len(levels), len(member)), dtype=np.int64)
    for row in range(1, len(levels)):
        prediction[row, member == row - 1] = 1
    prediction[:, member == members] = 1
    # Interleaved, so that the members of a source do not stand side by side.
    source = np.repeat(np.random.default_rng(1).permutation(sources), members + 1)
    order = np.random.default_rng(2).permutation(len(member))
    block = candidates(source[order].tolist(), label[order].tolist(), prediction=prediction[:, order])
    selection = selection_of(3, ladder)
    selection.add(block)
    chosen = selection.parts["one-per-source"].measured(np.arange(sources))
    assert chosen.count == sources
    assert chosen.accuracy["7"] == 0, "the candidate that is no member of D was never chosen"
    counts = [share * sources for share in map(chosen.accuracy.get, "531") if share is not None]
    assert sum(counts) == pytest.approx(sources)
    # Binomial: mean n / 3, variance n (1/3) (2/3); four standard deviations.
    bound = 4 * math.sqrt(sources * 2 / 9)
    assert all(abs(count - sources / 3) < bound for count in counts)


def test_the_choice_among_a_sources_members_is_the_generators_alone() -> None:
    block = candidates(
        [0] * 40,
        [0] * 40,
        prediction=np.stack([np.ones(40), np.ones(40), np.arange(40) % 2]).astype(np.int64),
    )

    def choose(seed: int) -> float | None:
        selection = selection_of(seed)
        selection.add(block)
        return selection.parts["one-per-source"].measured(np.arange(1)).accuracy["narrow"]

    assert [choose(seed) for seed in range(20)] == [choose(seed) for seed in range(20)]
    assert {choose(seed) for seed in range(20)} == {0.0, 1.0}


def test_a_set_of_another_author_that_draws_moves_nothing_that_ours_draw() -> None:
    blocks = [candidates([source] * 6, [1] * 6, place=6 * source + np.arange(6)) for source in range(30)]

    def one_per_source(extra: dict[str, CandidatePart]) -> dict[str, float | None]:
        ours: dict[str, CandidatePart] = {"adversarial": Adversarial(), "one-per-source": OnePerSource()}
        sets = {**extra, **ours}
        tallies = {name: CandidateTally(LADDER, Sample(3, SHAPE, CLASSES, 10)) for name in sets}
        random = {name: np.random.default_rng(7) for name in sets}
        selection = Selection(sets, tallies, levels=3, shape=SHAPE, random=random)
        for block in blocks:
            selection.add(block)
        return dict(tallies["one-per-source"].measured(np.arange(30)).accuracy)

    assert one_per_source({"half": Half()}) == one_per_source({})
