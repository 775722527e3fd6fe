"""How each measure is made: of which cells of returns, or rows of research, and how of them.

What a figure counts is read where the totals read it; what is made of that is written apart from
them, so that each can be held to the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from assets.figures.explain.released import Evidence, Released
from assets.figures.totals.leaves import Counted, counted_in, held_in
from assets.figures.totals.research import WHOLE_OF
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
    those that it is divided by; None where it is not made of returns.
    """

    terms: pl.DataFrame
    factor: int = 1
    behind: pl.DataFrame = field(default_factory=TERM.to_frame)
    ranks: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    cells: pl.DataFrame | None = None
    whole: pl.DataFrame | None = None

    @property
    def forces(self) -> set[str]:
        """The forces that the figure includes; none where it is not made of returns."""
        return set() if self.cells is None else {*self.cells.filter(_HELD)["force_code"]}


def terms_of(question: Question, live: pl.DataFrame, collection: Collection) -> Terms | None:
    """Return what a total is made of in the table LiveEntries, of the forces that it has.

    None where it is not made of the returns.
    """
    parts, periods = question.parts, {NOW: collection.period, **collection.comparators}
    if question.measure == "months_in_collection":
        return Terms(_given([(None, collection.period.months)], "value"))
    if question.measure == "reporting_bodies":
        return Terms(_counting(collection.bodies.filter(**parts)["force_code"], "value"))
    found = counted_in(collection.template, question.measure, question.breakdown, question.period)
    if found is None:
        return None
    cells, statistic = held_in(live, found.cells, found.given), parts.get("statistic", "mean")
    if found.kind == "change":
        made = _change(live, found)
    elif "count" in parts:
        made = _in_band(cells, Band.parse(parts["count"]))
    elif statistic != "mean":
        made = _ranked(cells, _QUANTILES[statistic])
    elif found.kind in {"share", "answers"}:
        every = found.whole[0].answers if found.given and found.whole else None
        whole = held_in(live, found.whole, every)
        made = Terms(_quotient(cells, _adding(whole, "denominator")), 100, cells=cells, whole=whole)
    elif found.kind == "per_month":
        months = _given([(None, periods[question.period].months)], "denominator")
        made = Terms(_quotient(cells, months), cells=cells)
    elif "statistic" in parts:
        made = Terms(_quotient(cells, _counting(_by_force(cells), "denominator")), cells=cells)
    else:
        made = Terms(_adding(cells, "value"), cells=cells)
    return made


