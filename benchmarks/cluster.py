"""Measures `muster cases` on two workers of a cluster on this machine beside one process.

Belongs here: the cluster that is measured, and the worker that is killed in the middle. The
workers stand ready, as they do in use; their memory is not counted.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.measure import Program, Run, muster, run_once, take_turns
from benchmarks.processes import Processes, kill

_WORKERS: Final = 2
_MIDDLE: Final = 4
"""Parts that are begun when a worker is killed, of about twelve of 10 million rows."""

_READY: Final = "import assets.cases.judging, assets.cases.cluster, assets.cases.csv_text\n"


def measured(source: Path, folder: Path, rounds: int) -> dict[str, Run]:
    """Return the median run of each way by its name.

    Raises:
        SystemExit: the results are not the same, byte for byte.
    """
    with tempfile.TemporaryDirectory(prefix="muster-bench-", dir=folder) as name:
        out = Path(name)
        processes = Processes(out)
        try:
            processes.start_scheduler()
            _complete(processes)
            programs = _programs(source, out, processes)
            for program in programs.values():
                run_once(program)
            _require_same(out)
            return take_turns(programs, rounds)
        finally:
            processes.end()


def _programs(source: Path, out: Path, processes: Processes) -> dict[str, Program]:
    def job(name: str, before: Callable[[], None], address: str) -> Program:
        command = muster("cases", source, "--out", out / name, "--json")
        return Program(command, (0, 1), before, {"MUSTER_DASK": address})

    def ready() -> None:
        _complete(processes)

    def to_be_killed() -> None:
        _complete(processes)
        threading.Thread(target=_kill_in_the_middle, args=(processes, out / "killed")).start()

    return {
        "one process": job("one", ready, ""),
        "two workers": job("two", ready, processes.address),
        "one killed": job("killed", to_be_killed, processes.address),
    }


def _complete(processes: Processes) -> None:
    """Start a worker for each that is dead, and wait until all are known to the scheduler."""
    alive = [worker for worker in processes.workers if worker.poll() is None]
    for _ in range(_WORKERS - len(alive)):
        processes.start_worker(_READY)
    processes.wait_for_workers(_WORKERS)


def _kill_in_the_middle(processes: Processes, out: Path) -> None:
    """Kill a worker once a third of the parts is begun."""
    work = out.with_name(f".{out.name}.partial")
    deadline = time.monotonic() + 600
    while len(list(work.glob("run-*/part-*"))) < _MIDDLE and time.monotonic() < deadline:
        time.sleep(0.01)
    kill(next(worker for worker in processes.workers if worker.poll() is None))


def _require_same(out: Path) -> None:
    one, two, killed = (
        {path.name: path.read_bytes() for path in (out / name).iterdir()}
        for name in ("one", "two", "killed")
    )
    if not one == two == killed:
        raise SystemExit("The cluster does not give the same bytes; nothing was measured.")
