"""A Slurm cluster on this machine without systemd: munge, a controller and two nodes, as plain processes."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "srun", "scontrol", "squeue")
PATIENCE = 60.0
"""Seconds after which a daemon that should be there counts as not coming."""
NODES = ("node1", "node2")
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
ReturnToService=2
SlurmdTimeout=10
InactiveLimit=0
KillWait=5
MpiDefault=none
{nodes}
PartitionName=all Nodes={names} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def lacking() -> str:
    """What is not installed that the cluster needs, "" for nothing."""
    missing = [name for name in NEEDED if _program(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed here: apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "Slurm's daemons start the tasks of others: they need root"


@dataclass
class Slurm:
    """A cluster that runs. environment: the variables by which Slurm's commands find it."""

    folder: Path
    environment: Mapping[str, str]
    nodes: dict[str, subprocess.Popen[bytes]]

    def run(self, *words: str, patience: float = PATIENCE) -> str:
        """What a command of Slurm's prints. patience: seconds that it may take."""
        return subprocess.run(
            words, env=self.environment, capture_output=True, text=True, check=True, timeout=patience
        ).stdout

    def start_node(self, name: str) -> None:
        """Start a node's daemon, also one that was killed."""
        self.nodes[name] = _daemon("slurmd", "-D", "-N", name, environment=self.environment)

    def cancel_all(self) -> None:
        """Cancel all jobs, and wait until the nodes take others."""
        self.run("scancel", "--user", getpass.getuser())
        for name in NODES:
            self.run("scontrol", "update", f"NodeName={name}", "State=DOWN", "Reason=clean")
            # It may have come back by itself, which Slurm counts as an error.
            resume = ["scontrol", "update", f"NodeName={name}", "State=RESUME"]
            subprocess.run(resume, env=self.environment, capture_output=True, check=False, timeout=PATIENCE)
        wait_until_idle(self)

    def end_nodes(self) -> None:
        """Have the nodes' daemons end."""
        for node in self.nodes.values():
            _end(node)

    def kill_node(self, name: str) -> int:
        """Kill a node as a power cut does, its daemons and tasks; how many processes of tasks that were."""
        tasks = [pid for pid in _processes() if f"SLURMD_NODENAME={name}" in _environment_of(pid)]
        steps = [pid for pid in map(parent_of, tasks) if _name(pid) == "slurmstepd"]
        for pid in dict.fromkeys([self.nodes[name].pid, *steps, *tasks]):
            kill(pid)
        self.nodes[name].wait()
        return len(tasks)


@contextmanager
def slurm_cluster(folder: Path, cpus: int = 2) -> Iterator[Slurm]:
    """Within the block there is a cluster of two nodes with so many processors each. folder: an empty one."""
    host = socket.gethostname()
    (folder / "state").mkdir()
    ports = free_ports(1 + len(NODES))
    lines = [
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory=9000"
        for name, port in zip(NODES, ports[1:], strict=True)
    ]
    configuration = CONFIGURATION.format(
        folder=folder, host=host, user=getpass.getuser(), controller=ports[0],
        nodes="\n".join(lines), names=",".join(NODES),
    )  # fmt: skip
    (folder / "slurm.conf").write_text(configuration)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    with ExitStack() as stack:
        munge = _daemon(
            "munged", "--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}",
            f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed",
            environment=environment,
        )  # fmt: skip
        stack.callback(_end, munge)
        _wait_for((folder / "munge.socket").exists, "munge")
        stack.callback(_end, _daemon("slurmctld", "-D", environment=environment))
        slurm = Slurm(folder, environment, {})
        stack.callback(slurm.end_nodes)
        for name in NODES:
            slurm.start_node(name)
        wait_until_idle(slurm)
        yield slurm
        subprocess.run(
            ["scancel", "--user", getpass.getuser()], env=environment, check=False, timeout=PATIENCE
        )


def wait_until_idle(slurm: Slurm) -> None:
    """Return once all nodes take jobs."""

    def idle() -> bool:
        asked = subprocess.run(
            ["sinfo", "-h", "-N", "-o", "%N %T"],
            env=slurm.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return sorted(asked.stdout.split("\n")[:-1]) == [f"{name} idle" for name in NODES]

    _wait_for(idle, "the nodes")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens to at the moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def kill(pid: int) -> None:
    """Kill a process, unless it has ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def exists(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _environment_of(pid: int) -> list[str]:
    """What a process was started with; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def _daemon(name: str, *words: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [_program(name) or name, *words],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come up")
        time.sleep(0.1)
