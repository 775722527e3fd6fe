"""An OpenDocument spreadsheet gives what the same workbook gives, and is held to the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assets.intake.reader import read_return
from assets.intake.reading import Cell, Fact, RawSheet
from schemas.collection import Collection
from tests.ods import write_content, write_ods
from tests.returns import SampleReturn, address_of, findings_of, validated


@pytest.mark.parametrize("force", ["STF", "KEN", "BTP", "NYK"])
def test_a_return_gives_the_same_as_its_workbook(
    force: str, sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    book = read_return(sample(force).write(tmp_path / "a.xlsx"))
    ods = read_return(write_ods(tmp_path / "a.ods", book))
    assert ods.refusal is None
    assert [s.name for s in ods.sheets] == [s.name for s in book.sheets]
    for ours, theirs in zip(ods.sheets, book.sheets, strict=True):
        assert [cell[:4] for cell in ours.cells] == [cell[:4] for cell in theirs.cells]
    one, other = (validated(reading, collection, force) for reading in (book, ods))
    assert other.entries.equals(one.entries)
    assert other.findings.equals(one.findings)


def _sheet(path: Path, rows: str) -> RawSheet:
    reading = read_return(write_content(path, f'<table:table table:name="s">{rows}</table:table>'))
    assert reading.refusal is None, reading.refusal
    return reading.sheets[0]


def _row(*cells: str, **attributes: str) -> str:
    told = "".join(f' table:{name.replace("_", "-")}="{v}"' for name, v in attributes.items())
    return f"<table:table-row{told}>{''.join(cells)}</table:table-row>"


def _cell(inner: str = "", tag: str = "table-cell", **attributes: str) -> str:
    told = "".join(
        f' {k.replace("__", ":").replace("_", "-")}="{v}"' for k, v in attributes.items()
    )
    return f"<table:{tag}{told}>{inner}</table:{tag}>"


def _float(value: str, shown: str = "", **attributes: str) -> str:
    inner = f"<text:p>{shown}</text:p>" if shown else ""
    return _cell(inner, office__value_type="float", office__value=value, **attributes)


def _string(inner: str, **attributes: str) -> str:
    return _cell(inner, office__value_type="string", **attributes)


CELLS = {
    "float": (_float("12.0"), ("12", "number")),
    "nearly whole": (_float("31.000000000000004"), ("31", "number")),
    "currency": (_cell(office__value_type="currency", office__value="5"), ("5", "number")),
    "percentage": (_cell(office__value_type="percentage", office__value="1"), ("1", "percent")),
    "boolean": (
        _cell(office__value_type="boolean", office__boolean_value="true"), ("TRUE", "boolean")
    ),
    "date": (
        _cell("<text:p>1 June</text:p>", office__value_type="date",
              office__date_value="2012-06-01T00:00:00"),
        ("2012-06-01", "date"),
    ),
    "text": (
        _string('<text:p>a<text:s text:c="2"/>b<text:tab/>c<text:line-break/>d</text:p>'
              "<text:p>e\n f</text:p>"),
        ("a  b\tc\nd\ne f", "text"),
    ),
    "comment": (
        _cell("<office:annotation><text:p>99</text:p></office:annotation><text:p>1</text:p>",
              office__value_type="float", office__value="1"),
        ("1", "number"),
    ),
    "error": (
        _cell("<text:p>#REF!</text:p>", office__value_type="string", calcext__value_type="error"),
        ("#REF!", "error"),
    ),
    "error of old": (_float("0", "Err:502"), ("Err:502", "error")),
    "language": (
        _string('<text:p>1<text:span text:style-name="tongue">2</text:span></text:p>'),
        ("12", "text"),
    ),
    "raised": (
        _string('<text:p>1<text:span text:style-name="up">1</text:span></text:p>'),
        ("11", "rich"),
    ),
    "struck": (
        _cell('<text:p><text:span text:style-name="gone">8</text:span></text:p>',
              office__value_type="float", office__value="8"),
        ("8", "rich"),
    ),
    "shows another number": (_float("5", "8"), ("5 8", "odd")),
    "shows decimals": (_float("5", "5.8"), ("5 5.8", "odd")),
    "shows thousands": (_float("5", "1,005"), ("5 1,005", "odd")),
    "shows its number otherwise": (_float("1005", "1.005,00"), ("1005", "number")),
    "shows its number among words": (_float("1005", "£1,005.00 in all"), ("1005", "number")),
    "shows a number of thousands": (_float("5", "5 thousand"), ("5 5 thousand", "odd")),
    "shows about a number": (_float("5", "c. 5"), ("5 c. 5", "odd")),
    "shows a number of another": (_float("5", "5 of 12"), ("5 5 of 12", "odd")),
    "shows a half more": (_float("5", "5.5"), ("5 5.5", "odd")),
    "shows a part as decimals": (_float("50", "5,0"), ("50 5,0", "odd")),
    "shows parts of a number": (_float("12", "1 2"), ("12 1 2", "odd")),
    "shows another number among words": (_float("2", "20 cases"), ("2 20 cases", "odd")),
    "shows a number of another script": (_float("2", "\u0663"), ("2 \u0663", "odd")),
    "shows a zero as nil": (_float("0", "-"), ("0", "number")),
    "shows a zero as not held": (_float("0", "not held"), ("0 not held", "odd")),
    "shows a number as nil": (_float("2", "nil"), ("2 nil", "odd")),
    "shows nothing": (_float("5"), ("5", "number")),
    "shows no room": (_float("5", "###"), ("5", "number")),
    "shows zeros before": (_float("5", "0005"), ("5", "number")),
    "a value without its type": (_cell("<text:p>8</text:p>", office__value="5"), ("5 8", "odd")),
    "a reading over it": (
        _string("<text:p>7<text:ruby><text:ruby-base>2</text:ruby-base><text:ruby-text>1"
              "</text:ruby-text></text:ruby></text:p>"),
        ("7", "odd"),
    ),
    "a note in it": (
        _string("<text:p>7<text:note><text:note-citation>2</text:note-citation></text:note></text:p>"),
        ("7", "odd"),
    ),
    "nothing but a note": (_string("<text:p><text:note/></text:p>"), ("?", "odd")),
    "a list": (
        _string("<text:list><text:list-item><text:p>a</text:p></text:list-item></text:list>"
              "<text:h>b</text:h>"),
        ("a\nb", "text"),
    ),
    "stores another text": (
        _cell("<text:p>8</text:p>", office__value_type="string", office__string_value="5"),
        ("5 8", "odd"),
    ),
    "without its value": (_cell("<text:p>8</text:p>", office__value_type="float"), ("8", "odd")),
    "no number": (_float("NaN"), ("NaN", "odd")),
    "uncalculated": (
        _cell(table__formula="of:=[.B1]"), ("a formula that was never calculated", "formula")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_every_kind_of_cell(name: str, tmp_path: Path) -> None:
    element, (text, kind) = CELLS[name]
    (found,) = _sheet(tmp_path / "a.ods", _row(element)).cells
    assert (found.row, found.column, found.text, found.kind) == (1, 1, text, kind)
    assert (found.doubt is None) == (kind not in {"rich", "odd", "formula"})


def test_a_cell_without_a_style_has_that_of_its_row_or_column(tmp_path: Path) -> None:
    columns = (
        '<table:table-column table:number-columns-repeated="2"/>'
        '<table:table-column table:default-cell-style-name="void"/>'
    )
    one = _float("1")
    rows = _row(one, one, one) + _row(one, default_cell_style_name="void")
    found = _sheet(tmp_path / "a.ods", columns + rows).cells
    assert [(c.address, c.doubt) for c in found if c.doubt] == [
        ("C1", "a value that is struck out"),
        ("A2", "a value that is struck out"),
    ]


def test_a_formula_counts_where_it_gives_what_is_stored(tmp_path: Path) -> None:
    one = _float("1")
    right, wrong = (
        _cell(
            table__formula="of:=SUM([.A1:.B1];[$s.A1])", office__value_type="float", office__value=v
        )
        for v in "30"
    )
    empty = _cell(
        table__formula="of:=&quot;&quot;", office__value_type="string", office__string_value=""
    )
    cells = {
        c.address: c for c in _sheet(tmp_path / "a.ods", _row(one, one, right, wrong, empty)).cells
    }
    assert cells["C1"] == Cell(1, 3, "3", "number")
    assert "expected 3" in (cells["D1"].doubt or "")
    assert "E1" not in cells


def test_places_and_facts(tmp_path: Path) -> None:
    """Repeated, covered and hidden parts put no figure into another cell."""
    one = _float("1")
    two = _float("2", table__number_columns_repeated="2")
    covered = _cell(tag="covered-table-cell", office__value_type="float", office__value="3")
    wide = _float("4", table__number_columns_spanned="2")
    sheet = _sheet(
        tmp_path / "a.ods",
        '<table:table-column/><table:table-column table:visibility="collapse"/>'
        "<table:tracked-changes>" + one + "</table:tracked-changes>"
        "<table:table-header-rows>"
        + _row(one, two, one)
        + "</table:table-header-rows>"
        + _row(_cell(table__number_columns_repeated="3"), one, number_rows_repeated="2")
        + _row(wide, covered, visibility="filter"),
    )
    assert {c.address: c.text for c in sheet.cells} == {
        "A1": "1", "B1": "2", "C1": "2", "D1": "1", "D2": "1", "D3": "1", "A4": "4", "B4": "3",
    }  # fmt: skip
    assert set(sheet.facts) == {
        Fact("hidden_columns", "2:2"), Fact("hidden_row", "4"), Fact("merged", "A4:B4"),
    }  # fmt: skip


def _noted(text: str) -> str:
    return _cell(f"<office:annotation><text:p>{text}</text:p></office:annotation>")


def test_rows_and_columns_that_nobody_sees_are_told(tmp_path: Path) -> None:
    """By their size, or by the group that they stand in; and comments, which nobody reads."""
    folded = '<table:table-{0}-group table:display="false">{1}</table:table-{0}-group>'
    sheet = _sheet(
        tmp_path / "a.ods",
        '<table:table-column/><table:table-column table:style-name="flat"/>'
        + folded.format("column", "<table:table-column/>")
        + _row(_float("1"), _noted("x"), _noted("Found by Muster: S010"), _noted(""))
        + _row(_float("1"), style_name="flat")
        + folded.format("row", _row(_float("1"))),
    )
    assert set(sheet.facts) == {
        Fact("hidden_columns", "2:2"), Fact("hidden_columns", "3:3"),
        Fact("hidden_row", "2"), Fact("hidden_row", "3"), Fact("comment", "B1"),
    }  # fmt: skip


def test_a_figure_that_nobody_can_see_is_told(tmp_path: Path) -> None:
    """By its colour, its size or what is shown of it; in another colour of the cell it is seen."""
    styles = ("pale", "dark", "speck", "at times", "again")
    cells = [_float("5", "5", table__style_name=style) for style in styles]
    zero, void = _float("0", table__style_name="pale"), _cell(table__style_name="pale")
    bare = _cell("<text:p/>", office__value_type="float", office__value="5")
    sheet = _sheet(tmp_path / "a.ods", _row(*cells, zero, void, bare, number_rows_repeated="2"))
    told = {fact.place for fact in sheet.facts if fact.fact == "unseen"}
    assert told == {f"{column}{row}" for column in "ACDEH" for row in (1, 2)}


def _table(inner: str, **attributes: str) -> str:
    told = "".join(
        f' {k.replace("__", ":").replace("_", "-")}="{v}"' for k, v in attributes.items()
    )
    return f"<table:table{told}>{inner}</table:table>"


ONE = _float("1")
FAR = {
    "columns": _row(
        _cell("<text:p>1</text:p>", table__number_columns_repeated="16384")
    ),
    "rows": _row(ONE, number_rows_repeated="1048576"),
    "far out": _row(_cell(table__number_columns_repeated="5000"), ONE),
    "below": _row(_cell(), number_rows_repeated="5000") + _row(ONE),
}  # fmt: skip


@pytest.mark.parametrize("name", FAR)
def test_cells_out_of_bounds_are_refused(name: str, tmp_path: Path) -> None:
    """A few bytes can repeat a cell over a whole sheet."""
    refusal = read_return(
        write_content(tmp_path / "a.ods", _table(FAR[name], table__name="s"))
    ).refusal
    assert refusal is not None
    assert "has something in cell" in refusal.problem


@pytest.mark.parametrize(
    ("tables", "members", "problem", "rule"),
    [
        ("", {}, "lacks its sheets", "S001"),
        (
            _table(_row(_cell(table__number_columns_repeated="-1")), table__name="a"),
            {}, "damaged", "S001",
        ),
        (
            _table(_row(_cell(table__number_columns_repeated="9" * 5000)), table__name="a"),
            {}, "damaged", "S001",
        ),
        (
            _table(f"<table:shapes>{_table(_row(ONE))}</table:shapes>", table__name="a"),
            {}, "holds a table", "S001",
        ),
        (_table(_row(ONE)), {}, "without a name", "S001"),
        (_table("", table__name="a") * 2, {}, "two of one name", "S001"),
        (_table(_row(_cell(_table(_row(ONE)))), table__name="a"), {}, "holds a table", "S001"),
        (_table(_row(ONE)), {"Basic/Standard/Module1.xml": "<a/>"}, "macros", "S006"),
        (_table(_row(ONE)), {"Scripts/python/a.py": "x"}, "macros", "S006"),
        (_table(_row(ONE)), {"xl/workbook.xml": "<a/>"}, "two kinds", "S001"),
        (
            _table(_row(ONE)),
            {"META-INF/manifest.xml": '<m:encryption-data xmlns:m="m"></m:encryption-data>'},
            "password",
            "S001",
        ),
        (
            _table(_row(ONE)),
            {"mimetype": "application/vnd.oasis.opendocument.text"},
            "not a spreadsheet",
            "S001",
        ),
    ],
)  # fmt: skip
def test_what_may_not_be_read_is_refused(
    tables: str, members: dict[str, str], problem: str, rule: str, tmp_path: Path
) -> None:
    refusal = read_return(write_content(tmp_path / "a.ods", tables, **members)).refusal
    assert refusal is not None
    assert problem in refusal.problem
    assert refusal.rule_id == rule


def test_hidden_sheets_and_links_are_told(tmp_path: Path) -> None:
    cached = _table("<table:table-source/>" + _row(ONE), table__name="'file:///b.ods'#$a")
    tables = _table(_row(ONE), table__name="s", table__style_name="away") + cached
    reading = read_return(write_content(tmp_path / "a.ods", tables))
    assert [(s.name, s.facts) for s in reading.sheets] == [("s", (Fact("hidden_sheet", ""),))]
    assert reading.facts == (Fact("external_links", ""),)


def test_a_raised_mark_at_a_count_is_found(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    book = read_return(sample("STF").write(tmp_path / "a.xlsx"))
    at = address_of("registers", "authority.gratuity", "accepted")
    mark = CELLS["raised"][0]
    path = write_ods(tmp_path / "a.ods", book, {("registers", at): mark})
    assert ("S006", "registers", at) in findings_of(path, collection)
