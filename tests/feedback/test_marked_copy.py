"""The marked copy: everything found is in it, everything of the force still is, nothing runs."""

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment

from assets.feedback.marked_copy import AUTHOR, write_marked_copies
from assets.feedback.problem_list import FILLS
from assets.intake.reader import read_return
from assets.returns.validation.check import Checked, check_files
from assets.returns.validation.layout import PROBLEMS_MARK, lay_out
from assets.sample.write import returns_template
from pipelines.cli.returns import check as command
from schemas.collection import Collection
from schemas.finding import Finding
from schemas.rules.catalogue import rules
from schemas.wording import visible
from tests.feedback.conftest import BLANK, CARDS, GIFTS, PREPARED, SLIP, STRAY, Sample, at, heading
from tests.intake.workbooks import rewritten, strict
from tests.returns import SampleReturn, address_of, as_csv

DECLINED = ("registers", "force.gratuity", "declined")
SHOWN = ("=1+1", "+5", "-0", "\t=1", "\r=1", "=")
FORMULAS = ("=cmd|' /C calc'!A0", "@SUM(A1)", *SHOWN)


@pytest.fixture
def marked(tmp_path: Path, collection: Collection) -> Callable[..., tuple[Checked, Any, Path]]:
    """Return a function that checks and marks a file, and opens the copy."""

    def mark(path: Path) -> tuple[Checked, Any, Path]:
        checked = check_files([path], collection)
        (copy,) = write_marked_copies(checked, tmp_path / "out", collection.template)
        return checked[0], load_workbook(copy), copy

    return mark


def _same(findings: tuple[Finding, ...]) -> list[tuple[str, ...]]:
    return sorted(tuple(str(value) for value in vars(item).values()) for item in findings)


def _cells(sheet: Any) -> Iterator[Cell]:
    return (cell for row in sheet.iter_rows() for cell in row if cell.value is not None)


def _spoil(book: Any) -> None:
    at(book, GIFTS).value = "c. 40"
    heading(book, "investigations", "continuing").value = "Open cases"
    book["second_jobs"][STRAY] = "a note"
    book["cover"].title = "Covr"
    book.create_sheet("Workings")["A1"] = "what we did"


@pytest.fixture(scope="module")
def spoilt(
    tmp_path_factory: pytest.TempPathFactory, collection: Collection
) -> tuple[Path, Checked, Any, Path]:
    """A return with faults of many kinds and a comment of the force's own, checked and marked."""
    folder = tmp_path_factory.mktemp("spoilt")

    def change(book: Any) -> None:
        _spoil(book)
        at(book, GIFTS).comment = Comment("from the gifts register", "them")

    changes = {BLANK: None, CARDS: "9000", ("investigations", "total", "total"): "1"}
    stf = SampleReturn.of("STF", collection).with_values(changes)
    path = stf.write(folder / "STF.xlsx", change)
    checked = check_files([path], collection)
    (copy,) = write_marked_copies(checked, folder / "out", collection.template)
    return path, checked[0], load_workbook(copy), copy


def test_every_finding_stands_at_its_cell_and_in_the_list(
    spoilt: tuple[Path, Checked, Any, Path],
) -> None:
    _, checked, book, _ = spoilt
    assert {item.severity for item in checked.findings} == {"B", "Q"}
    assert book.sheetnames[0] == "problems"
    assert book.active.title == "problems"
    listed = " ".join(str(cell.value) for cell in _cells(book["problems"]))
    links = {cell.hyperlink.location for cell in _cells(book["problems"]) if cell.hyperlink}
    for item in checked.findings:
        assert item.message in listed
        assert item.how_to_fix.partition(" See docs/")[0] in listed
        if item.sheet and item.cell:
            title = "Covr" if item.sheet == "cover" else item.sheet
            cell = book[title][item.cell]
            assert cell.comment.author == AUTHOR
            for text in (item.rule_id, item.message, item.how_to_fix.partition(" See docs/")[0]):
                assert text in cell.comment.text
            assert cell.fill.fgColor.rgb in {f"00{fill.fgColor.rgb[2:]}" for fill in FILLS.values()}
            assert f"'{title}'!{item.cell}" in links
    several = at(book, CARDS).comment.text
    assert "V007: query" in several
    assert "X005: query" in several
    assert "blocks the return" in listed
    assert rules()["S010"].why in listed
    assert "docs/" not in listed


