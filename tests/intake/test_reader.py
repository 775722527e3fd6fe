"""What stands in a file is read as it stands; a file that cannot be read says why."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from assets.intake.reader import read_return
from assets.intake.reading import Cell, Fact, RawSheet
from schemas.collection import Collection
from schemas.template import address
from tests.returns import SampleReturn


def _book(path: Path, fill: Callable[[Any], None]) -> Path:
    book = Workbook()
    book.active.title = "cover"
    fill(book)
    book.save(path)
    return path


def _cells(path: Path) -> dict[str, Cell]:
    reading = read_return(path)
    assert reading.refusal is None
    return {cell.address: cell for cell in reading.sheets[0].cells}


def test_every_kind_of_cell_keeps_its_text_and_kind(tmp_path: Path) -> None:
    """A date or 10% read as the number behind it would be silently wrong."""

    def fill(book: Any) -> None:
        sheet = book.active
        sheet["A1"], sheet["B1"], sheet["C1"] = " text ", 12, 12.0
        sheet["A2"], sheet["B2"], sheet["C2"] = 1.5, True, date(2012, 5, 31)
        sheet["A3"], sheet["B3"] = "#REF!", 1
        sheet["B3"].number_format = "0%"
        sheet["A4"] = "=1+1"

    kinds = {a: (c.text, c.kind) for a, c in _cells(_book(tmp_path / "x.xlsx", fill)).items()}
    assert kinds == {
        "A1": (" text ", "text"),
        "B1": ("12", "number"),
        "C1": ("12", "number"),
        "A2": ("1.5", "number"),
        "B2": ("TRUE", "boolean"),
        "C2": ("2012-05-31", "date"),
        "A3": ("#REF!", "error"),
        "B3": ("1", "percent"),
        "A4": ("a formula that was never calculated", "formula"),
    }


def test_cells_are_read_though_the_stored_dimension_is_wrong(tmp_path: Path) -> None:
    """Readers that trust the dimension lose every row below it without a word."""
    path = _book(tmp_path / "x.xlsx", lambda book: book.active.append(["a"]))

    def shrink(name: str, content: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return content
        row = b'<row r="40"><c r="B40"><v>7</v></c></row></sheetData>'
        return content.replace(b"</sheetData>", row)

    _rewrite(path, shrink)
    assert _cells(path)["B40"].text == "7"


def test_structure_is_noted_beside_the_values(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet["A1"] = "x"
        sheet.merge_cells("A1:B2")
        sheet.row_dimensions[4].hidden = True
        book.create_sheet("secret").sheet_state = "hidden"

    sheets = read_return(_book(tmp_path / "x.xlsx", fill)).sheets
    assert set(sheets[0].facts) == {Fact("merged", "A1:B2"), Fact("hidden_row", "4")}
    assert sheets[1].facts == (Fact("hidden_sheet", ""),)


def test_a_zip_of_csv_files_gives_the_cells_of_the_workbook(
    sample: Callable[[str], SampleReturn], tmp_path: Path
) -> None:
    """A force without Excel sends the same return."""
    sheets = read_return(sample("STF").write(tmp_path / "STF.xlsx")).sheets
    packed = write_csv_zip(tmp_path / "STF.zip", sheets)
    for ours, theirs in zip(read_return(packed).sheets, sheets, strict=True):
        assert ours.name == theirs.name
        assert [(c.row, c.column, c.text) for c in ours.cells] == [
            (c.row, c.column, c.text) for c in theirs.cells
        ]


def write_csv_zip(path: Path, sheets: tuple[RawSheet, ...]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for sheet in sheets:
            texts = {(cell.row, cell.column): cell.text for cell in sheet.cells}
            last, widest = (max(place) for place in zip(*texts, strict=True))
            lines = [
                ",".join(f'"{texts.get((row, column), "")}"' for column in range(1, widest + 1))
                for row in range(1, last + 1)
            ]
            archive.writestr(f"{sheet.name}.csv", "\n".join(lines))
    return path


def _rewrite(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(name, content))


def _sheet_with(old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        _rewrite(path, lambda name, c: c.replace(old, new, 1) if name.endswith("sheet1.xml") else c)

    return change


def _replaced_by(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def _corrupt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def _zip_of(**members: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return change


BOMB = b'<!DOCTYPE a [<!ENTITY b "b">]><worksheet'


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(_replaced_by(b"PK\x03\x04" + b"\0" * 11 * 1024**2), "limit", id="large file"),
        pytest.param(_cut, "damaged or cut off", id="truncated"),
        pytest.param(_corrupt, "damaged", id="one byte wrong"),
        pytest.param(_zip_of(**{"a.txt": b"x"}), "neither", id="zip of something else"),
        pytest.param(_zip_of(**{"../a.csv": b"x"}), "outside itself", id="path traversal"),
        pytest.param(_zip_of(**{"/a.csv": b"x"}), "outside itself", id="absolute name"),
        pytest.param(_zip_of(**{"a.csv": b"0" * 9_000_000}), "packed size", id="ratio"),
        pytest.param(
            _zip_of(**{f"{n}.csv": b"%d" % n * 999 for n in range(600)}), "parts", id="many members"
        ),
        pytest.param(_zip_of(**{"xl/workbook.bin": b"x"}), ".xlsb", id="xlsb"),
        pytest.param(
            _zip_of(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), ".ods", id="ods"
        ),
        pytest.param(_sheet_with(b"<worksheet", BOMB), "entities", id="entity bomb"),
        pytest.param(_sheet_with(b"<sheetData>", b"<sheetData>\x01"), "damaged", id="bad XML"),
        pytest.param(
            _sheet_with(
                b"</sheetData>",
                b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
            ),
            "XFD1048576",
            id="cell far out",
        ),
        pytest.param(
            _sheet_with(b"</sheetData>", b'<row r="2"><c r="A2"><v>1</v></c></row></sheetData>'),
            "twice or out of order",
            id="rows out of order",
        ),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    spoil: Callable[[Path], None],
    problem: str,
    sample: Callable[[str], SampleReturn],
    tmp_path: Path,
) -> None:
    path = sample("STF").write(tmp_path / "STF.xlsx")
    spoil(path)
    reading = read_return(path)
    assert reading.refusal is not None
    assert problem in reading.refusal.problem
    assert reading.refusal.fix
    assert reading.sheets == ()


def test_empty_styled_rows_far_down_are_no_reason_to_refuse(
    sample: Callable[[str], SampleReturn], tmp_path: Path
) -> None:
    """LibreOffice writes a last empty row 1048576 into ordinary workbooks."""
    path = sample("STF").write(tmp_path / "STF.xlsx")
    before = read_return(path)
    empty = b'<row r="1048576" s="1"><c r="A1048576" s="1"/></row></sheetData>'
    _sheet_with(b"</sheetData>", empty)(path)
    assert read_return(path).sheets == before.sheets


def test_addresses_are_those_of_a_spreadsheet() -> None:
    assert [address(7, c) for c in (1, 26, 27, 52, 702, 703)] == [
        "A7", "Z7", "AA7", "AZ7", "ZZ7", "AAA7",
    ]  # fmt: skip


def test_two_sheets_of_one_name_are_refused(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    """A reader that keeps one of them would lose the other's figures."""
    del collection
    path = sample("STF").write(tmp_path / "STF.xlsx")
    _rewrite(
        path,
        lambda name, c: (
            c.replace(b'name="capability"', b'name="registers"') if name.endswith("book.xml") else c
        ),
    )
    refusal = read_return(path).refusal
    assert refusal is not None
    assert "two of one name: sheet 'registers'" in refusal.problem
