"""What is asked for: a total by measure, breakdown and period, of the nation or of one force."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.figures.comparable import Year
from assets.figures.explain.released import Released
from assets.history import find
from assets.lake import Lake
from assets.previous import parts_of_forces
from schemas.breakdown import read_breakdown
from schemas.errors import SetupError

NATIONAL: Final = "national"
_MANY: Final = 5


@dataclass(frozen=True)
class Question:
    """A total; `force_code` is None for the nation, `figure` the published one, if it is one."""

    measure: str
    breakdown: str
    period: str
    force_code: str | None = None
    figure: dict[str, Any] | None = None

    @property
    def parts(self) -> dict[str, str]:
        """The breakdown by key."""
        return read_breakdown(self.breakdown)


def read_question(
    name: str, breakdown: str, period: str | None, force_code: str | None, released: Released
) -> Question:
    """Return what a name stands for: the id of a published figure, or a measure.

    Raises:
        SetupError: there is no such figure, measure, breakdown, period or force.
    """
    figures = released.mart("reconciliation")
    if name in set(figures["figure_id"]):
        if breakdown or period or force_code:
            raise SetupError(f"figure {name} has a breakdown of its own. Give the id alone.")
        row = figures.row(by_predicate=pl.col("figure_id") == name, named=True)
        force = row["scope"] if row["scope"] in released.collection.forces else None
        return Question(row["measure"], row["breakdown"], row["period"], force, row)
    totals = released.mart("national_totals")
    if name not in set(totals["measure"]):
        raise SetupError(_unknown("figure or measure", name, _names(figures, totals)))
    if force_code is not None and force_code not in released.collection.forces:
        raise SetupError(_unknown("force", force_code, list(released.collection.forces)))
    return _of_measure(name, breakdown, period, force_code, totals)


def _of_measure(
    measure: str, breakdown: str, period: str | None, force_code: str | None, totals: pl.DataFrame
) -> Question:
    mine = totals.filter(pl.col("measure") == measure)
    try:
        asked = read_breakdown(breakdown)
    except ValueError as error:
        raise SetupError(
            f"{error}. Write it like category=second_jobs;outcome=continuing"
        ) from None
    known = mine["breakdown"].unique().sort().to_list()
    written = next((text for text in known if read_breakdown(text) == asked), None)
    if written is None:
        raise SetupError(_unknown(f"breakdown of {measure}", breakdown or "(none)", known))
    here = mine.filter(pl.col("breakdown") == written)
    periods = here["period"].to_list()
    if period is None:
        period = periods[0] if len(periods) == 1 else "collection"
    if period not in periods:
        raise SetupError(_unknown(f"period of {measure} {written}", period, periods))
    return Question(measure, written, period, force_code)


def read_against(
    question: Question, period: str, released: Released, root: Path
) -> tuple[Question, Released]:
    """Return what stands beside a figure in the mart Comparisons, and the release that it is of.

    Of a period that the returns ask about, that is the same release.

    Args:
        question: a figure of the collection's own period.
        period: the name of the earlier one.
        released: the release that is asked.
        root: the lake.

    Raises:
        SetupError: nothing stands beside it, or that release is gone.
    """
    of = {"measure": question.measure, "breakdown": question.breakdown, "period": question.period}
    found = released.mart("comparisons").filter(**of)
    rows = {row["previous_period"]: row for row in found.to_dicts()}
    named = f"{question.measure} {question.breakdown}".strip()
    if period not in rows:
        raise SetupError(_unknown(f"comparison of {named} with", period, [*rows]))
    # A release of before says nothing of other collections: there were none.
    other, release = (rows[period].get(f"previous_{name}") for name in ("collection", "release"))
    if other is None:
        return replace(question, period=period, figure=None), released
    if release is None or rows[period]["previous_value"] is None:
        raise SetupError(f"nothing of {other} stands beside {named}: {rows[period]['why_not']}")
    then = Released.shown(find(Lake(root, other), release), other, root)
    parts = parts_of_forces(then.collection, released.collection)
    if (force := question.force_code) and parts[force] != [force]:
        was = ", ".join(parts[force]) or "none"
        raise SetupError(f"{force} was {was} in {other}. Ask for each there, with --collection.")
    templates = [then.collection.template, released.collection.template]
    totals = then.mart("national_totals")
    year = Year(then.collection, totals, released.collection, templates)
    was = year.rows[question.measure, question.breakdown]["breakdown"]
    return replace(question, breakdown=was, figure=None), then


def _names(figures: pl.DataFrame, totals: pl.DataFrame) -> list[str]:
    return [*totals["measure"].unique().sort(), *figures["figure_id"].unique().sort()]


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=_MANY, cutoff=0.5) or known[:_MANY]
    more = ", ..." if len(known) > len(near) else ""
    return f"there is no {what} {name}. There are: {', '.join(filter(None, near))}{more}"
