"""The type of the setting `dataset`: a name of the catalogue, or the absolute path of a person's own data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import ClassVar

from core.data.catalogue import CATALOGUE
from core.declarations.setting import Unfit
from core.errors import expected_names


@dataclass(frozen=True)
class DataSet:
    """See `core.declarations.setting.PathKind`."""

    expected: ClassVar[str] = "a name or a path"

    def read(self, word: str) -> str:
        """See `Kind.read`."""
        return word

    def check(self, value: object) -> str:
        """See `Kind.check`; whether there is anything at a path is not looked at."""
        if isinstance(value, str) and (value in CATALOGUE or PurePath(value).is_absolute()):
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise Unfit("its path is not valid UTF-8, the encoding of spec.toml", "rename it") from error
            return value
        allowed, hint = expected_names(str(value), CATALOGUE)
        raise Unfit(f"{allowed}, or the path of a .npz, a .zip or a folder with one sub-folder a class", hint)

    def choices(self) -> Mapping[str, str]:
        """None are listed: a path is possible too."""
        return {}

    def beside(self, value: str, folder: Path) -> str:
        """See `PathKind.beside`; what is not there may be a mistyped name."""
        if not value or value in CATALOGUE or value.startswith("~"):
            return value
        path = folder / value
        return str(path) if os.path.exists(path) else value  # no error for a name that no file can have
