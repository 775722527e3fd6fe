"""What in the files of reference data cannot be meant, each fault with its line."""

import csv
import io
import re
from collections.abc import Collection
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from schemas.breakdown import read_breakdown
from schemas.faults import known, shown, unreadable, unshown
from schemas.reference import OURS, beside
from schemas.vocabulary import FIGURE_BASES, QUALIFIERS

Row = tuple[int, dict[str, str]]
"""A row of a file with its line; what it has nothing for is "" there."""

_DATE: Final = ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "must be a date such as 2013-03-31")
_DAY: Final = (f"({_DATE[0]})?", f"{_DATE[1]}, or empty")
_GIVEN: Final = (r".*\S.*", "is empty")


class Shape(NamedTuple):
    """What a file must have: its key, other columns, those it may have, and the forms of these.

    With `strict` it has no other columns.
    """

    key: str
    needed: tuple[str, ...]
    forms: dict[str, tuple[str, str]]
    also: tuple[str, ...] = ()
    strict: bool = False


FORCES: Final = Shape(
    "force_code",
    ("ons_code", "short_name", "full_name", "region", "country", "kind"),
    {
        "force_code": ("[A-Za-z0-9][A-Za-z0-9_-]*", "is no code: letters, digits, _ and - only"),
        **dict.fromkeys(("short_name", "full_name", "region"), _GIVEN),
        **dict.fromkeys(("valid_from", "valid_to"), _DAY),
    },
    also=("valid_from", "valid_to", "successor", "full_name_confirmed_for_2012"),
    strict=True,
)
FIGURES: Final = Shape(
    "figure_id",
    ("collection", "document", "scope", "measure", "breakdown", "period", "value", "unit",
     "qualifier", "basis", "source_issue", "note", "period_start", "period_end"),
    forms={
        **dict.fromkeys(("scope", "measure", "unit"), _GIVEN),
        **dict.fromkeys(("period_start", "period_end"), _DAY),
        "figure_id": (r"\S(.*\S)?", "is empty, or begins or ends with a space"),
        "value": (r"-?[0-9]+(\.[0-9]+)?", "must be a number, without separators"),
        "qualifier": ("|".join(QUALIFIERS), f"must be one of {', '.join(QUALIFIERS)}"),
        "basis": ("|".join(FIGURE_BASES), f"must be one of {', '.join(FIGURE_BASES)}"),
    },
)  # fmt: skip
ISSUES: Final = Shape(
    "issue_id",
    ("collection", "figures", "what the source does"),
    forms=dict.fromkeys(("issue_id", "what the source does"), _GIVEN),
)
UNCOLLECTED: Final = Shape(
    "measure", ("collection", "reason"), forms=dict.fromkeys(("measure", "reason"), _GIVEN)
)
WORKFORCE: Final = Shape(
    "force_code",
    ("as_at", "workforce", "source", "source_line"),
    forms={
        **dict.fromkeys(("force_code", "source", "source_line"), _GIVEN),
        "as_at": _DATE,
        "workforce": (
            r"((?=.*[1-9])[0-9]+(\.[0-9]+)?)?",
            "must be a number above 0 without separators, or empty where the source gives none",
        ),
    },
)


class Read:
    """A file of reference data as it was read: its rows, and what is wrong in it, line by line.

    It `is_whole` where its head has the key.
    """

    def __init__(self, path: Path, shape: Shape, *, dated: bool = False) -> None:
        """Read a file; with `dated` it has its key once at a time, not once."""
        self.path, self.shape = path, shape
        self.rows: list[Row] = []
        self.is_whole = False
        self.faults: list[str] = []
        try:
            self._read(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            self.faults.append(unreadable(path, error))
        for line, row in self.rows:
            for column, (form, said) in shape.forms.items():
                text = row.get(column)
                if text is not None and not (re.fullmatch(form, text) and _is_day(text, form)):
                    self.tell(line, column, f"{text!r} {said}" if text else said)
        if not dated:
            self._once()

    def _read(self, text: str) -> None:
        """Read the rows; what no page can show is told, and left out of them."""
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            self.tell(line, "the row", "holds a NUL byte; save the file as CSV in UTF-8")
        lines = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), strict=True)
        line = 1
        try:
            written = next(lines, [])
            head, self.is_whole = self._meant(written), self.shape.key in written
            line = lines.line_num + 1
            for cells in lines:
                if len(cells) == len(head):
                    row = dict(zip(head, cells, strict=True))
                    for (column, *_), said in unshown(row):
                        self.tell(line, str(column), said)
                    self.rows.append((line, {name: shown(cell) for name, cell in row.items()}))
                elif cells:
                    said = f"has {len(cells)} cells, and the head has {len(head)}"
                    self.tell(line, "the row", said)
                line = lines.line_num + 1
        except csv.Error as error:
            self.tell(line, "the row", f"is no CSV: {error}")

    def tell(self, line: int, column: str, said: str) -> None:
        """Note what is wrong in a line."""
        self.faults.append(f"{self.path}:{line}: {column}: {said}")

    def _meant(self, head: list[str]) -> list[str]:
        """Return the head with the columns that are meant in place of those that are misspelt."""
        meant = list(head)
        needed = (self.shape.key, *self.shape.needed)
        absent = [name for name in needed if name not in head]
        free = [name for name in (*absent, *self.shape.also) if name not in head]
        for number, name in enumerate(head):
            near = get_close_matches(name, free, 1)
            if name in head[:number]:
                self.tell(1, "the head", f"{name!r} stands here twice")
            elif name not in {*needed, *self.shape.also} and near:
                self.tell(1, "the head", known("column", name, near))
                absent = [other for other in absent if other not in near]
                meant[number] = near[0]
        odd = [name for name in meant if name not in {*needed, *self.shape.also}]
        if odd and self.shape.strict:
            said = f"columns that are not known: {', '.join(odd)}; there are {', '.join(needed)}"
            self.tell(1, "the head", f"{said}, {', '.join(self.shape.also)}")
        if absent:
            self.tell(1, "the head", f"lacks {', '.join(absent)}")
        return meant

    def _once(self) -> None:
        seen: dict[str, int] = {}
        for line, row in self.rows:
            if (name := row.get(self.shape.key)) and seen.setdefault(name, line) != line:
                self.tell(line, self.shape.key, f"{name!r} stands on line {seen[name]} already")

    def column(self, name: str) -> list[str]:
        """Return what stands in a column."""
        return [row[name] for _, row in self.rows if name in row]

    def refer(self, column: str, what: str, there: Collection[str], *, many: bool = False) -> None:
        """Tell the names in a column that are none of those there; `many` are joined by `;`."""
        wrong: dict[str, list[int]] = {}
        for line, row in self.rows:
            text = row.get(column) or ""
            for name in text.split(";") if many else [text]:
                if name and name not in there:
                    wrong.setdefault(name, []).append(line)
        for name, lines in wrong.items():
            count = f" ({len(lines)} lines name it)" if len(lines) > 1 else ""
            self.tell(lines[0], column, f"{known(what, name, there)}{count}")


