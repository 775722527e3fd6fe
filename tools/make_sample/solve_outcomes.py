"""Shares the investigations of each row out over the outcomes, and counts people suspended.

Belongs here: what the outcomes of a return must keep. Does not: how many investigations a row has
(solve_rows.py).
"""

from collections import Counter
from typing import Final

from assets.sample.write import SUSPENDED
from schemas.collection import Collection
from tools.make_sample.counts import CountProgram
from tools.make_sample.described import CONTINUING, OUTCOMES
from tools.make_sample.likelihood import varied
from tools.make_sample.published import Facets, Place, Total, figure, figures, totals
from tools.make_sample.solve_rows import PARTS, facets_of

_LEFT_SERVICE: Final = "left_service"
_OUTCOME_SPREAD: Final = 0.3

_ASSUMED_SUSPENDED: Final = 1 / 12
"""People suspended for each continuing investigation, where the number was not published."""

_MOST_CONTINUING: Final = 0.7
_MOST_LEFT_SERVICE: Final = 0.13
_MANY: Final = 20
"""From this many investigations on, some are bound to be continuing."""


def solve_outcomes(collection: Collection, rows: dict[Place, int]) -> dict[Place, int]:
    """Return every outcome and the people suspended, for each force and row.

    Args:
        collection: whose published figures hold.
        rows: investigations at the places of the row totals.
    """
    cases: dict[Place, Facets] = {}
    people: dict[Place, Facets] = {}
    row_totals = []
    for place, count in rows.items():
        row = PARTS[place.row_code]
        outcomes = {place._replace(column_code=o): facets_of(row, o) for o in OUTCOMES}
        cases.update(outcomes)
        people[place._replace(column_code=SUSPENDED)] = facets_of(row)
        row_totals.append(Total(tuple(outcomes), count))
    program = CountProgram(
        _expected(collection, rows),
        [
            *totals(figures(collection, "investigations"), cases),
            *totals(figures(collection, "people_suspended"), people),
            *row_totals,
        ],
    )
    for suspended in people:
        continuing = suspended._replace(column_code=CONTINUING)
        program.require_share(program.at(suspended), program.at(continuing))
    _require_usual_outcomes(program, rows)
    return program.solved_counts()


def _expected(collection: Collection, rows: dict[Place, int]) -> dict[Place, float]:
    whole = figure(collection, "investigations")
    shares = {o: figure(collection, "investigations", outcome=o) / whole for o in OUTCOMES}
    shares[SUSPENDED] = shares[CONTINUING] * _ASSUMED_SUSPENDED
    expected = {}
    for row_place, count in rows.items():
        for column_code, share in shares.items():
            place = row_place._replace(column_code=column_code)
            expected[place] = varied(count * share, _OUTCOME_SPREAD, "outcome", *place)
    return expected


def _require_usual_outcomes(program: CountProgram, rows: dict[Place, int]) -> None:
    """Require shares of continuing cases and of leavers that raise no question."""
    whole: Counter[str] = Counter()
    for place, count in rows.items():
        whole[place.force_code] += count
    continuing = program.sum_by_force(p._replace(column_code=CONTINUING) for p in rows)
    left = program.sum_by_force(p._replace(column_code=_LEFT_SERVICE) for p in rows)
    for force_code, count in whole.items():
        least = int(count >= _MANY)
        program.require({continuing[force_code]: 1}, low=least, high=_MOST_CONTINUING * count)
        program.require({left[force_code]: 1}, high=max(1, _MOST_LEFT_SERVICE * count))
