"""All receipts as a table, what stands in them, and what is damaged."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, NamedTuple

import polars as pl

from assets.intake.raw_store import RawStore
from assets.intake.reading import Reading
from assets.intake.receipts import UNKNOWN, Damaged, DamagedReturn, R, case_versions
from assets.intake.store import ID_LENGTH, Kind, kept
from assets.lake import Lake
from assets.tables import work_table
from schemas.conform import conform
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.rules.catalogue import CASES, rules_of
from schemas.tables import DamagedReceipts, Receipts


class AllReceipts(NamedTuple):
    """The table Receipts, and the receipts of returns that are not in it since they are damaged."""

    receipts: pl.DataFrame
    damaged: tuple[DamagedReturn, ...]


def received(store: RawStore) -> AllReceipts:
    """Read every receipt's file, and return all receipts with why a file was refused."""
    receipts: list[dict[str, Any]] = []
    damaged = store.damaged()
    for receipt in store.receipts():
        try:
            refusal = store.read(receipt).refusal
        except LakeError as error:
            damaged.append(Damaged.of(error.path, error.problem, receipt))
            continue
        about = asdict(receipt)
        del about["modified_ns"]  # what follows from it is `tie`
        about["problem"] = refusal and refusal.problem
        about |= {"remedy": refusal and refusal.fix, "refused_by": refusal and refusal.rule_id}
        receipts.append(about)
    table = pl.DataFrame(receipts, schema=empty(Receipts).schema)
    return AllReceipts(conform(Receipts, table), tuple(damaged))


def readings(lake: Lake, receipts: pl.DataFrame) -> dict[str, Reading]:
    """Return what stands in the files of the table Receipts, by receipt_id.

    Raises:
        LakeError: a file is damaged since that table was made.
    """
    store, known = RawStore(lake), {*receipts["receipt_id"]}
    return {r.receipt_id: store.read(r) for r in store.receipts() if r.receipt_id in known}


def damaged_receipts(found: Sequence[DamagedReturn], lake: Lake) -> pl.DataFrame:
    """Return the table DamagedReceipts: the returns found, and all else that is damaged now.

    Whose a report was is told by the table of report figures, or by this one of the run before. The
    bytes of extracts are not looked at: they can be many, and whoever counts from one looks.
    """
    rejected = _rejected(lake) if found else set()
    rows = []
    for item in found:
        can_count = item.force_code is not None and item.receipt_id not in rejected
        more = {"version": item.version, "can_count": can_count}
        rows.append(_row("return", item, lake) | more)
    rows += [_row("extract", item, lake) for item in case_versions(lake).damaged()]
    kinds: tuple[Kind, ...] = ("extract", "research", "report")
    for each in (each for kind in kinds for each in kept(lake, kind)):
        if problem := None if each.path and each.kind == "extract" else each.damage():
            receipt_id = each.sha256[:ID_LENGTH]
            force = _force_of_report(lake, receipt_id) if each.kind == "report" else None
            at = each.place, problem, receipt_id or None, each.number or None, force
            rows.append(_row(each.kind, Damaged(*at), lake))
    return conform(DamagedReceipts, pl.DataFrame(rows, schema=empty(DamagedReceipts).schema))


def _row(kind: Kind, item: Damaged[R], lake: Lake) -> dict[str, Any]:
    return {
        "kind": kind,
        "file": str(item.path.relative_to(lake.root)),
        "receipt_id": item.receipt_id,
        "sequence": item.sequence,
        "force_code": None if item.force_code == UNKNOWN else item.force_code,
        "problem": item.problem,
        "can_count": False,
    }


def _force_of_report(lake: Lake, receipt_id: str) -> str | None:
    codes: list[str] = []
    with suppress(LakeError):  # what is damaged itself is about to be made anew
        before = damaged_now(lake).filter(kind="report", receipt_id=receipt_id)
        codes += before["force_code"].drop_nulls().to_list()
    with suppress(OSError, pl.exceptions.PolarsError):
        figures = pl.read_parquet(lake.table("reports/report_figures"))
        codes += figures.filter(pl.col("sha256").str.starts_with(receipt_id))[
            "force_code"
        ].to_list()
    return next(iter(codes[::-1]), None)


def _rejected(lake: Lake) -> set[str]:
    """Return the returns that a release tells to have been rejected, by receipt_id."""
    rejected: set[str] = set()
    # Not those of an extract: a workbook among the extracts says nothing of the return.
    of_returns = ~pl.col("rule_id").is_in([*rules_of(CASES)])
    for release in lake.releases.glob("[!.]*"):
        with suppress(OSError, pl.exceptions.PolarsError):
            found = pl.read_parquet(release / "findings.parquet").filter(of_returns, severity="B")
            rejected |= {*found["receipt_id"]}
    return rejected


def damaged_now(lake: Lake) -> pl.DataFrame:
    """Return the table DamagedReceipts of the last run; a lake without one has none.

    Raises:
        LakeError: the table is damaged; a run makes it anew.
    """
    there = lake.table("intake/damaged_receipts").exists()
    return work_table(lake, "intake/damaged_receipts") if there else empty(DamagedReceipts)
