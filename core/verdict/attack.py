"""Whether the attack fools what it was made for: the first of the rules of the verdict, and the fourth."""

from __future__ import annotations

from core.declarations.words import enumerate_words
from core.verdict.numbers import Numbers, mean
from core.verdict.phrases import format_number

HARDLY = 0.1
"""The share of its candidates under which an attack hardly fools its own target, or hardly reaches its aim."""
POOR_SURROGATE = 0.5
"""A surrogate with less accuracy is no classifier that is worth fooling."""


def warn_of_weak_attack(numbers: Numbers) -> list[str]:
    """Rule 0."""
    if not (weaknesses := _weaknesses(numbers)):
        return []
    return [
        f"First of all, {enumerate_words(weaknesses)}: keep that in mind with all that follows. "
        f"{_figures(numbers)}"
    ]


def describe_attack(numbers: Numbers) -> list[str]:
    """Rule 3."""
    if not numbers.has_adversary or _weaknesses(numbers):
        return []
    return [_figures(numbers)]


def _weaknesses(numbers: Numbers) -> list[str]:
    """Why little follows from what the attack makes; of what follows no gradient nothing else is expected."""
    if not numbers.has_adversary:
        return []
    fooled, hit = _fooled(numbers), _hit(numbers)
    found = []
    if fooled is not None and fooled < HARDLY:
        found.append("the attack hardly fools its own target, the surrogate")
    elif hit is not None and hit < HARDLY:
        found.append("the attack hardly reaches the classes that it aims at")
    if _surrogate(numbers) < POOR_SURROGATE:
        found.append("the surrogate that it is made on is a poor classifier")
    return found


def _figures(numbers: Numbers) -> str:
    right = f"The surrogate gets {format_number(_surrogate(numbers))} of the test images right"
    fooled, hit = _fooled(numbers), _hit(numbers)
    if fooled is None:
        return f"{right}."
    aim = f", and {hit:.2%} reach the class that they aim at" if hit is not None else ""
    return f"{right}; {fooled:.2%} of the candidates fool it{aim}."


def _surrogate(numbers: Numbers) -> float:
    return mean(run.surrogate_accuracy for run in numbers.metrics)


def _fooled(numbers: Numbers) -> float | None:
    return _mean([run.attack.surrogate_fooled for run in numbers.metrics])


def _hit(numbers: Numbers) -> float | None:
    return _mean([run.attack.target_hit for run in numbers.metrics])


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return mean(there) if there else None