def _is_day(text: str, form: str) -> bool:
    try:
        return form not in {_DATE[0], _DAY[0]} or not text or bool(date.fromisoformat(text))
    except ValueError:
        return False


def forces_read(root: Path) -> Read | None:
    """Return the forces of a folder of collections as they were read, None where it has none."""
    path = root / "reference" / "forces.csv"
    if root != OURS and not path.exists():
        return None
    read = Read(path, FORCES, dated=True)
    names = set(read.column("force_code"))
    if root != OURS:
        names |= {*Read(OURS / "reference" / "forces.csv", FORCES, dated=True).column("force_code")}
    read.refer("successor", "force", names)
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
    read = Read(beside(root, "reference", name), WORKFORCE, dated=True)
    files = {root / "reference" / "forces.csv", OURS / "reference" / "forces.csv"}
    tables = [Read(path, FORCES, dated=True) for path in sorted(files) if path.exists()]
    there = dict.fromkeys(code for table in tables for code in table.column("force_code"))
    read.refer("force_code", "force", there)
    seen: dict[tuple[str, str], int] = {}
    for line, row in read.rows:
        key = row.get("force_code", ""), row.get("as_at", "")
        if all(key) and (first := seen.setdefault(key, line)) != line:
            said = f"{key[0]!r} stands on line {first} already, as at {key[1]}"
            read.tell(line, "force_code", said)
    return read


def _of_times(read: Read) -> None:
    """Tell of forces that end before they begin, or are there twice at a time."""
    times: dict[str, list[tuple[str, str, int]]] = {}
    for line, row in read.rows:
        begins, ends = row.get("valid_from") or "0000", row.get("valid_to") or "9999"
        if ends < begins:
            read.tell(line, "valid_to", f"{ends} is before valid_from, {begins}")
        else:
            times.setdefault(row.get("force_code", ""), []).append((begins, ends, line))
        if row.get("successor") and not row.get("valid_to"):
            read.tell(line, "valid_to", "is empty, though a successor took over: give its last day")
    for code, spans in times.items():
        for (*_, ends, first), (begins, _, line) in pairwise(sorted(spans)):
            if begins <= ends and code:
                said = f"{code!r} stands on line {first} already, at the same time"
                read.tell(line, "force_code", said)


class PublishedFigure(NamedTuple):
    """A published figure of one force or of the nation, as far as an exemption rests on it."""

    figure_id: str
    scope: str
    measure: str
    breakdown: str
    period_start: str
    period_end: str


def publication_read(root: Path, figures: str, issues: str | None, other: str | None) -> list[Read]:
    """Return the files that a collection is reconciled with as they were read, held to each other.

    Args:
        root: the folder of collections.
        figures: the file of the figures, which comes first.
        issues: that of the source's contradictions, if there is one.
        other: that of what is not collected, if there is one.
    """
    named = ((figures, FIGURES), (issues, ISSUES), (other, UNCOLLECTED))
    files = {
        shape.key: Read(beside(root, "reference", name), shape) for name, shape in named if name
    }
    printed, known = files[FIGURES.key], dict[str, None]()
    for key, column, what in (
        (ISSUES.key, "figures", "figure"),
        (UNCOLLECTED.key, "measure", "measure among the figures"),
    ):
        names = printed.column("measure" if column == "measure" else FIGURES.key)
        if key in files and names:
            files[key].refer(column, what, dict.fromkeys(names), many=column == "figures")
    if issues:
        known = dict.fromkeys(files[ISSUES.key].column(ISSUES.key))
    if known or not issues:
        printed.refer("source_issue", "source issue", known)
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
