"""Divides an extract into parts that can be worked on one by one.

Belongs here: which files must be looked at together, and how much may be in memory. A force's
rows must be: its references are unique among them. Does not: working on a part (part.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from assets.cases.source import Source
from schemas.collection import Collection


@dataclass(frozen=True)
class Limits:
    """How much is in memory at once; the results are the same for any limits.

    `rows_at_once`: rows that are read together, of about 300 bytes while they are judged; fewer
    where they are wide. Small forces are worked on together up to as many: 44 small passes take
    half as long again as a few.
    `keys_at_once`: keys that are compared together, of 16 bytes; more go through files.
    """

    rows_at_once: int = 2_000_000
    keys_at_once: int = 64_000_000


LIMITS: Final = Limits()


@dataclass(frozen=True)
class Part:
    """Files to be looked at together: all that can hold rows of `forces`, and no others."""

    name: str
    sources: tuple[Source, ...]
    forces: tuple[str, ...]

    @property
    def rows(self) -> int:
        """The rows of its files, about so many while CSV is not unpacked."""
        return _rows(self.sources)


def plan(sources: Sequence[Source], collection: Collection, limits: Limits) -> list[Part]:
    """Return the parts in the order of their sources, which are sorted by folder.

    A file that lies in no folder of a force may hold rows of any: then all is one part.
    """
    if any(source.folder is None for source in sources):
        return [Part("all", tuple(sources), collection.forces)]
    packs: list[list[Source]] = []
    for _, of_force in groupby(sources, key=lambda source: source.folder):
        members = list(of_force)
        if packs and _rows(packs[-1]) + _rows(members) <= limits.rows_at_once:
            packs[-1] += members
        else:
            packs.append(members)
    return [_part(number, pack, collection) for number, pack in enumerate(packs)]


def _part(number: int, sources: Sequence[Source], collection: Collection) -> Part:
    folders = {source.folder for source in sources}
    known = tuple(force for force in collection.forces if force in folders)
    return Part(f"part-{number:04}", tuple(sources), known)


def _rows(sources: Sequence[Source]) -> int:
    return sum(source.rows for source in sources)
