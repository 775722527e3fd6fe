"""How each measure is made from cells: what is added, and what it is divided by.

Belongs here: one function a kind of measure, from the live entries to terms whose values add up
to the figure. Written apart from the totals (totals/), so that each can be held to the other.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from assets.explain.question import Question
from assets.totals.leaves import leaf_cells
from schemas.breakdown import Band
from schemas.collection import Collection
from schemas.reference import forces
from schemas.returns_template import capability_questions

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
    return _MAKERS.get(question.measure, _count)(question, live, collection)


def _count(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    del collection
    cells = leaf_cells(live, question.measure, question.breakdown, question.period)
    return None if cells is None else Terms(_adding(cells, "value"))


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


def _share(whole: str, **left_out: None) -> Maker:
    """Return how a share is made: a count, of the same count without some keys."""

    def make(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
        del collection
        top, bottom = question.of(whole), question.of(whole, **left_out)
        return _quotient(_leaves(top, live), _leaves(bottom, live), 100)

    return make


def _leaves(question: Question, live: pl.DataFrame) -> pl.DataFrame | None:
    return leaf_cells(live, question.measure, question.breakdown, question.period)


def _approvals_share(
    question: Question, live: pl.DataFrame, collection: Collection
) -> Terms | None:
    del collection
    top = question.of("second_job_applications", decision="approved")
    return _quotient(_leaves(top, live), _leaves(top.of(top.measure, conditions=None), live), 100)


def _answers_share(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    del collection
    asked = capability_questions().filter(pl.col("question_code") == question.parts["question"])
    top = question.of("capability")
    anything = top.of("capability", answer=asked.item(0, "answers"))
    return _quotient(_leaves(top, live), _leaves(anything, live), 100)


def _per_month(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    cells = _leaves(question.of("investigations"), live)
    periods = {"collection": collection.period, **collection.comparators}
    if cells is None or question.period not in periods:
        return None
    months = _given([(None, periods[question.period].months)], "denominator")
    return Terms(pl.concat([_adding(cells, "numerator"), months]))


_QUANTILES: Final = {
    "minimum": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "maximum": 1.0,
}  # fmt: skip


def _statistic(measure: str) -> Maker:
    """Return how a statistic over the forces is made: of the forces next to it in order."""

    def make(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
        if "statistic" not in question.parts:
            return _count(question, live, collection)
        cells = _leaves(question.of(measure, statistic=None), live)
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


def _band(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    del collection
    cells = _leaves(question.of("investigations", count=None), live)
    if cells is None:
        return None
    band = Band.parse(question.parts["count"])
    within = _by_force(cells).filter(band.contains(pl.col("number")))
    behind = cells.filter(pl.col("force_code").is_in(within["force_code"].to_list()))
    counted = ((force, 1.0) for force in within["force_code"])
    return Terms(_given(counted, "value"), behind=_adding(behind, "value"))


def _cards_change(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    del collection
    years = ("2011", "2012")
    found = {year: _leaves(question.of("cards_held", year=year), live) for year in years}
    earlier, later = found["2011"], found["2012"]
    if earlier is None or later is None:
        return None
    # A force is in the change only where it knows both years.
    both = set(_by_force(earlier)["force_code"]) & set(_by_force(later)["force_code"])
    signed = [(earlier, -1.0), (later, 1.0)]
    known = pl.col("force_code").is_in(list(both))
    return Terms(pl.concat(_adding(cells.filter(known), "value", sign) for cells, sign in signed))


def _bodies(question: Question, live: pl.DataFrame, collection: Collection) -> Terms:
    del live
    kind = question.parts.get("kind")
    expected = forces().filter(pl.col("force_code").is_in(list(collection.forces)))
    of_kind = expected if kind is None else expected.filter(pl.col("kind") == kind)
    return Terms(_given(((force, 1.0) for force in of_kind["force_code"]), "value"))


def _months(question: Question, live: pl.DataFrame, collection: Collection) -> Terms:
    del question, live
    return Terms(_given([(None, collection.period.months)], "value"))


_MAKERS: Final[dict[str, Maker]] = {
    "investigations_share": _share("investigations", category=None, outcome=None),
    "register_entries_share": _share("register_entries", decision=None),
    "second_job_applications_share": _share("second_job_applications", decision=None),
    "second_job_approvals_share": _approvals_share,
    "capability_share": _answers_share,
    "investigations_per_month": _per_month,
    "investigations_per_force": _statistic("investigations"),
    "second_job_review_months": _statistic("second_job_review_months"),
    "forces_with_investigations": _band,
    "cards_held_change": _cards_change,
    "reporting_bodies": _bodies,
    "months_in_collection": _months,
}
