"""What the lake says now, read so that a run in between does no harm.

Belongs here: reading. Does not: deciding what is wrong (returns.py). What a run is just making
anew, or was killed while making, is not looked at: then nothing is said to be wrong, nor over.
"""

from datetime import date
from typing import Final

import polars as pl

from assets.cases.refused import refused_extracts
from assets.desk.ledger import Ledger
from assets.desk.queries import queries, read_answers
from assets.intake.nobodys import Nobodys, nobodys_files
from assets.intake.tables import damaged_now
from assets.lake import Lake
from assets.validation.standing import read_table, standing, work_table
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
            **_of_receipts(lake, collection),
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


def _of_receipts(lake: Lake, collection: Collection) -> dict[str, Condition | None]:
    if not lake.table("intake", "damaged_receipts").exists():
        return {}
    return {"receipts-damaged": returns.damaged(damaged_now(lake), collection)}


def _of_research(lake: Lake, collection: Collection) -> dict[str, Condition | None]:
    path = lake.table("research", "research_problems")
    if not path.exists():
        return {}
    return {"research-refused": returns.research(read_table(path), collection)}


def _of_returns(lake: Lake, collection: Collection, today: date) -> dict[str, Condition | None]:
    if not lake.raw.exists():
        if not collection.is_open(today):
            return {}  # a collection that is not run here
        nothing = returns_status(_nothing_received(), collection)
        return {"forces-late": returns.late(nothing, collection, today)}
    if not all(lake.table(*table).exists() for table in _NEEDED):
        return {}
    # Read first: a run writes this table after the findings, so they are at least as new.
    validated = set(work_table(lake, *_RESULTS)["receipt_id"])
    now = standing(lake)
    if set(now.receipts["receipt_id"]) != validated:
        return {}
    findings = now.current_findings()
    asked = queries(findings, read_answers(Ledger(lake)))
    nobodys = [_nobodys(file, findings) for file in nobodys_files(lake)]
    refused = refused_extracts(now.extracts)
    return {
        "returns-rejected": returns.rejected(now.judged, findings, refused, nobodys, collection),
        "queries-overdue": returns.overdue(asked, collection, today),
        "forces-late": returns.late(
            # Of what was received and is damaged somebody is told in its own words.
            now.status(collection).join(
                now.damaged.filter("can_count"), on="force_code", how="anti"
            ),
            collection,
            today,
        ),
    }


def _nothing_received() -> pl.DataFrame:
    findings = pl.DataFrame(
        schema=dict.fromkeys(("receipt_id", "rule_id", "severity", "accepted_by"), pl.String)
    )
    return judged_receipts(empty(Receipts), findings, empty(Choices))


def _nobodys(file: Nobodys, findings: pl.DataFrame) -> str:
    """Tell of a file of no known force."""
    if file.kind == "unopened":
        return f"{file.key} ({file}) in quarantine, not opened ({file.rule_id})"
    if file.kind == "extract":
        return f"case extract {file.key} ({file}), force unknown"
    of_file = findings.filter(pl.col("receipt_id") == file.key, pl.col("severity") == "B")
    return f"receipt {file.key} ({file}), force unknown ({returns.by_rule(of_file)})"
