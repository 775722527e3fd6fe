"""Marts of what each force sent: one row a force and item."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import polars as pl

from schemas import columns as shared
from schemas import vocabulary as v
from schemas.contract import (
    Column,
    Contract,
    Table,
    column,
    columns,
    contract_of,
    description,
)
from schemas.disclosure import FOLLOWS
from schemas.measures import NOW, QUESTION, Figure
from schemas.template import Template


class Investigations(Table):
    """Investigations opened in the collection period, by force, subject and outcome."""

    force_code: str = shared.force_code(key=True)
    category: str = shared.category(key=True)
    recipient: str = shared.recipient(key=True)
    media: str = shared.media(key=True)
    outcome: str = shared.outcome(key=True)
    cases: int = column("Number of investigations", "count", ge=0)
    basis: str = shared.basis()


class InvestigationsByMonth(Table):
    """Investigations by the month they were opened in, of the forces that sent case rows."""

    force_code: str = shared.force_code(key=True)
    category: str = shared.category(key=True)
    recipient: str = shared.recipient(key=True)
    media: str = shared.media(key=True)
    outcome: str = shared.outcome(key=True)
    month: date = column("First day of the month the cases were opened in", "date", key=True)
    cases: int = column("Number of investigations", "count", ge=1)
    basis: str = shared.basis()


class RegisterEntries(Table):
    """Entries in the registers of gifts and hospitality, by force, body, kind and decision."""

    force_code: str = shared.force_code(key=True)
    body: str = shared.body(key=True, codes="register_entries.body")
    kind: str = column("Gratuity or hospitality", "code", key=True, codes="register_entries.kind")
    decision: str = column(
        "Whether the offer was accepted or declined",
        "code",
        key=True,
        codes="register_entries.decision",
    )
    entries: int = column(
        "Number of entries; null where the force does not record them or they do not apply",
        "count",
        nullable=True,
        ge=0,
    )
    basis: str = shared.basis()


class SecondJobs(Table):
    """Applications for second jobs by decision, approvals against guidance, review interval."""

    force_code: str = shared.force_code(key=True)
    item: str = column(
        "Decision, `breach.` and an occupation, or `review_months` (whose count is in months)",
        "code",
        key=True,
    )
    count: int = column(
        "Number of applications, or of months for `review_months`; null where not held",
        "count",
        nullable=True,
        ge=0,
    )
    basis: str = shared.basis()


class CapabilityAnswers(Table):
    """What each force answered about its arrangements."""

    force_code: str = shared.force_code(key=True)
    question_code: str = column("Code of the question", "code", key=True)
    answer: str = column("Code of the answer", "code")
    basis: str = shared.basis()


def _count(what: str) -> Any:
    return column(f"{what}; null where unknown", "count", nullable=True, ge=0)


class ForceProfiles(Table):
    """One row for each expected force: its main figures, null where unknown.

    A force without a live return shows what its published report printed, with basis `published`.
    """

    force_code: str = shared.force_code(key=True)
    ons_code: str = shared.ons_code(nullable=True)
    name: str = column("Name of the force", "text")
    region: str = column("Region of England, Wales, or national", "text")
    state: str = column("State of the force's return", "code", isin=v.STATES)
    basis: str = shared.basis(nullable=True)
    investigations: int = _count("Investigations opened in the period")
    investigations_per_month: float = column(
        "Investigations divided by the months of the period; null where unknown",
        "per_month",
        nullable=True,
        ge=0,
    )
    information_disclosure: int = _count("Investigations into information disclosure")
    media_disclosure: int = _count("Investigations into disclosure to the media")
    second_job_applications: int = _count("Applications for second jobs")
    second_job_approved: int = _count("Applications for second jobs that were approved")
    social_media_cases: int = _count(
        "Instances found by the research on social media in the collection's year, else the cases"
        " that the force's published report printed"
    )
    acu_staffing_change: str = column(
        "Anti-corruption unit staffing since 2011; null where unknown", "code", nullable=True
    )
    media_relationship: int = _count("Investigations into relationships with the media")
    social_media: int = _count("Investigations into the use of social media")
    gratuities_hospitality: int = _count("Investigations into gratuities and hospitality")
    procurement: int = _count("Investigations into procurement and contracting")
    second_jobs: int = _count("Investigations into second jobs")
    other: int = _count("Other investigations")
    continuing: int = _count("Investigations continuing at the census date")
    people_suspended: int = column(
        "People suspended at the census date; null where unknown", "people", nullable=True, ge=0
    )
    register_entries: int = _count("Entries in the force's registers, as far as recorded")
    register_declined: int = _count("Declined offers in the force's registers")
    second_job_review_months: int = column(
        "Months between reviews of an approved second job; null where unknown",
        "months",
        nullable=True,
        ge=0,
    )
    investigations_2010_11: int = _count("Investigations in the year 2010/11")
    cards_2012: int = _count("Credit and procurement cards held at the inspection")
    social_media_basis: str = column(
        "Where `social_media_cases` comes from, which is no return: a basis; null where unknown",
        "code",
        nullable=True,
        isin=v.BASES,
    )


@cache
def force_profiles_contract(template: Template) -> Contract:
    """Return the contract of force_profiles: who the force is, then the template's own columns.

    Those of `[profile]` in its order, a monthly rate beside the count it is of, and what research
    on social media found where the template protects that. With the columns of the collection of
    2012 it is ForceProfiles.
    """
    known = {item.name: item for item in columns(ForceProfiles)}
    own = list(_profile_columns(template, known))
    if {item.name for item in own} == known.keys():
        return ForceProfiles
    return contract_of("ForceProfiles", description(ForceProfiles), own)


def _profile_columns(template: Template, known: dict[str, Column]) -> Iterator[Column]:
    yield from (known[name] for name in ("force_code", "ons_code", "name", "region", "state"))
    yield known["basis"]
    rates = {of: known[rate] for rate, of in FOLLOWS.items()}
    for name, figure in template.profile.items():
        what = f"{_profiled(template, figure)}; null where unknown"
        if QUESTION in figure.dims:
            yield Column(name, pl.String, what, "code", key=False, nullable=True)
            continue
        unit = template.measures[figure.measure].unit
        yield Column(name, pl.Int64, what, unit, key=False, nullable=True, least=0)
        if name in rates and template.measures[figure.measure].kind == "flow":
            yield rates[name]
    if template.disclosure and "social_media" in template.disclosure.research:
        yield known["social_media_cases"]
        yield known["social_media_basis"]


def _profiled(template: Template, figure: Figure) -> str:
    """Return in words what a column of a profile is, in the wording of the template."""
    if QUESTION in figure.dims:
        rows = (row for sheet in template.sheets for row in sheet.rows)
        return next(row.label for row in rows if row.code == figure.dims[QUESTION])
    labels = [
        template.lists.get(name, {}).get(code, code.replace("_", " "))
        for name, code in figure.dims.items()
    ]
    what = figure.measure.replace("_", " ").capitalize()
    period = [] if figure.period == NOW else [f"in the period {figure.period}"]
    return ": ".join(filter(None, [what, ", ".join([*labels, *period])]))
