"""What must be set before the libraries that read it are imported, and what all tests share."""

import gc
import os
import shutil
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine makes examples as slowly as a bad strategy does: no test may fail by the clock.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")

# One compute thread a process: several of them on a small machine would wait for each other, not compute.
# Processes that the tests start inherit this.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

# A shell that starts the tests in the background has keys and hang-ups ignored, which processes inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Screens that move are never twice the same picture.
os.environ["TEXTUAL_ANIMATIONS"] = "none"

# Textual and argparse would draw as whoever started the tests wants it: without colours, or of another size.
for variable in ("NO_COLOR", "COLUMNS", "LINES"):
    os.environ.pop(variable, None)

# Modes of files are what they are under the usual mask: a file that others may write to is warned of, say.
os.umask(0o022)


LITTER = 20_000
"""New objects that are worth looking for garbage in: a lab that was closed leaves twice as many."""

# By default Python looks through all that the modules of the tests made again and again, which took a quarter of
# the tests' time. Here it looks when a test is over and most of what it made is garbage; within one hardly ever.
gc.set_threshold(500_000, 5, 5)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    yield
    if gc.get_count()[0] > LITTER:
        gc.collect(1)


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
