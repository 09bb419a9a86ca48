"""The options that coordinator and supervisor share, as `core.records.starting.How` writes them."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.records.starting import How


def at_least_one(word: str) -> int:
    """The whole number that a word stands for. Raises argparse.ArgumentTypeError where it is below 1."""
    try:
        number = int(word)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not possible: expected a whole number from 1")
    return number


def add_how(parser: argparse.ArgumentParser) -> None:
    """Add the options that `How.words` writes."""
    parser.add_argument("--jobs", type=at_least_one, required=True, help="runs computed at the same time")
    parser.add_argument("--threads", type=at_least_one, default=1, help="Python threads of a run")
    parser.add_argument(
        "--limit", type=at_least_one, help="processors of all experiments of the home together"
    )
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--no-cache", action="store_true", help="train and search anew, and keep neither")
    parser.add_argument("--now", action="store_true", help="wait for no other experiment")
    parser.add_argument("--launcher", help="words before each worker that take it elsewhere")
    parser.add_argument("--dask", help="the Dask cluster that computes")


def how_of(options: argparse.Namespace) -> How:
    """The `How` of parsed options, its folders absolute; limit: by default jobs times threads."""
    chosen = {"--launcher": options.launcher, "--dask": options.dask}
    return How(
        jobs=options.jobs,
        threads=options.threads,
        limit=options.limit or options.jobs * options.threads,
        data_dir=options.data_dir.resolve(),
        cache_dir=options.cache_dir.resolve(),
        no_cache=options.no_cache,
        now=options.now,
        elsewhere=tuple(word for pair in chosen.items() if pair[1] is not None for word in pair),
    )
