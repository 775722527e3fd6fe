"""The summary workbook is as the guidance for government analysts asks, and says what pages say."""

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.utils import range_boundaries

from assets.release.pages import workbook
from assets.release.pages.content import MISSING, Head, PageTable, Section
from assets.release.pages.figures import Edition
from assets.release.pages.pages import national_page
from tests.pages.released import ABOUT, Marts


@pytest.fixture(scope="session")
def summary(tmp_path_factory: pytest.TempPathFactory, patchy: Marts) -> Path:
    path = tmp_path_factory.mktemp("summary") / "summary.xlsx"
    path.write_bytes(workbook.summary(Edition(patchy, ABOUT)))
    return path


@pytest.fixture(scope="session")
def book(summary: Path) -> Any:
    return load_workbook(summary)


def _tables(book: Any) -> dict[str, Any]:
    return {sheet.title: table for sheet in book.worksheets for table in sheet.tables.values()}


def test_notes_explain_nothing_that_only_a_page_shows(book: Any) -> None:
    said = " ".join(str(cell.value) for row in book["notes"].iter_rows() for cell in row)
    assert "A share is of the forces with an answer." in said
    assert not re.search(r"\bbars?\b|[Ee]ach column", said)


def test_each_sheet_has_its_title_in_a1_and_one_table_below_its_notes(book: Any) -> None:
    assert book.sheetnames[:3] == ["cover", "contents", "notes"]
    tables = _tables(book)
    for sheet in book.worksheets:
        assert sheet.sheet_state == "visible"
        assert not sheet.merged_cells.ranges
        assert isinstance(sheet["A1"].value, str)
        assert len(sheet.tables) == (sheet.title != "cover")
        if sheet.title == "cover":
            continue
        left, top, right, bottom = range_boundaries(tables[sheet.title].ref)
        assert (left, right, bottom) == (1, sheet.max_column, sheet.max_row)
        for line in range(1, top):
            assert sheet.cell(line, 1).value, "an empty row above the table"
        for cells in sheet.iter_rows(min_row=top, max_row=bottom, max_col=right):
            assert all(cell.value is not None for cell in cells), sheet.title


def test_the_basis_and_the_missing_forces_are_on_the_cover(book: Any) -> None:
    said = " ".join(str(cell.value) for (cell,) in book["cover"].iter_rows(max_col=1))
    assert "Reconstructed" in said
    assert "41 of 44 forces are in the totals." in said
    assert "2 missing: Bedfordshire, Staffordshire." in said
    for sheet in book.worksheets[3:]:
        assert any("Reconstructed" in str(sheet.cell(line, 1).value) for line in (2, 3, 4))


def test_contents_link_to_every_sheet(book: Any) -> None:
    links = {
        cell.value: cell.hyperlink.location
        for (cell,) in book["contents"].iter_rows(min_row=4, max_col=1)
    }
    assert list(links) == book.sheetnames[2:]
    assert all(location == f"'{name}'!A1" for name, location in links.items())


def test_numbers_are_the_pages_unrounded_and_what_is_missing_is_a_symbol(
    book: Any, patchy: Marts
) -> None:
    """Excel adds up; a zero for an unknown would be believed."""
    page = national_page(Edition(patchy, ABOUT))
    tables = [b for section in page.sections for b in section.blocks if b.kind == "table"]
    assert len(tables) == len(book.sheetnames) - 3
    unknown = numbers = 0
    for table in tables:
        sheet = book[table.name]
        _, top, *_ = range_boundaries(_tables(book)[table.name].ref)
        for line, cells in enumerate(table.rows, top + 1):
            for number, cell in enumerate(cells, 1):
                value = sheet.cell(line, number).value
                if cell.text == "not known" and not isinstance(cell.content, str):
                    unknown += 1
                    assert value == MISSING
                elif not isinstance(cell.content, str) and cell.content.number is not None:
                    numbers += 1
                    assert value == pytest.approx(cell.content.number, rel=1e-12)
                else:
                    assert str(value).startswith(cell.text)
    assert unknown > 10
    assert numbers > 1000


def test_the_same_marts_give_the_same_bytes(summary: Path, patchy: Marts, tmp_path: Path) -> None:
    again = tmp_path / "again.xlsx"
    again.write_bytes(workbook.summary(Edition(patchy, ABOUT)))
    assert again.read_bytes() == summary.read_bytes()
    with zipfile.ZipFile(summary) as parts:
        assert b"2012-01-01T00:00:00Z" in parts.read("docProps/core.xml")


def test_a_text_that_looks_like_a_formula_stays_a_text(patchy: Marts, tmp_path: Path) -> None:
    note = patchy["reconciliation"].with_columns(note=patchy["reconciliation"]["unit"].str.replace(
        "^.*$", "=1+1"
    ))  # fmt: skip
    path = tmp_path / "formula.xlsx"
    path.write_bytes(workbook.summary(Edition(patchy | {"reconciliation": note}, ABOUT)))
    sheet = load_workbook(path)["reconciliation_match"]
    found = {cell.data_type for row in sheet for cell in row if cell.value == "=1+1"}
    assert found <= {"s"}
    assert found


def test_a_table_whose_name_is_too_long_for_a_sheet_has_one_nevertheless(
    patchy: Marts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A measure of any template may be called as its authors like."""
    page = national_page(Edition(patchy, ABOUT))
    long = "a_measure_that_counts_what_nobody_has_counted"
    tables = [PageTable(f"{long}_{kind}", kind, (Head("What"),), ()) for kind in "ab"]
    tables += [PageTable(kind, kind, (Head("What"),), ()) for kind in ("x", "X")]
    of_them = replace(page, sections=(Section("s", "S", tuple(tables)),))
    monkeypatch.setattr(workbook, "national_page", lambda _: of_them)
    (tmp_path / "long.xlsx").write_bytes(workbook.summary(Edition(patchy, ABOUT)))
    sheets = load_workbook(tmp_path / "long.xlsx").sheetnames[3:]
    assert len({name.lower() for name in sheets}) == len(tables)
    assert sheets[2] == "x"
    assert all(long.startswith(name[:20]) for name in sheets[:2])


def test_headings_that_are_alike_are_told_apart(tmp_path: Path, patchy: Marts) -> None:
    """To Excel a table with the same heading twice is none."""
    heads = [Head("Force", numeric=False), Head("Stops"), Head("stops"), Head("Stops")]
    edition = Edition(patchy, ABOUT)
    page = national_page(edition)
    table = PageTable("alike", "Alike", tuple(heads), ())
    alike = replace(page, sections=(*page.sections, Section("alike", "Alike", (table,))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbook, "national_page", lambda _: alike)
        (tmp_path / "summary.xlsx").write_bytes(workbook.summary(edition))
    sheet = load_workbook(tmp_path / "summary.xlsx")["alike"]
    (shown,) = sheet.tables.values()
    names = [column.name for column in shown.tableColumns]
    assert names == ["Force", "Stops", "stops (2)", "Stops (3)"]
