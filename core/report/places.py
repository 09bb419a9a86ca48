"""A result without what only its maker's machine knows: in which folders files lie, user names among them."""

from __future__ import annotations

import copy
import re
from pathlib import PurePath

import msgspec

from core.data.catalogue import CATALOGUE
from core.report.result import Result, RunEntry
from core.spec.spec import Spec

_FOLDERS = re.compile(r"(?<![\w./])(?:~[\w-]*)?/(?:[^/\s'\"]+/)+")
"""The folders of an absolute path; names with spaces are cut at these."""


def without_places(result: Result) -> Result:
    """A copy of a result: a user's own data set as ./NAME, no folders in the texts on failed or missing runs."""
    return msgspec.structs.replace(
        result, spec=_without_folder(result.spec), runs=tuple(map(_run_without_folders, result.runs))
    )


def without_folders(text: str) -> str:
    """A text with an ellipsis for the folders of every absolute path in it."""
    return _FOLDERS.sub("…/", text)


def _without_folder(spec: Spec) -> Spec:
    if spec.dataset in CATALOGUE:
        return spec
    shown = copy.copy(spec)
    # As it is typed in the folder where the data lie; a specification itself holds absolute paths only.
    object.__setattr__(shown, "dataset", f"./{PurePath(spec.dataset).name}")
    return shown


def _run_without_folders(run: RunEntry) -> RunEntry:
    failure = run.failure
    if failure is not None:
        failure = msgspec.structs.replace(
            failure, error=without_folders(failure.error), hint=without_folders(failure.hint)
        )
    return msgspec.structs.replace(run, failure=failure, problem=without_folders(run.problem))
