"""Live entries as counts with the dimensions they are counted by.

Belongs here: from a cell's codes to category, recipient, decision and so on. Does not: adding up
(cube.py). A count that no live return gives still has a row, without a force, so that its total
is unknown rather than absent.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

from schemas import vocabulary as v
from schemas.returns_template import BREACH, COMPARATORS, INVESTIGATION_ROWS, REGISTER_ROWS
from schemas.returns_template import SUSPENDED as SUSPENDED_COLUMN

_PLACE: Final = ["sheet", "row_code", "column_code"]


def _counted(live: pl.DataFrame, items: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Join the places of `items` (with their dimensions) to the live entries that stand there."""
    places = pl.DataFrame(list(items), infer_schema_length=None)
    entries = live.select(
        *_PLACE,
        "force_code",
        "number",
        "value",
        "provisional",
        "basis",
        "receipt_id",
        "sha256",
        "cell",
    )
    return places.join(entries, on=_PLACE, how="left", nulls_equal=True)


def investigations(live: pl.DataFrame) -> pl.DataFrame:
    """Cases by category, recipient, media and outcome: one row a force and leaf cell."""
    return _counted(
        live,
        (
            {
                "sheet": "investigations",
                "row_code": row.code,
                "column_code": outcome,
                "category": row.category,
                "recipient": row.recipient,
                "media": row.media,
                "outcome": outcome,
            }
            for row in INVESTIGATION_ROWS
            if row.is_part
            for outcome in v.OUTCOMES
        ),
    )


def people_suspended(live: pl.DataFrame) -> pl.DataFrame:
    """People suspended, by category, recipient and media: one row a force and leaf row."""
    return _counted(
        live,
        (
            {
                "sheet": "investigations",
                "row_code": row.code,
                "column_code": SUSPENDED_COLUMN,
                "category": row.category,
                "recipient": row.recipient,
                "media": row.media,
            }
            for row in INVESTIGATION_ROWS
            if row.is_part
        ),
    )


def register_entries(live: pl.DataFrame) -> pl.DataFrame:
    """Register entries by body, kind and decision: one row a force and cell."""
    return _counted(
        live,
        (
            {
                "sheet": "registers",
                "row_code": code,
                "column_code": decision,
                "body": body,
                "kind": kind,
                "decision": decision,
            }
            for code, (body, kind) in REGISTER_ROWS.items()
            for decision in v.REGISTER_DECISIONS
        ),
    )


def second_job_applications(live: pl.DataFrame) -> pl.DataFrame:
    """Applications by `item` (as typed), `decision` and `conditions` (of approvals only)."""
    conditions = dict(zip(v.APPROVED, ("no", "yes"), strict=True))
    return _counted(
        live,
        (
            {
                "sheet": "second_jobs",
                "row_code": item,
                "column_code": "count",
                "item": item,
                "decision": "approved" if item in v.APPROVED else item,
                "conditions": conditions.get(item),
            }
            for item in v.SECOND_JOB_DECISIONS
        ),
    )


def second_job_breaches(live: pl.DataFrame) -> pl.DataFrame:
    """Approvals against guidance by occupation."""
    return _counted(
        live,
        (
            {
                "sheet": "second_jobs",
                "row_code": BREACH + occupation,
                "column_code": "count",
                "occupation": occupation,
            }
            for occupation in v.BREACH_OCCUPATIONS
        ),
    )


def comparators(live: pl.DataFrame) -> pl.DataFrame:
    """Earlier counts, with the measure, breakdown and period that each stands for."""
    return _counted(
        live,
        (
            {
                "sheet": "comparators",
                "row_code": code,
                "column_code": "value",
                "measure": row.measure,
                "breakdown": row.breakdown,
                "period": row.period,
            }
            for code, row in COMPARATORS.items()
        ),
    )


def single(live: pl.DataFrame, sheet: str, row_code: str, column_code: str) -> pl.DataFrame:
    """One entry, of every force."""
    return _counted(live, [{"sheet": sheet, "row_code": row_code, "column_code": column_code}])


def capability(live: pl.DataFrame, questions: pl.DataFrame) -> pl.DataFrame:
    """One row a force and question: `question`, its `answers`, and the force's `value`."""
    return _counted(
        live,
        (
            {
                "sheet": "capability",
                "row_code": question["question_code"],
                "column_code": "answer",
                "question": question["question_code"],
                "answers": question["answers"].split("|"),
            }
            for question in questions.iter_rows(named=True)
        ),
    )
