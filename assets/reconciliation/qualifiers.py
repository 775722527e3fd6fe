"""How each wording of a published figure is compared with the computed one.

Belongs here: one small function a qualifier, true meaning that the computed figure satisfies it.
Shares are compared unrounded. Does not: where the two figures come from (reconcile.py).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

TOLERANCE: Final = 0.15
"""The gap, as a share of the published figure, beyond which `about` and `almost` are flagged."""


@dataclass(frozen=True)
class Pair:
    """A published and a computed figure, and how many forces the collection expects."""

    published: float
    computed: float
    forces_expected: int

    @property
    def gap(self) -> float:
        """The difference as a share of the published figure."""
        if self.published == 0:
            return 0.0 if self.computed == 0 else math.inf
        return abs(self.computed - self.published) / abs(self.published)


def _equal(pair: Pair) -> bool:
    return pair.computed == pair.published


def _rounded(pair: Pair) -> bool:
    published = Decimal(repr(pair.published)).normalize()
    printed = Decimal(1).scaleb(min(int(published.as_tuple().exponent), 0))
    return Decimal(repr(pair.computed)).quantize(printed, ROUND_HALF_UP) == published


def _all(pair: Pair) -> bool:
    return pair.computed == pair.published == pair.forces_expected


def _all_but_one(pair: Pair) -> bool:
    return pair.computed == pair.published == pair.forces_expected - 1


EQUALITIES: Final[dict[str, Callable[[Pair], bool]]] = {
    "exact": _equal,
    "counted": _equal,
    "derived": _equal,
    "all": _all,
    "all_but_one": _all_but_one,
    "no_change": lambda pair: pair.computed == 0,
}
"""Wordings that name one number: satisfied means `match`."""

RANGES: Final[dict[str, Callable[[Pair], bool]]] = {
    "rounded": _rounded,
    "average": _rounded,
    "at_least": lambda pair: pair.computed >= pair.published,
    "more_than": lambda pair: pair.computed > pair.published,
    "about": lambda pair: pair.gap <= TOLERANCE,
    "almost": lambda pair: pair.gap <= TOLERANCE,
}
"""Wordings that leave room: satisfied means `within_qualifier`."""


def compare(qualifier: str, pair: Pair, unit: str = "count") -> str:
    """Return `match`, `within_qualifier` or `differs`.

    A percent is printed rounded even where the publication does not say so: 81 per cent of 853
    respondents is nobody's number. `exact` leaves it that room.

    Raises:
        KeyError: the qualifier is none of those above.
    """
    if qualifier in EQUALITIES and EQUALITIES[qualifier](pair):
        return "match"
    printed_rounded = qualifier == "exact" and unit.startswith("percent")
    satisfied = _rounded if printed_rounded else {**EQUALITIES, **RANGES}[qualifier]
    return "within_qualifier" if satisfied(pair) else "differs"
