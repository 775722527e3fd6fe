"""A sample return that a test can change and write: as values, or as a workbook in openpyxl."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from openpyxl import load_workbook

from assets.intake.raw_store import RawStore
from assets.intake.reader import read_return
from assets.intake.reading import Cell, RawSheet, Reading
from assets.intake.tables import readings, received
from assets.lake import Lake
from assets.returns.template.workbook import write_workbook
from assets.returns.validation.judge import Judged, Received, judge, received_by_id
from assets.sample.write import returns_template, sample_returns
from assets.tables import contract_of, write_made
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty

Place = tuple[str, str, str]


@dataclass(frozen=True)
class SampleReturn:
    """One force's values by (sheet, row code, column code)."""

    collection: Collection
    values: dict[Place, str]

    @classmethod
    def of(cls, force_code: str, collection: Collection) -> "SampleReturn":
        rows = sample_returns(collection.model_copy(update={"forces": (force_code,)}))
        return cls(
            collection,
            {
                (sheet, row, column): value
                for sheet, row, column, value in rows.drop("force_code").iter_rows()
            },
        )

    def with_values(self, changes: dict[Place, str | None]) -> "SampleReturn":
        """Return a copy in which some entries say something else; None leaves the cell blank."""
        changed = {**self.values, **changes}
        return SampleReturn(
            self.collection, {k: value for k, value in changed.items() if value is not None}
        )

    def reading(self) -> Reading:
        """Return what reading the workbook would give, without writing it."""
        sheets = []
        for sheet in self.collection.template.sheets:
            texts = {(sheet.header_row, c): code for c, code in enumerate(sheet.header, 1)}
            for row in sheet.rows:
                number = sheet.row_numbers[row.code]
                texts |= {(number, 1): row.code, (number, 2): row.label}
                for entry in row.entries:
                    if entry.place in self.values:
                        here = number, sheet.column_numbers[entry.column_code]
                        texts[here] = self.values[entry.place]
            cells = (Cell(row, column, text, "text") for (row, column), text in texts.items())
            sheets.append(RawSheet(sheet.name, tuple(sorted(cells))))
        return Reading(tuple(sheets))

    def write(self, path: Path, change: Callable[[Any], None] | None = None) -> Path:
        """Write the workbook; `change` may alter it through openpyxl, as a person would."""
        write_workbook(path, self.collection.template, self.collection, self.values)
        if change:
            book = load_workbook(path)
            change(book)
            book.save(path)
        return path


def clean_return(collection: Collection, force: str | None = None) -> SampleReturn:
    """A return in which every count is 0 and every answer the first of its list."""
    names = dict(collection.bodies.select("force_code", "full_name").iter_rows())
    force = force or next(iter(names))
    cover = {
        "template": collection.template.name,
        "template_version": str(collection.template.version),
        "collection": collection.id,
        "force_code": force,
        "force_name": names[force],
        "data_as_at": collection.census.isoformat(),
        "submitted_on": collection.census.isoformat(),
    }
    values: dict[Place, str] = {}
    for place, entry in collection.template.entry_at.items():
        first = {"count": "0", "answer": "".join(entry.answers[:1]), "text": "Head of unit"}
        values[place] = cover.get(place[1], first.get(entry.kind, ""))
    return SampleReturn(collection, values)


def as_csv(book: Path, path: Path) -> Path:
    """Write the values that a workbook shows as a zip of CSV files, as a spreadsheet saves them."""
    with zipfile.ZipFile(path, "w") as archive:
        for page in load_workbook(book, data_only=True).worksheets:
            text = io.StringIO()
            csv.writer(text).writerows(
                [v.date() if isinstance(v, datetime) else "" if v is None else v for v in row]
                for row in page.iter_rows(values_only=True)
            )
            archive.writestr(f"{page.title}.csv", text.getvalue())
    return path


def validated(reading: Reading, collection: Collection, force: str | None = None) -> Judged:
    """Validate one return on its own, as received today."""
    received = {"r": Received(date.today(), force)}
    return judge({"r": reading}, received, collection)


def take_in(lake: Lake, files: Iterable[Path], collection: Collection) -> None:
    """Take returns in and judge them, as a run does, without a run; no extract was sent."""
    store = RawStore(lake)
    store.take_in(files, collection)
    data = received(store)
    judged = judge(
        readings(lake, data.receipts), received_by_id(data.receipts, collection), collection
    )
    made = {
        "intake/receipts": data.receipts,
        "validation/all_findings": judged.findings,
        "validation/entries": judged.entries,
        "validation/rule_results": judged.results,
        "validation/expectations": judged.expectations,
    }
    nothing = ("cases/extracts", "cases/extract_findings", "cases/investigations_by_month")
    for name, table in (made | {name: empty(contract_of(name)) for name in nothing}).items():
        write_made(lake, name, conform(contract_of(name), table))


def findings_of(path: Path, collection: Collection) -> list[tuple[str, str | None, str | None]]:
    """Return (rule, sheet, cell) of everything found in a file, in order."""
    found = validated(read_return(path), collection).findings
    return [
        (str(rule), sheet, cell)
        for rule, sheet, cell in found.select("rule_id", "sheet", "cell").sort(pl.all()).iter_rows()
    ]


def address_of(sheet: str, row_code: str, column_code: str) -> str:
    """Return where an entry stands in a workbook that Muster wrote."""
    return returns_template().sheet(sheet).address(row_code, column_code)
