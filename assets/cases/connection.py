"""The way to a cluster: its address, the connection, and whether its workers are fit.

Belongs here: what must be true before any work is sent. Does not: the work (cluster.py).
"""

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from distributed import Client
from distributed.versions import VersionMismatchWarning

from assets.cases.worker import look_around
from schemas.errors import MusterError, ServiceError, SetupError
from schemas.wording import plural

_START: Final = (
    "Start one as docs/scaling.md says, or unset MUSTER_DASK to work in this process alone"
)
_GLANCE: Final = 0.2


def checked_address(address: str) -> str:
    """Return an address as it may be shown.

    Raises:
        SetupError: it is not of the form tcp://host:port. The message does not quote it, as it
            may hold a password.
    """
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"tcp", "tls"} and parts.hostname and parts.port
    except ValueError:
        good = None
    if not good or "@" in address or parts.path.strip("/") or parts.query:
        raise SetupError(
            "MUSTER_DASK must be the address of a scheduler and nothing else, such as"
            " tcp://127.0.0.1:8786 (or tls://). Set it so, or unset it to work in this process"
            " alone."
        )
    return address.rstrip("/")


@contextmanager
def connected(address: str, seconds: float) -> Iterator[Client]:
    """Yield a connection to a cluster that has workers, waiting so long for either.

    Raises:
        SetupError: the scheduler does not answer, has no workers, or has other versions.
    """
    until = time.monotonic() + seconds
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = _client(address, until)
    try:
        mismatch = [item for item in caught if issubclass(item.category, VersionMismatchWarning)]
        if mismatch:
            raise SetupError(
                f"the cluster at {address} has other versions than this process.\n"
                f"{str(mismatch[0].message).strip()}\nInstall Muster from the same"
                " requirements.lock on every machine, and restart the scheduler and the workers."
            )
        while not workers(client):
            if time.monotonic() > until:
                raise SetupError(f"the scheduler at {address} has no workers. {_START}.")
            time.sleep(_GLANCE)
        yield client
    finally:
        client.close(timeout=2)


def _client(address: str, until: float) -> Client:
    """Connect, trying again until then: a scheduler that restarts refuses at first."""
    while True:
        left = max(until - time.monotonic(), 1)
        try:
            return Client(address, timeout=left, set_as_default=False, name="muster")
        except (OSError, TimeoutError, ImportError) as error:
            if time.monotonic() >= until:
                raise SetupError(
                    f"no scheduler answers at {address}, which MUSTER_DASK names. {_START}."
                ) from error
            time.sleep(_GLANCE)


def workers(client: Client, seconds: float = 10) -> list[str]:
    """Return the addresses of the workers that the scheduler knows.

    Raises:
        ServiceError: the scheduler does not answer.
    """
    return sorted(ask(client, "identity", seconds, n_workers=-1)["workers"])


def ask(client: Client, question: str, seconds: float = 10, **about: Any) -> Any:
    """Return the scheduler's answer, which must come in so many seconds.

    Raises:
        ServiceError: it does not.
    """
    try:
        scheduler: Any = client.scheduler
        if scheduler is None:
            raise OSError("the connection is closed")
        return client.sync(getattr(scheduler, question), callback_timeout=seconds, **about)
    except (OSError, TimeoutError) as error:
        raise ServiceError(
            "the scheduler of the cluster no longer answers. See whether it still runs, and start"
            " again."
        ) from error


def require_fit(client: Client, run: Path, expected: Mapping[str, str], seconds: float) -> None:
    """Have every worker look around; one that does not answer in time is left to be found slow.

    Raises:
        SetupError: a worker has other versions, or does not see the shared folder.
        ServiceError: no worker answers.
    """
    asked = {
        address: client.submit(
            look_around, run, expected, workers=[address], pure=False, allow_other_workers=False
        )
        for address in workers(client)
    }
    until = time.monotonic() + seconds
    while not all(future.done() for future in asked.values()) and time.monotonic() < until:
        time.sleep(_GLANCE / 10)
    if not any(future.done() for future in asked.values()):
        raise ServiceError(
            f"none of {plural(len(asked), 'worker')} answers within {seconds:g} seconds. See what"
            " they are doing, restart them, and start again."
        )
    for address, future in asked.items():
        error = future.exception() if future.status == "error" else None
        if isinstance(error, MusterError):
            raise error
        if error:
            raise SetupError(
                f"the worker {address} cannot run Muster ({type(error).__name__}: {error})."
                " Install the same version on every machine, and restart the workers."
            ) from error
