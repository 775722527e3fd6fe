"""All receipts and what stands in them as tables, and back."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
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
    store: RawStore, found: Iterable[DamagedReturn], lake: Lake, collection: Collection
) -> pl.DataFrame:
    """Return the table DamagedReceipts: the returns found, and all else that is damaged now.

    Whose a return was is told by what is left of it and by earlier releases.
    """
    receipts, told = store.receipts(), _released(lake)
    rows = []
    for item in found:
        force = store.force_of_damaged(item, collection)
        version = item.receipt.version if item.receipt else None
        unattributed, rejected = force is None, bool(item.receipt and item.receipt.quarantined)
        if item.receipt_id in told["receipt_id"]:
            about = told.filter(pl.col("receipt_id") == item.receipt_id).row(0, named=True)
            force = about["force_code"] if force in {None, UNKNOWN} else force
            unattributed, rejected = force is None, rejected or about["rejected"]
        if force and force != UNKNOWN and version is None:
            before = [r for r in receipts if r.sequence < (item.sequence or 0)]
            version = store.last_version(force, before, [], collection) + 1
        rows.append(
            {
                "kind": "return",
                "file": str(item.path.relative_to(lake.root)),
                "receipt_id": item.receipt_id,
                "sequence": item.sequence,
                "force_code": None if force == UNKNOWN else force,
                "version": version,
                "problem": item.problem,
                "can_count": not (unattributed or rejected),
            }
        )
    rows += _others(lake)
    return conform(DamagedReceipts, pl.DataFrame(rows, schema=empty(DamagedReceipts).schema))


def _others(lake: Lake) -> Iterator[dict[str, Any]]:
    """Yield what is damaged of all that is no return; the bytes of extracts are not looked at.

    They can be many; whoever counts from one looks at them. Whose a report was the table of report
    figures tells, or this one of the run before.
    """
    for item in case_versions(lake).damaged():
        yield {
            "kind": "extract",
            "file": str(item.path.relative_to(lake.root)),
            "receipt_id": item.receipt_id,
            "sequence": item.sequence,
            "force_code": item.receipt and item.receipt.force_code,
            "problem": item.problem,
            "can_count": False,
        }
    forces = _forces_of_reports(lake)
    kinds: tuple[Kind, ...] = ("extract", "research", "report")
    for each in (each for kind in kinds for each in kept(lake, kind)):
        receipt_id = each.sha256[:ID_LENGTH]
        if problem := None if each.path and each.kind == "extract" else each.damage():
            yield {
                "kind": each.kind,
                "file": str((each.path or each.at).relative_to(lake.root)),
                "receipt_id": receipt_id,
                "sequence": each.number or None,
                "force_code": forces.get(receipt_id) if each.kind == "report" else None,
                "problem": problem,
                "can_count": False,
            }


def _forces_of_reports(lake: Lake) -> dict[str, str]:
    tables = [empty(DamagedReceipts).select("receipt_id", "force_code")]
    with suppress(LakeError):  # what is damaged itself is about to be made anew
        before = damaged_now(lake).filter(pl.col("kind") == "report")
        tables.append(before.select("receipt_id", "force_code"))
    with suppress(OSError, pl.exceptions.PolarsError):
        figures = pl.read_parquet(lake.table("reports", "report_figures"))
        receipt_id = pl.col("sha256").str.head(ID_LENGTH).alias("receipt_id")
        tables.append(figures.select(receipt_id, "force_code"))
    return dict(pl.concat(tables).drop_nulls().iter_rows())


def _released(lake: Lake) -> pl.DataFrame:
    """Return what releases tell of receipts: receipt_id, force_code, and whether `rejected`."""
    schema = {"receipt_id": pl.String, "force_code": pl.String, "rejected": pl.Boolean}
    tables = [pl.DataFrame(schema=schema)]
    for release in lake.releases.glob("[!.]*"):
        with suppress(OSError, pl.exceptions.PolarsError):
            status = pl.read_parquet(release / "returns_status.parquet")
            found = pl.read_parquet(release / "findings.parquet")
            blocks = (pl.col("severity") == "B").alias("rejected")
            tables += [
                status.select("receipt_id", "force_code", rejected=pl.lit(value=False)),
                found.select("receipt_id", "force_code", blocks),
            ]
    every = pl.concat(tables).drop_nulls("receipt_id")
    return every.group_by("receipt_id").agg(
        pl.col("force_code").drop_nulls().first(), pl.col("rejected").any()
    )


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
