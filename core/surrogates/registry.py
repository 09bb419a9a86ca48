"""The surrogate architectures, by the names of the setting `surrogate`. A new one is a line here."""

from __future__ import annotations

from core.declarations.registry import Registry
from core.surrogates.surrogate import Surrogate

SURROGATES: Registry[Surrogate] = Registry(
    "surrogate",
    "aefit.surrogates",
    Surrogate,  # type: ignore[type-abstract]
    {
        "lenet5": "core.surrogates.lenet5:LeNet5",
    },
)
