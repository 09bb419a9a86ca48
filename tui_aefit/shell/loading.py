"""Loading many modules at a time."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Within the block modules are loaded. What they make stays, so nobody looks for garbage in it, now or later.

    To look again and again would take a tenth of the time to the lab's first picture.
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
