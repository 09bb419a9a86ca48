"""What the form learns of the world around it: data sets, past experiments, whether a result exists, previews."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.data.catalogue import CATALOGUE, availability, check_available
from core.errors import AefitError, DataError, ExperimentError
from core.files.locations import experiments_dir
from core.previews.records import AttackPreview, AttackRequest, DataPreview, DataRequest
from core.records.home import experiment_id
from core.records.overview import Overview, OverviewReader
from core.spec.spec import Spec
from tui_aefit.following.past import Past, read_past
from tui_aefit.lab import previews
from tui_aefit.shell.settings import Settings


class Surroundings:
    """Asked by the form. Reads files and starts processes, but for `missing` and `where` not on the screen's time.

    complain: told of what cannot be read, from any thread. A word for the data folder is "" for the settings' own.
    """

    def __init__(self, settings: Settings, complain: Callable[[AefitError], None]) -> None:
        self._settings = settings
        self._complain = complain
        self._overviews = OverviewReader(settings.home)
        self._data: dict[DataRequest, DataPreview] = {}
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
        """What to do where a named set is not there, else ""."""
        try:
            check_available(name, self.data_dir(data_dir))
        except DataError as error:
            return f"{error.hint}; {error}"
        return ""

    def where(self, name: str, data_dir: str) -> str:
        """Where a named set lies, or what of it is missing."""
        return availability(name, self.data_dir(data_dir)).detail

    def past(self) -> Past:
        """What past experiments tell; nothing where the home cannot be listed. Takes long."""
        try:
            return read_past(self._settings.home)
        except ExperimentError as error:
            self._complain(error)
            return Past()

    def standing(self, spec: Spec) -> Overview | None:
        """The experiment of a spec as it stands, None where there is none. Takes long."""
        folder = experiments_dir(self._settings.home) / experiment_id(spec)
        return self._overviews.look_at(folder) if folder.is_dir() else None

    async def look_at_data(self, dataset: str, data_dir: str) -> DataPreview:
        """Some images of a data set. Raises DataError for one that an experiment would refuse, else AefitError."""
        request = DataRequest(
            dataset=dataset, data_dir=str(self.data_dir(data_dir)), cache_dir=self._cache_dir
        )
        # A user's own may have changed.
        if request not in self._data or dataset not in CATALOGUE:
            found = await previews.preview(request)
            assert isinstance(found, DataPreview)
            self._data[request] = found
        return self._data[request]

    async def try_attack(self, spec: Spec) -> AttackPreview:
        """An example of a spec's attack. Raises AefitError."""
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

    @property
    def _cache_dir(self) -> str:
        return "" if self._settings.no_cache else str(self._settings.cache_dir)
