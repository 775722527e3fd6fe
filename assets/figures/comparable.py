"""What figures of two collections count: whether they are the same count, and why they are not.

Codes that a template renamed (`since`) and forces that merged are followed as its data say.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from assets.figures.totals.leaves import counted_in, kinds
from assets.previous import parts_of_forces, renamed
from schemas.breakdown import read_breakdown, write_breakdown
from schemas.collection import Collection
from schemas.measures import NOW, QUESTION
from schemas.template import Template

Row = dict[str, Any]
"""A row of NationalTotals."""


class Year:
    """A released collection: its figures in the codes of the last, and what each of them counts."""

    def __init__(
        self, collection: Collection, totals: pl.DataFrame, last: Collection, known: list[Template]
    ) -> None:
        """Take the collection and its mart NationalTotals; `last` is that whose codes are meant."""
        self.collection = collection
        self.template = collection.template
        self.asked = {str(e.measure) for e in self.template.counted() if QUESTION in e.dims}
        self._called = renamed(self.template, last.template, last.root, known)
        rows = totals.filter(period=NOW).to_dicts()
        self.rows = {
            (row["measure"], write_breakdown(self._now(read_breakdown(row["breakdown"])))): row
            for row in rows
            if self.kind(row["measure"])[0]
        }

    def kind(self, measure: str) -> tuple[str, str]:
        """Return what a figure of a series is: a count, a share or answers, and of which measure.

        Of any other figure the kind is empty.
        """
        of = self.template.measures.get(measure)
        if of is not None and (of.levels or measure in self.asked):
            return "count", measure
        kind, name, _ = kinds(self.template).get(measure, ("", measure, ()))
        return kind if kind in {"share", "answers"} else "", name

    def is_count(self, measure: str) -> bool:
        """Return whether a measure is a number that cells add up to, and none of answers."""
        return self.kind(measure)[0] == "count" and measure not in self.asked

    def _now(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {name: self._called.get(name, {}).get(code, code) for name, code in parts.items()}

    def cells(self, row: Row) -> set[tuple[str, ...]]:
        """Return what a figure counts: the codes of each of its cells, as they are called now.

        Of a share they are the cells of its whole.
        """
        found = counted_in(self.template, row["measure"], row["breakdown"])
        return {
            tuple(f"{name}={code}" for name, code in self._now(cell.dims).items())
            for cell in (found.whole or found.cells if found else ())
        }

    def wording(self, row: Row) -> str | None:
        """Return the wording of the question that a figure counts answers to."""
        code = read_breakdown(row["breakdown"]).get(QUESTION)
        lines = (line for sheet in self.template.sheets for line in sheet.rows)
        return next((line.label for line in lines if code and line.code == code), None)


def forces_apart(before: Collection, now: Collection) -> tuple[str, str]:
    """Return which forces merged from one collection to the next, and which came or went."""
    heir = {was: code for code, those in parts_of_forces(before, now).items() for was in those}
    merged = [code for code in before.forces if code not in now.forces and code in heir]
    into = sorted({heir[code] for code in merged})
    apart = sorted({heir.get(code, code) for code in before.forces} ^ set(now.forces))
    return (
        f"merged: {', '.join(merged)} are {', '.join(into)}" if merged else "",
        f"other forces: {', '.join(apart)}" if apart else "",
    )


def compared(
    before: tuple[Year, Row], now: tuple[Year, Row], merged: str, others: str
) -> tuple[list[str], list[str]]:
    """Return why two figures do not count the same, and what else is to be said of them."""
    (earlier, was), (year, row) = before, now
    notes, breaks = ["renamed"] if row["breakdown"] != was["breakdown"] else [], [others]
    counts, counted = year.cells(row), earlier.cells(was)
    for what, cells in (("new", counts - counted), ("dropped", counted - counts)):
        told = sorted(_apart(cells, counts & counted))
        breaks.append(f"{what}: {', '.join(told)}" if told else "")
    breaks.append("reworded" if year.wording(row) != earlier.wording(was) else "")
    (breaks if year.kind(row["measure"])[1] in year.asked else notes).append(merged)
    for of, one in (before, now):
        if one["forces_included"] < one["forces_expected"]:
            included = f"{one['forces_included']} of {one['forces_expected']} forces"
            breaks.append(f"{of.collection.id} has {included}")
    return [text for text in breaks if text], [text for text in notes if text]


def _apart(cells: set[tuple[str, ...]], both: set[tuple[str, ...]]) -> set[str]:
    """Return the codes that only some cells have and none of the others."""
    shared = {code for cell in both for code in cell}
    return {code for cell in cells for code in cell} - shared or {";".join(cell) for cell in cells}
