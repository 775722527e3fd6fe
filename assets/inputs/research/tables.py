"""The research in use as frames, and the marts of it: social media, and the survey of the public.

Respondents are counted without weights, as a simple random sample of those asked. Investigations
into social media, which forces report in their returns, are another thing.
"""

from dataclasses import dataclass
from math import comb
from statistics import NormalDist
from typing import Final

import polars as pl

from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import SocialMedia, Survey, SurveyChanges
from schemas.research import (
    QUESTIONS,
    InstancesInUse,
    ProfilesInUse,
    ResponsesInUse,
)


@dataclass(frozen=True)
class ResearchTables:
    """Tables ProfilesInUse, InstancesInUse and ResponsesInUse; empty where none was received."""

    profiles: pl.DataFrame
    instances: pl.DataFrame
    responses: pl.DataFrame


def no_research() -> ResearchTables:
    """Return the tables of a collection without any research."""
    return ResearchTables(empty(ProfilesInUse), empty(InstancesInUse), empty(ResponsesInUse))


def social_media(instances: pl.DataFrame) -> pl.DataFrame:
    """Return the mart SocialMedia from the table InstancesInUse."""
    return conform(SocialMedia, instances)


def social_media_cases(instances: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return each force's cases: its instances in the research of the collection's year.

    Columns: force_code (key), cases, basis. A force that was not looked at then has no row.
    """
    return (
        instances.filter(pl.col("year") == collection.census.year)
        .group_by("force_code")
        .agg(pl.col("instances").sum().alias("cases"), pl.col("basis").first())
        .sort("force_code")
    )


CONFIDENCE: Final = 0.95
SIGNIFICANCE: Final = 0.05

_Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_ASKED: Final = ["year", "question"]
_PEOPLE: Final = pl.col("respondent_id").n_unique().cast(pl.Int64)


def survey(responses: pl.DataFrame) -> pl.DataFrame:
    """Return the mart Survey from the table ResponsesInUse.

    Every answer of a question that was put has a row, one that nobody gave with 0 respondents.
    """
    return conform(Survey, answers(responses))


def survey_changes(responses: pl.DataFrame) -> pl.DataFrame:
    """Return the mart SurveyChanges from the table ResponsesInUse.

    A question is compared with the last year before in which it was put; without one it has no row.
    """
    now = answers(responses)
    years = now.select(_ASKED).unique().sort("year")
    earlier = years.with_columns(pl.col("year").shift().over("question").alias("previous_year"))
    before = now.select(
        pl.col("year").alias("previous_year"),
        "question",
        "answer",
        pl.col("respondents", "base", "percent").name.prefix("previous_"),
    )
    both = now.join(earlier.drop_nulls(), on=_ASKED).join(
        before, on=["previous_year", "question", "answer"]
    )
    p_values = [_p_value(*counts) for counts in both.select(_COUNTS).iter_rows()]
    p_value = pl.Series("p_value", p_values, pl.Float64)
    return conform(
        SurveyChanges,
        both.with_columns(
            (pl.col("percent") - pl.col("previous_percent")).alias("difference"),
            p_value,
            (p_value < SIGNIFICANCE).alias("distinguishable"),
        ),
    )


_COUNTS: Final = ["respondents", "base", "previous_respondents", "previous_base"]


def _p_value(gave: int, of: int, gave_before: int, of_before: int) -> float:
    """Return Fisher's exact test, two-sided: how much of all ways is no likelier than this one.

    In whole numbers, so that none is taken for as likely that is not.
    """
    given = gave + gave_before
    least = max(0, given - of_before)
    ways = [comb(of, least) * comb(of_before, given - least)]
    for k in range(least, min(given, of)):
        more = ways[-1] * (of - k) * (given - k)
        ways.append(more // ((k + 1) * (of_before - given + k + 1)))
    return sum(n for n in ways if n <= ways[gave - least]) / comb(of + of_before, given)


def answers(responses: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of Survey and `base`: the respondents who were asked the question."""
    base = responses.group_by(_ASKED).agg(_PEOPLE.alias("base"))
    given = responses.group_by(*_ASKED, "answer").agg(_PEOPLE.alias("respondents"))
    possible = pl.DataFrame(
        [(code, answer) for code, question in QUESTIONS.items() for answer in question.answers],
        schema=["question", "answer"],
        orient="row",
    )
    share = pl.col("respondents") / pl.col("base")
    error = 100 * _Z * (share * (1 - share) / pl.col("base")).sqrt()
    known = pl.col("respondents").is_between(0, pl.col("base"), closed="none")
    return (
        base.join(possible, on="question")
        .join(given, on=[*_ASKED, "answer"], how="left")
        .with_columns(pl.col("respondents").fill_null(0))
        .with_columns(
            (pl.col("respondents") * 100 / pl.col("base")).alias("percent"),
            pl.when(known).then(error).alias("margin_of_error"),
        )
    )
