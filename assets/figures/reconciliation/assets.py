"""Reconciliation, with a check that shows how many figures differ, and what queries move."""

from typing import Any

import polars as pl

from assets.declare import RESEARCH, Check, made
from assets.figures.reconciliation.reconcile import reconcile
from assets.figures.scores import with_effects

_MART = "reconciliation/reconciliation"


def published_figures(reconciliation: pl.DataFrame) -> tuple[bool, dict[str, Any]]:
    counts = dict(reconciliation.group_by("status").len().sort("status").iter_rows())
    differing = reconciliation.filter(pl.col("status") == "differs")["figure_id"].to_list()
    return not differing, {"by_status": counts, "differing": differing[:20]}


PARTS = (
    made(
        _MART,
        by=reconcile,
        national="totals/national_totals",
        live="validation/live_entries",
        printed="reports/report_figures",
        instances=RESEARCH["instances"],
    ),
    made(
        "reconciliation/findings",
        by=with_effects,
        findings="validation/findings",
        expectations="validation/expectations",
        live="validation/live_entries",
        national="totals/national_totals",
        reconciliation=_MART,
    ),
    Check(
        _MART,
        "published_figures",
        "No computed figure contradicts the published one.",
        published_figures,
    ),
)
