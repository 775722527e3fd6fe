"""The mart national_totals: every total, share, rate and statistic that a template describes."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

import polars as pl

from assets.figures.totals.leaves import (
    ROW,
    as_rows,
    divided,
    grouped,
    leaves,
    percent,
    shares,
    summed,
    sums,
)
from assets.figures.totals.research import research_totals
from assets.inputs.research.tables import ResearchTables, no_research
from schemas.breakdown import Band, breakdown_of
from schemas.collection import Collection
from schemas.conform import conform
from schemas.figures import ANSWER
from schemas.marts import NationalTotals
from schemas.measures import NOW, QUESTION, Measure
from schemas.template import Template

_ABOUT: Final = (
    pl.len().cast(pl.Int64).alias("forces_included"),
    pl.col("provisional").any(),
)

STATISTICS: Final = {
    "minimum": pl.col("total").min(),
    "lower_quartile": pl.col("total").quantile(0.25, "linear"),
    "median": pl.col("total").median(),
    "mean": pl.col("total").sum() / pl.len(),
    "upper_quartile": pl.col("total").quantile(0.75, "linear"),
    "maximum": pl.col("total").max(),
}


def national_totals(
    live: pl.DataFrame, collection: Collection, research: ResearchTables | None = None
) -> pl.DataFrame:
    """Return the mart NationalTotals from the table LiveEntries.

    Of the inspectorate's own research there are no rows where there is none.
    """
    own, template = research or no_research(), collection.template
    everything = leaves(live, template)
    found = [_bodies(collection), _earlier(everything, template)]
    for name, measure in template.measures.items():
        cells = everything.filter(measure=name, period=NOW)
        found += _counted(name, measure, cells, template)
        if measure.statistics or measure.per_force:
            found += _spread(name, measure, cells, collection)
    found += [_per_month(frame, collection) for frame in list(found)]
    found += _answers(everything, template)
    expected = pl.lit(len(collection.forces), pl.Int64).alias("forces_expected")
    rows = [frame.select(*ROW, expected) for frame in found]
    return conform(NationalTotals, pl.concat([*rows, research_totals(own, collection)]))


def in_the_totals(totals: pl.DataFrame, collection: Collection) -> tuple[int, int]:
    """Return how many forces are in the total of the main measure, and how many are expected.

    Where no measure has a total of everything: how many are in the total that most are in.
    """
    main = collection.template.main
    of_cells = totals.filter(
        pl.col("measure").is_in(list(collection.template.measures)), period=NOW
    )
    whole = of_cells.filter(measure=main, breakdown="") if main else of_cells
    included: list[int] = whole["forces_included"].to_list()
    return max(included, default=0), len(collection.forces)


def _counted(
    name: str, measure: Measure, cells: pl.DataFrame, template: Template
) -> Iterator[pl.DataFrame]:
    """Yield the totals of a measure at each of its levels, its shares and its change."""
    crossed, unit = measure.crossed_by, measure.unit
    groups = template.groups.get(crossed or "", {})
    for level in measure.levels:
        at = cells.filter(pl.col(level.without).is_null()) if level.without else cells
        yield sums(at, level.by, name, unit)
        if crossed:
            in_groups = [
                at.filter(pl.col(crossed).is_in(list(codes))).with_columns(
                    pl.lit(group).alias(crossed)
                )
                for group, codes in groups.items()
            ]
            dims = template.ordered([level.by, [crossed]])
            yield sums(pl.concat([at, *in_groups]), dims, name, unit)
    for share in measure.shares:
        whole = cells.drop_nulls(share.by)
        yield shares(whole, share.by, share.within, measure.share_name(name, share))
    if measure.change:
        codes = template.codes_of(name, measure.change)
        # A force that does not know both ends is not in it.
        first, last = (
            pl.when(held.count() > 0).then(held.sum())
            for held in (
                pl.col("number").filter(pl.col(measure.change) == codes[end]) for end in (0, -1)
            )
        )
        change = cells.group_by("force_code", "provisional").agg((last - first).alias("number"))
        yield sums(change, (), f"{name}_change", unit)


def _earlier(everything: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return the counts of earlier periods, each of which was asked for as it stands."""
    cells = everything.filter(pl.col("period") != NOW)
    units = {name: measure.unit for name, measure in template.measures.items()}
    keyed = cells.with_columns(breakdown_of(*template.dimensions))
    return summed(keyed, ("measure", "breakdown", "period")).with_columns(
        pl.col("total").cast(pl.Float64).alias("value"),
        pl.col("measure").replace_strict(units, return_dtype=pl.String).alias("unit"),
    )


