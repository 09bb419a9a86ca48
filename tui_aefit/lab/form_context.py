"""Answers the form's questions: on data sets, past experiments, whether a result exists, and previews."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.catalogue import CATALOGUE, availability, check_available
from core.errors import AefitError, DataError, ExperimentError, StudyError
from core.files.locations import experiments_dir
from core.spec.spec import Spec
from tui_aefit.following.past_runs import Past, read_past
from tui_aefit.shell.settings import Settings

if TYPE_CHECKING:
    from core.previews.records import AttackPreview, DataPreview
    from core.records.experiment import Experiment
    from core.records.overview import OverviewReader
    from core.records.study import Study
    from core.records.study_state import CellState

# Modules for look-ups in workers are imported there: the first picture of the lab does not wait for them.


@dataclass(frozen=True)
class Standing:
    """Whether an experiment exists, in words (text). experiment: None where there is none that can be opened."""

    experiment: Experiment | None
    text: str


@dataclass(frozen=True)
class StudyStanding:
    """What exists of a study that is being set up.

    cells: id -> experiment; {} where they could not be looked at. there: the existing study of its name, None where
    there is none that can be read.
    """

    cells: Mapping[str, CellState]
    there: Study | None


class FormContext:
    """Answers the form's questions. Only `missing` and `where` are fast enough for the screen itself to call: the
    other look-ups read many files or start processes.

    complain: told of what cannot be read, from any thread. A data folder's word is "" for that of the settings.
    """

    def __init__(self, settings: Settings, complain: Callable[[AefitError], None]) -> None:
        self._settings = settings
        self._complain = complain
        self._data: dict[str, DataPreview] = {}
        self._attacks: dict[str, AttackPreview] = {}

    def data_dir(self, word: str) -> Path:
        """The data folder that a word of the form names, absolute."""
        try:
            return Path(word).expanduser().absolute() if word else self._settings.data_dir
        except RuntimeError:  # there is no such user
            return Path(word).absolute()

    def folders(self, data_dir: str) -> dict[str, str]:
        """`home` and `data_dir` where they are not the defaults, for a command line."""
        given = {name for name in ("home", "data_dir") if self._settings[name] is not None}
        found = {"home": str(self._settings.home), "data_dir": str(self.data_dir(data_dir))}
        return {
            name: path for name, path in found.items() if name in given or (name == "data_dir" and data_dir)
        }

    def missing(self, name: str, data_dir: str) -> str:
        """What to do about a named set that is not there; "" for one that is."""
        try:
            check_available(name, self.data_dir(data_dir))
        except DataError as error:
            return f"{error.hint}; {error}"
        return ""

    def where(self, name: str, data_dir: str) -> str:
        """Where a named set lies, or what of it is missing."""
        return availability(name, self.data_dir(data_dir)).detail

    def past(self) -> Past:
        """The past of the home; an empty one where that cannot be listed. Takes long."""
        try:
            return read_past(self._settings.home)
        except ExperimentError as error:
            self._complain(error)
            return Past()

    def standing(self, spec: Spec, *, start: str, show: str) -> Standing:
        """Whether the experiment of a spec exists; `start`, `show`: see `describe_standing`. Takes long."""
        from core.records.home import experiment_id  # noqa: PLC0415
        from tui_aefit.following.existing import describe_standing  # noqa: PLC0415

        folder = experiments_dir(self._settings.home) / experiment_id(spec)
        found = self._overviews.look_at(folder) if folder.is_dir() else None
        text = describe_standing(spec.runs, found, start=start, show=show)
        return Standing(found.experiment if found is not None else None, text)

    def planned(self, name: str, specs: Sequence[Spec]) -> Study:
        """The study of this name that would be made of these experiments."""
        from tui_aefit.following.planned_study import planned_study  # noqa: PLC0415

        return planned_study(self._settings.home, name, specs)

    def standing_of_study(self, study: Study) -> StudyStanding:
        """What exists of a planned study. Takes long."""
        from core.records.study import load_study  # noqa: PLC0415
        from core.records.study_state import read_study_state  # noqa: PLC0415

        there: Study | None = None
        cells: Sequence[CellState] = ()
        try:
            if study.folder.is_dir():
                there = load_study(study.folder)
        except StudyError as error:
            self._complain(error)
        try:
            cells = read_study_state(study, self._overviews).cells
        except OSError as error:
            self._complain(StudyError(f"cannot read {study.folder}: {error.strerror}"))
        return StudyStanding({cell.cell.id: cell for cell in cells}, there)

    async def look_at_data(self, dataset: str, data_dir: str) -> DataPreview:
        """The preview of a data set. Raises DataError for one that an experiment would refuse, else AefitError."""
        from core.previews.records import DataPreview, DataRequest  # noqa: PLC0415
        from tui_aefit.lab import previews  # noqa: PLC0415

        request = DataRequest(
            dataset=dataset, data_dir=str(self.data_dir(data_dir)), cache_dir=self._cache_dir
        )
        key = repr(request)
        # A user's own may have changed.
        if key not in self._data or dataset not in CATALOGUE:
            found = await previews.preview(request)
            assert isinstance(found, DataPreview)
            self._data[key] = found
        return self._data[key]

    async def try_attack(self, spec: Spec) -> AttackPreview:
        """An example of a spec's attack. Raises AefitError."""
        from core.previews.records import AttackPreview, AttackRequest  # noqa: PLC0415
        from tui_aefit.lab import previews  # noqa: PLC0415

        options = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in spec.part_options("attack").items()
        }
        request = AttackRequest(
            attack=spec.attack, epsilon=spec.epsilon, options=options, cache_dir=self._cache_dir
        )
        key = repr(request)
        if key not in self._attacks:
            found = await previews.preview(request)
            assert isinstance(found, AttackPreview)
            self._attacks[key] = found
        return self._attacks[key]

    @cached_property
    def _overviews(self) -> OverviewReader:
        from core.records.overview import OverviewReader  # noqa: PLC0415

        return OverviewReader(self._settings.home)

    @property
    def _cache_dir(self) -> str:
        return "" if self._settings.no_cache else str(self._settings.cache_dir)
