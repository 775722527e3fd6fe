"""A formula counts where recomputing it gives what the file stores, and nowhere else."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.intake.formulas import verified
from assets.intake.grid import moved
from assets.intake.quoting import told
from assets.intake.reader import read_return
from assets.intake.reading import UNCALCULATED, Cell, RawSheet, place
from schemas.collection import Collection
from tests.intake.workbooks import STRUCK, cells, read, rewritten
from tests.returns import SampleReturn, validated

VALUES: dict[str, tuple[str, str]] = {
    "A1": ("3", "number"),
    "A2": ("28", "number"),
    "A3": ("not_held", "text"),
    "A4": ("7", "text"),
    "A5": ("0.5", "percent"),
    "A6": ("2012-06-01", "date"),
    "A7": ("TRUE", "boolean"),
    "A8": ("#REF!", "error"),
    "A10": ("0.1", "number"),
}
OTHER = RawSheet("It's other", (Cell(1, 1, "40", "number"),))


def _found(formula: str, stored: str, kind: str = "number", **more: Cell) -> Cell | None:
    """Return what becomes of a cell with this formula, beside the values above."""
    given = [Cell(*place(a), text, kind) for a, (text, kind) in VALUES.items()]
    asked = Cell(99, 5, stored, kind, None, formula)
    sheet = RawSheet("s", (*given, *more.values(), asked))
    found = {cell.address: cell for cell in verified((sheet, OTHER))[0].cells}
    return found.get("E99")


def _verified(formula: str, stored: str, kind: str = "number", **more: Cell) -> Cell:
    found = _found(formula, stored, kind, **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("28+3", "31"),
        ("3-3", "0"),
        ("A1*0", "0"),
        ("+A2+A1", "31"),
        (" A2 + A1 ", "31"),
        ("$A$2+a$1", "31"),
        ("s!A2+A1", "31"),
        ("S!$A$1", "3"),
        ("'It''s other'!A1+A1", "43"),
        ("'it''s OTHER'!A1*2", "80"),
        ("SUM(A1:A2)", "31"),
        ("SUM(A2:A1)", "31"),
        ("sum(A1:A4)", "31"),
        ("SUM(A1,A2,A3,A9)", "31"),
        ("SUM(A1:B2,10,-A1)", "38"),
        ("SUM('It''s other'!A1:C9)", "40"),
        ("SUM(A7:A7,1)", "1"),
        ("A1+A4", "10"),
        ("A1+A9", "3"),
        ("-A1--A2", "25"),
        ("2*(A1+4)-6/4*2", "11"),
        ("200*A5", "100"),
        ("300*1%*A1", "9"),
        ("A1*1E1", "30"),
        ("A10*30", "3"),
        ("1/3*3", "1"),
        ("1/3", "0.333333333333333"),
        ("A1-A2", "-25"),
        ("MAX(A1:A2)-MIN(A1:A2)", "25"),
        ("PRODUCT(A1:A2)", "84"),
        ("ABS(A1-A2)", "25"),
        ("INT(A2/A1)", "9"),
        ("INT(-A2/A1)", "-10"),
        ("ROUND(A2/A1,0)", "9"),
        ("ROUND(2.5,0)+ROUND(-2.5,0)+ROUND(25,-1)", "30"),
        ("(((A1)))", "3"),
        ("SUM([.A1:.$A$2])", "31"),
        ("[.A2]+[$s.A1]", "31"),
        ("SUM([.A1:.A2];[$'It''s other'.$A$1])", "71"),
        ("SUM([$'It''s other'.A1:.B2]~[.A1])", "43"),
        ("SUM([$s.A1:$s.A2];10;-[.A1])", "38"),
        ('IF(COUNT([.A1:.A2])=0;"";SUM([.A1:.A2]))', "31"),
    ],
)
def test_plain_arithmetic_is_recomputed(formula: str, result: str) -> None:
    right = _verified(formula, result)
    assert (right.text, right.doubt, right.formula) == (result, None, None)
    wrong = _verified(formula, "1234")
    assert wrong.doubt == f"a formula with the stored result 1234; expected {result}"
    never = _verified(formula, UNCALCULATED, "formula")
    assert never.doubt == f"{UNCALCULATED}; it would give {result}"


@pytest.mark.parametrize(
    "formula",
    [
        "", "{28+3}", "{}",
        "IF(A1>0,31,0)", "A1&A2", "A1=A2", "A1^2", "3^2", "SUM(A:A)", "SUM(1:2)",
        "A1:A2", "SUM(A1:A2 A2:A3)", "A1 A2", "SUM(A1:A2:A3)", "SUM(,A1)", "SUM()", "SUM(A1,)",
        "total", "total+1", "[1]s!A1", "'[1]s'!A1", "'C:\\[b.xlsx]s'!A1", "gone!A1", "s:t!A1",
        "SUM(s:t!A1)", "#REF!+1", "A1+#REF!", "A3+1", "A8", "A8+1", "SUM(A1:A8)", "A6+1", "A7+1",
        "SUM(A6)", "1/0", "A1/A9", "NOW()", "TODAY()-A1", "RAND()", "OFFSET(A1,1,0)",
        "INDIRECT(\"A1\")", "SUBTOTAL(9,A1:A2)", "SUMIF(A1:A2,3)", "AVERAGE(A1:A2)",
        "_xlfn.SUM(A1)",
        "A1+", "*A1", "(A1", "A1)", "A1,A2", "ROUND(A1)", "ROUND(1,A10)", "ROUND(1,99)", "ABS(1,2)",
        "Table1[x]", "@A1", "A1#", "A0", "AAAA1", "1_0", "1..2", "\uff13+1", "\"a", "E99", "E99+1",
        "[.#REF!]+1", "SUM([s.A1:t.A2])", "[A1]", "[.A1", ".A1", "!A1", "A1:.A2", "[.A1:A2]",
        "['file:///b.ods'#$s.A1]", "SUM([.A1:.A2]![.A1])", "SUM([.A1.A2])", "[s!A1]", "s.A1",
        "1E308*1E308", "A1;A2", "R[1]C[1]", "TRUE", "0x1F", "1e9999",
    ],
)  # fmt: skip
def test_what_is_more_than_that_is_never_believed(formula: str) -> None:
    found = _verified(formula, "31")
    assert found.text == "31"
    assert found.doubt is not None
    assert "stored result 31; the expected result cannot be recomputed" in found.doubt


@pytest.mark.parametrize(
    "formula",
    [
        "A9", "-A9", "A9+B9", "SUM(B1:D9)", "SUM(A3:A4)", "SUM(A9)*SUM(A9,B9)", "MAX(A3)", "A9+0",
        "A9*1", "0+SUM(B1:D9)", "ROUND(A9,0)",
    ],
)  # fmt: skip
def test_no_zero_is_made_of_blanks_and_words(formula: str) -> None:
    """The sum of not_held and not_held is 0 in a spreadsheet, and missing here."""
    found = _verified(formula, "0")
    assert "no result is expected" in (found.doubt or "")


def test_a_number_stored_as_a_text_is_believed_where_it_is_right() -> None:
    for stored, believed in (("31", True), ("30", False), ("1,234", False)):
        found = _verified("A1+A2", stored, "text")
        assert (found.doubt is None) == believed


def test_texts_and_dates_are_believed_where_they_are_copied() -> None:
    for formula, text, kind in [
        ("A3", "not_held", "text"),
        ('"yes"', "yes", "text"),
        ('"say ""yes"""', 'say "yes"', "text"),
        ("A6", "2012-06-01", "date"),
        ("A7", "TRUE", "boolean"),
    ]:
        right = _verified(formula, text, kind)
        assert right.doubt is None
        wrong = _verified(formula, "no", kind)
        assert f"expected {told(text)}" in (wrong.doubt or "")


