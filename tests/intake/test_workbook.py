"""A workbook is read as it stands, whoever wrote it; what could be read two ways is in doubt."""

import random
import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from assets.intake.container import Container
from assets.intake.reader import read_return
from assets.intake.reading import Fact, RawSheet, RefusedError
from assets.intake.workbook import read_workbook
from schemas.collection import Collection
from tests.intake.workbooks import (
    DAY,
    DAYS,
    FAULTY,
    MAIN,
    MOMENT,
    NOT_STRUCK,
    OFFICE,
    PERCENT,
    RAISED,
    STRUCK,
    cells,
    parts,
    read,
    row,
    strict,
    write,
)
from tests.returns import SampleReturn

Change = Callable[[str, str], str]


def _packed(members: dict[str, str]) -> Container:
    """Return parts under whatever names, as the preflight lets them through."""
    return Container("workbook", {name: text.encode() for name, text in members.items()})


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> list[Path]:
    folder = tmp_path_factory.mktemp("samples")
    return [SampleReturn.of(c, collection).write(folder / f"{c}.xlsx") for c in ("STF", "DER")]


def _members(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _texts(sheets: tuple[RawSheet, ...]) -> dict[str, dict[str, tuple[str, str]]]:
    return {s.name: {c.address: (c.text, c.kind) for c in s.cells} for s in sheets}


def _as_openpyxl_reads(path: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """Return the cells as another program finds them, in our words for kinds."""
    book = load_workbook(path, data_only=True)
    return {
        sheet.title: {
            cell.coordinate: _kind(cell)
            for cells in sheet.iter_rows()
            for cell in cells
            if cell.value is not None
        }
        for sheet in book.worksheets
    }


def _kind(cell: Any) -> tuple[str, str]:
    if cell.is_date:
        return cell.value.date().isoformat(), "date"
    if cell.data_type == "b":
        return str(cell.value).upper(), "boolean"
    kind = {"n": "percent" if "%" in cell.number_format else "number", "e": "error"}
    return str(cell.value), kind.get(cell.data_type, "text")


def test_samples_read_as_another_program_reads_them(sample_folder: Path) -> None:
    for path in sorted(sample_folder.glob("*.xlsx"))[::7]:
        sheets = read_return(path).sheets
        assert _texts(sheets) == _as_openpyxl_reads(path)
        marked = [c for s in sheets for c in s.cells if c.doubt and "recomputed" not in c.doubt]
        assert marked == []


_VALUES = st.one_of(
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.dates(min_value=date(1950, 1, 1)),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(
        lambda text: not re.search("^[=#]|_x|^ *$|\ufffe|\uffff", text)
    ),
)


@given(st.lists(_VALUES, min_size=1, max_size=20), st.booleans())
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_values_read_as_another_program_reads_them(
    tmp_path: Path, values: list[Any], mac: bool
) -> None:
    book = Workbook()
    if mac:
        book.epoch = CALENDAR_MAC_1904
    for number, value in enumerate(values):
        book.active.cell(number + 1, number % 7 + 1, value)
    path = tmp_path / "any.xlsx"
    book.save(path)
    theirs = {
        place: (re.sub(r"\.0$", "", text) if kind == "number" else text, kind)
        for place, (text, kind) in _as_openpyxl_reads(path)["Sheet"].items()
    }
    ours = _texts(read_return(path).sheets)["Sheet"]
    assert {p: (_same(t, k), k) for p, (t, k) in ours.items()} == {
        p: (_same(t, k), k) for p, (t, k) in theirs.items()
    }


def _same(text: str, kind: str) -> object:
    return float(f"{float(text):.15g}") if kind == "number" else text


def _without_addresses(_: str, part: str) -> str:
    """Leave out the address of each cell that stands right of the last one."""
    out = []
    for piece in re.split(r"(<row.*?</row>)", part):
        last, made = 0, piece
        for match in re.finditer(r'<c r="([A-Z])\d+"', piece):
            column = ord(match[1]) - ord("A") + 1
            if column == last + 1:
                made = made.replace(match[0], "<c", 1)
            last = column
        out.append(made)
    return "".join(out)


def _pieces(_: str, part: str) -> str:
    """Part every value by a comment, and write its last character as a reference."""
    return re.sub(
        r"<(v|t)>([^<&]*)([^<&])</",
        lambda m: f"<{m[1]}><![CDATA[{m[2]}]]><!-- 7 -->&#x{ord(m[3]):x};</",
        part,
    )


def _prefixed(name: str, part: str) -> str:
    if "worksheets/" not in name and not name.endswith("sharedStrings.xml"):
        return part
    named = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", part)
    return named.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')


def _in_runs(_: str, part: str) -> str:
    """Write shared strings with marks of pronunciation, and in runs that look the same."""
    return re.sub(
        r"<si><t>([^<]+?)([^<])</t></si>",
        r"<si><r><rPr><b/><sz val='9'/></rPr><t xml:space='preserve'>\1</t></r>"
        r"<r><rPr><sz val='9'/><b val='1'/></rPr><t>\2</t></r>"
        r"<rPh sb='0' eb='1'><t>99</t></rPh><phoneticPr fontId='1'/></si>",
        part,
    )


CHANGES: dict[str, Change] = {
    "no addresses": _without_addresses,
    "comments, CDATA and references": _pieces,
    "a prefix": _prefixed,
    "strict": lambda _, p: strict(p),
    "runs that look the same": _in_runs,
    "properties": lambda n, p: p.replace("2012-01-01T00", "31/31/12") if "core" in n else p,
    "damaged properties": lambda n, p: p[:80] if n.startswith("docProps/") else p,
    "a damaged theme": lambda n, p: p[:-9] if "theme" in n else p,
    "a faulty font": lambda n, p: (
        re.sub('<sz val="11"/>', '<sz val="big"/>', p) if "styles" in n else p
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_same_return_written_otherwise_reads_the_same(
    name: str, samples: list[Path], tmp_path: Path
) -> None:
    for sample in samples:
        members = {part: CHANGES[name](part, text) for part, text in _members(sample).items()}
        assert members != _members(sample)
        assert read_return(write(tmp_path, members)).sheets == read_return(sample).sheets


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.upper(),
        lambda name: name.replace("/", "\\"),
        lambda name: name.replace("workbook.xml", "workbook2.xml"),
        lambda name: name.replace("sharedStrings", "strings of 2012").replace("xl/", "Office/"),
    ],
    ids=["case", "backslashes", "workbook2", "another folder"],
)
def test_parts_are_found_by_what_refers_to_them(
    rename: Callable[[str], str], samples: list[Path]
) -> None:
    members = _members(samples[0])
    links = {
        name: text.replace("xl/workbook.xml", rename("xl/workbook.xml")).replace(
            "sharedStrings.xml", "strings%20of%202012.xml"
        )
        if "strings of" in rename("xl/sharedStrings.xml")
        else text.replace("xl/workbook.xml", rename("xl/workbook.xml"))
        for name, text in members.items()
        if name.endswith(".rels")
    }
    made = _packed({rename(name): text for name, text in {**members, **links}.items()})
    assert read_workbook(made) == read_workbook(_packed(members))
    linked = _packed({**members, r"xl\externalLinks\x.xml": ""})
    assert read_workbook(linked).facts == (Fact("external_links", ""),)


RUN = "<r><rPr>{}</rPr><t>{}</t></r>"
OWN = RUN.format('<sz val="11"/><rFont val="Arial"/><family val="2"/>', 1)
"""A run in the font of its cell, which programs spell out in every run but the first."""

SECOND_BOOK = f'<Relationship Id="2" Type="{OFFICE}/officeDocument" Target="b.xml"/>'


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("_rels/.rels", "</Relationships>", f"{SECOND_BOOK}</Relationships>"),
        ("xl/_rels/workbook.xml.rels", '"texts" ', '"a" '),
        ("xl/_rels/workbook.xml.rels", "worksheets/a.xml", "worksheets/gone.xml"),
        ("xl/_rels/workbook.xml.rels", "texts.xml", "gone.xml"),
        ("xl/_rels/workbook.xml.rels", "/worksheet\"", "/chartsheet\""),
        ("xl/workbook.xml", "r:id=", "id="),
        ("xl/workbook.xml", '<sheet name="a"', "<sheet"),
        ("xl/worksheets/a.xml", MAIN, "urn:other"),
        ("xl/worksheets/a.xml", "<sheetData>", "<sheetData><c><v>1</v></c>"),
        ("xl/worksheets/a.xml", "<sheetData>", '<sheetData><row r="0"><c><v>1</v></c></row>'),
        ("xl/worksheets/a.xml", "<sheetData>", '<sheetData><row r="-1"><c><v>1</v></c></row>'),
        ("xl/worksheets/a.xml", '<c r="B1"', '<c r="A1"'),
        ("xl/worksheets/a.xml", '<c r="B1"', '<c r="B2"'),
        ("xl/worksheets/a.xml", '<c r="B1"', '<c r="1"'),
        ("xl/worksheets/a.xml", '<c r="B1"', '<c r="b1"'),
        ("xl/worksheets/a.xml", "</row>", '</row><row r="1"><c><v>2</v></c></row>'),
        ("xl/worksheets/a.xml", "</row>", '</row><row r="2001"><c><v>2</v></c></row>'),
        ("xl/worksheets/a.xml", "</row>", '</row><row r="2"><c r="CW2"><v>2</v></c></row>'),
        ("xl/texts.xml", "<sst", '<!DOCTYPE sst [<!ENTITY a "b">]><sst'),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_together_are_refused(
    part: str, old: str, new: str, tmp_path: Path
) -> None:
    made = parts(row("><v>1</v>", "><v>2</v>"))
    assert old in made[part]
    made[part] = made[part].replace(old, new, 1)
    refusal = read_return(write(tmp_path, made)).refusal
    assert refusal is not None
    assert refusal.fix


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "koi8-r"])
def test_entities_are_refused_in_parts_of_any_name(encoding: str, tmp_path: Path) -> None:
    """Which parts hold cells is for the workbook to say, and a part says how it is encoded."""
    made = parts(row("><v>1</v>"))
    head = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "9">]>'
    sheet = head + made.pop("xl/worksheets/a.xml").replace(">1<", ">&b;<")
    links = "xl/_rels/workbook.xml.rels"
    made[links] = made[links].replace("a.xml", "a.dat")
    path = write(tmp_path, made)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/worksheets/a.dat", sheet.encode(encoding))
    refusal = read_return(path).refusal
    assert refusal is not None
    assert "entities" in refusal.problem


