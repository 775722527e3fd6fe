"""All receipts and what stands in them as tables, and back."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.intake.raw_store import RawStore
from assets.intake.reading import Cell, Fact, RawSheet, Reading, RefusedError
from assets.intake.receipts import UNKNOWN, Damaged, DamagedReturn, case_versions
from assets.intake.store import ID_LENGTH, Kind, kept
from assets.lake import Lake
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.errors import LakeError
from schemas.rules.catalogue import CASES, rules_of
from schemas.tables import DamagedReceipts, RawCells, Receipts, SheetFacts

_PRESENT: Final = Fact("present", "")
"""A fact of every sheet, so that one without a cell is there too."""


@dataclass(frozen=True)
class RawTables:
    """All that has been received: tables of contracts Receipts, RawCells and SheetFacts.

    `damaged`: the receipts that are in none of them.
    """

    receipts: pl.DataFrame
    cells: pl.DataFrame
    facts: pl.DataFrame
    damaged: tuple[DamagedReturn, ...] = ()


def received(store: RawStore) -> RawTables:
    """Read every receipt's file and return all that stands in them."""
    receipts: list[dict[str, Any]] = []
    cells: list[tuple[Any, ...]] = []
    facts: list[tuple[str, ...]] = []
    damaged = store.damaged()
    for receipt in store.receipts():
        key = receipt.receipt_id
        try:
            reading = store.read(receipt)
        except LakeError as error:
            damaged.append(Damaged(error.path, error.problem, key, receipt.sequence, receipt))
            continue
        refusal = reading.refusal
        about = asdict(receipt)
        del about["modified_ns"]  # what follows from it is `tie`
        about["problem"] = refusal and refusal.problem
        about |= {"remedy": refusal and refusal.fix, "refused_by": refusal and refusal.rule_id}
        receipts.append(about)
        for sheet in reading.sheets:
            facts += [(key, sheet.name, *fact) for fact in (_PRESENT, *sheet.facts)]
            cells += [(key, sheet.name, *cell[:-1]) for cell in sheet.cells]
        facts += [(key, "", *fact) for fact in reading.facts]
    return RawTables(
        conform(Receipts, pl.DataFrame(receipts, schema=empty(Receipts).schema)),
        conform(RawCells, pl.DataFrame(cells, schema=empty(RawCells).schema, orient="row")),
        conform(SheetFacts, pl.DataFrame(facts, schema=empty(SheetFacts).schema, orient="row")),
        tuple(damaged),
    )


def readings(data: RawTables) -> dict[str, Reading]:
    """Return the readings that the tables stand for, by receipt_id: the reverse of `received`."""
    sheets: dict[str, dict[str, tuple[list[Cell], list[Fact]]]] = {}
    for key, sheet, *fact in data.facts.iter_rows():
        _, facts = sheets.setdefault(key, {}).setdefault(sheet, ([], []))
        facts += [Fact(*fact)] if fact[0] != _PRESENT.fact else []
    for key, sheet, *cell in data.cells.iter_rows():
        sheets[key][sheet][0].append(Cell(*cell))
    found = {}
    for receipt in data.receipts.iter_rows(named=True):
        key, refusal = receipt["receipt_id"], None
        if receipt["problem"]:
            refusal = RefusedError(receipt["problem"], receipt["remedy"], receipt["refused_by"])
        mine = sheets.get(key, {})
        _, about = mine.pop("", ([], []))
        parts = (
            RawSheet(name, tuple(sorted(cells)), tuple(sorted(facts)))
            for name, (cells, facts) in mine.items()
        )
        found[key] = Reading(tuple(parts), tuple(sorted(about)), refusal)
    return found


