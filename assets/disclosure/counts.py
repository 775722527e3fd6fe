"""The counts of single forces as one system: entries, sums of them, and what the public knows.

Belongs here: from marts to counts and the sums that tie them, over every edition that was ever
shown. Does not: which are hidden (choose.py). Counts of different sources share no sum, so each
source is a block of its own; where a rule ties two, the other one is taken as it is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from assets.disclosure.known import cell_of
from assets.disclosure.limits import Told, limits
from assets.disclosure.published import Edition, name_of
from assets.disclosure.sources import CELLS, Source, codes_of, matching, sources
from assets.disclosure.spread import Bound, between, starts
from schemas.collection import Collection
from schemas.disclosure import PROFILES, SUPPRESSED
from schemas.errors import ContractError
from schemas.marts.public import symbol_of


@dataclass(frozen=True)
class Count:
    """One count: an entry, or the sum of the entries in `parts` (places in the block's list).

    `known` ones are public already: exempt, printed in a report, or shown by an earlier edition.
    `was_hidden` says that an earlier edition hides it. `is_shown` is false for a count that stands
    in no mart of the edition in the making. `editions` are the numbers of those that have it.
    """

    mart: str
    column: str
    force_code: str
    key: Mapping[str, Any]
    value: int
    parts: tuple[int, ...] = ()
    is_shown: bool = True
    known: bool = False
    was_hidden: bool = False
    editions: frozenset[int] = frozenset([0])


@dataclass
class Block:
    """The counts of one source, by place.

    `nation`: places whose values add up to a national total. `told`: what rules tell of weighted
    sums of places; `broken`: rules that a force has not passed, though it was accepted. `ranges`:
    for a sum by subject whose spread over the forces is public, the ranges of counts that the
    nation is told. `names` are those of the entries as the audit has them, None of a sum.
    """

    subject: str
    counts: list[Count] = field(default_factory=list)
    nation: list[list[int]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    broken: dict[str, set[str]] = field(default_factory=dict)
    ranges: dict[int, tuple[Bound, ...]] = field(default_factory=dict)
    names: list[Any] = field(default_factory=list)


def blocks(now: Edition, collection: Collection, earlier: Sequence[Edition] = ()) -> list[Block]:
    """Return one block a source that has entries.

    Args:
        now: the edition in the making; its marts are those of the full edition still.
        collection: the collection.
        earlier: the public editions that were shown before, oldest first.

    Raises:
        ContractError: a sum in force_profiles is not the sum of its entries.
    """
    editions = [*earlier, now]
    made = [_Maker(source, editions, collection).made() for source in sources(collection)]
    return [block for block in made if any(count.is_shown for count in block.counts)]


class _Maker:
    """Puts the entries of one source in all editions together: each count stands once."""

    def __init__(self, source: Source, editions: Sequence[Edition], collection: Collection) -> None:
        self._source, self._editions, self._collection = source, editions, collection
        self._newest = len(editions) - 1
        self._found: dict[Any, Count] = {}
        self._place: dict[Any, int] = {}

    def made(self) -> Block:
        nation: list[list[int]] = []
        by_force: list[dict[str, list[int]]] = []
        for number in range(len(self._editions)):
            totals, of_force = self._entries(number)
            nation += totals
            by_force.append(of_force)
        counts = list(self._found.values())
        for number, of_force in enumerate(by_force):
            self._sums(number, counts, of_force)
            self._printed(number, counts, of_force)
        block = Block(self._source.subject, list(self._found.values()))
        block.nation = [list(places) for places in dict.fromkeys(map(tuple, nation))]
        if self._source.sums:
            block.ranges = self._ranges(block)
        told: dict[Any, Told] = {}
        for edition, of_force in zip(self._editions, by_force, strict=True):
            found, not_so = limits(self._source.mart, counts, edition, of_force)
            told |= {item.key: item for item in found}
            for item in not_so:
                block.broken.setdefault(item.force_code, set()).add(item.rule)
        block.told = list(told.values())
        block.names = list(map(self._name, block.counts))
        return block

    def _name(self, count: Count) -> Any:
        if count.parts:
            return None
        if count.mart != CELLS:
            return count.mart, count.column, cell_of(count.key), count.value
        codes = [count.key[name] for name in self._source.dims]
        entry = next(
            entry
            for entry in self._source.places
            if [getattr(entry, name) for name in self._source.dims] == codes
        )
        return (*name_of(entry, count.force_code), count.value)

    def _add(self, name: Any, count: Count) -> int:
        """Add a count, or what another edition says of one that is there."""
        before = self._found.get(name)
        if before is not None:
            count = replace(
                before,
                key=count.key if count.is_shown else before.key,
                is_shown=before.is_shown or count.is_shown,
                known=before.known or count.known,
                was_hidden=before.was_hidden or count.was_hidden,
                editions=before.editions | count.editions,
            )
        self._found[name] = count
        return self._place.setdefault(name, len(self._place))

    def _entries(self, number: int) -> tuple[list[list[int]], dict[str, list[int]]]:
        source, edition = self._source, self._editions[number]
        frame = source.entries(edition.behind)
        nation: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        by_force: dict[str, list[int]] = defaultdict(list)
        told = self._told(number, source.mart, source.value, ("force_code", *source.dims))
        for row in frame.iter_rows(named=True) if not frame.is_empty() else ():
            if row["force_code"] not in self._collection.forces:
                continue
            value, force = row.pop("number"), row["force_code"]
            key = tuple(row.values())
            count = self._count(number, source.mart, source.value, row, value, (), told.get(key))
            place = self._add((*key, value), count)
            nation[key[1:]].append(place)
            by_force[force].append(place)
        return list(nation.values()), by_force

    def _count(
        self,
        number: int,
        mart: str,
        column: str,
        key: Mapping[str, Any],
        value: int,
        parts: tuple[int, ...],
        told: bool | None,
    ) -> Count:
        """Return a count of an edition; `told`: whether that shows it, None for in no mart."""
        force = key["force_code"]
        earlier = number < self._newest
        return Count(
            mart,
            column,
            force,
            key,
            value,
            parts,
            is_shown=not earlier and (self._source.is_shown or bool(parts)),
            known=(earlier and bool(told))
            or self._collection.is_exempt(mart, column, force, value),
            was_hidden=earlier and told is False,
            editions=frozenset([number]),
        )

    def _told(
        self, number: int, mart: str, column: str, key: Sequence[str]
    ) -> dict[tuple[Any, ...], bool]:
        """Return by key whether an earlier edition shows a count, False for hidden."""
        public = self._editions[number].public
        if number == self._newest or mart not in public:
            return {}
        symbol = symbol_of(mart, column)
        rows = public[mart].select(*key, (pl.col(symbol) == SUPPRESSED).fill_null(value=False))
        return {row[:-1]: not row[-1] for row in rows.iter_rows()}

    def _sums(
        self, number: int, counts: Sequence[Count], by_force: Mapping[str, list[int]]
    ) -> None:
        """Add the columns of force_profiles that add the entries up."""
        source, edition = self._source, self._editions[number]
        rows = {row["force_code"]: row for row in edition.behind[PROFILES].iter_rows(named=True)}
        told = {
            column: self._told(number, PROFILES, column, ["force_code"]) for column in source.sums
        }
        for force, places in by_force.items():
            for column, codes in source.sums.items():
                parts = matching(counts, places, codes)
                # A profile without a workbook says nothing, though rows gave the entries.
                if not parts or rows[force].get(column) is None:
                    continue
                total = sum(counts[place].value for place in parts)
                if rows[force][column] != total:
                    raise ContractError(
                        f"{PROFILES}: {column} of {force} is {rows[force][column]}, but its entries"
                        f" in {source.mart} add up to {total}. This is a fault of the program;"
                        " report it."
                    )
                key = {"force_code": force}
                shown = told[column].get((force,))
                self._add(
                    (column, parts),
                    self._count(number, PROFILES, column, key, total, parts, shown),
                )

    def _printed(
        self, number: int, counts: Sequence[Count], by_force: Mapping[str, list[int]]
    ) -> None:
        """Add the figures of single forces that a report printed and the returns confirm."""
        confirmed = (
            self._editions[number]
            .behind["reconciliation"]
            .filter(
                pl.col("scope").is_in(self._collection.forces),
                pl.col("period").is_in(["collection", ""]),
                pl.col("computed") == pl.col("published"),
            )
        )
        for row in confirmed.iter_rows(named=True):
            found = codes_of(row["measure"], row["breakdown"], self._collection)
            if found is None or found[0] != self._source.mart:
                continue
            parts = matching(counts, by_force.get(row["scope"], []), found[1])
            if parts:
                name, value = row["figure_id"], int(row["published"])
                key = {"figure_id": name}
                told = ("reconciliation", "published", row["scope"], key, value, parts)
                self._add((name, parts), Count(*told, is_shown=False, known=True))

    def _ranges(self, block: Block) -> dict[int, tuple[Bound, ...]]:
        """Return the ranges of sums by subject, as every edition together tells them apart."""
        cuts: dict[str, set[int]] = defaultdict(set)
        for edition in self._editions:
            told = starts(
                edition.behind["national_totals"],
                edition.behind["reconciliation"],
                self._collection.template,
            )
            for column, found in told.items():
                cuts[column] |= found
        return {
            place: tuple(between(sorted(cuts[count.column])))
            for place, count in enumerate(block.counts)
            if count.mart == PROFILES and count.column in cuts
        }
