"""Which candidates an attack makes of which source, and toward which class each goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.attacks.attack import Attack
from core.declarations.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Stands where a candidate has no target class.
NO_TARGET = -1


def targets_of(labels: NDArray[np.int64], classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every source toward every class that is not its own.

    labels: (n,) int64, 0 to classes - 1. Returns the source's row and the target class of each candidate,
    both (n * (classes - 1),) int64: source after source, the targets of one in ascending order.
    ValueError: a label that is no class.
    """
    _check(labels, classes)
    source_row, target = np.nonzero(np.arange(classes) != labels[:, None])
    return source_row.astype(np.int64), target.astype(np.int64)


def expand(
    attack: type[Attack] | Attack,
    labels: NDArray[np.int64],
    classes: int,
    per_target: bool | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The candidates of an attack: source rows and targets, both (candidates,) int64.

    classes - 1 candidates a source where the attack is `per_target`, else one. Only an attack that is
    `targeted` has targets; the others' are `NO_TARGET`. per_target: in place of the attack's own, for one that
    has no targets. ValueError: a label that is no class; an attack that is targeted but makes one candidate a
    source.
    """
    each = attack.per_target if per_target is None else per_target
    if attack.targeted and not each:
        raise ValueError(f"{attack.title}: a targeted attack makes a candidate for each target")
    if each:
        source_row, target = targets_of(labels, classes)
        return source_row, target if attack.targeted else np.full_like(target, NO_TARGET)
    _check(labels, classes)
    return np.arange(len(labels), dtype=np.int64), np.full(len(labels), NO_TARGET, dtype=np.int64)


def _check(labels: NDArray[np.int64], classes: int) -> None:
    if labels.ndim != 1 or ((labels < 0) | (labels >= classes)).any():
        raise ValueError(f"labels: expected one row of classes, 0 to {classes - 1}")
