"""How each measure is made from cells: what is added, and what it is divided by.

Written apart from the totals (totals/), so that each can be held to the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from assets.figures.explain.question import Question
from assets.figures.totals.leaves import counted_in, held_in
from schemas.breakdown import Band
from schemas.collection import Collection
from schemas.measures import NOW

_ADDRESS: Final = [
    "force_code", "sha256", "sheet", "cell", "row_code", "column_code", "entry",
]  # fmt: skip
TERM: Final = pl.Schema(
    {**dict.fromkeys(_ADDRESS, pl.String), "value": pl.Float64, "part": pl.String}
)
"""A term: an address, the entry that stands there, and what it adds to a part of the figure."""

_HELD: Final = pl.col("number").is_not_null()


@dataclass(frozen=True)
class Terms:
    """The terms of a figure, how they become it, and what else bears on it.

    `terms` has the columns of TERM. `factor` is what the quotient of numerator and denominator is
    multiplied by. `behind` holds the cells, as TERM, that decided which forces are counted. `ranks`
    is of a statistic that lies at or between forces in order, least first: the place of each, and
    what its number is multiplied by.
    `cells` are the live entries that the figure looks at, those without a number too, and `whole`
    those that it is divided by; None where it is not made of returns. `forces` are those that it
    includes.
    """

    terms: pl.DataFrame
    factor: int = 1
    behind: pl.DataFrame | None = None
    ranks: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    cells: pl.DataFrame | None = None
    whole: pl.DataFrame | None = None
    forces: frozenset[str] = frozenset()


def terms_of(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    """Return what a total is made of, None where it is not made of the returns.

    Args:
        question: the total.
        live: table LiveEntries, of the forces that are asked about.
        collection: the collection, which has the months and the expected forces.
    """
    if question.measure in {"months_in_collection", "reporting_bodies"}:
        return _of_the_collection(question, collection)
    found = counted_in(collection.template, question.measure, question.breakdown, question.period)
    if found is None:
        return None
    cells = held_in(live, found.cells, found.given)
    if found.kind in {"share", "answers"}:
        every = found.whole[0].answers if found.given and found.whole else None
        whole = held_in(live, found.whole, every)
        terms = pl.concat([_adding(cells, "numerator"), _adding(whole, "denominator")])
        return Terms(terms, 100, cells=cells, whole=whole, forces=_forces(cells))
    if found.kind == "per_month":
        period = {NOW: collection.period, **collection.comparators}.get(question.period)
        return None if period is None else _per_month(cells, period.months)
    if found.kind == "change":
        last = found.cells[len(found.first) :]
        return _change(held_in(live, found.first), held_in(live, last))
    return _spread(cells, question.parts)


def _of_the_collection(question: Question, collection: Collection) -> Terms:
    if question.measure == "months_in_collection":
        return Terms(_given([(None, collection.period.months)], "value"))
    bodies = collection.bodies.filter(**{k: v for k, v in question.parts.items() if k == "kind"})
    return Terms(_counting(bodies["force_code"], "value"))


def _forces(cells: pl.DataFrame) -> frozenset[str]:
    return frozenset(cells.filter(_HELD)["force_code"])


def _adding(cells: pl.DataFrame, part: str, weight: pl.Expr | float = 1.0) -> pl.DataFrame:
    """Return cells as terms; a cell that holds no number adds nothing and is no term."""
    return cells.filter(_HELD).select(
        *_ADDRESS[:-1],
        pl.col("value").alias("entry"),
        (pl.col("number") * weight).cast(pl.Float64).alias("value"),
        pl.lit(part).alias("part"),
    )


def _given(rows: Iterable[tuple[str | None, float]], part: str) -> pl.DataFrame:
    """Return terms that stand in no cell: a force that is counted, or a number of months."""
    schema = {"force_code": pl.String, "value": pl.Float64}
    blank = [pl.lit(None, pl.String).alias(name) for name in _ADDRESS[1:]]
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    return frame.with_columns(*blank, pl.lit(part).alias("part")).select(TERM.names())


def _counting(forces: Iterable[str], part: str) -> pl.DataFrame:
    return _given(((force, 1.0) for force in forces), part)


def _per_month(cells: pl.DataFrame, months: int) -> Terms:
    terms = pl.concat([_adding(cells, "numerator"), _given([(None, months)], "denominator")])
    return Terms(terms, cells=cells, forces=_forces(cells))


def _spread(cells: pl.DataFrame, parts: Mapping[str, str]) -> Terms:
    """Return a band or a statistic over the forces, or else the plain sum."""
    if "statistic" in parts:
        return _statistic(cells, parts["statistic"])
    if "count" in parts:
        return _in_band(cells, Band.parse(parts["count"]))
    return Terms(_adding(cells, "value"), cells=cells, forces=_forces(cells))


def _change(earlier: pl.DataFrame, later: pl.DataFrame) -> Terms:
    """Return what changed from one end to the other, of the forces that know both."""
    both = _forces(earlier) & _forces(later)
    known = pl.col("force_code").is_in(list(both))
    signed = [(earlier, -1.0), (later, 1.0)]
    terms = pl.concat(_adding(ends.filter(known), "value", sign) for ends, sign in signed)
    return Terms(terms, cells=pl.concat([earlier, later]), forces=both)


def _by_force(cells: pl.DataFrame) -> pl.DataFrame:
    held = cells.filter(_HELD).group_by("force_code").agg(pl.col("number").sum())
    return held.sort("number", "force_code")


def _in_band(cells: pl.DataFrame, band: Band) -> Terms:
    """Return the forces whose count lies in a band."""
    within = _by_force(cells).filter(band.contains(pl.col("number")))["force_code"]
    behind = _adding(cells.filter(pl.col("force_code").is_in(within.to_list())), "value")
    return Terms(_counting(within, "value"), behind=behind, cells=cells, forces=_forces(cells))


_QUANTILES: Final = {
    "minimum": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "maximum": 1.0,
}  # fmt: skip


def _statistic(cells: pl.DataFrame, statistic: str) -> Terms:
    """Return a statistic over the forces: the one or two that it lies at or between, in order."""
    by_force = _by_force(cells)["force_code"].to_list()
    if not by_force:
        return Terms(_adding(cells, "value"), cells=cells)
    if statistic == "mean":
        counted = _counting(by_force, "denominator")
        terms = pl.concat([_adding(cells, "numerator"), counted])
        return Terms(terms, cells=cells, forces=_forces(cells))
    position = (len(by_force) - 1) * _QUANTILES[statistic]
    low, beyond = int(position), position - int(position)
    weights = ((low, 1 - beyond), (low + 1, beyond))
    ranks = {by_force[at]: (at + 1, weight) for at, weight in weights if weight}
    chosen = pl.col("force_code").is_in(list(ranks))
    factors = {force: weight for force, (_, weight) in ranks.items()}
    weight = pl.col("force_code").replace_strict(factors, return_dtype=pl.Float64)
    others = _adding(cells.filter(~chosen), "value")
    terms = _adding(cells.filter(chosen), "value", weight)
    return Terms(terms, behind=others, ranks=ranks, cells=cells, forces=_forces(cells))
