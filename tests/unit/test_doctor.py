"""The doctor says what works here, and what installed plug-ins bring."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import EntryPoint, PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.declarations.registry import Origin, Registry
from core.engine.doctor import _gpu_problem, examine, installed_plugins, main, plugin_problems
from core.engine.environment import describe_environment
from core.errors import DataError
from core.files.exit_status import ExitStatus
from core.places.dask import INSTALL
from core.records.examined import Devices, Examined
from core.records.types import convert, plain
from tui_aefit.shell.cli import run
from tui_aefit.shell.doctor import (
    Check,
    Unexamined,
    _characters,
    _home,
    _libraries,
    answer_in,
    elsewhere_checks,
    examine_libraries,
    terminal_checks,
)

CaptureBytes = pytest.CaptureFixture[bytes]


def test_what_works_here_is_one_line_whatever_libraries_print(capfdbinary: CaptureBytes) -> None:
    os.write(1, b"what a library says")
    main()
    os.write(1, b"what another says when it leaves")
    found = answer_in(capfdbinary.readouterr().out)
    assert plain(found.versions) == describe_environment("cpu", {}).versions
    assert found.versions.torch == torch.__version__
    assert found.devices.cpu == found.cpu
    assert found.threads == torch.get_num_threads()
    assert found.problems == {}
    assert found.cuda_build == (torch.version.cuda or "")


def test_the_keys_of_what_is_found_stay_what_scripts_read() -> None:
    found = examine()
    assert list(plain(found)) == [
        "versions", "device", "cpu", "plugins", "threads", "devices", "problems", "cuda_build",
    ]  # fmt: skip
    assert list(plain(found.versions)) == [
        "python", "aefit-tui", "numpy", "scipy", "scikit-learn", "torch", "torchvision",
    ]  # fmt: skip
    assert plain(Devices(cpu="a processor", cuda="H100")) == {"cpu": "a processor", "cuda": "H100"}


def test_the_build_of_torch_is_part_of_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyPI's package of 2.13.0 says so, and its module 2.13.0+cu130."""
    monkeypatch.setattr(torch, "__version__", "2.13.0+cu130")
    assert describe_environment("cuda", {}).versions["torch"] == "2.13.0+cu130"


def test_a_torchvision_that_does_not_load_stops_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise DataError("torchvision cannot be imported", "install the one that belongs to this torch")

    monkeypatch.setattr("core.engine.doctor.import_torchvision_datasets", refuse)
    found = examine()
    assert found.problems["torchvision"] == (
        "torchvision cannot be imported", "install the one that belongs to this torch",
    )  # fmt: skip
    assert found.versions.torch == torch.__version__


def test_a_path_that_is_no_text_can_be_told(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: CaptureBytes
) -> None:
    def refuse() -> None:
        raise DataError("/data/\udcff is no folder", "remove /data/\udcff")

    monkeypatch.setattr("core.engine.doctor.import_torchvision_datasets", refuse)
    main()
    problems = answer_in(capfdbinary.readouterr().out).problems
    assert problems["torchvision"] == ("/data/? is no folder", "remove /data/?")


@pytest.mark.parametrize(
    ("sum_of_product", "why"),
    [(RuntimeError("no kernel image\nat all"), "no kernel image"), (7.0, "wrongly")],
)
def test_a_gpu_that_cannot_compute_is_found_out(
    monkeypatch: pytest.MonkeyPatch, sum_of_product: RuntimeError | float, why: str
) -> None:
    assert _gpu_problem("cpu") is None

    def broken(size: int, *, device: str) -> torch.Tensor:
        if isinstance(sum_of_product, RuntimeError):
            raise sum_of_product
        return torch.full((1, 1), sum_of_product**0.5)

    monkeypatch.setattr(torch, "eye", broken)
    told = _gpu_problem("cuda")
    assert told is not None
    problem, remedy = told
    assert problem.endswith(why)
    assert "--device cpu" in remedy


def test_plug_ins_are_named_with_their_origin_and_what_is_wrong_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry: Registry[dict[str, int]] = Registry("attack", "aefit.attacks", dict, {"ours": "builtins:dict"})
    entries = {
        "good": EntryPoint("good", "collections:OrderedDict", registry.group),
        "odd": EntryPoint("odd", "builtins:list", registry.group),
        "lost": EntryPoint("lost", "no_such_module:Attack", registry.group),
    }
    monkeypatch.setattr(registry, "_plugins", entries)
    monkeypatch.setattr(registry, "origin", lambda name: Origin("swirl", "1.0") if name in entries else None)
    assert installed_plugins({"attack": registry}) == dict.fromkeys(
        ("attack good", "attack odd", "attack lost"), "swirl 1.0"
    )
    problems = plugin_problems({"attack": registry})
    assert set(problems) == {"attack odd", "attack lost"}
    assert "no_such_module" in problems["attack lost"][0]


