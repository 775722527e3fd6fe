"""The proof, count by count, that nothing hidden can be worked out again: rule M010.

It reads the public edition as anybody could, and shares with the choice of what to hide what a rule
means. Tables that the choice has found are checked like any other.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import polars as pl

from assets.disclosure.bounds import Extremes
from assets.disclosure.described import NO_MART, description
from assets.disclosure.facts import Facts
from assets.disclosure.known import Hidden, Knowledge
from assets.disclosure.published import Edition, cell_of, force_of
from assets.disclosure.readings import facts, own_key
from assets.disclosure.solver import Floats
from assets.kept import Keep, each_time
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.disclosure import SUPPRESSED, Protection, force_counts
from schemas.marts import SuppressionAudit

_UNREAD: Final = dict.fromkeys(["table_low", "table_high", "width"], 0) | {
    "mart": "national_totals",
    "column_name": "value",
    "required": 1,
    "protected": False,
}

Table = Mapping[Any, int]
"""Numbers by the name of the count."""


def audit(
    editions: Sequence[Edition],
    collection: Collection,
    tables: Sequence[Table] = (),
    keep: Keep = each_time,
) -> pl.DataFrame:
    """Return the mart SuppressionAudit of the last of some editions, with all before it.

    `editions` are those that were ever shown, oldest first, and the one that is to be. `tables` are
    other numbers than the true ones, by name of the count (known.py): those that fit all that is
    public, as it is read here, prove what cannot be ruled out; more are looked for where they do
    not suffice. `keep` keeps what was found of one system, for as long as all that is read of it is
    the same.

    Raises:
        ContractError: no whole numbers fit what is public.
    """
    settings = collection.disclosure
    rows: list[dict[str, Any]] = []
    if settings is not None and editions:
        releases, alone = [edition.release for edition in editions], _of_one_force(editions)
        printed = collection.published_figures.rows() if settings.exempt else []
        said = settings, printed, releases, collection.template.path.read_bytes()
        for system in facts(editions, collection).values():
            number = system.names
            own = [{number[n]: v for n, v in table.items() if n in number} for table in tables]
            told = [*number], system.told, system.unread, [*filter(None, own)], said, sorted(alone)
            made = partial(_judged, system, tables, releases, collection, alone)
            rows += json.loads(keep("audit", repr(told).encode(), made))
    # A statistic of which nobody can say what follows is one, of however many editions and systems.
    found = pl.DataFrame(rows, schema=empty(SuppressionAudit).schema).unique()
    return conform(SuppressionAudit, found)


def _of_one_force(editions: Sequence[Edition]) -> frozenset[tuple[str, str]]:
    """Return measure and codes of the cells of hidden totals that one force alone gives.

    They are hidden whatever they are: were only small ones, that would tell how large they are.
    """
    found = set[tuple[str, str]]()
    for edition in editions:
        said, national = (
            description(edition.collection.template.path),
            edition.public["national_totals"],
        )
        alone = national.filter(symbol=SUPPRESSED, forces_included=1)
        for measure, *key in alone.select("measure", "breakdown", "period").iter_rows():
            if measure in said.measures:
                cells = (said.cells[place] for place in said.among(measure, *key) or ())
                found |= {(measure, cell_of(own_key(cell))) for cell in cells}
    return frozenset(found)


def _judged(
    system: Facts,
    tables: Sequence[Table],
    releases: Sequence[str],
    collection: Collection,
    alone: frozenset[tuple[str, str]],
) -> bytes:
    """Return the rows of the audit of one system, written as JSON."""
    known = system.known()
    # Statistics that are shown, and of which nobody can say here what follows from them.
    rows = [{**_UNREAD, "cell": breakdown} for breakdown in known.unread]
    if known.hidden:
        rows += _Judge(system, known, releases, collection, alone).rows(tables)
    return json.dumps(rows).encode()


def problems(audited: pl.DataFrame) -> Iterator[str]:
    """Yield the cases against rule M010, from the mart SuppressionAudit."""
    for row in audited.filter(~pl.col("protected")).iter_rows(named=True):
        what = f"{row['mart']}.{row['column_name']} {row['cell']}"
        what += f" of {row['edition']}" if row["edition"] else ""
        if row["width"]:
            low, high = row["table_low"], row["table_high"]
            yield f"{what} can only be {low} to {high}; it has to be {row['required']} wide"
        else:
            yield f"{what} can be worked out"


class _Judge:
    """Says of each hidden count of a system of tables how wide it is and how wide it must be."""

    def __init__(
        self,
        facts: Facts,
        known: Knowledge,
        releases: Sequence[str],
        collection: Collection,
        alone: frozenset[tuple[str, str]],
    ) -> None:
        assert collection.disclosure is not None
        self._facts, self._releases, self._collection = facts, releases, collection
        self._settings = collection.disclosure
        self._said = description(collection.template.path)
        self._of = force_counts(collection.template)
        self._known, self._alone = known, alone
        self._hidden = [item for item in known.hidden.values() if self._matters(item)]
        self._extremes = Extremes(known, self._hidden)

    def rows(self, tables: Sequence[Table]) -> Iterator[dict[str, Any]]:
        """Yield the rows of the audit."""
        extremes = self._extremes
        needed = np.array([self._protection(item).width for item in self._hidden], dtype=float)
        extremes.take(tables)
        extremes.widen(needed)
        extremes.widen(needed, "around")
        required = self._required(needed)
        self._forgive(required, tables)
        for place, item in enumerate(self._hidden):
            is_narrow = extremes.widths[place] < needed[place]
            yield {
                "mart": item.mart,
                "column_name": item.column,
                "cell": item.cell,
                "edition": (*self._releases[:-1], None)[item.last],
                "low": float(extremes.low[place]) if is_narrow else None,
                "high": float(extremes.high[place]) if is_narrow else None,
                "table_low": int(extremes.table_low[place]),
                "table_high": int(extremes.table_high[place]),
                "width": int(extremes.widths[place]),
                "required": int(required[place]),
                "protected": bool(extremes.widths[place] >= required[place]),
            }

    def _required(self, needed: Floats) -> Floats:
        """Return how wide each hidden count must be.

        That is what the collection asks for, or all that the rest left open when it was first
        hidden, where that is less; and never nothing. The rest are the national totals, the exempt
        counts, the other tables that rules compare, and the editions before. What was promised then
        is not taken back by an edition that comes later.
        """
        extremes, required = self._extremes, needed.copy()
        asks: dict[tuple[int, str], list[int]] = defaultdict(list)
        for place in np.flatnonzero(extremes.widths < needed).tolist():
            item = self._hidden[place]
            asks[item.first, self._said.group_of(item.mart, item.column)].append(place)
        without: dict[int, tuple[Extremes, int]] = {}
        for (edition, group), own in sorted(asks.items()):
            known = self._facts.known(edition, [group])
            blind = Extremes(known, [known.hidden[self._hidden[place].key] for place in own])
            least = [self._least(self._hidden[place]) for place in own]
            required[own] = np.minimum(needed[own], np.maximum(least, blind.high - blind.low))
            without |= {place: (blind, at) for at, place in enumerate(own)}
        extremes.widen(required, "all")
        # Of narrow ones no more than the rest left open together.
        for place in np.flatnonzero(extremes.widths < required).tolist():
            blind, at = without[place]
            open_to = max(self._least(self._hidden[place]), blind.left(at))
            required[place] = min(required[place], open_to)
        return required

    def _least(self, item: Hidden) -> int:
        """Return how wide a count must be though nothing leaves it so.

        One that is not small, and that an edition before told, was only to be hidden with others.
        """
        told_before = item.mart == NO_MART and item.first < len(self._releases) - 1
        return 0 if told_before and not self._is_small(item) else 1

    def _forgive(self, required: Floats, tables: Sequence[Table]) -> None:
        """Judge forces that were accepted with an answer by what is known without those rules.

        That a force has passed a rule which it breaks, nobody can know; nor which force it is. So
        of its own counts the rule tells nothing, while of those of others it does.
        """
        extremes, broken = self._extremes, self._known.broken
        narrow: dict[str, list[int]] = defaultdict(list)
        for place in np.flatnonzero(extremes.widths < required).tolist():
            narrow[force_of(self._hidden[place].cell)].append(place)
        for force in sorted(narrow.keys() & broken.keys()):
            own, without = narrow[force], self._facts.known(without=broken[force])
            ends = Extremes(without, [without.hidden[self._hidden[place].key] for place in own])
            ends.take(tables)
            ends.settle(required[own])
            extremes.table_low[own], extremes.table_high[own] = ends.table_low, ends.table_high

    def _matters(self, item: Hidden) -> bool:
        """Return whether a count is hidden in a mart, or must be known to nobody who sees none.

        That is one that is not 0, and small or all of a total. What an earlier edition hid and has
        been printed since is hidden no longer.
        """
        if item.mart == NO_MART:
            is_alone = (item.column, item.cell.partition(";")[2]) in self._alone
            return self._value(item) > 0 and (is_alone or self._is_small(item))
        at = item.mart, item.column, force_of(item.cell), item.total.shown
        return bool(item.total.unknowns) or not self._collection.is_exempt(*at)

    def _value(self, item: Hidden) -> int:
        return self._known.counts[item.of[0]][-1] or 0

    def _is_small(self, item: Hidden) -> bool:
        return self._protection(item).is_small(self._value(item))

    def _protection(self, item: Hidden) -> Protection:
        if item.mart == NO_MART:
            return self._settings.counts[self._said.measures[item.column]["subject"]]
        return self._settings.counts[self._of[item.mart][item.column]]
