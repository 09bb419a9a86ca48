"""What the set-up screen knows so far, of which a note stands beside the form. Light: there from the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.declarations.setting import Setting
from core.spec.spec import Spec
from tui_aefit.following.past import Past
from tui_aefit.following.size import Size

if TYPE_CHECKING:
    from core.previews.records import AttackPreview, DataPreview

OF_DATA = ("dataset", "test_size", "data_dir")
OF_RUNS = ("runs", "splits", "jobs", "threads")
"""The settings that are explained together."""
USUAL_OVERLAP = 1 / 6
"""Test images for each training image, where that is not known yet: MNIST's."""


@dataclass(frozen=True)
class Looked:
    """What is known of the data that the form names. dataset, data_dir: the words.

    preview: None until it is there, or where trouble says why not. refused: an experiment would refuse it too.
    near: what a path that leads nowhere may be the beginning of. pending: it is being read.
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
        """How large it is."""
        found = self.preview
        return None if found is None else Size(found.images, found.classes, found.test_size, found.shape)


@dataclass(frozen=True)
class Tried:
    """What is known of an attack's example. spec: whose attack it is of. preview, trouble: as in `Looked`."""

    spec: Spec | None = None
    preview: AttackPreview | None = None
    trouble: str = ""

    def fits(self, spec: Spec) -> bool:
        """Whether it is the example of this specification's attack, too."""
        return self.spec is not None and _example_of(self.spec) == _example_of(spec)


@dataclass(frozen=True)
class Known:
    """All that a note can speak of. setting: the field in focus. parts: the chosen attack, family, surrogate.

    spec: the last one that was right, None where there was none. overlap: n_test / n_train of its runs.
    where: the data of the catalogue lie, or what of them is missing.
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
