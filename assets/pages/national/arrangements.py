"""Registers, second jobs, cards, and what arrangements forces have, on the national page."""

from typing import Any, Final

from assets.pages.charts import bars
from assets.pages.content import PERCENT, Cell, Section, Table, heads, row, text
from assets.pages.figures import Edition, share
from assets.pages.wording import answer, sentence, words
from schemas import vocabulary as v
from schemas.breakdown import write_breakdown
from schemas.returns_template import COMPARATORS, capability_questions

_YES_NO: Final = "yes|no"


def sections(edition: Edition) -> list[Section]:
    """Return the sections about arrangements."""
    return [_registers(edition), _second_jobs(edition), _capability(edition)]


def _registers(edition: Edition) -> Section:
    rows, drawn = [], []
    for body, of in v.BODIES.items():
        for kind in (*v.REGISTER_KINDS, None):
            whole = write_breakdown({"body": body, "kind": kind})
            entries = edition.total("register_entries", whole)
            parts = {
                decision: write_breakdown({"body": body, "kind": kind, "decision": decision})
                for decision in v.REGISTER_DECISIONS
            }
            label = f"{of}: {v.REGISTER_KINDS[kind].lower() if kind else 'all entries'}"
            if kind:
                drawn.append((label, entries))
            rows.append(
                row(
                    label,
                    *(edition.total("register_entries", part) for part in parts.values()),
                    entries,
                    edition.total("register_entries_share", parts["declined"], PERCENT),
                    edition.included("register_entries", parts["declined"]),
                )
            )
    return Section(
        "registers",
        "Gifts and hospitality",
        (
            text(
                "What the registers say was offered. Not every register records what was declined:"
                " the last column says how many forces' registers do. A declined offer that was"
                " not written down is not known, and is not counted as none."
            ),
            bars("chart-registers", "Entries in the registers", drawn),
            Table(
                "registers",
                "Entries in the registers of gifts and hospitality",
                heads(
                    "Register", *v.REGISTER_DECISIONS.values(), "All entries", "Share declined",
                    "Forces that record declined offers",
                ),
                tuple(rows),
            ),
        ),
    )  # fmt: skip


def _second_jobs(edition: Edition) -> Section:
    measure = "second_job_applications"
    decisions = {
        "decision=approved;conditions=no": v.SECOND_JOB_DECISIONS["approved_unconditional"],
        "decision=approved;conditions=yes": v.SECOND_JOB_DECISIONS["approved_conditional"],
        **{
            f"decision={code}": label
            for code, label in v.SECOND_JOB_DECISIONS.items()
            if code not in v.APPROVED
        },
    }
    whole = edition.total(measure)
    drawn = [(label, edition.total(measure, code)) for code, label in decisions.items()]
    against = "second_job_approvals_in_breach"
    others = [
        *(
            (f"Approved against guidance: {label}", edition.total(against, f"occupation={code}"))
            for code, label in v.BREACH_OCCUPATIONS.items()
        ),
        ("Approved against guidance: all", edition.total(against)),
        *(
            (f"Months between reviews: {name}", edition.total("second_job_review_months", key))
            for name, key in (
                ("shortest", "statistic=minimum"),
                ("median", "statistic=median"),
                ("longest", "statistic=maximum"),
            )
        ),
        *(
            (asked.label, edition.total(asked.measure, asked.breakdown))
            for asked in COMPARATORS.values()
            if asked.measure == "cards_held"
        ),
    ]
    return Section(
        "second-jobs",
        "Second jobs, and cards",
        (
            text(
                edition.total("second_job_applications_share", "decision=approved", PERCENT),
                " of ", whole, " applications for second jobs and business interests were"
                " approved.",
            ),
            bars("chart-second-jobs", "Applications for second jobs, by decision", drawn),
            Table(
                "second_jobs",
                "Applications for second jobs and business interests, by decision",
                heads("Decision", "Applications", "Share"),
                (
                    *(row(label, figure, share(figure, whole)) for label, figure in drawn),
                    row("All", whole, share(whole, whole)),
                ),
            ),
            Table(
                "second_jobs_more",
                "Approvals against guidance, review intervals, and cards",
                heads("What", "Number"),
                tuple(row(label, figure) for label, figure in others),
            ),
        ),
    )  # fmt: skip


def _capability(edition: Edition) -> Section:
    asked = capability_questions().to_dicts()
    yes_no = [question for question in asked if question["answers"] == _YES_NO]
    other = [question for question in asked if question["answers"] != _YES_NO]
    area = ("Area",)
    return Section(
        "arrangements",
        "What arrangements forces have",
        (
            text(
                f"Forces answered {len(asked)} questions. The bar is the share of the forces with"
                " an answer."
            ),
            Table(
                "arrangements",
                "Arrangements: how many forces have them",
                heads("Arrangement", "Yes (forces)", "No (forces)", "Share with yes", words=area),
                tuple(_yes_no(edition, question) for question in yes_no),
            ),
            Table(
                "arrangements_more",
                "Arrangements with more than two answers",
                heads("Question and answer", "Forces", "Share", words=area),
                tuple(
                    _one_answer(edition, question, code)
                    for question in other
                    for code in question["answers"].split("|")
                ),
            ),
        ),
    )


def _yes_no(edition: Edition, question: dict[str, Any]) -> tuple[Cell, ...]:
    yes, no = ({"question_code": question["question_code"], "answer": a} for a in ("yes", "no"))
    part = edition.figure("capability_adoption", "share", PERCENT, **yes)
    return row(
        question["label"],
        edition.figure("capability_adoption", "forces", **yes),
        edition.figure("capability_adoption", "forces", **no),
        Cell(part, bar=(part.number or 0) / 100),
        sentence(words(question["area"])),
    )


def _one_answer(edition: Edition, question: dict[str, Any], code: str) -> tuple[Cell, ...]:
    key = {"question_code": question["question_code"], "answer": code}
    part = edition.figure("capability_adoption", "share", PERCENT, **key)
    return row(
        f"{question['label']}: {answer(code)}",
        edition.figure("capability_adoption", "forces", **key),
        Cell(part, bar=(part.number or 0) / 100),
        sentence(words(question["area"])),
    )
