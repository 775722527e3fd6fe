"""Percents, margins and changes of the survey, held to calculations of other making."""

import math

import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from assets.inputs.research.tables import ResearchTables, no_research, survey, survey_changes
from schemas.conform import conform
from schemas.research import QUESTIONS, ResponsesInUse


def _responses(*answers: tuple[int, str, int]) -> pl.DataFrame:
    """One question put to people who gave these answers: (year, answer, how many)."""
    rows = []
    for year, answer, people in answers:
        rows += [
            (f"{year}-{answer}-{i}", year, 1, "trust_to_tell_truth", answer, "submitted")
            for i in range(people)
        ]
    names = ["respondent_id", "year", "wave", "question", "answer", "basis"]
    return conform(ResponsesInUse, pl.DataFrame(rows, schema=names, orient="row"))


@pytest.fixture(scope="module")
def mart(research: ResearchTables) -> pl.DataFrame:
    return survey(research.responses)


def test_percents_are_counts_of_people_by_hand(
    mart: pl.DataFrame, research: ResearchTables
) -> None:
    people: dict[tuple[object, ...], set[object]] = {}
    for row in research.responses.iter_rows(named=True):
        for key in ((row["year"], row["question"]), (row["year"], row["question"], row["answer"])):
            people.setdefault(key, set()).add(row["respondent_id"])
    for row in mart.iter_rows(named=True):
        asked = len(people[row["year"], row["question"]])
        gave = len(people.get((row["year"], row["question"], row["answer"]), ()))
        assert row["respondents"] == gave
        assert row["percent"] == gave * 100 / asked


def test_margins_are_those_of_another_library(mart: pl.DataFrame) -> None:
    for row in mart.filter(pl.col("respondents") > 0).iter_rows(named=True):
        base = round(row["respondents"] * 100 / row["percent"])
        low, high = proportion_confint(row["respondents"], base, alpha=0.05, method="normal")
        share = row["percent"] / 100
        if low > 0 and high < 1:
            assert row["margin_of_error"] == pytest.approx((high - low) * 50)
        by_hand = 1.959964 * math.sqrt(share * (1 - share) / base) * 100
        assert row["margin_of_error"] == pytest.approx(by_hand, rel=1e-6)


def test_a_margin_that_the_approximation_cannot_give_is_unknown() -> None:
    """It would give 0, which reads as certainty."""
    found = survey(_responses((2012, "yes", 50)))
    margins = dict(found.select("answer", "margin_of_error").iter_rows())
    assert margins == {"yes": None, "no": None, "dont_know": None}
    assert dict(found.select("answer", "percent").iter_rows()) == {
        "yes": 100.0, "no": 0.0, "dont_know": 0.0,
    }  # fmt: skip


def test_an_answer_that_nobody_gave_has_a_row_and_a_question_nobody_was_asked_none(
    mart: pl.DataFrame,
) -> None:
    for (_, question), rows in mart.partition_by("year", "question", as_dict=True).items():
        assert set(rows["answer"]) == set(QUESTIONS[str(question)].answers)
    asked = set(mart.select("year", "question").iter_rows())
    assert (2012, "local_police_good_or_excellent") not in asked
    assert (2011, "reason_corruption_common") not in asked


def test_respondents_with_several_answers_count_once_in_the_base(mart: pl.DataFrame) -> None:
    """Else the percents of a question with many answers would add up to 100."""
    reasons = mart.filter(pl.col("question") == "reason_corruption_common")
    assert reasons["respondents"].sum() > 4 * 853
    row = reasons.row(by_predicate=pl.col("answer") == "national_media", named=True)
    assert row["percent"] == row["respondents"] * 100 / 853


def test_the_change_of_the_sample_is_within_sampling_error(research: ResearchTables) -> None:
    """As the publication says: there was little difference between the two years."""
    changes = survey_changes(research.responses)
    assert changes.height == 6 * 3
    assert set(changes["distinguishable"]) == {False}
    row = changes.row(
        by_predicate=(pl.col("question") == "corruption_common") & (pl.col("answer") == "yes"),
        named=True,
    )
    assert row["difference"] == row["percent"] - row["previous_percent"]
    _, normal = proportions_ztest([1284, 1214], [3567, 3571])
    assert row["p_value"] == pytest.approx(normal, abs=0.005)


def test_the_test_is_fisher_s_exact_one() -> None:
    """The tea tasting: 3 of 4 against 1 of 4 has the two-sided probability 34/70."""
    tea = _responses((2012, "yes", 3), (2012, "no", 1), (2011, "yes", 1), (2011, "no", 3))
    changes = survey_changes(tea)
    row = changes.row(by_predicate=pl.col("answer") == "yes", named=True)
    assert row["p_value"] == pytest.approx(34 / 70)
    assert (row["previous_year"], row["difference"]) == (2011, 50.0)


@pytest.mark.parametrize(("now", "expected"), [(600, False), (640, True)])
def test_a_change_is_distinguishable_once_it_exceeds_sampling_error(
    now: int, expected: bool
) -> None:
    changes = survey_changes(
        _responses((2012, "yes", now), (2012, "no", 1000 - now), (2011, "yes", 590),
                   (2011, "no", 410))
    )  # fmt: skip
    row = changes.row(by_predicate=pl.col("answer") == "yes", named=True)
    assert row["distinguishable"] is expected


def test_the_order_of_the_responses_does_not_matter(
    research: ResearchTables, mart: pl.DataFrame
) -> None:
    shuffled = research.responses.sample(fraction=1, shuffle=True, seed=1)
    assert survey(shuffled).equals(mart)
    assert survey_changes(shuffled).equals(survey_changes(research.responses))


def test_without_responses_the_marts_are_empty() -> None:
    assert survey(no_research().responses).is_empty()
    assert survey_changes(no_research().responses).is_empty()
