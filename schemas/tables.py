"""Contracts of the tables between the stages; analysts read marts/ instead."""

from datetime import date
from typing import Final

from schemas import columns as shared
from schemas import vocabulary as v
from schemas.cases.tables import Extracts
from schemas.contract import Contract, Table, column
from schemas.research_in_use import (
    InstancesInUse,
    ProfilesInUse,
    ResearchFiles,
    ResearchProblems,
    ResponsesInUse,
)


class Receipts(Table):
    """Every file received for a collection, in order of receipt."""

    receipt_id: str = shared.receipt_id(key=True)
    sequence: int = column("Order of receipt in the collection, from 1", "count", ge=1)
    sha256: str = shared.sha256()
    size: int = column("Size of the file", "bytes", ge=0)
    file_name: str = column("Name under which the file was dropped", "text")
    received_at: str = column("When it was received, ISO 8601 in UTC", "time")
    force_code: str = shared.force_code(nullable=True)
    version: int = column(
        "Which of the force's receipts it is, from 1; null where the force cannot be told",
        "count",
        nullable=True,
        ge=1,
    )
    quarantined: bool = column("Whether its bytes lie in quarantine", "true or false")
    tie: str = column(
        "What those receipts of the force have in common that waited together with one time of"
        " modification, so that arrival does not order them; null for the others",
        "code",
        nullable=True,
    )
    problem: str = column("Why it cannot be read; null where it can", "text", nullable=True)
    remedy: str = column("What to do about that; null where it can be read", "text", nullable=True)
    refused_by: str = column("Rule that refuses it; null where none does", "code", nullable=True)


KINDS_RECEIVED = ("return", "extract", "research", "report")


class DamagedReceipts(Table):
    """What was received and nothing can be computed from: something of it is damaged or gone."""

    file: str = column("What is damaged or gone, by its path in the lake", "text", key=True)
    kind: str = column(
        "What it is of: return, extract, research, report", "code", isin=KINDS_RECEIVED
    )
    receipt_id: str = column("The receipt; null where nothing tells it", "code", nullable=True)
    sequence: int = column(
        "Its order of receipt, by its name; null where that tells none",
        "count",
        nullable=True,
        ge=1,
    )
    force_code: str = shared.force_code(nullable=True)
    version: int = column(
        "Which of the force's receipts it was; null where that cannot be told",
        "count",
        nullable=True,
        ge=1,
    )
    problem: str = column("What is wrong", "text")
    can_count: bool = column(
        "Whether it may be a return that counts, so that no release is made; false for what was"
        " refused or rejected, and for what is no receipt by its name",
        "true or false",
    )


class RawCells(Table):
    """Every filled cell of every received file, as it stands there."""

    receipt_id: str = shared.receipt_id(key=True)
    sheet: str = shared.sheet(key=True)
    row_number: int = column("Row of the cell, from 1", "count", key=True, ge=1)
    column_number: int = column("Column of the cell, from 1", "count", key=True, ge=1)
    text: str = column("What stands in the cell", "text")
    kind: str = column(
        "What kind of cell it is; rich: in several formats, struck out, raised or lowered; odd:"
        " stored as no spreadsheet program does",
        "code",
        isin=("text", "number", "percent", "boolean", "date", "error", "formula", "rich", "odd"),
    )
    doubt: str = column(
        "What the cell holds instead of a plain value, as a count, date or answer may not; null"
        " for a plain value",
        "text",
        nullable=True,
    )


class SheetFacts(Table):
    """What the sheets of a received file are like, beyond the values of their cells."""

    receipt_id: str = shared.receipt_id(key=True)
    sheet: str = column("Sheet it is about; empty for the workbook", "code", key=True)
    fact: str = column(
        "present (once for every sheet), formula, uncalculated, merged, hidden_..., or of the"
        " workbook: external_links",
        "code",
        key=True,
    )
    place: str = column("Cell, range or row it is about; empty for the sheet", "code", key=True)


class Entries(Table):
    """Every entry of the template found in a received file, with its typed value."""

    receipt_id: str = shared.receipt_id(key=True)
    sheet: str = shared.sheet(key=True)
    row_code: str = shared.row_code(key=True)
    column_code: str = shared.column_code(key=True)
    cell: str = shared.cell()
    value: str = column(
        "The entry in its plain form; null where it could not be typed", "text", nullable=True
    )
    number: int = column(
        "The entry as a number; null where it is none", "count", nullable=True, ge=0
    )
    missing: str = column(
        "`not_held` or `not_applicable`; null where a value is given",
        "code",
        nullable=True,
        isin=v.MISSING_REASONS,
    )


class AllFindings(Table):
    """Everything found in every received file, current or not."""

    receipt_id: str = shared.receipt_id()
    rule_id: str = column("The rule that found it", "code")
    severity: str = column("B, Q or N", "code", isin=v.SEVERITIES)
    sheet: str = shared.sheet(nullable=True)
    cell: str = shared.cell(nullable=True)
    row_code: str = shared.row_code(nullable=True)
    column_code: str = shared.column_code(nullable=True)
    value: str = column("What stands in the cell; null where nothing does", "text", nullable=True)
    message: str = column("What is wrong: observed against expected", "text")
    how_to_fix: str = column("What to do about it", "text")


