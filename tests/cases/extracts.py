"""Extracts for tests: rows to start from, and the ways to write them."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from assets.cases.job import run_cases
from assets.cases.reading import LIMITS, Limits
from assets.cases.sources import find_sources
from schemas.cases import TYPES
from schemas.collection import Collection

Row = Mapping[str, Any]

GOOD: Row = {
    "force_code": "STF",
    "case_ref": "STF-2011-000123",
    "category": "information_disclosure",
    "recipient": "media",
    "media": "local",
    "opened_on": date(2011, 10, 3),
    "status_at_census": "management_action",
    "closed_on": date(2012, 1, 31),
    "suspended": False,
    "workforce": "officer",
}


def good(number: int, force: str = "STF", **changes: Any) -> Row:
    """Return a row that breaks no rule, with its own reference, and then the changes."""
    own = {"force_code": force, "case_ref": f"{force}-2011-{number}"}
    return {**GOOD, **own, **changes}


def frame(rows: Iterable[Row]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=TYPES)


def write_parquet(path: Path, rows: Iterable[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame(rows).write_parquet(path)
    return path


def write_csv(path: Path, rows: Iterable[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(TYPES))
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass(frozen=True)
class Results:
    """What a run left in its folder."""

    summary: dict[str, Any]
    counts: pl.DataFrame
    by_force: pl.DataFrame
    quarantine: pl.DataFrame

    @property
    def reasons(self) -> dict[tuple[str, int], str]:
        """The reasons of each bad row by the name of its file and its number."""
        return {
            (Path(row["file"]).name, row["row"]): row["reasons"]
            for row in self.quarantine.iter_rows(named=True)
        }

    @property
    def states(self) -> dict[str | None, str | None]:
        """The state of each force's extract."""
        return dict(self.by_force.select("force_code", "state").iter_rows())

    @property
    def cells(self) -> dict[tuple[Any, ...], int]:
        return {row[:-1]: row[-1] for row in self.counts.iter_rows()}


def read_results(folder: Path) -> Results:
    return Results(
        json.loads((folder / "summary.json").read_text()),
        *(pl.read_parquet(folder / f"{n}.parquet") for n in ("counts", "by_force", "quarantine")),
    )


def run(
    paths: Sequence[Path] | Path, out: Path, collection: Collection, limits: Limits = LIMITS
) -> Results:
    given = [paths] if isinstance(paths, Path) else paths
    document = run_cases(find_sources(given), out, collection, limits)
    results = read_results(out)
    assert results.summary == document
    return results
