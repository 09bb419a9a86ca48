"""The experiments that a key is about: with which of them its action is possible, and words for the question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from core.declarations.printable import printable
from core.records.experiment import Experiment
from core.records.overview import Overview
from core.report.formatting import counted

MOST_COMPARED = 12
"""How many experiments are compared in one chart, at most: more cannot be told apart."""
MOST_NAMED = 6
"""How many experiments a question names, at most."""

Refusal = Callable[[Overview], str]
"""An overview -> why the action is not possible with the experiment, "" where it is."""


@dataclass(frozen=True)
class ActionTargets:
    """The experiments that a key is about, one or several, in the order of the list.

    able: those with which its action is possible. left_out: for each of the others, why not. failed: whether one of
    the others cannot be read or must not be changed. listed: the ids that the list shows.
    """

    overviews: Sequence[Overview]
    able: list[Experiment]
    left_out: list[str]
    failed: bool
    listed: Collection[str]

    @property
    def several(self) -> bool:
        """Whether the key is about several experiments."""
        return len(self.overviews) > 1

    @property
    def those(self) -> list[Overview]:
        """The overviews of `able`."""
        ids = {experiment.id for experiment in self.able}
        return [one for one in self.overviews if one.id in ids]

    @property
    def refusal(self) -> str:
        """Why the action is possible with none of them; only where `able` is empty."""
        first, *others = self.left_out
        return f"with none of {len(self.left_out)}: {first}" if others else first

    @property
    def whose(self) -> str:
        """The id of the experiment, or how many there are: "3 experiments"."""
        return counted(len(self.able), "experiment") if self.several else self.able[0].id

    def question(self, verb: str) -> str:
        """The question whether to do it: "Delete 3 of 4 experiments?"."""
        many = len(self.overviews)
        of = f" of {many}" if len(self.able) < many else ""
        return f"{verb} {len(self.able)}{of} experiments?" if self.several else f"{verb} {self.able[0].id}?"

    def named(self, more: str) -> str:
        """The detail of a question: `more`, for several experiments also which they are and which are left out."""
        if not self.several:
            return more
        names = [experiment.id for experiment in self.able[:MOST_NAMED]]
        names += [f"and {len(self.able) - MOST_NAMED} more"] if len(self.able) > MOST_NAMED else []
        hidden = sum(experiment.id not in self.listed for experiment in self.able)
        lines = [*names, f"{hidden} of them the filter hides." if hidden else "", more]
        lines += [f"Not: {reason}" for reason in self.left_out[:MOST_NAMED]]
        return "\n".join(filter(None, lines))


def targets_of(
    overviews: Sequence[Overview],
    listed: Collection[str],
    refuse: Refusal = lambda one: "",
    *,
    change: bool = True,
) -> ActionTargets:
    """Those of `overviews` with which an action is possible, and why not with the others.

    refuse: further reasons against it, of the action's own. change: whether the action changes the experiment,
    which is forbidden for one that this version can only read.
    """
    able: list[Experiment] = []
    left_out: list[str] = []
    failed = False
    for one in overviews:
        why = forbidden(one, change=change)
        failed = failed or bool(why)
        if reason := why or refuse(one):
            left_out.append(reason)
        elif one.experiment is not None:
            able.append(one.experiment)
    return ActionTargets(overviews, able, left_out, failed, listed)


def forbidden(overview: Overview, *, change: bool) -> str:
    """Why an experiment cannot be read or, for `change`, must not be changed; "" where neither is so."""
    if overview.experiment is None:
        return f"{printable(overview.id)}: {printable(overview.reason)}"
    if change and overview.read_only:
        return f"{printable(overview.id)} can only be read: {printable(overview.reason)}"
    return ""
