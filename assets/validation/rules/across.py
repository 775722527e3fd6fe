"""Rules X: sheets of one return agree with each other."""

from typing import Final

import polars as pl

from assets.validation.rules.engine import Limits, Test, rule
from assets.validation.rules.views import CasesView, WholeView, missing, number, value
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.returns_template import REGISTER_ROWS, TOTAL

WHOLE_RETURN: Final = WholeView()
CASES: Final = CasesView("cases beside the grid")


def _answer(question: str) -> pl.Expr:
    return value("capability", question, "answer")


@rule("X001", WHOLE_RETURN)
def declined_offers_are_counted_where_they_are_recorded() -> list[Test]:
    """A force that keeps no record of declined offers has no number of them."""
    recorded = _answer("register_records_declined")
    tests = []
    for kind in v.REGISTER_KINDS:
        at = ("registers", f"force.{kind}", "declined")
        held = missing(*at).is_null()
        known = number(*at).is_not_null() | missing(*at).is_not_null()
        tests.append(
            Test(
                at=at,
                valid=pl.when(known & recorded.is_not_null()).then((recorded == "yes") == held),
                message=pl.format(
                    "declined is {}, but register_records_declined is {}", value(*at), recorded
                ),
            )
        )
    return tests


@rule("X002", WHOLE_RETURN)
def applications_are_made_under_a_policy() -> Test:
    """Without a policy on second jobs there is nothing to apply under."""
    at = ("second_jobs", TOTAL, "count")
    return Test(
        at=at,
        valid=number(*at) == 0,
        message=pl.format("{} applications, but second_job_policy is no", number(*at)),
        applies=_answer("second_job_policy") == "no",
    )


@rule("X003", WHOLE_RETURN)
def the_reason_for_fewer_staff_goes_with_fewer_staff() -> Test:
    """The second question is asked about a decrease alone."""
    change, merger = _answer("acu_staffing_change"), _answer("acu_decrease_from_merger")
    return Test(
        at=("capability", "acu_decrease_from_merger", "answer"),
        valid=(change == "decreased") == (merger != v.NOT_APPLICABLE),
        message=pl.format("answered {}, but acu_staffing_change is {}", merger, change),
    )


@rule("X004", WHOLE_RETURN)
def bodies_without_an_authority_have_no_authority_entries(collection: Collection) -> list[Test]:
    """What does not exist has no register."""
    force = value("cover", "force_code", "value")
    without = list(collection.without_police_authority)
    return [
        Test(
            at=at,
            valid=missing(*at).eq_missing(v.NOT_APPLICABLE),
            message=pl.format("{} stands here, but {} has no police authority", value(*at), force),
            applies=force.is_in(without) & value(*at).is_not_null(),
        )
        for row, (body, _) in REGISTER_ROWS.items()
        if body == "authority"
        for at in ((("registers", row, TOTAL)),)
    ]


@rule("X005", WHOLE_RETURN)
def the_number_of_cards_did_not_leap(limits: Limits) -> Test:
    """Half as many cards, or half as many again, wants a word."""
    before, now = (("comparators", code, "value") for code in ("cards_2011", "cards_2012"))
    change = (number(*now) - number(*before)).abs()
    return Test(
        at=now,
        valid=change <= number(*before) * limits["share"],
        message=pl.format("{} cards, from {} in 2011", number(*now), number(*before)),
        applies=missing(*before).is_null() & missing(*now).is_null(),
    )


@rule("X006", WHOLE_RETURN)
def monitoring_answers_do_not_exclude_each_other() -> list[Test]:
    """Software that audits all systems is an audit of systems."""
    software = _answer("audit_software") == "in_place"
    denied = {"information_systems_audit": "no", "communications_monitoring": "none"}
    return [
        Test(
            at=("capability", question, "answer"),
            valid=_answer(question) != answer,
            message=pl.lit(f"{question} is {answer}, but audit_software is in_place"),
            applies=software,
        )
        for question, answer in denied.items()
    ]


@rule("X007", CASES)
def the_cases_add_up_to_the_grid() -> Test:
    """Where a force sent both, each cell is the number of its cases."""
    return Test(
        valid=pl.col("number") == pl.col("rows"),
        message=pl.format("{} in the workbook, {} case rows", "number", "rows"),
        applies=pl.col("rows").is_not_null(),
    )
