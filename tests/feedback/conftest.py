"""A lake in which six forces are in every state that feedback tells apart."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from assets.cases.received import judge_received
from assets.cases.store import CaseStore
from assets.feedback.folder import feedback_files
from assets.feedback.letters import Letter, letters, unattributed
from assets.feedback.problems import Problem
from assets.lake import Lake
from assets.returns.validation.assets import validated
from assets.returns.validation.states import standing
from assets.sample.write import returns_template
from assets.tables import contract_of, work_table, write_made
from assets.unattributed import Unattributed
from schemas.collection import Collection
from schemas.contract import empty
from tests.returns import Place, SampleReturn, address_of, take_in

Sample = Callable[[str], SampleReturn]

BLANK = ("second_jobs", "refused", "count")
CARDS = ("comparators", "cards_2012", "value")
GIFTS = ("registers", "force.gratuity", "accepted")
PREPARED = ("cover", "prepared_by_role", "value")
STRAY = "F30"
SLIP = ("investigations", "information_disclosure.others", "continuing")
HOSTILE = "<script>alert(1)</script>"
JUDGED = (
    "validation/entries",
    "validation/all_findings",
    "validation/rule_results",
    "validation/applied_corrections",
    "validation/expectations",
)


def at(book: Any, place: Place) -> Any:
    """Return the cell of an entry in a workbook that Muster wrote."""
    return book[place[0]][address_of(*place)]


def heading(book: Any, sheet: str, column_code: str) -> Any:
    """Return the header cell of a column."""
    layout = returns_template().sheet(sheet)
    return book[sheet].cell(layout.header_row, layout.column_numbers[column_code])


def answered(copy: Path, to: Path, texts: dict[str, tuple[Any, Any]], **cells: Any) -> Path:
    """Type reason and role beside the queries of rules into a copy, as a person would.

    `cells` are changed besides, named `sheet__C7`.
    """
    book = load_workbook(copy)
    sheet = book["problems"]
    (head,) = (row for row in sheet.iter_rows() if "reason" in [cell.value for cell in row])
    column = {cell.value: cell.column for cell in head}
    rules = {row: sheet.cell(row, column["rule"]).value for row in range(head[0].row + 1, 200)}
    for row, rule in rules.items():
        if rule in texts and sheet.cell(row, column["query"]).value:
            for name, text in zip(("reason", "role"), texts[rule], strict=True):
                cell = sheet.cell(row, column[name])
                assert not cell.protection.locked
                cell.value = text
    for place, value in cells.items():
        name, _, address = place.partition("__")
        book[name][address] = value
    book.save(to)
    return to


@dataclass(frozen=True)
class Written:
    """Letters, and the files that go out."""

    lake: Lake
    letters: dict[str, Letter]
    unattributed: dict[Unattributed, list[Problem]]
    files: dict[str, bytes]

    def text(self, name: str) -> str:
        return self.files[name].decode()


def write(lake: Lake, collection: Collection, today: date) -> Written:
    now = standing(lake)
    written = letters(lake, now, collection, today)
    nobodys = unattributed(lake, now, collection)
    files = feedback_files(written, nobodys, lake, collection)
    return Written(lake, {letter.force_code: letter for letter in written}, nobodys, files)


def take_in_cases(lake: Lake, collection: Collection) -> None:
    """Take in the extracts that were dropped, and judge them and all returns, as a run does."""
    store = CaseStore(lake)
    store.take_in(collection)
    receipts = work_table(lake, "intake/receipts")
    extracts, by_month, found = judge_received(store, lake, collection)
    names = ("desk/corrections", "desk/choices", "intake/damaged_receipts")
    corrections, choices, damaged = (empty(contract_of(name)) for name in names)
    judged = validated(
        lake,
        collection,
        corrections,
        choices,
        receipts,
        damaged,
        extracts=extracts,
        by_month=by_month,
        extract_findings=found,
    )
    made = dict(zip(JUDGED, judged, strict=True)) | {
        "desk/corrections": corrections,
        "cases/extracts": extracts,
        "cases/extract_findings": found,
        "cases/investigations_by_month": by_month,
    }
    for name, table in made.items():
        write_made(lake, name, table)


@pytest.fixture(scope="session")
def six(collection: Collection) -> Collection:
    """The collection with six forces."""
    forces = ("AVS", "BED", "DER", "STF", "WYK", "WMP")
    return collection.model_copy(update={"forces": forces})


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory, six: Collection) -> Written:
    """AVS queried, BED accepted, DER resubmitted and rejected, STF rejected, two missing.

    Not to be changed. One more file cannot be read.
    """
    lake = Lake(tmp_path_factory.mktemp("lake"), six.id)
    folder = lake.landing
    folder.mkdir(parents=True)

    def of(force: str) -> SampleReturn:
        return SampleReturn.of(force, six)

    def note(book: Any) -> None:
        book["second_jobs"][STRAY] = HOSTILE

    files = [
        of("AVS").with_values({CARDS: "9000"}).write(folder / "AVS.xlsx", note),
        of("BED").write(folder / "BED.xlsx"),
        of("DER").write(folder / "DER.xlsx"),
        of("DER").with_values({BLANK: None}).write(folder / "DER again.xlsx"),
        of("STF")
        .with_values({BLANK: "c. 4 <b>", CARDS: None, SLIP: "50"})
        .write(folder / "<b>STF.xlsx"),
        folder / "WMP & co.xlsx",
    ]
    files[-1].write_text("not a workbook")
    take_in(lake, files, six)
    return write(lake, six, date(2012, 6, 20))
