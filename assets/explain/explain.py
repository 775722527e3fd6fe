"""From a figure to the cells that make it, with the arithmetic.

Belongs here: asking for the terms, holding their sum to the figure that was released, and who is
left out. Does not: printing (cli/).
"""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from assets.explain.question import Question
from assets.explain.released import Released
from assets.explain.research import is_of_research, research_terms
from assets.explain.terms import TERM, Terms, terms_of
from schemas.errors import ContractError

_CLOSE: Final = 1e-9
"""Relative; the same division of the same integers, but for the order of a float's last bit."""


@dataclass(frozen=True)
class Explanation:
    """A figure and what makes it.

    `contributions` has the columns of TERM and `sent` (what the force sent, where a correction
    changed it). `behind` has the same columns: the cells that decided which forces a count of
    forces includes. `left_out` names each expected force that adds nothing, and why.
    """

    question: Question
    value: float | None
    unit: str
    arithmetic: str
    contributions: pl.DataFrame
    behind: pl.DataFrame
    left_out: list[dict[str, str]]


def explain(question: Question, released: Released) -> Explanation:
    """Return how a figure of a release is made.

    Raises:
        ContractError: the cells do not add up to the figure that was released.
    """
    live, value, unit = _asked(question, released)
    terms = _terms(question, live, released)
    if terms is None or value is None:
        nothing = _addressed(TERM.to_frame(), released)
        reason = (question.figure or {}).get("note") or "no live return gives it"
        return Explanation(question, value, unit, f"not computed: {reason}", nothing, nothing, [])
    computed, arithmetic = _worked_out(terms)
    if abs(computed - value) > _CLOSE * max(1.0, abs(value)):
        raise ContractError(
            f"{question.measure} {question.breakdown} {question.period}: the release says"
            f" {value:,g}, its cells make {computed:,g}. Report it, and do not use the figure."
        )
    behind = TERM.to_frame() if terms.behind is None else terms.behind
    return Explanation(
        question, value, unit, arithmetic,
        _addressed(terms.terms, released), _addressed(behind, released),
        _left_out(question, terms.terms, live, released),
    )  # fmt: skip


def _terms(question: Question, live: pl.DataFrame, released: Released) -> Terms | None:
    if is_of_research(question.measure):
        return research_terms(question, released)
    return terms_of(question, live, released.collection)


def _asked(question: Question, released: Released) -> tuple[pl.DataFrame, float | None, str]:
    """Return the live entries that are asked about, and the released value with its unit."""
    if question.figure is not None and question.figure["computed"] is None:
        return released.live, None, question.figure["unit"]
    key = (question.measure, question.breakdown, question.period)
    here = pl.struct("measure", "breakdown", "period") == pl.struct(
        *(pl.lit(text).alias(name) for name, text in zip(_KEY, key, strict=True))
    )
    total = released.mart("national_totals").filter(here)
    if question.force_code is None:
        if total.is_empty():
            figure: dict[str, Any] = question.figure or {}
            return released.live, figure.get("computed"), str(figure.get("unit"))
        return released.live, total.item(0, "value"), total.item(0, "unit")
    mine = released.live.filter(pl.col("force_code") == question.force_code)
    if question.figure is not None:
        return mine, question.figure["computed"], question.figure["unit"]
    terms = _terms(question, mine, released)
    made = terms is not None and not terms.terms.is_empty()
    return mine, _worked_out(terms)[0] if terms and made else None, total.item(0, "unit")


_KEY: Final = ("measure", "breakdown", "period")


def _worked_out(terms: Terms) -> tuple[float, str]:
    """Return the value that the terms make, and the arithmetic in words."""
    by_part = {
        part: terms.terms.filter(pl.col("part") == part)
        for part in ("value", "numerator", "denominator")
    }
    sums = {part: float(frame["value"].sum()) for part, frame in by_part.items()}
    if by_part["denominator"].is_empty():
        return sums["value"], f"{_sum(by_part['value'])} = {_number(sums['value'])}"
    value = sums["numerator"] * terms.factor / sums["denominator"]
    times = f" x {terms.factor}" if terms.factor != 1 else ""
    return value, (
        f"numerator: {_sum(by_part['numerator'])} = {_number(sums['numerator'])};"
        f" denominator: {_sum(by_part['denominator'])} = {_number(sums['denominator'])};"
        f" {_number(sums['numerator'])} / {_number(sums['denominator'])}{times}"
        f" = {_number(value)}"
    )


_SHOWN: Final = 8


def _sum(terms: pl.DataFrame) -> str:
    """Write a sum by force, largest first; what is more than a line holds is summed up."""
    by_force = (
        terms.group_by("force_code", maintain_order=True)
        .agg(pl.col("value").sum())
        .sort(pl.col("value").abs(), descending=True, maintain_order=True)
    )
    named = [
        f"{force} {_number(value)}" if force else _number(value)
        for force, value in by_force.head(_SHOWN).iter_rows()
    ]
    rest = by_force[_SHOWN:]
    if not rest.is_empty():
        named.append(f"{rest.height} other forces {_number(float(rest['value'].sum()))}")
    return " + ".join(named).replace("+ -", "- ") or "nothing"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4f}".rstrip("0")


def _addressed(terms: pl.DataFrame, released: Released) -> pl.DataFrame:
    """Join what the force sent where a correction was made, in a fixed order."""
    place = ["force_code", "sheet", "row_code", "column_code"]
    joined = terms.join(released.sent, on=place, how="left")
    return joined.sort("part", *place, nulls_last=True)


def _left_out(
    question: Question, terms: pl.DataFrame, live: pl.DataFrame, released: Released
) -> list[dict[str, str]]:
    """Return each expected force without a term: whose return is not in, or holds no number."""
    asked = [question.force_code] if question.force_code else list(released.collection.forces)
    states = dict(released.status.select("force_code", "state").iter_rows())
    here, adding = set(live["force_code"]), set(terms["force_code"])
    if not question.force_code and question.measure in _NOT_OF_EVERY_FORCE:
        return []
    if is_of_research(question.measure):
        of_forces = "" if terms["force_code"].null_count() else "the research gives no number of it"
        return [
            {"force_code": force, "reason": of_forces}
            for force in sorted(asked)
            if of_forces and force not in adding
        ]
    return [
        {
            "force_code": force,
            "reason": "its return gives no number here"
            if force in here
            else f"its return is {states.get(force, 'missing')}",
        }
        for force in sorted(asked)
        if force not in adding
    ]


_NOT_OF_EVERY_FORCE: Final = {
    "forces_with_investigations", "investigations_per_force", "second_job_review_months",
    "reporting_bodies", "months_in_collection",
}  # fmt: skip
"""Totals in which a force has no term although it was looked at."""
