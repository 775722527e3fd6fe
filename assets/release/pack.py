"""What analysts take away: an edition's tables in the forms that their tools read.

Beside the Parquet files stand each table as CSV with its CSVW metadata, one DuckDB file with all of
them, the Data Package that describes them, the dictionary, and the national totals as SDMX-CSV.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from assets.lake import atomic_file
from assets.release.docs import dictionary_of
from schemas.collection import Collection
from schemas.contract import CONTRACT_VERSION, Column, Contract, keys
from schemas.disclosure import SUPPRESSED
from schemas.marts import cube_dimensions
from schemas.measures import NOW
from schemas.public import symbol_of

DATABASE: Final = "muster.duckdb"
PACKAGE: Final = "datapackage.json"
DICTIONARY: Final = "dictionary.md"
SDMX: Final = "national_totals.sdmx.csv"

_TYPES: Final = {
    "string": "string", "int64": "integer", "float64": "number", "bool": "boolean", "date": "date",
}  # fmt: skip
"""Types of a Data Package; those of CSVW have the same names."""

_BODIES: Final = "force_profiles"
"""The table with one row for each body, to which the others refer."""

# Older forms of the file leave bytes as they were in memory, newer ones draw an id at random; so do
# some ways of compressing. Small blocks keep a file of many small tables small.
_REPRODUCIBLE: Final = "storage_version 'v1.3.0', block_size 16384"


@dataclass(frozen=True)
class Pack:
    """An edition's tables, in the order of their contracts, and what its files say of it.

    `about` are the facts that every file states, among them `release`, `basis`, `sources`.
    """

    tables: Mapping[str, pl.DataFrame]
    contracts: Mapping[str, Contract]
    collection: Collection
    about: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Write the pack into the folder of an edition, beside its Parquet files.

        The same tables and facts give the same bytes.

        Raises:
            LakeError: a file cannot be written.
        """
        for name, table in self.tables.items():
            with atomic_file(folder / f"{name}.csv") as file:
                table.write_csv(file)
            _write_json(folder / f"{name}.csv-metadata.json", self._csvw(name))
        _write_json(folder / PACKAGE, self._package())
        text = dictionary_of(self.contracts, self.collection.template)
        with atomic_file(folder / DICTIONARY) as file:
            file.write(text.encode())
        with atomic_file(folder / SDMX) as file:
            _sdmx(self.tables["cube"], self.collection).write_csv(file)
        with atomic_file(folder / DATABASE) as file:
            file.write(self._database())

    def _package(self) -> dict[str, Any]:
        """Return a Data Package, version 1 (specs.frictionlessdata.io)."""
        licence = self.collection.licence
        return {
            "profile": "data-package",
            "name": self.about["release"],
            "title": f"Marts of the collection {self.about['collection']}",
            "version": CONTRACT_VERSION,
            "description": f"Basis: {self.about['basis']}",
            "sources": [{"title": self.about["sources"]}],
            **({"licenses": [{"name": licence}]} if licence else {}),
            "resources": [self._resource(name) for name in self.tables],
        }

    def _resource(self, name: str) -> dict[str, Any]:
        contract = self.contracts[name]
        refers = name != _BODIES and _BODIES in self.tables and "force_code" in keys(contract)
        reference = {"resource": _BODIES, "fields": "force_code"}
        return {
            "name": name,
            "path": f"{name}.parquet",
            "profile": "tabular-data-resource",
            "format": "parquet",
            "mediatype": "application/vnd.apache.parquet",
            "description": contract.about,
            "schema": {
                "fields": [self._field(column) for column in contract.columns],
                # An empty breakdown is the whole, and no value that is missing.
                "missingValues": [],
                "primaryKey": keys(contract),
                **(
                    {"foreignKeys": [{"fields": "force_code", "reference": reference}]}
                    if refers
                    else {}
                ),
            },
        }

    def _field(self, column: Column) -> dict[str, Any]:
        allowed = column.allowed_in(self.collection.template)
        return {
            "name": column.name,
            "type": _TYPES[column.type_name],
            "description": column.description,
            "unit": column.unit,
            "constraints": {
                "required": not column.nullable,
                **({"enum": list(allowed)} if allowed else {}),
            },
        }

    def _csvw(self, name: str) -> dict[str, Any]:
        """Return metadata of a CSV file (W3C, Metadata Vocabulary for Tabular Data)."""
        contract = self.contracts[name]
        return {
            "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
            "url": f"{name}.csv",
            "dc:title": f"{name}, {self.about['release']}",
            "dc:description": f"{contract.about} Basis: {self.about['basis']}",
            "dc:source": self.about["sources"],
            **({"dc:license": self.collection.licence} if self.collection.licence else {}),
            "tableSchema": {
                "columns": [
                    {
                        "name": column.name,
                        "titles": column.name,
                        "dc:description": f"{column.description} ({column.unit})",
                        "datatype": _TYPES[column.type_name],
                        "required": not column.nullable and column.type_name != "string",
                        "null": [""] if column.nullable else [],
                    }
                    for column in contract.columns
                ],
                "primaryKey": keys(contract),
            },
        }

    def _database(self) -> bytes:
        """Return a DuckDB file: a view with its comments over each table, whose rows it holds."""
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / DATABASE  # its name is in it
            with duckdb.connect(":memory:", config={"threads": 1}) as engine:
                engine.execute("PRAGMA force_compression = 'uncompressed'")
                engine.execute(f"ATTACH '{path}' AS made ({_REPRODUCIBLE})")
                engine.execute("USE made")
                engine.execute("BEGIN")
                engine.execute("CREATE SCHEMA marts")
                for name, table in self.tables.items():
                    engine.register("given", table)
                    engine.execute(f'CREATE TABLE marts."{name}" AS FROM given')
                    engine.unregister("given")
                    for statement in self._view(name):
                        engine.execute(statement)
                engine.execute("COMMIT")
                engine.execute("USE memory")
                engine.execute("DETACH made")
            return path.read_bytes()

    def _view(self, name: str) -> Iterator[str]:
        yield f'CREATE VIEW "{name}" AS FROM marts."{name}"'
        about = f"{self.contracts[name].about} Basis: {self.about['basis']}"
        yield f'COMMENT ON VIEW "{name}" IS {_quoted(about)}'
        for column in self.contracts[name].columns:
            text = _quoted(f"{column.description} ({column.unit})")
            yield f'COMMENT ON COLUMN "{name}"."{column.name}" IS {text}'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_file(path) as file:
        file.write(json.dumps(content, indent=1).encode())


