"""What else one force sent, beside all forces: registers, second jobs, answers, earlier periods."""

from assets.pages.content import COUNT, NOT_KNOWN, PERCENT, Cell, Figure, Table, heads, row
from assets.pages.figures import Edition
from assets.pages.wording import answer, period, sentence, words
from schemas import vocabulary as v
from schemas.breakdown import write_breakdown
from schemas.research import INSTANCE_CATEGORIES
from schemas.returns_template import BREACH, COMPARATORS, REVIEW_MONTHS, capability_questions


def registers(edition: Edition, force: str) -> Table:
    """Return a force's register entries beside all forces."""
    rows = []
    for body, of in v.BODIES.items():
        for kind, label in v.REGISTER_KINDS.items():
            here = [
                edition.figure(
                    "register_entries",
                    "entries",
                    force_code=force,
                    body=body,
                    kind=kind,
                    decision=decision,
                )
                for decision in v.REGISTER_DECISIONS
            ]
            everywhere = [
                edition.total(
                    "register_entries",
                    write_breakdown({"body": body, "kind": kind, "decision": decision}),
                )
                for decision in v.REGISTER_DECISIONS
            ]
            rows.append(row(f"{of}: {label.lower()}", *here, *everywhere))
    columns = [*v.REGISTER_DECISIONS.values()]
    return Table(
        "registers",
        "Entries in the registers of gifts and hospitality",
        heads("Register", *columns, *(f"{name}, all forces" for name in columns)),
        tuple(rows),
        ("Not known: the force does not record it, or it does not apply to the force.",),
    )  # fmt: skip


def second_jobs(edition: Edition, force: str) -> Table:
    """Return a force's applications for second jobs beside all forces."""
    approvals = {"approved_unconditional": "no", "approved_conditional": "yes"}
    items = {
        code: (label, "second_job_applications", _decision(code, approvals))
        for code, label in v.SECOND_JOB_DECISIONS.items()
    }
    for code, label in v.BREACH_OCCUPATIONS.items():
        what = f"Approved against guidance: {label}"
        items[BREACH + code] = (what, "second_job_approvals_in_breach", f"occupation={code}")
    items[REVIEW_MONTHS] = (
        "Months between reviews (all forces: the median)",
        "second_job_review_months",
        "statistic=median",
    )
    return Table(
        "second_jobs",
        "Second jobs and business interests",
        heads("What", "Here", "All forces"),
        tuple(
            row(
                label,
                edition.figure("second_jobs", "count", force_code=force, item=item),
                edition.total(measure, breakdown),
            )
            for item, (label, measure, breakdown) in items.items()
        ),
    )


def _decision(code: str, approvals: dict[str, str]) -> str:
    approved = code in approvals
    return write_breakdown(
        {"decision": "approved" if approved else code, "conditions": approvals.get(code)}
    )


def comparators(edition: Edition, force: str) -> Table:
    """Return what a force says of earlier periods, beside all forces."""
    rows = []
    for code, asked in COMPARATORS.items():
        sent = edition.figure(
            "cells", "value", force_code=force, sheet="comparators", row_code=code
        )
        value = int(str(sent.value)) if str(sent.value).isdigit() else None
        rows.append(
            row(
                asked.label,
                Figure(value, sent.source, COUNT),
                edition.total(asked.measure, asked.breakdown, period=asked.period),
            )
        )
    return Table(
        "comparators",
        f"Earlier periods; the collection's own is {period(edition.collection, 'collection')}",
        heads("What", "Here", "All forces"),
        tuple(rows),
    )


def capability(edition: Edition, force: str) -> Table:
    """Return a force's answers about its arrangements, and how many forces gave the same."""
    rows = []
    for question in capability_questions().iter_rows(named=True):
        code = question["question_code"]
        given = edition.figure("capability_answers", "answer", force_code=force, question_code=code)
        key = {"question_code": code, "answer": given.value}
        same = edition.figure("capability_adoption", "share", PERCENT, **key)
        rows.append(
            row(
                question["label"],
                edition.figure("capability_adoption", "forces", **key),
                Cell(same, bar=(same.number or 0) / 100),
                NOT_KNOWN if given.value is None else sentence(answer(str(given.value))),
                sentence(words(question["area"])),
            )
        )
    return Table(
        "arrangements",
        "Answers about arrangements, and how many forces gave the same",
        heads("Question", "Forces with the same answer", "Share", words=("Answer here", "Area")),
        tuple(rows),
    )


def social_media(edition: Edition, force: str) -> Table | None:
    """Return what the research found on social media; None where it did not look at the force."""
    found = edition.rows("social_media", force_code=force)
    years = sorted({instance["year"] for instance in found})
    if not years:
        return None
    rows = []
    for year in years:
        for kind, label in INSTANCE_CATEGORIES.items():
            rows.append(
                row(
                    f"{year}: {label}",
                    edition.figure(
                        "social_media", "instances", force_code=force, year=year, category=kind
                    ),
                    edition.figure("social_media", "instances", year=year, category=kind),
                )
            )
    return Table(
        "social_media",
        "Instances of potentially inappropriate behaviour on social media",
        heads("Year and kind", "Here", "All forces looked at"),
        tuple(rows),
    )
