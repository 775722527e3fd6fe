"""From a figure to the cells that make it, with the arithmetic.

The sum of the terms is held to the figure that was released; who is not in it is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from math import isclose
from shlex import quote
from typing import Any, Final

import polars as pl

from assets.figures.explain.released import Released
from assets.figures.explain.terms import (
    TERM,
    Question,
    Terms,
    is_of_research,
    research_terms,
    terms_of,
)
from schemas import vocabulary as v
from schemas.breakdown import read_breakdown
from schemas.collection import command
from schemas.errors import ContractError, SetupError
from schemas.figures import made_of
from schemas.measures import NOW
from schemas.wording import plural

_CLOSE: Final = 1e-9
"""Relative; the same division of the same integers, but for the order of a float's last bit."""

_PUBLISHED: Final = ("figure_id", "published", "qualifier", "status", "source_issue", "note")

Standing = dict[str, str]
"""A force and a reason: `force_code`, `reason`."""


@dataclass(frozen=True)
class Explanation:
    """A figure and what makes it.

    `contributions` has the columns of TERM and `sent` (what the force sent, where a correction
    changed it). `behind` has the same columns: the cells that decided which forces a count of
    forces includes. `included` are the forces in it; `left_out` names each expected force that is
    not, and why, and `partly` each that is in it with some of its cells alone.
    """

    question: Question
    value: float | None
    unit: str
    arithmetic: str
    contributions: pl.DataFrame
    behind: pl.DataFrame
    included: list[str]
    left_out: list[Standing]
    partly: list[Standing]

    def document(self) -> dict[str, Any]:
        """Return it as plain values: what was asked for, what was published, what makes it."""
        asked = self.question
        made = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        return {
            **{name: asked.figure[name] for name in _PUBLISHED if asked.figure},
            **{name: getattr(asked, name) for name in (*_KEY, "force_code")},
            **{k: of.to_dicts() if isinstance(of, pl.DataFrame) else of for k, of in made.items()},
        }


def explain(question: Question, released: Released) -> Explanation:
    """Return how a figure of a release is made.

    Raises:
        ContractError: the cells do not add up to the figure that was released.
    """
    live, value, unit, terms = _asked(question, released)
    if terms is None:
        reason = (question.figure or {}).get("note") or "no live return gives it"
        arithmetic = f"not computed: {reason}"
    else:
        computed, arithmetic = worked_out(terms)
        known = [number for number in (value, computed) if number is not None]
        if len(known) == 1 or not isclose(*known or (0, 0), rel_tol=_CLOSE, abs_tol=_CLOSE):
            says, makes = (f"{n:,g}" if n is not None else "nothing" for n in (value, computed))
            raise ContractError(
                f"{question.measure} {question.breakdown} {question.period}: the release says"
                f" {says}, its cells make {makes}. Report it, and do not use the figure."
            )
    of = terms or Terms(TERM.to_frame())
    return Explanation(
        question, value, unit, arithmetic,
        _addressed(of.terms, released), _addressed(of.behind, released),
        sorted(of.forces or {*of.terms["force_code"].drop_nulls()}),
        *_standing(question, terms, live, released),
    )  # fmt: skip


def _terms(question: Question, live: pl.DataFrame, released: Released) -> Terms | None:
    if is_of_research(question.measure):
        return research_terms(question, released)
    return terms_of(question, live, released.collection)


def _asked(
    question: Question, released: Released
) -> tuple[pl.DataFrame, float | None, str, Terms | None]:
    """Return the live entries that are asked about, the value with its unit, and the terms of it.

    The value is the released one, of a force what its terms make; without one there are terms
    only where something is divided by 0.
    """
    figure, force = question.figure, question.force_code
    live = released.live.filter(force_code=force) if force else released.live
    total = released.mart("national_totals").filter(**{n: getattr(question, n) for n in _KEY})
    if figure and (force or figure["computed"] is None or total.is_empty()):
        value, unit = figure["computed"], figure["unit"]
        return live, value, unit, None if value is None else _terms(question, live, released)
    terms, value, unit = _terms(question, live, released), *total.select("value", "unit").row(0)
    given = terms and not terms.terms.filter(pl.col("part") != "denominator").is_empty()
    if force:
        value = worked_out(terms)[0] if terms and given else None
    return live, value, unit, terms if given or value is not None else None


_KEY: Final = ("measure", "breakdown", "period")


def worked_out(terms: Terms) -> tuple[float | None, str]:
    """Return the value that the terms make, and the arithmetic in words; None for n / 0."""
    by_part = {
        part: terms.terms.filter(pl.col("part") == part)
        for part in ("value", "numerator", "denominator")
    }
    sums = {part: float(frame["value"].sum()) for part, frame in by_part.items()}
    if terms.ranks:
        return sums["value"], _ranked(terms, sums["value"])
    if by_part["denominator"].is_empty():
        return sums["value"], f"{_sum(by_part['value'])} = {_number(sums['value'])}"
    above, below = sums["numerator"], sums["denominator"]
    value = above * terms.factor / below if below else None
    times = f" x {terms.factor}" if terms.factor != 1 else ""
    made = "nothing, as nothing is divided by 0" if value is None else _number(value)
    return value, (
        f"numerator: {_sum(by_part['numerator'])} = {_number(above)};"
        f" denominator: {_sum(by_part['denominator'])} = {_number(below)};"
        f" {_number(above)} / {_number(below)}{times} = {made}"
    )