def test_what_a_failed_sum_comes_from_is_green_and_what_follows_is_folded_under_it(
    marked: Callable[..., Any], sample: Sample, tmp_path: Path
) -> None:
    hole = ("investigations", "second_jobs", "management_action")
    entries = ("registers", "force.gratuity", "total")
    stf = sample("STF")
    true = [stf.values[place] for place in (SLIP, hole, entries)]
    changes = {SLIP: f"{true[0]}0", hole: None, entries: f"{true[2]}0"}
    _, book, copy = marked(stf.with_values(changes).write(tmp_path / "STF.xlsx"))
    mends = "mends what does not add up"
    said = {
        SLIP: f"first: {true[0]} in place of {true[0]}0 {mends} (C101, C102)",
        hole: f"first: {true[1]} here {mends} (C101, C103)\n\nS010: blocks the return",
        entries: f"first, way 1 of 3: {true[2]} in place of {true[2]}0 {mends} (C401)\n\nC401: ",
        GIFTS: f"first, way 2 of 3: 328 in place of 31 {mends} (C401)",
    }
    for place, text in said.items():
        assert text in at(book, place).comment.text
        assert at(book, place).fill.fgColor.rgb == FILLS["look"].fgColor.rgb
    sheet = book["problems"]
    rows = [(sheet.row_dimensions[row[0].row].outlineLevel, row) for row in sheet.iter_rows()]
    listed = [
        (level, row[0].value, row[2].value or row[4].value, "Follows from" in row[7].value)
        for level, row in rows
        if row[7].value
    ]
    assert listed[1:-4] == [
        (0, 1, "C11", False), (1, "1.1", "C101", True), (1, "1.2", "C102", True),
        (0, 2, "F18", False), (1, "2.1", "S010", False),
        (0, 3, "E6", False), (0, None, "C6", False), (0, None, "D6", False),
        (1, "3.1", "C401", True),
    ]  # fmt: skip
    assert [rule for *_, rule, _ in listed[-4:]] == ["S010", "C101", "C102", "C401"], "explained"
    assert any(
        "Green is where" in str(c.value) and "Nothing was changed" in c.value for c in sheet["A"]
    )
    for place, value in zip(said, true, strict=False):
        at(book, place).value = int(value)
    book.save(copy)
    _, mended, _ = marked(copy)
    assert all(at(mended, place).comment is None for place in said)


def test_no_text_of_theirs_becomes_a_formula(
    marked: Callable[..., Any], sample: Sample, tmp_path: Path
) -> None:
    def cells(book: Any) -> list[Any]:
        stray = [book["second_jobs"].cell(40 + n, 7) for n in range(len(FORMULAS))]
        return [at(book, GIFTS), at(book, PREPARED), *stray]

    texts = (FORMULAS[0], f"{FORMULAS[0]} DI Smith", *FORMULAS)

    def change(book: Any) -> None:
        for cell, text in zip(cells(book), texts, strict=True):
            cell.value = text
            cell.data_type = "s"

    path = sample("DER").write(tmp_path / "=1+1.xlsx", change)
    checked, book, copy = marked(path)
    told = {cell.value: cell for cell in _cells(book["problems"])}
    for text in SHOWN:
        assert any(item.value and item.value.strip() == text.strip() for item in checked.findings)
        assert visible(text.replace("\r", "\n")) in told
    for text, cell in told.items():
        assert cell.data_type in {"s", "n"}, text
        assert cell.quotePrefix == str(text).startswith(("=", "+", "-", "@"))
    assert {cell.data_type for cell in cells(book)} == {"s"}
    with zipfile.ZipFile(copy) as parts:
        lists = [n for n in parts.namelist() if "comment" in n or n.endswith("/sheet1.xml")]
        assert not any(b"<f" in parts.read(name) for name in lists)


