"""Finds keys that stand more than once, in memory that does not grow with their number.

Belongs here: the 64-bit hashes of all keys of a part, and which of them repeat. A hash that
repeats makes its rows candidates only; whether the keys are the same is judged on the keys.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.intp]

_MARKS: Final = 1 << 20


def key_hash() -> pl.Expr:
    """Return the hash of a row's key: of case_ref, since a valid one names its force."""
    return pl.col("case_ref").hash()


class Keys:
    """The hashes of the keys of a part, chunk by chunk.

    Above `at_once` keys they wait in files, and are sorted a bucket at a time: a hash falls into
    the bucket of its remainder, so the same hash is always in the same bucket.
    """

    def __init__(self, rows: int, at_once: int, scratch: Path) -> None:
        """Prepare for so many rows; `scratch` is a folder for the files."""
        self.buckets = max(1, -(-rows // at_once))
        self._scratch = scratch
        self._held: list[Hashes | Path] = []

    def add(self, hashes: Hashes) -> None:
        """Keep the hashes of the next chunk."""
        if self.buckets == 1:
            self._held.append(hashes)
            return
        path = self._scratch / f"hashes-{len(self._held)}"
        hashes.tofile(path)
        self._held.append(path)

    def chunks(self) -> Iterator[Hashes]:
        """Yield the hashes of each chunk as they were added."""
        for held in self._held:
            yield np.fromfile(held, np.uint64) if isinstance(held, Path) else held

    def repeated(self) -> Hashes:
        """Return the hashes that occur more than once, sorted."""
        found = []
        for bucket in range(self.buckets):
            if self.buckets == 1:
                hashes = np.concatenate([*self.chunks(), np.empty(0, np.uint64)])
            else:
                hashes = np.concatenate([h[h % self.buckets == bucket] for h in self.chunks()])
            hashes.sort()
            again = hashes[1:][hashes[1:] == hashes[:-1]]
            found.append(again[np.diff(again, prepend=~again[:1]) != 0])
        return np.sort(np.concatenate(found))


def places_of(wanted: Hashes, hashes: Hashes) -> Places:
    """Return the places in `hashes` that hold one of `wanted`, which are sorted."""
    if not wanted.size:
        return np.empty(0, np.intp)
    # Nearly every hash is dismissed by one look into a small table; a search takes far longer.
    marked = np.zeros(_MARKS, np.bool_)
    marked[_mark(wanted)] = True
    near = np.flatnonzero(marked[_mark(hashes)])
    found = np.searchsorted(wanted, hashes[near]).clip(max=wanted.size - 1)
    places: Places = near[wanted[found] == hashes[near]]
    return places


def _mark(hashes: Hashes) -> Places:
    marks: Places = np.bitwise_and(hashes.view(np.intp), _MARKS - 1)
    return marks
