"""What analysts take away: one truth in every form that their tools read."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

import muster
from assets.lake import Lake
from assets.release.pack import SDMX, Pack
from schemas.collection import load_collection
from schemas.errors import LakeError, SetupError
from schemas.marts import marts_of
from tests.pipelines.conftest import Demo, invoke

COLLECTION = "2012-revisit"


@pytest.fixture(scope="session")
def folder(demo: Demo) -> Path:
    return Lake(demo.lake, COLLECTION).marts.resolve()


@pytest.fixture(scope="session")
def tables(folder: Path) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def validate_package(folder: Path) -> None:
    """Hold a Data Package to what the frictionless command says of it."""
    command = [sys.executable, "-W", "ignore", "-m", "frictionless", "validate", "datapackage.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_says_what_columns_may_hold(folder: Path) -> None:
    package = json.loads((folder / "datapackage.json").read_bytes())
    assert package["licenses"] == [{"name": "MIT"}]
    schema = {each["name"]: each["schema"] for each in package["resources"]}["investigations"]
    assert schema["missingValues"] == []
    assert schema["foreignKeys"][0]["reference"]["resource"] == "force_profiles"
    codes = {each["name"]: each["constraints"].get("enum") for each in schema["fields"]}
    assert "information_disclosure" in codes["category"]
    assert codes["force_code"] is None


def test_the_database_holds_every_table_with_its_comments(
    folder: Path, tables: dict[str, pl.DataFrame]
) -> None:
    with duckdb.connect(folder / "muster.duckdb", read_only=True) as base:
        for name, table in tables.items():
            assert base.sql(f'FROM "{name}"').pl().equals(table), name
        asked = "SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment LIKE '%Basis%'"
        assert {name for (name,) in base.sql(asked).fetchall()} == tables.keys()
        asked = "SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'main'"
        silent = base.sql(f"{asked} AND NOT internal AND comment IS NULL").fetchall()
        assert silent == [(0,)]


def test_the_same_tables_make_the_same_bytes(
    folder: Path, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    collection = load_collection(COLLECTION)
    contracts = {name: of for name, of in marts_of(collection).items() if name in tables}
    said = pq.read_schema(folder / "cells.parquet").metadata
    facts = ("release", "collection", "sources", "basis")
    about = {name: said[name.encode()].decode() for name in facts}
    pack = Pack({name: tables[name] for name in contracts}, contracts, collection, about)
    pack.write(tmp_path)
    made = {path.name for path in tmp_path.iterdir()}
    assert {"muster.duckdb", "datapackage.json", "dictionary.md", SDMX, "cells.csv"} <= made
    assert [n for n in made if (tmp_path / n).read_bytes() != (folder / n).read_bytes()] == []


def test_a_csv_read_by_its_metadata_is_the_table(
    folder: Path, tables: dict[str, pl.DataFrame]
) -> None:
    types = {"string": pl.String, "integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean}
    for name, table in tables.items():
        about = json.loads((folder / f"{name}.csv-metadata.json").read_bytes())
        said = about["tableSchema"]["columns"]
        schema = {each["name"]: types.get(each["datatype"], pl.Date) for each in said}
        read = pl.read_csv(folder / about["url"], schema=schema)
        texts = [name for name in schema if schema[name] == pl.String]
        empty = pl.col(texts).replace("", None)
        assert read.with_columns(empty).equals(table.with_columns(empty)), name
        required = [each["name"] for each in said if each["required"]]
        assert [each for each in required if table[each].null_count()] == []


def test_national_totals_are_told_apart_by_their_dimensions(
    folder: Path, tables: dict[str, pl.DataFrame]
) -> None:
    observed = pl.read_csv(folder / SDMX, infer_schema_length=None)
    totals, cube = tables["national_totals"], tables["cube"]
    assert observed["OBS_VALUE"].cast(pl.Float64).equals(cube["value"].alias("OBS_VALUE"))
    end = observed.columns.index("OBS_VALUE")
    assert observed.select(observed.columns[3:end]).is_unique().all()
    whole = observed.filter(MEASURE="investigations", CATEGORY="_T", OUTCOME="_T", COUNT="_T")
    now = whole.filter(pl.col("TIME_PERIOD") == "2011-09-01/P9M", RECIPIENT="_T", MEDIA="_T")
    assert (
        now["OBS_VALUE"].to_list()
        == totals.filter(measure="investigations", breakdown="", period="collection")[
            "value"
        ].to_list()
    )
    unknown = observed.filter(pl.col("OBS_VALUE").is_null())
    assert set(unknown["OBS_STATUS"]) <= {"M"}


def test_pandas_reads_counts_as_whole_numbers(folder: Path) -> None:
    profiles = muster.open(folder).table("force_profiles", "pandas")
    assert str(profiles["register_declined"].dtype) == "Int64"
    assert profiles["register_declined"].isna().any()


def test_a_release_stays_what_it_was_when_another_is_shown(lake: Lake) -> None:
    release = muster.open(lake.root)
    assert release.collection == COLLECTION
    assert release.releases() == [release.name]
    before = release.table("national_totals")
    (lake.landing / "again").mkdir(parents=True)
    lake.marts.unlink()
    assert release.table("national_totals").equals(before)
    assert release.table("national_totals", "arrow").num_rows == before.height
    assert muster.open(release.folder).table("cells").equals(release.table("cells"))
    assert muster.open(lake.root, release=release.name[-6:]) == release
    with pytest.raises(LakeError, match="shows no release yet"):
        muster.open(lake.root, collection=COLLECTION)


def test_a_figure_is_explained_as_by_the_command(demo: Demo) -> None:
    made = muster.open(demo.lake).explain("INV-01")
    assert made["value"] == sum(row["value"] for row in made["contributions"])
    printed = json.loads(invoke(demo.lake, "explain", "INV-01", "--json").stdout)
    for row in printed["contributions"]:
        assert row.pop("file_name") == f"{row['force_code']}.xlsx", "only a lake knows it"
    assert printed == json.loads(json.dumps(made, default=str))


def test_what_is_not_there_is_said(lake: Lake) -> None:
    release = muster.open(lake.root)
    with pytest.raises(SetupError, match="There are: national_totals"):
        release.table("totals")
    with pytest.raises(SetupError, match="polars, pandas, arrow"):
        release.table("cells", "excel")  # type: ignore[call-overload]
    (release.folder / "cells.parquet").write_bytes(b"")
    with pytest.raises(LakeError, match="not as it was published"):
        release.table("cells")
