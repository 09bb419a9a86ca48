"""Where published files go: onto the disk whole or not at all, or into a pipe."""

from __future__ import annotations

import uuid
from pathlib import Path

from core.errors import ExperimentError
from core.files.atomic import sync_file, sync_folder


def write_output(path: Path, content: bytes) -> None:
    """Put bytes into a file, replacing it at once; a pipe or a device is written to, never replaced.

    A link stays, what it leads to is replaced. Raises ExperimentError where the file cannot be written.
    """
    temporary = None
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        temporary = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex}")
        temporary.write_bytes(content)
        sync_file(temporary)
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise ExperimentError(
            f"cannot write {str(path)!r}: {error.strerror}",
            "choose another file, on the command line with --output FILE",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
