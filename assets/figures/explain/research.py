"""How each figure of the inspectorate's own research is made: of the rows of which file.

Written apart from the totals (assets/figures/totals/research.py), so that each can be held to
the other.
"""

from typing import Final

import polars as pl

from assets.figures.explain.question import Question
from assets.figures.explain.released import Released
from assets.figures.explain.terms import TERM, Terms
from assets.inputs.research.store import Evidence
from schemas.research import YES

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
    file = "social_media_instances" if name in {"instances", "cases"} else "social_media_profiles"
    of_survey = question.measure.startswith("survey_")
    found = released.research("survey_responses.csv" if of_survey else f"{file}.csv")
    if found is None:
        return None
    found = found.where(
        pl.col("year") == int(question.parts.get("year", released.collection.census.year))
    )
    if of_survey:
        return _survey(question, found)
    forces = [question.force_code] if question.force_code else released.collection.forces
    found = found.where(pl.col("force_code").is_in(forces))
    if name == "forces_researched":
        return Terms(_terms(found, "force_code", "value", adds=pl.lit(1.0)))
    of_share = question.measure.endswith(_SHARE)
    if file == "social_media_instances":
        whole, name = "instances", "instances"
        part = found
        for key in {"site", "category"} & question.parts.keys():
            part = part.where(pl.col(key) == question.parts[key])
    else:
        whole = _WHOLE_OF.get(name, name)
        if not {name, whole} <= set(found.rows.columns):
            return None
        if of_share:
            found = found.where(pl.all_horizontal(pl.col(name, whole).is_not_null()))
        part = found
    if not of_share:
        return Terms(_terms(part, name, "value"))
    return _quotient(_terms(part, name, "numerator"), _terms(found, whole, "denominator"))


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
    return _quotient(
        _each("respondent_id", given, "answer", "numerator"),
        _each("respondent_id", put, "answer", "denominator"),
    )


def _each(thing: str, found: Evidence, column: str, part: str) -> pl.DataFrame:
    """Return a term of 1 for each thing, at the first of its rows."""
    return _terms(found.where(pl.col(thing).is_first_distinct()), column, part, adds=pl.lit(1.0))


def _terms(found: Evidence, column: str, part: str, adds: pl.Expr | None = None) -> pl.DataFrame:
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


def _quotient(top: pl.DataFrame, bottom: pl.DataFrame) -> Terms:
    return Terms(pl.concat([top, bottom]), factor=100)
