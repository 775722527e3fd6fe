"""From readings to typed entries and findings: every tier that can run, in one pass.

Accepted and rejected come out of one call, with a third state: a rule whose cells could not be
read or typed is "not evaluable". A finding that blocks rejects its return whole; others go on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

import polars as pl

from assets.desk.corrections import ByForce, Correction
from assets.intake.reading import Cell, Reading
from assets.intake.sheet_scan import place
from assets.validation.changes import apply_changes
from assets.validation.entry_values import TypedEntry, type_entry
from assets.validation.layout import Slot, lay_out
from assets.validation.results import Seen, rule_results
from assets.validation.rules import across, consistency, plausibility, validity
from assets.validation.rules.cover import cover_findings
from assets.validation.rules.engine import REGISTRY, run_rules
from assets.validation.rules.order import Received, unordered
from assets.validation.rules.views import RuleInput, no_cases
from assets.validation.surroundings import surroundings
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.finding import Finding, finding
from schemas.rules.catalogue import rules
from schemas.tables import AllFindings, AppliedCorrections, Entries, RuleResults
from schemas.template import Template

RULE_MODULES: Final = (consistency, validity, across, plausibility)
"""Importing them registers their rules."""

COMPARING: Final = ("Q103", "Q111", "S011")
"""Rules that compare returns with each other: they wait until it is known which are acceptable."""


def received_by_id(receipts: pl.DataFrame, collection: Collection) -> dict[str, Received]:
    """Return what validation knows of each receipt, given the table Receipts."""
    return {
        row["receipt_id"]: Received(
            collection.day_of(datetime.fromisoformat(row["received_at"])),
            row["force_code"],
            row["version"],
            row["file_name"],
            row["tie"],
        )
        for row in receipts.iter_rows(named=True)
    }


@dataclass(frozen=True)
class Validated:
    """Tables of the contracts Entries, AllFindings, RuleResults and AppliedCorrections."""

    entries: pl.DataFrame
    findings: pl.DataFrame
    results: pl.DataFrame
    applied: pl.DataFrame


def validate(
    readings: Mapping[str, Reading],
    received: Mapping[str, Received],
    collection: Collection,
    template: Template,
    corrections: ByForce | None = None,
    cases: pl.DataFrame | None = None,
) -> Validated:
    """Validate returns, given their readings and receipts by receipt_id.

    `corrections` are applied to a return's cells before anything else is looked at; `cases` are
    what case-level extracts add up to (RuleInput.cases), None where none was sent.
    """
    entries: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    seen: dict[str, Seen] = {}
    applied: list[tuple[str | None, ...]] = []
    for receipt_id, reading in readings.items():
        known = received[receipt_id]
        mine = (corrections or {}).get(known.force_code or "", {})
        one = _validate_one(reading, known, collection, template, mine)
        seen[receipt_id] = one.seen
        applied += [(receipt_id, *slot.entry.place, slot.address) for slot in one.corrected]
        entries += [_entry_row(receipt_id, entry) for entry in one.typed]
        found += [{"receipt_id": receipt_id, **asdict(item)} for item in one.findings]
    table = conform(Entries, pl.DataFrame(entries, schema=empty(Entries).schema))
    single = pl.DataFrame(found, schema=empty(AllFindings).schema)
    sent = no_cases() if cases is None else cases
    between, counts = _compare(table, single, received, collection, sent)
    findings = apply_changes(pl.concat([single, between]), list(readings), collection)
    results = rule_results(seen, findings, counts, collection, template)
    return Validated(
        table,
        conform(AllFindings, findings),
        conform(RuleResults, results),
        conform(
            AppliedCorrections,
            pl.DataFrame(applied, schema=empty(AppliedCorrections).schema, orient="row"),
        ),
    )


@dataclass(frozen=True)
class _One:
    """What can be told of one return without comparing its figures."""

    seen: Seen
    typed: list[TypedEntry]
    findings: list[Finding]
    corrected: list[Slot]


def _validate_one(
    reading: Reading,
    received: Received,
    collection: Collection,
    template: Template,
    corrections: Mapping[tuple[str, str, str], Correction],
) -> _One:
    if reading.refusal:
        refusal = reading.refusal
        refused = finding(refusal.rule_id, refusal.problem, fix=refusal.fix)
        return _One(Seen(readable=False), [], [refused], [])
    layout = lay_out(reading.sheets, template)
    slots = [_corrected(slot, corrections.get(slot.entry.place)) for slot in layout.slots]
    results = [type_entry(slot) for slot in slots]
    typed = [item for item in results if isinstance(item, TypedEntry)]
    cover = {item.slot.entry.row_code: item for item in typed if item.slot.entry.sheet == "cover"}
    findings = [
        *layout.findings,
        *surroundings(reading, layout),
        *(item for item in results if isinstance(item, Finding)),
        *cover_findings(cover, collection, received.received_on),
    ]
    found = frozenset(slot.entry.place for slot in layout.slots)
    seen = Seen(True, found, frozenset(item.slot.entry.place for item in typed))
    changed = [new for new, old in zip(slots, layout.slots, strict=True) if new is not old]
    return _One(seen, typed, findings, changed)


def _corrected(slot: Slot, correction: Correction | None) -> Slot:
    """Return the slot with the corrected text, or itself where no correction meets its value."""
    text = slot.cell.text.strip() if slot.cell else ""
    if correction is None or text != correction.from_value:
        return slot
    return replace(slot, cell=Cell(*place(slot.address), correction.to_value, "text"))


def _entry_row(receipt_id: str, entry: TypedEntry) -> dict[str, Any]:
    place = entry.slot.place
    return {
        "receipt_id": receipt_id,
        "sheet": place.sheet,
        "row_code": place.row_code,
        "column_code": place.column_code,
        "cell": place.cell,
        # The value of a free text is nobody's business: its finding is made, its words stay.
        "value": place.value if entry.slot.entry.kind == "text" else entry.value,
        "number": entry.number,
        "missing": entry.missing,
    }


def _compare(
    entries: pl.DataFrame,
    single: pl.DataFrame,
    received: Mapping[str, Received],
    collection: Collection,
    cases: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Run the rules between cells, then those between returns that are acceptable so far."""
    receipts = pl.DataFrame(
        [(key, item.force_code, item.version) for key, item in received.items()],
        schema={"receipt_id": pl.String, "force_code": pl.String, "version": pl.Int64},
        orient="row",
    )
    running = [r for r in REGISTRY.values() if not _is_off(r.id, collection)]
    within = run_rules(
        RuleInput(entries, receipts, cases=cases),
        [r for r in running if r.id not in COMPARING],
        collection,
    )
    found = _at_cells(within.failures, entries)
    changed = apply_changes(pl.concat([single, found]), [], collection)
    blocked = changed.filter(pl.col("severity") == "B")["receipt_id"]
    acceptable = frozenset(received) - set(blocked)
    between = run_rules(
        RuleInput(entries, receipts, acceptable),
        [r for r in running if r.id in COMPARING],
        collection,
    )
    ties = [] if _is_off("S014", collection) else unordered(entries, received, acceptable)
    findings = pl.concat(
        [
            found,
            _at_cells(between.failures, entries),
            pl.DataFrame(
                [{"receipt_id": key, **asdict(item)} for key, item in ties],
                schema=empty(AllFindings).schema,
            ),
        ]
    )
    return findings, pl.concat([within.results, between.results])


def _is_off(rule_id: str, collection: Collection) -> bool:
    change = collection.changed(rule_id)
    return change is not None and change.severity == "off"


def _at_cells(failures: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Give the failures of rules between cells their address, value, severity and advice."""
    advice = pl.DataFrame(
        [(rule.id, rule.severity, rule.advice()) for rule in rules().values()],
        schema=["rule_id", "severity", "how_to_fix"],
        orient="row",
    )
    place = ["receipt_id", "sheet", "row_code", "column_code"]
    return (
        failures.join(advice, on="rule_id", validate="m:1")
        .join(entries.select(*place, "cell", "value"), on=place, how="left", validate="m:1")
        .select(empty(AllFindings).columns)
    )
