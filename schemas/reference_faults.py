"""What in the files of reference data cannot be meant, each fault with its line."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from schemas.breakdown import read_breakdown
from schemas.faults import known
from schemas.reference import OURS, PublishedFigure, beside
from schemas.vocabulary import QUALIFIERS

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
        **dict.fromkeys(("force_code", "short_name", "full_name"), _GIVEN),
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
        **dict.fromkeys(("figure_id", "scope", "measure", "unit", "basis"), _GIVEN),
        **dict.fromkeys(("period_start", "period_end"), _DAY),
        "value": (r"-?[0-9]+(\.[0-9]+)?", "must be a number, without separators"),
        "qualifier": ("|".join(QUALIFIERS), f"must be one of {', '.join(QUALIFIERS)}"),
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
            lines = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
            written = next(lines, [])
            head, self.is_whole = self._meant(written), shape.key in written
            line = lines.line_num + 1
            for cells in lines:
                if len(cells) == len(head):
                    self.rows.append((line, dict(zip(head, cells, strict=True))))
                elif cells:
                    said = f"has {len(cells)} cells, and the head has {len(head)}"
                    self.tell(line, "the row", said)
                line = lines.line_num + 1
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no CSV in UTF-8"
            self.faults.append(f"{path} cannot be read: {why}. Restore it.")
        for line, row in self.rows:
            for column, (form, said) in shape.forms.items():
                text = row.get(column)
                if text is not None and not (re.fullmatch(form, text) and _is_day(text, form)):
                    self.tell(line, column, f"{text!r} {said}" if text else said)
        if not dated:
            self._once()

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
    heirs = {row.get("force_code", ""): row.get("successor", "") for _, row in read.rows}
    told: set[str] = set()
    for line, row in read.rows:
        ring = [row.get("force_code", "")]
        while (heir := heirs.get(ring[-1])) and heir not in ring:
            ring.append(heir)
        if heir == ring[0] and not told & {*ring}:
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
    for code, spans in times.items():
        for (*_, ends, first), (begins, _, line) in pairwise(sorted(spans)):
            if begins <= ends and code:
                said = f"{code!r} stands on line {first} already, at the same time"
                read.tell(line, "force_code", said)


class Publication:
    """The files that a collection is reconciled with, as they were read; None for what it has not.

    Args:
        root: the folder of collections.
        names: the files of the figures, of the source's contradictions, and of what is not
            collected.
    """

    def __init__(self, root: Path, figures: str, issues: str | None, other: str | None) -> None:
        """Read the files, and hold them to each other."""

        def read(name: str, shape: Shape) -> Read:
            return Read(beside(root, "reference", name), shape)

        self.figures = read(figures, FIGURES)
        named = [(issues, ISSUES), (other, UNCOLLECTED)]
        self.files = [self.figures, *(read(name, shape) for name, shape in named if name)]
        for shape, column, what, of, key, many in (
            (ISSUES, "figures", "figure", FIGURES, "figure_id", True),
            (UNCOLLECTED, "measure", "measure among the figures", FIGURES, "measure", False),
            (FIGURES, "source_issue", "source issue", ISSUES, "issue_id", False),
        ):
            there = {file.shape.key: file for file in self.files}
            if shape.key in there and of.key in there and (names := there[of.key].column(key)):
                there[shape.key].refer(column, what, dict.fromkeys(names), many=many)
        if not issues:
            self.figures.refer("source_issue", "source issue", ())
        for line, row in self.figures.rows:
            try:
                read_breakdown(row.get("breakdown", ""))
            except ValueError as error:
                self.figures.tell(line, "breakdown", str(error))

    @property
    def exact(self) -> dict[str, PublishedFigure]:
        """The figures that are exact, by id."""
        number, told = FIGURES.forms["value"][0], dict[str, PublishedFigure]()
        for _, row in self.figures.rows:
            if row.get("qualifier") == "exact" and re.fullmatch(number, row.get("value", "")):
                given = {name: row.get(name, "") for name in PublishedFigure._fields}
                value = float(given.pop("value"))
                told[given["figure_id"]] = PublishedFigure(**given, value=value)
        return told

    def faults(self) -> Iterator[str]:
        """Yield everything that is wrong, each with file and line."""
        for read in self.files:
            yield from read.faults
