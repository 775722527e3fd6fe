"""The sample's cases are the sample returns, case by case."""

from pathlib import Path

import polars as pl

from assets.cases.job import run_cases
from assets.cases.sources import find_sources
from assets.sample.write import SUSPENDED, sample_cases, sample_returns, write_cases
from schemas.collection import Collection
from tests.cases.extracts import read_results
from tools.make_sample.described import INVESTIGATION_ROWS


def test_they_add_up_to_the_grid_of_every_return(collection: Collection, tmp_path: Path) -> None:
    """A sample that contradicts itself would teach that X007 fires for nothing."""
    write_cases(tmp_path / "cases", collection)
    assert (
        run_cases(find_sources([tmp_path / "cases"]), tmp_path / "out", collection)["state"]
        == "accepted"
    )
    counts = read_results(tmp_path / "out").counts
    by = ["force_code", "category", "recipient", "media", "status_at_census"]
    cells = {row[:-1]: row[-1] for row in counts.group_by(by).agg(pl.sum("cases")).iter_rows()}
    sent = sample_returns(collection).filter(pl.col("sheet") == "investigations")
    grid = {row[:-1]: int(row[-1]) for row in sent.drop("sheet").iter_rows()}
    expected = {
        (force, row.category, row.recipient, row.media, column): count
        for (force, code, column), count in grid.items()
        for row in INVESTIGATION_ROWS
        if row.is_part and row.code == code and column in set(counts["status_at_census"]) and count
    }
    assert cells == expected
    assert sum(cells.values()) == 2207


def test_as_many_cases_with_a_suspension_as_people_suspended(collection: Collection) -> None:
    cases = sample_cases(collection).filter("suspended")
    people = sample_returns(collection).filter(row_code="total", column_code=SUSPENDED)
    found = dict(cases.group_by("force_code").len().iter_rows())
    assert found == {f: int(n) for f, n in people.select("force_code", "value").rows() if n != "0"}


def test_every_month_has_cases_and_references_are_in_order(collection: Collection) -> None:
    cases = sample_cases(collection)
    assert cases["opened_on"].dt.truncate("1mo").n_unique() == collection.period.months
    by_force = pl.col("opened_on").diff().over("force_code").drop_nulls()
    assert cases.select((by_force.dt.total_days() >= 0).all()).item()
    assert sample_cases(collection).equals(cases)
