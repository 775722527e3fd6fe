"""Shares the published counts of earlier periods out over forces, and the cards they hold.

Belongs here: what the comparators of a return must keep beside its investigations. Does not: the
investigations themselves (solve_rows.py).
"""

from collections import Counter
from typing import Final

from schemas.breakdown import read_breakdown
from schemas.collection import Collection
from tools.make_sample.counts import CountProgram
from tools.make_sample.described import COMPARATORS
from tools.make_sample.likelihood import assumed_sizes, rates, varied
from tools.make_sample.published import Place, Total, figure
from tools.make_sample.solve_rows import PARTS

_SHEET: Final = "comparators"
_COLUMN: Final = "value"
_YEAR: Final = "2010-11"

_WHOLE: Final = "investigations_2010_11"
_DISCLOSURE: Final = "information_disclosure_2010_11"
_SECOND_JOBS: Final = "second_jobs_2010_11"
_CARDS: Final = ("cards_2011", "cards_2012")

_SPREAD: Final = 0.15
_USUAL_RATIO: Final = (0.6, 1.9)
"""Monthly rate now over the monthly rate of the earlier year."""
_MANY: Final = 10
"""A change by fewer than this is no question, however large as a ratio."""

_ASSUMED_STAFF_PER_CARD: Final = 70
_USUAL_CARDS_RATIO: Final = (0.6, 1.4)
_BESIDE_ROUND: Final = -3
"""The change in cards was published as about a round number; the round one would look exact."""

_NOW: Final = {
    _WHOLE: tuple(PARTS),
    _DISCLOSURE: tuple(c for c, row in PARTS.items() if row.category == "information_disclosure"),
    _SECOND_JOBS: ("second_jobs",),
}
"""The rows of the investigations sheet that a comparator is compared with."""


def solve_comparators(collection: Collection, rows: dict[Place, int]) -> dict[Place, int]:
    """Return the comparators of each force.

    Args:
        collection: whose published figures hold.
        rows: investigations at the places of the row totals.
    """
    now = _now(rows)
    expected = _expected(now)
    program = CountProgram(expected, _published(collection, expected))
    for force_code in assumed_sizes():
        _require_usual_rates(program, collection, force_code, now)
        _require_usual_cards(program, force_code)
    before, after = (
        program.sum_at(place for place in expected if place.row_code == code) for code in _CARDS
    )
    change = figure(collection, "cards_held_change") + _BESIDE_ROUND
    program.require({after: 1, before: -1}, low=change, high=change)
    return program.solved_counts()


def _place(force_code: str, row_code: str) -> Place:
    return Place(force_code, _SHEET, row_code, _COLUMN)


def _now(rows: dict[Place, int]) -> Counter[Place]:
    """Return the investigations of the collection period at the comparators they belong to."""
    now: Counter[Place] = Counter()
    for place, count in rows.items():
        for comparator, row_codes in _NOW.items():
            if place.row_code in row_codes:
                now[_place(place.force_code, comparator)] += count
    return now


def _expected(now: Counter[Place]) -> dict[Place, float]:
    cards = rates("cards", _SPREAD)
    expected = {}
    for force_code, size in assumed_sizes().items():
        for code in COMPARATORS:
            place = _place(force_code, code)
            if code in _NOW:
                mean = varied(now[place] + 0.5, _SPREAD, "comparator", *place)
            else:
                mean = cards[force_code] / _ASSUMED_STAFF_PER_CARD if code in _CARDS else size
            expected[place] = mean
    return expected


def _published(collection: Collection, expected: dict[Place, float]) -> list[Total]:
    national = []
    for code, row in COMPARATORS.items():
        if code not in _CARDS:
            parts = read_breakdown(row.breakdown)
            value = figure(collection, row.measure, row.period, **parts)
            places = (place for place in expected if place.row_code == code)
            national.append(Total(tuple(places), round(value)))
    return national


def _require_usual_rates(
    program: CountProgram, collection: Collection, force_code: str, now: Counter[Place]
) -> None:
    """Require that rates changed no more than raises a question, and that parts fit their whole."""
    longer = collection.comparators[_YEAR].months / collection.period.months
    low, high = _USUAL_RATIO
    for code in (_WHOLE, _DISCLOSURE):
        place = _place(force_code, code)
        like = now[place] * longer
        program.require({program.at(place): 1}, like / high, like / low)
    whole, disclosure, jobs = (program.at(_place(force_code, code)) for code in _NOW)
    program.require({disclosure: 1, jobs: 1, whole: -1}, high=0)
    jobs_now = now[_place(force_code, _SECOND_JOBS)]
    few = _MANY - 1
    program.require({jobs: 1}, low=(jobs_now - few) * longer, high=jobs_now * longer + few)


def _require_usual_cards(program: CountProgram, force_code: str) -> None:
    before, after = (program.at(_place(force_code, code)) for code in _CARDS)
    program.require_share(after, before, *_USUAL_CARDS_RATIO)