def test_a_formula_that_gives_an_empty_text_is_a_blank() -> None:
    assert _found('IF(A1=0,"",A1)', "", "text") is None
    assert _found("28+3", "", "text") is None
    assert _found('""', UNCALCULATED, "formula") is None


def test_results_that_others_rest_on_are_recomputed_too() -> None:
    """A writer that stores 0 in every formula stores the same 0 in their sum."""
    part = Cell(50, 1, "0", "number", None, "A1+A2")
    found = _verified("SUM(A50)", "0", part=part)
    assert found.doubt == "a formula with the stored result 0; expected 31"
    found = _verified("A50*2", "62", part=part._replace(text="", kind="text"))
    assert found.doubt is None


def test_circles_end() -> None:
    one, two = (Cell(50 + n, 1, "0", "number", None, f"A{51 - n}+1") for n in range(2))
    for formula in ("A50", "SUM(A50:A51)", "E99+A1", "SUM(E1:E100)"):
        found = _verified(formula, "0", one=one, two=two)
        assert "cannot be recomputed" in (found.doubt or "")


def test_running_totals_are_recomputed_however_long() -> None:
    column = [Cell(1, 1, "1", "number")]
    column += [Cell(n, 1, str(n), "number", None, f"A{n - 1}+1") for n in range(2, 1000)]
    assert not any(c.doubt for c in verified((RawSheet("s", tuple(column)),))[0].cells)