def damaged_receipts(
    store: RawStore, found: Sequence[DamagedReturn], lake: Lake, collection: Collection
) -> pl.DataFrame:
    """Return the table DamagedReceipts: the returns found, and all else that is damaged now.

    Whose a return was is told by what is left of it and by earlier releases, whose a report was by
    the table of report figures, or by this one of the run before. The bytes of extracts are not
    looked at: they can be many, and whoever counts from one looks at them.
    """
    receipts = store.receipts()
    told = _released(lake) if found else {}
    rows = []
    for item in found:
        force, rejected = store.force_of_damaged(item, collection), False
        if item.receipt_id and item.receipt_id in told:
            before, rejected = told[item.receipt_id]
            force = before if force in {None, UNKNOWN} else force
        version = item.receipt and item.receipt.version
        if force and force != UNKNOWN and version is None:
            earlier = [r for r in receipts if r.sequence < (item.sequence or 0)]
            version = store.last_version(force, earlier, [], collection) + 1
        rejected |= bool(item.receipt and item.receipt.quarantined)
        row = _row("return", item.path, item.receipt_id, item.sequence, item.problem, lake)
        code = None if force == UNKNOWN else force
        can_count = force is not None and not rejected
        rows.append({**row, "force_code": code, "version": version, "can_count": can_count})
    for version_of in case_versions(lake).damaged():
        at = version_of.path, version_of.receipt_id, version_of.sequence
        row = _row("extract", *at, version_of.problem, lake)
        rows.append({**row, "force_code": version_of.receipt and version_of.receipt.force_code})
    kinds: tuple[Kind, ...] = ("extract", "research", "report")
    for each in (each for kind in kinds for each in kept(lake, kind)):
        if problem := None if each.path and each.kind == "extract" else each.damage():
            at = each.path or each.at, each.sha256[:ID_LENGTH], each.number or None
            force = _force_of_report(lake, at[1]) if each.kind == "report" else None
            rows.append({**_row(each.kind, *at, problem, lake), "force_code": force})
    return conform(DamagedReceipts, pl.DataFrame(rows, schema=empty(DamagedReceipts).schema))


def _row(
    kind: Kind, path: Path, receipt_id: str | None, sequence: int | None, problem: str, lake: Lake
) -> dict[str, Any]:
    return {
        "kind": kind,
        "file": str(path.relative_to(lake.root)),
        "receipt_id": receipt_id,
        "sequence": sequence,
        "problem": problem,
        "can_count": False,
    }


def _force_of_report(lake: Lake, receipt_id: str) -> str | None:
    codes: list[str] = []
    with suppress(LakeError):  # what is damaged itself is about to be made anew
        before = damaged_now(lake).filter(kind="report", receipt_id=receipt_id)
        codes += before["force_code"].drop_nulls().to_list()
    with suppress(OSError, pl.exceptions.PolarsError):
        figures = pl.read_parquet(lake.table("reports", "report_figures"))
        codes += figures.filter(pl.col("sha256").str.starts_with(receipt_id))[
            "force_code"
        ].to_list()
    return next(iter(codes[::-1]), None)


def _released(lake: Lake) -> dict[str | None, tuple[str | None, bool]]:
    """Return what releases tell of receipts, by receipt_id: whose, and whether it was rejected."""
    told: dict[str | None, tuple[str | None, bool]] = {}
    for release in lake.releases.glob("[!.]*"):
        with suppress(OSError, pl.exceptions.PolarsError):
            status = pl.read_parquet(release / "returns_status.parquet")
            # Not those of an extract: a workbook among the extracts says nothing of the return.
            of_extracts = pl.col("rule_id").is_in([*rules_of(CASES)])
            found = pl.read_parquet(release / "findings.parquet").filter(~of_extracts)
            blocks = found.select("receipt_id", "force_code", pl.col("severity") == "B")
            states = status.select("receipt_id", "force_code", pl.lit(value=False))
            for receipt_id, force, rejected in states.rows() + blocks.rows():
                before, was_rejected = told.get(receipt_id, (None, False))
                told[receipt_id] = before or force, was_rejected or rejected
    return told


def damaged_now(lake: Lake) -> pl.DataFrame:
    """Return the table DamagedReceipts of the last run; a lake without one has none.

    Raises:
        LakeError: the table is damaged; a run makes it anew.
    """
    path = lake.table("intake", "damaged_receipts")
    if not path.exists():
        return empty(DamagedReceipts)
    try:
        table = pl.read_parquet(path, glob=False)
        if "kind" not in table.columns:  # as in a table of an earlier release
            table = table.with_columns(pl.lit("return").alias("kind"))
        # Of another type, a column is damaged too.
        return table.select(empty(DamagedReceipts).columns).match_to_schema(
            empty(DamagedReceipts).schema
        )
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # The words of another program could quote what stands in the table.
        problem = f"is damaged ({type(error).__name__})"
        raise LakeError(path, problem, "muster run makes it anew.") from error
