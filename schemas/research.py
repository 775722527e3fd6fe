"""The inspectorate's own inputs: the contracts of research on social media and of a survey."""

from dataclasses import dataclass
from typing import Final

import pandera.polars as pa
import polars as pl

from schemas import columns as shared
from schemas.contract import Contract, Table, column
from schemas.reference import forces

SITES: Final = {"facebook": "Facebook", "twitter": "Twitter"}

INSTANCE_CATEGORIES: Final = {
    "extreme_opinions_on_government": "Extreme opinions on government",
    "negativity_towards_work": "Negativity towards work",
    "offensive_language_or_behaviour": "Offensive language or behaviour",
    "police_protocol_or_procedure": "Comments on police protocol or procedure",
}

WAVES: Final = (1, 2, 3)
"""The monthly rounds of interviews in a year."""

YES: Final = "yes"
NO: Final = "no"
DONT_KNOW: Final = "dont_know"
REFUSED: Final = "refused"

ALONE: Final = (DONT_KNOW, REFUSED)
"""Answers that exclude every other, whatever the question."""

_STATEMENT: Final = {YES: "agrees", NO: "does not agree", DONT_KNOW: "does not know"}


@dataclass(frozen=True)
class Question:
    """A question of the survey, in our words.

    `several` says whether one respondent may give several answers; `asked_of` is the question and
    answer that lead to it, None where everybody is asked; `reverse_of` is the question that it
    denies: yes to the one is no to the other.
    """

    label: str
    answers: dict[str, str]
    several: bool = False
    asked_of: tuple[str, str] | None = None
    reverse_of: str | None = None


QUESTIONS: Final[dict[str, Question]] = {
    "police_good_or_excellent": Question(
        "The police in general do a good or an excellent job", _STATEMENT
    ),
    "local_police_good_or_excellent": Question(
        "The local police do a good or an excellent job", _STATEMENT
    ),
    "more_honest_than_average": Question(
        "The police are expected to be more honest than other people", _STATEMENT
    ),
    "trust_to_tell_truth": Question("The police are trusted to tell the truth", _STATEMENT),
    "disclosure_to_media_big_problem": Question(
        "Disclosure to the media is a fairly or a very big problem", _STATEMENT
    ),
    "corruption_common": Question("Corruption is fairly or very common", _STATEMENT),
    "corruption_not_common": Question(
        "Corruption is not common", _STATEMENT, reverse_of="corruption_common"
    ),
    "reason_corruption_common": Question(
        "Why corruption is thought to be common",
        {
            "national_media": "reports in national media",
            "opportunity_to_enrich": "officers have the opportunity to enrich themselves",
            "all_professions": "it is found in every profession",
            "human_nature": "human nature",
            "media_generally": "reports in media of any kind",
            "local_media": "reports in local media",
            "know_someone": "knows somebody who experienced it",
            "economic_climate": "the state of the economy",
            "personally_experienced": "experienced it",
            DONT_KNOW: "names no reason",
        },
        several=True,
        asked_of=("corruption_common", YES),
    ),
    "personal_experience_detail": Question(
        "What was experienced",
        {
            "officer_lied": "an officer lied or changed an account",
            "know_corrupt_officer": "knows a corrupt officer",
            "treated_unfairly": "unfair treatment of the respondent or the family",
            "threatened_or_attacked": "a threat or an attack",
            "other": "something else",
            REFUSED: "refused to tell",
        },
        several=True,
        asked_of=("reason_corruption_common", "personally_experienced"),
    ),
}

_PAIRS: Final = [f"{code} {answer}" for code, q in QUESTIONS.items() for answer in q.answers]
_SINGLE: Final = [code for code, question in QUESTIONS.items() if not question.several]
_RESPONDENT: Final = ["respondent_id", "year"]