def test_cells_without_an_address_follow_the_last_one(tmp_path: Path) -> None:
    rows = (
        '<row><c><v>1</v></c><c/><c><v>3</v></c></row><row r="4"><c r="B4"><v>4</v></c>'
        "<c><v>5</v></c></row><row/><row><c><v>6</v></c></row>"
    )
    found = {a: c.text for a, c in cells(read(tmp_path, rows)).items()}
    assert found == {"A1": "1", "C1": "3", "B4": "4", "C4": "5", "A6": "6"}


@pytest.mark.parametrize(
    ("cell", "text", "kind"),
    [
        ("><v>31</v>", "31", "number"),
        (' t="n"><v> 31\n</v>', "31", "number"),
        ("><v>3.1E1</v>", "31", "number"),
        ("><v>31.000000000000004</v>", "31", "number"),
        ("><v>30.999999999999996</v>", "31", "number"),
        ("><v>31.0000001</v>", "31.0000001", "number"),
        ("><v>31.00000000001</v>", "31.00000000001", "number"),
        ("><v>-0.0</v>", "0", "number"),
        ("><v>1e300</v>", "1e+300", "number"),
        (f' s="{PERCENT}"><v>0.5</v>', "0.5", "percent"),
        (f' s="{DAYS}"><v>31</v>', "31", "number"),
        (f' s="{FAULTY}"><v>31</v>', "31", "number"),
        (' s="-1"><v>31</v>', "31", "number"),
        (' s="x"><v>31</v>', "31", "number"),
        (f' s="{NOT_STRUCK}"><v>31</v>', "31", "number"),
        (f' s="{DAY}"><v>41061</v>', "2012-06-01", "date"),
        (f' s="{MOMENT}"><v>41061.604166666664</v>', "2012-06-01T14:30:00", "date"),
        (f' s="{DAY}"><v>1e99</v>', "#VALUE!", "error"),
        (' t="d"><v>2012-06-01T00:00:00</v>', "2012-06-01", "date"),
        (' t="d"><v>2012-06-01T14:30:00Z</v>', "2012-06-01T14:30:00", "date"),
        (' t="b"><v>1</v>', "TRUE", "boolean"),
        (' t="b"><v>false</v>', "FALSE", "boolean"),
        (' t="e"><v>#REF!</v>', "#REF!", "error"),
        (' t="str"><v> x </v>', " x ", "text"),
        (' t="s"><v>0</v>', "plain", "text"),
        (' t="s"><v>1</v>', "12", "text"),
        (' t="inlineStr"><is><t>in</t></is>', "in", "text"),
        (' t="inlineStr"><is><r><t>3</t></r><r><t>1</t></r></is>', "31", "text"),
        (f' t="inlineStr"><is><r><t>3</t></r>{OWN}</is>', "31", "text"),
        (f' t="inlineStr"><is>{OWN}{OWN}</is>', "11", "text"),
        (' t="inlineStr"><is><t>yes_x000D_</t></is>', "yes\r", "text"),
        (' t="inlineStr"><is><t>_x005F_x000D_</t></is>', "_x000D_", "text"),
        (' t="inlineStr"><is><t>_xD83D__xDE00__xD83D_</t></is>', "\U0001f600\ufffd", "text"),
        (' t="str"><v>a_x0041_b_x00e4_</v>', "aAbä", "text"),
        ("><v>8</v><extLst><ext><v>5</v></ext></extLst>", "8", "number"),
    ],
)  # fmt: skip
def test_a_cell_is_what_it_says(cell: str, text: str, kind: str, tmp_path: Path) -> None:
    texts = (
        "<si><t>plain</t></si>"
        '<si><r><rPr><b/></rPr><t>1</t></r><r><rPr><b val="true"/></rPr><t>2</t></r>'
        '<rPh sb="0" eb="1"><t>3</t></rPh></si>'
    )
    found = cells(read(tmp_path, row(cell), texts=texts))["A1"]
    assert (found.text, found.kind, found.doubt) == (text, kind, None)