def test_the_original_is_never_touched_and_the_copy_is_always_the_same(
    sample: Sample, tmp_path: Path, collection: Collection
) -> None:
    path = sample("DER").with_values({BLANK: None}).write(tmp_path / "DER.xlsx")
    before = path.read_bytes(), path.stat().st_mtime_ns
    checked = check_files([path], collection)
    (first,) = write_marked_copies(checked, tmp_path / "a", collection.template)
    (second,) = write_marked_copies(checked, tmp_path / "b", collection.template)
    assert first.read_bytes() == second.read_bytes()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def _calculated(path: Path, formula: str, value: str) -> None:
    """Put a formula with its result into a cell of the registers, as Excel stores one."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name, here = "xl/worksheets/sheet3.xml", f'<c r="{address_of(*GIFTS)}"'
    start, _, rest = parts[name].decode().partition(here)
    style, _, rest = rest.partition(">")
    _, _, rest = rest.partition("</c>")
    cell = f"{here}{style}><f>{formula}</f><v>{value}</v></c>"
    parts[name] = f"{start}{cell}{rest}".encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_the_copy_keeps_what_is_theirs(
    spoilt: tuple[Path, Checked, Any, Path], collection: Collection
) -> None:
    path, checked, book, copy = spoilt
    theirs = load_workbook(path)
    assert book.sheetnames[1:] == theirs.sheetnames
    assert book.custom_doc_props["force_code"].value == "STF"
    for sheet in theirs.worksheets:
        mine = book[sheet.title]
        assert mine.protection.sheet == sheet.protection.sheet
        assert len(mine.data_validations.dataValidation) == len(
            sheet.data_validations.dataValidation
        )
        for cell in _cells(sheet):
            assert mine[cell.coordinate].value == cell.value
            assert mine[cell.coordinate].protection.locked == cell.protection.locked
    assert "from the gifts register" in at(book, GIFTS).comment.text
    assert _same(check_files([copy], collection)[0].findings) == _same(checked.findings)


def test_formulas_keep_their_results(
    marked: Callable[..., Any], sample: Sample, tmp_path: Path
) -> None:
    """openpyxl forgets them: a sum would come back as a formula that was never calculated."""
    stf = sample("STF").with_values({BLANK: None})
    path = stf.write(tmp_path / "STF.xlsx")
    accepted = stf.values["registers", "force.gratuity", "accepted"]
    _calculated(path, "20+2", accepted)
    checked, book, copy = marked(path)
    assert at(book, GIFTS).value == "=20+2"
    results = load_workbook(copy, data_only=True)
    assert at(results, GIFTS).value == int(accepted)
    sums = [cell.value for cell in _cells(results["registers"]) if "add" in str(cell.value)]
    assert sums[-4:] == ["adds up"] * 4
    again = check_files([copy], stf.collection)[0]
    assert _same(again.findings) == _same(checked.findings)


IN_DOUBT = (
    "><v>8</v><v>5</v>",
    ' t="q"><v>8</v>',
    "><f>NOW()</f><v>8</v>",
    "><f>1+1</f><v>8</v>",
    ' t="str"><f>1+1</f><v></v>',
    ' t="inlineStr"><is><r><rPr><strike/></rPr><t>8</t></r></is>',
    ' t="inlineStr"><is><r><t>3</t></r><r><rPr><b/></rPr><t>1</t></r></is>',
)


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_in_doubt_stays_so_in_the_copy(
    whole: bool, marked: Callable[..., Any], sample: Sample, tmp_path: Path
) -> None:
    """A copy that comes back must not hold as a plain number what was refused.

    The first two make openpyxl keep one value without a word: then the cells alone are copied.
    """
    rows = [row.code for row in returns_template().sheet("registers").rows]
    places = [("registers", row, column) for row in rows for column in ("accepted", "declined")]
    doubts = dict(zip(map(address_of, *zip(*places, strict=True)), IN_DOUBT, strict=False))
    chosen = {at: doubts[at] for at in list(doubts)[2 if whole else 0 :]}
    path = sample("STF").write(tmp_path / "STF.xlsx")

    def change(part: str) -> str:
        for here, content in chosen.items():
            part = re.sub(rf'<c r="{here}"[^>]*?(/>|>.*?</c>)', f'<c r="{here}"{content}</c>', part)
        return part

    rewritten(path, path, "xl/worksheets/sheet3.xml", change)
    checked, book, copy = marked(path)
    said = " ".join(str(cell.value) for cell in _cells(book["problems"]))
    assert ("cells of your file alone" in said) != whole
    again = check_files([copy], sample("STF").collection)[0]
    for found in (checked.findings, again.findings):
        mine = [(f.cell, f.blocks) for f in found if f.sheet == "registers" and f.cell in chosen]
        assert {here for here, blocks in mine if blocks} == set(chosen)


def test_a_strict_workbook_comes_back_with_its_cells(
    marked: Callable[..., Any], sample: Sample, tmp_path: Path
) -> None:
    path = sample("STF").with_values({BLANK: None}).write(tmp_path / "STF.xlsx")
    for part in [
        "workbook",
        "sharedStrings",
        "styles",
        *(f"worksheets/sheet{n}" for n in range(1, 7)),
    ]:
        rewritten(path, path, f"xl/{part}.xml", strict)
    checked, _, copy = marked(path)
    again = check_files([copy], sample("STF").collection)[0]
    assert [f.rule_id for f in checked.findings] == ["S010"]
    assert [f.rule_id for f in again.findings if f.blocks] == ["S010"]


def test_a_zip_of_csv_files_comes_back_as_a_workbook_of_its_cells(
    marked: Callable[..., Any], sample: Sample, tmp_path: Path, collection: Collection
) -> None:
    def change(book: Any) -> None:
        at(book, GIFTS).value = "c. 40"
        at(book, DECLINED).value = "-2"

    path = sample("DER").with_values({BLANK: None}).write(tmp_path / "DER.xlsx", change)
    checked, book, copy = marked(as_csv(path, tmp_path / "DER.zip"))
    assert {"S010", "V001"} <= {item.rule_id for item in checked.findings}
    assert copy.name == "DER-marked.xlsx"
    assert "S010" in at(book, BLANK).comment.text
    assert at(book, DECLINED).data_type == "s"
    assert _same(check_files([copy], collection)[0].findings) == _same(checked.findings)


def test_a_file_that_is_no_return_gives_the_reason_and_nothing_of_itself(
    tmp_path: Path, marked: Callable[..., Any]
) -> None:
    path = tmp_path / "photo.xlsx"
    path.write_bytes(b"\x89PNG secret")
    _, book, copy = marked(path)
    assert book.sheetnames == ["problems"]
    texts = [cell.value for cell in _cells(book["problems"])]
    assert "S001" in texts
    assert b"secret" not in copy.read_bytes()


@pytest.mark.slow
def test_copies_overwrite_neither_each_other_nor_a_file_that_is_checked(
    sample: Sample, tmp_path: Path, collection: Collection
) -> None:
    files = []
    for number, name in enumerate(["a/STF.xlsx", "b/stf.xlsx", "out/STF-marked.xlsx"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        blank = {("registers", "force.gratuity", "accepted"): str(number)}
        files.append(sample("STF").with_values(blank).write(tmp_path / name))
    before = [path.read_bytes() for path in files]
    copies = write_marked_copies(
        check_files(files, collection), tmp_path / "out", collection.template
    )
    assert [path.name for path in copies] == [
        "STF-marked-2.xlsx",
        "stf-marked-3.xlsx",
        "STF-marked-marked.xlsx",
    ]
    assert [path.read_bytes() for path in files] == before


@pytest.mark.slow
def test_a_copy_that_comes_back_mended_carries_no_old_complaint(
    marked: Callable[..., Any], sample: Sample, tmp_path: Path
) -> None:
    stf = sample("STF").with_values({BLANK: None, CARDS: "9000"})
    _, book, copy = marked(stf.write(tmp_path / "STF.xlsx"))
    at(book, BLANK).value = int(sample("STF").values[BLANK])
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.comment:
                    cell.comment.author = " "  # as LibreOffice saves it
    book.save(tmp_path / "mended.xlsx")
    checked, again, _ = marked(tmp_path / "mended.xlsx")
    assert {item.rule_id for item in checked.findings} == {"V007", "X005"}
    assert again.sheetnames == load_workbook(copy).sheetnames
    assert at(again, BLANK).comment is None
    assert at(again, BLANK).fill.fill_type is None
    assert at(again, CARDS).comment.text.upper().count("V007") == 1


def test_only_the_list_that_muster_added_is_no_sheet_of_the_return(
    sample: Sample, tmp_path: Path
) -> None:
    """Figures in a sheet of the force's own must be asked about, whatever its name."""

    def found(mark: str) -> list[str]:
        def change(book: Any) -> None:
            book.create_sheet("problems", 0)["A1"] = mark

        path = sample("DER").write(tmp_path / "DER.xlsx", change)
        layout = lay_out(read_return(path).sheets, returns_template())
        return [item.rule_id for item in layout.findings]

    assert found(PROBLEMS_MARK) == []
    assert found("Problems") == ["S004"]


