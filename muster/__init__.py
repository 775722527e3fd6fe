"""Releases for analysts: `muster.open(path)` gives one, and keeps to it whatever is shown next.

Such as `muster.open("data_lake").table("investigations")`, and `.explain("INV-01")`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import polars as pl
import pyarrow.parquet

from assets.figures.explain.explain import explain, read_question
from assets.figures.explain.released import Released
from assets.history import find, kept
from assets.lake import MANIFEST, Lake
from assets.marts import read_mart
from assets.release.pack import PACKAGE
from schemas.collection import usual_collection
from schemas.errors import LakeError, SetupError

if TYPE_CHECKING:
    import pandas

__all__ = ["Release", "open"]


@dataclass(frozen=True)
class Release:
    """A release, or the public edition of one: what its folder holds, which never changes.

    `folder` is where it stands, `lake` where it was opened in: None for a folder alone, which
    knows of no other release, and of research only what is in its own tables.
    """

    folder: Path
    lake: Lake | None = None

    @property
    def name(self) -> str:
        """Its id: the collection and a hash of all that it was made from."""
        package = json.loads((self.folder / PACKAGE).read_bytes())
        name: str = package["name"]
        return name

    @property
    def collection(self) -> str:
        """The id of its collection."""
        return self.name.rpartition("-")[0]

    @property
    def tables(self) -> list[str]:
        """The names of its tables, in the order of the dictionary (dictionary.md beside them)."""
        package = json.loads((self.folder / PACKAGE).read_bytes())
        return [resource["name"] for resource in package["resources"]]

    @overload
    def table(self, name: str, form: Literal["polars"] = "polars") -> pl.DataFrame: ...
    @overload
    def table(self, name: str, form: Literal["pandas"]) -> "pandas.DataFrame": ...
    @overload
    def table(self, name: str, form: Literal["arrow"]) -> pyarrow.Table: ...

    def table(self, name: str, form: Literal["polars", "pandas", "arrow"] = "polars") -> Any:
        """Return a table, columns and keys as the dictionary says.

        Args:
            name: one of `tables`.
            form: a polars frame; a pandas one, counts that may be unknown as Int64; or an Arrow
                table with descriptions and units in the metadata of its fields.

        Raises:
            SetupError: there is no such table, or form.
            LakeError: the file is not there, or not as it was published.
        """
        if name not in self.tables:
            there = ", ".join(self.tables)
            raise SetupError(f"{self.name} has no table {name!r}. There are: {there}")
        if form not in {"polars", "pandas", "arrow"}:
            raise SetupError(f"there is no form {form!r}. There are: polars, pandas, arrow")
        # A public edition that was given away alone has no manifest to be held to.
        whole = next((at for at in (self.folder, self.folder.parent) if _is_whole(at)), None)
        path = self.folder / f"{name}.parquet"
        if whole:
            frame = read_mart(whole, str(path.with_suffix("").relative_to(whole)))
        else:
            frame = pl.read_parquet(path)
        if form == "polars":
            return frame
        read = pyarrow.parquet.read_table(path)
        return read if form == "arrow" else read.to_pandas()

    def explain(
        self,
        figure: str,
        breakdown: str = "",
        *,
        period: str | None = None,
        force: str | None = None,
    ) -> dict[str, Any]:
        """Return how a figure is made, as `muster explain FIGURE --json` prints it.

        Args:
            figure: the id of a published figure, such as INV-01, or a measure.
            breakdown: of a measure: which part of it, such as category=second_jobs.
            period: of a measure: `collection`, or the name of a comparator.
            force: of a measure: one force's part.

        Raises:
            SetupError: there is no such figure, measure, breakdown, period or force; or this is a
                public edition, which does not hold the cells.
            LakeError: a table is not there, or not as it was published.
            ContractError: the cells do not make the figure.
        """
        if not _is_whole(self.folder):
            raise SetupError(f"{self.folder} is a public edition: the cells are not in it.")
        root = self.lake.root if self.lake else self.folder
        released = Released.shown(self.folder, self.collection, root)
        question = read_question(figure, breakdown, period, force, released)
        return explain(question, released).document()

    def releases(self) -> list[str]:
        """Return the names of the releases in its lake, in the order they were last shown in."""
        return [path.name for path in kept(self.lake)] if self.lake else [self.name]


def open(  # noqa: A001 - it is called as muster.open
    path: str | Path, *, collection: str | None = None, release: str | None = None
) -> Release:
    """Return a release: the one that a lake shows now, one of its earlier ones, or a folder's own.

    Args:
        path: a lake, or the folder of a release or of a public edition.
        collection: in a lake, which collection; MUSTER_COLLECTION or the one that is open or
            closed last without it, and the only one that is released where there is but one.
        release: in a lake, which release, by its name or the end of it; the one that is shown now
            without it.

    Raises:
        LakeError: nothing has been released there.
        SetupError: there is no such release.
    """
    given = Path(path).resolve()
    if (given / PACKAGE).exists():
        beside = given if _is_whole(given) else given.parent
        in_lake = beside.parent.parent.name == "releases" and given == beside
        lake = Lake(beside.parents[2], beside.parent.name) if in_lake else None
        return Release(given, lake)
    shown = {link.name: link for link in given.glob("marts/*") if (link / MANIFEST).exists()}
    only = next(iter(shown)) if len(shown) == 1 else None
    lake = Lake(given, collection or only or usual_collection())
    if release is not None:
        return Release(find(lake, release), lake)
    if lake.collection not in shown:
        raise LakeError(lake.marts, "shows no release yet", "muster run makes one.")
    return Release(lake.marts.resolve(), lake)


def _is_whole(folder: Path) -> bool:
    """Return whether a folder is a release with its manifest."""
    return (folder / MANIFEST).exists()
