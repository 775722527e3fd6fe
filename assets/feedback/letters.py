"""Who gets a letter, and what about: the facts of each letter.

Belongs here: from the states of returns and their findings to letters. Does not: how a letter is
worded (wording.py) or looks (html.py).
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from assets.feedback.problems import Problem, grouped
from assets.intake.attribution import cover_values
from assets.intake.raw_store import RawStore
from assets.intake.store import ReturnReceipt
from schemas.collection import Collection
from schemas.finding import Finding, findings_frame
from schemas.rules.catalogue import UNORDERED
from schemas.template import Template

Situation = Literal["missing", "rejected", "resubmission_rejected", "queried"]

_FINDING: Final = findings_frame([]).columns


@dataclass(frozen=True)
class Sent:
    """The return that a letter is about.

    `findings` are what the force has to do with it; `live_version` is the version that counts,
    null where none does.
    """

    receipt: ReturnReceipt
    live_version: int | None
    basis: str | None
    findings: tuple[Finding, ...]
    template: Template

    def problems(self, severity: str) -> list[Problem]:
        """Return the problems of a severity."""
        found = (item for item in self.findings if item.severity == severity)
        return grouped(found, self.template)


@dataclass(frozen=True)
class Letter:
    """What one force is told; `sent` is null where no return has come from it.

    `note` says what else did come, null for nothing.
    """

    force_code: str
    situation: Situation
    collection: Collection
    written_on: date
    sent: Sent | None = None
    note: str | None = None

    @property
    def force_name(self) -> str:
        """The force's full name."""
        names = dict(self.collection.bodies.select("force_code", "full_name").iter_rows())
        return str(names[self.force_code])

    @property
    def attachment(self) -> str:
        """Name of the workbook that goes with the letter."""
        return f"{self.force_code}-{'marked' if self.sent else 'blank'}.xlsx"


@dataclass(frozen=True)
class Stranger:
    """A received file whose force cannot be told, what is wrong with it, and where it lies."""

    receipt: ReturnReceipt
    problems: tuple[Problem, ...]
    lies_at: Path


def strangers(findings: pl.DataFrame, store: RawStore, collection: Collection) -> list[Stranger]:
    """Return the files that are nobody's, in order of receipt; nobody gets a letter about them.

    Args:
        findings: mart Findings.
        store: the raw store.
        collection: the collection.
    """
    found = []
    for receipt in store.receipts():
        mine = findings.filter(
            pl.col("force_code").is_null(), pl.col("receipt_id") == receipt.receipt_id
        )
        if mine.height:
            problems = tuple(grouped(_findings(mine), collection.template))
            found.append(Stranger(receipt, problems, store.path(receipt)))
    return found


def letters(
    status: pl.DataFrame,
    findings: pl.DataFrame,
    store: RawStore,
    collection: Collection,
    today: date,
) -> list[Letter]:
    """Return a letter for each force that has something to do, in the order of `status`.

    A query that has its reason waits for the data team, not for the force.

    Args:
        status: mart ReturnsStatus.
        findings: mart Findings.
        store: the raw store, which has the returns that the letters are about.
        collection: the collection.
        today: the day the letters are written on.

    Raises:
        LakeError: a raw file is gone, or no longer what was received.
    """
    answered = (pl.col("severity") == "Q") & pl.col("reason").is_not_null()
    to_do = findings.filter(~answered)
    receipts = {receipt.receipt_id: receipt for receipt in store.receipts()}
    written = []
    for row in status.iter_rows(named=True):
        mine = to_do.filter(pl.col("force_code") == row["force_code"])
        situation, receipt_id = _situation(row, mine)
        if situation is None:
            continue
        sent = None
        if receipt_id is not None:
            live_version = None if situation == "rejected" else row["version"]
            about = mine.filter(pl.col("receipt_id") == receipt_id)
            sent = Sent(
                receipts[receipt_id],
                live_version,
                cover_values(store.read(receipts[receipt_id])).get("basis"),
                tuple(_findings(about)),
                collection.template,
            )
        note = None if sent else row["notes"]
        written.append(Letter(row["force_code"], situation, collection, today, sent, note))
    return written


def _situation(row: dict[str, Any], findings: pl.DataFrame) -> tuple[Situation | None, str | None]:
    """Return what there is to say to a force, if anything, and about which receipt.

    Only the newest receipt can have blocking findings here: one that has any is never live.
    """
    if row["state"] == "missing":
        return "missing", None
    blocked = findings.filter(pl.col("severity") == "B")
    if blocked.height:
        rejected: Situation = "rejected" if row["state"] == "rejected" else "resubmission_rejected"
        return rejected, blocked["receipt_id"][0]
    queries = findings.filter(pl.col("severity") == "Q")
    if unordered := queries.filter(pl.col("rule_id") == UNORDERED)["receipt_id"].to_list():
        return "queried", unordered[0]
    if queries.filter(pl.col("receipt_id") == row["receipt_id"]).height:
        return "queried", row["receipt_id"]
    return None, None


def _findings(mart: pl.DataFrame) -> list[Finding]:
    return [Finding(**row) for row in mart.select(_FINDING).iter_rows(named=True)]
