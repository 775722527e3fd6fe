"""How each measure is made from cells: what is added, and what it is divided by.

Belongs here: one function a kind of measure, from the live entries to terms whose values add up
to the figure. Written apart from the totals (totals/), so that each can be held to the other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from assets.explain.question import Question
from assets.totals.leaves import leaf_cells
from schemas.breakdown import Band
from schemas.collection import Collection
from schemas.measures import NOW, QUESTION, Share
from schemas.template import Template

_ADDRESS: Final = [
    "force_code", "sha256", "sheet", "cell", "row_code", "column_code", "entry",
]  # fmt: skip
TERM: Final = pl.Schema(
    {**dict.fromkeys(_ADDRESS, pl.String), "value": pl.Float64, "part": pl.String}
)
"""A term: an address, the entry that stands there, and what it adds to a part of the figure."""


@dataclass(frozen=True)
class Terms:
    """The terms of a figure, how they become it, and what else bears on it.

    `terms` has the columns of TERM. `factor` is what the quotient of numerator and denominator is
    multiplied by. `behind` holds the cells, as TERM, that decided which forces are counted.
    """

    terms: pl.DataFrame
    factor: int = 1
    behind: pl.DataFrame | None = None


Maker = Callable[[Question, pl.DataFrame, Collection], Terms | None]


def terms_of(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    """Return what a total is made of, None where it is not made of the returns.

    Args:
        question: the total.
        live: table LiveEntries, of the forces that are asked about.
        collection: the collection, which has the months and the expected forces.
    """
    return _makers(collection.template).get(question.measure, _count)(question, live, collection)


def _count(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    cells = _leaves(question, live, collection)
    return None if cells is None else Terms(_adding(cells, "value"))


def _leaves(question: Question, live: pl.DataFrame, collection: Collection) -> pl.DataFrame | None:
    asked = question.measure, question.breakdown, question.period
    return leaf_cells(live, collection.template, *asked)


def _adding(
    cells: pl.DataFrame, part: str, weight: pl.Expr | float = 1.0, number: str = "number"
) -> pl.DataFrame:
    """Return cells as terms; a cell that holds no number adds nothing and is no term."""
    held = cells.filter(pl.col(number).is_not_null())
    return held.with_columns(
        pl.col("value").alias("entry"),
        (pl.col(number) * weight).cast(pl.Float64).alias("value"),
        pl.lit(part).alias("part"),
    ).select(TERM.names())


def _given(rows: Iterable[tuple[str | None, float]], part: str) -> pl.DataFrame:
    """Return terms that stand in no cell: a force that is counted, or a number of months."""
    frame = pl.DataFrame(
        list(rows), schema={"force_code": pl.String, "value": pl.Float64}, orient="row"
    )
    blank = [pl.lit(None, pl.String).alias(name) for name in _ADDRESS[1:]]
    return frame.with_columns(*blank, pl.lit(part).alias("part")).select(TERM.names())


def _quotient(top: pl.DataFrame | None, bottom: pl.DataFrame | None, factor: int) -> Terms | None:
    if top is None or bottom is None:
        return None
    return Terms(pl.concat([_adding(top, "numerator"), _adding(bottom, "denominator")]), factor)


def _share(measure: str, described: Sequence[Share]) -> Maker:
    """Return how a share is made: a count, of the same count without some keys."""

    def make(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
        share = next((s for s in described if set(s.by) == set(question.parts)), None)
        if share is None:
            return None
        top = question.of(measure)
        bottom = top.of(measure, **dict.fromkeys(set(share.by) - set(share.within)))
        whole = _leaves(bottom, live, collection)
        if whole is not None:
            whole = whole.drop_nulls(share.by)
        return _quotient(_leaves(top, live, collection), whole, 100)

    return make


def _answers_share(measure: str) -> Maker:
    """Return how a share of answers is made: of the forces that answered at all."""

    def make(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
        entry = next(
            e
            for e in collection.template.counted()
            if (e.measure, e.dims.get(QUESTION)) == (measure, question.parts[QUESTION])
        )
        top = question.of(measure)
        anything = top.of(measure, answer="|".join(entry.answers))
        return _quotient(_leaves(top, live, collection), _leaves(anything, live, collection), 100)

    return make


def _per_month(measure: str) -> Maker:
    """Return how a monthly rate is made: a count, divided by the months of its period."""

    def make(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
        cells = _leaves(question.of(measure), live, collection)
        periods = {NOW: collection.period, **collection.comparators}
        if cells is None or question.period not in periods:
            return None
        months = _given([(None, periods[question.period].months)], "denominator")
        return Terms(pl.concat([_adding(cells, "numerator"), months]))

    return make


_QUANTILES: Final = {
    "minimum": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "maximum": 1.0,
}  # fmt: skip


def _statistic(measure: str) -> Maker:
    """Return how a statistic over the forces is made: of the forces next to it in order."""

    def make(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
        if "statistic" not in question.parts:
            return _count(question, live, collection)
        cells = _leaves(question.of(measure, statistic=None), live, collection)
        if cells is None:
            return None
        statistic, by_force = question.parts["statistic"], _by_force(cells)
        if statistic == "mean":
            counted = _given(((force, 1.0) for force in by_force["force_code"]), "denominator")
            return Terms(pl.concat([_adding(cells, "numerator"), counted]))
        beside = _beside(by_force, _QUANTILES[statistic])
        chosen = cells.join(beside, on="force_code")
        return Terms(_adding(chosen, "value", pl.col("weight")))

    return make


def _by_force(cells: pl.DataFrame) -> pl.DataFrame:
    held = cells.filter(pl.col("number").is_not_null())
    return held.group_by("force_code").agg(pl.col("number").sum()).sort("number", "force_code")


def _beside(by_force: pl.DataFrame, quantile: float) -> pl.DataFrame:
    """Return the one or two forces that a quantile lies at or between, with their weights."""
    if by_force.is_empty():
        return by_force.select("force_code", pl.lit(1.0).alias("weight"))
    position = (by_force.height - 1) * quantile
    low, beyond = int(position), position - int(position)
    weights = {low: 1 - beyond, low + 1: beyond} if beyond else {low: 1.0}
    codes = by_force["force_code"]
    return pl.DataFrame([(codes[at], weight) for at, weight in weights.items()],
                        schema=["force_code", "weight"], orient="row")  # fmt: skip


def _band(measure: str) -> Maker:
    """Return how a number of forces in a band of counts is made: of the forces themselves."""

    def make(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
        cells = _leaves(question.of(measure, count=None), live, collection)
        if cells is None:
            return None
        band = Band.parse(question.parts["count"])
        within = _by_force(cells).filter(band.contains(pl.col("number")))
        behind = cells.filter(pl.col("force_code").is_in(within["force_code"].to_list()))
        counted = ((force, 1.0) for force in within["force_code"])
        return Terms(_given(counted, "value"), behind=_adding(behind, "value"))

    return make


def _change(measure: str, dimension: str) -> Maker:
    """Return how a change is made: the last code of the dimension less the first."""

    def make(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
        first, *_, last = collection.template.codes_of(measure, dimension)
        found = [
            _leaves(question.of(measure, **{dimension: code}), live, collection)
            for code in (first, last)
        ]
        earlier, later = found
        if earlier is None or later is None:
            return None
        # A force is in the change only where it knows both ends.
        both = set(_by_force(earlier)["force_code"]) & set(_by_force(later)["force_code"])
        known = pl.col("force_code").is_in(list(both))
        signed = [(earlier, -1.0), (later, 1.0)]
        return Terms(
            pl.concat(_adding(cells.filter(known), "value", sign) for cells, sign in signed)
        )

    return make


def _bodies(question: Question, live: pl.DataFrame, collection: Collection) -> Terms:
    del live
    kind = question.parts.get("kind")
    expected = collection.bodies
    of_kind = expected if kind is None else expected.filter(pl.col("kind") == kind)
    return Terms(_given(((force, 1.0) for force in of_kind["force_code"]), "value"))


def _months(question: Question, live: pl.DataFrame, collection: Collection) -> Terms:
    del question, live
    return Terms(_given([(None, collection.period.months)], "value"))


@cache
def _makers(template: Template) -> dict[str, Maker]:
    """Return how each measure that is no plain count is made, from the template's description."""
    asked = {entry.measure for entry in template.counted() if QUESTION in entry.dims}
    made: dict[str, Maker] = {"reporting_bodies": _bodies, "months_in_collection": _months}
    for name, measure in template.measures.items():
        for share in measure.shares:
            of_name = measure.share_name(name, share)
            same = [s for s in measure.shares if measure.share_name(name, s) == of_name]
            made[of_name] = _share(name, same)
        if name in asked:
            made[f"{name}_share"] = _answers_share(name)
        if measure.per_month:
            made[f"{name}_per_month"] = _per_month(name)
        if measure.per_force:
            made[f"{name}_per_force"] = _statistic(name)
            made[f"forces_with_{name}"] = _band(name)
        if measure.statistics:
            made[name] = _statistic(name)
        if measure.change:
            made[f"{name}_change"] = _change(name, measure.change)
    return made
