"""The counts of single forces as one system: entries, sums of them, and what the public knows.

From marts to counts and what ties them, over every edition that was ever shown. Counts of different
sources share no sum, so each source is a block of its own; where a rule ties two, the other one is
taken as it is.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import polars as pl

from assets.disclosure.forms import Key, Untold, left_untold, of_one_force, starts
from assets.disclosure.passed import TELLING, Ways, is_possible, uncertain
from assets.disclosure.published import (
    RESEARCHED,
    Counted,
    Edition,
    Leaf,
    Source,
    cells_in,
    places_of,
    seen_until,
    sources,
)
from assets.disclosure.solver import Condition, Total
from schemas.breakdown import Band
from schemas.collection import Collection
from schemas.disclosure import PROFILES, SUPPRESSED, UNAVAILABLE
from schemas.errors import ContractError
from schemas.measures import NOW
from schemas.public import symbol_of

_ROUNDING: Final = 1e-9

Places = Mapping[Leaf, int]
"""The places of a force's entries in one edition."""


class Passed(NamedTuple):
    """What a rule tells of a force: the conditions that hold, and those that may instead."""

    rule: str
    force_code: str
    one: list[Condition]
    other: list[Condition]


class Count(NamedTuple):
    """One count: an entry, or the sum of the entries in `parts` (places in the block's list).

    `known` ones are public already: exempt, printed in a report, or shown by an earlier edition.
    `was_hidden` says that an earlier edition hides it. `is_shown` is false for a count that stands
    in no mart of the edition in the making. `editions` are the numbers of those that have it.
    `name` is that of an entry as the audit has it, None for a sum.
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
    name: Any = None


@dataclass
class Block:
    """The counts of one source, by place.

    `nation`: places whose values add up to a national total. `told`: what rules tell of weighted
    sums of places; `broken`: rules that a force has not passed, though it was accepted. `ranges`:
    for a sum by subject whose spread over the forces is public, the ranges of counts that the
    nation is told.
    """

    subject: str
    counts: list[Count] = field(default_factory=list)
    nation: list[list[int]] = field(default_factory=list)
    told: list[Passed] = field(default_factory=list)
    broken: dict[str, set[str]] = field(default_factory=dict)
    ranges: dict[int, tuple[Band, ...]] = field(default_factory=dict)


def blocks(
    now: Edition,
    collection: Collection,
    earlier: Sequence[Edition] = (),
    hidden: Iterable[Key] = (),
) -> list[Block]:
    """Return one block a source that has entries.

    The marts of `now` are those of the full edition still, and `hidden` the national totals that it
    will not show. The earlier ones were shown, oldest first.

    Raises:
        ContractError: a sum in force_profiles is not the sum of its entries.
    """
    editions = [*earlier, now]
    untold = [left_untold(edition) for edition in earlier]
    untold.append(left_untold(now, hidden))
    alone = frozenset[Leaf]().union(*(of_one_force(now) if hidden else {}).values())
    made = [
        _Maker(number, source, editions, collection).made(untold, alone)
        for number, source in enumerate(sources(collection))
    ]
    return [block for block in made if any(count.is_shown for count in block.counts)]


class _Maker:
    """Puts the entries of one source in all editions together: each count stands once."""

    def __init__(
        self, of: int, source: Source, editions: Sequence[Edition], collection: Collection
    ) -> None:
        self._source, self._editions, self._collection = source, editions, collection
        self._entries = [edition.entries[of][1] for edition in editions]
        self._block = Block(source.subject)
        self._counts = self._block.counts
        self._place: dict[Any, int] = {}
        # What another collection counted is that one's to show; whoever has it may know the count.
        self._is_elsewhere = any(entry.period in collection.compared for entry in source.places)

    def made(self, untold: Sequence[Untold], alone: frozenset[Leaf]) -> Block:
        block, nation = self._block, dict[tuple[int, ...], None]()
        by_force: list[dict[str, Places]] = []
        for number, (edition, entries) in enumerate(
            zip(self._editions, self._entries, strict=True)
        ):
            of_nation: dict[Leaf, list[int]] = defaultdict(list)
            of_force: dict[str, dict[Leaf, int]] = defaultdict(dict)
            for place, each in self._placed(number, entries):
                of_nation[each.leaf].append(place)
                of_force[each.key["force_code"]][each.leaf] = place
            by_force.append({**of_force})
            if edition is self._editions[-1]:
                # Small or not, but for none: their number would say which it is.
                for place in (place for leaf in alone for place in of_nation.get(leaf, ())):
                    count = self._counts[place]
                    self._counts[place] = count._replace(was_hidden=count.value > 0)
            left, totals = untold[number]
            own = [places for leaf, places in of_nation.items() if leaf not in left]
            own += [[p for leaf in total for p in of_nation.get(leaf, ())] for total in totals]
            nation |= dict.fromkeys(map(tuple, filter(None, own)))
        block.nation = list(map(list, nation))
        for number, (edition, of) in enumerate(zip(self._editions, by_force, strict=True)):
            self._sums(number, edition, of)
            self._printed(edition, of)
        if self._source.sums:
            block.ranges = self._ranges()
        passed: dict[Any, Passed] = {}
        for edition, of in zip(self._editions, by_force, strict=True):
            for item in _passed(edition, of, self._counts):
                if item.one:
                    passed[repr(item)] = item
                else:
                    block.broken.setdefault(item.force_code, set()).add(item.rule)
        block.told = list(passed.values())
        return block

    def _placed(self, number: int, entries: Iterable[Counted]) -> Iterator[tuple[int, Counted]]:
        """Add the entries of an edition, and yield each with its place."""
        source = self._source
        told = self._told(number, source.mart, source.value, ("force_code", *source.dims))
        for each in entries:
            force, key, value = each.key["force_code"], tuple(each.key.values()), each.number
            is_own = each.key.get("year", math.inf) > seen_until(self._collection)
            if is_own and force in self._collection.forces:
                name = (*each.name, value)
                count = Count(source.mart, source.value, force, each.key, value, name=name)
                yield self._add(number, (*key, value), count, told.get(key)), each

    def _add(self, number: int, name: Any, count: Count, told: bool | None) -> int:
        """Add a count, or what another edition says of one that is there, and return its place.

        `told` is whether an earlier edition shows it, None for in no mart.
        """
        earlier = number < len(self._editions) - 1
        exempt = self._collection.is_exempt(count.mart, count.column, count.force_code, count.value)
        in_mart = (self._source.is_shown or bool(count.parts)) and not self._is_elsewhere
        is_shown = in_mart and not earlier
        known = count.known or (earlier and bool(told)) or exempt or self._is_elsewhere
        was_hidden, editions = earlier and told is False, frozenset([number])
        place = self._place.setdefault(name, len(self._place))
        if place == len(self._counts):
            self._counts.append(count._replace(is_shown=False, editions=editions))
        before = self._counts[place]
        self._counts[place] = before._replace(
            key=count.key if is_shown else before.key,
            is_shown=before.is_shown or is_shown,
            known=before.known or known,
            was_hidden=before.was_hidden or was_hidden,
            editions=before.editions | editions,
        )
        return place

    def _told(
        self, number: int, mart: str, column: str, key: Sequence[str]
    ) -> dict[tuple[Any, ...], bool]:
        """Return by key whether an earlier edition shows a count, False for hidden."""
        public = self._editions[number].public
        if number == len(self._editions) - 1 or mart not in public:
            return {}
        rows = public[mart].select(*key, pl.col(symbol_of(mart, column)).fill_null("")).iter_rows()
        return {row[:-1]: row[-1] != SUPPRESSED for row in rows if row[-1] != UNAVAILABLE}

    def _sums(self, number: int, edition: Edition, by_force: Mapping[str, Places]) -> None:
        """Add the columns of force_profiles that add the entries up."""
        rows = {row["force_code"]: row for row in edition.behind[PROFILES].iter_rows(named=True)}
        sums, key = self._source.sums, ("force_code",)
        told = {name: self._told(number, PROFILES, name, key) for name in sums}
        for force, places in by_force.items():
            for column, among in sums.items():
                parts = tuple(place for leaf, place in places.items() if among(leaf))
                # Profiles of a time before said nothing where rows alone gave the entries.
                said = rows[force].get(column) if parts else None
                if said is None:
                    continue
                total = sum(self._counts[place].value for place in parts)
                if said != total:
                    raise ContractError(
                        f"{PROFILES}: {column} of {force} is {said}, but its entries in"
                        f" {self._source.mart} add up to {total}. This is a fault of the program;"
                        " report it."
                    )
                count = Count(PROFILES, column, force, {"force_code": force}, total, parts)
                self._add(number, (column, parts), count, told[column].get((force,)))

    def _printed(self, edition: Edition, by_force: Mapping[str, Places]) -> None:
        """Add the figures of single forces that a report printed and the returns confirm."""
        confirmed = edition.behind["reconciliation"].filter(
            pl.col("scope").is_in(list(by_force)),
            pl.col("period").is_in([NOW, ""]),
            pl.col("computed") == pl.col("published"),
        )
        template = self._collection.template
        for row in confirmed.iter_rows(named=True):
            force, name, value = row["scope"], row["figure_id"], int(row["published"])
            if row["measure"] == RESEARCHED:
                among = self._source.sums.get(RESEARCHED, frozenset[Leaf]().__contains__)
            else:
                among = places_of(template, row["measure"], row["breakdown"], NOW).__contains__
            parts = tuple(place for leaf, place in by_force[force].items() if among(leaf))
            if parts and (name, parts) not in self._place:
                self._place[name, parts] = len(self._counts)
                told = ("reconciliation", "published", force, {"figure_id": name}, value, parts)
                self._counts.append(Count(*told, is_shown=False, known=True))

    def _ranges(self) -> dict[int, tuple[Band, ...]]:
        """Return the ranges of sums by subject, as every edition together tells them apart."""
        cuts: dict[str, set[int]] = defaultdict(set)
        for behind in (edition.behind for edition in self._editions):
            national, printed = behind["national_totals"], behind["reconciliation"]
            for column, found in starts(national, printed, self._collection.template).items():
                cuts[column] |= found
        return {
            place: tuple(_between(sorted(cuts[count.column])))
            for place, count in enumerate(self._counts)
            if count.mart == PROFILES and count.column in cuts
        }


def _between(cuts: Sequence[int]) -> Iterator[Band]:
    """Yield the ranges that begin at each of some counts and end before the next."""
    for low, following in zip(cuts, [*cuts[1:], None], strict=True):
        yield Band(low, None if following is None else following - 1)


def _passed(
    edition: Edition, by_force: Mapping[str, Places], counts: Sequence[Count]
) -> Iterator[Passed]:
    """Yield what an edition's states tell of a source's entries; without conditions what is not so.

    A rule that is one thing or another is taken as it is, and so is a count of another source:
    every table found this way passes the rules, though not every table that does is found. A return
    that was accepted although it breaks a rule is not what the rule tells.
    """
    template, kinds = edition.collection.template, list(TELLING)
    uses = sorted(
        (use for use in template.rules if use.use in kinds), key=lambda use: kinds.index(use.use)
    )
    held = {
        force: {leaf: Total((), count) for leaf, count in edition.counts.get(force, {}).items()}
        | {leaf: Total((place,), 0) for leaf, place in places.items()}
        for force, places in by_force.items()
    }
    for rule, force, told in edition.told(uses, cells_in(template), held):
        for ways in told:
            possible = [_together(list(map(_plain, way))) for way in uncertain(ways)]
            if possible or not any(map(is_possible, ways)):
                yield _as_it_is(rule, force, possible, lambda place: counts[place].value)


def _plain(condition: Condition) -> Condition:
    """Return the condition of a sum in whole numbers, where that is what it is of."""
    terms, low, high = condition
    if len(weights := set(terms.values())) > 1:
        return condition
    (weight,) = weights
    low, high = low / weight, high / weight
    if math.isfinite(low + high):
        low, high = math.ceil(low - _ROUNDING), math.floor(high + _ROUNDING)
    return Condition(dict.fromkeys(terms, 1.0), 0 if low == -math.inf else low, high)


def _together(conditions: list[Condition]) -> list[Condition]:
    """Return conditions of the same sum as one."""
    one, *others = conditions
    if any(other.terms != one.terms for other in others):
        return conditions
    low, high = max(c.low for c in conditions), min(c.high for c in conditions)
    return [Condition(one.terms, low, high)]


def _as_it_is(rule: str, force: str, ways: Ways, values: Callable[[int], float]) -> Passed:
    """Return what is told with the way first that holds; without conditions where none does.

    Of two ranges of one sum, the wider of those that hold alone.
    """
    true = [way for way in ways if all(each.holds(values) for each in way)]
    if len(ways) > 1 and all(len(way) == 1 and way[0].terms == ways[0][0].terms for way in ways):
        widest = max(true, key=lambda way: way[0].high - way[0].low, default=[])
        return Passed(rule, force, widest, [])
    one = true[0] if true else []
    return Passed(rule, force, one, next((way for way in ways if one and way is not one), []))
