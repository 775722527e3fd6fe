"""Runs commands as processes that can be killed, and holds a lake to what must always be true."""

import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import Mock

from assets.intake.raw_store import RawStore
from assets.lake import Lake
from assets.marts import damage
from assets.release import contents
from assets.release.gate import process
from pipelines import resources
from pipelines.cli.main import main

# What takes long to load is loaded once, in a process that does nothing else; each command is
# forked from it. Not our own modules: they use polars, whose threads do not survive a fork.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["dagster", "openpyxl", "pandera.polars", "pyarrow.parquet"])
_LIMIT = 300


@dataclass(frozen=True)
class Ended:
    """How a command ended; `code` is negative where a signal ended it."""

    code: int
    output: str
    seconds: float


class Command:
    """A `muster` command at work in a process of its own.

    With `quick`, a release is without the parts that take seconds and follow from the marts alone.
    """

    def __init__(self, lake: Lake, *arguments: str, quick: bool = False) -> None:
        self.log = lake.root.parent / f"{lake.root.name}-output-{time.monotonic_ns()}"
        self._begun = time.monotonic()
        self._process: BaseProcess = _FORKS.Process(
            target=_muster, args=(str(lake.root), str(self.log), arguments, quick)
        )
        self._process.start()

    def alive(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        """Send SIGKILL, which no process can answer, and see it gone."""
        self._process.kill()
        self._process.join(_LIMIT)

    def wait(self) -> Ended:
        self._process.join(_LIMIT)
        assert self._process.exitcode is not None, "the command does not end"
        seconds = time.monotonic() - self._begun
        return Ended(self._process.exitcode, self.log.read_text(), seconds)


def _muster(lake: str, log: str, arguments: tuple[str, ...], quick: bool) -> None:
    if quick:
        for name in ("expectations", "report"):
            contents.PARTS[name] = lambda _: {}
        contents.PARTS["public"] = lambda _: {"withheld": "not asked for"}
        resources.gate_process = lambda: nullcontext(Mock())  # type: ignore[assignment]
        process.begin = lambda *_: None
    for name in ("DAGSTER_HOME", "MUSTER_COLLECTIONS", "MUSTER_ALERT_URLS"):
        os.environ.pop(name, None)
    os.environ["MUSTER_LAKE"] = lake
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.stdout, sys.stderr = (
        os.fdopen(1, "w", buffering=1, closefd=False),
        os.fdopen(2, "w", buffering=1, closefd=False),
    )
    main(list(arguments))


def muster(lake: Lake, *arguments: str, quick: bool = False) -> Ended:
    """Run a command to its end."""
    return Command(lake, *arguments, quick=quick).wait()


def killed_when(command: Command, reached: Callable[[], bool]) -> bool:
    """Kill a command as soon as something is so; return whether it was, before it ended."""
    while command.alive():
        if reached():
            command.kill()
            return True
        time.sleep(0.001)
    return False


def hold_to_account(lake: Lake) -> None:
    """Assert what must be true at any moment, whatever was killed before.

    What analysts see is one complete release; every receipt is there once, with its bytes.
    """
    if lake.marts.is_symlink():
        shown = lake.marts.resolve(strict=True)
        assert shown.parent == lake.releases
        assert damage(shown) == []
        assert json.loads((shown / "manifest.json").read_text())["release"] == shown.name
    receipts = RawStore(lake).receipts()
    assert [receipt.sequence for receipt in receipts] == [*range(1, len(receipts) + 1)]
    assert len({receipt.sha256 for receipt in receipts}) == len(receipts)
    for receipt in receipts:
        content = RawStore(lake).path(receipt).read_bytes()
        assert hashlib.sha256(content).hexdigest() == receipt.sha256


def content_of(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder, and where each link points."""
    found = {}
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):
            if path.is_symlink():
                found[str(path)] = str(path.readlink())
            elif path.is_file():
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
