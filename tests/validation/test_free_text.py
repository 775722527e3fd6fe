"""What a force types may name a person: no words of it leave the raw store, whatever the cell."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import cycle
from pathlib import Path
from time import process_time
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from assets.intake.quoting import quoted, shown
from assets.intake.reader import read_return
from assets.intake.reading import Cell, Fact, RawSheet, Reading
from assets.lake import Lake
from assets.returns.validation.judge import Received, judge
from assets.sample.write import returns_template
from assets.tables import work_table
from schemas.collection import Collection
from schemas.names import names_somebody
from tests.returns import SampleReturn, findings_of, take_in, validated

CANARY = "Zbigniewska"
FORMS = (
    CANARY,
    f"c. 10 {CANARY}",
    f"<{CANARY}",
    f"{CANARY} 100%",
    f"12 {CANARY}",
    f"not_held {CANARY}",
    f"PC 4127 {CANARY}",
    f"{CANARY}@force.example",
    f"\u0417{CANARY}\u200b",
    f"=CONCATENATE({CANARY})",
)


def _said(reading: Reading, cell: Cell, sheet: RawSheet) -> Reading:
    """Return the reading with one cell put in, or in place of what stood there."""
    here = (cell.row, cell.column)
    rest = [c for c in sheet.cells if (c.row, c.column) != here]
    changed = replace(sheet, cells=tuple(sorted([*rest, cell])))
    return Reading(tuple(changed if s is sheet else s for s in reading.sheets), reading.facts)


@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, len(FORMS)))]
)
def test_no_word_of_any_cell_is_told(
    turn: int, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    """All turns take each cell, code, heading and label, and cells around them, in some form."""
    forms = cycle(FORMS[turn:] + FORMS[:turn])
    clean = sample("STF").reading()
    readings = {}
    for sheet in clean.sheets:
        last = max(cell.row for cell in sheet.cells)
        spots = {(cell.row, cell.column) for cell in sheet.cells} | {(last + 2, 2), (last, 30)}
        for row, column in sorted(spots)[turn :: len(FORMS)]:
            wrong = Cell(row, column, next(forms), "text")
            readings[f"{sheet.name} {row} {column}"] = _said(clean, wrong, sheet)
    received = dict.fromkeys(readings, Received(date.today(), "STF"))
    result = judge(readings, received, collection)
    assert result.findings["receipt_id"].n_unique() > len(readings) / 2
    for table in (result.entries, result.findings, result.results, result.applied):
        assert CANARY not in table.write_csv()


@pytest.mark.parametrize("kind", ["formula", "error", "text", "boolean", "percent"])
def test_no_kind_of_cell_is_told(
    kind: str, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    clean = sample("STF").reading()
    sheet = clean.sheets[3]
    row = returns_template().sheet(sheet.name).header_row + 1
    result = validated(_said(clean, Cell(row, 3, CANARY, kind), sheet), collection, "STF")
    assert result.findings.height
    assert CANARY not in result.findings.write_csv()


def test_what_is_doubtful_in_a_workbook_is_told_without_its_words(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    """Formulas, their stored results and texts in several formats quote what they hold."""
    runs = [TextBlock(InlineFont(b=True), "4 "), TextBlock(InlineFont(strike=True), CANARY)]

    def change(book: Any) -> None:
        sheet = book["second_jobs"]
        sheet["C9"].value = f'="{CANARY}"'
        sheet["C10"].value = CellRichText(*runs)
        sheet["C11"].value = f'=IF(A1="{CANARY}",1,2)'
        book["capability"]["C9"].value = f'="{CANARY}"'

    path = sample("STF").write(tmp_path / "STF.xlsx", change)
    findings = validated(read_return(path), collection, "STF").findings
    assert findings.filter(rule_id="S006").height >= 4
    assert CANARY not in findings.write_csv()


def test_an_accepted_return_keeps_its_free_text_to_itself(
    sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    changed = sample("STF").with_values({("cover", "assurance", "value"): f"By {CANARY} twice"})
    result = validated(changed.reading(), collection, "STF")
    assert result.findings.filter(pl.col("severity") == "B").is_empty()
    cover = dict(result.entries.filter(sheet="cover").select("row_code", "value").iter_rows())
    assert cover["assurance"] == "a text of 20 characters"
    assert (cover["force_code"], cover["collection"]) == ("STF", "2012-revisit")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("DI Regan", "a rank or title with a name"),
        ("Head of PSD, Mrs Smith", "a rank or title with a name"),
        ("Detective Constable 4127", "a rank or title with a name"),
        ("Inspector O\u2019Neill", "a rank or title with a name"),
        ("psd@force.example", "an e-mail address"),
        ("Checked by 4127", "a number of three or more digits"),
        ("ring 01785 25 77 17", "a number of three or more digits"),
        ("see PS/12", "a case reference"),
    ],
)
def test_what_names_somebody_blocks_and_says_what_it_is(
    text: str, what: str, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    changed = sample("STF").with_values({("cover", "assurance", "value"): text})
    findings = validated(changed.reading(), collection, "STF").findings
    (row,) = findings.filter(rule_id="V008").iter_rows(named=True)
    assert (row["severity"], row["sheet"], row["cell"]) == ("B", "cover", "C19")
    assert what in row["message"]
    assert text not in str(row)


@pytest.mark.parametrize(
    "text",
    [
        "Head of professional standards",
        "DCC Office",
        "ACC Operations",
        "Audited in June 2012 for 2011/12 and 2011-12",
        "100% of the records were looked at",
    ],
)
def test_a_role_an_office_and_a_year_name_nobody(text: str) -> None:
    assert names_somebody(text) is None


REASONS = {
    True: (
        "John Smith counted them again.",
        "They were counted again by John Smith last week.",
        "Sarah Jones-Brown has the list.",
        "counted by J. Smith in May.",
        "counted by J.R. Smith in May.",
        "J Smith counted them all again.",
        "Asked of Zbigniew Kowalski by phone.",
        "The list is kept by Oluwaseun Adeyemi.",
        "DCI Brown counted them all again.",
        "Mr Brown counted them all again.",
        "Confirmed with Insp. Patel by phone.",
        "Cllr Hughes asked for it.",
        "JOHN SMITH counted them.",
        "John P. Smith counted them.",
        "Ask Mark Brown of PSD.",
        "It was Paul O'Neill's error.",
        "the officer (David Walker) has left",
        "PS Kowalska counted them.",
        "Prof Green advised us on it.",
        "Mohammed Khan left in May.",
        "Owing to Grace Chapel being absent.",
        "Tim Godwin decided.",
        "e-mail jane@force.example about it.",
        "Lady Penhaligon gave them.",
        "Asked of officer 4127 by phone.",
        "The list is kept under collar number 4127.",
        "Ring 01785 257717 about it.",
    ),
    False: (
        "The cards were counted anew by hand.",
        "They were 4127 cards by our count, 340 of them declined.",
        "Entries rose by 1,340 once a unit of 120 joined.",
        "We do not hold this: the Counter Corruption Unit keeps no list.",
        "Staffordshire Police joined its Professional Standards Department to West Mercia.",
        "The Association of Chief Police Officers asked for it.",
        "Operation Elveden led to more referrals.",
        "Numbers rose after Operation Weeting and Operation Elveden began.",
        "The Independent Police Complaints Commission took them over in March 2012.",
        "The rise follows the Olympic Games and the Diamond Jubilee.",
        "Recorded in Centurion since April 2012.",
        "The Metropolitan Police Service is the largest force in the country.",
        "Head of Professional Standards confirmed the count.",
        "Counted by the Head of PSD and the ACU together.",
        "See Table B Total of the Annual Report.",
        "Division C Returns came late.",
        "Gifts Register and Hospitality Register were joined in May.",
        "Thames Valley and Hampshire share a unit.",
        "All Gratuities are declined by policy.",
        "Our Second Jobs policy changed in 2011.",
        "Avon and Somerset Constabulary counts per officer.",
        'The total includes Tickets for "Wembley Arena" in August.',
        'Hospitality was at "Park Plaza" in London.',
        "Human Resources hold the list of business interests.",
        "One case was referred to the Crown Prosecution Service.",
        "Social media: Facebook and Twitter accounts only.",
        'It was "John Lewis" vouchers.',
        "Kent and Essex share Serious Crime.",
        "The January figure was typed twice.",
        "The Royal Wedding led to more hospitality.",
        "Based on the 2010/11 Annual Data Requirement.",
        "We are the largest workforce in the country.",
        "National Police Improvement Agency guidance was followed.",
        "The Police Federation was asked.",
        "PSD counted each officer once.",
        "Dyfed-Powys Police has no such unit.",
        "North Yorkshire and Cleveland merged the unit.",
        "In Merseyside the Matrix team counts apart.",
        "The new Police and Crime Commissioner asked for it.",
        "A Division and B Division were counted together.",
    ),
}
"""Reasons that name somebody, and reasons that only look so."""


@pytest.mark.parametrize("names", REASONS)
def test_a_reason_names_somebody_or_not(names: bool) -> None:
    told = {text: names_somebody(text, None, doubted=True) for text in REASONS[names]}
    assert {text for text, what in told.items() if (what is not None) is not names} == set()


def test_what_only_may_be_a_name_is_asked_of_reasons_and_released_by_quotation_marks() -> None:
    """A role on the cover is not refused for its capitals."""
    text = "Some were Mini Coopers given by a dealer."
    asked = names_somebody(text, None, doubted=True)
    assert asked == "somebody's name (put the name of anything else between quotation marks)"
    assert names_somebody(text) is None
    assert names_somebody(text.replace("Mini Coopers", '"Mini Coopers"'), doubted=True) is None


@pytest.mark.parametrize(
    "text",
    [
        *("c. 10", "<5", "10%", "1.5", "n/k", "1,234", "10-12", "31.000000000000004", "-3", "5+"),
        *("1 June 2012", "01/06/2012", "2012-05-31T00:00:00", "#REF!", "TRUE", "=SUM(C6:C10)+1"),
    ],
)
def test_what_people_type_for_a_number_is_shown(text: str) -> None:
    assert shown(text) == text


def test_a_slip_of_a_code_is_shown_and_its_odd_letters_are_named() -> None:
    assert shown("in place", ["in_place"]) == "in place"
    assert quoted("in_pl\u0430ce", ["in_place"]).endswith("(it contains CYRILLIC SMALL LETTER A)")
    assert quoted("\u0418\u0432\u0430\u043d", ["in_place"]) == (
        "a text of 4 characters (it contains CYRILLIC characters)"
    )
    assert shown("not_applicable Li", ["not_applicable"]) == "a text of 17 characters"


def test_a_hostile_text_takes_no_time() -> None:
    """Twice as long takes twice as long: what looks back and forth at each word takes a minute."""
    begun = process_time()
    many = ("1,", "1 ", "A1", "J. ", "John J. ", "A-", "\u201c")
    for text in ("=" + "1" * 30_000 + "x", *(f"{each * 15_000}!" for each in many)):
        assert shown(text).startswith("a text of")
        names_somebody(text, doubted=True)
    assert process_time() - begun < 10


def test_no_sheet_is_told_by_a_name_that_may_be_somebodys(
    sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    clean = sample("STF").reading()
    cell = (Cell(1, 1, "x", "text"),)
    theirs = RawSheet(f"registers {CANARY}", cell, (Fact("hidden_sheet", ""),))
    reading = Reading((*clean.sheets, theirs, RawSheet("Notes 2", cell)))
    found = validated(reading, collection).findings
    assert found.select("rule_id", "sheet").sort(pl.all()).rows() == [
        ("S004", "Notes 2"),
        ("S004", "no. 7"),
        ("S006", "no. 7"),
    ]
    assert CANARY not in str(found.rows())


def test_a_sheet_has_the_same_place_in_a_run_and_in_a_check(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    """A run counted the sheets in order of their names, and called no. 1 what a check called 7."""
    lake = Lake(tmp_path / "lake", collection.id)
    path = sample("STF").write(tmp_path / "STF.xlsx")
    book = load_workbook(path)
    book.create_sheet("Ann Smith")["B7"] = "x"
    book.save(path)
    take_in(lake, [path], collection)
    found = work_table(lake, "validation/all_findings").filter(rule_id="S004")
    assert found["sheet"].to_list() == ["no. 7"]
    assert ("S004", "no. 7", None) in findings_of(path, collection)
