"""Many experiments as one: every combination of the values that settings have, or a list of cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from core.data.catalogue import CATALOGUE
from core.declarations.setting import Value
from core.errors import SpecError
from core.spec.resolved import following_defaults, spec_of
from core.spec.settings import COMMON, NOT_IDENTIFYING, PARTS, known_options, options_of
from core.spec.spec import Spec

Point = Mapping[str, object]
"""Some settings by name, each with one value."""
MOST = 10_000
"""Experiments of one study, at most: more is a mistake in typing."""
SHARED_FIRST = ("dataset", "seed", "splits", "test_size")
"""What two experiments must have in common to share splits, in which everything else that they share rests."""


def specs_of(base: Point, grid: Mapping[str, Sequence[object]], cases: Sequence[Point] = ()) -> list[Spec]:
    """A specification for each combination of the grid's values with each case, those that are alike once.

    base: settings of all of them. cases: settings by name, each case a few of them; none stands for one that sets
    nothing. An option that the attack, family or surrogate of a combination has not is left out there, and refused
    where none of them has it. They come in an order in which work that they share is found in the cache: those of
    one data set, one split, one surrogate after each other.

    Raises SpecError for a value that is not possible, a setting that stands in two places, a setting that cannot
    have several values, or too many combinations; DataError, PluginError as `spec_of` does.
    """
    _check_names(base, grid, cases)
    points = [{**base, **point, **case} for case in cases or [{}] for point in _combinations(grid)]
    used: set[str] = set()
    found: dict[str, Spec] = {}
    for point in points:
        fitting = _fitting(point)
        used |= fitting.keys()
        spec = spec_of(fitting)
        found.setdefault(spec.digest, spec)
    for name in {**grid, **{name: 0 for case in cases for name in case}}:
        if name not in used:
            raise SpecError(
                name, next(point[name] for point in points if name in point),
                "no attack, classifier or surrogate of this study has that option", "leave it out",
            )  # fmt: skip
    return in_order_of_sharing(found.values())


def pairs_of(grid: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
    """The first value of each setting as one case, the second ones as the next, and so on.

    Raises SpecError where they are not equally many.
    """
    lengths = {name: len(values) for name, values in grid.items()}
    for name, length in lengths.items():
        if length != max(lengths.values()):
            longest = max(lengths, key=lambda other: lengths[other])
            raise SpecError(
                name, ",".join(map(str, grid[name])),
                f"there are {length} values, and {lengths[longest]} of {longest}, to be paired",
                "give as many of each, or take every combination of them",
            )  # fmt: skip
    return [dict(zip(grid, values, strict=True)) for values in zip(*grid.values(), strict=True)]


def in_order_of_sharing(specs: Iterable[Spec]) -> list[Spec]:
    """The specifications re-ordered: those that share splits together, among these those that share surrogates."""
    specs = list(specs)
    places: dict[tuple[object, ...], int] = {}

    def place(*key: object) -> int:
        return places.setdefault(key, len(places))

    return sorted(specs, key=lambda spec: (place(shared_splits(spec)), place(shared_surrogate(spec))))


def shared_splits(spec: Spec) -> tuple[Value, ...]:
    """Equal for two specifications exactly where their runs divide the images in the same way."""
    return tuple([getattr(spec, name) for name in SHARED_FIRST])


def shared_surrogate(spec: Spec) -> tuple[object, ...]:
    """Equal for two specifications whose runs train the same surrogates, so that each is trained once."""
    return (*shared_splits(spec), *_training(spec))


def time_of_training(spec: Spec) -> tuple[object, ...]:
    """Equal for two specifications whose surrogates take as long to train: the same training of as many images."""
    return (spec.dataset, spec.test_size, *_training(spec))


def _training(spec: Spec) -> tuple[object, ...]:
    """What is trained on the training images of a run, and how long."""
    return (spec.surrogate, spec.epochs, *spec.part_options("surrogate").items())


def axes_of(specs: Sequence[Spec]) -> dict[str, tuple[Value, ...]]:
    """The settings in which the specifications differ, each with its values: numbers ascending, names as they come.

    An option that not all have is one where those that have it differ. None stands for a default of the data set.
    """
    values_of: dict[str, dict[Value, None]] = {}
    for spec in specs:
        for name, value in spec.values.items():
            values_of.setdefault(name, {})[value] = None
    return {
        name: _ascending(tuple(values))
        for name, values in values_of.items()
        if name not in NOT_IDENTIFYING and len(values) > 1 and not _follows(name, specs)
    }


def _follows(name: str, specs: Sequence[Spec]) -> bool:
    """Whether a setting only follows from another that differs.

    The epochs of each named data set's own; the controls, where each family has all that it can fill.
    """
    if name not in ("epochs", "controls"):
        return False
    if name == "epochs" and not all(spec.dataset in CATALOGUE for spec in specs):
        return False
    return all(spec.values[name] == following_defaults(spec.dataset, spec.family)[name] for spec in specs)


def _ascending(values: tuple[Value, ...]) -> tuple[Value, ...]:
    numbers = [value for value in values if isinstance(value, int | float)]
    rest = tuple(value for value in values if not isinstance(value, int | float))
    return (*sorted(numbers), *rest)


def _check_names(base: Point, grid: Mapping[str, Sequence[object]], cases: Sequence[Point]) -> None:
    options = known_options(plugins=False)
    for name, values in grid.items():
        setting = COMMON.get(name) or options.get(name)
        if setting is not None and not setting.identifies:
            shown = ",".join(map(str, values))
            raise SpecError(name, shown, "the experiments of a study have one value of it", "give one")
        if not values:
            raise SpecError(name, "", "expected at least one value")
        if any(name in case for case in cases):
            raise SpecError(name, ",".join(map(str, values)), "it stands in the grid and in a case")
    count = max(1, len(cases))
    for values in grid.values():
        count *= len(values)
    if count > MOST:
        raise SpecError("study", f"{count:,} experiments", f"expected at most {MOST:,}")
    for case in cases:
        for name in NOT_IDENTIFYING:
            if name in case:
                raise SpecError(name, case[name], "the experiments of a study have one value of it")


def _combinations(grid: Mapping[str, Sequence[object]]) -> Iterator[dict[str, object]]:
    return (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))


def _fitting(point: Mapping[str, object]) -> dict[str, object]:
    """A point without the options of parts that it does not have; what nobody knows stays, to be refused."""
    parts = {part: str(point.get(part, COMMON[part].default)) for part in PARTS}
    if not all(name in PARTS[part] for part, name in parts.items()):
        return dict(point)  # refused in words by who makes the spec
    has = {**COMMON, **options_of(parts)}
    elsewhere = known_options(plugins=True).keys() - has.keys() if not point.keys() <= has.keys() else set()
    return {name: value for name, value in point.items() if name not in elsewhere}
