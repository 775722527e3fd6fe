"""Marts of the inspectorate's own inputs: its research on social media and its public survey."""

from schemas import columns as shared
from schemas.contract import Table, column
from schemas.research import INSTANCE_CATEGORIES, QUESTIONS, SITES


class SocialMedia(Table):
    """Instances of potentially inappropriate behaviour on social media, by force.

    A force that the research of a year did not look at has no row; 0 means nothing was found.
    """

    force_code: str = shared.force_code(key=True)
    year: int = column("Year of the research", "year", key=True)
    site: str = column("Social media site", "code", key=True, isin=SITES)
    category: str = column("Kind of behaviour", "code", key=True, isin=INSTANCE_CATEGORIES)
    instances: int = column("Instances found", "instances", ge=0)
    basis: str = shared.basis()


class Survey(Table):
    """What respondents of the public survey answered, with the margin of sampling error.

    The base of a percent is every respondent who was asked the question; where several answers are
    allowed the percents add up to more than 100. No weights are used.
    """

    year: int = column("Year of the survey", "year", key=True)
    question: str = column("Code of the question", "code", key=True, isin=QUESTIONS)
    answer: str = column("Code of the answer", "code", key=True)
    respondents: int = column("Respondents who gave this answer", "respondents", ge=0)
    percent: float = column("Percent of the respondents asked, unrounded", "percent", ge=0)
    margin_of_error: float = column(
        "Half the width of the 95 per cent confidence interval of a simple random sample, by the"
        " normal approximation; null where nobody or everybody gave the answer, of which it says"
        " nothing",
        "percentage_points",
        nullable=True,
        ge=0,
    )


class SurveyChanges(Table):
    """Each answer beside the year before in which the question was put.

    The test is Fisher's exact test, two-sided, of two simple random samples. Each answer is tested
    alone: of twenty without a real change one is distinguishable by chance.
    """

    question: str = column("Code of the question", "code", key=True, isin=QUESTIONS)
    answer: str = column("Code of the answer", "code", key=True)
    year: int = column("Year of the survey", "year", key=True)
    percent: float = column("Percent in the year, unrounded", "percent", ge=0)
    previous_year: int = column("The earlier year", "year")
    previous_percent: float = column("Percent in the earlier year, unrounded", "percent", ge=0)
    difference: float = column("Percent minus the earlier percent", "percentage_points")
    p_value: float = column(
        "Probability of a difference at least as unlikely if nothing had changed",
        "probability",
        ge=0,
    )
    distinguishable: bool = column(
        "Whether the change is distinguishable from sampling error at 5 per cent", "true or false"
    )
