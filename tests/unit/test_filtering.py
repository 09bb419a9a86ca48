"""The filter of the list: what its words mean, what is said of those without a meaning."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records.annotations import Annotations
from core.records.status import ExperimentStatus
from core.spec.spec import Spec
from tests.unit.test_listing import OTHER, PAPER, UNREADABLE, found, overview
from tui_aefit.following.filtering import FIELDS, select

FASHION = replace(
    overview(
        Spec(dataset="fashion-mnist", attack="fgsm-untargeted", options={"z": 9}, seed=12),
        folder="fashion-mnist-fgsm-untargeted-00ff",
    ),
    annotations=Annotations("fig:5 [draft]", ("new one",), "Compare with\nthe paper"),
    findings=found(0.5, 0.1, "higher"),
)
ALL = (PAPER, OTHER, UNREADABLE, FASHION)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ALL), ("  ", ALL),
        # Anywhere, in any case.
        ("fig5", [PAPER]), ("1f3a", [PAPER]), ("DEEPFOOL", [OTHER]), ("cifar", [OTHER]), ("inter", [OTHER]),
        ("rubb", [UNREADABLE]), ("unread", [UNREADABLE]), ("fgsm comp", [PAPER, FASHION]), ("paper cifar", []),
        ("zzz", []), ("mnist", [PAPER, FASHION]), ("compare", [FASHION]),
        # Of a field: the whole value where there is one, else a part of it.
        ("attack:fgsm", [PAPER]), ("attack:fg", [PAPER, FASHION]), ("attack:FGSM-untargeted", [FASHION]),
        ("dataset:mnist", [PAPER]), ("data:fashion", [FASHION]), ("state:interrupted", [OTHER]),
        ("status:complete", [PAPER, FASHION]), ("tag:fig5", [PAPER]), ("tag:new", [FASHION]),
        ('tag:"new one"', [FASHION]), ("label:the", [PAPER]), ("note:draft", []), ("note:paper", [FASHION]),
        ("id:rubbish", [UNREADABLE]), ("decision:higher", [FASHION]),
        # Settings, numbers as numbers.
        ("z:9", [FASHION]), ("z=7", [PAPER, OTHER]), ("epsilon:.10", [PAPER, OTHER, FASHION]),
        ("eps:0.1 seed:12", [FASHION]), ("seed:1", [FASHION]), ("tie-rule:lowest", [PAPER, OTHER, FASHION]),
        # Bounds.
        ("z>7", [FASHION]), ("z>=7 epsilon<=0.1", [PAPER, OTHER, FASHION]), ("z:<9", [PAPER, OTHER]),
        ("epsilon>0.1", []), ("eps>.05", [PAPER, OTHER, FASHION]), ("!z>7", [PAPER, OTHER, UNREADABLE]),
        ("a>=0.5 dataset:fashion", [FASHION]), ("a>0.5 dataset:fashion", []), ("rise<=0.1 rise>0.09", [FASHION]),
        # Patterns.
        ("mnist-*", [PAPER]), ("*fgsm*", [PAPER, FASHION]), ("attack:fgsm*", [PAPER, FASHION]),
        ("tag:*", [PAPER, FASHION]),
        ("dataset:*mnist", [PAPER, FASHION]), ("label:*[draft]", [FASHION]), ("attack:fgs?", []),
        # Not.
        ("!fgsm", [OTHER, UNREADABLE]), ("!attack:fgsm", [OTHER, UNREADABLE, FASHION]),
        ("mnist !state:complete", []), ("!", []),
        # A colon within a person's own words.
        ("fig:5", [FASHION]),
    ],
)  # fmt: skip
def test_a_filter_leaves_those_that_fit_all_its_words(words: str, expected: list[object]) -> None:
    assert list(select(ALL, words).overviews) == list(expected)


@pytest.mark.parametrize(
    ("words", "said", "left"),
    [
        ("attac:fgsm", "there is no field attac: did you mean attack?", 0),
        (
            "qqq:1",
            "there is no field qqq: expected id, label, tag, note, state, decision, dataset, attack, "
            "a, rise and study or a setting",
            0,
        ),
        ("attack:", "attack: deepfool, fgsm, fgsm-untargeted", 4),
        ("attack:pgd", "no attack is like 'pgd': there are deepfool, fgsm, fgsm-untargeted", 0),
        ("steps:7", "no steps is like '7'", 0),
        ("z>", "z: from 7 to 9", 4),
        ("z>9", "no z is > 9: from 7 to 9", 0),
        ("epsilon<=many", "epsilon<= is followed by a number, not by 'many'", 0),
        ("steps>3", "no steps is > 3: no experiment has a number", 0),
        ("attac>3", "there is no field attac: did you mean attack?", 0),
        ("steps:", "steps: no experiment has one", 4),
        ("mnist state:faild", "no state is like 'faild': there are complete, interrupted, unreadable", 0),
    ],
)
def test_what_is_not_understood_is_said(words: str, said: str, left: int) -> None:
    found = select(ALL, words)
    assert found.problems == (said,)
    assert len(found.overviews) == left


def test_every_field_is_understood() -> None:
    for name in (*FIELDS, *Spec().values):
        assert not any("no field" in problem for problem in select(ALL, f"{name}:x").problems), name


@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from(["attack", ":", "=", "*", "!", '"', "[", " ", "z", "9", "?", "<", ">", "nan"])
    ).map("".join)
)
@settings(max_examples=200)
def test_nothing_that_is_typed_breaks_it_and_the_order_stays(text: str) -> None:
    found = select(ALL, text)
    assert list(found.overviews) == [one for one in ALL if one in found.overviews]


def test_a_running_one_that_was_asked_to_stop_is_found_by_either_word() -> None:
    stopping = replace(PAPER, status=ExperimentStatus.RUNNING, stopping=True)
    assert (
        select([stopping], "state:running").overviews
        == select([stopping], "state:stopping").overviews
        == (stopping,)
    )


def test_the_experiments_of_a_study_are_found_by_its_name() -> None:
    studies = {PAPER.id: ("epsilon", "all"), FASHION.id: ("all",)}
    assert select(ALL, "study:epsilon", studies).overviews == (PAPER,)
    assert select(ALL, "study:ALL", studies).overviews == (PAPER, FASHION)
    assert select(ALL, "!study:all attack:deepfool", studies).overviews == (OTHER,)
    nothing = select(ALL, "study:none", studies)
    assert nothing.overviews == ()
    assert nothing.problems == ("no study is like 'none': there are all, epsilon",)
    assert select(ALL, "study:", studies).problems == ("study: all, epsilon",)