def _shown_by(code: str) -> str:
    """Return styles whose first has that number format."""
    escaped = escape(code, {'"': "&quot;"})
    return (
        f'<numFmts><numFmt numFmtId="164" formatCode="{escaped}"/></numFmts>'
        "<cellXfs><xf numFmtId='164'/></cellXfs>"
    )


@pytest.mark.parametrize(
    ("code", "twelve", "zero"),
    [
        ("#,##0", True, True),
        ('_-* #,##0_-;-* #,##0_-;_-* "-"??_-;_-@_-', True, True),
        ("[$-809]#\\,##0.00;[Red]0;", True, True),
        ('[$£-809]0" cases"', True, True),
        ('"Total "General', True, True),
        ('0;0;"nil"', True, True),
        ("@", True, True),
        ('_-"£"* #,##0_-;-"£"* #,##0_-;_-"£"* "-"??_-;_-@_-', True, True),
        ("General;-General;0", True, True),
        ("#\\ ##0", True, True),
        ("[$€-2] #,##0.00_);(#,##0.00)", True, True),
        ("# ?/?", True, True),
        ('0" non-crime cases"', True, True),
        ('[=0]"";General', True, True),
        (";;;", False, True),
        ("0,", False, True),
        ("0 0", False, False),
        ("0-0", False, False),
        ('0" "0', False, False),
        ("0\\.0", False, False),
        ("0\\,0", False, False),
        ("0/1", False, False),
        ("0.0E+00", False, False),
        ("0[$0]", False, False),
        ("0*0", False, False),
        ("0[$k-809]", False, True),
        ('0" thousand"', False, True),
        ('"c. "0', False, True),
        ('"<"0', False, True),
        ("(0)", False, True),
        ("-0", False, True),
        ("0;0;yyyy", True, False),
        ('#,##0.0,,"m"', False, True),
        ('"nil"', False, True),
        ('0;-0;"n/a"', True, False),
        ('0"5"', False, False),
        ("1\\0", False, False),
        ('[Red][<5]"<5";0', False, False),
    ],
)
def test_a_number_that_its_format_shows_as_something_else_is_in_doubt(
    code: str, twelve: bool, zero: bool, tmp_path: Path
) -> None:
    found = cells(read(tmp_path, row("><v>12</v>", "><v>0</v>"), styles=_shown_by(code)))
    assert [(c.text, c.kind, c.doubt is None) for c in found.values()] == [
        ("12", "number", twelve),
        ("0", "number", zero),
    ]


