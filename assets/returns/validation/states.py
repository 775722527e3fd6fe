"""Which return of each force counts: its state, now or at an earlier moment, by what a run read.

The newest acceptable one is live; a rejected resubmission leaves the earlier one live. Totals read
the list of live returns, never "whatever is on disk".
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases import derived
from assets.intake.tables import damaged_now
from assets.lake import Lake
from assets.returns.desk.decisions import Ledger, queries, read_answers
from assets.returns.desk.versions import gone_from, read_choices, version_changes
from assets.tables import work_table
from schemas.cases import UNDAMAGED
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.marts import Findings, ReturnsStatus
from schemas.rules.catalogue import UNORDERED
from schemas.tables import (
    AllFindings,
    Answers,
    Choices,
    DamagedReceipts,
    Entries,
    ExtractFindings,
    Extracts,
    LiveEntries,
    LiveReturns,
    Receipts,
)


@dataclass(frozen=True)
class Standing:
    """Where the returns of a collection stand, by tables that are named by their contracts.

    What nobody sent, answered or chose, and what is not damaged, is empty.
    """

    collection_id: str
    receipts: pl.DataFrame = field(default_factory=partial(empty, Receipts))
    all_findings: pl.DataFrame = field(default_factory=partial(empty, AllFindings))
    entries: pl.DataFrame = field(default_factory=partial(empty, Entries))
    answers: pl.DataFrame = field(default_factory=partial(empty, Answers))
    choices: pl.DataFrame = field(default_factory=partial(empty, Choices))
    extracts: pl.DataFrame = field(default_factory=partial(empty, Extracts))
    extract_findings: pl.DataFrame = field(default_factory=partial(empty, ExtractFindings))
    damaged: pl.DataFrame = field(default_factory=partial(empty, DamagedReceipts))

    @cached_property
    def only(self) -> pl.DataFrame:
        """The extracts that stand in the place of returns."""
        return derived.only_rows(self.extracts, self.receipts, self.damaged)

    @cached_property
    def versions(self) -> pl.DataFrame:
        """The receipts, and below them the extracts that stand in the place of returns."""
        return derived.with_rows(self.receipts, self.only)

    @cached_property
    def findings(self) -> pl.DataFrame:
        """Every finding with force_code, and with the reason and acceptance of each query."""
        forces = self.versions.select("receipt_id", "force_code")
        found = self.all_findings.join(forces, on="receipt_id", how="left", validate="m:1")
        # Which version is newer is not asked of one that somebody chose.
        last = self.choices.unique("force_code", keep="last", maintain_order=True)
        chosen = self.versions.join(last, on=["force_code", "version"], how="semi")["receipt_id"]
        found = found.filter(
            (pl.col("rule_id") != UNORDERED) | ~pl.col("receipt_id").is_in(chosen.to_list())
        )
        told = queries(found, self.answers, self.collection_id)
        asked = told.select(*found.columns, "reason", "accepted_by")
        others = found.filter((pl.col("severity") != "Q") | pl.col("force_code").is_null())
        return pl.concat([asked, others], how="diagonal")

    @cached_property
    def judged(self) -> pl.DataFrame:
        """Every version with its counts of findings and whether it is the newest and the live one.

        `counted` are those that can be the version before another: see versions.replaced.
        `held` are the versions of which nobody can tell which is newer (rule S014): until that
        query is accepted, or one of them chosen, none of them is live, and what was live before
        them still is.
        """
        query = pl.col("severity") == "Q"
        accepted = pl.col("accepted_by").is_not_null()
        counts = self.findings.group_by("receipt_id").agg(
            (pl.col("severity") == "B").sum().cast(pl.Int64).alias("blocking"),
            (query & ~accepted).sum().cast(pl.Int64).alias("queries_open"),
            (query & accepted).sum().cast(pl.Int64).alias("queries_answered"),
        )
        last = self.choices.unique("force_code", keep="last", maintain_order=True)
        chosen = last.select("force_code", "up_to", "decided_by", chosen="version")
        judged = (
            self.versions.join(counts, on="receipt_id", how="left")
            .join(chosen, on="force_code", how="left")
            .with_columns(pl.col("blocking", "queries_open", "queries_answered").fill_null(0))
        )
        version = pl.col("version")
        counts_now = (version == pl.col("chosen")) | (version > pl.col("up_to"))
        acceptable = (pl.col("blocking") == 0) & counts_now.fill_null(value=True)
        gone = gone_from(self.receipts, self.choices)
        judged = judged.with_columns(
            _held(judged, self.findings, acceptable).alias("held"),
            counted=(pl.col("blocking") == 0) & ~pl.col("receipt_id").is_in([*gone]),
        )
        newest_live = version.filter(acceptable & ~pl.col("held")).max().over("force_code")
        waits = pl.when("live").then(pl.col("held").any().over("force_code").cast(pl.Int64))
        return judged.with_columns(
            (version == version.max().over("force_code")).fill_null(value=False).alias("newest"),
            (version == newest_live).fill_null(value=False).alias("live"),
        ).with_columns(
            # What counts meanwhile may be about to change: it is queried too.
            queries_open=pl.col("queries_open") + waits.otherwise(0)
        )

    @cached_property
    def changes(self) -> pl.DataFrame:
        """The table VersionChanges, by what was read."""
        return version_changes(self.judged, self.entries)

    def status_of_sent(self, collection: Collection) -> pl.DataFrame:
        """Return the mart ReturnsStatus as a run makes it, which stops where damage may count."""
        sent = returns_status(self.judged, collection)
        status = derived.told_in_status(sent, self.only, self.extracts, collection.template)
        # What is damaged here is not for the force to mend.
        mendable = pl.col("rule_id") != UNDAMAGED
        blocking = self.extract_findings.filter(mendable, severity="B").group_by("force_code")
        besides = status.join(blocking.len("besides"), on="force_code", how="left")
        both = pl.col("blocking") + pl.col("besides").fill_null(0).cast(pl.Int64)
        return conform(ReturnsStatus, besides.with_columns(blocking=both))

    def status(self, collection: Collection) -> pl.DataFrame:
        """Return the mart ReturnsStatus of this moment, which notes what is damaged.

        A damaged version is in no state.
        """
        versions = _versions(self.damaged.filter("can_count"), "lost")
        status = self.status_of_sent(collection)
        told = status.join(versions, on="force_code", how="left", maintain_order="left")
        note = pl.format("version {} is damaged in the raw store: see muster doctor", "lost")
        both = pl.concat_str("notes", note, separator="; ", ignore_nulls=True)
        lost = pl.col("lost").is_not_null()
        return told.with_columns(notes=pl.when(lost).then(both).otherwise("notes")).drop("lost")

    def live_returns(self) -> pl.DataFrame:
        """Return the table LiveReturns. `basis` is what the cover says, or the extract."""
        on_cover = (pl.col("sheet") == "cover") & (pl.col("row_code") == "basis")
        told = self.entries.filter(on_cover).select("receipt_id", pl.col("value").alias("basis"))
        basis = pl.concat([told, self.only.select("receipt_id", "basis")])
        live = self.judged.filter("live").join(basis, on="receipt_id", how="left", validate="1:1")
        # Where rows are set aside, cases may be missing.
        fewer = pl.col("receipt_id").is_in(
            self.only.filter(pl.col("bad") > 0)["receipt_id"].to_list()
        )
        provisional = (pl.col("queries_open") > 0) | fewer
        return conform(LiveReturns, live.with_columns(provisional=provisional))

    def current_findings(self) -> pl.DataFrame:
        """Return the mart Findings: of each force's live and newest receipts, and of nobody's.

        A receipt whose force cannot be told is nobody's; its findings are shown without a force
        code. What is held is shown too; which version is newer is not asked once that is settled.
        """
        shown = pl.col("live") | pl.col("newest") | pl.col("force_code").is_null()
        current = self.judged.filter(shown | pl.col("held")).select("receipt_id")
        settled = self.judged.filter(~pl.col("held") & ~pl.col("live")).select("receipt_id")
        moot = self.findings.filter(pl.col("rule_id") == UNORDERED).join(settled, on="receipt_id")
        now = self.findings.join(current, on="receipt_id", how="semi")
        asked = now.join(moot, on=["receipt_id", "rule_id"], how="anti")
        found = pl.concat([asked, self.extract_findings], how="diagonal")
        # What a query moves is told once there are figures.
        return conform(Findings, found.with_columns(effect=pl.lit(None, pl.Float64)))

    def asked(self) -> pl.DataFrame:
        """Return the findings that ask for an answer: of what counts, and of what is held.

        What is asked of a version that was refused is shown with that version alone.
        """
        asking = self.judged.filter(pl.col("live") | pl.col("held")).select("receipt_id")
        query = pl.col("severity") == "Q"
        return self.current_findings().filter(query).join(asking, on="receipt_id", how="semi")


def _held(judged: pl.DataFrame, findings: pl.DataFrame, acceptable: pl.Expr) -> pl.Series:
    asked = findings.filter(
        pl.col("rule_id") == UNORDERED, pl.col("severity") == "Q", pl.col("accepted_by").is_null()
    )
    if asked.is_empty() or "tie" not in judged.columns:  # as in a table of an earlier release
        return pl.repeat(value=False, n=judged.height, dtype=pl.Boolean, eager=True)
    chosen = pl.col("version").eq_missing(pl.col("chosen"))
    open_ = pl.col("receipt_id").is_in(asked["receipt_id"].to_list()) & acceptable & ~chosen
    held = open_.any().over("force_code", "tie") & pl.col("tie").is_not_null() & ~chosen
    return judged.select((held & acceptable).fill_null(value=False)).to_series()


def returns_status(judged: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart ReturnsStatus: one row for each force the collection expects."""
    standing = (
        judged.filter(pl.col("live") | pl.col("newest"))
        .sort("live", descending=True, maintain_order=True)
        .unique("force_code", keep="first", maintain_order=True)
    )
    last = judged.filter("newest").select(
        "force_code", last_version="version", last_blocking="blocking"
    )
    rows = pl.DataFrame({"force_code": collection.forces})
    for each in (standing, last, _versions(judged.filter("held"), "held_versions")):
        rows = rows.join(each, on="force_code", how="left", maintain_order="left")
    # A version that was refused asks nothing: there is more to mend first.
    asks = pl.col("live") | pl.col("held")
    counts = ("queries_open", "queries_answered")
    return conform(
        ReturnsStatus,
        rows.with_columns(
            pl.when(pl.col("live").is_null())
            .then(pl.lit("missing"))
            .when(~pl.col("live"))
            .then(pl.lit("rejected"))
            .when(pl.col("queries_open") > 0)
            .then(pl.lit("queried"))
            .otherwise(pl.lit("accepted"))
            .alias("state"),
            pl.col("last_blocking").fill_null(0).alias("blocking"),
            *(pl.when(asks).then(name).otherwise(0).alias(name) for name in counts),
            _notes().alias("notes"),
        ),
    )


