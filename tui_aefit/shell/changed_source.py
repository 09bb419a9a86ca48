"""Whether a user's own data set is still what a stored result was computed from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.data.catalogue import CATALOGUE
from core.errors import DataError
from core.files.exit_status import ExitStatus
from core.records.experiment import Experiment
from core.report.refusal import refusal_in


def refuse_changed_source(experiment: Experiment, cache_dir: Path) -> None:
    """Raises DataError where a user's own data set is not what the stored result was computed from.

    It is read only where its times say that it was written to after the experiment was made.
    """
    source = Path(experiment.spec.dataset)
    if experiment.spec.dataset in CATALOGUE or not _written_since(source, experiment.created):
        return
    computed_from = {metrics.data_sha256 for metrics in experiment.results().values()}
    if {_digest(source, cache_dir)} != computed_from:
        raise DataError(
            f"{source} has changed since {experiment.id} was computed from it",
            f"`aefit-tui show {experiment.word}` prints the stored result; to compute it anew, type "
            f"`aefit-tui delete {experiment.word}` and start it again",
        )


def _written_since(source: Path, moment: float) -> bool:
    try:
        places = (
            [source, *(path for path in source.iterdir() if path.is_dir())] if source.is_dir() else [source]
        )
        return max(path.stat().st_mtime for path in places) > moment
    except OSError:
        return False  # moved away or unreadable: the stored result stands for itself


def _digest(source: Path, cache_dir: Path) -> str:
    """The SHA-256 of its images, by a process that may load NumPy and the decoders. Raises DataError."""
    command = [sys.executable, "-P", "-m", "core.data.digest", f"--cache-dir={cache_dir}", "--", str(source)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise DataError(
            f"cannot read {source}: no process can be started: {error.strerror or error}"
        ) from error
    if done.returncode == ExitStatus.REFUSED and (refusal := refusal_in(done.stderr)) is not None:
        raise DataError(refusal.error, refusal.hint)
    if done.returncode != 0:
        raise DataError(
            f"cannot read {source}: the process that should ended with status {done.returncode}",
            done.stderr.strip()[-2000:],
        )
    return done.stdout.strip()
