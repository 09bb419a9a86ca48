"""Modules that take long to load and that many calls never use: each is imported when it is first used.

`from core.declarations.lazy import np, torch` in place of the imports; types go under `if TYPE_CHECKING`. NumPy and
torch stand here for modules that the terminal program reads too, those of Python itself for a quick start.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import difflib as difflib
    import hashlib as hashlib
    import json as json
    import statistics as statistics
    import tomllib as tomllib

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
    difflib, hashlib, json = _Lazy("difflib"), _Lazy("hashlib"), _Lazy("json")
    statistics, tomllib = _Lazy("statistics"), _Lazy("tomllib")

__all__ = ["difflib", "hashlib", "json", "np", "statistics", "tomllib", "torch"]