# What the command makes of it

FOUND: dict[str, Any] = {
    "versions": {"python": "3.13", "numpy": "2", "scipy": "1", "scikit-learn": "1.5", "torch": "2.9",
                 "torchvision": "0.24", "aefit-tui": "0.1"},
    "device": "cpu",
    "cpu": "a processor",
    "threads": 2,
    "devices": {"cpu": "a processor"},
    "problems": {},
    "plugins": {},
    "cuda_build": "",
}  # fmt: skip


def checks(**changes: object) -> dict[str, Check]:
    found = convert(FOUND | changes, Examined, "what was found")
    return {check.what: check for check in _libraries(found)}


def test_each_library_that_works_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    found = checks()
    assert {name: check.state for name, check in found.items()} == {
        "python": "works", "torch": "works", "torchvision": "works", "GPU": "absent",
    }  # fmt: skip
    assert not any(check.remedy for check in found.values())


@pytest.mark.parametrize(
    ("changes", "what", "state", "remedy"),
    [
        (
            {"problems": {"torchvision": ["it fails", "reinstall it"]}},
            "torchvision",
            "limited",
            "reinstall it",
        ),
        (
            {"devices": {"cpu": "p", "cuda": "H"}, "problems": {"gpu": ["no kernel", "--device cpu"]}},
            "GPU",
            "broken",
            "--device cpu",
        ),
        ({"devices": {"cpu": "p", "cuda": "H"}}, "GPU", "works", ""),
        (
            {
                "plugins": {"attack swirl": "swirl 1.0"},
                "problems": {"attack swirl": ["no module", "mend it"]},
            },
            "attack swirl",
            "limited",
            "mend it",
        ),
    ],
)
def test_what_does_not_work_comes_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], what: str, state: str, remedy: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    check = checks(**changes)[what]
    assert check.state == state
    assert check.remedy.endswith(remedy)


def told_by(program: str, monkeypatch: pytest.MonkeyPatch) -> Examined | Unexamined:
    """What is made of a process that does this in place of looking at the libraries."""
    monkeypatch.setattr("tui_aefit.shell.doctor.EXAMINE", ("-c", program))
    return examine_libraries()


ANSWER = json.dumps(FOUND)


@pytest.mark.parametrize(
    "program",
    [
        f"print({ANSWER!r})",
        f"print('loading'); print({ANSWER!r}); print('[W] leaving', end='')",
        f"import os; os.write(1, bytes(range(256))); print(); print({ANSWER!r})",
    ],
)
def test_what_libraries_print_beside_the_answer_does_not_hide_it(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    found = told_by(program, monkeypatch)
    assert found == convert(FOUND, Examined, "what was found")


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("print('loading')", "what the process that loads them printed cannot be read: Input data was truncated"),
        ("print('{\"versions\": {\"python\": 3}}')", "cannot be read: Expected `str`, got `int`"),
        (f"print({ANSWER[:-1]!r})", "cannot be read: Input data was truncated"),
        ("import os; os.kill(os.getpid(), 9)", "the process that loads them was ended by SIGKILL"),
        ("import os, sys; sys.stderr.write('a warning'); sys.stderr.flush(); os.kill(os.getpid(), 11)",
         "the process that loads them was ended by SIGSEGV"),
    ],
)  # fmt: skip
def test_a_process_that_does_not_answer_is_told_of_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, program: str, told: str
) -> None:
    found = told_by(program, monkeypatch)
    assert isinstance(found, Unexamined)
    assert found.check.state == "broken"
    assert found.check.detail.startswith("what of them works is not known: ")
    assert told in found.check.detail
    assert told in found.problem
    assert "a warning" not in found.check.detail
    assert found.check.remedy.startswith("look at it: ")


@pytest.mark.parametrize(
    ("last", "remedy"),
    [
        ("ModuleNotFoundError: No module named 'sklearn'", "-m pip install scikit-learn"),
        ("ImportError: libtorch.so \udcff", "--force-reinstall torch torchvision"),
    ],
)
def test_libraries_that_do_not_load_come_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, last: str, remedy: str
) -> None:
    said = f"Trace\n{last}\n".encode(errors="surrogateescape")
    found = told_by(f"import os, sys; os.write(2, {said!r}); sys.exit(1)", monkeypatch)
    assert isinstance(found, Unexamined)
    assert found.problem == said.decode(errors="replace").strip()
    assert found.check.detail.startswith(f"those that compute cannot be loaded: {last[:12]}")
    assert found.check.remedy.endswith(remedy)


