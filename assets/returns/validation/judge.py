"""Judges returns: from readings to typed entries and findings, every rule that can run in one pass.

Accepted and rejected come out of one call, with a third state: a rule whose cells could not be
read or typed is "not evaluable". A finding that blocks rejects its return whole; others go on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Final

import polars as pl

from assets.intake.quoting import is_free_text
from assets.intake.reading import Cell, Reading, place
from assets.returns.desk.corrections import ByForce
from assets.returns.desk.decisions import id_of
from assets.returns.desk.returned import REASON, Written, code_of, codes_of, written_in
from assets.returns.validation.cells import another_return, cover_findings, type_entry
from assets.returns.validation.layout import Slot, lay_out
from assets.returns.validation.rules.entries import (
    BETWEEN,
    ENTRY_KINDS,
    NO_CASES,
    NONE_BEFORE,
    WITHIN,
    Received,
    Returns,
    entry_tests,
    unordered,
)  # fmt: skip
from assets.returns.validation.rules.evaluate import ENTRY, evaluate, wide
from assets.returns.validation.rules.kinds import Use, total_is_sum
from assets.returns.validation.surroundings import surroundings
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.finding import Finding, finding
from schemas.rules.catalogue import KINDS, UNORDERED, Rule, rules
from schemas.tables import AllFindings, AppliedCorrections, Entries, Expectations, RuleResults
from schemas.template import Place, Template
from schemas.wording import visible


def received_by_id(
    receipts: pl.DataFrame, collection: Collection, gone: Set[str] = frozenset()
) -> dict[str, Received]:
    """Return what judging knows of each receipt of table Receipts, and which are `gone` from."""
    return {
        row["receipt_id"]: Received(
            collection.day_of(datetime.fromisoformat(row["received_at"])),
            row["force_code"],
            row["version"],
            row["file_name"],
            row["tie"],
            row["receipt_id"] in gone,
        )
        for row in receipts.iter_rows(named=True)
    }


_UNASKED: Final = (
    "nothing that is asked of this return is answered by this reason: it was given for another"
    " value, or beside it stands no code of a query to this force"
)


@dataclass(frozen=True)
class Judged:
    """Tables of the contracts Entries, AllFindings, RuleResults and so on.

    `answers` is how many answers to queries each return brings that can be recorded.
    """

    entries: pl.DataFrame
    findings: pl.DataFrame
    results: pl.DataFrame
    applied: pl.DataFrame
    expectations: pl.DataFrame
    answers: Mapping[str, int]


def judge(
    readings: Mapping[str, Reading],
    received: Mapping[str, Received],
    collection: Collection,
    corrections: ByForce | None = None,
    cases: pl.DataFrame = NO_CASES,
    before: pl.DataFrame = NONE_BEFORE,
    derived: pl.DataFrame | None = None,
) -> Judged:
    """Judge returns by the collection's template and rules.

    Corrections are applied to a return's cells before anything else is looked at; `cases` and
    `before` are as in `Returns`. What is `derived` of case rows (table Entries) is held to the
    rules that compare entries; those that need another cell cannot be told.

    Raises:
        ContractError: a rule crashed: our fault, not a force's.
    """
    looked = {
        key: _named(_look_at(reading, received[key], collection, corrections or {}), received[key])
        for key, reading in readings.items()
    }
    applied = [
        (key, *slot.entry.place, slot.address)
        for key, one in looked.items()
        for slot in one.corrected
    ]
    entries = [_entry_row(key, entry) for key, one in looked.items() for entry in one.typed]
    table = conform(Entries, pl.DataFrame(entries, schema=empty(Entries).schema, orient="row"))
    of_rows = empty(Entries) if derived is None else derived
    table, keys = pl.concat([table, of_rows]), [*looked, *of_rows["receipt_id"].unique()]
    single = _rows((key, item) for key, one in looked.items() for item in one.findings)
    receipts = pl.DataFrame(
        [(key, item.force_code, item.version) for key, item in received.items()],
        schema={"receipt_id": pl.String, "force_code": pl.String, "version": pl.Int64},
        orient="row",
    )
    returns = Returns(table, receipts, cases, before)
    failures, ties, counts = _compare(returns, single, received, collection)
    found = pl.concat([single, _at_cells(failures, table), ties])
    if any(one.written for one in looked.values()):
        asked = _as_changed(found, [], collection).filter(severity="Q")
        found = pl.concat([found, _rows(_unasked(looked, asked, received, collection.id))])
    findings = _as_changed(found, keys, collection)
    return Judged(
        table,
        conform(AllFindings, findings),
        conform(RuleResults, _rule_results(keys, looked, findings, counts, collection)),
        conform(
            AppliedCorrections,
            pl.DataFrame(applied, schema=empty(AppliedCorrections).schema, orient="row"),
        ),
        conform(Expectations, failures.drop_nulls(["row_code", "expected"])),
        {key: sum(each.code != "" for each in one.written) for key, one in looked.items()},
    )


def _rows(findings: Iterable[tuple[str, Finding]]) -> pl.DataFrame:
    rows = [{"receipt_id": key, **asdict(item)} for key, item in findings]
    return pl.DataFrame(rows, schema=empty(AllFindings).schema)


@dataclass(frozen=True)
class _Looked:
    """What can be told of one return without comparing its figures.

    `found`: the entries that stand in it; None where it cannot be read as a return. `written`: the
    reasons that came with it, without those that have a fault.
    """

    findings: Sequence[Finding]
    found: frozenset[Place] | None = None
    typed: Sequence[Slot] = ()
    corrected: Sequence[Slot] = ()
    written: Sequence[Written] = ()


def _look_at(
    reading: Reading, known: Received, collection: Collection, corrections: ByForce
) -> _Looked:
    if reading.refusal:
        refusal = reading.refusal
        return _Looked([finding(refusal.rule_id, refusal.problem, fix=refusal.fix)])
    mine = corrections.get(known.force_code or "", {})
    layout = lay_out(reading.sheets, collection.template)
    slots = [_corrected(slot, mine.get(slot.entry.place)) for slot in layout.slots]
    results = [type_entry(slot, collection.census) for slot in slots]
    typed = [item for item in results if isinstance(item, Slot)]
    cover = {item.entry.row_code: item for item in typed if item.entry.sheet == "cover"}
    findings = [
        *layout.findings,
        *surroundings(reading, layout, collection.template),
        *(item for item in results if isinstance(item, Finding)),
        *cover_findings(cover, collection, known.received_on),
    ]
    if another := another_return(cover, collection, len(findings)):
        return _Looked([another])
    written = written_in(reading.sheets, {str(item.number) for item in typed})
    findings += chain.from_iterable(each.faults for each in written)
    found = frozenset(slot.entry.place for slot in layout.slots)
    changed = [new for new, old in zip(slots, layout.slots, strict=True) if new is not old]
    return _Looked(findings, found, typed, changed, [each for each in written if not each.faults])


def _unasked(
    looked: Mapping[str, _Looked],
    asked: pl.DataFrame,
    received: Mapping[str, Received],
    collection_id: str,
) -> Iterator[tuple[str, Finding]]:
    """Yield of each return what it answers without being asked, given the queries of all.

    Nothing is said of a reason for the value that its entry has: others, of which a file that is
    checked on its own knows nothing, may ask about it, or have ceased to.
    """
    for key, one in looked.items():
        if one.written:
            force = received[key].force_code
            queries = map(Finding.of, asked.filter(receipt_id=key).iter_rows(named=True))
            now = codes_of(queries, collection_id, key, force).values()
            for each in one.written:
                if each.code not in now and not _stands(each.code, one.typed, collection_id, force):
                    yield key, finding("S015", _UNASKED, each.at[REASON])


def _stands(code: str, typed: Sequence[Slot], collection_id: str, force: str | None) -> bool:
    """Return whether a code is of a query that could be asked about an entry as it stands."""
    query = code.rpartition("-")[0]
    return any(
        query == id_of(collection_id, "", force or "", rule_id, *item.entry.place)
        for item in typed
        if item.value is not None and code_of(query, item.value) == code
        for rule_id in rules()
    )


def _named(looked: _Looked, known: Received) -> _Looked:
    """Let what is said of a file as a whole, or of its cover, name a file of no known force.

    Nothing else in a finding tells which file it is that somebody has to look for.
    """
    if known.force_code or not known.file_name:
        return looked
    name = repr(visible(known.file_name))
    return replace(
        looked,
        findings=[
            replace(each, message=f"{name}: {each.message}")
            if each.sheet in {None, "cover"}
            else each
            for each in looked.findings
        ],
    )


def _corrected(slot: Slot, correction: tuple[str, str] | None) -> Slot:
    """Return the slot with the corrected text, or itself where no correction meets its value."""
    text = slot.cell.text.strip() if slot.cell else ""
    if correction is None or text != correction[0]:
        return slot
    return replace(slot, cell=Cell(*place(slot.address), correction[1], "text"))


def _entry_row(receipt_id: str, slot: Slot) -> tuple[Any, ...]:
    # The value of a free text is nobody's business: its finding is made, its words stay.
    value = slot.place.value if slot.entry.kind == "text" else slot.value
    return receipt_id, *slot.entry.place, slot.address, value, slot.number, slot.missing


def _compare(
    returns: Returns,
    single: pl.DataFrame,
    received: Mapping[str, Received],
    collection: Collection,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Hold entries against each other, then against other returns that are acceptable so far.

    Returns:
        Failures as `evaluate` returns them, findings that two versions cannot be told apart, and
        how many tests of each receipt and rule passed, failed, could not be evaluated.
    """
    off = _off(collection)
    template, entries = collection.template, returns.entries
    tests = [
        total_is_sum(each, template.entry_at[each.total].missing)
        for each in template.sums()
        if each.rule not in off
    ]
    for item in template.rules:
        if item.use in KINDS.keys() - ENTRY_KINDS.keys() and item.id not in off:
            tests += Use(item, collection).tests()
    # What is usual is so among the last versions: a return that is sent twice is no other return.
    by_version = sorted(received.items(), key=lambda item: item[1].version or 0)
    last = {known.force_code or key: key for key, known in by_version}.values()
    table = wide(entries, received, template)
    whole = table.with_columns(last=pl.col("receipt_id").is_in([*last])), tests
    within, counts = evaluate([whole, *entry_tests(returns, WITHIN, collection, off)])
    found = pl.concat([single, _at_cells(within, entries)])
    changed = _as_changed(found, [], collection)
    blocked = changed.filter(pl.col("severity") == "B")["receipt_id"]
    left = frozenset(key for key, known in received.items() if not known.gone)
    acceptable = left - set(blocked)
    beside = replace(returns, acceptable=acceptable)
    between, others = evaluate(entry_tests(beside, BETWEEN, collection, off))
    ties = () if UNORDERED in off else unordered(entries, received, acceptable)
    return pl.concat([within, between]), _rows(ties), pl.concat([counts, others])


