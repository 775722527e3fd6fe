"""Both engines count alike on templates that nobody has thought of."""

import tomllib
from pathlib import Path
from random import Random

import polars as pl
import pytest

from assets.figures.explain.explain import worked_out
from assets.figures.explain.terms import Question, terms_of
from assets.figures.recount.checks import Totals, national_checks
from assets.figures.recount.recount import OF_CELLS_ALONE, differences, recounted
from assets.figures.totals import marts
from assets.figures.totals.cube import cube
from assets.figures.totals.national import national_totals
from schemas.breakdown import read_breakdown
from schemas.collection import Collection, load_collection
from tests.any_template import drawn_collection
from tests.live import any_live, laid_out
from tests.recount.plain import Plain

OF_THE_COUNTS = {"M001", "M006", "M007", "M008", "M012"}
"""Rules on what forces sent at random, rather than on how it was counted."""


@pytest.fixture
def drawn(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Collection:
    """A collection on a template drawn by the seed."""
    drawn_collection(tmp_path, request.param, named=True)
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    return load_collection("drawn")


def _leaves_out(row: dict[str, str], drawn: Collection) -> bool:
    """Return whether a total is at a level that leaves some cells out."""
    measure = drawn.template.measures.get(row["measure"])
    return measure is not None and bool(measure.left_out(read_breakdown(row["breakdown"])))


@pytest.mark.parametrize(
    "drawn",
    [0, 14, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 31, 36))],
    indirect=True,
)
def test_two_engines_agree_on_a_template_drawn_at_random(drawn: Collection) -> None:
    live = any_live(drawn, seed=0)
    national, cells = national_totals(live, drawn), marts.cells(live, drawn)
    found = differences(national, recounted(cells, drawn))
    assert found.is_empty(), found
    laid = laid_out(live, drawn)
    columns = {"investigations": "cases", "register_entries": "entries", "second_jobs": "count"}
    nulls = [laid[name][column].null_count() for name, column in columns.items()]
    assert all(nulls), nulls
    by_outcome = marts.outcome_breakdown(live, drawn)
    assert by_outcome["cases"].sum() == laid["investigations"]["cases"].sum()
    totals = Totals(national, cells, drawn, laid_out=laid)
    failed = national_checks(totals).filter(~pl.col("passed"))
    assert set(failed["rule_id"]) <= OF_THE_COUNTS, failed["message"].to_list()
    known = national.drop_nulls("value").to_dicts()
    left_out = [row for row in known if _leaves_out(row, drawn)]
    changes = [row for row in known if row["measure"].endswith("_change")]
    for row in [*Random(1).sample(known, 6), *left_out[:6], *changes]:
        terms = terms_of(Question(row["measure"], row["breakdown"], row["period"]), live, drawn)
        assert terms is not None, row
        assert worked_out(terms)[0] == pytest.approx(row["value"]), row
    spread = marts.distribution(cube(national, drawn), drawn).drop("statistic").unique()
    assert spread.join(national, on=["measure"], how="anti").is_empty()
    wrong = national.with_columns(pl.col("value") + 1)
    of_cells = national.filter(~pl.col("measure").is_in(OF_CELLS_ALONE))["value"].count()
    assert differences(wrong, recounted(cells, drawn)).height == of_cells


@pytest.mark.slow
@pytest.mark.parametrize("drawn", range(100, 112), indirect=True)
def test_plain_python_finds_the_same_totals(drawn: Collection) -> None:
    """What both engines read in the same way could be wrong in both."""
    live = any_live(drawn, seed=1)
    file = tomllib.loads(drawn.template.path.read_text(encoding="utf-8"))
    sent: dict[str, dict[tuple[str, str, str], str]] = {}
    for force, sheet, row, column, value in live.select(
        "force_code", "sheet", "row_code", "column_code", "value"
    ).iter_rows():
        sent.setdefault(force, {})[sheet, row, column] = value
    months = {"collection": 12, "before": 18}
    expected = Plain(file, sent, months, drawn.count_bands).found
    national = national_totals(live, drawn)
    rows = national.filter(~pl.col("measure").is_in(["reporting_bodies", "months_in_collection"]))
    columns = ("measure", "breakdown", "period", "value", "forces_included")
    found = {row[:3]: row[3:] for row in rows.select(columns).iter_rows()}
    assert found.keys() == expected.keys()
    for key, (value, forces) in found.items():
        assert (pytest.approx(value), forces) == expected[key], key
