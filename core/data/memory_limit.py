"""How much a user's own data set may take in memory: a forged file of some bytes can claim any size."""

from __future__ import annotations

import os

from core.declarations.setting import Setting, Whole
from core.errors import AefitError

SETTING = Setting(
    name="data_limit", title="Largest data set", metavar="MiB", kind=Whole(1, 2**30), default=4096,
    identifies=False, help="MiB that a data set of your own may take in memory",
)  # fmt: skip
VARIABLE = "AEFIT_DATA_LIMIT"
"""By which the processes that read data are told of it."""
MIB = 2**20
IMAGES_OF_A_SET = 16
"""An image file may hold, and be decoded to, the so-manieth part of the limit."""


def data_limit() -> int:
    """Bytes that a data set may take. Raises AefitError where the environment says what cannot be."""
    word = os.environ.get(VARIABLE, "")
    try:
        value = SETTING.check(SETTING.kind.read(word)) if word else SETTING.default
    except ValueError as error:
        raise AefitError(
            f"{VARIABLE} = {word!r} is not possible: expected {SETTING.kind.expected}"
        ) from error
    assert isinstance(value, int)
    return value * MIB


def image_limit() -> int:
    """Bytes of an image. Raises AefitError as `data_limit`."""
    return data_limit() // IMAGES_OF_A_SET


def limit_words(size: int) -> str:
    """A limit in words, with what changes it."""
    return f"at most {size // MIB:,} MiB, by {SETTING.name} = {data_limit() // MIB:,}"


HINT = f"if it is what it should be, allow more with {SETTING.option} MiB"
