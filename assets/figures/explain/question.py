"""What is asked for: a total by measure, breakdown and period, of the nation or of one force."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import polars as pl

from assets.figures.explain.released import Released
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


def _names(figures: pl.DataFrame, totals: pl.DataFrame) -> list[str]:
    return [*totals["measure"].unique().sort(), *figures["figure_id"].unique().sort()]


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=_MANY, cutoff=0.5) or known[:_MANY]
    more = ", ..." if len(known) > len(near) else ""
    return f"there is no {what} {name}. There are: {', '.join(filter(None, near))}{more}"
