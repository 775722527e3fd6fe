"""What a release tells of those before it: told inside it, and true whatever is pruned later."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.disclosure.forms import public_forms
from assets.disclosure.ledger import Entry
from assets.figures.explain.released import Drafted
from assets.figures.reconcile import reconcile
from assets.figures.totals import marts, national
from assets.history import record
from assets.inputs.research.tables import ResearchTables
from assets.lake import Lake
from assets.marts import DESCRIPTION, write_manifest, write_mart
from assets.release.changes import Since, since_edition, since_release
from assets.release.pages.figures import Edition
from assets.release.pages.pages import national_pages, page_html
from schemas.collection import Collection, description
from schemas.contract import empty
from schemas.marts import MARTS
from schemas.public import public_marts
from schemas.tables import ReportFigures
from tests.pages.released import ABOUT, Answers, Marts, read_page

OLD, NEW = "2012-revisit-000000000001", "2012-revisit-000000000002"
FROM: dict[str, Any] = {"live": [["AVS", "a" * 64], ["BED", "b" * 64]], "research": []}
SENT: dict[str, Any] = {**FROM, "live": [["AVS", "c" * 64], ["BED", "b" * 64]]}


@pytest.fixture(scope="module")
def changed(
    whole: Marts, live: pl.DataFrame, research: ResearchTables, collection: Collection
) -> Marts:
    """Marts in which Avon and Somerset has three more continuing cases of a kind."""
    place = pl.struct("force_code", "sheet", "row_code", "column_code") == pl.lit(
        {"force_code": "AVS", "sheet": "investigations", "row_code": "other",
         "column_code": "continuing"}
    )  # fmt: skip
    more = (pl.col("value").cast(pl.Int64, strict=False) + 3).cast(pl.String)
    other = live.with_columns(value=pl.when(place).then(more).otherwise("value"))
    other = other.with_columns(number=pl.col("value").cast(pl.Int64, strict=False))
    totals = national.national_totals(other, collection, research)
    found = reconcile(totals, other, empty(ReportFigures), collection, research.instances)
    cells = marts.cells(other, collection)
    return whole | {"national_totals": totals, "reconciliation": found, "cells": cells}


def _keep(lake: Lake, name: str, marts: Mapping[str, pl.DataFrame]) -> Path:
    """Put a release as far as the next one reads it into a lake, and show it."""
    folder = lake.releases / name
    for path, content in description(lake.collection).items():
        (folder / DESCRIPTION / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / DESCRIPTION / path).write_bytes(content)
    for mart in ("national_totals", "returns_status", "reconciliation", "cells", "corrections"):
        with (folder / f"{mart}.parquet").open("wb") as file:
            write_mart(file, mart, MARTS[mart], marts[mart], {**ABOUT, "release": name})
    write_manifest(folder, {"made_from": FROM})
    record(lake, name, None)
    return folder


def _page(folder: Path, marts: Marts, since: Since, **about: str) -> str:
    edition = Edition(marts | since.tables, {**ABOUT, "release": NEW, **about, **since.facts})
    html = page_html(national_pages(edition)["changes"], [], edition.about)
    (folder / "changes.html").write_text(html, encoding="utf-8")
    shown, _ = read_page(folder / "changes.html")
    answers = Answers(marts | since.tables)
    assert [wrong for one in shown if (wrong := answers.wrong(one))] == []
    return html


def test_a_release_tells_what_changed_and_whose_return_did_it(
    whole: Marts, changed: Marts, collection: Collection, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake", collection.id)
    first = since_release(lake, Drafted(tmp_path, collection, None, whole, FROM), OLD)
    assert "There is no release before this one." in _page(tmp_path, whole, first)
    _keep(lake, OLD, whole)
    draft = Drafted(tmp_path, collection, None, changed, SENT | {"software_sha256": "new"})
    since = since_release(lake, draft, NEW)
    html = _page(tmp_path, changed, since)
    line = html.split(">Investigations</th>")[1].split("</tr>")[0]
    for said in (">2,207<", ">2,210<", ">+3<", ">Avon and Somerset<"):
        assert said in line
    assert ">Another version counts<" in html
    assert "Besides returns, these are different: the software." in html
    figure = html.split(">INV-01</th>")[1].split("</tr>")[0]
    assert ">Match<" in figure
    assert ">Differs<" in figure
    assert f"before this one, the last first: {OLD}." in html
    again = since_release(lake, draft, NEW)
    assert {n: t.write_csv() for n, t in again.tables.items()} == {
        n: t.write_csv() for n, t in since.tables.items()
    }


def test_the_list_outlives_what_is_pruned_and_the_last_is_the_one_shown_before(
    whole: Marts, collection: Collection, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake", collection.id)
    now = Drafted(tmp_path, collection, None, whole, FROM)
    folder = [_keep(lake, name, whole) for name in (OLD, NEW)][-1]
    shutil.rmtree(lake.releases / OLD)
    third = "2012-revisit-000000000003"
    since = since_release(lake, now, third)
    assert (since.facts["before"], since.facts["previous"]) == (f"{NEW}, {OLD}", NEW)
    assert since.tables["changed_totals"].is_empty()
    record(lake, OLD, None)  # went back to it, and on again
    assert since_release(lake, now, third).facts["before"] == f"{OLD}, {NEW}"
    html = _page(tmp_path, whole, since_release(lake, now, NEW))
    assert "There is no release before this one that is kept." in html
    assert f"before this one, the last first: {OLD}." in html
    (folder / "national_totals.parquet").write_bytes(b"damaged")
    html = _page(tmp_path, whole, since_release(lake, now, third))
    assert f"What changed since release {NEW} is not known: it cannot be" in html


def test_a_public_edition_tells_what_public_marts_tell(
    whole: Marts, changed: Marts, collection: Collection, tmp_path: Path
) -> None:
    forms = public_marts(collection.template)
    before, now = (public_forms(marts, [], collection) for marts in (whole, changed))
    mine = (pl.col("measure") == "investigations") & (pl.col("breakdown") == "category=other")
    now["national_totals"] = now["national_totals"].with_columns(
        value=pl.when(~mine).then("value"),
        symbol=pl.when(mine).then(pl.lit("c")).otherwise("symbol"),
    )
    last = Entry(tmp_path, "a" * 64, 1, OLD, {}, {})
    last.public.mkdir()
    for name, frame in before.items():
        with (last.public / f"{name}.parquet").open("wb") as file:
            write_mart(file, name, forms[name], frame, {**ABOUT, "release": OLD})
    first = replace(last, release="2012-revisit-000000000000")
    html = _page(tmp_path, now, since_edition([first, last], now), edition="public")
    line = html.split(">Investigations: Other integrity matters</th>")[1]
    line = line.partition("</tr>")[0]
    assert line.count(">hidden<") == 2, "neither the number nor what it changed by"
    assert f"before this one, the last first: {OLD}, {first.release}." in html
    assert not [own for own in ("Because of", "muster ") if own in html.partition("<body")[2]]
    assert since_edition([], now).facts == {"before": ""}
    gone = since_edition([replace(last, folder=tmp_path / "none")], now)
    assert "is not known: it cannot be read" in _page(tmp_path, now, gone, edition="public")
