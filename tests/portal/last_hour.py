"""The last hour before a deadline: every force signs in, checks what is wrong, mends, and sends.

`python -m tests.portal.last_hour` prints how long the verdicts took when all came at once.
"""

import hashlib
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier, Thread

import psutil

from pipelines.portal.accounts import Account
from schemas.collection import Collection, load_collection
from tests.portal.served import browsing, served, with_accounts
from tests.returns import SampleReturn


@dataclass
class Told:
    """What one force saw: how long each verdict took, its receipt, and the bytes it sent."""

    force_code: str
    seconds: tuple[float, float]
    receipt: str
    sha256: str


SPENT: list[float] = []
"""Processor seconds that a verdict took, of all processes of the portal."""


def _processor_seconds(pid: int) -> float:
    portal = psutil.Process(pid)
    found = (each.cpu_times() for each in (portal, *portal.children(recursive=True)))
    return sum(each.user + each.system for each in found)


def last_hour(lake: Path, collection: Collection) -> list[Told]:
    """Have every force check a return, of which each fourth is wrong, and send one, all at once."""
    with_accounts(lake, *(Account(f"{f.lower()}.x", "preparer", f) for f in collection.forces))
    returns = {}
    for number, force in enumerate(collection.forces):
        right = SampleReturn.of(force, collection)
        sent = checked = right.write(lake / f"{force}.xlsx").read_bytes()
        if number % 4 == 0:
            total = ("investigations", "total", "total")
            wrong = right.with_values({total: str(int(right.values[total]) + 1)})
            checked = wrong.write(lake / f"{force}-wrong.xlsx").read_bytes()
        returns[force] = checked, sent
    told: list[Told] = []
    failed: list[BaseException] = []
    ready = Barrier(len(returns))

    def one(address: str, force: str) -> None:
        try:
            with browsing(address, f"{force.lower()}.x") as found:
                found.go("/")
                ready.wait(120)
                began = time.monotonic()
                answer = found.upload("/check", returns[force][0])
                checked = time.monotonic() - began
                assert answer.status_code == 200, answer.text
                wrong = returns[force][0] != returns[force][1]
                assert ("C103" in answer.text) is wrong
                assert not wrong or f"{force}-marked.xlsx" in answer.text
                ready.wait(120)
                began = time.monotonic()
                answer = found.upload("/send", returns[force][1])
                seconds = checked, time.monotonic() - began
                assert f"Receipt {force}-0001" in answer.text, answer.text
                sha256 = hashlib.sha256(returns[force][1]).hexdigest()
                assert sha256 in answer.text
                told.append(Told(force, seconds, answer.text, sha256))
        except BaseException as error:
            failed.append(error)
            ready.abort()

    with served(lake) as (address, process):
        with browsing(address, f"{collection.forces[0].lower()}.x") as first:
            first.go("/")  # until the processes that judge are ready
            first.upload("/check", returns[collection.forces[0]][1])
        before = _processor_seconds(process.pid)
        threads = [Thread(target=one, args=(address, force)) for force in returns]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        SPENT.append((_processor_seconds(process.pid) - before) / max(2 * len(told), 1))
    # What broke first says why the others broke.
    broken = [e for e in failed if not isinstance(e, threading.BrokenBarrierError)] or failed
    if broken:
        raise broken[0]
    return told


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = last_hour(Path(folder), load_collection("2012-revisit"))
    for at, what in enumerate(("check", "send")):
        times = sorted(each.seconds[at] for each in found)
        most = times[int(len(times) * 0.95)]
        line = (
            f"{what}: {len(times)} at once, median {times[len(times) // 2]:.2f} s, 95% {most:.2f} s"
        )
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{SPENT[0]:.2f} processor seconds a verdict\n")