def _quotient(cells: pl.DataFrame, divisor: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([_adding(cells, "numerator"), divisor])


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
    frame = pl.DataFrame([*rows], ["force_code", "value"], orient="row")
    return pl.concat(
        [TERM.to_frame(), frame.with_columns(part=pl.lit(part))], how="diagonal_relaxed"
    )


def _counting(forces: Iterable[str], part: str) -> pl.DataFrame:
    return _given(((force, 1.0) for force in forces), part)


def _change(live: pl.DataFrame, found: Counted) -> Terms:
    """Return what changed from one end to the other, of the forces that know both."""
    ends = {-1.0: found.first, 1.0: found.cells[len(found.first) :]}
    signed = [held_in(live, of).with_columns(sign=pl.lit(sign)) for sign, of in ends.items()]
    both = pl.col("sign").filter(_HELD).n_unique().over("force_code") > 1
    cells = pl.concat(signed).with_columns(number=pl.when(both).then("number"))
    return Terms(_adding(cells, "value", pl.col("sign")), cells=cells)


def _by_force(cells: pl.DataFrame) -> list[str]:
    """Return the forces that hold a number, in the order of their sums."""
    held = cells.filter(_HELD).group_by("force_code").agg(pl.col("number").sum())
    return held.sort("number", "force_code")["force_code"].to_list()


def _in_band(cells: pl.DataFrame, band: Band) -> Terms:
    """Return the forces whose count lies in a band."""
    inside = cells.filter(_HELD).filter(band.contains(pl.col("number").sum().over("force_code")))
    counted = _counting(_by_force(inside), "value")
    return Terms(counted, behind=_adding(inside, "value"), cells=cells)


_QUANTILES: Final = {
    "minimum": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "maximum": 1.0,
}  # fmt: skip


def _ranked(cells: pl.DataFrame, quantile: float) -> Terms:
    """Return a statistic over the forces: the one or two that it lies at or between, in order."""
    forces = _by_force(cells)
    position = (len(forces) - 1) * quantile
    low, beyond = int(position), position - int(position)
    weights = ((low, 1 - beyond), (low + 1, beyond))
    ranks = {forces[at]: (at + 1, weight) for at, weight in weights if weight and forces}
    chosen = pl.col("force_code").is_in(list(ranks))
    factors = {force: weight for force, (_, weight) in ranks.items()}
    weight = pl.col("force_code").replace_strict(factors, default=None, return_dtype=pl.Float64)
    others = _adding(cells.filter(~chosen), "value")
    return Terms(
        _adding(cells.filter(chosen), "value", weight), behind=others, ranks=ranks, cells=cells
    )


_FOUND: Final = "social_media_"
_SHARE: Final = "_share"
_CODES: Final = ("site", "category", "question", "answer")
_ROW_CODES: Final = ("respondent_id", "year", "site", "category", "question")


def is_of_research(measure: str) -> bool:
    """Return whether a measure comes from the inspectorate's own research."""
    return measure.startswith((_FOUND, "survey_"))


def research_terms(question: Question, released: Released) -> Terms | None:
    """Return what a total of research is made of, None where the release has no such number.

    Raises:
        LakeError: the file is no longer where the lake keeps research.
    """
    measure, parts = question.measure, question.parts
    of_survey, is_share = measure.startswith("survey_"), measure.endswith((_SHARE, "_percent"))
    column = measure.removesuffix(_SHARE).removeprefix(_FOUND)
    column = "instances" if column == "cases" else column
    file = "social_media_instances" if column == "instances" else "social_media_profiles"
    found = released.research("survey_responses.csv" if of_survey else f"{file}.csv")
    if found is None:
        return None
    found = found.where(pl.col("year") == int(parts.get("year", released.collection.census.year)))
    thing = {"survey_waves": "wave", "social_media_forces_researched": "force_code"}.get(measure)
    if of_survey:
        thing = thing or "respondent_id"
        column = "answer" if "question" in parts else thing
        parts = {"answer": YES, **parts} if is_share else parts
    else:
        forces = [question.force_code] if question.force_code else released.collection.forces
        found = found.where(pl.col("force_code").is_in(forces))
        column = thing or column
    if not is_share:
        return Terms(_rows(found, parts, column, "value", thing))
    whole = WHOLE_OF.get(column, column)
    both = found.where(pl.col(column).is_not_null() & pl.col(whole).is_not_null())
    of_whole = {key: code for key, code in parts.items() if key == "question"}
    top = _rows(both, parts, column, "numerator", thing)
    return Terms(pl.concat([top, _rows(both, of_whole, whole, "denominator", thing)]), factor=100)


def _rows(
    found: Evidence, parts: Mapping[str, str], column: str, part: str, thing: str | None
) -> pl.DataFrame:
    """Return the cells of a column, in the rows of some codes, as TERM.

    Each adds its number; or the first row of each `thing` adds 1. A row is named by the codes that
    tell it from others.
    """
    rows = found.rows.filter(**{key: parts[key] for key in _CODES if key in parts})
    rows = rows.drop_nulls(column).filter(pl.col(thing).is_first_distinct() if thing else True)
    codes = [name for name in _ROW_CODES if name in rows.columns]
    of_survey = "respondent_id" in codes
    return rows.select(
        force_code=pl.lit(None, pl.String) if of_survey else pl.col("force_code"),
        sha256=pl.lit(found.sha256),
        sheet=pl.lit(found.file),
        cell=found.cell(column),
        row_code=pl.concat_str(codes, separator="."),
        column_code=pl.lit(column),
        entry=pl.col(column).cast(pl.String),
        value=(pl.lit(1) if thing else pl.col(column)).cast(pl.Float64),
        part=pl.lit(part),
    ).select(TERM.names())
