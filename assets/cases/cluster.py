"""A pool of processes on one machine or many: `dask.distributed`, used for nothing else.

Belongs here: handing parts out, and what happens when a worker is lost, stalls or dies. Does not:
a part, which is worked on by the same function as here (worker.py).
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from distributed import Client, Future, KilledWorker

from assets.cases.connection import ask, checked_address, connected, require_fit, workers
from assets.cases.plan import Limits, Part
from assets.cases.pool import Done, Outcome
from assets.cases.worker import Task, Worked, versions, work
from schemas.collection import Collection
from schemas.errors import ServiceError

_GLANCE: Final = 1.0
_LOSSES: Final = 3
_SENT: Final = 3
_TIMES: Final = 5
"""So many times as long as the slowest part so far may a part take before another worker tries."""


@dataclass(frozen=True)
class Patience:
    """Seconds to wait for a connection, an answer, and what is lost to come `back`.

    After `slow` without any part ended, what is not is given to other workers too.
    """

    connect: float = 5
    answer: float = 15
    back: float = 60
    slow: float = 120


PATIENCE: Final = Patience()


class _LostError(Exception):
    """The connection to the scheduler is lost, and with it all that it knew."""


class Cluster:
    """The pool behind the address of a scheduler."""

    def __init__(
        self,
        address: str,
        tell: Callable[[Done], None] = lambda _: None,
        patience: Patience = PATIENCE,
    ) -> None:
        """Name the cluster; it is connected to when there is work.

        Raises:
            SetupError: it is no address.
        """
        self._address = checked_address(address)
        self._tell = tell
        self._patience = patience
        self.dashboard: str | None = None

    def __call__(
        self,
        parts: Sequence[Part],
        collection: Collection,
        limits: Limits,
        folder: Path,
        advance: Callable[[int], None],
    ) -> list[Outcome]:
        """Do what Pool says. What is finished stays so when the scheduler is lost and comes back.

        Raises:
            SetupError: there is no cluster, or its workers cannot do this work.
            ServiceError: the cluster was lost, and did not come back in time.
        """
        # A worker that wakes up after this run must not write to the next one's folder.
        run = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        tasks = {
            part.name: Task(_absolute(part), collection, limits, run, versions()) for part in parts
        }
        outcomes: dict[str, Outcome] = {}
        losses = 0
        while tasks.keys() - outcomes:
            left = [task for name, task in tasks.items() if name not in outcomes]
            with self._connected(run, losses) as client:
                try:
                    for task, worked in _Round(client, left, self._patience).results():
                        outcomes[task.part.name] = worked.outcome
                        self._tell(_done(task, worked))
                        advance(task.part.rows)
                except _LostError:
                    losses += 1
        return [outcomes[part.name] for part in parts]

    @contextmanager
    def _connected(self, run: Path, losses: int) -> Iterator[Client]:
        """Yield a connection to fit workers; what was lost is waited for, some times."""
        if losses > _LOSSES:
            raise ServiceError(
                f"the scheduler was lost {losses} times. See in its log why, and start again."
            )
        patience = self._patience
        with connected(self._address, patience.back if losses else patience.connect) as client:
            self.dashboard = client.dashboard_link
            require_fit(client, run, versions(), patience.answer)
            yield client


class _Round:
    """The tasks that are handed to one scheduler while it lives."""

    def __init__(self, client: Client, tasks: Sequence[Task], patience: Patience) -> None:
        self._client = client
        self._patience = patience
        self._left = {task.part.name: task for task in tasks}
        self._sent: dict[str, list[Future[Worked]]] = {}
        self._answers: SimpleQueue[tuple[str, Future[Worked]]] = SimpleQueue()
        self._last = self._seen = time.monotonic()
        self._slowest = 0.0

    def results(self) -> Iterator[tuple[Task, Worked]]:
        """Yield each task once, as it ends.

        Raises:
            _LostError: the connection is lost.
            ServiceError: all workers are lost.
        """
        # The largest first: none is left to one worker alone in the end.
        for name in sorted(self._left, key=lambda name: -self._left[name].part.rows):
            self._send(name)
        while self._left:
            try:
                name, future = self._answers.get(timeout=_GLANCE)
            except Empty:
                self._look()
                continue
            worked = self._result(name, future) if name in self._left else None
            if worked is None:
                # A result whose worker is gone is said to be there again and again.
                self._look()
                continue
            self._last = time.monotonic()
            self._slowest = max(self._slowest, worked.seconds)
            for other in self._sent.pop(name):
                other.cancel()
            yield self._left.pop(name), worked

    def _send(self, name: str, to: Iterable[str] | None = None) -> None:
        task = self._left[name]
        sent = self._sent.setdefault(name, [])
        # The client's name makes it unlike those that a lost connection may have left.
        key = f"{name}-{len(sent)}-{self._client.id}"
        future: Future[Worked] = self._client.submit(work, task, key=key, pure=False, workers=to)
        sent.append(future)
        future.add_done_callback(lambda ended: self._answers.put((name, ended)))

    def _result(self, name: str, future: Future[Worked]) -> Worked | None:
        """Return what a future holds; None if its worker is gone, so that it must be done again.

        What a worker has finished is gone with it too, unless it was fetched before.
        """
        if future.status == "cancelled":
            raise _LostError
        try:
            worked: Worked = future.result(timeout=self._patience.answer)
        except TimeoutError:
            future.add_done_callback(lambda ended: self._answers.put((name, ended)))
            return None
        except KilledWorker as error:
            raise ServiceError(
                f"every worker that worked on {_told([self._left[name]])} died. See in their logs"
                " why (memory, most often), give them more of it or fewer threads, and start again."
            ) from error
        except Exception as error:
            error.add_note(f"This happened with {_told([self._left[name]])}.")
            raise
        return worked

    def _look(self) -> None:
        """See whether the cluster is still there, and whether somebody stalls."""
        if self._client.status != "running":
            raise _LostError
        now = time.monotonic()
        try:
            if workers(self._client):
                self._seen = now
        except ServiceError as error:
            raise _LostError from error
        if now - self._seen > self._patience.back:
            raise ServiceError(
                f"all workers of the cluster are lost; not finished is the work on"
                f" {_told(self._left.values())}. See in the workers' logs why, restart them, and"
                " start again."
            )
        if now - self._last > max(self._patience.slow, _TIMES * self._slowest):
            self._last = now
            self._help()

    def _help(self) -> None:
        """Give what does not end to workers that do not have it.

        Raises:
            ServiceError: that was done, and workers are idle.
        """
        has = ask(self._client, "processing", workers=None)
        if not all(has.values()) and all(len(sent) == _SENT for sent in self._sent.values()):
            raise ServiceError(
                f"the cluster does not come to an end with {_told(self._left.values())}. See in"
                " the workers' logs why, restart them, and start again."
            )
        for name, sent in self._sent.items():
            keys = {future.key for future in sent}
            others = [worker for worker, held in has.items() if keys.isdisjoint(held)]
            if others and len(sent) < _SENT:
                self._send(name, others)


def _absolute(part: Part) -> Part:
    """Return a part whose files are found from any working directory."""
    sources = [
        replace(source, path=source.path.absolute()) if isinstance(source.path, Path) else source
        for source in part.sources
    ]
    return replace(part, sources=tuple(sources))


def _done(task: Task, worked: Worked) -> Done:
    part = task.part
    return Done(part.name, part.forces, part.rows, worked.seconds, worked.worker)


def _told(tasks: Iterable[Task]) -> str:
    """Name the files of some tasks, the first of them."""
    files = [source.file for task in tasks for source in task.part.sources]
    return ", ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")