@pytest.mark.parametrize(
    ("code", "is_seen"),
    [("@", True), ("0;-0;;@", True), ('0" cases"', True), ("yyyy", True),
     ('_-"£"* #,##0_-;_-@_-', True),
     (";;;", False), ('@"0"', False), ('0;0;0;"not held"', False), ('@" thousand"', False)],
)  # fmt: skip
def test_a_text_that_its_format_shows_as_something_else_is_in_doubt(
    code: str, is_seen: bool, tmp_path: Path
) -> None:
    found = cells(
        read(tmp_path, row(' t="str"><v>12</v>', ' t="s"><v>0</v>'), styles=_shown_by(code),
             texts="<si><t>12</t></si>")
    )  # fmt: skip
    assert [(c.text, c.kind, c.doubt is None) for c in found.values()] == [
        ("12", "text", is_seen), ("12", "text", is_seen),
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["e", "gge", "bbbb", "d", "[$-411]ggge"])
def test_a_number_shown_as_a_year_is_a_date(code: str, tmp_path: Path) -> None:
    """Of 2012 a person reads the year of a day in 1905."""
    found = cells(read(tmp_path, row("><v>2012</v>"), styles=_shown_by(code)))
    assert found["A1"].kind == "date"


@pytest.mark.parametrize("code", ["0\\", "0_", "0*", '0"', "[X", ""])
def test_a_format_that_does_not_end_leaves_the_others(code: str, tmp_path: Path) -> None:
    """All looks after it were lost, and 100% was read as 1."""
    escaped = escape(code, {'"': "&quot;"})
    styles = (
        f'<numFmts><numFmt numFmtId="164" formatCode="{escaped}"/></numFmts>'
        "<fonts><font><strike/></font></fonts>"
        "<cellXfs><xf numFmtId='164'/><xf numFmtId='9' fontId='7'/><xf/></cellXfs>"
    )
    found = cells(read(tmp_path, row(' s="1"><v>1</v>', ' s="2"><v>3</v>'), styles=styles))
    assert [(c.text, c.kind) for c in found.values()] == [("1", "percent"), ("3", "rich")]