@pytest.mark.parametrize(
    "formula",
    ["(" * 4000 + "1" + ")" * 4000, "-" * 8000 + "1", "SUM(" * 2000 + "1" + ")" * 2000,
     "*".join(["1E99"] * 900), "+".join(["1/3"] * 4000), "A1:" * 2000, "'" * 8000, "1" * 8000],
)  # fmt: skip
def test_no_formula_takes_long(formula: str) -> None:
    found = _verified(formula, "31")
    assert found.doubt


def test_many_formulas_over_wide_ranges_take_no_time() -> None:
    wide = tuple(
        Cell(row, column, "1", "number", None, f"SUM(A{row + 1}:CV2000)")
        for row in range(1, 200)
        for column in range(1, 101)
    )
    assert all(cell.doubt for cell in verified((RawSheet("s", wide),))[0].cells)


def test_a_long_formula_shared_by_many_cells_takes_neither_time_nor_memory(tmp_path: Path) -> None:
    long = "+".join(["A1"] * 2500)
    first = f'<c r="A1"><v>1</v></c><c r="B1"><f t="shared" si="0">{long}</f><v>2500</v></c>'
    more = "".join(
        f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="B{n}"><f t="shared" si="0"/><v>9</v></c></row>'
        for n in range(2, 2000)
    )
    found = cells(read(tmp_path, f'<row r="1">{first}</row>{more}'))
    assert found["B1"].doubt is None
    assert all(found[f"B{n}"].doubt for n in range(2, 2000))


def test_what_is_in_doubt_gives_nothing() -> None:
    part = Cell(50, 1, "8", "text", "two values")
    found = _verified("A50+1", "9", part=part)
    assert found.doubt


_Known = tuple[str, Fraction | None]
_LEAVES = st.one_of(
    st.integers(0, 50).map(lambda n: (str(n), Fraction(n))),
    st.sampled_from([("A1", Fraction(3)), ("A2", Fraction(28)), ("SUM(A1:A2)", Fraction(31))]),
)


def _joined(parts: tuple[_Known, str, _Known]) -> _Known:
    (left, one), sign, (right, two) = parts
    if one is None or two is None or (sign == "/" and not two):
        return f"({left}{sign}{right})", None
    results = {"+": one + two, "-": one - two, "*": one * two}
    return f"({left}{sign}{right})", results[sign] if sign != "/" else one / two


