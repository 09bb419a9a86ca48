"""The stages that a run goes through and names in its events, in this order."""

from __future__ import annotations

from core.sets.registry import SETS, is_known
from core.spec.spec import Spec

SPLIT = "split"
CLASSIFIER = "classifier"
HALVES = "halves"
SURROGATE = "surrogate"
CANDIDATES = "candidates"


def stages_of(spec: Spec) -> tuple[str, ...]:
    """The stages of every run of an experiment; each control that attacks anew is a stage, under its name.

    A control whose plug-in cannot be loaded is left out: whether it attacks is not known.
    """
    anew = (name for name in spec.controls if is_known(name) and SETS[name].draws)
    return (SPLIT, CLASSIFIER, HALVES, SURROGATE, CANDIDATES, *anew)
