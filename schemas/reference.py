"""Reads reference data, as rows with their lines and as frames: our own, and that from outside.

A folder of collections has `collections/`, `templates/` and `reference/`; this package is one, and
MUSTER_COLLECTIONS may name another, which is read beside it.
"""

import csv
import io
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl

from schemas import vocabulary
from schemas.errors import SetupError
from schemas.faults import known, shown, unreadable, unshown
from schemas.wording import plural

OURS: Final = Path(__file__).parent
REFERENCE: Final = OURS / "reference"
COLLECTIONS: Final = OURS / "collections"
ID: Final = "[a-z0-9][a-z0-9-]*"
"""How a collection is called, and its file."""

_FORCES: Final = "forces.csv"
_ABOUT: Final = (
    "force_code", "ons_code", "short_name", "full_name", "region", "country", "kind",
)  # fmt: skip


def outside() -> Path | None:
    """Return the folder of collections that MUSTER_COLLECTIONS names, None where it names none."""
    named = os.environ.get("MUSTER_COLLECTIONS")
    return Path(named) if named else None


def outside_hint() -> str:
    """Return where what is not known is looked for, for whoever misses it."""
    folder = outside()
    if folder is None:
        return "MUSTER_COLLECTIONS is not set; it names a folder of yours, read beside our own."
    there = "read beside our own" if folder.is_dir() else "which is no folder"
    return f"MUSTER_COLLECTIONS names {folder}, {there}."


def collection_files() -> dict[str, Path]:
    """Return the collection files by id, an id in MUSTER_COLLECTIONS before one of our own.

    A file that lies in the folder itself, not in its `collections/`, is one too.
    """
    root = outside()
    folders = [COLLECTIONS, *((root, root / "collections") if root else ())]
    found = [path for folder in folders for path in sorted(folder.glob("*.toml"))]
    return {path.stem: path for path in found}


def beside(root: Path, kind: str, name: str) -> Path:
    """Return a file of `templates` or `reference` in a folder of collections, else our own."""
    path = root / kind / name
    return path if path.exists() else OURS / kind / name


Row = tuple[int, dict[str, str]]
"""A row of a file with its line; what it has nothing for is "" there."""


@dataclass(frozen=True, eq=False)
class Shape:
    """What a file must have, as reference.toml describes it; `forms` has each with what is said."""

    key: str
    needed: tuple[str, ...]
    forms: dict[str, tuple[str, str]]
    also: tuple[str, ...] = ()
    strict: bool = False
    once: tuple[str, ...] = ()


_SAID: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_ROW: Final = "the row"
"""What is called so in place of a column may be lost as a whole."""
_DAYS: Final = {_SAID["forms"][name][0] for name in ("date", "day")}


def _shape(said: Mapping[str, Any]) -> Shape:
    def form(of: str | list[str]) -> tuple[str, str]:
        if isinstance(of, str) and of.isupper():
            codes = getattr(vocabulary, of)
            return "|".join(codes), f"must be one of {', '.join(codes)}"
        pattern, told = _SAID["forms"][of] if isinstance(of, str) else of
        return pattern, told

    of = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
    return Shape(**of | {"forms": {column: form(one) for column, one in said["forms"].items()}})


FORCES, FIGURES, ISSUES, UNCOLLECTED, WORKFORCE = map(_shape, _SAID["files"].values())


