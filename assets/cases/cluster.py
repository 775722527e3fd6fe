"""The pool behind a scheduler's address: `dask.distributed`, used for nothing else.

Dask does a part again elsewhere when its worker dies, or is silent for as long as `worker-ttl` says
(docs/scaling.md sets it). What only this module does: starting again where the scheduler was lost,
and never waiting for ever. `require_same_setup` and `work` are called in the workers; data errors
come back as values, so what is raised there is wrong with the worker.
"""

import importlib.metadata
import pickle
import platform
import re
import socket
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from assets.cases.judging import Advance, Job, Outcome, outcome
from assets.cases.reading import Part
from assets.lake import software_sha256
from schemas.errors import MusterError, ServiceError, SetupError
from schemas.lean import without
from schemas.wording import first_of, plural

with without(absent=["numpy"]):  # a third of the time to load, for arrays that nobody sends here
    from distributed import Client, Future, KilledWorker, as_completed
    from distributed.client import FutureCancelledError
    from distributed.versions import VersionMismatchWarning

_LIBRARIES: Final = ("polars", "numpy", "pyarrow", "distributed")
SETUP: Final = {
    "Python": platform.python_version(),
    **{name: importlib.metadata.version(name) for name in _LIBRARIES},
    "Muster's code": software_sha256()[:12],
}
"""What must be the same on all machines, so that the results are. It is taken when this is loaded:
what lies on the disk later may be newer than what runs."""

_START: Final = (
    "Start one as docs/scaling.md says, or unset MUSTER_DASK to work in this process alone"
)
_ADDRESS: Final = re.compile(r"(tcp|tls)://([^@:/?#\[\]\s]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}/?")
_GLANCE: Final = 0.01
_LOOK: Final = 1.0
_FETCH: Final = 2.0
"""Seconds to ask for a result, which is small, before it is asked for again: whoever had it may
have died, and is waited for until then."""
_LOSSES: Final = 3


@dataclass(frozen=True)
class Patience:
    """Seconds to wait for a connection, an answer, and what is lost to come `back`."""

    connect: float = 5
    answer: float = 15
    back: float = 60


@dataclass(frozen=True)
class Done:
    """A part that the cluster has finished: its rows, the seconds it took, and on which worker."""

    part: str
    forces: tuple[str, ...]
    rows: int
    seconds: float
    worker: str


class _LostError(Exception):
    """The connection to the scheduler is lost, and with it all that it knew."""


class Cluster:
    """The pool behind the address of a scheduler; `dashboard` is where its work can be watched."""

    def __init__(
        self,
        address: str,
        tell: Callable[[Done], None] = lambda _: None,
        patience: Patience = Patience(),
    ) -> None:
        """Name the cluster; it is connected to when there is work.

        Raises:
            SetupError: it is no address.
        """
        self._address, self._tell, self._patience = checked_address(address), tell, patience
        self.dashboard: str | None = None

    def __call__(self, parts: Sequence[Part], job: Job, advance: Advance) -> list[Outcome]:
        """Do what Pool says. What is finished stays so when the scheduler is lost and comes back.

        Raises:
            SetupError: there is no cluster, or its workers cannot do this work.
            ServiceError: the cluster was lost, and did not come back in time.
        """
        # A worker that wakes up after this run must not write to the next one's folder.
        job = replace(job, folder=Path(tempfile.mkdtemp(prefix="run-", dir=job.folder)))
        left = {part.name: part for part in parts}
        outcomes: dict[str, Outcome] = {}
        for loss in range(_LOSSES + 1):
            seconds = self._patience.back if loss else self._patience.connect
            with suppress(_LostError), self._connected(seconds) as client:
                _require_fit(client, job.folder, self._patience.answer)
                for found, done in self._worked(client, left, job):
                    del left[done.part]
                    outcomes[done.part] = found
                    self._tell(done)
                    advance(done.rows)
            if not left:
                return [outcomes[part.name] for part in parts]
        raise ServiceError(
            f"the scheduler was lost {_LOSSES + 1} times. See in its log why, and start again."
        )

    def _worked(
        self, client: Client, left: Mapping[str, Part], job: Job
    ) -> Iterator[tuple[Outcome, Done]]:
        """Yield what came of the parts as they end, each once. Raises _LostError, ServiceError."""
        # The largest first: none is left to one worker alone in the end. The client's name makes
        # a key unlike those that a lost connection may have left.
        about = pickle.dumps(job)
        parts = {
            client.submit(work, part, about, SETUP, key=f"{part.name}-{client.id}"): part
            for part in sorted(left.values(), key=lambda part: -part.rows)
        }
        ended = as_completed(parts, loop=client.loop)
        looked = seen = time.monotonic()
        while not ended.is_empty():
            for future in ended.next_batch(block=False):
                try:
                    yield _result(future, parts[future])
                except TimeoutError:  # gone with its worker, and said to be there while done again
                    ended.add(future)
            if (now := time.monotonic()) - looked > _LOOK:
                looked = now
                if _workers(client):
                    seen = now
                elif now - seen > self._patience.back:
                    raise ServiceError(
                        f"all workers of the cluster are lost; not finished is the work on"
                        f" {_files(left.values())}. See in the workers' logs why, restart them, and"
                        " start again."
                    )
            time.sleep(_GLANCE)

    @contextmanager
    def _connected(self, seconds: float) -> Iterator[Client]:
        """Yield a connection to a cluster that has workers, waiting so long for either."""
        until = time.monotonic() + seconds
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", VersionMismatchWarning)
                client = Client(self._address, timeout=seconds, set_as_default=False, name="muster")
        except VersionMismatchWarning as error:
            raise SetupError(
                f"the cluster at {self._address} has other versions than this process.\n"
                f"{str(error).strip()}\nInstall Muster from the same requirements.lock on every"
                " machine, and restart the scheduler and the workers."
            ) from error
        except (OSError, TimeoutError, ImportError) as error:
            raise SetupError(
                f"no scheduler answers at {self._address}, which MUSTER_DASK names. {_START}."
            ) from error
        try:
            while not _workers(client):
                if time.monotonic() > until:
                    raise SetupError(f"the scheduler at {self._address} has no workers. {_START}.")
                time.sleep(_GLANCE)
            self.dashboard = client.dashboard_link
            yield client
        finally:
            # One in the middle of connecting again raises what that raised, or takes too long: the
            # work is done by then, or is lost and about to be done again.
            with suppress(OSError, RuntimeError, TimeoutError):
                client.close(timeout=2)


