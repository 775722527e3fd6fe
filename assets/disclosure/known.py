"""What can be known of hidden counts: unknowns, what is told of sums of them, and of their spread.

The words in which readings.py and promises.py say what is public, and bounds.py reads it.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress
from typing import Any, Final, Protocol

import numpy as np
import polars as pl

from schemas.breakdown import Band, read_breakdown
from schemas.disclosure import SUPPRESSED, UNAVAILABLE

_EXACT: Final = 1e-9


@dataclass(frozen=True)
class Total:
    """A sum of unknowns and of a number that is known."""

    unknowns: tuple[int, ...]
    shown: int


@dataclass(frozen=True)
class Hidden:
    """A hidden count: where it stands, and the total that it is.

    `names` are those of the entries that it adds up: two counts of a cell are the same if theirs
    are. `first` and `last` are the numbers of the editions that hide it, counted from 0.
    """

    mart: str
    column: str
    cell: str
    total: Total
    names: tuple[Any, ...] = ()
    first: int = 0
    last: int = 0

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it apart from others, whichever edition hides it."""
        return self.mart, self.column, self.cell, self.names


@dataclass(frozen=True)
class Row:
    """A weighted sum of unknowns that lies between two ends, infinite for none."""

    terms: Mapping[int, float]
    low: float
    high: float

    @classmethod
    def of(cls, parts: Sequence[tuple[float, Total]], low: float, high: float) -> "Row":
        """Return what it tells that so many times each total add up to something between ends."""
        terms: dict[int, float] = defaultdict(float)
        for weight, total in parts:
            for number in total.unknowns:
                terms[number] += weight
        shown = sum(weight * total.shown for weight, total in parts)
        kept = {number: weight for number, weight in terms.items() if weight}
        ends = low - shown, high - shown
        if kept and all(weight < 0 for weight in kept.values()):
            kept, ends = {n: -weight for n, weight in kept.items()}, (-ends[1], -ends[0])
        return cls(kept, *ends)

    @property
    def is_certain(self) -> bool | None:
        """Whether it holds whatever the unknowns are; None where that depends on them."""
        if self.terms:
            return None
        return self.low <= _EXACT and self.high >= -_EXACT


