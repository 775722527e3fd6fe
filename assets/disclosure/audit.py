"""The proof, count by count, that nothing hidden can be worked out again: rule M010.

It reads the public edition as anybody could, and shares with the choice of what to hide what a rule
means. Tables that the choice has found are checked like any other.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import polars as pl

from assets.disclosure.bounds import Extremes
from assets.disclosure.described import Description, description, over_forces
from assets.disclosure.known import Hidden, Knowledge
from assets.disclosure.published import Edition, force_of
from assets.disclosure.readings import knowledge
from assets.disclosure.solver import Floats
from assets.kept import Keep, each_time
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.disclosure import SUPPRESSED, Disclosure, Protection, force_counts
from schemas.marts import SuppressionAudit
from schemas.public import symbol_of

_NO_MART: Final = "cells"
"""The audit's name for counts that stand in no public mart, while sums of them do."""


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

    Args:
        editions: every public edition of the collection that was ever shown, oldest first, and the
            one that is to be.
        collection: the collection, with its settings of the public edition.
        tables: other numbers than the true ones, by name of the count (known.py). Those that fit
            all that is public, as it is read here, prove what cannot be ruled out; more are looked
            for where they do not suffice.
        keep: keeps what was found of one system, for as long as all that is read of it is the same.

    Raises:
        ContractError: no whole numbers fit what is public.
    """
    settings = collection.disclosure
    rows: list[dict[str, Any]] = []
    if settings is not None and editions:
        for system, known in knowledge(editions, collection).items():
            # Statistics that are shown, and of which nobody can say here what follows from them.
            rows += [{**_UNREAD, "cell": breakdown} for breakdown in known.unread]
            if known.hidden:
                rows += _Judge(editions, collection, settings, system, known).judged(tables, keep)
    return conform(SuppressionAudit, pl.DataFrame(rows, schema=empty(SuppressionAudit).schema))


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
        editions: Sequence[Edition],
        collection: Collection,
        settings: Disclosure,
        system: str,
        known: Knowledge,
    ) -> None:
        self._editions, self._collection, self._settings = editions, collection, settings
        self._said = description(collection.template.path)
        self._of = force_counts(collection.template)
        self._system, self._known = system, known
        self._hidden = [item for item in known.hidden.values() if self._matters(item)]
        self._extremes = Extremes(known, self._hidden)

    def judged(self, tables: Sequence[Table], keep: Keep) -> list[dict[str, Any]]:
        """Return the rows of the audit.

        What has to be read for them besides follows from what is known; so what is found is the
        same where both are.
        """
        known = self._known
        number = known.numbers
        own = [{number[n]: v for n, v in table.items() if n in number} for table in tables]
        needed = np.array([self._protection(item).width for item in self._hidden], dtype=float)
        told = known.written(), list(filter(None, own)), needed.tolist()
        releases = [edition.release for edition in self._editions]
        template = self._collection.template.path.read_bytes()
        key = repr((*told, self._system, self._settings, releases)).encode() + template

        @cache
        def asked() -> bytes:
            extremes = self._extremes
            extremes.take(tables)
            extremes.widen(needed)
            extremes.widen(needed, "around")
            return json.dumps(sorted(set(self._asks(needed).values()))).encode()

        read = {
            (edition, group): self._otherwise(edition, group)
            for edition, group in json.loads(keep("audit-asked", key, asked))
        }
        key += repr([(ask, blind.written()) for ask, blind in read.items()]).encode()

        @cache
        def found() -> bytes:
            asked()
            required = self._required(needed, read)
            forgiven = self._forgive(required, tables)
            return json.dumps([[*self._rows(needed, required)], forgiven]).encode()

        rows: list[dict[str, Any]]
        rows, forgiven = json.loads(keep("audit", key, found))
        if forgiven:
            rows, _ = json.loads(found())  # for which more was read
        return rows

    def _rows(self, needed: Floats, required: Floats) -> Iterator[dict[str, Any]]:
        extremes = self._extremes
        newest = len(self._editions) - 1
        for place, item in enumerate(self._hidden):
            is_narrow = extremes.widths[place] < needed[place]
            yield {
                "mart": item.mart,
                "column_name": item.column,
                "cell": item.cell,
                "edition": None if item.last == newest else self._editions[item.last].release,
                "low": float(extremes.low[place]) if is_narrow else None,
                "high": float(extremes.high[place]) if is_narrow else None,
                "table_low": int(extremes.table_low[place]),
                "table_high": int(extremes.table_high[place]),
                "width": int(extremes.widths[place]),
                "required": int(required[place]),
                "protected": bool(extremes.widths[place] >= required[place]),
            }

    def _asks(self, needed: Floats) -> dict[int, tuple[int, str]]:
        """Return by place what has to be read to know what else was left open of it.

        An edition, and which of the tables that rules compare are taken for hidden in it.
        """
        hidden, widths = self._hidden, self._extremes.widths
        return {
            place: (
                hidden[place].first,
                _group(hidden[place].mart, hidden[place].column, self._said),
            )
            for place in np.flatnonzero(widths < needed).tolist()
        }

    def _otherwise(self, edition: int, group: str) -> Knowledge:
        """Return what was known of this system but for a group of tables, with an edition."""
        newest = _blind(self._editions[edition], self._collection, group)
        editions = [*self._editions[:edition], newest]
        return knowledge(editions, self._collection, self._system)[self._system]

    def _required(self, needed: Floats, read: Mapping[tuple[int, str], Knowledge]) -> Floats:
        """Return how wide each hidden count must be.

        That is what the collection asks for, or all that the rest left open when it was first
        hidden, where that is less; and never nothing. The rest are the national totals, the exempt
        counts, the other tables that rules compare, and the editions before. What was promised then
        is not taken back by an edition that comes later.
        """
        asks, extremes = self._asks(needed), self._extremes
        required = needed.copy()
        without: dict[int, tuple[Extremes, int]] = {}
        for ask, known in read.items():
            own = [place for place in asks if asks[place] == ask]
            blind = Extremes(known, [known.hidden[self._hidden[place].key] for place in own])
            required[own] = np.minimum(needed[own], np.maximum(1, blind.high - blind.low))
            without |= {place: (blind, at) for at, place in enumerate(own)}
        extremes.widen(required, "all")
        # Of narrow ones no more than the rest left open together.
        for place in np.flatnonzero(extremes.widths < required).tolist():
            blind, at = without[place]
            required[place] = min(required[place], max(1, blind.left(at)))
        return required

    def _forgive(self, required: Floats, tables: Sequence[Table]) -> list[str]:
        """Judge forces that were accepted with an answer by what is known without those rules.

        That a force has passed a rule which it breaks, nobody can know; nor which force it is. So
        of its own counts the rule tells nothing, while of those of others it does.
        """
        extremes, broken = self._extremes, self._known.broken
        narrow = np.flatnonzero(extremes.widths < required).tolist()
        forgiven = sorted({force_of(self._hidden[place].cell) for place in narrow} & broken.keys())
        for force in forgiven:
            editions = [
                edition.retold(
                    rules={k: v for k, v in edition.rules.items() if k not in broken[force]}
                )
                for edition in self._editions
            ]
            without = knowledge(editions, self._collection, self._system)[self._system]
            own = [place for place in narrow if force_of(self._hidden[place].cell) == force]
            ends = Extremes(without, [without.hidden[self._hidden[place].key] for place in own])
            ends.take(tables)
            ends.settle(required[own])
            extremes.table_low[own], extremes.table_high[own] = ends.table_low, ends.table_high
        return forgiven

    def _matters(self, item: Hidden) -> bool:
        """Return whether a count is hidden in a mart, or is small, not 0, and stands in none.

        What an earlier edition hid and has been printed since is hidden no longer.
        """
        if item.mart == _NO_MART:
            count = item.names[0][-1] or 0
            return count > 0 and self._protection(item).is_small(count)
        at = item.mart, item.column, force_of(item.cell), item.total.shown
        return bool(item.total.unknowns) or not self._collection.is_exempt(*at)

    def _protection(self, item: Hidden) -> Protection:
        if item.mart == _NO_MART:
            return self._settings.counts[self._said.measures[item.column]["subject"]]
        return self._settings.counts[self._of[item.mart][item.column]]


def _group(mart: str, column: str, said: Description) -> str:
    """Return which of the tables that rules compare a column is of, hidden apart from others.

    That is its earlier period, or a measure in no mart.
    """
    if mart == _NO_MART:
        return column
    of = said.profile.get(column) if mart == "force_profiles" else None
    if of is None or of["measure"] not in said.measures:
        return ""
    if "period" in of:
        return column
    return "" if "mart" in said.measures[of["measure"]] else str(of["measure"])


def _blind(edition: Edition, collection: Collection, group: str) -> Edition:
    """Return an edition with every count of a group of tables hidden but the exempt ones.

    And without the statistics over forces that are not in print, since they follow from the rest.
    """
    public, said = edition.public, description(collection.template.path)
    found = dict(public)
    for mart, names in force_counts(collection.template).items():
        for column in names if mart in public else ():
            if column not in public[mart].columns or group != _group(mart, column, said):
                continue
            symbol = symbol_of(mart, column)
            exempt = [
                force
                for force, value in found[mart].select("force_code", column).iter_rows()
                if collection.is_exempt(mart, column, force, value)
            ]
            hide = pl.col(column).is_not_null() & ~pl.col("force_code").is_in(exempt)
            found[mart] = found[mart].with_columns(
                pl.when(hide).then(pl.lit(SUPPRESSED)).otherwise(symbol).alias(symbol),
                pl.when(~hide).then(column).alias(column),
            )
    printed = public["reconciliation"].drop_nulls("computed")
    national, key = public["national_totals"], ["measure", "breakdown", "period"]
    spread = pl.col("measure").is_in(over_forces(said.measures)) & pl.col("breakdown").str.contains(
        "statistic=|count="
    )
    shown = national.filter(spread).join(printed, on=key, how="semi")
    found["national_totals"] = pl.concat([national.filter(~spread), shown])
    return edition.retold(public=found)
