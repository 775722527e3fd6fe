"""How each measure is made: of which cells of returns, or rows of research, and how of them.

Written apart from the totals (totals/), so that each can be held to the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from assets.figures.explain.released import Evidence, Released
from assets.figures.totals.leaves import counted_in, held_in
from schemas.breakdown import Band, read_breakdown
from schemas.collection import Collection
from schemas.measures import NOW
from schemas.research import YES


@dataclass(frozen=True)
class Question:
    """A total; `force_code` is None for the nation, `figure` the published one, if it is one."""

    measure: str
    breakdown: str
    period: str
    force_code: str | None = None
    figure: dict[str, Any] | None = None

    @property
    def parts(self) -> dict[str, str]:
        """The breakdown by key."""
        return read_breakdown(self.breakdown)


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
    behind: pl.DataFrame = field(default_factory=TERM.to_frame)
    ranks: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    cells: pl.DataFrame | None = None
    whole: pl.DataFrame | None = None
    forces: frozenset[str] = frozenset()


def terms_of(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    """Return what a total is made of in the table LiveEntries, of the forces that it has.

    None where it is not made of the returns.
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


_FOUND: Final = "social_media_"
_SHARE: Final = "_share"
_WHOLE_OF: Final = {
    "profiles_inappropriate": "profiles",
    "accounts_still_visible": "accounts_inappropriate",
}
"""Counts of profiles and accounts that are a share of another."""


def is_of_research(measure: str) -> bool:
    """Return whether a measure comes from the inspectorate's own research."""
    return measure.startswith((_FOUND, "survey_"))


def research_terms(question: Question, released: Released) -> Terms | None:
    """Return what a total of research is made of, None where the release has no such number.

    Raises:
        LakeError: the file is no longer where the lake keeps research.
    """
    name = question.measure.removesuffix(_SHARE).removeprefix(_FOUND)
    of_instances = name in {"instances", "cases"}
    file = "social_media_instances" if of_instances else "social_media_profiles"
    of_survey = question.measure.startswith("survey_")
    found = released.research("survey_responses.csv" if of_survey else f"{file}.csv")
    if found is None:
        return None
    parts = question.parts
    found = found.where(pl.col("year") == int(parts.get("year", released.collection.census.year)))
    if of_survey:
        return _survey(question, found)
    forces = [question.force_code] if question.force_code else released.collection.forces
    found = found.where(pl.col("force_code").is_in(forces))
    if name == "forces_researched":
        return Terms(_rows(found, "force_code", "value", adds=pl.lit(1.0)))
    column = "instances" if of_instances else name
    whole = _WHOLE_OF.get(column, column)
    if not {column, whole} <= set(found.rows.columns):
        return None
    of_these = [pl.col(key) == parts[key] for key in ("site", "category") if key in parts]
    part = found.where(pl.all_horizontal(pl.lit(value=True), *of_these))
    if not question.measure.endswith(_SHARE):
        return Terms(_rows(part, column, "value"))
    both = pl.col(column).is_not_null() & pl.col(whole).is_not_null()
    return _percent(
        _rows(part.where(both), column, "numerator"),
        _rows(found.where(both), whole, "denominator"),
    )


def _survey(question: Question, found: Evidence) -> Terms:
    code, answer = question.parts.get("question"), question.parts.get("answer")
    if question.measure == "survey_waves":
        return Terms(_each("wave", found, "wave", "value"))
    if code is None:
        return Terms(_each("respondent_id", found, "respondent_id", "value"))
    put = found.where(pl.col("question") == code)
    given = put.where(pl.col("answer") == (answer or YES))
    if question.measure == "survey_respondents":
        return Terms(_each("respondent_id", given if answer else put, "answer", "value"))
    return _percent(
        _each("respondent_id", given, "answer", "numerator"),
        _each("respondent_id", put, "answer", "denominator"),
    )


def _each(thing: str, found: Evidence, column: str, part: str) -> pl.DataFrame:
    """Return a term of 1 for each thing, at the first of its rows."""
    return _rows(found.where(pl.col(thing).is_first_distinct()), column, part, adds=pl.lit(1.0))


def _rows(found: Evidence, column: str, part: str, adds: pl.Expr | None = None) -> pl.DataFrame:
    """Return the cells of a column as TERM; unless something else is said, each adds its number.

    A row is named by the codes that tell it from others.
    """
    codes = [name for name in _ROW_CODES if name in found.rows.columns]
    of_survey = "respondent_id" in codes
    force = pl.lit(None, pl.String) if of_survey else pl.col("force_code")
    adding = found.rows.drop_nulls(column)
    return adding.select(
        force.alias("force_code"),
        pl.lit(found.sha256).alias("sha256"),
        pl.lit(found.file).alias("sheet"),
        found.cell(column).alias("cell"),
        pl.concat_str(codes, separator=".").alias("row_code"),
        pl.lit(column).alias("column_code"),
        pl.col(column).cast(pl.String).alias("entry"),
        (pl.col(column) if adds is None else adds).cast(pl.Float64).alias("value"),
        pl.lit(part).alias("part"),
    ).select(TERM.names())


_ROW_CODES: Final = ("respondent_id", "year", "site", "category", "question")


def _percent(top: pl.DataFrame, bottom: pl.DataFrame) -> Terms:
    return Terms(pl.concat([top, bottom]), factor=100)
