"""From readings to typed entries and findings: every tier that can run, in one pass.

Accepted and rejected come out of one call: `entries` has all that could be typed, `findings` all
that is wrong. A finding that blocks rejects its return whole; the other returns go on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import polars as pl

from assets.intake.reading import Reading
from assets.validation.entry_values import TypedEntry, type_entry
from assets.validation.layout import lay_out
from assets.validation.rules import consistency
from assets.validation.rules.cover import cover_findings
from assets.validation.rules.engine import REGISTRY, run_rules
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.finding import Finding, finding
from schemas.rules.catalogue import rules
from schemas.tables import AllFindings, Entries
from schemas.template import Template

_RULE_MODULES: Final = (consistency,)
"""Importing them registers their rules."""


@dataclass(frozen=True)
class Validated:
    """Tables of the contracts Entries and AllFindings."""

    entries: pl.DataFrame
    findings: pl.DataFrame


def validate(
    readings: Mapping[str, Reading], collection: Collection, template: Template
) -> Validated:
    """Validate returns, given their readings by receipt_id."""
    entries: list[dict[str, object]] = []
    found: list[dict[str, object]] = []
    for receipt_id, reading in readings.items():
        typed, findings = _validate_one(reading, collection, template)
        entries += [_entry_row(receipt_id, entry) for entry in typed]
        found += [{"receipt_id": receipt_id, **asdict(item)} for item in findings]
    table = conform(Entries, pl.DataFrame(entries, schema=empty(Entries).schema))
    schema = empty(AllFindings).schema
    single = pl.DataFrame(found, schema=schema)
    between = _at_cells(run_rules(table, list(REGISTRY.values())), table)
    everything = pl.concat([single, between.select(schema.names())])
    return Validated(table, conform(AllFindings, everything))


def _validate_one(
    reading: Reading, collection: Collection, template: Template
) -> tuple[list[TypedEntry], list[Finding]]:
    """Return what can be told of one return without comparing its figures."""
    if reading.refusal:
        refusal = reading.refusal
        return [], [finding("S001", refusal.problem, fix=refusal.fix)]
    layout = lay_out(reading.sheets, template)
    results = [type_entry(slot) for slot in layout.slots]
    typed = [item for item in results if isinstance(item, TypedEntry)]
    findings = [*layout.findings, *(item for item in results if isinstance(item, Finding))]
    cover = {item.slot.entry.row_code: item for item in typed if item.slot.entry.sheet == "cover"}
    findings += cover_findings(cover, collection)
    return typed, findings


def _entry_row(receipt_id: str, entry: TypedEntry) -> dict[str, object]:
    place = entry.slot.place
    return {
        "receipt_id": receipt_id,
        "sheet": place.sheet,
        "row_code": place.row_code,
        "column_code": place.column_code,
        "cell": place.cell,
        "value": entry.value,
        "number": entry.number,
        "missing": entry.missing,
    }


def _at_cells(failures: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Give the failures of rules between cells their address, value, severity and advice."""
    advice = pl.DataFrame(
        [(rule.id, rule.severity, rule.fix) for rule in rules().values()],
        schema=["rule_id", "severity", "how_to_fix"],
        orient="row",
    )
    place = ["receipt_id", "sheet", "row_code", "column_code"]
    return failures.join(advice, on="rule_id", validate="m:1").join(
        entries.select(*place, "cell", "value"), on=place, how="left", validate="m:1"
    )
