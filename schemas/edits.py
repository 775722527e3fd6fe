"""The linear conditions between the numbers of a return, as its template has them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from schemas.faults import Loc
from schemas.rules.catalogue import rules
from schemas.template import Column, Place, Row, Template
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


def stated(template: Template) -> Iterator[tuple[Loc, Edit]]:
    """Yield every linear condition, after the keys that lead to the line that states it."""
    for number, sheet in enumerate(template.sheets):
        for each in sheet.sums():
            rows = isinstance(each.line, Row)
            lines: Sequence[Column] = sheet.rows if rows else sheet.heads
            line = ("rows" if rows else "columns", lines.index(each.line), "sum_of")
            edit = Edit(each.rule, each.parts, (each.total,), each.unheld, at=(each.total,))
            yield ("sheet", number, *line), edit
    for number, use in enumerate(template.rules):
        if use.use == "at_most":
            parts, whole, at = (
                tuple(place for text in written for place in template.places(text))
                for written in (use.parts, use.whole, use.at)
            )
            unheld = frozenset(parts if use.unheld else ())
            yield ("rules", number), Edit(use.id, parts, whole, unheld, equal=False, at=at)


@cache
def edits_of(template: Template) -> tuple[Edit, ...]:
    """Return the linear conditions that a return on a template is rejected by."""
    return tuple(
        edit for _, edit in stated(template) if edit.equal or rules()[edit.rule].severity == "B"
    )


@cache
def grids_of(template: Template) -> tuple[Grid, ...]:
    """Return the places of each sheet, row by row."""
    return tuple(tuple(tuple(e.place for e in r.entries) for r in s.rows) for s in template.sheets)
