"""The load of the machine is what the kernel's own counters say, and absent where they cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_aefit.following.machine import Load, Meter

MEMORY = "MemTotal:  8000000 kB\nMemFree:  100000 kB\nMemAvailable: 6000000 kB\nHugePages_Total: 0\n"


def no_gpu() -> None:
    return None


def processors(user: int, idle: int, waiting: int = 0) -> str:
    # user nice system idle iowait irq softirq steal guest guest_nice
    return f"cpu  {user} 0 50 {idle} {waiting} 0 0 0 {user} 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nctxt 5\n"


def test_the_share_at_work_is_that_of_the_ticks_between_two_readings(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(MEMORY)
    (tmp_path / "stat").write_text(processors(1000, 5000))
    meter = Meter(tmp_path, no_gpu)
    first = meter.read()
    assert first.processors is None
    (tmp_path / "stat").write_text(processors(1300, 5060, waiting=40))
    # 300 ticks at work, 60 idle and 40 waiting for a disk.
    assert meter.read().processors == pytest.approx(300 / 400)
    assert first.memory == pytest.approx(0.25)
    assert first.memory_used == 2_000_000 * 1024
    assert meter.read().processors is None  # no tick has passed


def test_a_gpu_is_told_of_where_there_is_one(tmp_path: Path) -> None:
    load = Meter(tmp_path, lambda: (0.5, 20 * 10**9, 80 * 10**9)).read()
    assert (load.gpu, load.gpu_memory, load.gpu_memory_used) == (0.5, 0.25, 20 * 10**9)


@pytest.mark.parametrize("text", ["", "cpu", "cpu 1 2\n", "cpu a b c d e\n", "intr 1 2 3 4 5\n", "\x00"])
def test_what_cannot_be_read_is_absent(tmp_path: Path, text: str) -> None:
    (tmp_path / "stat").write_text(text)
    (tmp_path / "meminfo").write_text(text)
    meter = Meter(tmp_path, no_gpu)
    assert [meter.read(), meter.read()] == [Load(), Load()]
    assert Meter(tmp_path / "nowhere", no_gpu).read() == Load()


def test_counters_that_go_back_give_no_share_beyond_its_ends(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(processors(1000, 5000))
    meter = Meter(tmp_path, no_gpu)
    meter.read()
    (tmp_path / "stat").write_text(processors(2000, 4500))
    assert meter.read().processors == 1.0