def _ranked(terms: Terms, value: float) -> str:
    """Write the forces at or between whose numbers a statistic lies, and where they stand."""
    added = dict(terms.terms.group_by("force_code").agg(pl.col("value").sum()).iter_rows())
    named = [
        f"{force} {_number(added[force] / weight)}" + (f" x {weight:g}" if weight != 1 else "")
        for force, (_, weight) in terms.ranks.items()
    ]
    places = " and ".join(str(at) for at, _ in terms.ranks.values())
    of = plural(len(terms.forces), "force")
    return f"number {places} of {of}, least first: {' + '.join(named)} = {_number(value)}"


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
        named.append(f"{plural(rest.height, 'other force')} {_number(float(rest['value'].sum()))}")
    return " + ".join(named).replace("+ -", "- ") or "nothing"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4f}".rstrip("0")


def _addressed(terms: pl.DataFrame, released: Released) -> pl.DataFrame:
    """Join what the force sent where a correction was made, in a fixed order."""
    place = ["force_code", "sheet", "row_code", "column_code"]
    joined = terms.join(released.sent, on=place, how="left")
    return joined.sort("part", *place, nulls_last=True)


def _standing(
    question: Question, terms: Terms | None, live: pl.DataFrame, released: Released
) -> tuple[list[Standing], list[Standing]]:
    """Return each expected force that is not in the figure, and each that is so in part, and why.

    Of what is no figure of forces, such as the months of a period, nobody is left out.
    """
    collection = released.collection
    asked = sorted([question.force_code] if question.force_code else collection.forces)
    if is_of_research(question.measure):
        named = {*terms.terms["force_code"]} if terms else {None}
        out = [force for force in asked if not {force, None} & named]
        return [_said(force, "the research gives no number of it") for force in out], []
    if terms is None:
        of_cells = made_of(collection.template, question.measure)[1] in collection.template.measures
        terms = Terms(TERM.to_frame(), cells=live.clear() if of_cells else None)
    if terms.cells is None:
        return [], []
    cells = terms.cells.partition_by("force_code", as_dict=True)
    divided = set(() if terms.whole is None else terms.whole.drop_nulls("number")["force_code"])
    left_out, partly = [], []
    for force in asked:
        mine = cells.get((force,), terms.cells.clear())
        reasons = _reasons(mine)
        if force in terms.forces:
            if reasons:
                share = f"{mine['number'].null_count()} of its {plural(mine.height, 'cell')} here"
                partly.append(_said(force, f"{share}: {reasons}"))
        elif mine.is_empty():
            left_out.append(_said(force, _absent(force, live, released)))
        else:
            why = reasons or "what it sent gives no number here"
            whole = "; its other numbers are in the whole" if force in divided else ""
            left_out.append(_said(force, why + whole))
    return left_out, partly


def _reasons(cells: pl.DataFrame) -> str:
    """Return why some cells hold no number, in words; nothing where all do."""
    given = {*cells.filter(pl.col("number").is_null())["value"]}
    reasons = v.MISSING_REASONS.items()
    return " and ".join(f"{name} ({why})" for name, why in reasons if name in given)


def _absent(force: str, live: pl.DataFrame, released: Released) -> str:
    if force in set(live["force_code"]):
        return "what it sent gives no number here"
    state = released.status.filter(force_code=force)["state"].to_list()
    return f"its return is {state[0] if state else 'missing'}"


def _said(force: str, reason: str) -> Standing:
    return {"force_code": force, "reason": reason}


_MANY: Final = 5


def read_question(
    name: str, breakdown: str, period: str | None, force_code: str | None, released: Released
) -> Question:
    """Return what a name stands for: the id of a published figure, or a measure.

    Raises:
        SetupError: there is no such figure, measure, breakdown, period or force.
    """
    figures = released.mart("reconciliation")
    if name in set(figures["figure_id"]):
        row = figures.row(by_predicate=pl.col("figure_id") == name, named=True)
        if breakdown or period or force_code:
            raise SetupError(_of_its_own(row, breakdown, period, force_code, released))
        force = row["scope"] if row["scope"] in released.collection.forces else None
        return Question(row["measure"], row["breakdown"], row["period"], force, row)
    totals = released.mart("national_totals")
    if name not in set(totals["measure"]):
        known = [*sorted({*totals["measure"]}), *sorted({*figures["figure_id"]})]
        where = "muster reconcile lists the figures, muster explain --help says how to ask"
        raise SetupError(f"{_unknown('figure or measure', name, known)}. {where}")
    if force_code is not None and force_code not in released.collection.forces:
        raise SetupError(_unknown("force", force_code, list(released.collection.forces)))
    return _of_measure(name, breakdown, period, force_code, totals)


def _of_its_own(
    row: Mapping[str, Any], breakdown: str, period: str | None, force: str | None,
    released: Released,
) -> str:  # fmt: skip
    """Return what to give where more is given than the id of a published figure."""
    said = f"figure {row['figure_id']} has a breakdown of its own. Give the id alone"
    if row["computed"] is None:
        return f"{said}."
    own = (row["measure"], breakdown or row["breakdown"], period or row["period"] or None)
    of = read_question(*own, force, released)
    words = ["explain", of.measure, of.breakdown]
    words += ["--period", of.period] if of.period != NOW else []
    words += ["--force", of.force_code] if of.force_code else []
    asked = command(" ".join(quote(word) for word in words if word), released.collection.id)
    return f"{said}, or ask of its measure: {asked}"


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
        raise SetupError(_unknown(f"period of {measure} {written}".rstrip(), period, periods))
    return Question(measure, written, period, force_code)


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=_MANY, cutoff=0.5) or known[:_MANY]
    more = ", ..." if len(known) > len(near) else ""
    return f"there is no {what} {name}. There are: {', '.join(filter(None, near))}{more}"
