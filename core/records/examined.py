"""What the process that loads the heavy libraries finds of them and of the machine: it prints one such record."""

from __future__ import annotations

from core.records.types import Count, Record


class Versions(Record, frozen=True, kw_only=True, rename="kebab"):
    """Of Python and of what a result is computed with, by the names of the packages: "scikit-learn"."""

    python: str
    aefit_tui: str
    numpy: str
    scipy: str
    scikit_learn: str
    torch: str
    torchvision: str


class Devices(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What torch can compute on, as the system names it; "" for what is not there, which JSON leaves out."""

    cpu: str
    cuda: str = ""
    mps: str = ""


class Examined(Record, frozen=True, kw_only=True):
    """device: the one that is taken where nobody chooses. threads: torch's default.

    plugins: what installed plug-ins bring, such as "attack swirl" -> "aefit-swirl 1.0". problems: what does not
    work -> what is the matter, what to do; of "torchvision", "gpu" and each plug-in that cannot be used.
    cuda_build: the CUDA that torch was built for, "" for a build without.
    """

    versions: Versions
    device: str
    cpu: str
    plugins: dict[str, str]
    threads: Count
    devices: Devices
    problems: dict[str, tuple[str, str]]
    cuda_build: str
