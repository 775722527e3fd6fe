"""Both engines count alike on templates that nobody has thought of."""

import tomllib
from pathlib import Path

import polars as pl
import pytest

from assets.recount.checks import Totals, national_checks
from assets.recount.recount import OF_CELLS_ALONE, differences, recounted
from assets.totals import marts
from assets.totals.national import national_totals
from schemas.collection import Collection, load_collection
from tests.any_template import any_template
from tests.live import any_live

EXAMPLES = Path(__file__).parents[2] / "examples"

OF_THE_COUNTS = {"M001", "M006", "M007", "M008"}
"""Rules on what forces sent at random, rather than on how it was counted."""

_COLLECTION = """
id = "drawn"
title = "Drawn"
census = 2014-12-31
timezone = "Europe/London"
template = "drawn-1"
forces = ["AVS", "BED", "CAM", "CHS", "CLE", "CMB", "DER", "DOR", "DUR", "ESX", "GLO", "HAM"]
count_bands = ["0", "1..5", "40.."]
[period]
start = 2014-01-01
end = 2014-12-31
[deadlines]
soft = 2015-01-31
hard = 2015-02-14
[comparators.before]
start = 2012-01-01
end = 2013-06-30
"""


@pytest.fixture
def drawn(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Collection:
    """A collection on a template drawn by the seed."""
    other = tomllib.loads((EXAMPLES / "templates/use-of-force-1.toml").read_text(encoding="utf-8"))
    for folder in ("templates", "collections"):
        (tmp_path / folder).mkdir()
    text = any_template("drawn", request.param, other["sheet"][0])
    (tmp_path / "templates/drawn-1.toml").write_text(text, encoding="utf-8")
    (tmp_path / "collections/drawn.toml").write_text(_COLLECTION, encoding="utf-8")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    return load_collection("drawn")


@pytest.mark.parametrize("drawn", range(10), indirect=True)
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
