"""The mart national_totals: every total, share, rate and statistic that a template describes."""

from itertools import combinations
from typing import Final

import polars as pl

from assets.research.tables import ResearchTables, no_research
from assets.totals.cube import ROW, as_rows, grouped, percent, shares, summed, totals
from assets.totals.leaves import ANSWER, leaves
from assets.totals.research import research_totals
from schemas.breakdown import Band, breakdown_of
from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.totals import NationalTotals
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
    """Return the mart NationalTotals.

    Args:
        live: table LiveEntries.
        collection: the collection, whose forces are expected.
        research: the inspectorate's own research; None for none, of which there are no rows.
    """
    own, template = research or no_research(), collection.template
    everything = leaves(live, template)
    found = [_bodies(collection), *_earlier(everything, template)]
    for name, measure in template.measures.items():
        cells = everything.filter(measure=name, period=NOW)
        found += _counted(name, measure, cells, template)
        found += _spread_rows(name, measure, cells, collection)
        if measure.change:
            ends = template.codes_of(name, measure.change)
            change = cells.group_by("force_code", "provisional").agg(
                _change(measure.change, ends[0], ends[-1])
            )
            found.append(totals(change, [()], f"{name}_change", measure.unit))
    found += [_per_month(frame, template, collection) for frame in list(found)]
    found += _answers(everything, template)
    expected = pl.lit(len(collection.forces), pl.Int64).alias("forces_expected")
    rows = [
        *(frame.select(*ROW, expected) for frame in found),
        research_totals(own, collection),
    ]
    return conform(NationalTotals, pl.concat(rows))


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
) -> list[pl.DataFrame]:
    """Return the totals of a measure at each of its levels, and its shares."""
    found = []
    for level in measure.levels:
        at = cells.filter(pl.col(level.without).is_null()) if level.without else cells
        found.append(totals(at, [level.by], name, measure.unit))
        if measure.crossed_by:
            dims = template.ordered([level.by, [measure.crossed_by]])
            found.append(totals(at, [dims], name, measure.unit))
            for group, codes in template.groups.get(measure.crossed_by, {}).items():
                of_group = at.filter(pl.col(measure.crossed_by).is_in(list(codes)))
                as_group = of_group.with_columns(pl.lit(group).alias(measure.crossed_by))
                found.append(totals(as_group, [dims], name, measure.unit))
    for share in measure.shares:
        whole = cells.drop_nulls(share.by)
        found.append(shares(whole, share.by, share.within, measure.share_name(name, share)))
    return found


def _change(dimension: str, first: str, last: str) -> pl.Expr:
    """Return what a force's number changed by; null where it does not know both ends."""
    earlier, later = (_held_at(dimension, code) for code in (first, last))
    return (later - earlier).alias("number")


def _held_at(dimension: str, code: str) -> pl.Expr:
    number = pl.col("number").filter(pl.col(dimension) == code)
    return pl.when(number.count() > 0).then(number.sum())


def _earlier(everything: pl.DataFrame, template: Template) -> list[pl.DataFrame]:
    """Return the counts of earlier periods, each of which was asked for as it stands."""
    cells = everything.filter(pl.col("period") != NOW)
    if cells.is_empty():
        return []
    units = {name: measure.unit for name, measure in template.measures.items()}
    keyed = cells.with_columns(breakdown_of(*template.dimensions))
    sums = summed(keyed, ("measure", "breakdown", "period"))
    unit = pl.col("measure").replace_strict(units, return_dtype=pl.String).alias("unit")
    return [sums.with_columns(pl.col("total").cast(pl.Float64).alias("value"), unit).select(ROW)]


def _per_month(frame: pl.DataFrame, template: Template, collection: Collection) -> pl.DataFrame:
    """Return the monthly rates of the rows that have one."""
    months = {NOW: collection.period.months} | {
        name: period.months for name, period in collection.comparators.items()
    }
    keys = pl.col("breakdown").str.replace_all("=[^;]*", "")
    wanted = [
        (pl.col("measure") == name) & (keys == ";".join(level))
        for name, measure in template.measures.items()
        for level in measure.per_month
    ]
    return frame.filter(pl.any_horizontal(pl.lit(value=False), *wanted)).with_columns(
        pl.format("{}_per_month", "measure").alias("measure"),
        pl.col("value") / pl.col("period").replace_strict(months, return_dtype=pl.Int64),
        pl.lit("per_month").alias("unit"),
    )


