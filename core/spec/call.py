"""What a call of the command says besides the experiment: how and where it computes, and how the call behaves."""

from __future__ import annotations

from core.data.memory_limit import SETTING as DATA_LIMIT
from core.declarations.setting import Folder, Setting, Whole, by_name
from core.files.locations import default_home
from core.places.registry import PLACES

TYPED_ONLY = (
    "batch", "config", "detach", "json", "name", "no_cache", "now", "pair", "quiet", "study", "yes",
)  # fmt: skip
"""Options that are no settings: neither the environment nor a settings file gives them."""
MOST_THREADS = 8
"""A LeNet-5 and blocks of a few thousand images gain nothing from more threads a run."""

CALL: dict[str, Setting] = by_name(
    (
        Setting(
            name="jobs", title="Runs at a time", metavar="N", kind=Whole(1, 10_000), identifies=False,
            default_text="processors / threads", help="runs computed at the same time",
        ),
        Setting(
            name="threads", title="Threads a run", metavar="N", kind=Whole(1, 1_024), identifies=False,
            default_text=f"processors / runs, 1 to {MOST_THREADS}",
            help="compute threads of a run; they change no number",
        ),
        *(place.setting for place in PLACES.values()),
        Setting(
            name="data_dir", title="Data folder", metavar="DIR", kind=Folder(),
            identifies=False, default_text="HOME/data", help="where torchvision's data sets lie",
        ),
        Setting(
            name="home", title="Home", metavar="DIR", kind=Folder(), identifies=False,
            default_text=str(default_home()), help="where experiments are kept",
        ),
        DATA_LIMIT,
    )
)  # fmt: skip
"""The settings of a call: how and where it computes. They are no part of an experiment."""