def _off(collection: Collection) -> frozenset[str]:
    """Return the rules that the collection has switched off."""
    return frozenset(c.rule for c in collection.rule_changes if c.severity == "off")


def _at_cells(failures: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Return failures as findings, with their address and value."""
    place = ["receipt_id", *ENTRY]
    told = entries.select(*place, "cell", "value")
    found = failures.join(told, on=place, how="left", validate="m:1")
    return found.select(empty(AllFindings).columns)


def _as_changed(
    findings: pl.DataFrame, receipts: Iterable[str], collection: Collection
) -> pl.DataFrame:
    """Return findings with the collection's changes of rules.

    A finding of a downgraded rule has the lighter severity and says why. A rule that is switched
    off has no findings but one note for each receipt given, so that nobody takes it for passed.
    """
    lighter = [
        (c.rule, c.severity, f" (downgraded to {c.severity} since {c.since}: {c.reason})")
        for c in collection.rule_changes
        if c.severity != "off"
    ]
    schema = dict.fromkeys(("rule_id", "lighter", "why"), pl.String)
    kept = (
        findings.filter(~pl.col("rule_id").is_in(list(_off(collection))))
        .join(pl.DataFrame(lighter, schema, orient="row"), on="rule_id", how="left")
        .with_columns(
            pl.coalesce("lighter", "severity").alias("severity"),
            pl.concat_str("message", pl.col("why").fill_null("")).alias("message"),
        )
        .select(findings.columns)
    )
    notes = [
        (key, finding(c.rule, f"not checked in this collection, since {c.since}: {c.reason}",
                      fix="Nothing.", severity="N"))
        for c in collection.rule_changes if c.severity == "off"
        for key in receipts
    ]  # fmt: skip
    return pl.concat([kept, _rows(notes)])


def _rule_results(
    keys: Iterable[str],
    looked: Mapping[str, _Looked],
    findings: pl.DataFrame,
    counts: pl.DataFrame,
    collection: Collection,
) -> pl.DataFrame:
    """Return how each rule ended on each return, with the columns of the contract RuleResults.

    What case rows say has a key and was not `looked` at: rules about workbooks do not apply to it.
    """
    failed = set(findings.select("receipt_id", "rule_id").iter_rows())
    ended = {(key, rule): told for key, rule, *told in counts.iter_rows()}
    off, needed_by = _off(collection), _needed_by(collection.template)

    def result(key: str, rule: Rule, typed: Set[Place]) -> str:
        one = looked.get(key)
        found = one and one.found
        if rule.id in off:
            return "off"
        if (key, rule.id) in failed:
            return "failed"
        if one and found is None and rule.needs != "file":
            return "not_evaluable"
        if rule.needs in {None, "earlier"}:
            passed, _, untold = ended.get((key, rule.id), (0, 0, 1))
            return "not_evaluable" if untold else "passed" if passed else "not_applicable"
        if one is None:
            return "not_applicable"
        on_cover = frozenset(("cover", row, "value") for row in rule.cover)
        needed = needed_by.get(rule.needs, on_cover)
        known = found or typed if rule.needs == "cells" else typed
        return "passed" if needed <= known else "not_evaluable"

    held_to = [rules()[rule_id] for rule_id in sorted(collection.template.rules_in_use)]
    rows = []
    for key in keys:
        typed = frozenset(slot.entry.place for slot in (looked[key].typed if key in looked else ()))
        rows += [(key, rule.id, result(key, rule, typed)) for rule in held_to]
    return pl.DataFrame(rows, schema=empty(RuleResults).schema, orient="row")


@cache
def _needed_by(template: Template) -> dict[str, frozenset[Place]]:
    """Return the entries without which rules on single cells cannot be told, by what they need."""
    entries = template.entry_at.items()
    return {
        "cells": frozenset(template.entry_at),
        "free text": frozenset(place for place, entry in entries if is_free_text(entry)),
        **{
            kind: frozenset(place for place, entry in entries if entry.kind == kind)
            for kind in ("count", "answer", "date")
        },
    }
