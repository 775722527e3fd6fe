"""The mart national_totals: every total, share, rate and statistic that a template describes.

A figure is of one sum of cells, or of two (leaves.counted_in); each sum is taken once, by force.
Integers are summed and divided once at the end, so the same inputs give the same bytes. What no
live return gives is unknown rather than absent.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product
from typing import Any, Final

import polars as pl

from assets.figures.totals.leaves import PLACE, counted_in, divided, percent
from assets.figures.totals.research import research_totals
from assets.inputs.research.tables import ResearchTables, no_research
from schemas.breakdown import LAST, Band, write_breakdown
from schemas.collection import Collection
from schemas.conform import conform
from schemas.figures import ANSWER, Level, levels
from schemas.marts import NationalTotals
from schemas.measures import NOW
from schemas.template import Entry

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
    found = [_of_cells(live, collection), _bodies(collection)]
    expected = pl.lit(len(collection.forces), pl.Int64).alias("forces_expected")
    of_returns = pl.concat(found, how="diagonal").with_columns(expected)
    researched = research_totals(research or no_research(), collection)
    return conform(NationalTotals, pl.concat([of_returns, researched], how="diagonal"))


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


_NUMBERS: Final = ("of", "sign", "whole", "months")
_PART: Final = ("of", *PLACE, "sign", "given")
"""A cell of a sum: the number of that, how the cell is added, and of answers those that count."""

_FIGURE: Final = (
    "measure", "breakdown", "period", "unit", "kind", "how", "of", "whole", "months",
)  # fmt: skip
"""A figure: the total, a statistic or a band of a sum, and what that is divided by."""

Codes = dict[str, str]
Sums = dict[tuple[Any, ...], int]


def _of_cells(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return every figure of cells, with the columns of NationalTotals but `forces_expected`."""
    sums: Sums = {}
    figures = _frame(_FIGURE, _figures(collection, sums))
    told = _told(_by_force(live, sums), collection)
    wholes = told.filter(how="total").select(whole="of", total="value")
    found = figures.join(told, on=["of", "how"], how="left").join(wholes, on="whole", how="left")
    # A percent without a whole of its own is one of the forces that gave an answer.
    found = found.with_columns(whole=pl.coalesce("total", "forces_included"))
    value, months = pl.col("value"), pl.col("months")
    rate = pl.when(months.is_null()).then(value).otherwise(divided(value, months))
    # What forces themselves give in per cent is part of nothing here.
    is_part = pl.col("kind").is_in(["share", "answers"])
    share = pl.when(is_part).then(percent("value", "whole"))
    return found.select(
        *_FIGURE[:4],
        value=share.otherwise(rate),
        forces_included=pl.col("forces_included").fill_null(0),
        provisional=pl.col("provisional").fill_null(value=False),
    )


