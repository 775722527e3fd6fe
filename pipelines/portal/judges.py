"""The processes that judge what is sent: some that are ready, each replaced when it fails."""

import json
import logging
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
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
_LOG: Final = logging.getLogger("muster.portal")


class TooMuchError(Exception):
    """Judging a file took more memory or time than any return does."""


@dataclass
class _Judge:
    process: subprocess.Popen[bytes]
    jobs: Connection
    ready: bool = False

    def ask(self, message: bytes | None, seconds: float) -> dict[str, Any]:
        """Send a job, if any, and return what it answers.

        Raises:
            TooMuchError: it does not in time, or has ended.
        """
        try:
            if message is not None:
                self.jobs.send_bytes(message)
            if self.jobs.poll(seconds):
                answer: dict[str, Any] = json.loads(self.jobs.recv_bytes(LONGEST))
                return answer
        except (EOFError, OSError, ValueError) as error:
            raise TooMuchError from error
        raise TooMuchError

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.jobs.close()


class Judges:
    """So many processes that judge for a collection."""

    def __init__(self, collection_id: str, number: int = 2) -> None:
        self._collection_id = collection_id
        self._turns = anyio.CapacityLimiter(number)
        self._lock = Lock()
        self._idle: list[_Judge] = []
        self._open = True

    def begin(self) -> None:
        """Start all of them, without waiting until they are ready."""
        for _ in range(int(self._turns.total_tokens)):
            self._put_back(self._started())

    def end(self) -> None:
        """End all of them."""
        self._open = False
        while self._idle:
            self._idle.pop().end()

    async def verdict(self, path: Path, force_code: str) -> dict[str, Any]:
        """Return what judging.verdict says of a file, when its turn has come.

        Raises:
            TooMuchError: it takes more memory or time than any return does.
            ServiceError: no process could be started.
        """
        job = json.dumps({"path": str(path), "force_code": force_code}).encode()
        return await anyio.to_thread.run_sync(self._judged, job, limiter=self._turns)

    def _judged(self, job: bytes) -> dict[str, Any]:
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
            answer = judge.ask(job, PATIENCE)
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
