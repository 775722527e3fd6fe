"""What a release says of itself: the live entries its totals were made from, read back.

Belongs here: reading the marts of one release for an explanation. Does not: the lake's working
tables; a figure that analysts see is explained from what analysts see.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from assets.lake import Lake
from assets.marts import DESCRIPTION, read_manifest, read_mart
from assets.research.evidence import Evidence, evidence
from schemas.collection import Collection, load_collection, read_collection
from schemas.contract import empty
from schemas.marts.catalogue import contracts_of, marts_of
from schemas.template_file import load_template

_BEFORE: Final = "returns-1"
"""The template of releases from a time when they kept none."""


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
        kept = self.folder / DESCRIPTION / "collections" / f"{self.collection.id}.toml"
        of_then = (
            read_collection(kept, released=True)
            if kept.exists()
            else self.collection.model_copy(update={"template": load_template(_BEFORE)})
        )
        object.__setattr__(self, "collection", of_then)

    @classmethod
    def shown(cls, folder: Path, collection_id: str, root: Path) -> "Released":
        """Return a release of a collection that need not be known today, if the release keeps it.

        Args:
            folder: the release.
            collection_id: the collection.
            root: the lake.

        Raises:
            SetupError: the release keeps no collection, and there is none of that name today.
        """
        kept = folder / DESCRIPTION / "collections" / f"{collection_id}.toml"
        known = (
            read_collection(kept, released=True)
            if kept.exists()
            else load_collection(collection_id)
        )
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
            LakeError: the file is no longer where the lake keeps research.
        """
        used = {row[0]: row[1] for row in read_manifest(self.folder)["made_from"]["research"]}
        if name not in used:
            return None
        return evidence(self.kept_research or self.folder, name, used[name], self.collection)
