"""Two releases of a collection, figure by figure: old, new, and whose return made it so."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from assets.figures.explain.released import Released
from assets.figures.totals.leaves import PLACE, counted_in, held_in

KEY: Final = ["measure", "breakdown", "period"]
_CELL: Final = ["force_code", *PLACE]
_OTHERWISE: Final = {
    "collection_sha256": "the collection file, its template, its publication or forces.csv",
    "contract_version": "the contracts",
    "software_sha256": "the software",
    "reports": "the force reports",
    "research": "the research files",
    "extracts_sha256": "the case-level extracts",
    "compared": "the release of a collection that it is compared with",
    "decisions_sha256": "answers, choices of versions or corrections",
}


@dataclass(frozen=True)
class Comparison:
    """What is different between two releases.

    `returns`: force_code, old, new (sha256 of the live return; null where it has none).
    `otherwise`: what else they were made from that is different, in words.
    `totals`: measure, breakdown, period, old, new, change, unit, because (the forces that
    changed a cell which bears on it, comma-separated; null where none did).
    `figures`: figure_id, old_status, new_status, old, new of every published figure whose status
    or computed value is different.
    """

    returns: pl.DataFrame
    otherwise: list[str]
    totals: pl.DataFrame
    figures: pl.DataFrame


def between(old: Released, new: Released) -> Comparison:
    """Compare two releases, of which the new one may be in the making.

    Raises:
        LakeError: a manifest or a mart is missing or cannot be read.
    """
    before, after = old.made_from, new.made_from
    schema = dict.fromkeys(("force_code", "sha256"), pl.String)
    was, live = (
        pl.DataFrame([row[:2] for row in made["live"]], schema=schema, orient="row")
        for made in (before, after)
    )
    printed, prints = (release.mart("reconciliation") for release in (old, new))
    figures = apart(printed, prints, ["figure_id"], "computed", "status")
    # What an older one does not say is nothing.
    differs = {of for of in _OTHERWISE if (before.get(of) or []) != (after.get(of) or [])}
    return Comparison(
        apart(was, live, ["force_code"], "sha256"),
        [words for of, words in _OTHERWISE.items() if of in differs],
        _totals(old, new),
        figures.select("figure_id", "old_status", "new_status", "old", "new"),
    )


def apart(old: pl.DataFrame, new: pl.DataFrame, key: list[str], *values: str) -> pl.DataFrame:
    """Return the rows of which a value is different or that only one side has.

    The first value is `old` and `new`, others have their name behind that.
    """
    sides = []
    for side, frame in (("old", old), ("new", new)):
        names = {value: f"{side}_{value}" if at else side for at, value in enumerate(values)}
        sides.append(frame.select(*key, *values).rename(names))
    both = sides[0].join(sides[1], on=key, how="full", coalesce=True)
    pairs = zip(sides[0].columns[len(key) :], sides[1].columns[len(key) :], strict=True)
    different = [pl.col(one).ne_missing(pl.col(other)) for one, other in pairs]
    return both.filter(pl.any_horizontal(different)).sort(key)


def _totals(old: Released, new: Released) -> pl.DataFrame:
    before, after = (release.mart("national_totals") for release in (old, new))
    both = apart(before, after, [*KEY, "unit"], "value")
    changed = [
        (one.live.join(other.live, on=[*_CELL, "value"], how="anti"), one.collection.template)
        for one, other in ((old, new), (new, old))
    ]

    def because(*figure: str) -> str | None:
        """Return the forces that changed a cell which bears on a total."""
        forces: set[str] = set()
        for cells, template in changed:
            if found := counted_in(template, *figure):
                forces |= {*held_in(cells, [*found.cells, *found.whole])["force_code"]}
        return ", ".join(sorted(forces)) or None

    whose = [because(*row) for row in both.select(KEY).iter_rows()]
    return both.select(
        *KEY,
        "old",
        "new",
        (pl.col("new") - pl.col("old")).alias("change"),
        "unit",
        pl.Series("because", whose, dtype=pl.String),
    )
