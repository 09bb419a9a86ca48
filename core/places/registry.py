"""The places besides this machine where runs are computed, each by a setting. A new one is an entry here."""

from __future__ import annotations

from dataclasses import dataclass

from core.declarations.setting import Setting
from core.places.dask import DaskKind
from core.places.launcher import LauncherKind


@dataclass(frozen=True)
class Place:
    """setting: the text by which a person has runs computed there; one place at most can be set at a time.

    executor: "module:name" of the class, or the function, that makes the executor from a
    `core.engine.executor.Request` and raises AefitError where there can be none. Only a coordinator imports it,
    and only where the setting is set.
    """

    setting: Setting
    executor: str


_ENTRIES = (
    Place(
        setting=Setting(
            name="launcher", title="Launcher", metavar="COMMAND", kind=LauncherKind(), identifies=False,
            default_text="none: processes on this machine",
            help="what to put before each worker, such as 'srun -n1' or 'ssh {node1,node2}'; --jobs says how many",
        ),
        executor="core.engine.launched:make_executor",
    ),
    Place(
        setting=Setting(
            name="dask", title="Dask cluster", metavar="CLUSTER", kind=DaskKind(), identifies=False,
            default_text="none: processes on this machine",
            help="compute on Dask: ADDRESS, FILE.json, slurm, ssh:HOST,HOST or local; --jobs says how many",
        ),
        executor="core.engine.dask_tasks:make_executor",
    ),
)  # fmt: skip

PLACES: dict[str, Place] = {place.setting.name: place for place in _ENTRIES}
"""The places by the names of their settings, in the order in which the help shows them."""
