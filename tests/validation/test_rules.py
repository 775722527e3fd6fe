"""Each rule fires where it should, at the right cell, and brings only what follows from it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill

from assets.intake.reader import read_return
from assets.returns.validation.check import check_files
from schemas.collection import Collection
from tests.returns import Place, SampleReturn, address_of, findings_of, validated

Found = tuple[str, str | None, str | None]
INV = "investigations"


@dataclass(frozen=True)
class Case:
    """A change to a clean return, and everything that must then be found.

    `values` are typed into the template's cells; `book` alters the workbook as a person would.
    """

    rule: str
    id: str
    expected: list[Found]
    values: dict[Place, str | None] | None = None
    book: Callable[[Any], None] | None = None


def _set(sheet: str, cell: str, value: Any) -> Callable[[Any], None]:
    return lambda book: book[sheet].__setitem__(cell, value)


def _format(sheet: str, cell: str, value: Any, number_format: str) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book[sheet][cell] = value
        book[sheet][cell].number_format = number_format

    return change


def _cell(rule: str, sheet: str, row: str, column: str) -> Found:
    return rule, sheet, address_of(sheet, row, column)


def _entry(rule: str, case: str, place: Place, text: str | None, *more: Found) -> Case:
    """Put a text into an entry, at which it is found, or leave it blank."""
    return Case(rule, case, [_cell(rule, *place), *more], {place: text})


def _book(
    rule: str, case: str, sheet: str, at: str | None, change: Callable[[Any], None], *more: Found
) -> Case:
    """Change the workbook, which is found at a place of it."""
    return Case(rule, case, [(rule, sheet, at), *more], book=change)


def _put(rule: str, case: str, sheet: str, cell: str, value: Any) -> Case:
    """Put a value into a cell, at which it is found."""
    return _book(rule, case, sheet, cell, _set(sheet, cell, value))


def _count(text: Any, case: str) -> Case:
    """A text in the count of one leaf cell, which no sum can then be made with."""
    place = ("second_jobs", "breach.driver", "count")
    if isinstance(text, str):
        return _entry("V001", case, place, text)
    return _put("V001", case, "second_jobs", address_of(*place), text)


def _cover(rule: str, row: str, text: str, case: str) -> Case:
    return _entry(rule, case, ("cover", row, "value"), text)


def _second_sheet(book: Any) -> None:
    book.create_sheet("notes")["B2"] = "see also"


def _without_row(sheet: str, row: int) -> Callable[[Any], None]:
    return lambda book: book[sheet].delete_rows(row)


def _copy_row(sheet: str, row: int, to: int) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        for column in range(1, 4):
            book[sheet].cell(to, column, book[sheet].cell(row, column).value)

    return change


def _swap(*pairs: tuple[str, str]) -> Callable[[Any], None]:
    """Exchange ranges of the investigations sheet, as to sort or move some of its columns does."""

    def change(book: Any) -> None:
        for first, second in pairs:
            cells = [[c for row in book[INV][at] for c in row] for at in (first, second)]
            for one, other in zip(*cells, strict=True):
                one.value, other.value = other.value, one.value

    return change


def _struck(sheet: str, cell: str) -> Callable[[Any], None]:
    return lambda book: setattr(book[sheet][cell], "font", Font(strike=True))


def _shown_as(case: str, value: int, number_format: str) -> Case:
    at = address_of("second_jobs", "breach.driver", "count")
    change = _format("second_jobs", at, value, number_format)
    return _book("S006", case, "second_jobs", at, change)


def _comments(*texts: str) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        for row, text in enumerate(texts, 6):
            book["comparators"][f"C{row}"].comment = Comment(text, "them")

    return change


CASES = [
    _entry("S003", "another template", ("cover", "template", "value"), "x"),
    _cover("S003", "template_version", "2", "another version"),
    _book("S004", "sheet missing", "capability", None, lambda b: b.remove(b["capability"])),
    _book("S004", "sheet misspelt", "register", None,
          lambda b: setattr(b["registers"], "title", "register")),
    _book("S004", "a sheet more", "notes", None, _second_sheet),
    _put("S005", "row code misspelt", INV, "A18", "second_job"),
    _put("S005", "column code misspelt", INV, "C5", "Continuing"),
    _put("S005", "header misspelt", INV, "A5", "Code"),
    _book("S005", "no header", "registers", "A1", _set("registers", "A5", "rows")),
    _put("S005", "unknown row code", "comparators", "A13", "bicycles"),
    _put("S005", "unknown column code", "comparators", "F5", "bicycles"),
    _put("S005", "column twice", INV, "K5", "continuing"),
    _book("S005", "column gone", "registers", "A5", _set("registers", "D5", None),
          *(("S012", "registers", f"D{row}") for row in range(6, 10))),
    _book("S005", "rows sorted without their codes", INV, "B6", _swap(("B6:I6", "B7:I7")),
          ("S005", INV, "B7")),
    _book("S005", "columns moved without their codes", INV, "E4",
          _swap(("E4:E4", "F4:F4"), ("E6:E20", "F6:F20")), ("S005", INV, "F4")),
    _book("S005", "row code struck out", INV, "A6", _struck(INV, "A6")),
    _book("S005", "column code struck out", INV, "C5", _struck(INV, "C5")),
    _shown_as("shown in thousands", 12, "#,##0,"),
    _shown_as("shown with a digit more", 12, '0"0"'),
    _shown_as("zero shown as not held", 0, '0;-0;"not held"'),
    _put("S006", "error cell", "comparators", "C6", "#REF!"),
    _book("S012", "comments", "comparators", "C7",
          _comments("Found by Muster: C101", "but for one division", "and this")),
    _book("S012", "a comment of before the marks", "comparators", "C6",
          _comments("Found by Muster\n\nThe comment that stood here before:\nsee below")),
    _put("S006", "never calculated", "comparators", "C6", "=1+1"),
    _cover("S007", "force_code", "XXX", "unknown force"),
    Case("S007", "another force's code",
         [("S007", "cover", address_of("cover", "force_name", "value"))],
         {("cover", "force_code", "value"): "DER"}),
    _cover("S007", "force_name", "Toytown Police", "unknown name"),
    _cover("S008", "collection", "2011-review", "another collection"),
    _cover("S008", "data_as_at", "2012-06-30", "another date"),
    _entry("S010", "blank count", ("comparators", "investigations_2010_11", "value"), None),
    _put("S010", "spaces", "comparators", "C6", "  "),
    _entry("S010", "blank answer", ("capability", "media_training", "answer"), None),
    _book("S013", "row gone", "comparators", None, _without_row("comparators", 6)),
    _book("S013", "row twice", "comparators", "A14", _copy_row("comparators", 6, 14)),
    *(
        _count(text, f"{text!r}")
        for text in (
            "c. 10", "<5", "n/k", "1.5", "10%", "-3", "five", "1 000", "1,23", "\u0663",
            "\uff11\uff12", "1e3", "NaN", "+5", "0x10", "1_000", "\u22124", "12\u200b",
            "99999999999", "10-12", "-",
        )
    ),
    _count(1.5, "fraction"),
    _count(-1, "below zero"),
    _count(True, "true"),
    _book("V001", "date", "comparators", "C6",
          _format("comparators", "C6", 40000, "yyyy-mm-dd")),
    _book("V001", "percent", "comparators", "C6", _format("comparators", "C6", 1, "0%")),
    _entry("V002", "answer not in the list", ("capability", "media_policy", "answer"), "yes"),
    _cover("V002", "basis", "guessed", "basis not in the list"),
    *(
        _put("V003", text, "cover", address_of("cover", "submitted_on", "value"), text)
        for text in ("2012-02-30", "1 June 2012")
    ),
    _entry("V004", "not held where it must be", ("second_jobs", "refused", "count"), "not_held"),
    _entry("V004", "not applicable to a force's own register",
           ("registers", "force.gratuity", "declined"), "not_applicable"),
    _entry("C101", "row total wrong", (INV, "procurement", "total"), "77",
           _cell("C103", INV, "total", "total")),
    _entry("C102", "subtotal wrong", (INV, "information_disclosure", "referred_external"), "77",
           _cell("C101", INV, "information_disclosure", "total"),
           _cell("C103", INV, "total", "referred_external")),
    _entry("C103", "people suspended do not add up", (INV, "total", "people_suspended"), "77"),
    _entry("C401", "register total wrong", ("registers", "force.gratuity", "total"), "4999"),
    _entry("C501", "applications wrong", ("second_jobs", "total", "count"), "85"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.id}")
def test_a_change_is_found_at_its_cell(
    case: Case, sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    changed = sample("STF").with_values(case.values or {})
    expected = sorted(case.expected, key=str)
    if case.book is None:
        found = validated(changed.reading(), collection).findings
        assert found.select("rule_id", "sheet", "cell").sort(pl.all()).rows() == expected
    else:
        path = changed.write(tmp_path / "STF.xlsx", case.book)
        assert findings_of(path, collection) == expected


@pytest.mark.parametrize(
    ("accepted", "declined", "total", "found"),
    [
        ("not_held", "not_held", "5", ["C401"]),
        ("not_held", "not_held", "0", ["C401"]),
        ("not_applicable", "not_applicable", "0", ["C401"]),
        ("not_held", "not_held", "not_held", []),
        ("not_held", "3", "7", ["C401"]),
        ("not_applicable", "3", "7", ["C401"]),
        ("5", "not_applicable", "9", ["C401"]),
        ("5", "3", "not_held", ["C401"]),
        ("0", "0", "not_applicable", ["C401"]),
        ("not_held", "3", "not_applicable", ["C401"]),
        ("not_held", "3", "not_held", []),
        ("not_held", "3", "3", []),
        ("5", "not_applicable", "5", []),
        ("not_held", "not_applicable", "not_held", []),
    ],
)
def test_no_part_of_a_total_is_lost_for_want_of_a_number(
    accepted: str, declined: str, total: str, found: list[str],
    sample: Callable[[str], SampleReturn], collection: Collection,
) -> None:  # fmt: skip
    """Of a total nothing counts but its parts: what is in none of them would be nowhere."""
    row = {"accepted": accepted, "declined": declined, "total": total}
    said = {("registers", "authority.gratuity", column): text for column, text in row.items()}
    findings = validated(sample("STF").with_values(said).reading(), collection).findings
    assert findings["rule_id"].to_list() == found


def test_clean_samples_have_no_blocking_finding(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    some = collection.forces[::9]
    for item in check_files([sample(f).write(tmp_path / f"{f}.xlsx") for f in some], collection):
        assert item.exit_code == 0, (item.file, item.findings)


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path, collection: Collection) -> None:
    """S001: unreadable is a result, not an exception."""
    path = tmp_path / "STF.xlsx"
    path.write_text("hello")
    (checked,) = check_files([path], collection)
    assert [f.rule_id for f in checked.findings] == ["S001"]
    assert (checked.state, checked.exit_code, checked.force_code) == ("rejected", 2, None)


def test_the_same_bytes_twice_are_noted(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    """S002: the second file brings nothing new."""
    paths = [sample("STF").write(tmp_path / name) for name in ("a.xlsx", "b.xlsx")]
    first, second = check_files(paths, collection)
    assert first.findings == ()
    assert [(f.rule_id, f.severity) for f in second.findings] == [("S002", "N")]
    assert second.exit_code == 0


def test_everything_wrong_is_found_at_once(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    """A force that mends one thing a round gives up before the last."""
    changed = sample("STF").with_values(
        {
            ("second_jobs", "refused", "count"): None,
            ("capability", "media_policy", "answer"): "maybe",
            (INV, "procurement", "total"): "77",
            ("registers", "force.gratuity", "accepted"): "c. 10",
        }
    )
    path = changed.write(tmp_path / "x.xlsx", _set(INV, "A18", "second-jobs"))
    found = {rule for rule, _, _ in findings_of(path, collection)}
    assert found == {"S005", "S010", "V001", "V002", "C101", "C103"}


@pytest.mark.parametrize(
    ("text", "value"), [("1,234", "1234"), (" 12 ", "12"), ("\u00a07\u00a0", "7"), ("007", "7")]
)
def test_ways_of_writing_a_number_that_are_accepted(
    text: str,
    value: str,
    sample: Callable[[str], SampleReturn],
    tmp_path: Path,
    collection: Collection,
) -> None:
    at = address_of("second_jobs", "breach.driver", "count")
    path = sample("STF").write(tmp_path / "x.xlsx", _set("second_jobs", at, text))
    result = validated(read_return(path), collection)
    entry = result.entries.row(by_predicate=pl.col("row_code") == "breach.driver", named=True)
    assert (entry["value"], entry["number"]) == (value, int(value))


@pytest.mark.parametrize(
    ("text", "part_of_message", "part_of_fix"),
    [
        ("c. 10", "an estimate", "exact"),
        ("<5", "a range", "exact"),
        ("10%", "a percentage", "count"),
        ("n/k", "a word", "not_held"),
        ("1.5", "not a whole number", "whole"),
        ("4,0", "'4,0' is not a whole number", "whole"),
        ("1 234", "'1 234' is no plain number", "digits"),
        ("1\u00a0234", "is no plain number", "digits"),
        ("0,072", "not a whole number", "exact"),
    ],
)
def test_advice_fits_what_was_typed(
    text: str,
    part_of_message: str,
    part_of_fix: str,
    sample: Callable[[str], SampleReturn],
    tmp_path: Path,
    collection: Collection,
) -> None:
    at = address_of("second_jobs", "breach.driver", "count")
    path = sample("STF").write(tmp_path / "x.xlsx", _set("second_jobs", at, text))
    (finding,) = check_files([path], collection)[0].findings
    assert part_of_message in finding.message
    assert part_of_fix in finding.how_to_fix
    assert finding.value == text


@pytest.mark.parametrize(("number", "words"), [("1", "1 person suspended"), ("2", "2 people susp")])
def test_words_fit_the_number_before_them(
    number: str, words: str, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    nobody = {("investigations", "procurement", "continuing"): "0"}
    changed = {**nobody, ("investigations", "procurement", "people_suspended"): number}
    found = validated(sample("STF").with_values(changed).reading(), collection).findings
    (message,) = found.filter(rule_id="V005")["message"]
    assert message.startswith(words)
    assert message.endswith("but no case continuing")


def test_advice_names_the_code_that_is_gone_and_what_to_do_with_a_sheet_and_what_is_hidden(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    def change(book: Any) -> None:
        book["investigations"]["A9"].value = "Zbigniewska"
        book["registers"].column_dimensions["D"].hidden = True
        for cell in ("A6", "C9", "C10", "C11"):  # a code, a zero and two figures
            book["comparators"][cell].font = Font(color="FFFEFEFE" if cell == "A6" else "FFFFF9DB")
        blue = {"fill": PatternFill(bgColor="FF0000FF"), "font": Font(color="FF0000FF")}
        rule = CellIsRule(operator="greaterThan", formula=["3"], **blue)
        book["second_jobs"].conditional_formatting.add("A1:C9", rule)
        book.copy_worksheet(book["registers"]).title = "Zbigniewska"

    (checked,) = check_files([sample("STF").write(tmp_path / "x.xlsx", change)], collection)
    told = {(it.rule_id, it.sheet): (it.message, it.how_to_fix) for it in checked.findings}
    _, fix = told["S005", "investigations"]
    assert fix.startswith("Put information_disclosure.media_local back where it belongs.")
    message, fix = told["S004", "no. 7"]
    assert (
        "no. 7 is not in the template; nothing of it counts (36 filled cells, from A1 on)"
        in message
    )
    assert "delete this one" in fix
    message, fix = told["S006", "registers"]
    assert (message.startswith("4 entry cells in hidden"), "Unhide" in fix) == (True, True)
    unseen = [(f.sheet, f.cell, f.message[:13]) for f in checked.findings if "colour" in f.message]
    assert unseen == [
        ("second_jobs", "C6", "3 entry cells"),
        ("comparators", "C10", "2 entry cells"),
    ]


def test_a_sum_that_no_program_has_calculated_wants_saving_and_no_typing(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    at = address_of("registers", "force.gratuity", "total")
    row = at[1:]
    path = sample("STF").write(tmp_path / "x.xlsx", _set("registers", at, f"=SUM(C{row}:D{row})"))
    (finding,) = check_files([path], collection)[0].findings
    assert (finding.rule_id, finding.cell) == ("S006", at)
    assert finding.value == "a formula that was never calculated"
    assert "never calculated; it would give " in finding.message, "nobody expects just that"
    assert "save it there" in finding.how_to_fix


def test_a_blank_is_told_what_its_own_cell_accepts(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    held, other = ("registers", "force.gratuity", "declined"), ("investigations", "other", "total")
    path = sample("STF").with_values({held: None, other: None}).write(tmp_path / "x.xlsx")
    told = {
        (f.row_code, f.column_code): f.how_to_fix
        for f in check_files([path], collection)[0].findings
    }
    assert "Type not_held if" in told[held[1:]]
    assert told[other[1:]].startswith("Type the number; 0 if there were none.")
