"""The marts of what each force sent: live entries by subject, and every live cell.

Belongs here: one row a force and item. Does not: sums over forces (national.py).
"""

import polars as pl

from assets.totals import counted
from schemas.contract import conform
from schemas.marts.facts import CapabilityAnswers, Investigations, RegisterEntries, SecondJobs
from schemas.marts.returns import Cells
from schemas.returns_template import REVIEW_MONTHS, capability_questions

_SENT = pl.col("force_code").is_not_null()


def investigations(live: pl.DataFrame) -> pl.DataFrame:
    """Return the mart Investigations."""
    cases = counted.investigations(live).filter(_SENT)
    return conform(Investigations, cases.rename({"number": "cases"}))


def register_entries(live: pl.DataFrame) -> pl.DataFrame:
    """Return the mart RegisterEntries; an entry that is not held is null, never zero."""
    entries = counted.register_entries(live).filter(_SENT)
    return conform(RegisterEntries, entries.rename({"number": "entries"}))


def second_jobs(live: pl.DataFrame) -> pl.DataFrame:
    """Return the mart SecondJobs: decisions, breaches and the review interval."""
    item = pl.col("row_code").alias("item")
    found = pl.concat(
        frame.filter(_SENT).select("force_code", item, "number", "basis")
        for frame in (
            counted.second_job_applications(live),
            counted.second_job_breaches(live),
            counted.single(live, "second_jobs", REVIEW_MONTHS, "count"),
        )
    )
    return conform(SecondJobs, found.rename({"number": "count"}))


def capability_answers(live: pl.DataFrame) -> pl.DataFrame:
    """Return the mart CapabilityAnswers."""
    answers = counted.capability(live, capability_questions()).filter(_SENT)
    return conform(
        CapabilityAnswers, answers.rename({"question": "question_code", "value": "answer"})
    )


def cells(live: pl.DataFrame) -> pl.DataFrame:
    """Return the mart Cells."""
    return conform(Cells, live)
