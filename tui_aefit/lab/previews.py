"""Asks a child process for the form's previews of data and attacks; this module loads no NumPy or torch."""

from __future__ import annotations

import asyncio
import sys
from typing import TypeVar

from core.errors import AefitError, DataError
from core.files.exit_status import ExitStatus
from core.previews.records import AttackPreview, AttackRequest, DataPreview, DataRequest, Request
from core.records.types import Record, parse, to_json

LONGEST_SECONDS = 300
"""After how many seconds a process is given up: it takes seconds, for a large folder on a slow disk minutes."""

T = TypeVar("T", bound=Record)


async def preview(request: DataRequest | AttackRequest) -> DataPreview | AttackPreview:
    """The preview that a request asks for, made by a process that is ended where this is cancelled.

    Raises AefitError where there is nothing to show; DataError for data that an experiment would refuse.
    """
    kind: type[DataPreview | AttackPreview] = (
        DataPreview if isinstance(request, DataRequest) else AttackPreview
    )
    return parse(await _answer(to_json(Request(of=request))), kind, "the preview")


async def _answer(content: bytes) -> bytes:
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "core.previews", stdin=pipe, stdout=pipe, stderr=pipe,
        )  # fmt: skip
    except OSError as error:
        raise AefitError(f"no process can be started: {error.strerror or error}") from error
    try:
        answer, complaint = await asyncio.wait_for(process.communicate(content), LONGEST_SECONDS)
    except TimeoutError as error:
        raise AefitError(f"it took more than {LONGEST_SECONDS} seconds to read") from error
    finally:
        if process.returncode is None:
            process.kill()
    from core.report.refusal import refusal_in  # noqa: PLC0415  # json, which nothing else of the lab loads

    text = complaint.decode(errors="replace")
    if process.returncode == ExitStatus.REFUSED and (refusal := refusal_in(text)) is not None:
        raise DataError(refusal.error, refusal.hint)
    if process.returncode != 0:
        raise AefitError(
            f"the process that should read it ended with status {process.returncode}", text.strip()[-500:]
        )
    return answer
