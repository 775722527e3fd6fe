"""The processes that judge what is sent: some that are ready, each replaced when it fails."""

import json
import logging
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any, Final

import anyio

from pipelines.portal.judging import LONGEST
from schemas.errors import ServiceError

PATIENCE: Final = 30.0
"""Seconds in which a file must be judged once its turn has come."""
_TO_BEGIN: Final = 60.0
_SOME: Final = 4
"""Files that are judged together."""
_LOG: Final = logging.getLogger("muster.portal")


class TooMuchError(Exception):
    """Judging a file took more memory or time than any return does."""


@dataclass
class _Judge:
    process: subprocess.Popen[bytes]
    jobs: Connection
    ready: bool = False

    def ask(self, message: bytes | None, seconds: float) -> Any:
        """Send a job, if any, and return what it answers.

        Raises:
            TooMuchError: it does not in time, or has ended.
        """
        try:
            if message is not None:
                self.jobs.send_bytes(message)
            if self.jobs.poll(seconds):
                return json.loads(self.jobs.recv_bytes(LONGEST))
        except (EOFError, OSError, ValueError) as error:
            raise TooMuchError from error
        raise TooMuchError

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.jobs.close()


@dataclass(eq=False)
class _Waiting:
    """A file that waits for its verdict, and what it gets."""

    path: Path
    force_code: str
    told: dict[str, Any] | Exception = field(default_factory=TooMuchError)
    done: anyio.Event = field(default_factory=anyio.Event)


class Judges:
    """So many processes that judge for a collection."""

    def __init__(self, collection_id: str, number: int = 2) -> None:
        self._collection_id = collection_id
        self._turns, self._threads = anyio.Semaphore(number), anyio.CapacityLimiter(number)
        self._number = number
        self._waiting: list[_Waiting] = []
        self._lock = Lock()
        self._idle: list[_Judge] = []
        self._open = True

    def begin(self) -> None:
        """Start all of them, without waiting until they are ready."""
        for _ in range(self._number):
            self._put_back(self._started())

    def end(self) -> None:
        """End all of them."""
        self._open = False
        while self._idle:
            self._idle.pop().end()

    async def verdict(self, path: Path, force_code: str) -> dict[str, Any]:
        """Return what judging.verdicts says of a file, when its turn has come.

        Those that wait are judged some at a time, which takes hardly longer than one.

        Raises:
            TooMuchError: it takes more memory or time than any return does.
            ServiceError: no process could be started.
        """
        mine = _Waiting(path, force_code)
        self._waiting.append(mine)
        async with self._turns:
            while mine in self._waiting:
                some = self._next_ones()
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._judge, some, limiter=self._threads)
                for each in some:
                    each.done.set()
        await mine.done.wait()
        if isinstance(mine.told, Exception):
            raise mine.told
        return mine.told

    def _next_ones(self) -> "list[_Waiting]":
        """Take the next few files that wait, of each force one."""
        some = {each.force_code: each for each in reversed(self._waiting)}
        found = [each for each in self._waiting if some[each.force_code] is each][:_SOME]
        self._waiting = [each for each in self._waiting if each not in found]
        return found

    def _judge(self, some: "list[_Waiting]") -> None:
        """Judge files; where that fails, each by itself, so that none suffers for another."""
        try:
            answers = self._judged([(str(each.path), each.force_code) for each in some])
            for each, answer in zip(some, answers, strict=True):
                each.told = answer
        except Exception as error:
            for each in some:
                each.told = error
            for each in some if len(some) > 1 else ():
                self._judge([each])

    def _judged(self, job: list[tuple[str, str]]) -> list[dict[str, Any]]:
        with self._lock:
            judge = self._idle.pop(0) if self._idle else None
        judge = judge or self._started()
        try:
            if not judge.ready:
                try:
                    judge.ask(None, _TO_BEGIN)
                except TooMuchError as error:
                    raise ServiceError(
                        "no process that judges what is sent could be started; see the log."
                    ) from error
                judge.ready = True
            answer: list[dict[str, Any]] = judge.ask(json.dumps(job).encode(), PATIENCE)
        except (TooMuchError, ServiceError):
            _LOG.warning("a process that judges was ended; another is started")
            judge.end()
            self._put_back(self._started())
            raise
        self._put_back(judge)
        return answer

    def _put_back(self, judge: _Judge) -> None:
        with self._lock:
            if self._open:
                self._idle.append(judge)
                return
        judge.end()

    def _started(self) -> _Judge:
        ours, theirs = socket.socketpair()
        # One thread each: there are as many of them as processors.
        settings = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-m", "pipelines.portal.judging", str(number)]
            process = subprocess.Popen(  # noqa: S603 - our own program
                [*command, self._collection_id], pass_fds=[number], env=settings,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        return _Judge(process, Connection(ours.detach()))
