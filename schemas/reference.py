"""Reads reference data as frames: our own, and that beside collections from outside.

A folder of collections has `collections/`, `templates/` and `reference/`; this package is one, and
MUSTER_COLLECTIONS may name another, which is read beside it.
"""

import os
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from schemas.errors import SetupError

OURS: Final = Path(__file__).parent
REFERENCE: Final = OURS / "reference"
COLLECTIONS: Final = OURS / "collections"
_FORCES: Final = "forces.csv"
_VALIDITY: Final = ("valid_from", "valid_to", "successor")


def outside() -> Path | None:
    """Return the folder of collections that MUSTER_COLLECTIONS names, None where it names none."""
    named = os.environ.get("MUSTER_COLLECTIONS")
    return Path(named) if named else None


def outside_hint() -> str:
    """Return where what is not known is looked for, for whoever misses it."""
    folder = outside()
    if folder is None:
        return "MUSTER_COLLECTIONS is not set; it names a folder of yours, read beside our own."
    there = "read beside our own" if folder.is_dir() else "which is no folder"
    return f"MUSTER_COLLECTIONS names {folder}, {there}."


def collection_files() -> dict[str, Path]:
    """Return the collection files by id, an id in MUSTER_COLLECTIONS before one of our own.

    A file that lies in the folder itself, not in its `collections/`, is one too.
    """
    root = outside()
    folders = [COLLECTIONS, *((root, root / "collections") if root else ())]
    found = [path for folder in folders for path in sorted(folder.glob("*.toml"))]
    return {path.stem: path for path in found}


def beside(root: Path, kind: str, name: str) -> Path:
    """Return a file of `templates` or `reference` in a folder of collections, else our own."""
    path = root / kind / name
    return path if path.exists() else OURS / kind / name


def _read(path: Path, *key: str, truncate_ragged_lines: bool = False) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, infer_schema=False, truncate_ragged_lines=truncate_ragged_lines)
        return _once(path, frame, *key) if key else frame
    except (OSError, pl.exceptions.PolarsError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no CSV in UTF-8"
        raise SetupError(f"{path} cannot be read: {why}. Restore it.") from error


def _once(path: Path, frame: pl.DataFrame, *key: str) -> pl.DataFrame:
    twice = frame.filter(pl.struct(key).is_duplicated())[key[0]].unique().sort().to_list()
    if twice:
        raise SetupError(f"{path} must hold each {key[0]} once; found twice: {', '.join(twice)}.")
    return frame


@cache
def _forces(path: Path, *, mended: bool = False) -> pl.DataFrame:
    """One row a force and time: the columns of `forces`, valid_from, valid_to, successor.

    With `mended` what is wrong in a cell or a head is null: somebody is told of it otherwise.
    """
    read = _read(path, truncate_ragged_lines=mended)
    wanted = (*_ABOUT, *_VALIDITY) if mended else _VALIDITY
    absent = [pl.lit(None, pl.String).alias(name) for name in wanted if name not in read.columns]
    day = pl.col("valid_from", "valid_to").str.to_date("%Y-%m-%d", strict=not mended)
    try:
        found = read.with_columns(absent).select(*_ABOUT, day, "successor")
    except pl.exceptions.PolarsError as error:
        raise SetupError(
            f"{path} is no file of forces: it must have the columns {', '.join(_ABOUT)}, and dates"
            f" like 2013-03-31 in valid_from and valid_to ({type(error).__name__}). Mend it."
        ) from error
    return found if mended else _once(path, found, "force_code", "valid_from")


_ABOUT: Final = (
    "force_code", "ons_code", "short_name", "full_name", "region", "country", "kind",
)  # fmt: skip


def all_forces(root: Path = OURS, *, mended: bool = False) -> pl.DataFrame:
    """Return every force that a folder of collections knows, at any time.

    A row of its own forces.csv comes in place of ours of that code. Columns: those of `forces`,
    valid_from, valid_to (null: no end known), successor. With `mended` a file is read in which
    something is wrong, as far as it can be.
    """
    ours, path = _forces(REFERENCE / _FORCES), root / "reference" / _FORCES
    if root == OURS or not path.exists():
        return ours
    own = _forces(path, mended=mended)
    return pl.concat([ours.join(own, on="force_code", how="anti"), own])


def forces_at(root: Path, day: date, *, mended: bool = False) -> pl.DataFrame:
    """Return the forces that a folder of collections knows on a day, by their names of that day."""
    begun = pl.col("valid_from").is_null() | (pl.col("valid_from") <= day)
    lasting = pl.col("valid_to").is_null() | (pl.col("valid_to") >= day)
    return all_forces(root, mended=mended).filter(begun & lasting).select(_ABOUT).sort("force_code")


def forces() -> pl.DataFrame:
    """Return every force that is known at all, those of the folder from outside after our own.

    One row a force: force_code (key), ons_code, short_name, full_name, region, country, kind. What
    a collection says of a force stands in `Collection.bodies`.
    """
    return _known(outside())


def force_codes() -> frozenset[str]:
    """Return the code of every force that is known at all."""
    return _codes(outside())


@cache
def _codes(root: Path | None) -> frozenset[str]:
    return frozenset(_known(root)["force_code"])


@cache
def _known(root: Path | None) -> pl.DataFrame:
    found = pl.concat([all_forces(), all_forces(root)]) if root else all_forces()
    return found.select(_ABOUT).unique("force_code", keep="first", maintain_order=True)


@cache
def published_figures(path: Path) -> pl.DataFrame:
    """One row a figure printed in a publication: figure_id (key), measure, breakdown, value, ...

    `collection` is the one it is about, `breakdown` "" for the whole, `value` a float,
    `source_issue` null where there is none.
    """
    return _read(path, "figure_id").with_columns(
        pl.col("value").cast(pl.Float64), pl.col("breakdown", "period").fill_null("")
    )


@cache
def uncollected(path: Path) -> dict[str, str]:
    """Return why a measure of a publication comes from no data of a collection, by measure."""
    return dict(_read(path, "measure").select("measure", "reason").iter_rows())


@cache
def workforce(path: Path) -> pl.DataFrame:
    """One row a force and day: force_code and as_at (key), workforce, source, source_line.

    `workforce` is a float, null where the source gives none.
    """
    about = ("force_code", pl.col("as_at").str.to_date("%Y-%m-%d"), pl.col("workforce"))
    try:
        return (
            _read(path, "force_code", "as_at")
            .select(*about, "source", "source_line")
            .cast({"workforce": pl.Float64})
        )
    except pl.exceptions.PolarsError as error:
        raise SetupError(
            f"{path} is no table of workforce ({type(error).__name__}): see docs/collections.md."
        ) from error


@cache
def source_issues(path: Path) -> pl.DataFrame:
    """One row a contradiction in the source: issue_id (key), figures (joined by `;`), text."""
    return _read(path, "issue_id").rename({"what the source does": "text"})
