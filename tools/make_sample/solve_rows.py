"""Shares the published investigations out over forces and subjects.

Belongs here: what the totals of the investigations rows must keep. Does not: how each row falls
to the outcomes (solve_outcomes.py).
"""

from collections.abc import Iterable
from typing import Final

from schemas.breakdown import Band
from schemas.collection import Collection
from tools.make_sample.counts import LARGEST_SHARE, CountProgram
from tools.make_sample.described import INVESTIGATION_ROWS, TOTAL, InvestigationRow
from tools.make_sample.likelihood import assumed_sizes, rates, varied
from tools.make_sample.program import Unknown
from tools.make_sample.published import Facets, Figure, Place, figure, figures, totals

SHEET: Final = "investigations"
PARTS: Final = {row.code: row for row in INVESTIGATION_ROWS if row.is_part}
"""The rows that are not sums of others, by code."""

DISCLOSURE: Final = "information_disclosure"

_RATE_SPREAD: Final = 0.45
_ROW_SPREAD: Final = 0.2
_MOST_TO_OTHERS: Final = 0.5

_ASSUMED_MIX: Final = {"social_media": 0.22, "procurement": 0.08, "other": 0.7}
"""How the investigations whose subject was not published fall to the three subjects left."""

_NATIONAL_MEDIA_PULL: Final = 0.3
"""The national media are in London: what concerns them grows faster than the force."""


def facets_of(row: InvestigationRow, outcome: str | None = None) -> Facets:
    """Return what a count in the row, and of the outcome, counts."""
    return {
        "category": row.category,
        "recipient": row.recipient,
        "media": row.media,
        "outcome": outcome,
    }


def solve_rows(collection: Collection) -> dict[Place, int]:
    """Return the investigations of each force in each row, at the places of the row totals."""
    expected = _expected()
    facets = {place: facets_of(PARTS[place.row_code]) for place in expected}
    published = [f for f in figures(collection, "investigations") if "outcome" not in f.parts]
    program = CountProgram(expected, totals(published, facets))
    most = LARGEST_SHARE * figure(collection, "investigations")
    for band in figures(collection, "forces_with_investigations"):
        counts = program.sum_by_force(p for p in expected if _category(p) == band.parts["category"])
        _require_forces_in_band(program, band, counts.values(), most)
    least = figure(collection, "investigations_per_force", category=DISCLOSURE, statistic="minimum")
    disclosure = program.sum_by_force(p for p in expected if _category(p) == DISCLOSURE)
    for force_code, whole in disclosure.items():
        others = program.at(Place(force_code, SHEET, f"{DISCLOSURE}.others", TOTAL))
        program.require({whole: 1}, low=least)
        program.require_share(others, whole, high=_MOST_TO_OTHERS)
    return program.solved_counts()


def _category(place: Place) -> str | None:
    return PARTS[place.row_code].category


def _expected() -> dict[Place, float]:
    sizes = assumed_sizes()
    expected = {}
    for force_code, rate in rates(SHEET, _RATE_SPREAD).items():
        for code, row in PARTS.items():
            place = Place(force_code, SHEET, code, TOTAL)
            pull = sizes[force_code] ** _NATIONAL_MEDIA_PULL if row.media == "national" else 1
            mean = rate * pull * _ASSUMED_MIX.get(code, 1.0)
            expected[place] = varied(mean, _ROW_SPREAD, "row", *place)
    return expected


def _require_forces_in_band(
    program: CountProgram, published: Figure, counts: Iterable[Unknown], most: float
) -> None:
    """Require as many forces in a band of counts as were published.

    Every published band is a tail: from a count up, or from the smallest count to another.

    Args:
        program: the program to bind.
        published: the number of forces in a band.
        counts: the unknown count of each force.
        most: what no force's count exceeds.
    """
    band = Band.parse(published.parts["count"])
    inside = []
    for count in counts:
        choice = program.choice()
        inside.append(choice)
        if band.high is None:
            program.require({count: 1, choice: -band.low}, low=0)
            program.require({count: 1, choice: -most}, high=band.low - 1)
        else:
            beyond = band.high + 1
            program.require({count: 1, choice: beyond}, low=beyond)
            program.require({count: 1, choice: most}, high=band.high + most)
    program.require_total(inside, published.value)