def test_a_workbook_of_1904_counts_days_from_there(tmp_path: Path) -> None:
    since_1904 = read(tmp_path, row(f' s="{DAY}"><v>39599</v>'), book='<workbookPr date1904="1"/>')
    assert cells(since_1904)["A1"].text == "2012-06-01"
    before_march = read(tmp_path, row(f' s="{DAY}"><v>59</v>', f' s="{DAY}"><v>61</v>'))
    assert [c.text for c in cells(before_march).values()] == ["1900-02-28", "1900-03-01"]


def test_styles_that_are_damaged_or_gone_carry_no_figure(tmp_path: Path) -> None:
    whole = parts(row(f' s="{DAY}"><v>41061</v>', ' s="77"><v>5</v>'))
    gone = {name: text for name, text in whole.items() if name != "xl/looks.xml"}
    damaged = {
        **gone,
        "xl/looks.xml": f'<styleSheet xmlns="{MAIN}"><fonts><q:font/></fonts></styleSheet>',
    }
    for members in (gone, damaged):
        assert [c.text for c in cells(read_return(write(tmp_path, members))).values()] == [
            "41061",
            "5",
        ]
    assert [c.text for c in cells(read_return(write(tmp_path, whole))).values()] == [
        "2012-06-01",
        "5",
    ]