def checked_address(address: str) -> str:
    """Return an address as it may be shown.

    Raises:
        SetupError: it is not of the form tcp://host:port. The message does not quote it, as it
            may hold a password.
    """
    if not _ADDRESS.fullmatch(address):
        raise SetupError(
            "MUSTER_DASK must be the address of a scheduler and nothing else, such as"
            " tcp://127.0.0.1:8786 (or tls://). Set it so, or unset it to work in this process"
            " alone."
        )
    return address.rstrip("/")


def _workers(client: Client) -> list[str]:
    """Return the addresses of the workers that the scheduler knows. Raises _LostError."""
    try:
        scheduler: Any = client.scheduler
        if client.status != "running" or scheduler is None:
            raise _LostError
        found = client.sync(scheduler.identity, callback_timeout=10, n_workers=-1)
    except (OSError, TimeoutError) as error:
        raise _LostError from error
    return sorted(found["workers"])


def _require_fit(client: Client, run: Path, seconds: float) -> None:
    """Hold every worker to the set-up; one that does not answer is left to be found lost."""
    asked = {
        client.submit(require_same_setup, run, SETUP, workers=[address], pure=False): address
        for address in _workers(client)
    }
    with suppress(TimeoutError):
        deque(as_completed(asked, loop=client.loop, timeout=seconds), maxlen=0)
    if not any(future.done() for future in asked):
        raise ServiceError(
            f"none of {plural(len(asked), 'worker')} answers within {seconds:g} seconds. See what"
            " they are doing, restart them, and start again."
        )
    for future, address in asked.items():
        error = future.exception() if future.status == "error" else None
        if isinstance(error, MusterError):
            raise error
        if error:
            raise SetupError(
                f"the worker {address} cannot run Muster ({type(error).__name__}: {error})."
                " Install the same version on every machine, and restart the workers."
            ) from error


def _result(future: Future[Any], part: Part) -> tuple[Outcome, Done]:
    """Return what a future holds. Raises TimeoutError where that cannot be fetched in time."""
    try:
        worked: tuple[Outcome, Done] = future.result(timeout=_FETCH)
    except TimeoutError:
        raise
    except FutureCancelledError as error:
        raise _LostError from error
    except KilledWorker as error:
        raise ServiceError(
            f"every worker that worked on {_files([part])} died. See in their logs why"
            " (memory, most often), give them more of it or fewer threads, and start again."
        ) from error
    except Exception as error:
        error.add_note(f"This happened with {_files([part])}.")
        raise
    return worked


def require_same_setup(run: Path, expected: Mapping[str, str], paths: Sequence[Path] = ()) -> None:
    """Hold this process to what a run needs: its versions, the shared folder, its files.

    Raises:
        SetupError: it cannot.
    """
    other = [f"{name} {SETUP[name]}, not {wanted}" for name, wanted in expected.items()
             if SETUP[name] != wanted]  # fmt: skip
    unseen = [str(path) for path in (run, *paths) if not path.exists()]
    here = f"the worker on {socket.gethostname()}"
    if other:
        raise SetupError(
            f"{here} has {'; '.join(other)}. Install the same version of Muster from its"
            " requirements.lock on every machine, and restart the workers."
        )
    if unseen:
        raise SetupError(
            f"{here} cannot see {', '.join(unseen[:5])}. Put the extract and the folder for the"
            " results on storage that every machine mounts at the same path."
        )


_job = lru_cache(2)(pickle.loads)
"""The job that some bytes are; a worker reads it once, since that takes as long as small parts."""


def work(part: Part, job: bytes, expected: Mapping[str, str]) -> tuple[Outcome, Done]:
    """Work on a part; every worker sees the job's folder.

    What it writes lies in a folder of this one execution: a worker that was given up for lost
    may still be writing the same part elsewhere.

    Raises:
        SetupError: this worker is not fit for it.
    """
    started, about = time.perf_counter(), _job(job)
    files = (source.path for source in part.sources)
    require_same_setup(about.folder, expected, [file for file in files if isinstance(file, Path)])
    folder = Path(tempfile.mkdtemp(prefix=f"{part.name}-", dir=about.folder))
    found = outcome(part, replace(about, folder=folder))
    seconds = time.perf_counter() - started
    return found, Done(part.name, part.forces, part.rows, seconds, socket.gethostname())


def _files(parts: Iterable[Part]) -> str:
    """Name the files of some parts, the first of them."""
    return first_of([source.file for part in parts for source in part.sources], 5)
