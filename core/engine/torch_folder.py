"""Sets where torch puts what it compiles: in the cache, where no other user can have made the folder before.

By default torch makes a folder with a known name in the temporary folder that all users of a machine share, even
where it compiles nothing, and fails where somebody else has put something there.
"""

from __future__ import annotations

import os
from pathlib import Path

import core

VARIABLE = "TORCHINDUCTOR_CACHE_DIR"


def keep_to_own_folder(cache_dir: Path) -> None:
    """Have torch use a folder in the cache from now on, unless the environment names one.

    Where the cache cannot be written it is the folder of this program: torch only needs one that exists, and writes
    nothing there.
    """
    if VARIABLE in os.environ:
        return
    folder = cache_dir.resolve() / "torch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(core.__file__).parent
    os.environ[VARIABLE] = str(folder)
