"""The workbook a force fills: locked but for its entries, helpful as one types, the same bytes."""

import shutil
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from assets.sample.returns_template import returns_template
from assets.template.blank import write_blanks
from assets.template.checks import checks
from assets.validation.check import check_files
from schemas.collection import Collection, read_collection
from schemas.errors import SetupError
from tests.returns import SampleReturn, clean_return

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def blank(tmp_path: Path, collection: Collection) -> Path:
    return write_blanks(tmp_path, collection, ["STF"])[0]


def test_the_same_template_has_the_same_bytes(blank: Path, collection: Collection) -> None:
    before = blank.read_bytes()
    time.sleep(1.1)  # file formats keep whole seconds
    write_blanks(blank.parent, collection, ["STF"])
    assert blank.read_bytes() == before


def test_every_sheet_is_locked_but_for_its_entries(blank: Path) -> None:
    book = load_workbook(blank)
    assert book.sheetnames == [sheet.name for sheet in returns_template().sheets]
    for sheet in returns_template().sheets:
        page = book[sheet.name]
        assert page.protection.sheet
        unlocked = {
            cell.coordinate
            for row in page.iter_rows()
            for cell in row
            if not cell.protection.locked
        }
        entries = {
            sheet.address(entry.row_code, entry.column_code)
            for row in sheet.rows
            for entry in row.entries
            if not entry.locked
        }
        assert unlocked == entries, sheet.name


def test_every_entry_says_in_excel_what_it_accepts(blank: Path) -> None:
    book = load_workbook(blank)
    for entry in returns_template().entries():
        at = returns_template().sheet(entry.sheet).address(entry.row_code, entry.column_code)
        rules = [
            rule
            for rule in book[entry.sheet].data_validations.dataValidation
            if at in {str(part) for part in rule.sqref.ranges}
        ]
        if entry.locked:
            assert rules == []
            continue
        (rule,) = rules
        assert rule.errorTitle
        if entry.kind == "answer":
            assert rule.type == "list"
            assert rule.formula1 == f'"{",".join(entry.answers)}"'
        elif entry.kind == "count":
            assert rule.type == "custom"
            assert all(f'"{reason}"' in rule.formula1 for reason in entry.missing)


def test_the_file_itself_says_what_it_is(blank: Path) -> None:
    properties = {p.name: p.value for p in load_workbook(blank).custom_doc_props.props}
    assert properties == {
        "template": "returns",
        "template_version": "1",
        "collection": "2012-revisit",
        "force_code": "STF",
    }


def test_checks_are_formulas_in_locked_cells_and_none_is_an_entry(blank: Path) -> None:
    book = load_workbook(blank)
    count = 0
    for sheet in returns_template().sheets:
        entries = {sheet.address(r.code, e.column_code) for r in sheet.rows for e in r.entries}
        for check in checks(sheet):
            cell = book[sheet.name].cell(check.row, check.column)
            assert cell.value == check.formula
            assert cell.protection.locked
            assert cell.coordinate not in entries
            assert not check.holds({}), "a blank total does not add up"
            count += 1
    assert count == 15 + 2 * 7 + 4 + 1


def test_a_check_turns_when_the_total_is_right(collection: Collection) -> None:
    sample = SampleReturn.of("STF", collection)
    for sheet in returns_template().sheets:
        for check in checks(sheet):
            assert check.holds(sample.values)
            total = (sheet.name, *check.total)
            assert not check.holds({**sample.values, total: "9999"})


def test_a_template_filled_as_a_person_would_is_acceptable(
    blank: Path, collection: Collection
) -> None:
    """What is typed into the open cells, and nothing else, makes a return."""
    sample = SampleReturn.of("STF", collection)
    book: Any = load_workbook(blank)
    for entry in returns_template().entries():
        if not entry.locked:
            text = sample.values[entry.place]
            at = returns_template().sheet(entry.sheet).address(entry.row_code, entry.column_code)
            book[entry.sheet][at] = (
                date.fromisoformat(text)
                if entry.kind == "date"
                else int(text)
                if text.isdigit()
                else text
            )
    book.save(blank)
    (checked,) = check_files([blank], collection)
    assert (checked.state, checked.force_code, checked.findings) == ("accepted", "STF", ())


def test_a_force_the_collection_does_not_expect_has_no_template(
    tmp_path: Path, collection: Collection
) -> None:
    with pytest.raises(SetupError, match=r"XXX\. It expects AVS"):
        write_blanks(tmp_path, collection, ["XXX"])


