"""What an edition tells of those before it: which there were, what is different from the last.

It is told inside the edition, so that it stays true and no link leads to one that is pruned: a list
is what the last edition says of those before it, and a line for that. An edition is made once; the
last one is the one that was shown when it was made.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.disclosure.ledger import Entry
from assets.figures.explain.compare import KEY, apart, between
from assets.figures.explain.released import Drafted, Released
from assets.history import shown
from assets.lake import Lake
from assets.release.pages.description import first_measure
from schemas.collection import Collection
from schemas.errors import MusterError
from schemas.measures import NOW
from schemas.vocabulary import LIVE_STATES

RELEASES: Final = "releases"
_LISTED: Final = {
    "release": pl.String,
    "measure": pl.String,
    "value": pl.Float64,
    "forces_included": pl.Int64,
    "forces_expected": pl.Int64,
    "differing": pl.Int64,
    "received_up_to": pl.Date,
}
_NOTHING: Final = {RELEASES: pl.DataFrame(schema=_LISTED)}
_CHANGED: Final[dict[str, Any]] = {
    "changed_totals": ("national_totals", [*KEY, "unit"], "value", "symbol"),
    "changed_forces": ("returns_status", ["force_code"], "state"),
    "changed_figures": ("reconciliation", ["figure_id"], "computed", "status", "symbol"),
}
"""What is told of what is different: in which mart, by what key, and in which columns."""

_UNREADABLE: Final = (MusterError, OSError, ValueError, KeyError, pl.exceptions.PolarsError)
"""What reading an edition of any age may end in: then nothing is told of it, and that is said."""


@dataclass(frozen=True)
class Since:
    """What an edition tells of those before it, as tables by name, and facts to say.

    `releases`: those before it, the last first. `changed_totals` and `changed_figures`: old and new
    of what is different. `changed_forces`: force_code, old and new, which are the hashes of returns
    that count, in a public edition the states. The facts: `previous`, the last edition;
    `otherwise`, what else it was made from that is different; `why_not`, why that is not known.
    """

    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    def files(self, folder: str = "") -> dict[str, bytes]:
        """Return the tables as CSV, by the paths of their files in the folder of the pages."""
        texts = {name: table.write_csv() for name, table in self.tables.items()}
        return {str(Path(folder, f"{name}.csv")): text.encode() for name, text in texts.items()}


def previous_of(lake: Lake, release: str) -> Path | None:
    """Return the release that was shown before one that is made, None for none that is kept."""
    folders = (lake.releases / name for name in _before(lake, release))
    return next((folder for folder in folders if folder.is_dir()), None)


def _before(lake: Lake, release: str) -> list[str]:
    """Return the releases that were shown before one that is made, the last first, each once."""
    names = [entry.release for entry in shown(lake)]
    if not names and lake.marts.exists():  # of a time before there was a record
        names = [lake.marts.resolve().name]
    before = names[: names.index(release)] if release in names else names
    return [*dict.fromkeys(reversed(before))]


def since_release(lake: Lake, now: Drafted, release: str) -> Since:
    """Return what a release in the making tells of those before it."""
    folder = previous_of(lake, release)
    if folder is None:
        return Since(_NOTHING)
    facts = {"previous": folder.name}
    try:
        before = Released(folder, now.collection)
        marts = {mart: before.mart(mart) for mart, *_ in _CHANGED.values()}
        listed = _listed(folder / "report", folder.name, marts, before.collection)
        # An older version kept no list: of what it showed no more than the name is known.
        there = {*listed[RELEASES]["release"]}
        more = pl.DataFrame({"release": [n for n in _before(lake, release) if n not in there]})
        listed = {RELEASES: pl.concat([listed[RELEASES], more], how="diagonal_relaxed")}
    except _UNREADABLE as error:
        return Since(_NOTHING, facts | {"why_not": type(error).__name__})
    try:
        found = between(before, now)
    except _UNREADABLE as error:
        return Since(listed, facts | {"why_not": type(error).__name__})
    changed = zip(_CHANGED, (found.totals, found.returns, found.figures), strict=True)
    return Since(listed | dict(changed), facts | {"otherwise": ", ".join(found.otherwise)})


def since_edition(
    last: Entry | None, marts: Mapping[str, pl.DataFrame], collection: Collection
) -> Since:
    """Return what a public edition tells of those before it, from public files alone.

    Args:
        last: the last public edition, None where there is none.
        marts: the public marts by name.
        collection: the collection.
    """
    if last is None:
        return Since(_NOTHING)
    try:
        names = {mart for mart, *_ in _CHANGED.values() if mart in marts}
        before = {name: pl.read_parquet(last.public / f"{name}.parquet") for name in names}
        listed = _listed(last.public, last.release, before, collection)
        changed = {
            name: apart(before[mart], marts[mart], *how)
            for name, (mart, *how) in _CHANGED.items()
            if mart in before
        }
        changed["changed_totals"] = changed["changed_totals"].with_columns(
            change=pl.col("new") - pl.col("old"),
            change_symbol=pl.coalesce("new_symbol", "old_symbol"),
            because=pl.lit(None, pl.String),
        )
        return Since(listed | changed, {"previous": last.release})
    except _UNREADABLE as error:
        return Since(_NOTHING, {"why_not": type(error).__name__})


def _listed(
    folder: Path, name: str, marts: Mapping[str, pl.DataFrame], collection: Collection
) -> dict[str, pl.DataFrame]:
    """Return the list of the editions before: what the last one lists, below a line for it."""
    earlier, path = pl.DataFrame(schema=_LISTED), folder / f"{RELEASES}.csv"
    if path.exists():  # an older version wrote none
        earlier = pl.read_csv(io.BytesIO(path.read_bytes()), schema=_LISTED)
    mine = pl.DataFrame([_line(name, marts, collection)], schema=_LISTED)
    return {RELEASES: pl.concat([mine, earlier])}


def _line(
    release: str, marts: Mapping[str, pl.DataFrame], collection: Collection
) -> dict[str, Any]:
    measure, totals = first_measure(collection.template), marts["national_totals"]
    whole = next(iter(totals.filter(measure=measure, breakdown="", period=NOW).to_dicts()), {})
    status, received = marts["returns_status"], None
    if "received_at" in status.columns:
        last = status.filter(pl.col("state").is_in(LIVE_STATES))["received_at"].drop_nulls()
        days = [collection.day_of(moment) for moment in last.str.to_datetime(time_zone="UTC")]
        received = max(days, default=None)
    figures = marts.get("reconciliation")
    return {
        "release": release,
        "measure": measure,
        "value": whole.get("value"),
        "forces_included": whole.get("forces_included"),
        "forces_expected": whole.get("forces_expected"),
        "differing": None if figures is None else figures.filter(status="differs").height,
        "received_up_to": received,
    }
