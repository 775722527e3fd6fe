"""The marts by name, in the order a reader would want them."""

from collections.abc import Callable
from collections.abc import Collection as Several
from functools import cache
from typing import Final

from schemas import research
from schemas.collection import Collection
from schemas.contract import Contract
from schemas.marts import facts, returns, totals
from schemas.template import Template
from schemas.template_file import load_template

MARTS: Final[dict[str, Contract]] = {
    "national_totals": totals.NationalTotals,
    "cube": totals.cube_contract(load_template("returns-1")),
    "investigations": facts.Investigations,
    "investigations_by_month": facts.InvestigationsByMonth,
    "outcome_breakdown": totals.OutcomeBreakdown,
    "force_profiles": facts.ForceProfiles,
    "workforce": facts.Workforce,
    "register_entries": facts.RegisterEntries,
    "second_jobs": facts.SecondJobs,
    "capability_answers": facts.CapabilityAnswers,
    "capability_adoption": totals.CapabilityAdoption,
    "comparisons": totals.Comparisons,
    "distribution": totals.Distribution,
    "social_media": research.SocialMedia,
    "survey": research.Survey,
    "survey_changes": research.SurveyChanges,
    "national_checks": totals.NationalChecks,
    "reconciliation": returns.Reconciliation,
    "returns_status": returns.ReturnsStatus,
    "findings": returns.Findings,
    "repairs": returns.Repairs,
    "cells": returns.Cells,
    "corrections": returns.Corrections,
    "codes": totals.Codes,
    "measures": totals.Measures,
}
"""Every mart there is, in the form of the collection of 2012."""


def _counts(measure: str) -> Callable[[Collection], bool]:
    return lambda collection: measure in collection.template.measures


def _asks(collection: Collection) -> bool:
    return bool(collection.template.asked)


def _researches(collection: Collection) -> bool:
    return collection.research


_FILLED_BY: Final[dict[str, Callable[[Collection], bool]]] = {
    "investigations": _counts("investigations"),
    "investigations_by_month": lambda collection: collection.cases is not None,
    "outcome_breakdown": _counts("investigations"),
    "workforce": lambda collection: collection.workforce is not None,
    "register_entries": _counts("register_entries"),
    "second_jobs": _counts("second_job_applications"),
    "capability_answers": _asks,
    "capability_adoption": _asks,
    "comparisons": lambda one: (
        bool(one.compared) or any(e.period in one.comparators for e in one.template.counted())
    ),
    "distribution": lambda one: any(m.per_force for m in one.template.measures.values()),
    "social_media": _researches,
    "survey": _researches,
    "survey_changes": _researches,
    "reconciliation": lambda collection: collection.published is not None,
}
"""Marts that not every collection can fill, and which can."""


@cache
def contracts_of(template: Template) -> dict[str, Contract]:
    """Return the contract of every mart where forces return this template."""
    profiles = facts.force_profiles_contract(template)
    return {**MARTS, "cube": totals.cube_contract(template), "force_profiles": profiles}


def marts_of(collection: Collection, there: Several[str] = ()) -> dict[str, Contract]:
    """Return the marts of a release of a collection: those that it can fill, and their contracts.

    Args:
        collection: the collection.
        there: marts that are in it whatever the collection says, such as those that have rows.
    """

    def can_fill(name: str) -> bool:
        return name not in _FILLED_BY or _FILLED_BY[name](collection)

    contracts = contracts_of(collection.template)
    return {name: of for name, of in contracts.items() if name in there or can_fill(name)}
