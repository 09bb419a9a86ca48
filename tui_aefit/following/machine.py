"""The load of this machine: its processors, its memory and its first GPU, from the files of Linux and NVML.

On other systems, and where a file cannot be read, values are None. Reading takes well under a millisecond, apart
from NVML's first call; no process is started and no package is needed.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROC = Path("/proc")
NVIDIA = Path("/proc/driver/nvidia/version")
"""The file that exists where NVIDIA's driver is loaded; without it NVML is not looked for."""
NVML = "libnvidia-ml.so.1"


@dataclass(frozen=True)
class Load:
    """The load of a machine: shares from 0 to 1; memory_used, gpu_memory_used: bytes. None for the unknown."""

    processors: float | None = None
    memory: float | None = None
    memory_used: int | None = None
    gpu: float | None = None
    gpu_memory: float | None = None
    gpu_memory_used: int | None = None


class Meter:
    """Measures the load from one call of `read` to the next.

    proc: the folder of the kernel's files. gpu: returns of the first GPU its load (0 to 1), the bytes in use and
    the bytes in all, None for no GPU; by default it is looked for at the first reading.
    """

    def __init__(
        self, proc: Path = PROC, gpu: Callable[[], tuple[float, int, int] | None] | None = None
    ) -> None:
        self._proc = proc
        self._gpu = gpu
        self._before: tuple[int, int] | None = None

    def read(self) -> Load:
        """The load now, of the processors since the last reading: None the first time."""
        if self._gpu is None:
            self._gpu = _first_gpu()
        now = _processor_ticks(self._proc / "stat")
        share = None
        if now is not None and self._before is not None and now[1] > self._before[1]:
            busy, ticks = now[0] - self._before[0], now[1] - self._before[1]
            share = min(1.0, max(0.0, busy / ticks))
        self._before = now
        memory = _memory(self._proc / "meminfo")
        gpu = self._gpu()
        return Load(
            processors=share,
            memory=memory[0] / memory[1] if memory else None,
            memory_used=memory[0] if memory else None,
            gpu=gpu[0] if gpu else None,
            gpu_memory=gpu[1] / gpu[2] if gpu and gpu[2] else None,
            gpu_memory_used=gpu[1] if gpu else None,
        )


def _processor_ticks(path: Path) -> tuple[int, int] | None:
    """Busy ticks and all ticks, of all processors together since the machine started; None if unknown."""
    try:
        name, *words = path.read_text(encoding="ascii").partition("\n")[0].split()
        # user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user already.
        ticks = [int(word) for word in words[:8]]
    except (OSError, ValueError):
        return None
    if name != "cpu" or len(ticks) < 4:
        return None
    idle = sum(ticks[3:5])
    return sum(ticks) - idle, sum(ticks)


def _memory(path: Path) -> tuple[int, int] | None:
    """Bytes that no other program can get, and bytes in all; None if unknown."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in lines if "kB" in line}
        total, free = kilobytes["MemTotal"], kilobytes["MemAvailable"]
    except (OSError, ValueError, KeyError, IndexError):
        return None
    return (1024 * (total - free), 1024 * total) if total > 0 else None


def _no_gpu() -> None:
    return None


def _first_gpu() -> Callable[[], tuple[float, int, int] | None]:
    """A function that asks NVML for the first GPU, as `Meter` takes it; it returns None where there is none."""
    if not os.path.exists(NVIDIA):
        return _no_gpu
    try:
        library = ctypes.CDLL(NVML)
        device = ctypes.c_void_p()
        if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device)):
            return _no_gpu
    except (OSError, AttributeError):
        return _no_gpu
    return lambda: _ask(library, device)


class _Utilization(ctypes.Structure):
    """nvmlUtilization_t: percent of the last moments in which the GPU, and its memory, were busy."""

    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    """nvmlMemory_t: bytes."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def _ask(library: Any, device: ctypes.c_void_p) -> tuple[float, int, int] | None:
    rates, memory = _Utilization(), _Memory()
    if library.nvmlDeviceGetUtilizationRates(device, ctypes.byref(rates)):
        return None
    if library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)):
        return None
    return rates.gpu / 100, int(memory.used), int(memory.total)
