"""Each rule fires on what it is about, alone; a dead rule fails here."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import polars as pl
import pytest

from assets.declare import TakeIn
from assets.inputs.assets import cases
from assets.lake import Lake
from assets.returns.validation.check import check_files
from schemas.cases import CASE_TABLES, COLUMN_OF, codes
from schemas.collection import Collection
from schemas.conform import conform
from schemas.errors import SetupError
from schemas.rules.catalogue import rules_of
from schemas.template import Row as TemplateRow
from tests.cases.extracts import good, run, write_parquet
from tests.cases.reference import judged

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("good", {}, ""),
    ("no media where none are concerned", {"recipient": "criminals", "media": None}, ""),
    ("continuing", {"status_at_census": "continuing", "closed_on": None}, ""),
    ("closed on the day it was opened", {"closed_on": date(2011, 10, 3)}, ""),
    ("first and last day", {"opened_on": date(2011, 9, 1), "closed_on": date(2012, 5, 31)}, ""),
    ("nine digits", {"case_ref": "STF-0000-999999999"}, ""),
    ("no force", {"force_code": None}, "CASE01"),
    ("unknown force", {"force_code": "XXX", "case_ref": "XXX-2011-1"}, "CASE01"),
    ("no reference", {"case_ref": None}, "CASE02"),
    ("another force's reference", {"case_ref": "DER-2011-1"}, "CASE02"),
    ("ten digits", {"case_ref": "STF-2011-1234567890"}, "CASE02"),
    ("no digits", {"case_ref": "STF-2011-"}, "CASE02"),
    ("three digits of a year", {"case_ref": "STF-211-1"}, "CASE02"),
    ("digits that are not ASCII", {"case_ref": "STF-2011-\u0661"}, "CASE02"),
    ("a line break after it", {"case_ref": "STF-2011-1\n"}, ""),
    ("lower case", {"case_ref": "stf-2011-1"}, "CASE02"),
    ("no category", {"category": None}, "CASE03"),
    ("a category with a blank", {"category": "othe r"}, "CASE03"),
    ("no recipient of a disclosure", {"recipient": None, "media": None}, "CASE04"),
    ("a recipient elsewhere", {"category": "other", "media": None}, "CASE04"),
    ("unknown recipient", {"recipient": "press", "media": None}, "CASE04"),
    ("no media where concerned", {"media": None}, "CASE05"),
    ("media where none are", {"recipient": "criminals"}, "CASE05"),
    ("unknown media", {"media": "regional"}, "CASE05"),
    ("media of a relationship", {"category": "media_relationship", "recipient": None}, ""),
    ("not opened", {"opened_on": None}, "CASE06"),
    ("opened before the period", {"opened_on": date(2011, 8, 31)}, "CASE06"),
    ("opened after it", {"opened_on": date(2012, 6, 1)}, "CASE06"),
    ("no status", {"status_at_census": None}, "CASE07"),
    ("unknown status", {"status_at_census": "completed"}, "CASE07"),
    ("continuing but closed", {"status_at_census": "continuing"}, "CASE08"),
    ("ended but not closed", {"closed_on": None}, "CASE08"),
    ("closed before it was opened", {"closed_on": date(2011, 10, 2)}, "CASE08"),
    ("closed after the census", {"closed_on": date(2012, 6, 1)}, "CASE08"),
    ("suspension not said", {"suspended": None}, "CASE09"),
    ("no workforce", {"workforce": None}, "CASE10"),
    ("unknown workforce", {"workforce": "volunteer"}, "CASE10"),
    ("two faults", {"workforce": None, "suspended": None}, "CASE09;CASE10"),
]
"""What is changed in a good row, and the reasons it must then have."""

ROWS = [good(number, **changes) for number, (_, changes, _) in enumerate(CASES, start=100)]
EXPECTED = [reasons for _, _, reasons in CASES]

CASE_RESULTS = dict(CASE_TABLES)
CaseExtract = CASE_RESULTS.pop("extract")


def test_by_the_pass_for_volume(collection: Collection, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "cases.parquet", ROWS)
    found = run(path, tmp_path / "out", collection).reasons
    assert [found.get((path.name, row), "") for row in range(1, len(ROWS) + 1)] == EXPECTED


def test_by_the_reference(collection: Collection) -> None:
    assert [";".join(found) for found in judged([(None, row) for row in ROWS], collection)] == (
        EXPECTED
    )


def test_every_member_of_a_repeated_key_is_bad(collection: Collection, tmp_path: Path) -> None:
    """In one file or in several; a key that is blank or another force's is nobody's twin."""
    first = write_parquet(tmp_path / "1.parquet", [good(1), good(2), good(3, case_ref=None)])
    second = write_parquet(tmp_path / "2.parquet", [good(1), good(1), good(3, case_ref=None)])
    third = write_parquet(tmp_path / "3.parquet", [good(1, force="DER")])
    results = run([first, second, third], tmp_path / "out", collection)
    assert results.reasons == {
        ("1.parquet", 1): "CASE11",
        ("1.parquet", 3): "CASE02",
        ("2.parquet", 1): "CASE11",
        ("2.parquet", 2): "CASE11",
        ("2.parquet", 3): "CASE02",
    }


def test_a_row_in_the_folder_of_another_force_is_bad(
    collection: Collection, tmp_path: Path
) -> None:
    path = tmp_path / "in" / "force_code=DER" / "cases.parquet"
    write_parquet(path, [good(1), good(2, force="DER")])
    results = run(tmp_path / "in", tmp_path / "out", collection)
    assert results.reasons == {("cases.parquet", 1): "CASE01"}
    assert results.by_force.select("force_code", "rows", "bad").rows() == [("DER", 2, 1)]


def test_every_rule_has_a_text_and_a_case() -> None:
    assert set(COLUMN_OF) < set(rules_of("cases"))
    fired = {rule_id for _, _, reasons in CASES for rule_id in reasons.split(";") if rule_id}
    assert fired | {"CASE11"} == set(COLUMN_OF)


def test_the_codes_are_those_of_the_contract(collection: Collection) -> None:
    allowed = {c.name: c.allowed_in(collection.template) for c in CaseExtract.columns}
    assert {n: tuple(sorted(held)) for n, held in allowed.items() if held} == codes(
        collection.template
    )


def test_the_results_are_as_their_contracts_say(collection: Collection, tmp_path: Path) -> None:
    sent = [*ROWS, good(1, "XXX"), good(2, "DER"), good(9, force_code=None)]
    run(write_parquet(tmp_path / "cases.parquet", sent), tmp_path / "out", collection)
    for name, contract in CASE_RESULTS.items():
        table = pl.read_parquet(tmp_path / "out" / f"{name}.parquet")
        assert table.equals(conform(contract, table, collection.template)), name


def _other(collection: Collection, **changes: Any) -> Collection:
    template = replace(collection.template, name="other", **changes)
    return collection.model_copy(update={"template": template})


def test_codes_and_subjects_are_the_templates(collection: Collection, tmp_path: Path) -> None:
    """A new code, and a category that now has media, are data alone."""
    lists = collection.template.lists
    category = {**lists["category"], "misuse": "Misuse"}
    categories = {name: held for name, held in category.items() if name != "second_jobs"}
    (sheet,) = (sheet for sheet in collection.template.sheets if sheet.name == "investigations")
    rows = tuple(_renamed(row) for row in sheet.rows)
    changed = _other(
        collection,
        lists={**lists, "category": categories},
        sheets=(replace(sheet, rows=rows),),
    )
    plain = {"recipient": None, "media": None}
    path = write_parquet(
        tmp_path / "cases.parquet",
        [
            good(1, category="misuse", recipient=None),
            good(2, category="misuse", **plain),
            good(3, category="second_jobs", **plain),
            good(4, category="other", **plain),
        ],
    )
    assert run(path, tmp_path / "out", changed).reasons == {
        ("cases.parquet", 2): "CASE05",
        ("cases.parquet", 3): "CASE03",
    }
    assert set(run(path, tmp_path / "out", collection).reasons) == {
        ("cases.parquet", 1),
        ("cases.parquet", 2),
    }


def test_what_no_cell_counts_is_bad(collection: Collection, tmp_path: Path) -> None:
    """A row that passed would be in no total of the return, and nobody would miss it."""
    (sheet,) = (sheet for sheet in collection.template.sheets if sheet.name == "investigations")
    gone = ("information_disclosure.media_national", "procurement")
    rows = [row for row in sheet.rows if row.code not in gone]
    for row, dims, kept in (
        ("procurement", {"category": "other", "recipient": "criminals"}, ["management_action"]),
        ("other", {"recipient": "others"}, [*collection.template.lists["outcome"]]),
    ):
        (of,) = (each for each in sheet.rows if each.code == row)
        entries = (replace(e, dims={**e.dims, **dims}) for e in of.entries if e.measure)
        held = tuple(each for each in entries if each.dims.get("outcome") in kept)
        rows = [each for each in rows if each.code != row]
        rows.append(of.model_copy(update={"entries": held}))
    changed = _other(collection, sheets=(replace(sheet, rows=tuple(rows)),))
    plain = {"category": "other", "recipient": "criminals", "media": None}
    closed = {"status_at_census": "left_service", "closed_on": collection.census}
    media = {"category": "information_disclosure", "recipient": "media"}
    sent = [
        good(1, **plain),
        good(2, **{**plain, **closed}),
        good(3, **{**plain, **closed, "recipient": "others"}),
        good(4, **{**plain, "recipient": "friends_family"}),
        good(5, **media, media="local"),
        good(6, **media, media="national"),
    ]
    path = write_parquet(tmp_path / "cases.parquet", sent)
    assert run(path, tmp_path / "out", changed).reasons == {
        ("cases.parquet", 2): "CASE07",
        ("cases.parquet", 4): "CASE04",
        ("cases.parquet", 6): "CASE05",
    }


def _renamed(row: TemplateRow) -> TemplateRow:
    """Return a row, of misuse in the local media where it was of second jobs."""
    if row.code != "second_jobs":
        return row
    dims = {"category": "misuse", "media": "local"}
    entries = tuple(replace(e, dims={**e.dims, **dims}) for e in row.entries if e.measure)
    return row.model_copy(update={"entries": entries})


def test_a_template_or_collection_without_cases_takes_none(
    collection: Collection, tmp_path: Path
) -> None:
    path = write_parquet(tmp_path / "cases.parquet", [good(1)])
    without = collection.model_copy(update={"cases": None})
    for lacks, other in (("template", _other(collection, cases=None)), ("file", without)):
        with pytest.raises(SetupError, match=f"takes no case-level extracts: its {lacks} has no"):
            run(path, tmp_path / "out", other)
    assert not (tmp_path / "out").exists()
    (checked,) = check_files([path], without, cases=True)
    assert checked.state == "rejected"
    lake, about, context = Lake(tmp_path / "lake", collection.id), dict[str, Any](), Mock()
    dropped = write_parquet(lake.cases / "STF.parquet", [good(1)])
    tables = cases(context, TakeIn(), lake, without, about)
    assert all(table.is_empty() for table in tables)
    assert "its file has no [cases]" in about["cases/extracts"]["left_in_landing"][dropped.name]
