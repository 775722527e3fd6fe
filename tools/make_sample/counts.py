"""Counts over forces and entries: each near what size suggests, together what was published.

Belongs here: what every counted sheet of the sample has in common. Does not: what one sheet alone
must keep (solve_*.py).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from assets.sample.research import fraction
from tools.make_sample.likelihood import draw, rake
from tools.make_sample.program import Program, Unknown
from tools.make_sample.published import Place, Total

LARGEST_SHARE: Final = 0.25
"""No force holds more than this share of a national count, so that no total hangs on one return."""

_FEW: Final = 15
"""National counts expected below this are too small for a largest share to mean anything."""


class CountProgram(Program):
    """An integer program with one unknown count for each place."""

    def __init__(self, expected: Mapping[Place, float], totals: Iterable[Total]) -> None:
        """Draw a count for each place and bind the counts to the totals.

        Args:
            expected: expectation of the count at each place, as `rake` takes it.
            totals: what counts must add up to.
        """
        super().__init__()
        fixed = list(totals)
        self._expected = rake(expected, fixed)
        self._unknowns = {
            place: self.near(draw(mean, *place), step_cost(mean, *place))
            for place, mean in self._expected.items()
        }
        for total in fixed:
            self.require_total((self._unknowns[place] for place in total.places), total.value)
        self._limit_shares()

    def at(self, place: Place) -> Unknown:
        """Return the unknown count at a place."""
        return self._unknowns[place]

    def sum_by_force(self, places: Iterable[Place]) -> dict[str, Unknown]:
        """Return the unknown sum of the counts at some places, by force code."""
        by_force: dict[str, list[Place]] = defaultdict(list)
        for place in places:
            by_force[place.force_code].append(place)
        return {force_code: self.sum_at(own) for force_code, own in by_force.items()}

    def sum_at(self, places: Iterable[Place]) -> Unknown:
        """Return the unknown sum of the counts at some places."""
        return self.sum(self._unknowns[place] for place in places)

    def solved_counts(self) -> dict[Place, int]:
        """Return the count at each place, in the order of the expectations."""
        solution = self.solve()
        return {place: solution[unknown] for place, unknown in self._unknowns.items()}

    def _limit_shares(self) -> None:
        entries: dict[tuple[str, ...], list[Place]] = defaultdict(list)
        for place in self._unknowns:
            entries[place[1:]].append(place)
        for places in entries.values():
            if sum(self._expected[place] for place in places) < _FEW:
                continue
            nation = self.sum_at(places)
            for place in places:
                self.require_share(self.at(place), nation, high=LARGEST_SHARE)


def step_cost(mean: float, *key: object) -> float:
    """Return what a step away from the draw costs: less where counts stray further anyway.

    A little chance leaves no two steps at equal cost, so that one solution is the best.
    """
    return (1 + 0.1 * fraction("weight", *key)) / math.sqrt(1 + mean)
