"""What public editions tell of the counts of single forces, fact by fact, as it was read once.

What somebody knows follows from it: by all editions, by the first of them with some counts hidden,
or without some rules.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from assets.disclosure.known import Hidden, Knowledge, OfForce
from assets.disclosure.passed import Ways
from schemas.breakdown import Band, read_breakdown

_QUANTILES: Final = {
    "minimum": 0.0,
    "lower_quartile": 0.25,
    "median": 0.5,
    "upper_quartile": 0.75,
    "maximum": 1.0,
}

Places = tuple[int, ...]
"""Counts, by their places among the names of the facts."""


class Shown(NamedTuple):
    """What a mart shows of a count, or of a sum of counts: None where that is hidden.

    `group` is that of the tables which can be hidden with it (described.py), None for none.
    """

    mart: str
    column: str
    cell: str
    of: Places
    value: int | None
    group: str | None = None

    def tell(self, known: Knowledge, number: int) -> None:
        """Add that it is hidden, or what it is where parts of it are."""
        total = known.total(self.of)
        if self.value is None:
            known.hide(Hidden(*self[:3], total, self.of, number, number))
        elif total.unknowns:
            known.hold(total, self.value, self.value)


class Figure(NamedTuple):
    """What counts of a force, or of all, add up to: shown, or hidden and not what is printed."""

    of: Places
    value: float | None
    printed: float
    of_force: bool

    def tell(self, known: Knowledge, _: int) -> None:
        """Add what it is, or what it is not."""
        total = known.total(self.of)
        if not total.unknowns:
            return
        if self.value is not None:
            known.hold(total, round(self.value), round(self.value))
        elif self.of_force:
            known.hold(total, *_beyond(self.printed, known.of_total(total), np.inf))
        else:
            known.unlike.append(([total], partial(_differs, "maximum", self.printed)))


class Statistic(NamedTuple):
    """A statistic over forces, or how many have a count in a band: shown, or not what is printed.

    `spread` has each force's row among the profiles, and its counts; the columns `own` and `whole`
    have what these add up to, and what no sum of them is beyond.
    """

    breakdown: str
    own: str
    whole: str
    spread: tuple[tuple[str, Places], ...]
    value: float
    is_hidden: bool
    in_print: bool

    def tell(self, known: Knowledge, number: int) -> None:
        """Add what it tells of the totals of forces."""
        parts, value, spread = read_breakdown(self.breakdown), self.value, []
        for cell, of in self.spread:
            total = known.total(of)
            own, most = (known.sums.get((number, c, cell)) for c in (self.own, self.whole))
            low, high = (
                (total.shown, math.inf if most is None else most) if own is None else (own, own)
            )
            spread.append(OfForce(total, low, high))
        name = parts.get("statistic", "")
        if "count" in parts:
            band = Band.parse(parts["count"])
            low, high = band.low, np.inf if band.high is None else band.high
            ends: tuple[float, float] = (round(value), round(value))
            if self.is_hidden:
                inside = sum(low <= known.of_total(each.total) <= high for each in spread)
                ends = _beyond(value, inside, len(spread))
            known.tell_band(spread, band, *ends)
        elif self.is_hidden:
            totals = [each.total for each in spread]
            known.unlike.append((totals, partial(_differs, name, value)))
        elif not _is_fixed(spread, name):
            if name in {"minimum", "maximum"}:
                known.tell_end(spread, round(value), is_least=name == "minimum")
            else:
                known.unread.append(f"{name} of {self.breakdown}")


class Held(NamedTuple):
    """What it tells that the return of a force has passed a rule: conditions of places."""

    rule: str
    force: str
    ways: list[Ways]

    def tell(self, known: Knowledge, _: int) -> None:
        """Add it; where it is not so, the return was accepted with an answer: that is noted."""
        of = known.of_unknowns
        if not known.tell([[[*map(of, way)] for way in ways] for ways in self.ways]):
            known.broken.setdefault(self.force, set()).add(self.rule)


Fact = Shown | Figure | Statistic | Held


@dataclass
class Facts:
    """What editions tell of one system of tables.

    `names` are those of the counts, each with its place; `told` the facts, each with the number of
    its edition; `unread` public figures of which nobody can say here what follows from them.
    """

    names: dict[Any, int] = field(default_factory=dict)
    told: list[tuple[int, Fact]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def known(
        self, last: float = math.inf, hidden: Collection[str] = (), without: Collection[str] = ()
    ) -> Knowledge:
        """Return what is known by the facts.

        `last` is the last edition that is read, `hidden` groups of tables all of whose counts that
        one hides, and `without` rules of which nothing is told.
        """
        known, told = Knowledge([*self.names]), [*self._read(last, hidden, without)]
        # First every count is named, since what one edition shows is known of the others.
        for number, fact in told:
            if isinstance(fact, Shown) and fact.value is not None:
                known.sums[number, fact.column, fact.cell] = fact.value
                if fact[:3] == known.counts[fact.of[0]][:3]:
                    known.values[fact.of[0]] = fact.value
        for number, fact in told:
            fact.tell(known, number)
        known.unread += self.unread
        return known

    def _read(
        self, last: float, hidden: Collection[str], without: Collection[str]
    ) -> Iterator[tuple[int, Fact]]:
        for number, fact in self.told:
            is_blind = bool(hidden) and number == last
            match fact:
                case Shown() if is_blind and fact.group in hidden:
                    yield number, fact._replace(value=None)
                case Statistic(in_print=False) if is_blind:
                    pass  # It follows from the counts.
                case Held() if fact.rule in without:
                    pass
                case _ if number <= last:
                    yield number, fact


def _beyond(printed: float, true: float, most: float) -> tuple[float, float]:
    """Return the ends of a number that is hidden since it is another one than what is printed.

    On which side of that it lies nobody is told; it is given away here.
    """
    return (math.floor(printed) + 1, most) if true > printed else (0, math.ceil(printed) - 1)


def _is_fixed(spread: Sequence[OfForce], statistic: str) -> bool:
    if any(np.isinf(each.high) for each in spread):
        return False
    low, high = ([each[end] for each in spread] for end in (1, 2))
    quantile = _QUANTILES[statistic]
    return bool(np.quantile(low, quantile) == np.quantile(high, quantile))


def _differs(statistic: str, printed: float, totals: Sequence[float]) -> bool:
    """Return whether a statistic is not what is printed: where it were, it would be shown."""
    return bool(np.quantile(totals, _QUANTILES[statistic]) != printed)