@dataclass
class Knowledge:
    """Of one system of tables: its hidden counts, and what is known of sums of its unknowns.

    `equal`: a total and its value. `rows`: weighted sums and their range. `limits`: a total and the
    range it lies in. `either`: two lists of rows, of which all of the one hold or all of the other.
    `implied`: a total that is 0 where another one is. `bands`: totals, a band, and how many of them
    lie in it, at least and at most. `unlike`: totals, and whether numbers of theirs are none that
    are known not to be so. `unread`: public figures that are none of these. `names` are
    those of the unknowns, each with what it is in fact at its end. `broken`: the rules that a force
    has not passed, though its return was accepted.
    """

    unknowns: int = 0
    names: list[Any] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    equal: list[tuple[Total, int]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    limits: list[tuple[Total, int, int | None]] = field(default_factory=list)
    either: list[tuple[list[Row], list[Row]]] = field(default_factory=list)
    implied: list[tuple[Total, Total]] = field(default_factory=list)
    bands: list[tuple[list[Total], Band, int, int]] = field(default_factory=list)
    unlike: list[tuple[list[Total], Callable[[Sequence[float]], bool]]] = field(
        default_factory=list
    )
    unread: list[str] = field(default_factory=list)
    broken: dict[str, set[str]] = field(default_factory=dict)

    def add(self, told: "Knowledge", numbering: "Numbering") -> bool:
        """Add what is told of a return, where it is true; return whether it is."""

        def holds(row: Row) -> bool:
            value = numbering.true(row.terms)
            return row.low - _EXACT <= value <= row.high + _EXACT

        true = all(map(holds, told.rows)) and all(
            all(map(holds, one)) or all(map(holds, other)) for one, other in told.either
        )
        for some, only_with in told.implied:
            counts = (
                numbering.true(dict.fromkeys(total.unknowns, 1.0)) + total.shown
                for total in (some, only_with)
            )
            true &= next(counts) == 0 or next(counts) > 0
        if true:
            self.rows += told.rows
            self.either += told.either
            self.implied += told.implied
        return true

    def tell(self, parts: Sequence[tuple[float, Total]], low: float, high: float) -> None:
        """Add that so many times each total add up to something between two ends."""
        row = Row.of(parts, low, high)
        if row.terms:
            self.rows.append(row)

    def tell_either(self, one: Sequence[Row], other: Sequence[Row]) -> None:
        """Add that all rows of the one list hold, or all of the other."""
        ways = [
            [row for row in rows if row.is_certain is None]
            for rows in (one, other)
            if all(row.is_certain is not False for row in rows)
        ]
        if len(ways) == 1:
            self.rows += ways[0]
        elif len(ways) > 1 and all(ways):
            (none, *more), (some, *others) = ways
            weights = {*none.terms.values(), *some.terms.values()}
            if (none.high, some.low, weights) == (0, 1, {1}) and not (more or others):
                self.implied.append((Total(tuple(none.terms), 0), Total(tuple(some.terms), 0)))
            else:
                self.either.append((ways[0], ways[1]))


class Numbering:
    """The unknowns of several editions: a count that is the same in two of them is one.

    It is named by its cell and by a mark, which is the same as long as the count is: the count
    itself, so that it can be said whether a return keeps to a rule.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.values: dict[Any, int] = {}
        self._numbers: dict[Any, int] = {}
        self._names: list[Any] = []

    def __len__(self) -> int:
        """Return how many unknowns there are."""
        return len(self._numbers)

    @property
    def names(self) -> list[Any]:
        """The names of the unknowns, by number."""
        return list(self._numbers)

    def true(self, terms: Mapping[int, float]) -> float:
        """Return what a weighted sum of unknowns is in fact."""
        if len(self._names) < len(self._numbers):
            self._names = list(self._numbers)
        return sum(weight * (self._names[n][-1] or 0) for n, weight in terms.items())

    def of_total(self, total: Total) -> float:
        """Return what a total is in fact."""
        return self.true(dict.fromkeys(total.unknowns, 1.0)) + total.shown

    def of(self, name: Any) -> int | None:
        """Return the number of an unknown; None for a count that some edition shows."""
        if name in self.values:
            return None
        return self._numbers.setdefault(name, len(self._numbers))


class Entries:
    """The entries of one table in one edition: shown ones with their values, the others unknown."""

    def __init__(
        self,
        mart: str,
        column: str,
        frame: pl.DataFrame,
        marks: Mapping[tuple[str, str, str], Any],
        numbering: Numbering,
    ) -> None:
        """Name the entries; `frame` has `value` and `symbol` beside the key columns.

        Numbers are given once every edition's entries are named, so that what one shows is known
        in all.
        """
        known = frame.filter(pl.col("symbol").ne_missing(UNAVAILABLE))
        self.rows = known.drop("value", "symbol").to_dicts()
        self.values: list[int | None] = known["value"].to_list()
        if mart == "cells":  # which of these a force gives stands nowhere; he is told
            held = [(mart, column, cell_of(row)) in marks for row in self.rows]
            self.rows = list(compress(self.rows, held))
            self.values = list(compress(self.values, held))
        self.columns = [name for name in frame.columns if name not in {"value", "symbol"}]
        self.cells = [cell_of(row) for row in self.rows]
        self._place = {cell: place for place, cell in enumerate(self.cells)}
        self.mart, self.column, self._numbering = mart, column, numbering
        self._names = [(mart, column, cell, marks.get((mart, column, cell))) for cell in self.cells]
        for name, value in zip(self._names, self.values, strict=True):
            if value is not None:
                numbering.values[name] = value
        self._holding: dict[tuple[str, Any], set[int]] = defaultdict(set)
        for place, row in enumerate(self.rows):
            for key, value in row.items():
                self._holding[key, value].add(place)

    def total(self, where: Mapping[str, Iterable[Any]]) -> Total | None:
        """Return the sum of the entries whose columns hold one of these codes; None for none."""
        places = self._places(where)
        return self._sum(places) if places else None

    def count(self, cell: str) -> int | tuple[int] | None:
        """Return a count that is shown, or the number of a hidden one; None where there is none."""
        place = self._place.get(cell)
        if place is None:
            return None
        total = self._sum([place])
        return (total.unknowns[0],) if total.unknowns else total.shown

    def hidden(self, edition: int) -> Iterator[Hidden]:
        """Yield the hidden entries."""
        for place, value in enumerate(self.values):
            if value is None:
                yield self._hidden(self.mart, self.column, self.cells[place], [place], edition)

    def hidden_sum(
        self, mart: str, column: str, cell: str, where: Mapping[str, Iterable[Any]], edition: int
    ) -> Hidden:
        """Return the sum of the entries with these codes as a hidden count of another mart."""
        return self._hidden(mart, column, cell, self._places(where), edition)

    def _places(self, where: Mapping[str, Iterable[Any]]) -> list[int]:
        if not where:
            return list(range(len(self.rows)))
        holding = [
            set().union(*(self._holding.get((key, code), ()) for code in codes))
            for key, codes in where.items()
        ]
        return sorted(set.intersection(*holding))

    def _sum(self, places: Iterable[int]) -> Total:
        unknowns, shown = [], 0
        for place in places:
            number = self._numbering.of(self._names[place])
            if number is None:
                shown += self._numbering.values[self._names[place]]
            else:
                unknowns.append(number)
        return Total(tuple(unknowns), shown)

    def _hidden(self, mart: str, column: str, cell: str, places: list[int], edition: int) -> Hidden:
        names = tuple(self._names[place] for place in places)
        return Hidden(mart, column, cell, self._sum(places), names, edition, edition)


def cell_of(row: Mapping[str, Any]) -> str:
    """Return the name of a row by its key: key=value pairs joined by ';'."""
    return ";".join(f"{key}={value}" for key, value in row.items() if value is not None)


_QUANTILES: Final = {
    "minimum": 0.0,
    "lower_quartile": 0.25,
    "median": 0.5,
    "upper_quartile": 0.75,
    "maximum": 1.0,
}
_ENDS: Final = ("minimum", "maximum")


@dataclass(frozen=True)
class _Spread:
    """The totals of the forces in one subject, each with the least and most it can be."""

    totals: list[Total]
    low: list[int]
    high: list[float]


class Said(Protocol):
    """What the template's file says of a profile."""

    lists: list[str]
    profile: dict[str, dict[str, Any]]


def over_forces(measures: Iterable[str]) -> list[str]:
    """Return the measures of national_totals that tell how counts are spread over the forces."""
    return [name for of in measures for name in (f"forces_with_{of}", f"{of}_per_force", of)]


def read_spread(
    known: Knowledge,
    said: Said,
    measure: str,
    entries: Entries,
    public: Mapping[str, pl.DataFrame],
    numbering: Numbering,
) -> None:
    """Add to the knowledge what the shown statistics tell; bands come before ends, by name."""
    over = pl.col("breakdown").str.contains("count=") | (
        pl.col("breakdown").str.contains("statistic=")
        & ~pl.col("breakdown").str.contains("statistic=mean")
    )
    here = pl.col("measure").is_in(over_forces([measure])) & over
    shown = public["national_totals"].filter(here).sort("measure", "breakdown")
    for breakdown, value in shown.drop_nulls("value").select("breakdown", "value").iter_rows():
        parts = read_breakdown(breakdown)
        spread = _spread(entries, public["force_profiles"], said, measure, parts)
        if "count" in parts:
            _read_band(known, spread, Band.parse(parts["count"]), round(value))
        elif not _is_fixed(spread, _QUANTILES[parts["statistic"]]):
            if parts["statistic"] in _ENDS:
                _read_end(known, spread, round(value), parts["statistic"])
            else:
                known.unread.append(f"{parts['statistic']} of {breakdown}")
    hidden = public["reconciliation"].filter(here, pl.col("symbol") == SUPPRESSED)
    for breakdown, value in hidden.select("breakdown", "published").iter_rows():
        parts = read_breakdown(breakdown)
        spread = _spread(entries, public["force_profiles"], said, measure, parts)
        true = [numbering.of_total(total) for total in spread.totals]
        if "count" in parts:
            _read_other_band(known, spread, Band.parse(parts["count"]), value, true)
        else:
            known.unlike.append((spread.totals, partial(_differs, parts["statistic"], value)))


def _differs(statistic: str, printed: float, totals: Sequence[float]) -> bool:
    """Return whether a statistic is not what is printed: then it would be shown."""
    return bool(np.quantile(totals, _QUANTILES[statistic]) != printed)


def _read_other_band(
    known: Knowledge, spread: _Spread, band: Band, printed: float, true: Sequence[float]
) -> None:
    """Not so many totals lie in the band as is printed; on which side of it is given away here."""
    top = np.inf if band.high is None else band.high
    sure, unsure = 0, []
    for total, low, high in zip(spread.totals, spread.low, spread.high, strict=True):
        if low >= band.low and high <= top:
            sure += 1
        elif low <= top and high >= band.low:
            unsure.append(total)
    more = sum(band.low <= count <= top for count in true) > printed
    least, most = (math.floor(printed) + 1, len(true)) if more else (0, math.ceil(printed) - 1)
    least, most = max(0, least - sure), min(len(unsure), most - sure)
    if least > 0 or most < len(unsure):
        known.bands.append((unsure, band, least, most))


def _spread(
    entries: Entries,
    profiles: pl.DataFrame,
    said: Said,
    measure: str,
    parts: Mapping[str, str],
) -> _Spread:
    dims = {name: code for name, code in parts.items() if name in said.lists}
    column, whole = (
        next(
            (
                name
                for name, of in said.profile.items()
                if of["measure"] == measure and of.get("dims", {}) == codes and "period" not in of
            ),
            None,
        )
        for codes in (dims, {})
    )
    totals, low, high = [], [], []
    for row in profiles.sort("force_code").iter_rows(named=True):
        where = {**{name: [code] for name, code in dims.items()}, "force_code": [row["force_code"]]}
        total = entries.total(where)
        if total is not None:
            shown = row.get(column or "")
            most = row.get(whole or "")
            totals.append(total)
            low.append(total.shown if shown is None else shown)
            high.append((np.inf if most is None else most) if shown is None else shown)
    return _Spread(totals, low, high)


def _is_fixed(spread: _Spread, quantile: float) -> bool:
    if np.isinf(spread.high).any():
        return False
    low, high = (np.quantile(ends, quantile) for ends in (spread.low, spread.high))
    return bool(low == high)


def _read_band(known: Knowledge, spread: _Spread, band: Band, value: int) -> None:
    """So many totals lie in the band; where none or all of the unsure ones do, each one does."""
    top = np.inf if band.high is None else band.high
    inside, unsure = 0, []
    for total, low, high in zip(spread.totals, spread.low, spread.high, strict=True):
        if low >= band.low and high <= top:
            inside += 1
        elif low <= top and high >= band.low:
            unsure.append(total)
    inside = value - inside
    if inside == len(unsure):
        known.limits += [(total, band.low, band.high) for total in unsure]
    elif inside == 0 and band.low == 0 and band.high is not None:
        known.limits += [(total, band.high + 1, None) for total in unsure]
    elif inside == 0 and band.high is None:
        known.limits += [(total, 0, band.low - 1) for total in unsure]
    else:
        known.bands.append((unsure, band, inside, inside))


def _read_end(known: Knowledge, spread: _Spread, value: int, name: str) -> None:
    """No total is beyond it, and one reaches it."""
    unsure = [place for place, low in enumerate(spread.low) if low != spread.high[place]]
    for place in unsure:
        low, high = (value, None) if name == "minimum" else (0, value)
        known.limits.append((spread.totals[place], low, high))
    sure = {low for place, low in enumerate(spread.low) if place not in unsure}
    told = any(band == Band(value, value) and least for _, band, least, _ in known.bands)
    if value not in sure and not told:
        totals = [spread.totals[place] for place in unsure]
        known.bands.append((totals, Band(value, value), 1, len(totals)))
