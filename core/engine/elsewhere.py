"""The executor that computes an experiment in another place, as the setting of that place says."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from core.declarations.setting import Unfit
from core.engine.executor import Executor, Request
from core.engine.refusing import Refusing
from core.engine.seen_results import SeenResults
from core.errors import AefitError
from core.places.registry import PLACES


def executor_elsewhere(name: str, request: Request) -> Executor:
    """The executor of the place whose setting has that name; one that refuses to compute where there can be none.

    A run is done for it once its result is seen here.
    """
    place = PLACES[name]
    try:
        place.setting.kind.check(request.text)
        module, _, function = place.executor.partition(":")
        make: Callable[[Request], Executor] = getattr(importlib.import_module(module), function)
        return SeenResults(make(request))
    except Unfit as unfit:
        wrong = f"{place.setting.option} {request.text!r} is not possible: {unfit.allowed}"
        return Refusing(AefitError(wrong, unfit.hint))
    except AefitError as error:
        return Refusing(error)
