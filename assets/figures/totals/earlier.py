"""The mart comparisons: what was counted beside what was counted before.

Of an earlier period that the returns ask about it is what they say of it. Of another collection it
is what that one released, and nothing else: never what anybody says of it now.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from assets.figures.comparable import Row, Year, compared, forces_apart
from assets.lake import Lake
from assets.marts import read_mart
from assets.previous import Earlier, earlier_releases
from schemas.breakdown import write_breakdown
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.marts.totals import Comparisons
from schemas.measures import NOW

_NUMBERS: Final = {"months": pl.Int64, "previous_months": pl.Int64}


def compared_with(lake: Lake, collection: Collection) -> dict[str, Earlier]:
    """Return the release of each other collection that this one is compared with, by its id.

    One that is not released, or on another return's template, is not there.
    """
    if not collection.compared:
        return {}
    there = earlier_releases(lake, collection)
    return {of: there[of] for of in collection.compared.values() if of in there}


def comparisons(
    national: pl.DataFrame, collection: Collection, released: Mapping[str, Earlier] | None = None
) -> pl.DataFrame:
    """Return the mart Comparisons.

    Args:
        national: mart NationalTotals.
        collection: the collection.
        released: as `compared_with` returns it.

    Raises:
        LakeError: a release cannot be read.
    """
    rows = [*_asked(national, collection)]
    for period, other in collection.compared.items():
        rows += _beside(national, collection, period, (released or {}).get(other))
    both = pl.DataFrame(rows, schema={**empty(Comparisons).schema, **_NUMBERS}).with_columns(
        (pl.col("value") / pl.col("months")).alias("per_month"),
        (pl.col("previous_value") / pl.col("previous_months")).alias("previous_per_month"),
    )
    now, before = (pl.coalesce(f"{of}per_month", f"{of}value") for of in ("", "previous_"))
    # Where another count was released, a ratio would be of two different things.
    alike = pl.col("comparable") | pl.col("previous_collection").is_null()
    ratio = pl.when((before > 0) & alike).then(now / before).alias("ratio")
    return conform(Comparisons, both.with_columns(ratio))


def _asked(national: pl.DataFrame, collection: Collection) -> Iterator[Row]:
    """Yield what the returns say of earlier periods, each beside the same figure of now."""
    key = ("measure", "breakdown", "period")
    totals = {tuple(row[name] for name in key): row for row in national.to_dicts()}
    for entry in collection.template.counted():
        earlier = collection.comparators.get(entry.period)
        if earlier is None or entry.period in collection.compared:
            continue
        figure = str(entry.measure), write_breakdown(entry.dims)
        row, was = totals.get((*figure, NOW)), totals.get((*figure, entry.period))
        short = [
            f"{period} has {one['forces_included']} of {one['forces_expected']} forces"
            for period, one in ((entry.period, was), (collection.id, row))
            if one and one["forces_included"] < one["forces_expected"]
        ]
        months = collection.period.months, earlier.months
        stock = collection.template.measures[figure[0]].kind == "stock"
        yield _row(figure, entry.period, (row, was), (None, None) if stock else months, short)


def _beside(
    national: pl.DataFrame, collection: Collection, period: str, before: Earlier | None
) -> Iterator[Row]:
    """Yield every count beside that of the release before; where there is none, why."""
    year = Year(collection, national, collection, [collection.template])
    counts = [key for key in sorted(year.rows) if year.is_count(key[0])]
    if before is None:
        why = f"{collection.compared[period]} has no release of this return"
        for key in counts:
            yield _row(key, period, (year.rows[key], None), (None, None), [why]) | {
                "previous_collection": collection.compared[period]
            }
        return
    of, templates = before.collection, [before.collection.template, collection.template]
    then = Year(of, read_mart(before.folder, "national_totals"), collection, templates)
    apart = forces_apart(of, collection)
    for key in counts:
        row, was = year.rows[key], then.rows.get(key)
        breaks, notes = compared((then, was), (year, row), *apart) if was else (["new"], [])
        stock = any(t.measures[key[0]].kind == "stock" for t in templates if key[0] in t.measures)
        months = (None, None) if stock else (collection.period.months, of.period.months)
        yield _row(key, period, (row, was), months, breaks, notes) | {
            "previous_collection": of.id,
            "previous_release": before.folder.name,
        }


def _row(
    figure: tuple[str, str],
    period: str,
    totals: tuple[Row | None, Row | None],
    months: tuple[int | None, int | None],
    breaks: list[str],
    notes: list[str] | None = None,
) -> Row:
    value, was = (None if one is None or one["value"] is None else int(one["value"])
                  for one in totals)  # fmt: skip
    return {
        "measure": figure[0],
        "breakdown": figure[1],
        "period": NOW,
        "value": value,
        "months": months[0],
        "previous_period": period,
        "previous_value": was,
        "previous_months": months[1],
        "comparable": not breaks,
        "why_not": "; ".join([*breaks, *(notes or [])]) or None,
    }
