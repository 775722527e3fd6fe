"""Extracts of a collection from outside: another measure, other codes, bodies of any code."""

from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.cases.derived import derived_entries, only_rows, told_in_status
from assets.cases.received import judge_received
from assets.cases.store import CaseStore
from assets.lake import Lake
from assets.marts import write_mart
from schemas.collection import Collection, load_collection
from schemas.contract import empty
from schemas.errors import ContractError
from schemas.marts import marts_of
from schemas.tables import Receipts
from tests.any_template import EXAMPLES
from tests.cases.extracts import Row, run, write_csv, write_parquet

TEMPLATE = """
[lists.category]
care = "Care"
privacy = "Privacy"
[lists.recipient]
press = "The press"
relative = "A relative"
[lists.outcome]
open = "Open"
upheld = "Upheld"
[measures.complaints]
unit = "count"
levels = [[], ["category"], ["outcome"]]
[profile]
complaints = { measure = "complaints" }
[cases]
measure = "complaints"
open = "open"
[[sheet]]
name = "complaints"
title = "Complaints"
instructions = []
kind = "count"
measure = "complaints"
columns = [
    { code = "open", dims = { outcome = "open" } },
    { code = "upheld", dims = { outcome = "upheld" } },
]
rows = [
    { code = "care", dims = { category = "care" } },
    { code = "press", label = "P", dims = { category = "privacy", recipient = "press" } },
    { code = "relative", label = "R", dims = { category = "privacy", recipient = "relative" } },
    { code = "total", label = "All", sum_of = ["care", "press", "relative"] },
]
"""

SHEET = "[[sheet]]\n"

FORCES = ["AVS", "T", "T-1", "T-2025", "t_2", "13", "TRUST9"]
"""Of any length, and some with what others begin with or what looks like a year in them."""

COLLECTION = f"""
id = "complaints-2025"
title = "Complaints"
census = 2026-03-31
timezone = "Europe/London"
template = "complaints-1"
forces = {FORCES}
cases = {{ max_bad_share = 0.5 }}
period = {{ start = 2025-04-01, end = 2026-03-31 }}
deadlines = {{ soft = 2026-04-30, hard = 2026-05-15 }}
"""


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def template_text() -> str:
    """Return the text of the template: the sheet `cover` of an example, and TEMPLATE."""
    example = (EXAMPLES / "templates/use-of-force-1.toml").read_text("utf-8")
    return f'name = "complaints"\nversion = 1\n{TEMPLATE}{SHEET}{example.split(SHEET)[1]}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    heads = (EXAMPLES / "reference/forces.csv").read_text("utf-8").partition("\n")[0]
    bodies = [
        f"{code},,B{n},Body {n},North,England,trust,false,,," for n, code in enumerate(FORCES)
    ]
    _write(folder, "reference/forces.csv", "\n".join([heads, *bodies]) + "\n")
    _write(folder, "templates/complaints-1.toml", template_text())
    _write(folder, "collections/complaints-2025.toml", COLLECTION)
    return folder


@pytest.fixture
def own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Collection:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(folder))
    return load_collection("complaints-2025")


def _row(force: str, number: int, reference: str = "", **changes: Any) -> Row:
    return {
        "force_code": force,
        "case_ref": reference or f"{force}-2025-{number}",
        "category": "privacy",
        "recipient": "press",
        "media": None,
        "opened_on": date(2025, 7, 31),
        "status_at_census": "open",
        "closed_on": None,
        "suspended": False,
        "workforce": "staff",
        **changes,
    }


def test_an_extract_counts_under_whatever_its_measure_and_codes_are_called(
    own: Collection, tmp_path: Path
) -> None:
    """The marts held it to the codes of the measure `investigations`, so that none was released."""
    lake = Lake(tmp_path / "lake", own.id)
    plain = {"category": "care", "recipient": None}
    write_parquet(lake.cases / "force_code=T-1/a.parquet", [_row("T-1", n) for n in range(3)])
    write_csv(lake.cases / "13.csv", [_row("13", 1, **plain), _row("13", 2)])
    store = CaseStore(lake)
    store.take_in(own)
    extracts, cases, findings = judge_received(store, lake, own)
    assert findings.is_empty(), findings["message"].to_list()
    with (tmp_path / "mart.parquet").open("wb") as file:
        of = marts_of(own)["investigations_by_month"]
        write_mart(file, "investigations_by_month", of, cases, {}, own.template)
    by = ("force_code", "category", "recipient", "media", "outcome", "cases")
    assert pl.read_parquet(tmp_path / "mart.parquet").select(by).rows() == [
        ("13", "care", None, None, "open", 1),
        ("13", "privacy", "press", None, "open", 1),
        ("T-1", "privacy", "press", None, "open", 3),
    ]
    only = only_rows(extracts, empty(Receipts))
    counted = derived_entries(cases, only, own.template).join(only, on="receipt_id")
    told = counted.filter(row_code="total").select("force_code", "column_code", "number").rows()
    assert sorted(told) == [("13", "open", 2), ("13", "upheld", 0), ("T-1", "open", 3),
                            ("T-1", "upheld", 0)]  # fmt: skip
    status = only.select("force_code", state=pl.lit("accepted"), notes=pl.lit(None, pl.String))
    (note,) = {*told_in_status(status, only, extracts, own.template)["notes"]}
    assert note.startswith("sent only case rows: its complaints are derived from them")
    wrong = cases.with_columns(category=pl.lit("procurement"))
    with pytest.raises(ContractError):
        write_mart(BytesIO(), "investigations_by_month", of, wrong, {}, own.template)


REFERENCES = [
    *((code, f"{code}-2025-{n}", "") for n, code in enumerate(FORCES)),
    ("T", "T-1-2025-9", "CASE02"),
    ("T-1", "T-2025-9", "CASE02"),
    ("T", "T-2025-2025-9", "CASE02"),
    ("T-2025", "T-2025-98", "CASE02"),
    ("t_2", "T_2-2025-1", "CASE02"),
    ("AVS", "AVS-25-1", "CASE02"),
    ("TRUST9", "TRUST9-2025-1234567890", "CASE02"),
    ("T", "-2025-1", "CASE02"),
    ("T", "T--2025-1", "CASE02"),
    ("T", "Jane Smith-2025-1", "CASE02"),
    ("OTHER", "OTHER-2025-1", "CASE01"),
    ("OTHER", "2025-1", "CASE01;CASE02"),
    (None, "T-1-2025-77", "CASE01"),
]
"""A row's force, its reference, and the reasons it must have."""


def test_a_reference_begins_with_the_code_of_its_force_whatever_that_is(
    own: Collection, tmp_path: Path
) -> None:
    """Only codes of three capitals were taken, and the advice was to write what stood there."""
    rows = [
        _row(force or "", n, of, force_code=force) for n, (force, of, _) in enumerate(REFERENCES)
    ]
    path = write_parquet(tmp_path / "cases.parquet", rows)
    results = run(path, tmp_path / "out", own)
    found = [results.reasons.get((path.name, n), "") for n, _ in enumerate(rows, start=1)]
    assert found == [reasons for *_, reasons in REFERENCES]
    assert "Smith" not in str(results.summary)
    assert "'T-1-2025-9'" in str(results.summary), "whose it is shows"
