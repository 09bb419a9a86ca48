"""The Dask cluster that `--dask` names: the client of one that is there, or of one that is started for us.

Dask is an extra (`pip install 'aefit-tui[dask]'`), and is imported here and nowhere else, when it is asked for.
"""

from __future__ import annotations

import importlib
import math
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from core.engine.launched import passed_on
from core.errors import AefitError
from core.places.dask import INSTALL, Cluster, How

CONNECT_SECONDS = 30.0
"""How long a scheduler may take to answer, and to come back when the connection is lost."""
JOB_MEMORY = "4GB"
"""What a Slurm job of ours asks for where Dask's own configuration does not say it."""

NEEDED: Mapping[How, tuple[str, ...]] = {"ssh": ("asyncssh",), "slurm": ("dask_jobqueue",)}
"""Which packages beside `distributed` a cluster needs, by its kind."""


class Connection(NamedTuple):
    """A client of Dask's. close: closes it, and the cluster too where that was started for us."""

    client: Any
    close: Callable[[], None]


def check_installed(cluster: Cluster) -> None:
    """Check that the packages that a cluster needs are installed. Raises AefitError, which says what to install."""
    for name in ("distributed", *NEEDED.get(cluster.how, ())):
        _import(name)


def connect(cluster: Cluster, *, jobs: int, threads: int) -> Connection:
    """Connect to a cluster, or start one for `jobs` runs at the same time of `threads` threads each.

    Raises AefitError, which says what to install or to put right.
    """
    distributed = _import("distributed")
    try:
        if cluster.how == "address":
            client = distributed.Client(cluster.where[0], timeout=CONNECT_SECONDS, set_as_default=False)
            return Connection(client, client.close)
        if cluster.how == "file":
            path = Path(cluster.where[0]).expanduser()
            if not path.is_file():
                raise AefitError(
                    f"there is no scheduler file {path}", "start one: dask scheduler --scheduler-file FILE"
                )
            client = distributed.Client(
                scheduler_file=str(path), timeout=CONNECT_SECONDS, set_as_default=False
            )
            return Connection(client, client.close)
        own = _start(cluster, distributed, jobs, threads)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        where = ",".join(cluster.where) or cluster.how
        raise AefitError(
            f"no Dask cluster can be had at {where}: {type(error).__name__}: {error}",
            "`aefit-tui doctor` says what works here; for clusters of other kinds: dask scheduler, dask worker",
        ) from error
    client = distributed.Client(own, timeout=CONNECT_SECONDS, set_as_default=False)

    def close() -> None:
        client.close()
        own.close()

    return Connection(client, close)


def _start(cluster: Cluster, distributed: ModuleType, jobs: int, threads: int) -> Any:
    """Start a cluster. A run takes one thread of a Dask worker, which only supervises a worker process of ours."""
    if cluster.how == "local":
        return distributed.LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
    if cluster.how == "ssh":
        hosts = list(cluster.where)
        return distributed.SSHCluster(
            [hosts[0], *hosts],  # the first one's scheduler, and a worker on each
            worker_options={"nthreads": math.ceil(jobs / len(hosts))},
            scheduler_options={"dashboard": False},
            remote_python=_remote_python(),
        )
    dask_config = _import("dask").config
    slurm = _import("dask_jobqueue").SLURMCluster(
        # What a person's own configuration of dask-jobqueue says comes first.
        cores=dask_config.get("jobqueue.slurm.cores", None) or threads,
        processes=dask_config.get("jobqueue.slurm.processes", None) or 1,
        memory=dask_config.get("jobqueue.slurm.memory", None) or JOB_MEMORY,
        python=sys.executable,
        worker_extra_args=["--nthreads", "1"],
        job_script_prologue=[
            *dask_config.get("jobqueue.slurm.job-script-prologue", []),
            *_exports(),
        ],
        scheduler_options={"dashboard": False},
    )
    slurm.adapt(minimum_jobs=jobs, maximum_jobs=jobs)  # a job that is lost is replaced
    return slurm


def _remote_python() -> str:
    """The shell command that starts Python behind SSH, with the `passed_on` variables, which SSH drops."""
    passed = passed_on(os.environ)
    return shlex.join([*(["env", *passed] if passed else []), sys.executable])


def _exports() -> list[str]:
    """Shell lines that set the `passed_on` variables as they are here: a cluster may pass none on."""
    return [f"export {shlex.quote(assignment)}" for assignment in passed_on(os.environ)]


def _import(name: str) -> Any:
    """A package of the extra. Raises AefitError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing = {"dask_jobqueue": "dask-jobqueue"}.get(name, name)
        raise AefitError(f"--dask needs {missing}, which is not installed here ({error})", INSTALL) from error