def _sdmx(cube: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return national totals as SDMX-CSV 2.0: a column a dimension, `_T` where it is not divided.

    Periods are SDMX time ranges (start/duration), a value that nobody knows is OBS_STATUS `M`, one
    that is hidden CONF_STATUS `C`.
    """
    symbol = symbol_of("cube", "value")
    there = symbol in cube.columns
    hidden = pl.col(symbol).eq_missing(SUPPRESSED) if there else pl.lit(value=False)
    spans = {NOW: collection.period, **collection.comparators}
    ranges = {name: f"{span.start}/P{span.months}M" for name, span in spans.items()}
    given = (
        pl.when(pl.col("value").is_null()).then(pl.lit("M"))
        .when("provisional").then(pl.lit("P"))
        .otherwise(pl.lit("A"))
    )  # fmt: skip
    return cube.select(
        STRUCTURE=pl.lit("dataflow"),
        STRUCTURE_ID=pl.lit(f"MUSTER:NATIONAL_TOTALS({CONTRACT_VERSION}.0.0)"),
        ACTION=pl.lit("I"),
        MEASURE="measure",
        **{
            key.upper(): pl.col(key).fill_null("_T") for key in cube_dimensions(collection.template)
        },
        TIME_PERIOD=pl.col("period").replace(ranges),
        OBS_VALUE="value",
        UNIT_MEASURE="unit",
        OBS_STATUS=given,
        CONF_STATUS=pl.when(hidden).then(pl.lit("C")).otherwise(pl.lit("F")),
    )
