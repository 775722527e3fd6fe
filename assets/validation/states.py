"""The state of each force's return, and the explicit list of returns that are live.

Belongs here: which receipt counts. The newest acceptable one is live; a rejected resubmission
leaves the earlier one live. Totals read this list, never "whatever is on disk".
"""

import polars as pl

from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.returns import Findings, ReturnsStatus
from schemas.tables import LiveEntries, LiveReturns


def judged_receipts(receipts: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Add to each receipt its counts of findings and whether it is the newest and the live one."""
    counts = findings.group_by("receipt_id").agg(
        (pl.col("severity") == "B").sum().cast(pl.Int64).alias("blocking"),
        (pl.col("severity") == "Q").sum().cast(pl.Int64).alias("queries_open"),
    )
    judged = receipts.join(counts, on="receipt_id", how="left").with_columns(
        pl.col("blocking", "queries_open").fill_null(0)
    )
    version = pl.col("version")
    acceptable = version.filter(pl.col("blocking") == 0).max().over("force_code")
    return judged.with_columns(
        (version == version.max().over("force_code")).fill_null(value=False).alias("newest"),
        (version == acceptable).fill_null(value=False).alias("live"),
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
    overtaken = pl.col("live") & (pl.col("last_version") > pl.col("version"))
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
            pl.col("queries_open").fill_null(0),
            pl.lit(0, pl.Int64).alias("queries_answered"),
            pl.when(overtaken)
            .then(
                pl.format(
                    "version {} was rejected ({} blocking); version {} stays live",
                    "last_version",
                    "last_blocking",
                    "version",
                )
            )
            .alias("notes"),
        ),
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
    """
    shown = pl.col("live") | pl.col("newest") | pl.col("force_code").is_null()
    current = judged.filter(shown).select("receipt_id", "force_code")
    nothing = pl.lit(None, pl.String)
    return conform(
        Findings,
        findings.join(current, on="receipt_id", how="inner", validate="m:1").with_columns(
            nothing.alias("reason"), nothing.alias("accepted_by")
        ),
    )
