"""All receipts and what stands in them as tables, and back.

Belongs here: the form in which raw readings pass from intake to validation.
"""

from dataclasses import asdict, dataclass

import polars as pl

from assets.intake.raw_store import RawStore
from assets.intake.reading import Reading, RefusedError, reading_of
from schemas.contract import conform, empty
from schemas.tables import RawCells, Receipts, SheetFacts


@dataclass(frozen=True)
class RawTables:
    """All that has been received: tables of contracts Receipts, RawCells and SheetFacts."""

    receipts: pl.DataFrame
    cells: pl.DataFrame
    facts: pl.DataFrame


def received(store: RawStore) -> RawTables:
    """Read every receipt's file and return all that stands in them.

    Raises:
        LakeError: a raw file is gone or no longer what was received.
    """
    rows, cells, facts = [], [empty(RawCells)], [empty(SheetFacts)]
    for receipt in store.receipts():
        reading = store.read(receipt)
        refusal = reading.refusal
        refused = {
            "problem": refusal and refusal.problem,
            "remedy": refusal and refusal.fix,
            "refused_by": refusal and refusal.rule_id,
        }
        rows.append({**asdict(receipt), **refused})
        receipt_id = pl.lit(receipt.receipt_id).alias("receipt_id")
        cells.append(reading.cells_frame().select(receipt_id, pl.all()))
        facts.append(reading.facts_frame().select(receipt_id, pl.all()))
    return RawTables(
        conform(Receipts, pl.DataFrame(rows, schema=empty(Receipts).schema)),
        conform(RawCells, pl.concat(cells)),
        conform(SheetFacts, pl.concat(facts)),
    )


def readings(data: RawTables) -> dict[str, Reading]:
    """Return the readings that the tables stand for, by receipt_id: the reverse of `received`."""
    by_receipt = {
        name: {
            str(key): frame
            for (key,), frame in table.partition_by("receipt_id", as_dict=True).items()
        }
        for name, table in (("cells", data.cells), ("facts", data.facts))
    }
    no_cells, no_facts = empty(RawCells), empty(SheetFacts)
    found = {}
    for receipt in data.receipts.iter_rows(named=True):
        key = receipt["receipt_id"]
        if receipt["problem"]:
            refusal = RefusedError(receipt["problem"], receipt["remedy"], receipt["refused_by"])
            found[key] = Reading(refusal=refusal)
        else:
            cells = by_receipt["cells"].get(key, no_cells)
            found[key] = reading_of(cells, by_receipt["facts"].get(key, no_facts))
    return found
