"""What a worker of a cluster runs: a part, in a folder of its own, with the same code as ours.

Belongs here: functions that are called in another process. Data errors come back as values; what
is raised is wrong with the worker.
"""

import importlib.metadata
import platform
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assets.cases.plan import Limits, Part
from assets.cases.pool import Outcome, outcome
from assets.files import software_sha256
from schemas.collection import Collection
from schemas.errors import SetupError

_SOFTWARE: Final = software_sha256()
"""Taken when this is loaded: what lies on the disk later may be newer than what runs."""

_LIBRARIES: Final = ("polars", "numpy", "pyarrow", "distributed")


@dataclass(frozen=True)
class Task:
    """A part and all that is needed to work on it; `run` is a folder that every worker sees."""

    part: Part
    collection: Collection
    limits: Limits
    run: Path
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Worked:
    """What came of a part, where, and in how many seconds."""

    outcome: Outcome
    worker: str
    seconds: float


def versions() -> dict[str, str]:
    """Return what must be the same on all machines, so that the results are."""
    return {
        "Python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _LIBRARIES},
        "Muster's code": _SOFTWARE[:12],
    }


def look_around(run: Path, expected: Mapping[str, str], paths: tuple[Path, ...] = ()) -> None:
    """See whether this process can work on a run: its versions, the shared folder, its files.

    Raises:
        SetupError: it cannot.
    """
    found = versions()
    other = [f"{name} {found[name]}, not {expected[name]}" for name in expected
             if found[name] != expected[name]]  # fmt: skip
    if other:
        raise SetupError(
            f"the worker on {socket.gethostname()} has {'; '.join(other)}. Install the same"
            " version of Muster from its requirements.lock on every machine, and restart the"
            " workers."
        )
    unseen = [str(path) for path in (run, *paths) if not path.exists()]
    if unseen:
        raise SetupError(
            f"the worker on {socket.gethostname()} cannot see {', '.join(unseen[:5])}. Put the"
            " extract and the folder for the results on storage that every machine mounts at"
            " the same path."
        )


def work(task: Task) -> Worked:
    """Work on a part.

    What it writes lies in a folder of this one execution: a worker that was given up for lost
    may still be writing the same part elsewhere.

    Raises:
        SetupError: this worker is not fit for it.
    """
    started = time.perf_counter()
    files = (source.path for source in task.part.sources)
    look_around(task.run, task.versions, tuple(file for file in files if isinstance(file, Path)))
    folder = Path(tempfile.mkdtemp(prefix=f"{task.part.name}-", dir=task.run))
    found = outcome(task.part, task.collection, task.limits, folder)
    return Worked(found, socket.gethostname(), time.perf_counter() - started)
