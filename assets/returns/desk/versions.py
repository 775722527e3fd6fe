"""Versions of a return: what each changed, what was typed, and going back to an earlier one."""

from collections.abc import Iterable

import polars as pl

from assets.lake import Lake
from assets.returns.desk.decisions import DeskError, Ledger
from assets.tables import work_table
from schemas.conform import conform
from schemas.contract import empty
from schemas.tables import Choices, VersionChanges

_ENTRY = ["sheet", "row_code", "column_code"]


def gone_from(receipts: pl.DataFrame, choices: pl.DataFrame) -> frozenset[str]:
    """Return the receipts that the desk has gone back from, by the tables Receipts and Choices."""
    gone: set[tuple[str, int]] = set()
    for force, version, up_to in choices.select("force_code", "version", "up_to").iter_rows():
        gone |= {(force, after) for after in range(version + 1, up_to + 1)}
        gone.discard((force, version))
    known = receipts.select("receipt_id", "force_code", "version").iter_rows()
    return frozenset(key for key, *version in known if (*version,) in gone)


def replaced(versions: pl.DataFrame) -> pl.DataFrame:
    """Return receipt_id, force_code and version with `earlier_id` and `against`, its version.

    That is of each version the one before it: the newest before it that is acceptable and that the
    desk has not gone back from (`counted`), or where none is so, the newest.
    """
    known = versions.drop_nulls("version").select("receipt_id", "force_code", "version", "counted")
    earlier = known.select("force_code", "counted", earlier_id="receipt_id", against="version")
    pairs = known.drop("counted").join(earlier, on="force_code")
    before = pairs.filter(pl.col("against") < pl.col("version")).sort("counted", "against")
    return before.unique("receipt_id", keep="last", maintain_order=True)


def version_changes(versions: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Return the table VersionChanges: each version against the one before it, as in `replaced`."""
    held = entries.select("receipt_id", *_ENTRY, "cell", "value")
    key = ["force_code", "version", "against", *_ENTRY]
    resubmitted = replaced(versions)
    after = resubmitted.join(held, on="receipt_id").select(*key, "cell", after="value")
    earlier = resubmitted.join(held, left_on="earlier_id", right_on="receipt_id")
    before = earlier.select(*key, stood="cell", before="value")
    both = after.join(before, on=key, how="full", coalesce=True)
    both = both.with_columns(cell=pl.coalesce("cell", "stood")).drop("stood")
    return conform(VersionChanges, both.filter(pl.col("before").ne_missing(pl.col("after"))))


def as_typed(
    entries: pl.DataFrame, findings: pl.DataFrame, corrected: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return entries with what was sent in place of what is read: receipt_id, place, cell, value.

    What stands in a cell that could not be read the findings say, as far as that may be told;
    `corrected` has `from_value` by receipt_id and place, of the corrections that were applied.
    """
    at = ["receipt_id", *_ENTRY]
    read = entries.select(*at, "cell", "value")
    told = findings.select(*at, "cell", "value").drop_nulls([*_ENTRY, "value"])
    unread = told.unique(at, keep="first", maintain_order=True).join(read, on=at, how="anti")
    if corrected is None:
        corrected = read.clear().select(*at, from_value="value")
    sent = pl.concat([read, unread]).join(corrected, on=at, how="left", validate="m:1")
    value = pl.coalesce("from_value", "value")
    return sent.with_columns(value=pl.when(value != "").then(value)).drop("from_value")


def typed_changes(
    lake: Lake, versions: pl.DataFrame, entries: pl.DataFrame, findings: pl.DataFrame
) -> pl.DataFrame:
    """Return the table VersionChanges of some versions by what was sent, not by what is read.

    Arguments are as in a Standing, entries and findings with those of other versions.

    Raises:
        LakeError: what was corrected is damaged.
    """
    ours, corrected = versions.select("receipt_id", "force_code"), None
    if lake.table("validation/applied_corrections").exists():  # not before the first run
        applied = work_table(lake, "validation/applied_corrections").join(ours, on="receipt_id")
        told = applied.join(work_table(lake, "desk/corrections"), on=["force_code", *_ENTRY])
        corrected = told.select("receipt_id", *_ENTRY, "from_value")
    read, found = (t.join(ours, on="receipt_id", how="semi") for t in (entries, findings))
    return version_changes(versions, as_typed(read, found, corrected))


def read_choices(ledger: Ledger) -> pl.DataFrame:
    """Return the table Choices from the ledger."""
    rows = [
        {**record.content, "number": record.number, "decided_by": record.by}
        for record in ledger.records("choice")
    ]
    return conform(Choices, pl.DataFrame(rows, schema=empty(Choices).schema))


def choose(
    ledger: Ledger,
    judged: pl.DataFrame,
    force_code: str,
    version: int,
    reason: str,
    by: str,
    damaged: Iterable[int] = (),
) -> None:
    """Record that a force's return goes back to a version; a newer one will override that.

    `judged` is as states.judged_receipts returns it; `damaged` versions are passed over too.

    Raises:
        DeskError: the force has no such version, or that version was rejected.
    """
    mine = judged.filter(pl.col("force_code") == force_code)
    blocking = dict(mine.select("version", "blocking").iter_rows())
    if version not in blocking:
        known = ", ".join(str(number) for number in sorted(blocking)) or "none"
        raise DeskError(f"{force_code} has no version {version}. Its versions: {known}.")
    if blocking[version]:
        raise DeskError(
            f"version {version} of {force_code} was rejected ({blocking[version]} blocking"
            " findings); only an acceptable one can count."
        )
    up_to = max((*blocking, *damaged))
    content = {"force_code": force_code, "version": version, "up_to": up_to}
    ledger.add("choice", by, {**content, "reason": reason.strip()})
