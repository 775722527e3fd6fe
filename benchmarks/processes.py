"""A cluster of real processes on loopback, to be measured, and to be killed in tests.

Belongs here: starting and ending them. Ended is only what was started here.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

_SETTINGS = {
    "DASK_DISTRIBUTED__ADMIN__LARGE_GRAPH_WARNING_THRESHOLD": "1GB",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "60s",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:10000,muzzy_decay_ms:-1",
}


class Processes:
    """A scheduler and workers that lie in `folder`; a killed worker stays dead."""

    def __init__(self, folder: Path) -> None:
        """Name a folder for logs and scratch files."""
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def start_scheduler(self, **environment: str) -> None:
        """Start a scheduler, at the same address as an earlier one."""
        file = self._folder / f"scheduler-{len(self._started)}.json"
        port = self.address.rpartition(":")[2] or "0"
        self.scheduler = self._start(
            ["scheduler", "--port", port, "--no-show", "--scheduler-file", str(file)], environment
        )
        wait_for(lambda: file.exists() and file.read_text().endswith("}"), self.scheduler)
        self.address = json.loads(file.read_text())["address"]

    def start_worker(self, preload: str = "", **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker that runs `preload` first."""
        extra = []
        if preload:
            script = self._folder / f"preload_{len(self._started)}.py"
            script.write_text(preload)
            extra = ["--preload", str(script)]
        worker = self._start(
            ["worker", self.address, "--no-nanny", "--nthreads", "1", "--memory-limit", "0",
             "--local-directory", str(self._folder / f"local-{len(self._started)}"), *extra],
            environment,
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def wait_for_workers(self, number: int) -> None:
        """Wait until the scheduler knows exactly so many workers."""
        deadline = time.monotonic() + 60
        with Client(self.address, timeout=60, set_as_default=False) as client:
            while len(client.scheduler_info(n_workers=-1)["workers"]) != number:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def _start(
        self, arguments: list[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        role, *others = arguments
        command = [sys.executable, "-W", "ignore", "-m", f"distributed.cli.dask_{role}"]
        log = (self._folder / f"{role}-{len(self._started)}.log").open("wb")
        with log:
            process = subprocess.Popen(  # noqa: S603 (the command is ours)
                [*command, *others, "--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={**os.environ, **_SETTINGS, **environment},
            )
        self._started.append(process)
        return process

    def end(self) -> None:
        """End what was started here, also what is stopped."""
        for process in reversed(self._started):
            if process.poll() is None:
                process.kill()
            process.wait()


@contextmanager
def cluster(
    folder: Path, workers: int, preload: str = "", **environment: str
) -> Iterator[Processes]:
    """Yield a scheduler that knows so many workers, and end them all."""
    folder.mkdir(parents=True, exist_ok=True)
    processes = Processes(folder)
    try:
        processes.start_scheduler(**environment)
        for _ in range(workers):
            processes.start_worker(preload)
        processes.wait_for_workers(workers)
        yield processes
    finally:
        processes.end()


def wait_for(true: Callable[[], bool], process: subprocess.Popen[bytes], most: float = 60) -> None:
    """Wait until something is true of a process that must live meanwhile."""
    deadline = time.monotonic() + most
    while not true():
        assert process.poll() is None, process.args
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.wait()