def _versions(receipts: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return by force which versions some receipts are, in words."""
    listed = pl.col("version").sort().cast(pl.String).str.join(" and ").alias(name)
    return receipts.drop_nulls("force_code").group_by("force_code").agg(listed)


def _notes() -> pl.Expr:
    overtaken = pl.col("live") & (pl.col("last_version") > pl.col("version"))
    went_back = pl.concat_str(
        pl.format("{} went back to version {}", "decided_by", "version"),
        pl.format("; version {} does not count", "last_version"),
    )
    rejected = pl.concat_str(
        pl.format("version {} was rejected ({} blocking)", "last_version", "last_blocking"),
        pl.format("; version {} stays live", "version"),
    )
    told = pl.format(
        "versions {} came with the same time and differ: none counts until somebody says which is"
        " newer (query S014, or muster versions --go-back)",
        "held_versions",
    )
    stays = pl.when("live").then(pl.format("; version {} stays live", "version"))
    held = pl.concat_str(told, stays.fill_null(""))
    return (
        pl.when(pl.col("held_versions").is_not_null())
        .then(held)
        .when(overtaken)
        .then(pl.when(pl.col("last_blocking") > 0).then(rejected).otherwise(went_back))
    )


def live_entries(live: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Return the table LiveEntries."""
    return conform(LiveEntries, entries.join(live, on="receipt_id", how="inner", validate="m:1"))


def check_damaged(judged: pl.DataFrame, damaged: pl.DataFrame, choices: pl.DataFrame) -> None:
    """Refuse to go on where a damaged receipt may be the return that counts.

    An earlier version would else count in its place, and a total look right that is not.

    Raises:
        LakeError: there is such a receipt; whoever goes back to another version has decided.
    """
    live = dict(judged.filter("live").select("force_code", "sequence").iter_rows())
    chosen = {row["force_code"]: row for row in choices.iter_rows(named=True)}
    missed = []
    for row in damaged.filter("can_count").sort("file").iter_rows(named=True):
        force, version, choice = row["force_code"], row["version"], chosen.get(row["force_code"])
        passed_over = choice and choice["version"] != version and version <= choice["up_to"]
        if not passed_over and live.get(force, 0) < row["sequence"]:
            missed.append(row)
    if missed:
        first, *others = missed
        told = [f"{_whose(first)}: {first['problem']}"]
        told += [f"{row['file']}: {_whose(row)}: {row['problem']}" for row in others]
        raise LakeError(
            Path(first["file"]),
            "; ".join(told),
            "Restore it from the backup of the lake; nothing is computed meanwhile."
            " Where it is lost, let the force save and send its return anew, or say which"
            " version shall count: muster versions FORCE --go-back N --reason TEXT --by NAME.",
        )


def _whose(damaged: dict[str, Any]) -> str:
    if damaged["force_code"] is None:
        return "whose cannot be told, so it may be the return of any force"
    return f"{damaged['force_code']} version {damaged['version']}, which may be what counts"


STANDS_ON: Final = (
    "intake/receipts",
    "validation/all_findings",
    "validation/entries",
    "cases/extracts",
    "cases/extract_findings",
)
"""What a run has made once something can be said of where returns stand."""


def standing(lake: Lake, until: datetime | None = None) -> Standing:
    """Return where returns stand, by what the last run read and the desk has decided since.

    What was received or decided after `until` is left out.

    Raises:
        LakeError: nothing has been run yet, or what was written then is damaged.
    """
    read = (work_table(lake, name) for name in STANDS_ON)
    receipts, findings, entries, extracts, of_extracts = read
    if until:
        at = pl.col("received_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%z")
        receipts, extracts = (t.filter(at <= until.astimezone(UTC)) for t in (receipts, extracts))
        of_extracts = of_extracts.join(extracts, on="receipt_id", how="semi")
    ledger, told = Ledger(lake, until=until), (receipts, findings, entries)
    decided = read_answers(ledger), read_choices(ledger)
    return Standing(lake.collection, *told, *decided, extracts, of_extracts, damaged_now(lake))
