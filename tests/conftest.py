"""What must be set before the libraries that read it are imported, and what all tests share."""

import os
import shutil
import signal
from pathlib import Path

import pytest

# One compute thread a process: several of them on a small machine would wait for each other, not compute.
# Processes that the tests start inherit this.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

# A shell that starts the tests in the background has keys and hang-ups ignored, which processes inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Screens that move are never twice the same picture.
os.environ["TEXTUAL_ANIMATIONS"] = "none"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One test process more than there are processors: tests of screens wait for a part of their time."""
    return (os.cpu_count() or 1) + 1


FIRST_VERSION = Path(__file__).parent / "first_version"


@pytest.fixture
def first_version_home(tmp_path: Path) -> Path:
    """A home with an experiment of schema version 1, complete, in the folder `digits-fgsm-6b3a1b16`."""
    home = tmp_path / "first-version-home"
    shutil.copytree(FIRST_VERSION, home)
    return home
