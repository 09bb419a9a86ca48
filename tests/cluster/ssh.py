"""An SSH server on this machine that answers to two names, with keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.slurm import PATIENCE, free_ports, kill, parent_of

SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PrintMotd yes
"""
CLIENT = """\
Host node1 node2
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user
  UserKnownHostsFile {folder}/known_hosts
  LogLevel ERROR
"""


@dataclass
class Ssh:
    """A server that runs. config: the client's, which knows node1 and node2. home: a folder with it in .ssh."""

    config: Path
    home: Path
    server: subprocess.Popen[bytes]

    def cut(self) -> int:
        """Cut all connections; how many processes of the server's held them."""
        found = [
            int(path.name)
            for path in Path("/proc").glob("[0-9]*")
            if parent_of(int(path.name)) == self.server.pid
        ]
        for pid in found:
            kill(pid)
        return len(found)


def lacking() -> str:
    """What is not installed, "" for nothing."""
    missing = [name for name in ("sshd", "ssh", "ssh-keygen") if _program(name) is None]
    return f"{', '.join(missing)} not installed here: apt-get install openssh-server" if missing else ""


@contextmanager
def ssh_server(folder: Path) -> Iterator[Ssh]:
    """Within the block there is a server. folder: an empty one."""
    (port,) = free_ports(1)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    server, client = folder / "sshd_config", folder / ".ssh" / "config"
    client.parent.mkdir()
    server.write_text(SERVER.format(folder=folder, port=port))
    client.write_text(CLIENT.format(folder=folder, port=port, user=getpass.getuser()))
    key = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {key}\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(
            exist_ok=True
        )  # where the server locks itself in before somebody has logged in
    process = subprocess.Popen(
        [_program("sshd") or "sshd", "-D", "-f", str(server), "-E", str(folder / "log")],
        stdin=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _listens(port):
            assert time.monotonic() < deadline, "sshd did not come up"
            time.sleep(0.05)
        yield Ssh(client, folder, process)
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
