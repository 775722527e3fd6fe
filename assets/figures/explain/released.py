"""What a release says of itself: the live entries its totals were made from, read back.

The lake's working tables are not read: what analysts see is explained from what analysts see.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from assets.inputs.research.store import ROW, read_rows
from assets.lake import Lake
from assets.marts import read_manifest, read_mart
from assets.previous import kept_collection
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.marts import contracts_of, marts_of
from schemas.template import column_letter


@dataclass(frozen=True)
class Evidence:
    """A research file as it was received, so that a figure can be traced to its cells.

    `rows`: the columns of its contract and ROW. `headings`: the columns in the order of the file.
    """

    file: str
    sha256: str
    rows: pl.DataFrame
    headings: tuple[str, ...]

    def where(self, holds: pl.Expr) -> "Evidence":
        """Return the rows of which something holds."""
        return replace(self, rows=self.rows.filter(holds))

    def cell(self, column: str) -> pl.Expr:
        """Return the address of a column's cell in each row, as a spreadsheet shows it."""
        letter = column_letter(self.headings.index(column) + 1)
        return pl.format(f"{letter}{{}}", pl.col(ROW))


@dataclass(frozen=True)
class Released:
    """The marts of one release in `folder`.

    `collection` is as the release keeps it, with its template; today's, on the first template,
    where it keeps none. `kept_research` is where the lake keeps research files; without it their
    figures cannot be explained.
    """

    folder: Path
    collection: Collection
    kept_research: Path | None = None

    def __post_init__(self) -> None:
        """Take the collection from the release."""
        of_then = kept_collection(self.folder, self.collection.id, self.collection).collection
        object.__setattr__(self, "collection", of_then)

    @classmethod
    def shown(cls, folder: Path, collection_id: str, root: Path) -> "Released":
        """Return a release of a collection that need not be known today, if the release keeps it.

        Raises:
            SetupError: the release keeps no collection, and there is none of that name today.
        """
        known = kept_collection(folder, collection_id).collection
        return cls(folder, known, Lake(root, collection_id).kept_research)

    def mart(self, name: str) -> pl.DataFrame:
        """Return a mart of the release; one that the collection cannot fill has no rows.

        Raises:
            LakeError: it is not there, or not as it was published.
        """
        there = f"{name}.parquet" in read_manifest(self.folder)["files"]
        contract = contracts_of(self.collection.template).get(name)
        if contract and not there and name not in marts_of(self.collection):
            return empty(contract)
        return read_mart(self.folder, name)

    @cached_property
    def made_from(self) -> dict[str, Any]:
        """What it was made from, as its manifest says.

        Raises:
            LakeError: the manifest is missing or cannot be read.
        """
        found: dict[str, Any] = read_manifest(self.folder)["made_from"]
        return found

    @cached_property
    def live(self) -> pl.DataFrame:
        """The mart Cells, and `number`: the entry as a number, null where it is none."""
        # Anything but digits is an answer or a code, which no total adds up.
        return self.mart("cells").with_columns(
            pl.col("value").cast(pl.Int64, strict=False).alias("number")
        )

    @cached_property
    def status(self) -> pl.DataFrame:
        """The mart ReturnsStatus."""
        return self.mart("returns_status")

    @cached_property
    def sent(self) -> pl.DataFrame:
        """What the force sent where a correction stands in its place: address and `sent`."""
        place = ["force_code", "sheet", "row_code", "column_code"]
        return self.mart("corrections").select(*place, pl.col("from_value").alias("sent"))

    def research(self, name: str) -> Evidence | None:
        """Return a research file that the release was made from, None where it had none.

        Raises:
            LakeError: it is gone from where the lake keeps research, or has changed.
        """
        used = {row[0]: row[1] for row in read_manifest(self.folder)["made_from"]["research"]}
        if name not in used:
            return None
        sha256, kept = used[name], self.kept_research or self.folder
        for path in kept.glob(f"*-{sha256}/{name}"):
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == sha256:
                return Evidence(name, sha256, *read_rows(name, content, self.collection))
        raise LakeError(
            kept / name,
            f"the research file with the sha256 {sha256} is gone or has changed",
            "Restore it from the backup of the lake.",
        )


@dataclass(frozen=True)
class Drafted(Released):
    """A release in the making: its marts as they were made, and what from; its folder keeps it."""

    marts: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    ingredients: Mapping[str, Any] = field(default_factory=dict)

    def mart(self, name: str) -> pl.DataFrame:
        """Return a mart of it."""
        return self.marts[name]

    @cached_property
    def made_from(self) -> dict[str, Any]:
        """What it is made from."""
        return dict(self.ingredients)
