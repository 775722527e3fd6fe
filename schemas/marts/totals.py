"""Marts of what the live returns add up to."""

from datetime import date
from functools import cache
from typing import Final

import polars as pl

from schemas import columns as shared
from schemas.breakdown import FIRST, in_order
from schemas.contract import Column, Contract, Table, column, columns, contract_of
from schemas.template import Template


class NationalTotals(Table):
    """Every national figure, in the vocabulary of the published figures.

    `value` is null, never zero, where no live return gives a number for it. Figures of the
    inspectorate's own research have a row where an acceptable research file gives them.
    """

    measure: str = shared.measure(key=True)
    breakdown: str = shared.breakdown(key=True)
    period: str = shared.period(key=True)
    value: float = column(
        "The figure; shares are percents, unrounded", "see the column unit", nullable=True
    )
    unit: str = column("Unit of the value", "code")
    forces_included: int = column(
        "Forces whose live return, or whose part of the research, gives a number for it, and for a"
        " share for its part: what the others hold is in the whole all the same (rule M012); 0 for"
        " the survey, which asks no force",
        "forces",
        ge=0,
    )
    forces_expected: int = column(
        "Forces the collection expects; for an earlier year of the research those it looked at, for"
        " the survey 0",
        "forces",
        ge=0,
    )
    provisional: bool = column("Whether an included return has open queries", "true or false")


_DIMENSIONS: Final = {
    "question": "Code of the question",
    "answer": "Code of the answer; `a|b` is either",
    "year": "The year, as the code of the list `year`, or of the research",
    "site": "Site of the research on social media",
    "category": "Code of the list `category`, or of the research",
    "kind": "Code of the list `kind`, or kind of body",
    "count": "Band of counts by which forces are counted",
    "statistic": "Statistic over the forces",
}


def cube_dimensions(template: Template | None = None) -> list[str]:
    """Return the dimensions of a cube, in the order in which breakdowns have them."""
    own = template.dimensions if template else ()
    return in_order([*FIRST, *own, *(k for k in _DIMENSIONS if k not in {*FIRST, *own})])


@cache
def cube_contract(template: Template | None = None) -> Contract:
    """Return the contract of the cube where forces return this template; None for any."""
    own = {item.name: item for item in columns(NationalTotals) if item.name != "breakdown"}
    measure, period = own.pop("measure"), own.pop("period")
    dimensions = [
        Column(key, pl.String, f"{_DIMENSIONS.get(key, f'Code of the list `{key}`')}; null for all",
               "code", key=True, nullable=True)
        for key in cube_dimensions(template)
    ]  # fmt: skip
    about = (
        "Every figure of national_totals, with a column for each dimension in place of a breakdown:"
        " those of all collections, and one for each list of the template."
    )
    total = (
        "False for the parts, of which a measure and period have a set that counts each thing once:"
        " a sum over them counts nothing twice. True for what repeats them, and for all that is not"
        " added up: shares, rates, statistics, bands, respondents"
    )
    is_total = Column("is_total", pl.Boolean, total, "true or false", key=False, nullable=False)
    value, unit = own.pop("value"), own.pop("unit")
    described = [measure, *dimensions, period, value, unit, is_total, *own.values()]
    return contract_of("Cube", about, described)


class Codes(Table):
    """Every code that a mart of the collection may hold, with its label."""

    list: str = column(
        "The list: a dimension of the template, `question`, `answer`, `force_code`, or a column"
        " that every collection has",
        "code",
        key=True,
    )
    code: str = column("The code", "code", key=True)
    label: str = column("What it stands for, in words", "text")
    order: int = column("Its place in the list, from 1", "count", ge=1)
    valid_from: date = column(
        "First day on which it was one; null where none is known", "date", nullable=True
    )
    valid_to: date = column(
        "Last day on which it was one; null where none is known", "date", nullable=True
    )


KINDS: Final = {
    "count": "a number of things, or of forces by their answer",
    "share": "a percent of a whole",
    "answers": "the percent of the forces that gave an answer",
    "per_month": "a number divided by months",
    "statistic": "a statistic over the forces",
    "band": "a number of forces by how many things they have",
    "change": "the last code of a dimension less the first",
}
"""Kinds of measures."""


class Measures(Table):
    """Every measure of national_totals, and what it says."""

    measure: str = shared.measure(key=True)
    unit: str = column("Unit of the value", "code", key=True)
    levels: str = column(
        "What it is broken down by: dimensions joined by ';', each level after ' | ', the whole"
        " first as nothing",
        "text",
    )
    words: str = column("What it is, in words", "text")
    kind: str = column(
        "How it is made: " + "; ".join(f"{kind} = {text}" for kind, text in KINDS.items()),
        "code",
        isin=KINDS,
    )


