"""Each rule fires where it should, at the right cell, and brings only what follows from it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

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


def _count(text: Any, case: str) -> Case:
    """A text in the count of one leaf cell, which no sum can then be made with."""
    place = ("second_jobs", "breach.driver", "count")
    if isinstance(text, str):
        return Case("V001", case, [_cell("V001", *place)], {place: text})
    at = address_of(*place)
    return Case("V001", case, [("V001", "second_jobs", at)], book=_set("second_jobs", at, text))


def _cover(rule: str, row: str, text: str, case: str) -> Case:
    place = ("cover", row, "value")
    return Case(rule, case, [_cell(rule, *place)], values={place: text})


def _total(row: str, column: str) -> Place:
    return INV, row, column


def _second_sheet(book: Any) -> None:
    book.create_sheet("notes")["B2"] = "see also"


def _without_row(sheet: str, row: int) -> Callable[[Any], None]:
    return lambda book: book[sheet].delete_rows(row)


def _copy_row(sheet: str, row: int, to: int) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        for column in range(1, 4):
            book[sheet].cell(to, column, book[sheet].cell(row, column).value)

    return change


CASES = [
    Case(
        "S003",
        "another template",
        [_cell("S003", "cover", "template", "value")],
        {("cover", "template", "value"): "x"},
    ),
    _cover("S003", "template_version", "2", "another version"),
    Case(
        "S004",
        "sheet missing",
        [("S004", "capability", None)],
        book=lambda b: b.remove(b["capability"]),
    ),
    Case(
        "S004",
        "sheet misspelt",
        [("S004", "register", None)],
        book=lambda b: setattr(b["registers"], "title", "register"),
    ),
    Case("S004", "a sheet more", [("S004", "notes", None)], book=_second_sheet),
    Case("S005", "row code misspelt", [("S005", INV, "A18")], book=_set(INV, "A18", "second_job")),
    Case("S005", "column code misspelt", [("S005", INV, "C5")], book=_set(INV, "C5", "Continuing")),
    Case("S005", "header misspelt", [("S005", INV, "A5")], book=_set(INV, "A5", "Code")),
    Case("S005", "no header", [("S005", "registers", "A1")], book=_set("registers", "A5", "rows")),
    Case(
        "S005",
        "unknown row code",
        [("S005", "comparators", "A13")],
        book=_set("comparators", "A13", "bicycles"),
    ),
    Case(
        "S005",
        "unknown column code",
        [("S005", "comparators", "F5")],
        book=_set("comparators", "F5", "bicycles"),
    ),
    Case("S005", "column twice", [("S005", INV, "K5")], book=_set(INV, "K5", "continuing")),
    Case(
        "S005",
        "column gone",
        [("S005", "registers", "A5"), *(("S012", "registers", f"D{row}") for row in range(6, 10))],
        book=_set("registers", "D5", None),
    ),
    Case(
        "S006",
        "error cell",
        [("S006", "comparators", "C6")],
        book=_set("comparators", "C6", "#REF!"),
    ),
    Case(
        "S006",
        "never calculated",
        [("S006", "comparators", "C6")],
        book=_set("comparators", "C6", "=1+1"),
    ),
    _cover("S007", "force_code", "XXX", "unknown force"),
    Case(
        "S007",
        "another force's code",
        [("S007", "cover", address_of("cover", "force_name", "value"))],
        {("cover", "force_code", "value"): "DER"},
    ),
    _cover("S007", "force_name", "Toytown Police", "unknown name"),
    _cover("S008", "collection", "2011-review", "another collection"),
    _cover("S008", "data_as_at", "2012-06-30", "another date"),
    Case(
        "S010",
        "blank count",
        [("S010", "comparators", "C6")],
        {("comparators", "investigations_2010_11", "value"): None},
    ),
    Case("S010", "spaces", [("S010", "comparators", "C6")], book=_set("comparators", "C6", "  ")),
    Case(
        "S010",
        "blank answer",
        [_cell("S010", "capability", "media_training", "answer")],
        {("capability", "media_training", "answer"): None},
    ),
    Case("S013", "row gone", [("S013", "comparators", None)], book=_without_row("comparators", 6)),
    Case(
        "S013", "row twice", [("S013", "comparators", "A14")], book=_copy_row("comparators", 6, 14)
    ),
    *(
        _count(text, f"{text!r}")
        for text in (
            "c. 10",
            "<5",
            "n/k",
            "1.5",
            "10%",
            "-3",
            "five",
            "1 000",
            "1,23",
            "٣",
            "１２",
            "1e3",
            "NaN",
            "+5",
            "0x10",
            "1_000",
            "−4",
            "12\u200b",
            "99999999999",
            "10-12",
            "-",
        )
    ),
    _count(1.5, "fraction"),
    _count(-1, "below zero"),
    _count(True, "true"),
    Case(
        "V001",
        "date",
        [("V001", "comparators", "C6")],
        book=_format("comparators", "C6", 40000, "yyyy-mm-dd"),
    ),
    Case(
        "V001",
        "percent",
        [("V001", "comparators", "C6")],
        book=_format("comparators", "C6", 1, "0%"),
    ),
    Case(
        "V002",
        "answer not in the list",
        [_cell("V002", "capability", "media_policy", "answer")],
        {("capability", "media_policy", "answer"): "yes"},
    ),
    _cover("V002", "basis", "guessed", "basis not in the list"),
    Case(
        "V003",
        "no such day",
        [_cell("V003", "cover", "submitted_on", "value")],
        book=_set("cover", address_of("cover", "submitted_on", "value"), "2012-02-30"),
    ),
    Case(
        "V003",
        "date in words",
        [_cell("V003", "cover", "submitted_on", "value")],
        book=_set("cover", address_of("cover", "submitted_on", "value"), "1 June 2012"),
    ),
    Case(
        "V004",
        "not held where it must be",
        [_cell("V004", "second_jobs", "refused", "count")],
        {("second_jobs", "refused", "count"): "not_held"},
    ),
    Case(
        "V004",
        "not applicable to a force's own register",
        [_cell("V004", "registers", "force.gratuity", "declined")],
        {("registers", "force.gratuity", "declined"): "not_applicable"},
    ),
    Case(
        "C101",
        "row total wrong",
        [_cell("C101", INV, "procurement", "total"), _cell("C103", INV, "total", "total")],
        {_total("procurement", "total"): "77"},
    ),
    Case(
        "C102",
        "subtotal wrong",
        [
            _cell("C101", INV, "information_disclosure", "total"),
            _cell("C102", INV, "information_disclosure", "referred_external"),
            _cell("C103", INV, "total", "referred_external"),
        ],
        {_total("information_disclosure", "referred_external"): "77"},
    ),
    Case(
        "C103",
        "people suspended do not add up",
        [_cell("C103", INV, "total", "people_suspended")],
        {_total("total", "people_suspended"): "77"},
    ),
    Case(
        "C401",
        "register total wrong",
        [_cell("C401", "registers", "force.gratuity", "total")],
        {("registers", "force.gratuity", "total"): "4999"},
    ),
    Case(
        "C501",
        "applications wrong",
        [_cell("C501", "second_jobs", "total", "count")],
        {("second_jobs", "total", "count"): "85"},
    ),
]


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
