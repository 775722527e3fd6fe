"""Where the parts of an extract are worked on: here one by one, or on a cluster.

Belongs here: what every pool does alike, and the choice. Does not: a part (part.py), the cluster
(cluster.py), which is loaded only where MUSTER_DASK names one.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from assets.cases.part import PartResult, process
from assets.cases.plan import Limits, Part
from assets.cases.refusal import ExtractRefusedError, Refusal
from schemas.collection import Collection

Outcome = PartResult | tuple[Refusal, ...]
"""What came of a part, or why files of it are refused."""


@dataclass(frozen=True)
class Done:
    """A part that a cluster has finished: its rows, the seconds it took, and on which worker."""

    part: str
    forces: tuple[str, ...]
    rows: int
    seconds: float
    worker: str


class Pool(Protocol):
    """Works on parts; `dashboard` is where that can be watched, None where it cannot."""

    @property
    def dashboard(self) -> str | None:
        """The address of a page that shows the work."""

    def __call__(
        self,
        parts: Sequence[Part],
        collection: Collection,
        limits: Limits,
        folder: Path,
        advance: Callable[[int], None],
    ) -> list[Outcome]:
        """Return the outcome of each part in order; what parts write lies below `folder`."""


class Here:
    """Works on one part after the other: the largest sets how much memory is needed."""

    dashboard = None

    def __call__(
        self,
        parts: Sequence[Part],
        collection: Collection,
        limits: Limits,
        folder: Path,
        advance: Callable[[int], None],
    ) -> list[Outcome]:
        """Do what Pool says."""
        return [outcome(part, collection, limits, folder, advance) for part in parts]


HERE: Final = Here()


def outcome(
    part: Part,
    collection: Collection,
    limits: Limits,
    folder: Path,
    advance: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Work on a part; a file that is refused is an outcome, so that the others are told too."""
    try:
        return process(part, collection, limits, folder, advance)
    except ExtractRefusedError as error:
        return error.refusals


def chosen_pool(tell: Callable[[Done], None] = lambda _: None) -> Pool:
    """Return the cluster that MUSTER_DASK names, or else this process.

    Args:
        tell: told of each part that the cluster has finished.

    Raises:
        SetupError: MUSTER_DASK is no address.
    """
    address = os.environ.get("MUSTER_DASK")
    if not address:
        return HERE
    from assets.cases.cluster import Cluster  # noqa: PLC0415 (takes half a second)

    return Cluster(address, tell)
