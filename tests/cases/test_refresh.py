"""A refresh as far as the totals, with extracts beside the workbooks, under real Dagster."""

import dagster as dg
import polars as pl
import pytest

from assets.lake import Lake
from assets.sample.write import write_cases, write_sample
from pipelines.definitions import defs
from pipelines.jobs import REFRESH
from schemas.collection import Collection

pytestmark = pytest.mark.slow

MARTS = {
    "findings": "validation/findings",
    "returns_status": "validation/returns_status",
    "investigations": "totals/investigations",
    "national_totals": "totals/national_totals",
    "investigations_by_month": "cases/investigations_by_month",
}
"""What is read here, each with the asset that makes it; the pages and the gate are not needed."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Lake:
    """STF sent only rows, DER rows that lack a case, AVS rows that are all bad."""
    lake = Lake(tmp_path_factory.mktemp("lake"), collection.id)
    write_sample(lake.landing, collection)
    (lake.landing / "STF.xlsx").unlink()
    folder = lake.landing / "cases"
    write_cases(folder, collection)
    der, avs = (pl.read_parquet(folder / f"{force}.parquet") for force in ("DER", "AVS"))
    der.head(-1).write_parquet(folder / "DER.parquet")
    avs.with_columns(workforce=pl.lit("")).write_parquet(folder / "AVS.parquet")
    with pytest.MonkeyPatch.context() as environment, dg.instance_for_test() as instance:
        environment.setenv("MUSTER_LAKE", str(lake.root))
        job = defs.resolve_job_def(REFRESH)
        needed = dg.AssetSelection.assets(*MARTS.values()).upstream()
        assert job.execute_in_process(
            partition_key=collection.id,
            instance=instance,
            asset_selection=list(
                needed.required_multi_asset_neighbors().resolve(defs.resolve_asset_graph())
            ),
        ).success
    return lake


def _mart(lake: Lake, name: str) -> pl.DataFrame:
    return pl.read_parquet(lake.table(MARTS[name]))


def test_where_both_were_sent_they_must_agree(lake: Lake) -> None:
    (finding,) = _mart(lake, "findings").filter(rule_id="X007").to_dicts()
    assert finding["force_code"] == "DER"
    assert _mart(lake, "returns_status").filter(force_code="DER")["state"].item() == "rejected"


def test_what_is_wrong_with_an_extract_stands_beside_what_is_wrong_with_returns(lake: Lake) -> None:
    found = _mart(lake, "findings").filter(force_code="AVS", severity="B")
    assert found.select("rule_id", "sheet", "cell").rows() == [
        ("CASE10", "AVS.parquet", "row 1"),
        ("CASE15", "AVS.parquet", None),
    ]
    status = _mart(lake, "returns_status").filter(force_code="AVS").row(0, named=True)
    assert (status["state"], status["blocking"]) == ("accepted", 2)


def test_where_only_rows_came_they_stand_in(lake: Lake) -> None:
    status = _mart(lake, "returns_status").filter(force_code="STF").row(0, named=True)
    assert status["state"] == "accepted"
    assert "only case rows" in status["notes"]
    mine = _mart(lake, "investigations").filter(force_code="STF")
    assert mine["cases"].sum() == 48
    assert set(mine["basis"]) == {"reconstructed"}, "the sample says so itself"
    totals = _mart(lake, "national_totals").filter(breakdown="", period="collection")
    included = dict(totals.select("measure", "forces_included").iter_rows())
    assert included["investigations"] == 43, "all but DER, which is rejected"
    assert included["second_job_applications"] == 42, "STF did not send that"


def test_the_month_dimension_agrees_with_the_facts(lake: Lake) -> None:
    by = ["force_code", "category", "recipient", "media", "outcome"]
    months = _mart(lake, "investigations_by_month")
    assert "AVS" not in set(months["force_code"]), "its extract is refused whole"
    added = months.group_by(by).agg(pl.sum("cases")).filter(pl.col("force_code") != "DER")
    facts = _mart(lake, "investigations").filter(
        pl.col("cases") > 0, pl.col("force_code").is_in(months["force_code"].unique())
    )
    assert added.sort(by).equals(facts.select(*by, "cases").sort(by))
    assert months["month"].n_unique() == 9
