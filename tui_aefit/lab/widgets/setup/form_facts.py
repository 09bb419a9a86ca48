"""What the set-up screen has looked up so far, for the notes beside the form. Light: imported from the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.declarations.setting import Setting
from core.spec.spec import Spec
from tui_aefit.following.past_runs import Past
from tui_aefit.following.size import Size

if TYPE_CHECKING:
    from core.previews.records import AttackPreview, DataPreview

OF_DATA = ("dataset", "test_size", "data_dir")
OF_RUNS = ("runs", "splits", "jobs", "threads")
"""The settings that are explained together."""
USUAL_OVERLAP = 1 / 6
"""n_test / n_train where it is not known yet: that of MNIST."""


@dataclass(frozen=True)
class Looked:
    """What is known of the data set that the form names. dataset, data_dir: the words.

    preview: None until it is made, or where `trouble` says why it cannot be. refused: an experiment would refuse
    the data set too. near: the paths there are that begin with the typed one, which is none.
    pending: the data set is being read.
    """

    dataset: str = ""
    data_dir: str = ""
    preview: DataPreview | None = None
    trouble: str = ""
    refused: bool = False
    near: tuple[str, ...] = ()
    pending: bool = False

    @property
    def size(self) -> Size | None:
        """The size of the data set, None until its preview is made."""
        found = self.preview
        return None if found is None else Size(found.images, found.classes, found.test_size, found.shape)


@dataclass(frozen=True)
class Tried:
    """What is known of an attack's example. spec: whose attack it is of. preview, trouble: as in `Looked`."""

    spec: Spec | None = None
    preview: AttackPreview | None = None
    trouble: str = ""

    def fits(self, spec: Spec) -> bool:
        """Whether the example is that of this specification's attack."""
        return self.spec is not None and _example_of(self.spec) == _example_of(spec)


@dataclass(frozen=True)
class Known:
    """All that a note can be about. setting: of the field in focus. parts: the chosen attack, family, surrogate.

    spec: the last valid one, None before the first. overlap: n_test / n_train of its runs.
    where: a data set of the catalogue lies, or what of it is missing.
    """

    setting: Setting
    parts: Mapping[str, str]
    spec: Spec | None
    past: Past
    overlap: float
    looked: Looked
    where: str
    tried: Tried


def _example_of(spec: Spec) -> tuple[object, ...]:
    """What the example of an attack depends on."""
    return spec.attack, spec.epsilon, tuple(spec.part_options("attack").items())
