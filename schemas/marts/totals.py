"""Marts of what the live returns add up to."""

from schemas import columns as shared
from schemas.contract import Table, column


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