def _per_month(frame: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the monthly rates of the rows that have one."""
    periods = {NOW: collection.period, **collection.comparators}
    months = {name: period.months for name, period in periods.items()}
    keys = pl.col("breakdown").str.replace_all("=[^;]*", "")
    wanted = [
        (pl.col("measure") == name) & (keys == ";".join(level))
        for name, measure in collection.template.measures.items()
        for level in measure.per_month
    ]
    return frame.filter(pl.any_horizontal(pl.lit(value=False), *wanted)).with_columns(
        pl.format("{}_per_month", "measure").alias("measure"),
        divided(
            pl.col("value"), pl.col("period").replace_strict(months, return_dtype=pl.Int64)
        ).alias("value"),
        pl.lit("per_month").alias("unit"),
    )


def _spread(
    name: str, measure: Measure, cells: pl.DataFrame, collection: Collection
) -> Iterator[pl.DataFrame]:
    """Yield statistics over the single entry of each force, or over its sums, and the bands."""
    told: list[tuple[str, str, pl.Expr, str]]
    if measure.statistics:
        dims, by_force = list[str](), cells.rename({"number": "total"}).drop_nulls("total")
        told = [("statistic", text, STATISTICS[text], name) for text in measure.statistics]
    else:
        dims = collection.template.ordered(measure.per_force)
        levels = [summed(cells, ("force_code", *level)) for level in measure.per_force]
        by_force = pl.concat(levels, how="diagonal").drop_nulls("total")
        bands = {
            text: Band.parse(text).contains(pl.col("total")).sum()
            for text in collection.count_bands
        }
        told = [("statistic", text, of, f"{name}_per_force") for text, of in STATISTICS.items()]
        told += [("count", text, of, f"forces_with_{name}") for text, of in bands.items()]
    for key, text, expression, of in told:
        unit = "forces" if key == "count" else measure.unit
        if text == "mean" and not measure.statistics:
            unit = "per_force"
        known = pl.when(pl.len() > 0).then(expression).alias("value")
        found = grouped(by_force, dims, known, *_ABOUT)
        named = found.with_columns(pl.lit(text).alias(key))
        yield as_rows(named, (*dims, key), pl.col("value"), of, unit)


def _answers(everything: pl.DataFrame, template: Template) -> Iterator[pl.DataFrame]:
    """Yield counts and shares of forces by question and answer; `a|b` counts either answer.

    Every answer of a question's list has rows, whether given or not.
    """
    listed = [
        (entry.measure, entry.dims[QUESTION], "|".join(answers), list(answers))
        for entry in template.counted()
        if QUESTION in entry.dims
        for size in ((1, 2) if len(entry.answers) > 2 else (1,))
        for answers in combinations(entry.answers, size)
    ]
    key = ["measure", QUESTION, ANSWER]
    schema: dict[str, Any] = {**dict.fromkeys(key, pl.String), "either": pl.List(pl.String)}
    given = pl.col("value").is_in(pl.col("either")).sum()
    answered = pl.col("value").count().cast(pl.Int64)
    counted = (
        pl.DataFrame(listed, schema=schema, orient="row")
        .join(everything, on=key[:2])
        .group_by(key)
        .agg(given.alias("forces"), answered.alias("forces_included"), pl.col("provisional").any())
    )
    known = pl.when(pl.col("forces_included") > 0).then("forces")
    for (measure,), of in counted.partition_by("measure", as_dict=True).items():
        name, share = str(measure), percent("forces", "forces_included")
        yield as_rows(of, (QUESTION, ANSWER), known, name, template.measures[name].unit)
        yield as_rows(of, (QUESTION, ANSWER), share, f"{name}_share", "percent")


def _bodies(collection: Collection) -> pl.DataFrame:
    """Return the bodies the collection expects, by kind, and the months of its period."""
    kinds = collection.bodies["kind"]
    values = [
        ("reporting_bodies", "", float(len(kinds)), "forces"),
        *(
            ("reporting_bodies", f"kind={kind}", float((kinds == kind).sum()), "forces")
            for kind in sorted(set(kinds))
        ),
        ("months_in_collection", "", float(collection.period.months), "months"),
    ]
    frame = pl.DataFrame(values, schema=["measure", "breakdown", "value", "unit"], orient="row")
    return frame.with_columns(
        pl.lit(NOW).alias("period"),
        pl.lit(len(collection.forces), pl.Int64).alias("forces_included"),
        pl.lit(value=False).alias("provisional"),
    )
