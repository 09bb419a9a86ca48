"""The specification that settings ask for: its defaults may follow from the data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.data.catalogue import default_epochs, resolve
from core.spec.settings import COMMON
from core.spec.spec import Spec


def spec_of(values: Mapping[str, object]) -> Spec:
    """The spec with these values; those left out take their defaults, which depend on the data set.

    Raises DataError for a data set that is neither a name nor there, SpecError for any other wrong value,
    PluginError for a plug-in that cannot be loaded.
    """
    given = dict(values)
    dataset = resolve(str(given.get("dataset", COMMON["dataset"].default)))
    name = str(dataset.resolve()) if isinstance(dataset, Path) else dataset.name
    given["dataset"] = name
    given.setdefault("epochs", default_epochs(name))
    return Spec.from_mapping(given)
