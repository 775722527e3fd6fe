"""What the lake says now, read so that a run in between does no harm.

Belongs here: reading. Does not: deciding what is wrong (returns.py). What a run is just making
anew, or was killed while making, is not looked at: then nothing is said to be wrong, nor over.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Final

import polars as pl

from assets.cases.refused import nobodys_extracts, refused_extracts
from assets.desk.ledger import Ledger
from assets.desk.queries import queries, read_answers
from assets.intake.landing import waiting
from assets.intake.quarantine import name_as_text
from assets.lake import Lake
from assets.validation.standing import standing
from assets.validation.states import judged_receipts, returns_status
from pipelines.alerts import returns
from pipelines.alerts.condition import Condition
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.tables import Choices, Receipts

_RESULTS: Final = ("validation", "rule_results")
_NEEDED: Final = (
    _RESULTS,
    ("intake", "receipts"),
    ("validation", "all_findings"),
    ("validation", "entries"),
    ("cases", "extracts"),
)


def look(lake: Lake, collection: Collection, today: date) -> dict[str, Condition | None]:
    """Return each kind of condition of a collection's data that can be told now, None for not.

    Raises:
        LakeError: a decision or a table cannot be read.
    """
    try:
        return {
            **_of_figures(lake, collection),
            **_of_research(lake, collection),
            **_of_returns(lake, collection, today),
        }
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        raise LakeError(
            lake.work, f"cannot be read ({type(error).__name__})", "See muster doctor."
        ) from error


def _of_figures(lake: Lake, collection: Collection) -> dict[str, Condition | None]:
    path = lake.marts.resolve() / "reconciliation.parquet"
    if not path.exists():
        return {}
    return {"figures-differ": returns.differing(pl.read_parquet(path), collection)}


def _of_research(lake: Lake, collection: Collection) -> dict[str, Condition | None]:
    path = lake.table("research", "research_problems")
    if not path.exists():
        return {}
    return {"research-refused": returns.research(pl.read_parquet(path), collection)}


def _of_returns(lake: Lake, collection: Collection, today: date) -> dict[str, Condition | None]:
    if not lake.raw.exists():
        if not collection.is_open(today):
            return {}  # a collection that is not run here
        nothing = returns_status(_nothing_received(), collection)
        return {"forces-late": returns.late(nothing, collection, today)}
    if not all(lake.table(*table).exists() for table in _NEEDED):
        return {}
    # Read first: a run writes this table after the findings, so they are at least as new.
    validated = set(pl.read_parquet(lake.table(*_RESULTS))["receipt_id"])
    now = standing(lake)
    if set(now.receipts["receipt_id"]) != validated:
        return {}
    findings = now.current_findings()
    asked = queries(findings, read_answers(Ledger(lake)))
    nobodys = [
        *_nobodys(lake, now.receipts, findings),
        *_unopened(lake),
        *(f"case extract {receipt}, force unknown" for receipt in nobodys_extracts(lake)),
    ]
    refused = refused_extracts(pl.read_parquet(lake.table("cases", "extracts")))
    return {
        "returns-rejected": returns.rejected(now.judged, findings, refused, nobodys, collection),
        "queries-overdue": returns.overdue(asked, collection, today),
        "forces-late": returns.late(now.status(collection), collection, today),
    }


def _nothing_received() -> pl.DataFrame:
    findings = pl.DataFrame(
        schema=dict.fromkeys(("receipt_id", "severity", "accepted_by"), pl.String)
    )
    return judged_receipts(empty(Receipts), findings, empty(Choices))


def _nobodys(lake: Lake, receipts: pl.DataFrame, findings: pl.DataFrame) -> Iterator[str]:
    """Tell of each file of no known force that still lies in landing under its name.

    Replacing the file or taking it away is how somebody deals with it.
    """
    newest = pl.col("sequence") == pl.col("sequence").max().over("file_name")
    present = pl.col("file_name").is_in(_names_in_landing(lake))
    lost = receipts.filter(newest & present & pl.col("force_code").is_null())
    for receipt in lost.sort("sequence")["receipt_id"]:
        of_file = findings.filter(pl.col("receipt_id") == receipt, pl.col("severity") == "B")
        yield f"receipt {receipt}, force unknown ({returns.by_rule(of_file)})"


def _unopened(lake: Lake) -> Iterator[str]:
    """Tell of each entry of landing that was refused unopened, and so has no receipt."""
    names = _names_in_landing(lake)
    for path in sorted(lake.quarantine.glob("unread-*.json")):
        why = json.loads(path.read_text(encoding="utf-8"))
        if why["file_name"] in names:
            yield f"{path.stem} in quarantine, not opened ({why['rule_id']})"


def _names_in_landing(lake: Lake) -> list[str]:
    return [name_as_text(path.name) for path in waiting(lake.landing).files]