class SocialMediaProfiles(Table):
    """Profiles and accounts of people who said there that they belong to a police force."""

    force_code: str = shared.force_code(key=True, isin=forces()["force_code"])
    year: int = column("Year of the research", "year", key=True)
    profiles: int = column("Profiles found", "profiles", ge=0)
    profiles_inappropriate: int = column(
        "Profiles with potentially inappropriate behaviour; null where not counted",
        "profiles",
        nullable=True,
        ge=0,
    )
    accounts_inappropriate: int = column(
        "Accounts with potentially inappropriate behaviour; null where not counted",
        "accounts",
        nullable=True,
        ge=0,
    )
    accounts_still_visible: int = column(
        "Of those accounts, the ones that still showed it a year later; null where not looked at",
        "accounts",
        nullable=True,
        ge=0,
    )

    @pa.dataframe_check(name="profiles_within", error="profiles_within")
    @classmethod
    def _profiles_within(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return _at_most(data, "profiles_inappropriate", "profiles")

    @pa.dataframe_check(name="accounts_within", error="accounts_within")
    @classmethod
    def _accounts_within(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return _at_most(data, "accounts_still_visible", "accounts_inappropriate")


class SocialMediaInstances(Table):
    """Instances of potentially inappropriate behaviour; a force and year has a row for each kind.

    Where nothing was found the row says 0: a force that is not there was not looked at.
    """

    force_code: str = shared.force_code(key=True, isin=forces()["force_code"])
    year: int = column("Year of the research", "year", key=True)
    site: str = column("Social media site", "code", key=True, isin=SITES)
    category: str = column("Kind of behaviour", "code", key=True, isin=INSTANCE_CATEGORIES)
    instances: int = column("Instances found", "instances", ge=0)

    @pa.dataframe_check(name="every_kind", error="every_kind")
    @classmethod
    def _every_kind(cls, data: pa.PolarsData) -> pl.LazyFrame:
        kinds = pl.struct("site", "category").n_unique().over("force_code", "year")
        return data.lazyframe.select(kinds == len(SITES) * len(INSTANCE_CATEGORIES))


class SurveyResponses(Table):
    """What each respondent answered; one row an answer, without weights.

    A respondent without a row for a question was not asked it.
    """

    respondent_id: str = column("Identifies the respondent within the year", "code", key=True)
    year: int = column("Year of the survey", "year", key=True)
    wave: int = column("Round of interviews in the year", "number", key=True, isin=WAVES)
    question: str = column("Code of the question", "code", key=True, isin=QUESTIONS)
    answer: str = column("Code of the answer", "code", key=True)

    @pa.dataframe_check(name="answer_of_question", error="answer_of_question")
    @classmethod
    def _answer_of_question(cls, data: pa.PolarsData) -> pl.LazyFrame:
        pair = pl.concat_str("question", "answer", separator=" ")
        return data.lazyframe.select(pair.is_in(_PAIRS))

    @pa.dataframe_check(name="one_wave", error="one_wave")
    @classmethod
    def _one_wave(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("wave").n_unique().over(_RESPONDENT) == 1)

    @pa.dataframe_check(name="one_answer", error="one_answer")
    @classmethod
    def _one_answer(cls, data: pa.PolarsData) -> pl.LazyFrame:
        given = [*_RESPONDENT, "question"]
        alone = pl.col("answer").is_in(ALONE).any().over(given)
        several = ~pl.col("question").is_in(_SINGLE) & ~alone
        return data.lazyframe.select(several | (pl.len().over(given) == 1))

    @pa.dataframe_check(name="led_to", error="led_to")
    @classmethod
    def _led_to(cls, data: pa.PolarsData) -> pl.LazyFrame:
        holds = pl.lit(value=True)
        for code, question in QUESTIONS.items():
            if question.asked_of:
                holds &= (pl.col("question") != code) | _gave(*question.asked_of)
        return data.lazyframe.select(holds)

    @pa.dataframe_check(name="no_contradiction", error="no_contradiction")
    @classmethod
    def _no_contradiction(cls, data: pa.PolarsData) -> pl.LazyFrame:
        holds = pl.lit(value=True)
        for code, question in QUESTIONS.items():
            if question.reverse_of:
                agrees = (pl.col("question") == code) & (pl.col("answer") == YES)
                holds &= ~(agrees & _gave(question.reverse_of, YES))
        return data.lazyframe.select(holds)


def _at_most(data: pa.PolarsData, part: str, whole: str) -> pl.LazyFrame:
    """A part that was counted is at most its whole, which then was counted too."""
    within = (pl.col(part) <= pl.col(whole)).fill_null(value=False)
    return data.lazyframe.select(pl.col(part).is_null() | within)


def _gave(question: str, answer: str) -> pl.Expr:
    """Return whether the respondent of the row gave an answer to a question that year."""
    here = (pl.col("question") == question) & (pl.col("answer") == answer)
    return here.any().over(_RESPONDENT)


FILES: Final[dict[str, Contract]] = {
    "social_media_profiles.csv": SocialMediaProfiles,
    "social_media_instances.csv": SocialMediaInstances,
    "survey_responses.csv": SurveyResponses,
}
"""The files of landing/<collection>/research/ by name."""

BASIS_FILE: Final = "basis.txt"
"""May stand beside them and hold one code of vocabulary.BASES; without it they are `submitted`."""
