"""The processes that judge what is sent: some that are kept ready, each replaced when it fails."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
from anyio import BrokenWorkerProcess, to_process

from pipelines.portal.judging import judge
from schemas.errors import ServiceError

PATIENCE: Final = 30.0
"""Seconds in which a file must be judged once its turn has come."""
_TO_BEGIN: Final = 60.0
_SOME: Final = 4
"""Files that are judged together."""
_LOG: Final = logging.getLogger("muster.portal")


class TooMuchError(Exception):
    """Judging a file took more memory or time than any return does."""


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
        self._collection_id, self._number = collection_id, number
        self._turns, self._limiter = anyio.Semaphore(number), anyio.CapacityLimiter(number)
        self._waiting: list[_Waiting] = []

    async def begin(self) -> None:
        """Start all of them; where one cannot be, the first file that comes is told so."""

        async def one() -> None:
            async with self._turns:
                await self._begun()

        async with anyio.create_task_group() as group:
            for _ in range(self._number):
                group.start_soon(one)

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
                    await self._judge(some)
                for each in some:
                    each.done.set()
        await mine.done.wait()
        if isinstance(mine.told, Exception):
            raise mine.told
        return mine.told

    def _next_ones(self) -> list[_Waiting]:
        """Take the next few files that wait, of each force one."""
        some = {each.force_code: each for each in reversed(self._waiting)}
        found = [each for each in self._waiting if some[each.force_code] is each][:_SOME]
        self._waiting = [each for each in self._waiting if each not in found]
        return found

    async def _judge(self, some: list[_Waiting]) -> None:
        """Judge files; where that fails, each by itself, so that none suffers for another."""
        try:
            answers = await self._judged([(each.path, each.force_code) for each in some])
            for each, answer in zip(some, answers, strict=True):
                each.told = answer
        except (TooMuchError, ServiceError) as error:
            for each in some:
                each.told = error
            for each in some if len(some) > 1 else ():
                await self._judge([each])

    async def _judged(self, job: list[tuple[Path, str]]) -> list[dict[str, Any]]:
        for _ in range(2):  # that a process was ended from outside is no fault of the file
            try:
                return await self._asked(job, PATIENCE)
            except BrokenWorkerProcess:
                _LOG.warning("a process that judges has ended; another is started")
        if await self._begun():
            raise TooMuchError
        raise ServiceError("no process that judges what is sent could be started.")

    async def _begun(self) -> bool:
        try:
            await self._asked([], _TO_BEGIN)
        except (TooMuchError, BrokenWorkerProcess):
            _LOG.exception("no process that judges what is sent could be started")
            return False
        return True

    async def _asked(self, job: list[tuple[Path, str]], seconds: float) -> list[dict[str, Any]]:
        try:
            with anyio.fail_after(seconds):
                return await to_process.run_sync(
                    judge, job, self._collection_id, cancellable=True, limiter=self._limiter
                )
        except TimeoutError as error:
            raise TooMuchError from error
        except SystemExit as error:
            _LOG.warning("judging ended: %s", error)
            raise TooMuchError from error
