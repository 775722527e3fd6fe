"""`make dev` leaves no server behind, however it is told to end."""

import fcntl
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.dev import together

_SERVER = """
import fcntl, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("up", flush=True)
time.sleep(60)
"""
_STARTS = """
import os, subprocess, sys, time
server = subprocess.Popen([sys.executable, "-ISc", *sys.argv[1:3]], stdout=subprocess.PIPE)
server.stdout.readline()
os.kill(os.getppid(), int(sys.argv[3]))
time.sleep(60)
"""


@pytest.fixture
def handlers() -> Iterator[None]:
    """What the process does when it is told to end is its own again."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("handlers")
def test_what_was_started_ends_with_it(tmp_path: Path) -> None:
    """Also where interrupts were ignored, as in what a shell has started beside itself."""
    held = tmp_path / "held"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = [_SERVER, str(held), str(int(signal.SIGTERM))]
    assert together([sys.executable, "-ISc", _STARTS, *told]) == 0
    with held.open() as file:
        for _ in range(100):  # a moment passes until what is killed is gone
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)
            else:
                return
    pytest.fail("a server runs on")
