"""The linear conditions between the numbers of a return, as its template has them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from schemas.rules.catalogue import rules
from schemas.template import Place, Template
from schemas.vocabulary import NOT_HELD

Numbers = Mapping[Place, int | str | None]
"""Of each place its number; the reason why it has none; None where it is blank or unreadable."""

Weights = dict[Place, int]
"""How often each place counts."""

Grid = tuple[tuple[Place, ...], ...]
"""The places of a sheet, row by row."""


@dataclass(frozen=True)
class Edit:
    """A condition on the numbers of a return: `parts` add up to `whole`, or to at most that.

    `more` is added to the whole. Of `unheld`, what is not held counts as nothing. `rule` is what
    holds returns to it, with findings `at` these places.
    """

    rule: str
    parts: tuple[Place, ...]
    whole: tuple[Place, ...]
    unheld: frozenset[Place] = frozenset()
    equal: bool = True
    at: tuple[Place, ...] = ()
    more: int = 0

    def weights(self, numbers: Numbers) -> Weights:
        """Return how often each place counts in parts less whole; none where it does not apply."""
        weights = Counter(self.parts)
        weights.subtract(self.whole)
        reasons = {p for p in weights if isinstance(numbers.get(p, NOT_HELD), str)}
        nothing = {p for p in reasons & self.unheld if numbers.get(p) == NOT_HELD}
        return {} if reasons - nothing else {p: w for p, w in weights.items() if p not in nothing}


@cache
def edits_of(template: Template) -> tuple[Edit, ...]:
    """Return the linear conditions that a return on a template is rejected by."""
    sums = [
        Edit(each.rule, each.parts, (each.total,), each.unheld, at=(each.total,))
        for each in template.sums()
    ]
    bounds = []
    for use in template.rules:
        if use.use == "at_most" and rules()[use.id].severity == "B":
            parts, whole, at = (
                tuple(place for text in written for place in template.places(text))
                for written in (use.parts, use.whole, use.at)
            )
            unheld = frozenset(parts if use.unheld else ())
            bounds.append(Edit(use.id, parts, whole, unheld, equal=False, at=at))
    return (*sums, *bounds)


@cache
def grids_of(template: Template) -> tuple[Grid, ...]:
    """Return the places of each sheet, row by row."""
    return tuple(tuple(tuple(e.place for e in r.entries) for r in s.rows) for s in template.sheets)
