"""The specification that settings ask for: its defaults may follow from the data set and the classifier family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.data.catalogue import default_epochs, resolve
from core.declarations.setting import Value
from core.families.registry import FAMILIES, unfilled_by
from core.sets.registry import own_controls
from core.spec.settings import COMMON
from core.spec.spec import Spec


def spec_of(values: Mapping[str, object]) -> Spec:
    """The spec with these values; those left out take their defaults, which depend on the data set.

    Raises DataError for a data set that is neither a name nor there, SpecError for any other wrong value,
    PluginError for a plug-in that cannot be loaded.
    """
    given = dict(values)
    dataset = resolve(str(given.get("dataset", COMMON["dataset"].default)))
    given["dataset"] = str(dataset.resolve()) if isinstance(dataset, Path) else dataset.name
    family = given.get("family", COMMON["family"].default)
    if isinstance(family, str) and family in FAMILIES:  # else the specification refuses it
        given = {**following_defaults(str(given["dataset"]), family), **given}
    return Spec.from_mapping(given)


def following_defaults(dataset: str, family: str) -> dict[str, Value]:
    """The defaults that follow from other settings: epochs from the data set, controls from the family.

    The controls are ours but for those that the family cannot fill. dataset: a name of the catalogue, or a path.
    Raises SpecError, PluginError as `unfilled_by` does.
    """
    unfilled = unfilled_by(family)
    controls = tuple(name for name in own_controls() if name not in unfilled)
    return {"epochs": default_epochs(dataset), "controls": controls}
