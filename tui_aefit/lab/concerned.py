"""The experiments that a key is about: with which of them something can be done, and how a question names them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from core.declarations.printable import printable
from core.records.experiment import Experiment
from core.records.overview import Overview
from core.report.formatting import counted

MOST_COMPARED = 12
"""How many experiments can be told apart in one chart."""
MOST_NAMED = 6
"""How many experiments a question names."""

Refusal = Callable[[Overview], str]
"""Why something cannot be done with an experiment, "" where it can."""


@dataclass(frozen=True)
class Concerned:
    """What a key is about, one experiment or several, in the order of the list.

    able: those with which it can be done. left_out: why it cannot with each of the others. failed: whether one of
    them cannot be read or must not be changed. listed: the ids that the filter leaves.
    """

    overviews: Sequence[Overview]
    able: list[Experiment]
    left_out: list[str]
    failed: bool
    listed: Collection[str]

    @property
    def several(self) -> bool:
        """Whether the key is about several."""
        return len(self.overviews) > 1

    @property
    def those(self) -> list[Overview]:
        """What is known of those with which it can be done."""
        ids = {experiment.id for experiment in self.able}
        return [one for one in self.overviews if one.id in ids]

    @property
    def refusal(self) -> str:
        """Why it can be done with none of them."""
        first, *others = self.left_out
        return f"with none of {len(self.left_out)}: {first}" if others else first

    @property
    def whose(self) -> str:
        """The experiment, or how many."""
        return counted(len(self.able), "experiment") if self.several else self.able[0].id

    def question(self, verb: str) -> str:
        """Whether to do it."""
        many = len(self.overviews)
        of = f" of {many}" if len(self.able) < many else ""
        return f"{verb} {len(self.able)}{of} experiments?" if self.several else f"{verb} {self.able[0].id}?"

    def named(self, more: str) -> str:
        """What to know before a question is answered that is about several: which they are, which are left out."""
        if not self.several:
            return more
        names = [experiment.id for experiment in self.able[:MOST_NAMED]]
        names += [f"and {len(self.able) - MOST_NAMED} more"] if len(self.able) > MOST_NAMED else []
        hidden = sum(experiment.id not in self.listed for experiment in self.able)
        lines = [*names, f"{hidden} of them the filter hides." if hidden else "", more]
        lines += [f"Not: {reason}" for reason in self.left_out[:MOST_NAMED]]
        return "\n".join(filter(None, lines))


def concerned(
    overviews: Sequence[Overview],
    listed: Collection[str],
    refuse: Refusal = lambda one: "",
    *,
    change: bool = True,
) -> Concerned:
    """With which of these it can be done.

    refuse: why not, where the folder itself allows it. change: whether it is changed, which this version must not
    do with everything that it can read.
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
    return Concerned(overviews, able, left_out, failed, listed)


def forbidden(overview: Overview, *, change: bool) -> str:
    """Why nothing can be done with an experiment, or it must not be changed; "" where all can."""
    if overview.experiment is None:
        return f"{printable(overview.id)}: {printable(overview.reason)}"
    if change and overview.read_only:
        return f"{printable(overview.id)} can only be read: {printable(overview.reason)}"
    return ""