class Read:
    """A file of reference data as it was read: its rows, and what is wrong in it, line by line.

    The head is that of the file, with what is meant in place of what is misspelt.
    """

    def __init__(self, path: Path, shape: Shape) -> None:
        """Read a file."""
        self.path, self.shape = path, shape
        self.rows: list[Row] = []
        self.head: list[str] = []
        self.faults: list[str] = []
        self._lacks_rows = False
        try:
            self._read(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            self.faults.append(unreadable(path, error))
        for line, row in self.rows:
            for column, (form, said) in shape.forms.items():
                text = row.get(column)
                if text is not None and not (re.fullmatch(form, text) and _is_day(text, form)):
                    self.tell(line, column, f"{text!r} {said}" if text else said)
        self._once()

    @property
    def is_whole(self) -> bool:
        """Whether its head has the key, and each of its rows could be read."""
        return self.shape.key in self.head and not self._lacks_rows

    @property
    def frame(self) -> pl.DataFrame:
        """The rows as text, null where there is nothing, with every column of its shape.

        Raises:
            SetupError: it cannot be read at all.
        """
        if not self.head:
            raise SetupError(f"{'; '.join(self.faults)}. Restore it.")
        columns = dict.fromkeys((*self.head, self.shape.key, *self.shape.needed, *self.shape.also))
        rows = [{name: row.get(name) or None for name in columns} for _, row in self.rows]
        return pl.DataFrame(rows, dict.fromkeys(columns, pl.String))

    def _read(self, text: str) -> None:
        """Read the rows; what no page can show is told, and left out of them."""
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            self.tell(line, _ROW, "holds a NUL byte; save the file as CSV in UTF-8")
        lines = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), strict=True)
        line = 1
        try:
            head = self.head = self._meant(next(lines, []))
            line = lines.line_num + 1
            for cells in lines:
                if len(cells) == len(head):
                    row = dict(zip(head, cells, strict=True))
                    for (column, *_), said in unshown(row):
                        self.tell(line, str(column), said)
                    self.rows.append((line, {name: shown(cell) for name, cell in row.items()}))
                elif cells:
                    said = f"has {plural(len(cells), 'cell')}, and the head has {len(head)}"
                    self.tell(line, _ROW, said)
                line = lines.line_num + 1
        except csv.Error as error:
            self.tell(line, _ROW, f"is no CSV: {error}")

    def tell(self, line: int, column: str, said: str) -> None:
        """Note what is wrong in a line."""
        self._lacks_rows |= column == _ROW
        self.faults.append(f"{self.path}:{line}: {column}: {said}")

    def _meant(self, head: list[str]) -> list[str]:
        """Return the head with the columns that are meant in place of those that are misspelt."""
        if len(head) == 1 and {*head[0]} & {*";|\t"}:
            self.tell(1, "the head", "is one column; separate columns by commas")
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
        seen: dict[tuple[str, ...], int] = {}
        for line, row in self.rows:
            here = tuple(row.get(name, "") for name in self.shape.once)
            if here and all(here) and seen.setdefault(here, line) != line:
                names = (name.replace("_", " ") for name in self.shape.once)
                _, *also = (f", {name} {said}" for name, said in zip(names, here, strict=True))
                told = f"{here[0]!r} stands on line {seen[here]} already{''.join(also)}"
                self.tell(line, self.shape.once[0], told)

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
        return form not in _DAYS or not text or bool(date.fromisoformat(text))
    except ValueError:
        return False


@cache
def frame_of(path: Path, shape: Shape) -> pl.DataFrame:
    """Return a file as a frame; what is wrong in it, who loads a collection with it is told."""
    return Read(path, shape).frame


def all_forces(root: Path = OURS) -> pl.DataFrame:
    """Return every force that a folder of collections knows, at any time.

    A row of its own forces.csv comes in place of ours of that code. Columns: those of `forces`,
    valid_from, valid_to (null: no end known), successor.
    """
    days = pl.col("valid_from", "valid_to").str.to_date("%Y-%m-%d", strict=False)
    files = dict.fromkeys((OURS / "reference" / _FORCES, root / "reference" / _FORCES))
    ours, *own = (
        frame_of(path, FORCES).select(*_ABOUT, days, "successor") for path in files if path.exists()
    )
    return pl.concat([ours.join(own[0], on="force_code", how="anti"), *own]) if own else ours


def forces_at(root: Path, day: date) -> pl.DataFrame:
    """Return the forces that a folder of collections knows on a day, by their names of that day."""
    begun = pl.col("valid_from").is_null() | (pl.col("valid_from") <= day)
    lasting = pl.col("valid_to").is_null() | (pl.col("valid_to") >= day)
    return all_forces(root).filter(begun & lasting).select(_ABOUT).sort("force_code")


def forces() -> pl.DataFrame:
    """Return every force that is known at all, those of the folder from outside after our own.

    One row a force: force_code (key), ons_code, short_name, full_name, region, country, kind. What
    a collection says of a force stands in `Collection.bodies`.
    """
    return _known(outside())


def force_codes() -> frozenset[str]:
    """Return the code of every force that is known at all."""
    return _codes(outside())


@cache
def _codes(root: Path | None) -> frozenset[str]:
    return frozenset(_known(root)["force_code"])


@cache
def _known(root: Path | None) -> pl.DataFrame:
    found = pl.concat([all_forces(), all_forces(root)]) if root else all_forces()
    return found.select(_ABOUT).unique("force_code", keep="first", maintain_order=True)


@cache
def published_figures(path: Path) -> pl.DataFrame:
    """One row a figure printed in a publication: figure_id (key), measure, breakdown, value, ...

    `collection` is the one it is about, `breakdown` "" for the whole, `value` a float,
    `source_issue` null where there is none.
    """
    return frame_of(path, FIGURES).with_columns(
        pl.col("value").cast(pl.Float64), pl.col("breakdown", "period").fill_null("")
    )


def uncollected(path: Path) -> dict[str, str]:
    """Return why a measure of a publication comes from no data of a collection, by measure."""
    return dict(frame_of(path, UNCOLLECTED).select("measure", "reason").iter_rows())


def workforce(path: Path) -> pl.DataFrame:
    """One row a force and day: force_code and as_at (key), workforce, source, source_line.

    `workforce` is a float, null where the source gives none.
    """
    day, number = pl.col("as_at").str.to_date("%Y-%m-%d"), pl.col("workforce").cast(pl.Float64)
    return frame_of(path, WORKFORCE).select("force_code", day, number, "source", "source_line")


def source_issues(path: Path) -> pl.DataFrame:
    """One row a contradiction in the source: issue_id (key), figures (joined by `;`), text."""
    return frame_of(path, ISSUES).rename({"what the source does": "text"})
