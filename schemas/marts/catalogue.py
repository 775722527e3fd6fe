"""The marts by name, in the order a reader would want them."""

from typing import Final

from schemas.contract import Contract
from schemas.marts import facts, research, returns, totals

MARTS: Final[dict[str, Contract]] = {
    "national_totals": totals.NationalTotals,
    "investigations": facts.Investigations,
    "investigations_by_month": facts.InvestigationsByMonth,
    "outcome_breakdown": totals.OutcomeBreakdown,
    "force_profiles": facts.ForceProfiles,
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
    "cells": returns.Cells,
    "corrections": returns.Corrections,
}