LOWERED = RUN.format('<vertAlign val="subscript"/>', "2")
TWO = "<r><t>1</t></r>" + RUN.format('<vertAlign val="superscript"/>', "1")


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("><v>8</v><v>5</v>", "more than one value ('8', '5')"),
        ("><v>8</v><v/>", "more than one value"),
        ("><v>8<b>5</b></v>", "more than one value"),
        ("><v>8</v><x>5</x>", "more than one value"),
        (">5<v>8</v>", "more than one value"),
        ("><f>1+7</f><f>2+6</f><v>8</v>", "more than one value"),
        (' t="inlineStr"><v>8</v><is><t>5</t></is>', "more than one value"),
        (' t="inlineStr"><is><t>8</t></is><is><t>5</t></is>', "more than one value"),
        (' t="inlineStr"><is><t>8</t><t>5</t></is>', "unusual way"),
        (' t="inlineStr"><is><t>8</t><r><t>5</t></r></is>', "unusual way"),
        (' t="inlineStr"><is><r><t>8</t><t>5</t></r></is>', "unusual way"),
        (' t="inlineStr"><is><r><t>8</t><rPr><strike/></rPr></r></is>', "unusual way"),
        (' t="inlineStr"><is><x>8</x><t>5</t></is>', "unusual way"),
        (' t="inlineStr"><is>8<t>5</t></is>', "unusual way"),
        (' t="inlineStr"><v>8</v>', "stored as something"),
        ("><is><t>8</t></is>", "stored as something"),
        (' t="s"><v>999</v>', "text number 999"),
        (' t="s"><v>-1</v>', "text number -1"),
        (' t="s"><v>\uff10</v>', "text number"),
        (' t="q"><v>8</v>', "not of a known type"),
        (' t=""><v>8</v>', "not of a known type"),
        ("><v>c. 8</v>", "not a number"),
        ("><v>1,234</v>", "not a number"),
        ("><v>1_0</v>", "not a number"),
        ("><v>\uff18</v>", "not a number"),
        ("><v>NaN</v>", "not a number"),
        ("><v>8 5</v>", "not a number"),
        (' t="b"><v>8</v>', "not true or false"),
        (' t="d"><v>soon</v>', "not a date"),
        (f' t="inlineStr"><is>{TWO}</is>', "'1', '1' (superscript)"),
        (f' t="inlineStr"><is>{RUN.format("<b/>", 3)}<r><t>1</t></r></is>', "'3', '1'"),
        (f' t="inlineStr" s="{STRUCK}"><is><r><t>3</t></r>{OWN}</is>', "'3' (struck out), '1'"),
        (f' t="inlineStr"><is>{RUN.format("<strike/>", 31)}</is>', "struck out"),
        ("><alt><c><v>8</v></c></alt>", "more than one value"),
        (f' t="inlineStr"><is>{RUN.format("<strike/>", 31)}<r><t> </t></r></is>', "struck out"),
        (f' t="inlineStr"><is>{LOWERED}</is>', "subscript"),
        (f' s="{STRUCK}"><v>31</v>', "struck out"),
        (f' s="{RAISED}" t="str"><v>31</v>', "superscript"),
    ],
)  # fmt: skip
def test_what_could_be_read_two_ways_is_in_doubt(cell: str, word: str, tmp_path: Path) -> None:
    found = cells(read(tmp_path, row(cell)))["A1"]
    assert found.doubt is not None
    assert word in found.doubt.replace(", or something else inside one", "")


@pytest.mark.parametrize(
    "cell",
    [
        ">", "><v/>", "><v> </v>", ' t="s"><v/>', ' t="str"><v/>', ' t="inlineStr">',
        ' t="inlineStr"><is/>', ' t="inlineStr"><is><t/></is>', ' t="e"><v/>',
        ' t="str"><f>IF(1,"",2)</f>', ' t="str"><f>28+3</f><v></v>', '><f>""</f>',
        ' t="s"><f>A9</f><v>0</v>',
    ],
)  # fmt: skip
def test_nothing_is_a_blank(cell: str, tmp_path: Path) -> None:
    assert cells(read(tmp_path, row(cell), texts="<si><t/></si>")) == {}


def test_structure_is_noted(tmp_path: Path) -> None:
    data = (
        '<cols><col min="2" max="3" hidden="1"/><col min="4" max="4" width="0"/>'
        '<col min="5" max="5" width="9.1"/></cols>'
        '<sheetData><row hidden="true"><c><f>A2</f></c><c><f>A2</f><v>0</v></c></row>'
        '<row ht="0"/><row ht="0.75"/><row ht="15"/></sheetData>'
        '<mergeCells><mergeCell ref="A5:B6"/></mergeCells>'
    )
    assert set(read(tmp_path, data).sheets[0].facts) == {
        Fact("hidden_columns", "2:3"),
        Fact("hidden_columns", "4:4"),
        Fact("hidden_row", "1"),
        Fact("hidden_row", "2"),
        Fact("hidden_row", "3"),
        Fact("uncalculated", "A1"),
        Fact("formula", "B1"),
        Fact("merged", "A5:B6"),
    }


