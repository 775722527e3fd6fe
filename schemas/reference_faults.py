"""What in the files of reference data does not fit together, each fault with its line."""

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from schemas.breakdown import read_breakdown
from schemas.reference import (
    FIGURES,
    FORCES,
    ISSUES,
    OURS,
    UNCOLLECTED,
    WORKFORCE,
    Read,
    all_forces,
    beside,
)


def forces_read(root: Path) -> Read | None:
    """Return the forces of a folder of collections as they were read, None where it has none."""
    path = root / "reference" / "forces.csv"
    if root != OURS and not path.exists():
        return None
    read = Read(path, FORCES)
    names = set(read.column("force_code"))
    names |= {*all_forces()["force_code"]} if root != OURS else set()
    if read.is_whole:
        read.refer("successor", "force", sorted(names))
    spelt = {
        name.casefold(): name for name in sorted(names) if name not in {*read.column("force_code")}
    }
    for line, row in read.rows:
        code = row.get("force_code", "")
        if (other := spelt.setdefault(code.casefold(), code)) != code:
            said = f"{code!r} is {other!r} in other letters, and their files would be one"
            read.tell(line, "force_code", said)
    heirs = {row.get("force_code", ""): row.get("successor", "") for _, row in read.rows}
    told: set[str] = set()
    for line, row in read.rows:
        ring = [row.get("force_code", "")]
        while (heir := heirs.get(ring[-1])) and heir not in ring:
            ring.append(heir)
        if heir and heir == ring[0] and not told & {*ring}:
            told |= {*ring}
            said = " to ".join((*ring, ring[0]))
            read.tell(line, "successor", f"goes round in a ring: {said}; end it somewhere")
    _of_times(read)
    return read


def workforce_read(root: Path, name: str) -> Read:
    """Return a table of workforce as it was read: a force stands in it once a day."""
    read = Read(beside(root, "reference", name), WORKFORCE)
    read.refer("force_code", "force", dict.fromkeys(all_forces(root)["force_code"]))
    return read


def _of_times(read: Read) -> None:
    """Tell of forces that end before they begin, or are there twice at a time."""
    times: dict[tuple[str, str], list[tuple[str, str, int]]] = {}
    for line, row in read.rows:
        begins, ends = row.get("valid_from") or "0000", row.get("valid_to") or "9999"
        if ends < begins:
            read.tell(line, "valid_to", f"{ends} is before valid_from, {begins}")
        else:
            for column in ("force_code", "full_name"):
                span = begins, ends, line
                times.setdefault((column, row.get(column, "")), []).append(span)
        if row.get("successor") and not row.get("valid_to"):
            read.tell(line, "valid_to", "is empty, though a successor took over: give its last day")
    told: set[int] = set()
    for (column, named), spans in times.items():
        for (*_, ends, first), (begins, _, line) in pairwise(sorted(spans)):
            if begins <= ends and named and line not in told:
                told.add(line)
                said = f"{named!r} stands on line {first} already, at the same time"
                read.tell(line, column, said)


class PublishedFigure(NamedTuple):
    """A published figure of one force or of the nation, as far as an exemption rests on it."""

    figure_id: str
    scope: str
    measure: str
    breakdown: str
    period_start: str
    period_end: str


def publication_read(root: Path, figures: str, issues: str | None, other: str | None) -> list[Read]:
    """Return the files that a collection is reconciled with as read, held to each other."""
    named = ((figures, FIGURES), (issues, ISSUES), (other, UNCOLLECTED))
    files = {
        shape.key: Read(beside(root, "reference", name), shape) for name, shape in named if name
    }
    printed = files[FIGURES.key]
    for key, column, what in (
        (ISSUES.key, "figures", "figure"),
        (UNCOLLECTED.key, "measure", "measure among the figures"),
    ):
        names = printed.column("measure" if column == "measure" else FIGURES.key)
        if key in files and names and printed.is_whole:
            files[key].refer(column, what, dict.fromkeys(names), many=column == "figures")
    known = files[ISSUES.key] if issues else None
    if known is None or known.is_whole:
        names = known.column(ISSUES.key) if known else []
        printed.refer("source_issue", "source issue", dict.fromkeys(names))
    for line, row in printed.rows:
        try:
            read_breakdown(row.get("breakdown", ""))
        except ValueError as error:
            printed.tell(line, "breakdown", str(error))
        begins, ends = row.get("period_start", ""), row.get("period_end", "")
        if begins and ends and ends < begins:
            printed.tell(line, "period_end", f"{ends} is before period_start, {begins}")
    return [*files.values()]


def exact_in(read: Read) -> dict[str, PublishedFigure]:
    """Return by id the figures of a file that are exact."""
    of = [row for _, row in read.rows if row.get("qualifier") == "exact"]
    number, names = FIGURES.forms["value"][0], PublishedFigure._fields
    told = [row for row in of if re.fullmatch(number, row.get("value", ""))]
    found = (PublishedFigure(*(row.get(name, "") for name in names)) for row in told)
    return {figure.figure_id: figure for figure in found}