class OutcomeBreakdown(Table):
    """Investigations by subject and outcome, with the outcome's share of the subject."""

    category: str = shared.category(key=True)
    outcome: str = shared.outcome(key=True)
    cases: int = column("Number of investigations", "count", ge=0)
    share: float = column(
        "Percent of the subject's investigations; null where it has none", "percent", nullable=True
    )


class CapabilityAdoption(Table):
    """How many forces gave each answer to each question."""

    question_code: str = column("Code of the question", "code", key=True)
    answer: str = column("Code of the answer", "code", key=True)
    forces: int = column("Forces that gave this answer", "forces", ge=0)
    share: float = column(
        "Percent of the forces with a live return; null where there is none",
        "percent",
        nullable=True,
    )


class Comparisons(Table):
    """The collection period beside an earlier one, as monthly rates; numbers at a date as such.

    Of a period that the returns ask about, `previous_value` is what they say of it. Of another
    collection it is what that one released, for every count; breakdowns are in the codes of now.
    """

    measure: str = shared.measure(key=True)
    breakdown: str = shared.breakdown(key=True)
    period: str = shared.period(key=True)
    previous_period: str = column("The earlier period", "code", key=True)
    value: int = column("Number in the period; null where unknown", "count", nullable=True)
    per_month: float = column(
        "Number a month; null where unknown, or at a date", "per_month", nullable=True
    )
    previous_value: int = column(
        "Number in the earlier period; null where unknown", "count", nullable=True
    )
    previous_per_month: float = column(
        "Number a month in the earlier period; null where unknown, or at a date",
        "per_month",
        nullable=True,
    )
    ratio: float = column(
        "Monthly rate over the earlier one, of numbers at a date the number over the earlier one;"
        " null where that is zero or unknown, or is of another collection and not comparable",
        "ratio",
        nullable=True,
    )
    previous_collection: str = column(
        "The other collection; null where the returns themselves say what there was before",
        "code",
        nullable=True,
    )
    previous_release: str = column(
        "Its release that the earlier number is of; null for none", "code", nullable=True
    )
    comparable: bool = column("Whether both numbers are the same count", "true or false")
    why_not: str = column(
        "What is not as it was: new, dropped, merged, other forces, forces that are not in, no"
        " release; beside a comparable number what was followed: renamed, merged. Null for nothing",
        "text",
        nullable=True,
    )


class Distribution(Table):
    """How each count is spread over the forces with a live return."""

    measure: str = shared.measure(key=True)
    breakdown: str = shared.breakdown(key=True)
    statistic: str = column(
        "minimum, lower_quartile, median, mean, upper_quartile, maximum, or a band of counts",
        "code",
        key=True,
    )
    value: float = column(
        "Count per force, or number of forces for a band; null without live returns",
        "count",
        nullable=True,
    )


class Series(Table):
    """Each figure of the released collections beside that of the collection before.

    Breakdowns are in the codes of the newest collection of a template. What a collection no longer
    counts has one more row there, without a value.
    """

    measure: str = shared.measure(key=True)
    breakdown: str = shared.breakdown(key=True)
    collection: str = column("The collection", "code", key=True)
    value: float = column(
        "The figure in the collection's period; null where unknown or no longer counted",
        "see the column unit",
        nullable=True,
    )
    per_month: float = column(
        "The figure divided by the months of the period; null for shares, numbers of forces, and"
        " numbers at a date",
        "per_month",
        nullable=True,
    )
    unit: str = column("Unit of the value", "code")
    comparable: bool = column(
        "Whether it counts what the collection before counted; true in the first",
        "true or false",
    )
    why_not: str = column(
        "What is not as it was in the collection before: new, dropped, reworded, merged, other"
        " forces, forces that are not in; beside a comparable figure what was followed: renamed,"
        " merged. Null for nothing",
        "text",
        nullable=True,
    )


class NationalChecks(Table):
    """Whether the totals hold: one row for each national rule.

    A failed rule of severity B blocks the release; of severity N it is told.
    """

    rule_id: str = column("The rule", "code", key=True)
    severity: str = column("B blocks the release, N is told", "code", isin=("B", "N"))
    passed: bool = column("Whether it holds", "true or false")
    cases: int = column("Where it does not hold: how many cases", "count", ge=0)
    message: str = column("What was found: the first cases", "text")