_LOOKS = (
    '<numFmts><numFmt numFmtId="164" formatCode="[White]0"/></numFmts><fonts>{}</fonts><fills>'
    '<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="solid">'
    '<fgColor rgb="FFFFF9DB"/></patternFill></fill></fills><cellXfs><xf/>{}</cellXfs>'
    "<dxfs><dxf>{}</dxf></dxfs>"
)


@pytest.mark.parametrize(
    ("font", "look", "unseen"),
    [
        ('<color rgb="FFFFFFFF"/>', "<xf/>", True),
        ('<color rgb="FFFEFEFE"/>', "<xf/>", True),
        ('<color theme="0"/>', "<xf/>", True),
        ('<color theme="0" tint="-0.05"/>', "<xf/>", True),
        ('<color theme="0" tint="-0.5"/>', "<xf/>", False),
        ('<color indexed="9"/>', "<xf/>", True),
        ('<color theme="1"/>', "<xf/>", False),
        ('<color auto="1"/>', "<xf/>", False),
        ('<color rgb="FFFFF9DB"/>', "<xf fillId='1'/>", True),
        ('<color rgb="FF333333"/>', "<xf fillId='1'/>", False),
        ('<color rgb="x"/><sz val="?"/>', "<xf fillId='9'/>", False),
        ('<sz val="1"/>', "<xf/>", True),
        ('<sz val="8"/>', "<xf/>", False),
        ("", "<xf numFmtId='164'/>", True),
        ("", "<xf><alignment horizontal='fill'/></xf>", True),
        ("", "<xf><alignment horizontal='center'/></xf>", False),
    ],
)
def test_a_figure_that_nobody_can_see_is_told(
    font: str, look: str, unseen: bool, tmp_path: Path
) -> None:
    """A zero is not: nothing may stand for it."""
    styles = _LOOKS.format(f"<font>{font}</font>", look, "")
    own = row(' s="1"><v>5</v>', ' s="1"><v>0</v>', ' s="1" t="str"><v>not_held</v>', ' s="1">')
    facts = read(tmp_path, own, styles=styles).sheets[0].facts
    assert facts == ((Fact("unseen", "A1"), Fact("unseen", "C1")) if unseen else ())


@pytest.mark.parametrize(
    ("look", "rule", "unseen"),
    [
        ('<numFmt numFmtId="165" formatCode="0,"/>', "", "A1 D1"),
        ('<numFmt numFmtId="165" formatCode=";;;"/>', "", "A1 C1 D1"),
        ('<numFmt numFmtId="165" formatCode="yyyy"/>', "", "A1 D1"),
        ('<numFmt numFmtId="165" formatCode="#,##0"/>', "", ""),
        ('<font><color rgb="FFFFF9DB"/></font>', "", "A1 C1"),
        ('<fill><patternFill><bgColor theme="0"/></patternFill></fill>', "", ""),
        ('<font><color rgb="FF9C0006"/></font><fill><patternFill><bgColor rgb="FF9C0006"/>'
         "</patternFill></fill>", "", "A1 C1 D1"),
        ('<font><color rgb="FF006100"/></font>', "", ""),
        ('<numFmt numFmtId="165" formatCode="0,"/>', "<formula>0</formula>", ""),
        ('<numFmt numFmtId="165" formatCode="0,"/>', "<formula>7</formula>", "D1"),
        ("", '<iconSet showValue="0"/>', "A1 B1 D1"),
        ("", '<dataBar showValue="1"/>', ""),
    ],
)  # fmt: skip
def test_a_conditional_format_that_can_show_something_else_is_told(
    look: str, rule: str, unseen: str, tmp_path: Path
) -> None:
    styles = _LOOKS.format("<font/>", "<xf fillId='1'/>", look)
    held = row(' s="1"><v>5</v>', ' s="1"><v>0</v>', ' s="1" t="str"><v>no</v>', "><v>7</v>",
               "><v>8</v>")  # fmt: skip
    data = (
        f'<sheetData>{held}</sheetData><conditionalFormatting sqref="A1:C1048576 D1">'
        f'<cfRule type="cellIs" operator="equal" dxfId="0">{rule}</cfRule></conditionalFormatting>'
    )
    facts = read(tmp_path, data, styles=styles).sheets[0].facts
    assert facts == tuple(Fact("unseen", cell) for cell in unseen.split())


