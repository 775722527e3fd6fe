"""Three lakes whose every output is compared before and after a change of the code.

Belongs here: what is dropped into each, and which commands are run in it. Does not: how outputs
are compared (outputs.py).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl
from click.testing import CliRunner

from assets.lake import Lake
from assets.sample.write import write_cases, write_research, write_sample
from pipelines.cli.main import muster
from schemas.collection import Collection, load_collection
from tests.returns import SampleReturn

COLLECTION: Final = "2012-revisit"
FIGURES: Final = ("INV-01", "INV-02", "GFT-01", "DER-01", "investigations category=second_jobs")
_EARLY: Final = 1_338_800_000
"""Modification times are given, so that files arrive in the same order each time."""

INV: Final = "investigations"


def sample(lake: Lake, collection: Collection) -> None:
    """Drop the 44 sample returns and the research, as the demo does."""
    write_sample(lake.landing, collection)
    write_research(lake.research, collection)


def broken(lake: Lake, collection: Collection) -> None:
    """Drop returns with faults of every tier, a resubmission, and files that are no returns."""
    sample(lake, collection)
    faults = {
        "AVS": {(INV, "other", "continuing"): None, ("cover", "assurance", "value"): None},
        "BED": {(INV, "total", "total"): "9999"},
        "CAM": {(INV, "other", "left_service"): "c. 10", (INV, "procurement", "total"): "<5"},
        "CHS": {("capability", "second_job_policy", "answer"): "perhaps"},
        "CLE": {("registers", "force.gratuity", "accepted"): "not_applicable"},
        "COL": {("second_jobs", "breach.driver", "count"): "4999"},
        "DOR": {("cover", "collection", "value"): "2011-first"},
        "DUR": {("second_jobs", "review_months", "count"): "600"},
        "ESX": {("capability", "register_records_declined", "answer"): "no"},
        "GLO": {("cover", "submitted_on", "value"): "2099-01-01"},
        "GMP": {("comparators", "cards_2012", "value"): "900000"},
        "GWE": {("cover", "force_code", "value"): "XXX"},
        "HAM": {("comparators", "investigations_2010_11", "value"): "1"},
    }
    for force, changes in faults.items():
        again = SampleReturn.of(force, collection).with_values(changes)
        again.write(lake.landing / f"{force}.xlsx")
    of_stf = SampleReturn.of("STF", collection)
    of_stf.with_values(_one_more_other(of_stf)).write(lake.landing / "STF_2.xlsx")
    SampleReturn.of("SUR", collection).with_values({(INV, "total", "total"): "12345"}).write(
        lake.landing / "SUR_2.xlsx"
    )
    (lake.landing / "letter.pdf").write_bytes(b"%PDF-1.4 nothing")
    (lake.landing / "empty.xlsx").write_bytes(b"")
    (lake.landing / "HRT.xlsx").unlink()


def cases(lake: Lake, collection: Collection) -> None:
    """Drop extracts beside workbooks: one alone, one that lacks a row, one of bad rows."""
    sample(lake, collection)
    (lake.landing / "STF.xlsx").unlink()
    folder = lake.landing / "cases"
    write_cases(folder, collection)
    der, avs = (pl.read_parquet(folder / f"{force}.parquet") for force in ("DER", "AVS"))
    der.head(-1).write_parquet(folder / "DER.parquet")
    avs.with_columns(workforce=pl.lit("")).write_parquet(folder / "AVS.parquet")


WORLDS: Final[dict[str, Callable[[Lake, Collection], None]]] = {
    "sample": sample,
    "broken": broken,
    "cases": cases,
}


def made(name: str, root: Path) -> dict[str, str]:
    """Make one of the lakes below `root` and return what its commands printed, by command."""
    lake = Lake(root / "lake", COLLECTION)
    WORLDS[name](lake, load_collection(COLLECTION))
    for number, path in enumerate(sorted(lake.landing.rglob("*"))):
        os.utime(path, (_EARLY + number, _EARLY + number))
    returns = sorted(path for path in lake.landing.glob("*.*") if path.is_file())
    letters, copies = root / "letters", root / "copies"
    commands: dict[str, list[str | Path]] = {
        "run": ["run"],
        "status": ["status"],
        "status.json": ["status", "--json"],
        "queries": ["queries"],
        "reconcile": ["reconcile"],
        "reconcile.json": ["reconcile", "--json"],
        "versions": ["versions", "STF"],
        "feedback": ["feedback", "--out", letters],
        "check": ["check", *returns],
        "check.json": ["check", "--json", *returns, "--annotate", copies],
        "blank": ["template", "--out", root / "blank", "STF", "MPS"],
        "releases": ["releases"],
    }
    for figure in FIGURES:
        commands[f"explain {figure}.json"] = ["explain", *figure.split(), "--json"]
    return {told: _printed(lake.root, command) for told, command in commands.items()}


def _printed(lake: Path, command: list[str | Path]) -> str:
    environment = {"MUSTER_LAKE": str(lake), "DAGSTER_HOME": None, "MUSTER_COLLECTIONS": None}
    result = CliRunner(env=environment).invoke(muster, [str(part) for part in command])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return f"{result.stdout}\nexit code {result.exit_code}\n"


def _one_more_other(of_force: SampleReturn) -> dict[tuple[str, str, str], str | None]:
    """Return changes that add one continuing case to `other` and to every sum it is part of."""
    places = [
        (INV, row, column) for row in ("other", "total") for column in ("continuing", "total")
    ]
    return {place: str(int(of_force.values[place]) + 1) for place in places}
