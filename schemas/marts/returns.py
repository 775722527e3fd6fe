"""Marts about the returns themselves: their states, findings, cells, and the reconciliation."""

from datetime import date

from schemas import columns as shared
from schemas import vocabulary as v
from schemas.contract import Table, column


class Reconciliation(Table):
    """Each published figure beside the computed one."""

    figure_id: str = column("Identifies the published figure", "code", key=True)
    document: str = column("The publication it stands in", "code")
    scope: str = column("`national`, another scope, or the code of a force", "code")
    measure: str = shared.measure()
    breakdown: str = shared.breakdown()
    period: str = shared.period()
    published: float = column("The figure as published", "see the column unit")
    computed: float = column(
        "The figure as computed, unrounded; null where it cannot be",
        "see the column unit",
        nullable=True,
    )
    difference: float = column(
        "Computed minus published; null where not computed", "see the column unit", nullable=True
    )
    unit: str = column("Unit of published and computed", "code")
    qualifier: str = column("How the publication words the figure: exact, about, ...", "code")
    status: str = column("Result of the comparison", "code", isin=v.RECONCILIATION_STATUSES)
    source_issue: str = column(
        "Contradiction in the source that touches the figure; null where none is known",
        "code",
        nullable=True,
    )
    note: str = column("Why, in words; null where there is nothing to say", "text", nullable=True)


class ReturnsStatus(Table):
    """One row for each expected force: where its return stands."""

    force_code: str = shared.force_code(key=True)
    state: str = column("State of the force's return", "code", isin=v.STATES)
    receipt_id: str = shared.receipt_id(nullable=True)
    version: int = column(
        "Which of the force's receipts it is, from 1; null where none has come",
        "count",
        nullable=True,
        ge=1,
    )
    received_at: str = column(
        "When it was received, ISO 8601 in UTC; null where none has come", "time", nullable=True
    )
    sha256: str = shared.sha256(nullable=True)
    blocking: int = column("Blocking findings in the newest receipt", "count", ge=0)
    queries_open: int = column("Queries without an accepted answer", "count", ge=0)
    queries_answered: int = column("Queries with an accepted answer", "count", ge=0)
    notes: str = column("What else there is to know; null for nothing", "text", nullable=True)


class Findings(Table):
    """Everything found in the live and the newest receipt of each force, at the cell."""

    force_code: str = shared.force_code(nullable=True)
    receipt_id: str = shared.receipt_id()
    rule_id: str = column("The rule that found it", "code")
    severity: str = column(
        "; ".join(f"{code} = {text}" for code, text in v.SEVERITIES.items()),
        "code",
        isin=v.SEVERITIES,
    )
    sheet: str = shared.sheet(nullable=True)
    cell: str = shared.cell(nullable=True)
    row_code: str = shared.row_code(nullable=True)
    column_code: str = shared.column_code(nullable=True)
    value: str = column("What stands in the cell; null where nothing does", "text", nullable=True)
    message: str = column("What is wrong: observed against expected", "text")
    how_to_fix: str = column("What to do about it", "text")
    reason: str = column("The force's answer to a query; null without one", "text", nullable=True)
    accepted_by: str = column("Who accepted that answer; null without one", "text", nullable=True)


class Cells(Table):
    """Every live entry with its address: the leaves that all totals are sums of."""

    force_code: str = shared.force_code(key=True)
    receipt_id: str = shared.receipt_id(key=True)
    sha256: str = shared.sha256(key=True)
    sheet: str = shared.sheet(key=True)
    cell: str = shared.cell(key=True)
    row_code: str = shared.row_code(key=True)
    column_code: str = shared.column_code(key=True)
    value: str = column("The entry, as text in its plain form", "text")


class Corrections(Table):
    """Declared corrections that apply to live returns: the marts hold `to_value` in their place."""

    force_code: str = shared.force_code(key=True)
    sheet: str = shared.sheet(key=True)
    row_code: str = shared.row_code(key=True)
    column_code: str = shared.column_code(key=True)
    receipt_id: str = shared.receipt_id()
    cell: str = shared.cell()
    from_value: str = column("What the force sent", "text")
    to_value: str = column("What is read instead", "text")
    reason: str = column("Why", "text")
    owner: str = column("Who answers for it", "text")
    agreed_on: date = column("When the force agreed", "date")