def test_deep_and_wide_parts_take_neither_time_nor_memory(tmp_path: Path) -> None:
    deep = "<a>" * 50_000 + "</a>" * 50_000
    names = "".join(f"<n{number}/>" for number in range(50_000))
    made = row("><v>1</v>") + f"<row><c>{deep}</c>{names}</row>"
    assert cells(read(tmp_path, made))["A1"].text == "1"


def test_a_small_file_that_would_take_much_time_or_memory_is_refused(tmp_path: Path) -> None:
    """Half a million empty rows; a thousand sheets that are one part; a long text in many cells."""
    many = read(tmp_path, row("><v>1</v>") + "<row/>" * 500_000)
    assert "far more cells" in str(many.refusal)
    sheets = parts("".join(f"<row><c><v>{n}</v></c></row>" for n in range(1900)))
    listed = "".join(f'<sheet name="{n}" sheetId="1" r:id="a"/>' for n in range(1000))
    sheets["xl/workbook.xml"] = sheets["xl/workbook.xml"].replace("</sheets>", f"{listed}</sheets>")
    assert "two sheets of one part" in str(read_return(write(tmp_path, sheets)).refusal)
    cells = '<row><c t="s"><v>0</v></c></row>' * 1900
    long = read(tmp_path, cells, texts=f"<si><t>{'x' * 1_000_000}</t></si>")
    assert "far more" in str(long.refusal)


def test_conditional_formats_without_end_are_refused(tmp_path: Path) -> None:
    """A hundred rules of a hundred areas each would be tried at every cell."""
    styles = _LOOKS.format("", "", "<numFmt formatCode=';;;'/>")
    areas, rules = " ".join(["A1"] * 100), '<cfRule dxfId="0"/>' * 100
    format_ = f'<conditionalFormatting sqref="{areas}">{rules}</conditionalFormatting>'
    reading = read(tmp_path, f"<sheetData>{row('><v>5</v>')}</sheetData>{format_}", styles=styles)
    assert reading.refusal
    assert "conditional formats" in reading.refusal.problem


def test_a_text_of_many_pieces_is_in_doubt_unseen(tmp_path: Path) -> None:
    """To look at all its pieces for each of many cells, each of a style of its own, took hours."""
    text = f"<si>{RUN.format('', 'x') * 20_000}</si>"
    rows = "".join(f'<row><c t="s" s="{"0" * n}"><v>0</v></c></row>' for n in range(1, 500))
    begun = process_time()
    found = cells(read(tmp_path, rows, texts=text))
    assert process_time() - begun < 2
    assert all("unusual way" in str(cell.doubt) for cell in found.values())


def test_random_damage_to_cells_ends_in_a_reading(samples: list[Path]) -> None:
    """Elements dropped, doubled and swapped: a reading or a refusal, and never another number."""
    sound = {c.address: c for c in read_return(samples[0]).sheets[2].cells}
    members = _members(samples[0])
    name = "xl/worksheets/sheet3.xml"
    tokens = re.findall(r"<[^>]*>|[^<]+", members[name])
    chance = random.Random(7)
    for _ in range(100):
        damaged = list(tokens)
        at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        match chance.randrange(3):
            case 0:
                del damaged[at]
            case 1:
                damaged.insert(other, damaged[at])
            case _:
                damaged[at], damaged[other] = damaged[other], damaged[at]
        try:
            reading = read_workbook(_packed({**members, name: "".join(damaged)}))
        except RefusedError:
            continue
        for cell in reading.sheets[2].cells:
            known = sound.get(cell.address)
            if known and cell.kind == "number" and not cell.doubt and cell.text != known.text:
                # The value itself was swapped or doubled whole; no digits ran together.
                assert cell.text in {c.text for c in sound.values()} | set(tokens)