def test_a_force_that_ended_is_told_with_its_successor(tmp_path: Path) -> None:
    later = read_collection(EXAMPLES / "collections" / "2013-revisit.toml")
    with pytest.raises(SetupError) as told:
        write_blanks(tmp_path, later, ["BED", "XXX"])
    assert str(told.value).startswith(
        "not forces of collection 2013-revisit: BED, XXX. BED ended on 2013-03-31, before the"
        " census. Bedfordshire and Hertfordshire Police (made up) (BEH) succeeds it: name BEH"
        " instead. It expects AVS"
    )


TABLE = """
[[sheet]]
name = "hours"
title = "Hours"
instructions = []
kind = "count"
measure = "uses"
columns = [
    { code = "day", label = "By day", dims = { shift = "day" } },
    { code = "night", label = "By night", dims = { shift = "night" } },
    { code = "all", label = "All hours", sum_of = ["day", "night"] },
    { code = "counted", label = "All hours again", sum_of = ["day", "night"] },
]
rows = [
    { code = "restraint", dims = { tactic = "restraint" } },
    { code = "spray", dims = { tactic = "spray" } },
    { code = "gentle", label = "Gentle", sum_of = ["restraint", "spray"] },
    { code = "firearm", dims = { tactic = "firearm" } },
    { code = "total", label = "Everything", sum_of = ["gentle", "firearm"], named = "both kinds" },
]
"""


def _with_a_table(folder: Path) -> Collection:
    """Return an example whose template has a table with sums both ways and no word of checks."""
    shutil.copytree(EXAMPLES, folder)
    path = folder / "templates" / "use-of-force-1.toml"
    text = path.read_text(encoding="utf-8")
    shift = '[lists.shift]\nday = "By day"\nnight = "By night"\n\n[measures.uses]'
    path.write_text(text.replace("[measures.uses]", shift) + TABLE.replace('"uses"', '"hours"'))
    hours = '\n[measures.hours]\nunit = "count"\nlevels = [[], ["tactic", "shift"]]\n\n[profile]'
    path.write_text(path.read_text(encoding="utf-8").replace("[profile]", hours, 1))
    return read_collection(folder / "collections" / "use-of-force-2013.toml")


def test_every_sum_of_any_template_has_a_check_of_its_own(tmp_path: Path) -> None:
    collection = _with_a_table(tmp_path / "others")
    book = load_workbook(write_blanks(tmp_path / "out", collection, ["STF"])[0])
    for sheet in collection.template.sheets:
        found = list(checks(sheet))
        assert [check.total for check in found] == [each.total[1:] for each in sheet.sums()]
        places = {(check.row, check.column) for check in found}
        entries = {
            (r, c) for r in sheet.row_numbers.values() for c in sheet.column_numbers.values()
        }
        assert len(places) == len(found)
        assert not places & entries
        for check in found:
            assert book[sheet.name].cell(check.row, check.column).value == check.formula
    labels = [check.label for check in checks(collection.template.sheet("hours")) if check.label]
    assert labels == [
        "Check: the parts add up to Gentle",
        "Check: both kinds add up to Everything",
    ]


def test_checks_whose_results_are_texts_are_no_entries(tmp_path: Path) -> None:
    """Saved as CSV, or pasted as values, a check leaves its result behind."""
    collection = _with_a_table(tmp_path / "others")
    filled = clean_return(collection)
    path = filled.write(tmp_path / "STF.xlsx")
    book: Any = load_workbook(path)
    results: Any = load_workbook(path, data_only=True)
    for sheet in collection.template.sheets:
        for check in checks(sheet):
            at = check.row, check.column
            assert results[sheet.name].cell(*at).value == "adds up"
            book[sheet.name].cell(*at).value = "adds up"
    book.save(path)
    (checked,) = check_files([path], collection)
    assert checked.findings == ()


def test_reconstructed_workbooks_say_so_on_every_sheet(
    tmp_path: Path, collection: Collection
) -> None:
    path = SampleReturn.of("STF", collection).write(tmp_path / "x.xlsx")
    for page in load_workbook(path).worksheets:
        texts = [str(cell.value) for row in page.iter_rows() for cell in row if cell.value]
        assert any(text.startswith("RECONSTRUCTED") for text in texts)
        assert "RECONSTRUCTED" in page.oddFooter.center.text
