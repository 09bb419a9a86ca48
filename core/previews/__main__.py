"""Makes one preview: `python -P -m core.previews`, the request on standard input, the preview on standard output.

Both are one JSON object, see `core.previews.records`. An error in the request is written to standard error as JSON
too, see `core.report.refusal`, and the exit status is 2.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.engine import one_thread as one_thread  # first: NumPy and torch heed it when they are imported
from core.errors import AefitError, SpecError
from core.files.cache import Cache
from core.files.exit_status import ExitStatus
from core.previews.attack import preview_attack
from core.previews.dataset import preview_dataset
from core.previews.records import AttackPreview, AttackRequest, DataPreview, DataRequest, Request
from core.records.types import parse, to_json
from core.report.refusal import refusal_line

NICENESS = 5
"""The niceness of this process while it makes a preview of an attack, for which it trains a network.

Processes that compute results go first.
"""


def answer(request: DataRequest | AttackRequest) -> DataPreview | AttackPreview:
    """The preview that was asked for. Raises AefitError."""
    cache = Cache(Path(request.cache_dir)) if request.cache_dir else None
    if isinstance(request, DataRequest):
        return preview_dataset(request.dataset, data_dir=Path(request.data_dir), cache=cache)
    try:
        return preview_attack(request.attack, request.epsilon, request.options, cache)
    except ValueError as error:
        raise SpecError("attack", request.attack, str(error)) from error


def main() -> int:
    """Answer one request; the exit status."""
    try:
        request = parse(sys.stdin.buffer.read(), Request, "the request").of
        if isinstance(request, AttackRequest) and hasattr(os, "nice"):
            os.nice(NICENESS)
        content = to_json(answer(request))
    except AefitError as error:
        sys.stderr.write(refusal_line(error))
        return ExitStatus.REFUSED
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    return ExitStatus.COMPLETE


if __name__ == "__main__":
    sys.exit(main())
