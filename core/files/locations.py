"""Where things lie: the experiments home, the data folder, the user's settings file."""

from __future__ import annotations

from pathlib import Path

import platformdirs

APPLICATION = "aefit-tui"


def default_home() -> Path:
    """The experiments home where neither `--home` nor AEFIT_HOME names one."""
    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False))


def default_data_dir(home: Path) -> Path:
    """The data folder where neither `--data-dir` nor AEFIT_DATA_DIR names one."""
    return home / "data"


def cache_dir(home: Path) -> Path:
    """Decoded data sets and other things that can be made again."""
    return home / "cache"


def experiments_dir(home: Path) -> Path:
    """One folder an experiment."""
    return home / "experiments"


def studies_dir(home: Path) -> Path:
    """One folder a study."""
    return home / "studies"


def overviews_dir(home: Path) -> Path:
    """What was read of each complete experiment, so that it need not be read again."""
    return home / "overviews"


def queue_dir(home: Path) -> Path:
    """One file for everybody who computes, or waits to."""
    return home / "queue"


def user_config() -> Path:
    """The user's own settings file, read after a project's `aefit.toml`."""
    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False)) / "config.toml"