def _frame(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    kinds = dict.fromkeys(_NUMBERS, pl.Int64) | {"given": pl.List(pl.String)}
    return pl.DataFrame([*rows], {n: kinds.get(n, pl.String) for n in columns}, orient="row")


def _figures(collection: Collection, sums: Sums) -> Iterator[tuple[Any, ...]]:
    """Yield each figure, as _FIGURE; the sums of cells that it is of are numbered in `sums`."""
    periods = {NOW: collection.period, **collection.comparators}
    for (level, breakdown, period), codes in _listed(collection).items():
        found = counted_in(collection.template, level.name, breakdown, period)
        if found is None or not found.cells:  # a level that leaves them all out
            continue
        how = codes.get("statistic", codes.get("count", "total"))
        is_mean = how == "mean" and level.name != level.of
        of = sums.setdefault((found.signed, found.given or None), len(sums))
        whole = tuple((cell.place, 1) for cell in found.whole if level.kind == "share")
        yield (
            *(level.name, breakdown, period, "per_force" if is_mean else level.unit),
            *(level.kind, how, of),
            sums.setdefault((whole, None), len(sums)) if whole else None,
            periods[period].months if level.kind == "per_month" else None,
        )


def _listed(collection: Collection) -> dict[tuple[Level, str, str], Codes]:
    """Return the level, breakdown and period of every figure that some cell is in, and its codes.

    What was asked of an earlier period stands for itself, at its own codes alone.
    """
    template, found = collection.template, dict[tuple[Level, str, str], Codes]()
    for cell in template.counted():
        name, measure = str(cell.measure), template.measures[str(cell.measure)]
        at = [level for each in levels(template).values() for level in each if level.of == name]
        if cell.period != NOW:
            own = Level(name, "count", name, measure.unit, tuple(cell.dims))
            rates = [lv for lv in at if lv.kind == "per_month" and {*lv.by} == cell.dims.keys()]
            at = [own, *rates]
        for level in at:
            for codes in _codes(level, cell, collection):
                found[level, write_breakdown(codes), cell.period] = codes
    return found


def _codes(level: Level, cell: Entry, collection: Collection) -> Iterator[Codes]:
    """Yield the codes of the figures of a level that a cell is in."""
    template, measure = collection.template, collection.template.measures[level.of]
    sizes, crossed = (1, 2) if len(cell.answers) > 2 else (1,), measure.crossed_by or ""
    options: dict[str, Sequence[str]] = {key: (code,) for key, code in cell.dims.items()}
    options[ANSWER] = ["|".join(of) for n in sizes for of in combinations(cell.answers, n)]
    options["count"] = collection.count_bands
    options["statistic"] = measure.statistics or tuple(STATISTICS)
    if crossed in cell.dims and level.kind == "count" and cell.period == NOW:
        groups = template.groups.get(crossed, {}).items()
        options[crossed] = (*options[crossed], *(g for g, of in groups if cell.dims[crossed] in of))
    keys = [key for key in (*template.dimensions, ANSWER, *LAST) if key in level.by]
    if {*keys} <= options.keys():
        for chosen in product(*(options[key] for key in keys)):
            yield dict(zip(keys, chosen, strict=True))


def _by_force(live: pl.DataFrame, sums: Sums) -> pl.DataFrame:
    """Return what each force holds in each sum: of, force_code, total, provisional.

    A force that holds none of its cells, or not both ends of a change, has no row.
    """
    rows = (
        (number, *place, sign, given)
        for (cells, given), number in sums.items()
        for place, sign in cells
    )
    ends, number = pl.col("sign").n_unique().alias("ends"), pl.col("number")
    is_given = pl.col("value").is_in(pl.col("given")).cast(pl.Int64)
    return (
        _frame(_PART, rows)
        .with_columns(needs=ends.over("of"))
        .join(live.select(*PLACE, "force_code", "number", "value", "provisional"), on=PLACE)
        .with_columns(number=pl.when(pl.col("given").is_null()).then(number).otherwise(is_given))
        .drop_nulls("number")
        .group_by("of", "force_code", "needs")
        .agg((number * pl.col("sign")).sum().alias("total"), pl.col("provisional").any(), ends)
        .filter(pl.col("ends") == pl.col("needs"))
    )


def _told(by_force: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the total, each statistic and each band of each sum: of, how, value, and who is in it.

    A sum of which no force holds a cell has no row.
    """
    total = pl.col("total")
    bands = {text: Band.parse(text).contains(total).sum() for text in collection.count_bands}
    hows = {"total": total.sum(), **STATISTICS, **bands}
    return (
        by_force.group_by("of")
        .agg(
            pl.len().cast(pl.Int64).alias("forces_included"),
            pl.col("provisional").any(),
            **{how: value.cast(pl.Float64) for how, value in hows.items()},
        )
        .unpivot(index=["of", "forces_included", "provisional"], variable_name="how")
    )


def _bodies(collection: Collection) -> pl.DataFrame:
    """Return the bodies the collection expects, by kind, and the months of its period."""
    kinds = Counter(collection.bodies["kind"])
    of_kind = ((f"kind={kind}", number) for kind, number in kinds.items())
    values = [("", kinds.total()), *of_kind]
    rows = [("reporting_bodies", breakdown, number, "forces") for breakdown, number in values]
    rows.append(("months_in_collection", "", collection.period.months, "months"))
    frame = pl.DataFrame(rows, schema=["measure", "breakdown", "value", "unit"], orient="row")
    return frame.with_columns(
        pl.col("value").cast(pl.Float64),
        period=pl.lit(NOW),
        forces_included=pl.lit(len(collection.forces), pl.Int64),
        provisional=pl.lit(value=False),
    )
