"""Reading a user's own data set for its SHA-256, as `python -m core.data.digest PATH --cache-dir DIR` prints it.

A person's mistake is told on standard error, see `core.report.refusal`, and the exit status is 2.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.data import user_data
from core.errors import DataError
from core.files.cache import Cache
from core.files.exit_status import ExitStatus
from core.report.refusal import refusal_line


def main(arguments: list[str] | None = None) -> int:
    """Print the digest of the pooled images, as a run's `data_sha256` has it; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m core.data.digest", description="Digest a data set.")
    parser.add_argument("path", metavar="PATH", type=Path)
    parser.add_argument("--cache-dir", metavar="DIR", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        found = user_data.read(options.path, Cache(options.cache_dir), lambda text: None).sha256
    except DataError as error:
        sys.stderr.write(refusal_line(error))
        return ExitStatus.REFUSED
    except OSError as error:
        unreadable = DataError(
            f"{options.path} cannot be read: {error}", "look at the folder and its permissions"
        )
        sys.stderr.write(refusal_line(unreadable))
        return ExitStatus.REFUSED
    sys.stdout.write(f"{found}\n")
    return ExitStatus.COMPLETE


if __name__ == "__main__":
    sys.exit(main())
