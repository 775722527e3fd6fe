"""The counts of single forces as one system: entries, sums of them, and what the public knows.

Belongs here: from marts to counts and the sums that tie them. Does not: which are hidden
(choose.py). Counts of different sources share no sum, so each source is a block of its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from assets.disclosure.sources import PROFILES, Codes, Source, codes_of, sources
from assets.disclosure.spread import Bound, ranges
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.disclosure import Disclosure
from schemas.errors import ContractError
from schemas.returns_template import BREACH


@dataclass(frozen=True)
class Count:
    """One count: an entry, or the sum of the entries in `parts` (places in the block's list).

    `known` ones are public already: exempt, or printed in a report. `is_shown` is false for a
    count that stands in no public mart.
    """

    mart: str
    column: str
    force_code: str
    key: Mapping[str, Any]
    value: int
    parts: tuple[int, ...] = ()
    is_shown: bool = True
    known: bool = False


@dataclass
class Block:
    """The counts of one source, by place.

    `nation`: places whose values add up to a national total. `at_most`: pairs of places, where
    the values of the first add up to no more than those of the second. `ranges`: for a sum by
    subject whose spread over the forces is public, the ranges of counts that the nation is told.
    """

    subject: str
    counts: list[Count] = field(default_factory=list)
    nation: list[list[int]] = field(default_factory=list)
    at_most: list[tuple[list[int], list[int]]] = field(default_factory=list)
    ranges: dict[int, tuple[Bound, ...]] = field(default_factory=dict)


def blocks(marts: Mapping[str, pl.DataFrame], collection: Collection) -> list[Block]:
    """Return one block a source that has entries.

    Raises:
        ContractError: a sum in force_profiles is not the sum of its entries.
    """
    assert collection.disclosure is not None
    found = []
    for source in sources(collection):
        entries = source.entries(marts)
        if not entries.is_empty():
            entries = entries.filter(pl.col("force_code").is_in(collection.forces))
        if not entries.is_empty():
            found.append(_block(source, entries, marts, collection, collection.disclosure))
    return found


def _block(
    source: Source,
    entries: pl.DataFrame,
    marts: Mapping[str, pl.DataFrame],
    collection: Collection,
    settings: Disclosure,
) -> Block:
    block = Block(source.subject)
    nation: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    by_force: dict[str, list[int]] = defaultdict(list)
    for row in entries.iter_rows(named=True):
        force, number = row["force_code"], row.pop("number")
        nation[tuple(row[dim] for dim in source.dims)].append(len(block.counts))
        by_force[force].append(len(block.counts))
        known = settings.is_exempt(source.mart, source.value, force)
        block.counts.append(
            Count(source.mart, source.value, force, row, number, (), source.is_shown, known)
        )
    block.nation = list(nation.values())
    for count in _sums(source, block, by_force, marts[PROFILES], settings):
        block.counts.append(count)
    for count in _printed(source, block, by_force, marts["reconciliation"], collection):
        block.counts.append(count)
    if source.mart == "investigations":
        block.ranges = _ranges(block, marts)
    if source.mart == "second_jobs":
        block.at_most = [_breaches_and_approvals(block, places) for places in by_force.values()]
    return block


def _matching(block: Block, places: list[int], codes: Codes) -> tuple[int, ...]:
    def counted(place: int) -> bool:
        key = block.counts[place].key
        return all(key[column] in allowed for column, allowed in codes.items())

    return tuple(place for place in places if counted(place))


def _sums(
    source: Source,
    block: Block,
    by_force: Mapping[str, list[int]],
    profiles: pl.DataFrame,
    settings: Disclosure,
) -> Iterator[Count]:
    """Yield the columns of force_profiles that add the entries up."""
    rows = {row["force_code"]: row for row in profiles.iter_rows(named=True)}
    for force, places in by_force.items():
        for column, codes in source.sums.items():
            parts = _matching(block, places, codes)
            # A profile without a workbook says nothing, though rows gave the entries.
            if not parts or rows[force][column] is None:
                continue
            total = sum(block.counts[place].value for place in parts)
            if rows[force][column] != total:
                raise ContractError(
                    f"{PROFILES}: {column} of {force} is {rows[force][column]}, but its entries in"
                    f" {source.mart} add up to {total}. This is a fault of the program; report it."
                )
            known = settings.is_exempt(PROFILES, column, force)
            yield Count(PROFILES, column, force, {"force_code": force}, total, parts, known=known)


def _printed(
    source: Source,
    block: Block,
    by_force: Mapping[str, list[int]],
    reconciliation: pl.DataFrame,
    collection: Collection,
) -> Iterator[Count]:
    """Yield the figures of single forces that a report printed and the returns confirm."""
    confirmed = reconciliation.filter(
        pl.col("scope").is_in(collection.forces),
        pl.col("period").is_in(["collection", ""]),
        pl.col("computed") == pl.col("published"),
    )
    for row in confirmed.iter_rows(named=True):
        found = codes_of(row["measure"], row["breakdown"], collection)
        if found is None or found[0] != source.mart:
            continue
        parts = _matching(block, by_force.get(row["scope"], []), found[1])
        if parts:
            value, key = int(row["published"]), {"figure_id": row["figure_id"]}
            yield Count(
                "reconciliation", "published", row["scope"], key, value, parts, False, known=True
            )


def _ranges(block: Block, marts: Mapping[str, pl.DataFrame]) -> dict[int, tuple[Bound, ...]]:
    told = ranges(marts["national_totals"], marts["reconciliation"])
    return {
        place: told[count.column]
        for place, count in enumerate(block.counts)
        if count.mart == PROFILES and count.column in told
    }


def _breaches_and_approvals(block: Block, places: list[int]) -> tuple[list[int], list[int]]:
    breaches = _matching(
        block, places, {"item": tuple(BREACH + name for name in v.BREACH_OCCUPATIONS)}
    )
    return list(breaches), list(_matching(block, places, {"item": v.APPROVED}))
