"""The state of each force's return, and the explicit list of returns that are live.

Belongs here: which receipt counts. The newest acceptable one is live; a rejected resubmission
leaves the earlier one live. Totals read this list, never "whatever is on disk".
"""

import polars as pl

from assets.desk.queries import queries
from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.returns import Findings, ReturnsStatus
from schemas.tables import LiveEntries, LiveReturns


def answered_findings(
    findings: pl.DataFrame, receipts: pl.DataFrame, answers: pl.DataFrame
) -> pl.DataFrame:
    """Return the findings with force_code, and with the reason and acceptance of each query.

    Args:
        findings: table AllFindings.
        receipts: table Receipts.
        answers: table Answers.
    """
    forces = receipts.select("receipt_id", "force_code")
    found = findings.join(forces, on="receipt_id", how="left", validate="m:1")
    asked = queries(found, answers).select(*found.columns, "reason", "accepted_by")
    others = found.filter((pl.col("severity") != "Q") | pl.col("force_code").is_null())
    return pl.concat([asked, others], how="diagonal")


def judged_receipts(
    receipts: pl.DataFrame, findings: pl.DataFrame, choices: pl.DataFrame
) -> pl.DataFrame:
    """Add to each receipt its counts of findings and whether it is the newest and the live one.

    Args:
        receipts: table Receipts.
        findings: as `answered_findings` returns them.
        choices: table Choices.
    """
    query = pl.col("severity") == "Q"
    accepted = pl.col("accepted_by").is_not_null()
    counts = findings.group_by("receipt_id").agg(
        (pl.col("severity") == "B").sum().cast(pl.Int64).alias("blocking"),
        (query & ~accepted).sum().cast(pl.Int64).alias("queries_open"),
        (query & accepted).sum().cast(pl.Int64).alias("queries_answered"),
    )
    chosen = choices.select("force_code", pl.col("version").alias("chosen"), "up_to", "decided_by")
    judged = (
        receipts.join(counts, on="receipt_id", how="left")
        .join(chosen, on="force_code", how="left")
        .with_columns(pl.col("blocking", "queries_open", "queries_answered").fill_null(0))
    )
    version = pl.col("version")
    counts_now = (version == pl.col("chosen")) | (version > pl.col("up_to"))
    acceptable = (pl.col("blocking") == 0) & counts_now.fill_null(value=True)
    newest_acceptable = version.filter(acceptable).max().over("force_code")
    return judged.with_columns(
        (version == version.max().over("force_code")).fill_null(value=False).alias("newest"),
        (version == newest_acceptable).fill_null(value=False).alias("live"),
    )


def returns_status(judged: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart ReturnsStatus: one row for each force the collection expects."""
    newest = judged.filter("newest")
    standing = pl.concat([judged.filter("live"), newest.filter(~pl.col("live"))]).unique(
        "force_code", keep="first", maintain_order=True
    )
    last = newest.select(
        "force_code",
        pl.col("version").alias("last_version"),
        pl.col("blocking").alias("last_blocking"),
    )
    expected = pl.DataFrame({"force_code": collection.forces})
    rows = expected.join(standing, on="force_code", how="left").join(
        last, on="force_code", how="left"
    )
    counts = ("queries_open", "queries_answered")
    return conform(
        ReturnsStatus,
        rows.with_columns(
            _state().alias("state"),
            pl.col("last_blocking").fill_null(0).alias("blocking"),
            *(pl.col(name).fill_null(0) for name in counts),
            _notes().alias("notes"),
        ),
    )


def _state() -> pl.Expr:
    return (
        pl.when(pl.col("live").is_null())
        .then(pl.lit("missing"))
        .when(~pl.col("live"))
        .then(pl.lit("rejected"))
        .when(pl.col("queries_open") > 0)
        .then(pl.lit("queried"))
        .otherwise(pl.lit("accepted"))
    )


def _notes() -> pl.Expr:
    overtaken = pl.col("live") & (pl.col("last_version") > pl.col("version"))
    went_back = pl.format(
        "{} went back to version {}; version {} does not count",
        "decided_by",
        "version",
        "last_version",
    )
    rejected = pl.format(
        "version {} was rejected ({} blocking); version {} stays live",
        "last_version",
        "last_blocking",
        "version",
    )
    return pl.when(overtaken).then(
        pl.when(pl.col("last_blocking") > 0).then(rejected).otherwise(went_back)
    )


def live_returns(judged: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Return the table LiveReturns. `basis` is what the cover says."""
    on_cover = (pl.col("sheet") == "cover") & (pl.col("row_code") == "basis")
    basis = entries.filter(on_cover).select("receipt_id", pl.col("value").alias("basis"))
    live = judged.filter("live").join(basis, on="receipt_id", how="left", validate="1:1")
    return conform(
        LiveReturns, live.with_columns((pl.col("queries_open") > 0).alias("provisional"))
    )


def live_entries(live: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Return the table LiveEntries."""
    return conform(LiveEntries, entries.join(live, on="receipt_id", how="inner", validate="m:1"))


def findings_mart(judged: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return the mart Findings: of each force's live and newest receipt, and of receipts of nobody.

    A receipt whose force cannot be told is nobody's; its findings are shown without a force code.

    Args:
        judged: as `judged_receipts` returns it.
        findings: as `answered_findings` returns them.
    """
    shown = pl.col("live") | pl.col("newest") | pl.col("force_code").is_null()
    current = judged.filter(shown).select("receipt_id")
    return conform(Findings, findings.join(current, on="receipt_id", how="semi"))
