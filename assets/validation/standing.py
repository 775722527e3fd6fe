"""Where returns stand by the tables between the stages, now or at an earlier moment.

Belongs here: reading those tables for commands that answer at once, without a run.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from assets.cases import derived
from assets.desk.ledger import Ledger
from assets.desk.queries import read_answers
from assets.desk.versions import read_choices
from assets.intake.tables import damaged_now
from assets.lake import Lake
from assets.validation import states
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.tables import TABLES


@dataclass(frozen=True)
class Standing:
    """`findings`: every finding with its answer; `judged`: every receipt with its counts.

    `extracts`: table Extracts. `damaged`: table DamagedReceipts.
    """

    receipts: pl.DataFrame
    entries: pl.DataFrame
    findings: pl.DataFrame
    judged: pl.DataFrame
    extracts: pl.DataFrame
    damaged: pl.DataFrame

    def status(self, collection: Collection) -> pl.DataFrame:
        """Return the mart ReturnsStatus of this moment."""
        status = states.returns_status(self.judged, collection)
        only = derived.only_rows(self.extracts, self.receipts, self.damaged)
        return _damage_told(derived.told_in_status(status, only, self.extracts), self.damaged)

    def current_findings(self) -> pl.DataFrame:
        """Return the mart Findings of this moment."""
        return states.findings_mart(self.judged, self.findings)


def _damage_told(status: pl.DataFrame, damaged: pl.DataFrame) -> pl.DataFrame:
    """Note with each force which of its versions are damaged, and so in no state."""
    versions = (
        damaged.filter(pl.col("can_count"))
        .drop_nulls("force_code")
        .sort("version")
        .group_by("force_code")
        .agg(pl.col("version").cast(pl.String).str.join(" and ").alias("lost"))
    )
    told = status.join(versions, on="force_code", how="left", maintain_order="left")
    note = pl.format("version {} is damaged in the raw store: see muster doctor", "lost")
    both = pl.concat_str("notes", note, separator="; ", ignore_nulls=True)
    lost = pl.col("lost").is_not_null()
    return told.with_columns(notes=pl.when(lost).then(both).otherwise("notes")).drop("lost")


def standing(lake: Lake, until: datetime | None = None) -> Standing:
    """Return where returns stand, by what the last run read and the desk has decided since.

    Args:
        lake: the lake.
        until: leave out what was received or decided after this moment; None for nothing.

    Raises:
        LakeError: nothing has been run yet, or what was written then is damaged.
    """
    receipts, findings, entries, extracts = (
        work_table(lake, stage, name)
        for stage, name in (
            ("intake", "receipts"),
            ("validation", "all_findings"),
            ("validation", "entries"),
            ("cases", "extracts"),
        )
    )
    if until:
        at = pl.col("received_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%z")
        receipts, extracts = (t.filter(at <= until.astimezone(UTC)) for t in (receipts, extracts))
        findings = findings.join(receipts, on="receipt_id", how="semi")
    ledger = Ledger(lake, until=until)
    found = states.answered_findings(findings, receipts, read_answers(ledger))
    judged = states.judged_receipts(receipts, found, read_choices(ledger))
    return Standing(receipts, entries, found, judged, extracts, damaged_now(lake))


def read_table(path: Path, schema: pl.Schema | None = None) -> pl.DataFrame:
    """Return a table between the stages, held to its schema where one is given.

    Raises:
        LakeError: it is not there yet, or is damaged; a run makes it anew.
    """
    if not os.path.lexists(path):
        raise LakeError(path, "is not there yet", "Drop returns in landing and: muster run")
    problem, table = "", pl.DataFrame()
    try:
        if path.is_file():
            table = pl.read_parquet(path, glob=False)
        else:
            problem = "it is no file"
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # The words of another program could quote what stands in the table.
        problem = type(error).__name__
    if not problem and schema is not None and table.schema != schema:
        problem = "it has other columns than it was written with"
    if problem:
        raise LakeError(path, f"is damaged ({problem})", "muster run makes it anew.")
    return table


def work_table(lake: Lake, stage: str, name: str) -> pl.DataFrame:
    """Return a table of TABLES that the last run wrote.

    Raises:
        LakeError: nothing has been run yet, or the table is damaged.
    """
    return read_table(lake.table(stage, name), empty(TABLES[f"{stage}/{name}"]).schema)
