"""Where things lie: a home and its folders, the data, the user's settings file."""

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
    """The folder in a home of decoded data sets and other things that can be made again."""
    return home / "cache"


def experiments_dir(home: Path) -> Path:
    """The folder in a home with a folder for each experiment."""
    return home / "experiments"


def studies_dir(home: Path) -> Path:
    """The folder in a home with a folder for each study."""
    return home / "studies"


def overviews_dir(home: Path) -> Path:
    """The folder in a home of what was read of complete experiments, so that it need not be read again."""
    return home / "overviews"


def queue_dir(home: Path) -> Path:
    """The folder in a home of the tickets of those who compute, or wait to."""
    return home / "queue"


def user_config() -> Path:
    """The user's own settings file, read after a project's `aefit.toml`."""
    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False)) / "config.toml"
