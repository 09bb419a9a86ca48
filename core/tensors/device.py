"""Which device torch computes on, and how exactly."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.backends import cudnn

from core.errors import SpecError


def choose_device(wanted: str) -> str:
    """The device for a spec's `device`: "auto" takes CUDA, else the CPU.

    "auto" never takes MPS: it lacks float64, which decides the order of neighbours. Raises SpecError where
    a device was named that this machine or this build of torch does not have.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return "cuda" if available["cuda"] else "cpu"
    if not available[wanted]:
        raise SpecError("device", wanted, "torch finds no such device here", "leave --device out, or use cpu")
    return wanted


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Within the block cuDNN gives the same bits each time, in full float32; no effect on a CPU.

    An attack takes the sign of a gradient: what changes its last bit can move a pixel by twice epsilon.
    """
    with cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block torch computes on one thread, afterwards on as many as before.

    A sum that is split over threads is added in another order, which changes its last bits: on one thread they
    are the same whatever the caller has set. One thread is also the fastest where several processes compute,
    because several threads wait for the slowest of them after each layer. The setting is the process's: no other
    of its threads may change it meanwhile.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def processor_name() -> str:
    """The processor's model as the system calls it; machines with the same one give the same last bits."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
