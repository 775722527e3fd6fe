"""A zip of CSV files is read however programs write it, and refused where it says two things."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from assets.intake.reader import read_return
from schemas.collection import Collection
from tests.memory import bounded
from tests.returns import SampleReturn, findings_of

Sheets = dict[str, str]


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Sheets:
    """The sample return's sheets as CSV, with the results of the template's own checks."""
    path = SampleReturn.of("STF", collection).write(tmp_path_factory.mktemp("csv") / "STF.xlsx")
    found = {}
    for sheet in read_return(path).sheets:
        texts = {(cell.row, cell.column): cell.text for cell in sheet.cells}
        last, widest = (max(place) for place in zip(*texts, strict=True))
        found[sheet.name] = "".join(
            ",".join(f'"{texts.get((row, column), "")}"' for column in range(1, widest + 1))
            + "\r\n"
            for row in range(1, last + 1)
        )
    return found


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _write(
    path: Path,
    sheets: Sheets,
    name: Callable[[str], str] = "{}.csv".format,
    change: Callable[[str], bytes] = str.encode,
) -> Path:
    return _zip(path, {name(sheet): change(text) for sheet, text in sheets.items()})


def _separated(separator: str, first: str = "") -> Callable[[str], bytes]:
    return lambda text: (first + text.replace('","', f'"{separator}"')).encode()


WAYS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "utf-8 with mark": lambda text: text.encode("utf-8-sig"),
    "utf-16 with mark": lambda text: text.encode("utf-16"),
    "utf-16 big": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-16 without mark": lambda text: text.encode("utf-16-le"),
    "utf-16 big without mark": lambda text: text.encode("utf-16-be"),
    "utf-16 with tabs": lambda text: text.replace('","', '"\t"').encode("utf-16"),
    "utf-16 and a byte Ctrl-Z": lambda text: text.encode("utf-16") + b"\x1a",
    "semicolons": _separated(";"),
    "tabs": _separated("\t"),
    "semicolons told": _separated(";", "sep=;\r\n"),
    "semicolons told before blanks": _separated(";", "sep=; \r\n"),
    "tabs told": _separated("\t", '"sep=\t"\r\n'),
    "Ctrl-Z": lambda text: text.encode() + b"\x1a",
    "Ctrl-Z and line end": lambda text: text.encode() + b"\x1a\x1a\r\n",
    "old Mac": lambda text: text.replace("\r\n", "\r").encode(),
    "lines ended twice": lambda text: text.replace("\r\n", "\r\r\n").encode(),
    "Unix": lambda text: text.replace("\r\n", "\n").encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_return_is_read_however_it_is_written(way: str, sheets: Sheets, tmp_path: Path) -> None:
    path = _write(tmp_path / "STF.zip", sheets, change=WAYS[way])
    plain = _write(tmp_path / "plain.zip", sheets)
    assert read_return(path).sheets == read_return(plain).sheets


@pytest.mark.parametrize(
    "first", ["\u2013 Return", "\u201cReturn\u201d", "A \u2013 B", "\u0141\u00f3d\u017a"]
)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_the_first_letters_may_be_of_any_alphabet(
    first: str, encoding: str, sheets: Sheets, tmp_path: Path
) -> None:
    """Without a mark the zeros beside letters tell UTF-16, and not all letters have one."""
    titled = {name: f"{first}\r\n{text}" for name, text in sheets.items()}
    path = _write(tmp_path / "STF.zip", titled, change=lambda text: text.encode(encoding))
    plain = _write(tmp_path / "plain.zip", titled)
    assert read_return(path).sheets == read_return(plain).sheets


def test_the_sheets_of_the_template_have_no_findings(
    sheets: Sheets, tmp_path: Path, collection: Collection
) -> None:
    assert findings_of(_write(tmp_path / "STF.zip", sheets), collection) == []


NAMES = [
    "STF-{}.csv", "STF - {}.csv", "{} (1).csv", "{} - Copy.csv", "Copy of {}.csv",
    "2012-STF_{}.csv", "{}_STF.csv", "{}-2012.csv", "return/{}.csv", "return\\{}.csv",
    "a\\b/c/{}.CSV", "{}.csv.csv", "STF_{}.txt", "{}.tsv", "{}.csv.txt",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", [str.lower, str.upper, lambda text: text.replace("_", " ")])
def test_files_are_named_after_their_sheets(
    name: str, change: Callable[[str], str], sheets: Sheets, tmp_path: Path
) -> None:
    path = _write(tmp_path / "STF.zip", sheets, name=lambda sheet: name.format(change(sheet)))
    assert {sheet.name for sheet in read_return(path).sheets} == set(sheets)


def test_notes_beside_the_sheets_are_none(
    sheets: Sheets, tmp_path: Path, collection: Collection
) -> None:
    for ending in ("csv", "tsv"):
        members = {f"{n}.{ending}": t.encode() for n, t in sheets.items()}
        notes = {"read me.txt": b"Dear all", ".x": b"x"}
        notes |= {"on registers and second jobs.txt": b""} if ending == "csv" else {}
        path = _zip(tmp_path / "STF.zip", {**members, **notes})
        assert [sheet.name for sheet in read_return(path).sheets] == list(sheets)
        assert findings_of(path, collection) == [("S004", None, None)]  # nothing reads them
    assert "neither" in _refusal(_zip(tmp_path / "STF.zip", {"read me.txt": b"Dear all"}))


def test_other_files_stay_what_they_are(sheets: Sheets, tmp_path: Path) -> None:
    """A cover letter is not the cover sheet, and what a Mac adds is nothing."""
    more = {"cover letter.csv": "Dear all", "__MACOSX/._cover.csv": "x", "._x.csv": "x"}
    path = _write(tmp_path / "STF.zip", {})
    _zip(
        path,
        {f"{n}.csv": t.encode() for n, t in sheets.items()}
        | {n: t.encode() for n, t in more.items()},
    )
    assert [sheet.name for sheet in read_return(path).sheets] == [*sheets, "cover letter"]


def _refusal(path: Path) -> str:
    refusal = read_return(path).refusal
    assert refusal is not None
    assert refusal.fix.endswith(".")
    return refusal.problem


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("COVER.CSV", "twice"),
        ("cover (1).csv", "two files for the sheet 'cover': 'cover.csv' and 'cover (1).csv'"),
        ("old\\STF-cover.csv", "'old/STF-cover.csv'"),
        ("registers cover.csv", "could mean the sheets cover and registers"),
        ("..\\cover2.csv", "outside itself"),
        ("\\cover2.csv", "outside itself"),
        ("C:cover2.csv", "outside itself"),
        ("STF.xlsx", "beside them a workbook ('STF.xlsx')"),
        ("cover.txt", "two files for the sheet 'cover'"),
    ],
)
def test_a_file_too_many_is_refused_by_name(
    name: str, problem: str, sheets: Sheets, tmp_path: Path
) -> None:
    members = {f"{n}.csv": t.encode() for n, t in sheets.items()} | {name: b"x"}
    assert problem in _refusal(_zip(tmp_path / "STF.zip", members))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"code;label;value\nforce_code,x,STF\n", "otherwise in line 2"),
        (b"code;label,value\n", "otherwise in line 1"),
        (b"code,label,value\ncode;label;value\n", "separated by ',' and ';'"),
        (b"sep=;\ncode,label,value\n", "separated by ',' and ';'"),
        (b"sep=|\ncode|label|value\n", "separated by '|'"),
        (b'code,"label,value\n', "not a CSV file"),
        ("code,label".encode("utf-16")[:-1], "not text in UTF-16"),
        (b"code,label\0\0\0,\1\2", "not text"),
        (b"code,label\n" * 3000, "row 2001"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused_by_name(
    content: bytes, problem: str, sheets: Sheets, tmp_path: Path
) -> None:
    members = {f"{n}.csv": t.encode() for n, t in sheets.items()} | {"cover.csv": content}
    said = _refusal(_zip(tmp_path / "STF.zip", members))
    assert problem in said
    assert "'cover.csv'" in said


def test_a_comma_between_semicolons_is_no_thousand(
    sheets: Sheets, tmp_path: Path, collection: Collection
) -> None:
    """Where a semicolon separates, 72,000 is 72 to most programs."""
    changed = {**sheets, "comparators": sheets["comparators"].replace('"72"', '"72,000"')}
    path = _write(tmp_path / "STF.zip", changed, change=_separated(";"))
    assert ("S006", "comparators", "C10") in findings_of(path, collection)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"72"', "1,072", [("S006", "C10")]),
        ('"72"', "1,072,001", [("S006", "C10")]),
        ('"72"', '"1,072"', [("X005", "C11")]),
        ('"72"', '"72","see note"', [("S012", "D10")]),
        ('"All investigations, 2010/11"', "All investigations, 2010", [("S006", "C6")]),
    ],
)
def test_a_comma_without_quotes_shifts_no_figure(
    old: str, new: str, found: list[tuple[str, str]], sheets: Sheets, tmp_path: Path,
    collection: Collection,
) -> None:  # fmt: skip
    """Of 1,072 there is a 1, of the label a 2010; what follows stands where nothing counts it."""
    assert old in sheets["comparators"]
    changed = {**sheets, "comparators": sheets["comparators"].replace(old, new)}
    findings = findings_of(_write(tmp_path / "STF.zip", changed), collection)
    assert set(found) <= {(rule, cell) for rule, _, cell in findings}
    assert "S006" in dict(found) or all(rule != "S006" for rule, *_ in findings)


@pytest.mark.parametrize(
    ("header", "line", "found"),
    [
        ("code,label,value,,", "{0},{1},1,072", [("S006", "C6")]),
        ("code,label,value,,", "{0},{1},1,500", [("S006", "C6")]),
        ("code,label,value,,", "{0},All, 2010/11,72", [("V001", "C6")]),
        ("code,label,value,,", "{0},All, 2010,72", [("S006", "C6")]),
        ("code,label,value,,", "{0},All, 2010,not_held", [("S006", "C6")]),
        ("code,value,label", "{0},1,500", [("S006", "B6")]),
        ("code,value,label", "{0},1,500,{1}", [("S006", "B6")]),
        ("code,value,label", "{0},500,{1}", []),
        ("code,value,label", "{0},500", []),
        ("code,label,value,(previous)", "{0},{1},1,072", [("S006", "C6")]),
        ("code,label,value,(previous)", "{0},{1},72,700", []),
        ("code,label,value,(previous)", "{0},{1},1,500", [("S006", "C6")]),
        ("code,label,value,(previous),(previous)", "{0},{1},12,500,12500", [("S006", "C6")]),
        ("code,label,value,(previous)", '{0},{1},"1","500"', []),
        ("code,label,value,(previous)", "{0},{1},0,500", []),
        ("code,label,value,(previous)", "{0},{1},1,500,3", [("S006", "C6")]),
        ("code,label,value,,", "{0},{1},72", []),
        ("code,label,value,,", "{0},500,72", []),
    ],
)
def test_a_comma_without_quotes_is_found_in_a_line_that_is_no_longer_than_the_header(
    header: str, line: str, found: list[tuple[str, str]], sheets: Sheets, tmp_path: Path,
    collection: Collection,
) -> None:  # fmt: skip
    """Where empty cells are left out, or the label stands last, 1,072 was 1."""
    rows = [row.split(",") for row in sheets["comparators"].replace('"', "").splitlines()[5:]]
    own = [line.format(rows[0][0], "All"), *(f"{code},,{n}" for code, _, n, *_ in rows[1:])]
    lines = ["", "", "", "", header, *own]
    changed = {**sheets, "comparators": "\n".join(lines)}
    findings = findings_of(_write(tmp_path / "STF.zip", changed), collection)
    blocking = [(rule, cell) for rule, _, cell in findings if cell and cell[1:] == "6"]
    assert [each for each in blocking if each[0] in {"S006", "V001"}] == found


def test_a_figure_beside_the_checks_is_still_found(
    sheets: Sheets, tmp_path: Path, collection: Collection
) -> None:
    """Only what the template's checks say, and only where they stand, is passed over."""
    figure = {**sheets, "registers": sheets["registers"].replace('"adds up"', '"12"', 1)}
    path = _write(tmp_path / "a.zip", figure)
    assert [rule for rule, *_ in findings_of(path, collection)] == ["S012"]
    words = {**sheets, "comparators": sheets["comparators"].replace('"72"', '"72","adds up"')}
    path = _write(tmp_path / "b.zip", words)
    assert [rule for rule, *_ in findings_of(path, collection)] == ["S012"]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"STF.xlsx": b"x"}, "holds a workbook ('STF.xlsx')"),
        ({"a/STF.ods": b"x"}, "holds a workbook ('STF.ods')"),
        ({"STF.xlsx": b"x", "DER.xlsm": b"x"}, "2 workbooks ('STF.xlsx', 'DER.xlsm')"),
        ({"STF.zip": b"x"}, "another zip"),
        ({"word/document.xml": b"<a/>"}, "Word document"),
        ({"ppt/presentation.xml": b"<a/>"}, "PowerPoint"),
        ({"Index/Tables.iwa": b"x"}, "Numbers"),
        ({"a.txt": b"x"}, "neither"),
    ],
)
def test_a_zip_of_something_else_is_told(
    members: dict[str, bytes], problem: str, tmp_path: Path
) -> None:
    assert problem in _refusal(_zip(tmp_path / "a.zip", members))


def test_names_in_messages_show_no_control_character(tmp_path: Path) -> None:
    said = _refusal(_zip(tmp_path / "a.zip", {"\x1b[31m.xlsx": b"x", "\x1b]0;.ods": b"x"}))
    assert "\x1b" not in said
    assert io.StringIO(said).read().isprintable()


def test_wide_sheets_are_refused_before_they_are_taken_in(tmp_path: Path) -> None:
    """A cell of one letter takes a hundred bytes, and a zip of a few kilobytes has millions."""
    path = _zip(tmp_path / "a.zip", {"cover.csv": ("a," * 2000 + "\n").encode() * 500})
    with bounded(50):
        refusal = read_return(path).refusal
    assert refusal
    assert "row 1, column 101; a return ends before row 2,000" in refusal.problem
