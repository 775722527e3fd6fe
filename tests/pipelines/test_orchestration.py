"""The refresh through real Dagster: what the UI will show, and what a failing run leaves."""

import hashlib
import json
import shutil
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from assets.declare import CODE_VERSION, COLLECTIONS, made, step
from assets.lake import Lake, held
from pipelines.definitions import defs
from pipelines.instance import dagster_home
from pipelines.jobs import REFRESH
from schemas.contract import empty
from schemas.marts import MARTS
from schemas.rules.catalogue import NATIONAL, TIERS
from schemas.tables import TABLES

KEY = "2012-revisit"
FORCES = {"AVS", "MPS", "WYK"}
COUNTS = dg.AssetKey(["validation", "force_returns", KEY])


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path))
    return Lake(tmp_path, KEY)


@pytest.fixture
def filled(lake: Lake, sample_folder: Path) -> Lake:
    lake.landing.mkdir(parents=True)
    for force in FORCES:
        shutil.copy(sample_folder / f"{force}.xlsx", lake.landing)
    return lake


def _refresh(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def(REFRESH)
    return job.execute_in_process(partition_key=KEY, instance=instance, raise_on_error=False)


def _made(result: dg.ExecuteInProcessResult) -> set[str]:
    """Return the assets that Dagster is told of in a run."""
    made = [each.asset_key for each in result.all_events if each.is_step_materialization]
    return {key.to_user_string() for key in made if key}


def _stale(instance: dg.DagsterInstance) -> set[str]:
    """Return the assets that the UI shows as out of date or missing."""
    graph = defs.resolve_asset_graph()
    shown = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    keys = graph.executable_asset_keys
    return {str(key) for key in keys if shown.get_status(key, KEY) != StaleStatus.FRESH}


def _told(result: dg.ExecuteInProcessResult) -> set[str | None]:
    """Return the forces whose live return Dagster is told of in a run."""
    return {
        each.partition
        for each in result.all_events
        if each.is_step_materialization and "force_returns" in str(each.asset_key)
    }


@pytest.mark.slow
def test_the_ui_says_truthfully_what_is_in(filled: Lake) -> None:
    """A partitioned asset that returned 3 of 44 keys would be shown as 44."""
    with dg.instance_for_test() as instance:
        result = _refresh(instance)
        assert result.success
        shown = instance.get_materialized_partitions(COUNTS)
        event = instance.get_latest_materialization_event(dg.AssetKey(["totals", "investigations"]))
        checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
        judged = [
            dg.AssetKey(["validation", name])
            for name in ("returns_status", "findings", "live_returns", "version_changes")
        ]
        again = defs.resolve_job_def(REFRESH).execute_in_process(
            partition_key=KEY, instance=instance, asset_selection=judged
        )
        some = defs.resolve_job_def(REFRESH).execute_in_process(
            partition_key=KEY,
            instance=instance,
            asset_selection=[
                dg.AssetKey(["intake", "receipts"]),
                dg.AssetKey(["totals", "cells"]),
            ],
        )
        stale = _stale(instance)
        found = filled.table("validation/all_findings")
        pl.read_parquet(found).with_columns(severity=pl.lit("B")).write_parquet(found)
        refused = defs.resolve_job_def(REFRESH).execute_in_process(
            partition_key=KEY, instance=instance, asset_selection=judged
        )
        left = instance.get_materialized_partitions(COUNTS)
    assert shown == FORCES
    assert left == _told(refused) == FORCES - {"MPS"}, "its queries reject it now"
    assert stale == set(), "all that was made again is as it was"
    with_it = {"receipts", "damaged_receipts"}
    assert _made(some) == {"totals/cells", *(f"intake/{name}" for name in with_it)}, (
        "what one function makes is made together, of the rest what was chosen"
    )
    assert _told(result) == FORCES
    assert _told(again) == set(), "a return that is live as before is no news"
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["dagster/row_count"].value == 3 * 65
    _follows_columns(event.asset_materialization.metadata["dagster/column_lineage"].value)
    tags = event.asset_materialization.tags or {}
    assert tags["dagster/code_version"] == CODE_VERSION
    content = filled.table("totals/investigations").read_bytes()
    assert tags["dagster/data_version"] == hashlib.sha256(content).hexdigest()
    assert set(checks) == {
        *(set(TIERS) - {NATIONAL}), "coverage", "published_figures", "totals_hold",
        "expectations", "public", "public_due",
        "research_is_sound", "cases",
    }  # fmt: skip
    assert not checks["coverage"].passed
    assert checks["coverage"].metadata["forces_included"].value == 3
    assert checks["structure"].passed
    assert filled.marts.exists()


def _follows_columns(lineage: dg.TableColumnLineage) -> None:
    """Hold what is told of the mart Investigations to what it follows from."""
    entries = dg.AssetKey(["validation", "live_entries"])
    of = {name: {(d.asset_key, d.column_name) for d in deps}
          for name, deps in lineage.deps_by_column.items()}  # fmt: skip
    assert {*of} == {column.name for column in MARTS["investigations"].columns}
    assert of["force_code"] == {(entries, "force_code")}
    assert (entries, "number") in of["cases"]
    assert (entries, "row_code") in of["outcome"]
    assert all(of.values())


def test_a_step_is_tried_again_from_its_start(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had told of before an error that can pass is told anew."""
    monkeypatch.setattr("assets.declare._PAUSE", 0)
    tries: list[str] = []

    def choices(lake: Lake) -> pl.DataFrame:
        tries.append(lake.collection)
        if len(tries) == 1:
            raise OSError(5, "Input/output error")
        return empty(TABLES["desk/choices"])

    parts = [
        made("desk/answers", by=lambda: empty(TABLES["desk/answers"])),
        made("desk/choices", by=choices),
    ]
    desk, given = step("desk", parts), {"lake_root": lake.root}
    assert dg.materialize([desk], partition_key=KEY, resources=given).success
    assert len(tries) == 2
    assert lake.table("desk/choices").exists()


def test_every_table_is_described_by_its_contract() -> None:
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    made_by = {"reconciliation": "reconciliation", "returns_status": "validation"}
    made_by |= dict.fromkeys(("findings", "repairs", "corrections"), "validation")
    made_by["national_checks"] = "recount"
    made_by |= dict.fromkeys(("social_media", "survey", "survey_changes"), "research")
    made_by["investigations_by_month"] = "cases"
    for name, contract in MARTS.items():
        spec = specs[dg.AssetKey([made_by.get(name, "totals"), name])]
        assert spec.description
        assert spec.owners
        assert spec.kinds
        schema = spec.metadata["dagster/column_schema"]
        assert [c.name for c in schema.columns] == [c.name for c in contract.columns]
    assert {spec.group_name for spec in specs.values()} == {
        "intake", "cases", "desk", "reports", "research", "validation", "totals", "recount",
        "reconciliation", "release",
    }  # fmt: skip


def test_everything_is_partitioned_by_collection() -> None:
    assert COLLECTIONS.get_partition_keys() == [KEY]
    job = defs.resolve_job_def(REFRESH)
    assert job.partitions_def == COLLECTIONS


@pytest.mark.slow
def test_a_run_in_a_held_lake_fails_and_says_why(filled: Lake) -> None:
    with dg.instance_for_test() as instance, held(filled.root):
        result = _refresh(instance)
    assert not result.success
    messages = [event.event_specific_data for event in result.all_events if event.is_failure]
    assert any("another run holds the lake" in str(message) for message in messages)
    assert not filled.marts.exists()


def test_nobody_is_told_about_runs(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telemetry is off wherever Muster opens an instance."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    assert dagster_home() == lake.root / "dagster"
    settings = (dagster_home() / "dagster.yaml").read_text()
    assert "telemetry:\n  enabled: false" in settings


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
@pytest.mark.filterwarnings("ignore")  # of the integration, which is younger than what it wraps
def test_events_of_openlineage_are_sent_where_they_are_asked_for(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("lineage")
    transport = {"type": "file", "log_file_path": str(folder / "events"), "append": True}
    (folder / "openlineage.yml").write_text(json.dumps({"transport": transport}))
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(folder / "openlineage.yml"))
    wrapped = {
        "module": "dagster._core.storage.event_log",
        "class": "ConsolidatedSqliteEventLogStorage",
        "config": {"base_dir": str(folder)},
    }
    storage = {
        "module": "dagster_openlineage",
        "class": "OpenLineageEventLogStorage",
        "config": {"wrapped": wrapped, "namespace": "muster"},
    }
    with dg.instance_for_test(overrides={"event_log_storage": storage}) as instance:
        assert _refresh(instance).success
    events = [json.loads(line) for line in (folder / "events").read_text().splitlines()]
    made = {output["name"]: output for event in events for output in event.get("outputs", [])}
    facets = made["totals/investigations"]["facets"]
    of_cases = facets["columnLineage"]["fields"]["cases"]["inputFields"]
    assert ("validation/live_entries", "number") in {(f["name"], f["field"]) for f in of_cases}