@pytest.mark.parametrize("where", ["mergeCells><mergeCell", "hyperlinks><hyperlink"])
def test_a_range_over_the_whole_sheet_does_not_hold_anybody_up(
    where: str, marked: Callable[..., Any], sample: Sample, tmp_path: Path
) -> None:
    """openpyxl makes an object for each of its 17 billion cells."""
    path = sample("DER").with_values({BLANK: None}).write(tmp_path / "DER.xlsx")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet4.xml"
    outer = where.partition(">")[0]
    bomb = f'</sheetData><{where} ref="A1:XFD1048576"/></{outer}>'.encode()
    parts[name] = parts[name].replace(b"</sheetData>", bomb)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    _, book, _ = marked(path)
    assert "S010" in at(book, BLANK).comment.text
    assert any("cells of your file alone" in str(c.value) for c in _cells(book["problems"]))


def test_check_writes_copies_where_it_is_told(sample: Sample, tmp_path: Path) -> None:
    path = sample("DER").with_values({BLANK: None}).write(tmp_path / "DER.xlsx")
    out = tmp_path / "new" / "folder"
    said = CliRunner().invoke(command, [str(path), "--annotate", str(out)])
    assert said.exit_code == 1
    assert "DER-marked.xlsx" in said.output
    (out / "DER-marked.xlsx").unlink()
    said = CliRunner().invoke(command, [str(path), "--annotate", str(out), "--json"])
    assert json.loads(said.output)[0]["state"] == "rejected"
    assert (out / "DER-marked.xlsx").exists()
