"""NumPy and torch for modules that the terminal program reads too: each is imported when it is first used.

`from core.declarations.lazy import np, torch` in place of the imports; types go under `if TYPE_CHECKING`.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch as torch
else:

    class _Lazy(ModuleType):
        """Stands for a module; becomes it with the first attribute that is asked for."""

        def __getattr__(self, name: str) -> Any:
            value = getattr(importlib.import_module(self.__name__), name)
            setattr(self, name, value)
            return value

    np, torch = _Lazy("numpy"), _Lazy("torch")

__all__ = ["np", "torch"]
