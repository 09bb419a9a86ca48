"""The form's look-ups in workers: past experiments, what exists, data sets, an example of the attack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from textual.message import Message
from textual.screen import Screen
from textual.worker import WorkType

from core.data.catalogue import CATALOGUE, OWN_SUFFIXES
from core.errors import AefitError, DataError
from core.spec.spec import Spec
from tui_aefit.following.past_runs import Past
from tui_aefit.lab.background import describe_error
from tui_aefit.lab.form_context import FormContext, Standing, StudyStanding
from tui_aefit.lab.widgets.setup.form_facts import Looked, Tried
from tui_aefit.lab.widgets.setup.paths import completions

if TYPE_CHECKING:
    from core.records.study import Study

PAUSE_SECONDS = 0.3
"""How many seconds a word must stay unchanged before anything is looked up for it."""
UNKNOWN = Standing(None, "…")


class LookedUp(Message):
    """A look-up has ended. what: of which kind: "past", for instance."""

    def __init__(self, what: Literal["past", "standing", "data", "example"]) -> None:
        super().__init__()
        self.what = what


@dataclass(frozen=True)
class Keys:
    """The keys of the form that start what is asked for, and that open what exists of it."""

    start: str
    show: str


class Lookups:
    """What was looked up so far. Posts `LookedUp` to `screen`, with which its workers end."""

    def __init__(self, screen: Screen[Any], form_context: FormContext) -> None:
        self._screen = screen
        self._form_context = form_context
        self.past = Past()
        self.looked = Looked()
        self.tried = Tried()
        self._stood: tuple[Spec | None, Standing] = (None, UNKNOWN)
        self._study_stood: tuple[Study | None, StudyStanding | None] = (None, None)

    def forget(self) -> None:
        """Forget what may have changed while other screens were shown, and read past experiments again."""
        self.load_past()
        self._stood, self._study_stood = (None, UNKNOWN), (None, None)
        if self.looked.dataset not in CATALOGUE:
            self.looked = Looked()

    # Past experiments

    def load_past(self) -> None:
        """Read past experiments, in a worker."""

        def load() -> None:
            self.past = self._form_context.past()
            self._screen.post_message(LookedUp("past"))

        self._screen.run_worker(load, thread=True, exclusive=True, group="past")

    # What exists already

    def standing(self, spec: Spec) -> Standing:
        """Whether an experiment exists; UNKNOWN until that was looked up."""
        return self._stood[1] if self._stood[0] == spec else UNKNOWN

    def standing_of_study(self, study: Study) -> StudyStanding | None:
        """What exists of a study; None until that was looked up."""
        return self._study_stood[1] if self._study_stood[0] == study else None

    def look_for(self, spec: Spec, keys: Keys) -> None:
        """Look whether an experiment exists, unless that is known. keys: to name in the answer."""
        if self._stood[0] != spec:
            look = partial(self._form_context.standing, spec, start=keys.start, show=keys.show)
            self._run("standing", partial(self._look_for, spec, look))

    async def _look_for(self, spec: Spec, look: Callable[[], Standing]) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        self._stood = spec, await asyncio.to_thread(look)
        self._screen.post_message(LookedUp("standing"))

    def look_for_study(self, study: Study) -> None:
        """Look what exists of a study, unless that is known."""
        if self._study_stood[0] != study:
            self._run("standing", partial(self._look_for_study, study))

    async def _look_for_study(self, study: Study) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        self._study_stood = study, await asyncio.to_thread(self._form_context.standing_of_study, study)
        self._screen.post_message(LookedUp("standing"))

    # Data

    def follow_data(self, dataset: str, data_dir: str, missing: str, *, is_there: bool) -> None:
        """Note which data set the form names now, and look at it if it is a person's own.

        missing: what is missing of a named set. is_there: whether the name is not known to be wrong.
        """
        if (self.looked.dataset, self.looked.data_dir) == (dataset, data_dir):
            return
        own = bool(dataset) and dataset not in CATALOGUE
        self.looked = Looked(dataset, data_dir, trouble=missing, pending=own and is_there)
        if own:
            self._look_at_data(self.looked)

    def read_named_data(self) -> None:
        """Read images of a named set, unless they are known, are being read, or cannot be read."""
        if not (self.looked.preview or self.looked.trouble or self.looked.pending):
            self.looked = replace(self.looked, pending=True)
            self._look_at_data(self.looked)

    @property
    def is_unread(self) -> bool:
        """Whether the data set is a person's own that is still being looked at."""
        return self.looked.pending and self.looked.dataset not in CATALOGUE

    def _look_at_data(self, asked: Looked) -> None:
        self._run("data", partial(self._look, asked))

    async def _look(self, asked: Looked) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        if asked.dataset in CATALOGUE or asked.pending:
            found = await self._read(asked)
        else:
            near = await asyncio.to_thread(completions, asked.dataset, OWN_SUFFIXES)
            found = replace(asked, near=tuple(near))
        if (self.looked.dataset, self.looked.data_dir) == (asked.dataset, asked.data_dir):
            self.looked = found
            self._screen.post_message(LookedUp("data"))

    async def _read(self, asked: Looked) -> Looked:
        try:
            preview = await self._form_context.look_at_data(asked.dataset, asked.data_dir)
        except AefitError as error:
            refused = isinstance(error, DataError)
            return replace(asked, trouble=describe_error(error), refused=refused, pending=False)
        return replace(asked, preview=preview, pending=False)

    # An example of the attack

    def try_attack(self, spec: Spec) -> None:
        """Make an example of a spec's attack, unless there is one."""
        if not self.tried.fits(spec):
            self.tried = Tried(spec)
            self._run("attack", partial(self._try, spec))

    async def _try(self, spec: Spec) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            self.tried = Tried(spec, await self._form_context.try_attack(spec))
        except AefitError as error:
            self.tried = Tried(spec, None, f"there is no example: {describe_error(error)}")
        self._screen.post_message(LookedUp("example"))

    def _run(self, group: str, work: WorkType[None]) -> None:
        """Start a look-up in a worker, cancelling one of the same group that has not ended."""
        self._screen.run_worker(work, exclusive=True, group=group)