@given(
    st.recursive(
        _LEAVES,
        lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(_joined),
        max_leaves=12,
    )
)
def test_arithmetic_is_exact(known: _Known) -> None:
    formula, expected = known
    stored = "1" if expected is None else f"{float(expected):.17g}"
    found = _verified(formula, stored)
    assert (found.doubt is None) == (expected is not None)
    far = _verified(formula, f"{float(expected or 0) + 1:.17g}")
    assert far.doubt is not None


@pytest.mark.parametrize(
    ("formula", "there"),
    [
        ("SUM(C6:D6)", "SUM(E9:F9)"),
        ("$C$6+$C6+C$6", "$C$6+$C9+E$6"),
        ("'C6'!C6+C6!C6", "'C6'!E9+C6!E9"),
        ('"C6"&C6', '"C6"&E9'),
        ("LOG10(C6)", "LOG10(E9)"),
        ("Z1+AZ1+ZZ1", "AB4+BB4+AAB4"),
    ],
)
def test_shared_formulas_move_with_their_cell(formula: str, there: str) -> None:
    assert moved(formula, 3, 2) == there
    assert moved("B2+A2", -2, -1) == "#REF!+#REF!"


def test_formulas_of_a_file_are_verified_in_every_form(tmp_path: Path) -> None:
    rows = (
        "<row><c><v>1</v></c><c><v>2</v></c>"
        '<c><f t="shared" si="0" ref="C1:C3">A1+B1</f><v>3</v></c></row>'
        '<row><c><v>4</v></c><c><v>5</v></c><c><f t="shared" si="0"/><v>9</v></c></row>'
        '<row><c><v>6</v></c><c><v>7</v></c><c><f t="shared" si="0"/><v>9</v></c></row>'
        '<row><c><f t="shared" si="7"/><v>9</v></c></row>'
        '<row><c><f t="array" ref="A5:B6">A1:B2</f><v>1</v></c><c><v>2</v></c></row>'
        "<row><c><v>4</v></c><c><v>5</v></c><c><v>6</v></c></row>"
        '<row><c><f t="dataTable" ref="A7:A8"/><v>5</v></c></row><row><c><v>5</v></c></row>'
        '<row><c t="str"><f>b!A1</f><v>yes</v></c><c><f>1</f></c><c><f></f><v>2</v></c></row>'
        f'<row><c s="{STRUCK}"><f>1+1</f><v>2</v></c><c t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    )
    other = '<row><c t="inlineStr"><is><t>yes</t></is></c></row>'
    found = cells(read(tmp_path, rows, other))
    assert {a for a, cell in found.items() if cell.doubt} == {
        "C3", "A4", "A5", "B5", "A6", "B6", "A7", "A8", "B9", "C9", "A10", "B10",
    }  # fmt: skip
    assert "expected 13" in (found["C3"].doubt or "")
    assert "it would give 1" in (found["B9"].doubt or "")


STRUCK_RUN = "<r><rPr><strike/></rPr><t>1</t></r>"


def _totals(stored: str | None) -> Callable[[str], str]:
    """Put sums into the cells of totals, with the results that a writer stores."""

    def change(part: str) -> str:
        def cell(match: re.Match[str]) -> str:
            start, row, value = match.groups()
            return f"{start}<f>SUM(C{row}:G{row})</f><v>{stored or value}</v></c>"

        return re.sub(r'(<c r="H(\d+)" s="\d+">)<v>(\d+)</v></c>', cell, part)

    return change


@pytest.mark.parametrize("stored", [None, "0"])
def test_a_return_whose_totals_are_formulas(
    stored: str | None,
    sample: Callable[[str], SampleReturn],
    tmp_path: Path,
    collection: Collection,
) -> None:
    plain = sample("STF").write(tmp_path / "plain.xlsx")
    path = rewritten(plain, tmp_path / "sums.xlsx", "xl/worksheets/sheet2.xml", _totals(stored))
    assert plain.read_bytes() != path.read_bytes()
    before = validated(read_return(plain), collection)
    after = validated(read_return(path), collection)
    if stored is None:
        assert after.entries.equals(before.entries)
        assert after.findings.is_empty()
        return
    totals = before.entries.filter(
        (pl.col("sheet") == "investigations")
        & (pl.col("column_code") == "total")
        & pl.col("number").is_not_null()
    )
    expected = {
        (cell, f"the cell holds a formula with the stored result 0; expected {number}")
        for cell, number in totals.select("cell", "number").iter_rows()
        if number
    }
    found = after.findings.filter(pl.col("rule_id") == "S006")
    assert set(found.select("cell", "message").iter_rows()) == expected
    assert set(found["severity"]) == {"B"}
    read = after.entries.join(totals.select("cell"), on="cell", how="semi")
    assert read.filter(pl.col("sheet") == "investigations")["number"].sum() == 0


@pytest.mark.parametrize(
    ("sheet", "cell", "content", "rule"),
    [
        (3, "C6", '><f>28+3</f><v>0</v>', "S006"),
        (3, "C6", '><f>28+3</f>', "S006"),
        (3, "C6", ' t="str"><f>28+3</f><v></v>', "S010"),
        (3, "C6", '><v>8</v><v>5</v>', "S006"),
        (3, "C6", f' t="inlineStr"><is><r><t>3</t></r>{STRUCK_RUN}</is>', "S006"),
        (5, "C6", ' t="str"><f>A1</f><v>yes</v>', "S006"),
        (5, "C6", ' t="inlineStr"><is><r><t>ye</t></r><r><rPr><b/></rPr><t>s</t></r></is>', "S006"),
        (1, "C17", ' t="str"><f>VLOOKUP(A1,B1:C9,2)</f><v>DI Smith</v>', "S006"),
        (1, "C17", ' t="inlineStr"><is><r><t>Hea</t></r><r><rPr><b/></rPr><t>d</t></r></is>', None),
        (3, "B6", ' t="inlineStr"><is><r><t>Gi</t></r><r><rPr><b/></rPr><t>fts</t></r></is>', None),
        (3, "G6", '><f>NOW()</f><v>0</v>', None),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_found_at_its_cell(
    sheet: int,
    cell: str,
    content: str,
    rule: str | None,
    sample: Callable[[str], SampleReturn],
    tmp_path: Path,
    collection: Collection,
) -> None:
    def change(part: str) -> str:
        made, count = re.subn(rf'<c r="{cell}"[^>]*>.*?</c>', f'<c r="{cell}"{content}</c>', part)
        return (
            made if count else re.sub(r'(?=</row><row r="7")', f'<c r="{cell}"{content}</c>', part)
        )

    path = sample("STF").write(tmp_path / "STF.xlsx")
    rewritten(path, path, f"xl/worksheets/sheet{sheet}.xml", change)
    found = validated(read_return(path), collection).findings
    at_cell = found.filter((pl.col("cell") == cell) & (pl.col("severity") == "B"))
    assert at_cell["rule_id"].to_list() == ([rule] if rule else []), found
    assert "Smith" not in "".join(at_cell["message"])


FIELD = Path(__file__).parents[3] / "shared/field/workbooks"


@pytest.mark.skipif(not FIELD.is_dir(), reason="the inputs from the field are not here")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("01_strict", []),
        ("02_no_cell_refs", []),
        ("12_date_with_time", []),
        ("13b_float", []),
        ("15a_answer_x000D", []),
        ("16a_formula_cached0", ["C6", "D6", "E6"]),
        ("16d_formula_stale", ["C6"]),
        ("71_style_index_out_of_range", []),
        ("73_core_bad_date", []),
        ("86e_footnote_register_row", ["C8", "E8"]),
    ],
)
def test_inputs_from_the_field(name: str, expected: list[str], collection: Collection) -> None:
    found = validated(read_return(FIELD / f"{name}.xlsx"), collection).findings
    assert found["cell"].to_list() == expected
    assert set(found["rule_id"]) <= {"S006"}
