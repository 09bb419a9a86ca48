"""Makes importing many modules faster."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Within the block modules are imported without garbage collection; their objects are never collected later.

    They stay for good, and to look for garbage among them would take a tenth of the time to the lab's first
    picture.
    """
    loaded, was_enabled = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > loaded:
            gc.freeze()
        if was_enabled:
            gc.enable()