class RuleResults(Table):
    """How each rule ended on each received file.

    A rule whose cells could not be read or typed is not evaluable: neither passed nor failed.
    """

    receipt_id: str = shared.receipt_id(key=True)
    rule_id: str = column("The rule", "code", key=True)
    result: str = column("How it ended", "code", isin=v.RULE_RESULTS)


class Answers(Table):
    """The newest answer to each query, and who accepted it.

    An answer holds for a finding while the cell has the value that was answered for.
    """

    query_id: str = column(
        "Identifies the query in its collection: force, rule, place", "code", key=True
    )
    force_code: str = shared.force_code()
    rule_id: str = column("The rule that asks", "code")
    sheet: str = shared.sheet(nullable=True)
    row_code: str = shared.row_code(nullable=True)
    column_code: str = shared.column_code(nullable=True)
    answered_for: str = column("Value of the cell, or the finding's message without one", "text")
    reason: str = column("The reason that was given", "text")
    answered_by: str = column("Who recorded it", "text")
    accepted_by: str = column("Who accepted it; null while nobody has", "text", nullable=True)


class Choices(Table):
    """The version of a return that somebody went back to; a newer one overrides it."""

    force_code: str = shared.force_code(key=True)
    version: int = column("The version chosen", "count", ge=1)
    up_to: int = column("The newest version at the time of the choice", "count", ge=1)
    reason: str = column("Why", "text")
    decided_by: str = column("Who decided it", "text")


class Corrections(Table):
    """Declared corrections of single cells, agreed with the force."""

    force_code: str = shared.force_code(key=True)
    sheet: str = shared.sheet(key=True)
    row_code: str = shared.row_code(key=True)
    column_code: str = shared.column_code(key=True)
    from_value: str = column("What the return must hold for the correction to apply", "text")
    to_value: str = column("What is read instead", "text")
    reason: str = column("Why", "text")
    owner: str = column("Who answers for it", "text")
    agreed_on: date = column("When the force agreed", "date")


class AppliedCorrections(Table):
    """Corrections that were applied to a received file, at the cell."""

    receipt_id: str = shared.receipt_id(key=True)
    sheet: str = shared.sheet(key=True)
    row_code: str = shared.row_code(key=True)
    column_code: str = shared.column_code(key=True)
    cell: str = shared.cell()


class VersionChanges(Table):
    """What each resubmission changed, cell by cell, against the version before it."""

    force_code: str = shared.force_code(key=True)
    version: int = column("The resubmission", "count", key=True, ge=2)
    sheet: str = shared.sheet(key=True)
    row_code: str = shared.row_code(key=True)
    column_code: str = shared.column_code(key=True)
    cell: str = column("Address in the resubmission; null where it is gone", "code", nullable=True)
    before: str = column("Value in the version before; null for none", "text", nullable=True)
    after: str = column("Value in the resubmission; null for none", "text", nullable=True)


class ReportFigures(Table):
    """Every figure read out of a published force report."""

    file_name: str = column("Name of the report's file", "text", key=True)
    sha256: str = shared.sha256(key=True)
    measure: str = shared.measure(key=True)
    breakdown: str = shared.breakdown(key=True)
    force_code: str = shared.force_code()
    value: float = column("The figure", "see the column unit")
    unit: str = column("Unit of the value", "code")
    line: int = column("Line of the text it was read from, from 1", "count", ge=1)


class LiveReturns(Table):
    """The returns that totals are built from: the newest acceptable one of each force."""

    force_code: str = shared.force_code(key=True)
    receipt_id: str = shared.receipt_id()
    sha256: str = shared.sha256()
    basis: str = shared.basis()
    provisional: bool = column("Whether the return has open queries", "true or false")


class LiveEntries(Table):
    """Every entry of the live returns, and nothing else: the one input of all totals."""

    force_code: str = shared.force_code(key=True)
    sheet: str = shared.sheet(key=True)
    row_code: str = shared.row_code(key=True)
    column_code: str = shared.column_code(key=True)
    receipt_id: str = shared.receipt_id()
    sha256: str = shared.sha256()
    cell: str = shared.cell()
    value: str = column("The entry in its plain form", "text")
    number: int = column(
        "The entry as a number; null where it is none", "count", nullable=True, ge=0
    )
    basis: str = shared.basis()
    provisional: bool = column("Whether the return has open queries", "true or false")


TABLES: Final[dict[str, Contract]] = {
    "intake/receipts": Receipts,
    "intake/damaged_receipts": DamagedReceipts,
    "intake/raw_cells": RawCells,
    "intake/sheet_facts": SheetFacts,
    "reports/report_figures": ReportFigures,
    "research/social_media_profiles": ProfilesInUse,
    "research/social_media_instances": InstancesInUse,
    "research/survey_responses": ResponsesInUse,
    "research/research_files": ResearchFiles,
    "research/research_problems": ResearchProblems,
    "cases/extracts": Extracts,
    "desk/answers": Answers,
    "desk/choices": Choices,
    "desk/corrections": Corrections,
    "validation/entries": Entries,
    "validation/all_findings": AllFindings,
    "validation/rule_results": RuleResults,
    "validation/applied_corrections": AppliedCorrections,
    "validation/version_changes": VersionChanges,
    "validation/live_returns": LiveReturns,
    "validation/live_entries": LiveEntries,
}
"""The tables by stage and name."""
