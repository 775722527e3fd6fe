"""Where returns stand at the moment, as far as they have been taken in."""

from pathlib import Path
from threading import Lock

from assets.figures.agenda import Agenda, so_far
from assets.lake import Lake
from assets.returns.validation.states import STANDS_ON, Standing, standing
from schemas.collection import Collection

_ADDED_UP = ("totals/national_totals", "reconciliation/reconciliation")


class Stands:
    """Where the returns of a collection stand; read anew when a run or the desk changed that."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = Lock()
        self._seen: tuple[object, ...] = ()
        self._now: Standing | None = None
        self._asked: tuple[tuple[object, ...], Agenda] | None = None

    def now(self) -> Standing:
        """Return where they stand.

        Raises:
            LakeError: what the last run wrote, or the ledger, is damaged.
        """
        read = [self._lake.table(name) for name in STANDS_ON]
        looked_at = [*read, self._lake.desk / "ledger"]
        seen = tuple(map(_state, looked_at))
        with self._lock:
            if self._now is None or seen != self._seen:
                # Before the first run nothing has been taken in.
                there = all(path.exists() for path in read)
                self._now = standing(self._lake) if there else Standing(self._lake.collection)
                self._seen = seen
            return self._now

    def agenda(self, collection: Collection) -> Agenda:
        """Return every query, what to ask first at the top, and which are one question."""
        now = self.now()
        made = [_state(self._lake.table(name)) for name in _ADDED_UP]
        with self._lock:
            seen = (*self._seen, *made)
            if self._asked is None or self._asked[0] != seen:
                self._asked = seen, so_far(self._lake, collection, now)
            return self._asked[1]


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino
