"""Shares the published applications for second jobs out over forces and decisions.

Belongs here: what the second-jobs sheet of a return must keep. Does not: investigations into
second jobs (solve_rows.py), nor the policy on them (solve_capability.py).
"""

from typing import Final

from schemas.collection import Collection
from tools.make_sample.choices import ChoiceProgram
from tools.make_sample.counts import CountProgram
from tools.make_sample.described import (
    APPROVED,
    BREACH,
    BREACH_OCCUPATIONS,
    REVIEW_MONTHS,
    SECOND_JOB_DECISIONS,
)
from tools.make_sample.likelihood import assumed_sizes, rates, varied
from tools.make_sample.program import Unknown
from tools.make_sample.published import Facets, Place, figure, figures, totals

_SHEET: Final = "second_jobs"
_COLUMN: Final = "count"
_APPLICATIONS: Final = "second_job_applications"
_CONDITIONAL: Final = "approved_conditional"

_RATE_SPREAD: Final = 0.3
_ROW_SPREAD: Final = 0.15
_ASSUMED_CONDITIONAL: Final = 0.355
"""Share of the approvals that carries conditions; only a lower bound was published."""

_LEAST_APPROVED: Final = 0.85
_MANY: Final = 30
_APPLICATIONS_PER_UNAPPROVED: Final = 100
"""From `_MANY` applications on, one at least is not approved, and one more in each so many."""

_ASSUMED_REVIEWS: Final = {"12": 0.65, "24": 0.25}
"""Likelihood of the usual review intervals, in months; the extremes share the rest."""


def solve_second_jobs(collection: Collection) -> dict[Place, int | str]:
    """Return the second-jobs sheet of each force, without its total."""
    decisions: dict[Place, Facets] = {}
    breaches: dict[Place, Facets] = {}
    for force_code in assumed_sizes():
        for code in SECOND_JOB_DECISIONS:
            decisions[Place(force_code, _SHEET, code, _COLUMN)] = {"decision": code}
        for code in BREACH_OCCUPATIONS:
            breaches[Place(force_code, _SHEET, BREACH + code, _COLUMN)] = {"occupation": code}
    program = CountProgram(
        _expected([*decisions, *breaches]),
        [
            *totals(figures(collection, _APPLICATIONS), decisions),
            *totals(figures(collection, "second_job_approvals_in_breach"), breaches),
        ],
    )
    all_approved = _forces_approving_all(collection)
    for force_code in assumed_sizes():
        _require_usual_decisions(program, force_code, all_approved=force_code in all_approved)
    share = figure(collection, "second_job_approvals_share", conditions="yes") / 100
    approved = figure(collection, _APPLICATIONS, decision="approved")
    conditional = [place for place in decisions if place.row_code == _CONDITIONAL]
    program.require({program.sum_at(conditional): 1}, low=share * approved)
    return {**program.solved_counts(), **_review_months(collection)}


def _expected(places: list[Place]) -> dict[Place, float]:
    mix = {"approved_unconditional": 1 - _ASSUMED_CONDITIONAL, _CONDITIONAL: _ASSUMED_CONDITIONAL}
    by_force = rates(_SHEET, _RATE_SPREAD)
    return {
        place: varied(
            by_force[place.force_code] * mix.get(place.row_code, 1.0),
            _ROW_SPREAD,
            "second job",
            *place,
        )
        for place in places
    }


def _forces_approving_all(collection: Collection) -> set[str]:
    """Return the forces that, by their own published report, approved every application."""
    received = {f.force_code: f.value for f in figures(collection, _APPLICATIONS) if not f.parts}
    return {
        f.force_code
        for f in figures(collection, _APPLICATIONS)
        if f.force_code and f.parts and f.value == received[f.force_code]
    }


def _require_usual_decisions(program: CountProgram, force_code: str, *, all_approved: bool) -> None:
    """Require an approval rate that raises no question, and fewer breaches than approvals."""

    def sum_of(*row_codes: str) -> Unknown:
        return program.sum_at(Place(force_code, _SHEET, code, _COLUMN) for code in row_codes)

    applications, approvals = sum_of(*SECOND_JOB_DECISIONS), sum_of(*APPROVED)
    program.require_share(approvals, applications, low=_LEAST_APPROVED)
    if not all_approved:
        each = 1 / _APPLICATIONS_PER_UNAPPROVED
        program.require({applications: 1 - each, approvals: -1}, low=-each * (_MANY - 1))
    program.require_share(sum_of(*(BREACH + code for code in BREACH_OCCUPATIONS)), approvals)


def _review_months(collection: Collection) -> dict[Place, str]:
    measure = "second_job_review_months"
    extremes = [
        f"{figure(collection, measure, statistic=statistic):.0f}"
        for statistic in ("minimum", "maximum")
    ]
    rare = (1 - sum(_ASSUMED_REVIEWS.values())) / len(extremes)
    likelihoods = {**dict.fromkeys(extremes, rare), **_ASSUMED_REVIEWS}
    program = ChoiceProgram(
        {REVIEW_MONTHS: likelihoods}, lambda _force, _question, months: likelihoods[months]
    )
    for months in extremes:
        program.require({program.forces_answering(REVIEW_MONTHS, [months]): 1}, low=1)
    for published in figures(collection, measure):
        if published.force_code:
            months = f"{published.value:.0f}"
            program.require_total([program.given(published.force_code, REVIEW_MONTHS, months)], 1)
    return {
        Place(force_code, _SHEET, REVIEW_MONTHS, _COLUMN): months
        for (force_code, _), months in program.solved_answers().items()
    }