def spread(measure: Measure, cells: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return how a measure spreads over the forces, at each level that is `per_force`.

    Columns: the dimensions of these levels, statistic, count (a band; one of the two is null),
    value, forces_included, provisional.
    """
    dims = collection.template.ordered(measure.per_force)
    by_force = pl.concat(
        [summed(cells, ("force_code", *level)) for level in measure.per_force], how="diagonal"
    ).drop_nulls("total")
    statistics = [
        grouped(
            by_force,
            dims,
            [expression.cast(pl.Float64).alias("value"), *_ABOUT],
        ).with_columns(pl.lit(name).alias("statistic"), pl.lit(None, pl.String).alias("count"))
        for name, expression in STATISTICS.items()
    ]
    bands = [
        grouped(
            by_force,
            dims,
            [
                Band.parse(text).contains(pl.col("total")).sum().cast(pl.Float64).alias("value"),
                *_ABOUT,
            ],
        ).with_columns(pl.lit(text).alias("count"))
        for text in collection.count_bands
    ]
    return pl.concat([*statistics, *bands], how="diagonal")


def _spread_rows(
    name: str, measure: Measure, cells: pl.DataFrame, collection: Collection
) -> list[pl.DataFrame]:
    value = pl.col("value")
    if measure.statistics:
        held = cells.filter(pl.col("number").is_not_null()).rename({"number": "total"})
        each = pl.concat(
            held.select(
                STATISTICS[statistic].cast(pl.Float64).alias("value"),
                pl.lit(statistic).alias("statistic"),
                *_ABOUT,
            )
            for statistic in measure.statistics
        )
        return [as_rows(each, ("statistic",), value, name, measure.unit)]
    if not measure.per_force:
        return []
    found = spread(measure, cells, collection)
    dims = [column for column in found.columns if column not in _NOT_DIMS]
    banded, mean = pl.col("count").is_not_null(), pl.col("statistic") == "mean"
    per_force = f"{name}_per_force"
    return [
        as_rows(found.filter(banded), dims, value, f"forces_with_{name}", "forces"),
        as_rows(found.filter(mean), dims, value, per_force, "per_force"),
        as_rows(found.filter(~banded & ~mean), dims, value, per_force, measure.unit),
    ]


_NOT_DIMS: Final = {"value", "forces_included", "provisional"}


def adoption(everything: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return one row a question and answer of its list, whether given or not.

    Columns: measure, question, answer, forces (int), answered (forces with an answer to the
    question), forces_included, provisional.

    Args:
        everything: as `leaves` returns it.
        template: the template, which lists the answers.
    """
    listed = pl.DataFrame(
        [
            (entry.measure, entry.dims[QUESTION], answer)
            for entry in template.counted()
            if QUESTION in entry.dims
            for answer in entry.answers
        ],
        schema=dict.fromkeys(["measure", QUESTION, ANSWER], pl.String),
        orient="row",
    )
    given = pl.col("value") == pl.col(ANSWER)
    return (
        listed.join(everything, on=["measure", QUESTION])
        .group_by("measure", QUESTION, ANSWER)
        .agg(
            given.sum().cast(pl.Int64).alias("forces"),
            pl.col("value").count().cast(pl.Int64).alias("answered"),
            pl.col("provisional").any(),
        )
        .with_columns(pl.col("answered").alias("forces_included"))
    )


def _answers(everything: pl.DataFrame, template: Template) -> list[pl.DataFrame]:
    """Return counts and shares of forces by question and answer; `a|b` counts either answer."""
    single = adoption(everything, template)
    both = pl.concat([single, *_pairs(single, template)], how="diagonal")
    known = pl.when(pl.col("answered") > 0)
    dims, share = (QUESTION, ANSWER), percent("forces", "answered")
    return [
        rows
        for (name,), of in both.partition_by("measure", as_dict=True).items()
        for rows in (
            as_rows(of, dims, known.then("forces"), str(name), template.measures[str(name)].unit),
            as_rows(of, dims, share, f"{name}_share", "percent"),
        )
    ]


def _pairs(single: pl.DataFrame, template: Template) -> list[pl.DataFrame]:
    """Count the forces that gave either of two answers, for questions with more than two."""
    return [
        single.filter(pl.col(QUESTION) == entry.dims[QUESTION], pl.col(ANSWER).is_in(list(pair)))
        .group_by("measure", QUESTION, "answered", "forces_included", "provisional")
        .agg(pl.col("forces").sum(), pl.lit("|".join(pair)).alias(ANSWER))
        for entry in template.counted()
        if QUESTION in entry.dims and len(entry.answers) > 2
        for pair in combinations(entry.answers, 2)
    ]


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