def test_where_no_process_can_be_started_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    found = examine_libraries()
    assert isinstance(found, Unexamined)
    assert found.problem == "no process can be started: No such file or directory"


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_goes_on_without_what_the_libraries_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setattr("tui_aefit.shell.doctor.EXAMINE", ("-c", "print('noise')"))
    monkeypatch.setenv("AEFIT_HOME", str(tmp_path / "home"))
    assert run(["doctor", *(["--json"] if as_json else [])]) == ExitStatus.REFUSED
    told = capsys.readouterr().out
    if as_json:
        examined = json.loads(told)
        assert list(examined) == ["processors", "folders", "data_sets", "problem", "works", "checks"]
        assert examined["problem"].startswith("what the process that loads them printed cannot be read")
        assert not examined["works"]
    else:
        assert "what of them works is not known" in " ".join(told.split())


@pytest.mark.parametrize(("build", "remedy"), [("", "CUDA build"), ("12.8", "nvidia-smi")])
def test_a_gpu_that_torch_does_not_find_is_no_secret(
    monkeypatch: pytest.MonkeyPatch, build: str, remedy: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    check = checks(cuda_build=build)["GPU"]
    assert check.state == "limited"
    assert remedy in check.remedy


@pytest.mark.parametrize(("free", "state"), [(1e6, "broken"), (1e9, "limited"), (1e11, "works")])
def test_a_home_needs_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, state: str) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    check = _home(tmp_path / "new" / "home", True)
    assert (check.state, f"{free / 1e9:,.1f} GB free" in check.detail) == (state, True)
    assert ("--home DIR" in check.remedy) == (state != "works")
    assert _home(tmp_path, False).state == "broken"


def terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], size: tuple[int, int] = (80, 24)
) -> dict[str, Check]:
    for channel in (sys.stdin, sys.stdout, sys.stderr):
        monkeypatch.setattr(channel, "isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size(size))
    return {check.what: check for check in terminal_checks(variables)}


def test_a_terminal_that_shows_everything_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = terminal(monkeypatch, {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TMUX": "/tmp/1"})
    assert {name: (check.state, check.remedy) for name, check in found.items()} == dict.fromkeys(
        ("terminal", "colours", "characters", "tmux"), ("works", "")
    )
    assert found["terminal"].detail.startswith("80 x 24")


@pytest.mark.parametrize(
    ("variables", "what", "told"),
    [
        ({"TERM": "xterm"}, "colours", "COLORTERM=truecolor"),
        ({"TERM": "xterm-256color"}, "colours", "256 at most"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "colours", "NO_COLOR"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/1"}, "tmux", "terminal-features"),
        ({"TERM": "dumb"}, "terminal", "TERM=xterm-256color"),
    ],
)
def test_what_a_terminal_lacks_is_said(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], what: str, told: str
) -> None:
    check = terminal(monkeypatch, variables)[what]
    assert told in f"{check.detail} {check.remedy}"


def test_a_terminal_that_is_too_small_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ((59, 24), (80, 19)):
        assert terminal(monkeypatch, {"TERM": "xterm"}, size)["terminal"].state == "limited"
    assert terminal(monkeypatch, {"TERM": "xterm"}, (60, 20))["terminal"].state == "works"


def test_without_unicode_charts_are_said_to_be_impossible() -> None:
    assert _characters("UTF-8").state == _characters("utf8").state == "works"
    assert _characters("ascii").remedy == "export LC_ALL=C.UTF-8"


def test_what_takes_work_to_other_machines_is_looked_for_and_not_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = {"distributed": "2026.8.0", "dask-jobqueue": "0.9.0"}
    programs = {"srun": "/usr/bin/srun"}

    def version(package: str) -> str:
        if package not in there:
            raise PackageNotFoundError(package)
        return there[package]

    monkeypatch.setattr("tui_aefit.shell.doctor.version", version)
    monkeypatch.setattr("shutil.which", programs.get)
    found = {check.what: check for check in elsewhere_checks()}
    assert (found["Slurm"].state, found["SSH"].state, found["Dask"].state) == ("works", "absent", "limited")
    assert "/usr/bin/srun" in found["Slurm"].detail
    assert "without asyncssh (--dask ssh:HOST)" in found["Dask"].detail
    assert found["Dask"].remedy == INSTALL
    there["asyncssh"] = "2.24"
    assert {check.what: check for check in elsewhere_checks()}["Dask"].state == "works"
    there.clear()
    dask = {check.what: check for check in elsewhere_checks()}["Dask"]
    assert (dask.state, dask.remedy) == ("absent", INSTALL)


def test_without_a_terminal_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert [check.state for check in terminal_checks({"TERM": "xterm"})] == ["absent"]
