"""Validation: what stands in returns becomes entries, findings, states, and live returns."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import dagster as dg
import polars as pl

from assets.cases import derived
from assets.cases.job import chosen_pool
from assets.cases.received import counted_before
from assets.cases.store import CaseStore
from assets.declare import Check, Made, made
from assets.intake.tables import readings
from assets.lake import Lake
from assets.previous import previous_release, previous_values
from assets.returns.desk.corrections import (
    applied_mart,
    by_force,
    read_corrections,
    refuse_harmful,
    told_as_corrected,
)
from assets.returns.desk.decisions import Ledger, queries, read_answers
from assets.returns.desk.returned import record, written_in
from assets.returns.desk.versions import gone_from, read_choices
from assets.returns.validation import states
from assets.returns.validation.judge import judge, received_by_id
from assets.returns.validation.layout import PROBLEMS_MARK, is_ours
from assets.returns.validation.repairs import beside, repairs_of
from assets.returns.validation.rules.entries import CASE_GRID, NONE_BEFORE
from assets.tables import work_table
from schemas.collection import Collection, sound_collections
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.marts import Repairs
from schemas.rules.catalogue import CASES, NATIONAL, OTHER_FILES, TIERS, every_rule
from schemas.tables import LiveReturns

FORCE_RETURNS = {
    collection.id: dg.AssetSpec(
        key=["validation", "force_returns", collection.id],
        description="One partition for each expected force, materialised by its live return.",
        group_name="validation",
        partitions_def=dg.StaticPartitionsDefinition(collection.forces),
    )
    for collection in sound_collections()
}


def choices(lake: Lake) -> pl.DataFrame:
    return read_choices(Ledger(lake))


def validated(
    lake: Lake,
    collection: Collection,
    corrections: pl.DataFrame,
    choices: pl.DataFrame,
    receipts: pl.DataFrame,
    damaged: pl.DataFrame,
    **of_extracts: pl.DataFrame,
) -> tuple[pl.DataFrame, ...]:
    """Check every received return by every rule, and what only rows were sent of.

    Such rows are held against those that counted before, of which nothing else is told.
    """
    template, store = collection.template, CaseStore(lake)
    only = derived.only_rows(of_extracts["extracts"], receipts, damaged)
    before = [
        (derived.only_rows(extract, receipts, damaged), cases)
        for extract, cases in counted_before(store, lake, collection, only, chosen_pool())
    ]
    sent = [(only, of_extracts["by_month"]), *before]
    extracts = pl.concat(extract for extract, _ in sent)
    beside = derived.beside_workbooks(template, **of_extracts)
    asked = partial(
        judge,
        readings(lake, receipts),
        received_by_id(
            derived.with_rows(receipts, extracts), collection, gone_from(receipts, choices)
        ),
        collection,
        cases=beside.join(only, on="force_code", how="anti"),
        before=_released_before(lake, collection),
        derived=pl.concat(
            derived.derived_entries(cases, extract, template) for extract, cases in sent
        ),
    )
    found = asked(by_force(corrections))
    corrected = found.applied.join(found.findings, on="receipt_id", how="semi")
    if corrected.height:
        as_sent, told = asked(), read_answers(Ledger(lake))
        standing = (
            states.Standing(
                collection.id, receipts, each.findings, each.entries, told, choices,
                of_extracts["extracts"], of_extracts["extract_findings"], damaged,
            ).judged
            for each in (as_sent, found)
        )  # fmt: skip
        refuse_harmful(lake, corrected, *standing)
        findings = told_as_corrected(found.findings, as_sent.findings, corrected)
        found = replace(found, findings=findings)
    counting = {*only.select("force_code", "version").iter_rows()}
    files = {
        each.force_code: [store.kept(key).name for key in each.files]
        for each in store.receipts()
        if each.force_code and (each.force_code, each.version) in counting
    }
    findings = derived.told_of_rows(found.findings, only, files, template)
    tables = found.entries, findings, found.results, found.applied, found.expectations
    replaced = extracts.join(only, on="receipt_id", how="anti")
    return tuple(each.join(replaced, on="receipt_id", how="anti") for each in tables)


def _released_before(lake: Lake, collection: Collection) -> pl.DataFrame:
    """Return what entries were in the released collection before, where a rule looks at that."""
    uses = collection.template.rules
    if not any(use.use == "ratios" and not use.other for use in uses):
        return NONE_BEFORE
    if (last := previous_release(lake, collection)) is None:
        return NONE_BEFORE
    period = last.collection.period
    values = previous_values(lake, collection).filter(collection=last.collection.id)
    return values.select(
        *CASE_GRID,
        pl.col("value").cast(pl.Int64, strict=False).alias("before"),
        pl.lit(period.months, pl.Int64).alias("months"),
        pl.lit(f"{period.end:%B %Y}").alias("until"),
    ).drop_nulls("before")


def answers(
    lake: Lake,
    collection: Collection,
    receipts: pl.DataFrame,
    **tables: pl.DataFrame,
) -> pl.DataFrame:
    """Record what forces have answered in their marked copies, and return all answers."""
    ledger = Ledger(lake)
    told = read_answers(ledger)
    returned = {
        key: reading.sheets
        for key, reading in readings(lake, receipts).items()
        if any(is_ours(sheet, PROBLEMS_MARK) for sheet in reading.sheets)
    }
    if not returned:
        return told
    numbers = dict(tables["entries"].group_by("receipt_id").agg("number").iter_rows())
    sent = receipts.filter(pl.col("receipt_id").is_in([*returned])).sort("sequence")
    written = [
        (receipt, written_in(returned[key], {str(n) for n in numbers.get(key, ())}))
        for receipt in sent.iter_rows(named=True)
        for key in [receipt["receipt_id"]]
    ]
    now = states.Standing(collection.id, receipts, answers=told, **tables)
    record(ledger, queries(now.asked(), told, collection.id), written)
    return read_answers(ledger)


def judged(
    context: dg.AssetExecutionContext,
    lake: Lake,
    collection: Collection,
    **tables: pl.DataFrame,
) -> tuple[pl.DataFrame, ...]:
    """Judge every receipt, and say which return of each force is live, and what each changed.

    Of a force whose live return is the same as before Dagster is not told again. It can forget no
    single partition, so where one counts no more it is told anew of all that do.
    """
    now = states.Standing(collection.id, **tables)
    states.check_damaged(now.judged, now.damaged, now.choices)
    live = now.live_returns()
    key = FORCE_RETURNS[collection.id].key
    told = context.instance.get_materialized_partitions(key)
    if not told <= {*live["force_code"]}:
        context.instance.wipe_assets([key])
        told = set()
    before = _live_before(lake).filter(pl.col("force_code").is_in(list(told)))
    changed = live.join(before, on=["force_code", "receipt_id", "basis"], how="anti")
    for row in changed.iter_rows(named=True):
        context.log_event(
            dg.AssetMaterialization(
                key,
                partition=row["force_code"],
                metadata={"receipt": row["receipt_id"], "basis": row["basis"]},
            )
        )
    return now.status_of_sent(collection), now.current_findings(), live, now.changes


def _live_before(lake: Lake) -> pl.DataFrame:
    """Return the table LiveReturns of the run before; without rows where there is none."""
    try:
        return work_table(lake, "validation/live_returns")
    except LakeError:
        return empty(LiveReturns)


def repairs(
    collection: Collection,
    findings: pl.DataFrame,
    entries: pl.DataFrame,
    receipts: pl.DataFrame,
    changes: pl.DataFrame,
    extracts: pl.DataFrame,
    by_month: pl.DataFrame,
) -> pl.DataFrame:
    """Return the mart Repairs: a file whose force cannot be told has none in it."""
    attributed = findings.drop_nulls("force_code")
    of_force = attributed.select("force_code", "receipt_id").unique()
    known = beside(receipts, changes, extracts, by_month, collection.template)
    found = repairs_of(attributed, entries, collection.template, known)
    return found.join(of_force, on="receipt_id").select(empty(Repairs).columns)


def corrections(
    lake: Lake,
    collection: Collection,
    corrections: pl.DataFrame,
    applied: pl.DataFrame,
    live_returns: pl.DataFrame,
) -> pl.DataFrame:
    return applied_mart(lake, corrections, applied, live_returns, collection.template)


def _blocking(tier: str, findings: pl.DataFrame) -> tuple[bool, dict[str, Any]]:
    of_tier = [rule.id for rule in every_rule().values() if rule.tier == tier]
    blocking = findings.filter(pl.col("rule_id").is_in(of_tier) & (pl.col("severity") == "B"))
    counts = blocking.group_by("rule_id").len().sort("rule_id")
    return blocking.is_empty(), {
        "blocking_findings": blocking.height,
        "returns": blocking["receipt_id"].n_unique(),
        "by_rule": dict(counts.iter_rows()),
    }


_EXTRACTS = {"extracts": "cases/extracts", "by_month": "cases/investigations_by_month"}
_RECEIPTS = {"receipts": "intake/receipts", "damaged": "intake/damaged_receipts"}
_STANDING = _RECEIPTS | {
    "all_findings": "validation/all_findings",
    "entries": "validation/entries",
    "choices": "desk/choices",
    "extracts": "cases/extracts",
    "extract_findings": "cases/extract_findings",
}

PARTS: Final[tuple[Made | Check, ...]] = (
    made("desk/choices", by=choices),
    made("desk/corrections", by=read_corrections),
    made(
        "validation/entries",
        "validation/all_findings",
        "validation/rule_results",
        "validation/applied_corrections",
        "validation/expectations",
        by=validated,
        **_RECEIPTS,
        corrections="desk/corrections",
        choices="desk/choices",
        extract_findings="cases/extract_findings",
        **_EXTRACTS,
    ),
    made("desk/answers", by=answers, **_STANDING),
    made(
        "validation/returns_status",
        "validation/findings",
        "validation/live_returns",
        "validation/version_changes",
        by=judged,
        **_STANDING,
        answers="desk/answers",
    ),
    made(
        "validation/live_entries",
        by=states.live_entries,
        live="validation/live_returns",
        entries="validation/entries",
    ),
    *(
        Check("validation/findings", tier, title, partial(_blocking, tier))
        for tier, title in {**TIERS, CASES: OTHER_FILES[CASES]}.items()
        if tier != NATIONAL
    ),
)

FOR_READERS: Final[tuple[Made | Check, ...]] = (
    made(
        "validation/repairs",
        by=repairs,
        findings="validation/findings",
        entries="validation/entries",
        receipts="intake/receipts",
        changes="validation/version_changes",
        **_EXTRACTS,
    ),
    made(
        "validation/corrections",
        by=corrections,
        corrections="desk/corrections",
        applied="validation/applied_corrections",
        live_returns="validation/live_returns",
    ),
)
"""What no figure follows from."""
