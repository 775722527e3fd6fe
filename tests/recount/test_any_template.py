"""Both engines count alike on templates that nobody has thought of."""

from pathlib import Path

import polars as pl
import pytest

from assets.figures.recount.checks import Totals, national_checks
from assets.figures.recount.recount import OF_CELLS_ALONE, differences, recounted
from assets.figures.totals import marts
from assets.figures.totals.national import national_totals
from schemas.collection import Collection, load_collection
from tests.any_template import drawn_collection
from tests.live import any_live

OF_THE_COUNTS = {"M001", "M006", "M007", "M008", "M012"}
"""Rules on what forces sent at random, rather than on how it was counted."""


@pytest.fixture
def drawn(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Collection:
    """A collection on a template drawn by the seed."""
    drawn_collection(tmp_path, request.param)
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    return load_collection("drawn")


@pytest.mark.parametrize("drawn", range(6), indirect=True)
def test_two_engines_agree_on_a_template_drawn_at_random(drawn: Collection) -> None:
    live = any_live(drawn, seed=0)
    national, cells = national_totals(live, drawn), marts.cells(live, drawn)
    found = differences(national, recounted(cells, drawn))
    assert found.is_empty(), found
    failed = national_checks(Totals(national, cells, drawn)).filter(~pl.col("passed"))
    assert set(failed["rule_id"]) <= OF_THE_COUNTS, failed["message"].to_list()
    spread = marts.distribution(live, drawn).drop("statistic").unique()
    assert spread.join(national, on=["measure"], how="anti").is_empty()
    wrong = national.with_columns(pl.col("value") + 1)
    known = national.filter(~pl.col("measure").is_in(OF_CELLS_ALONE))["value"].count()
    assert differences(wrong, recounted(cells, drawn)).height == known
