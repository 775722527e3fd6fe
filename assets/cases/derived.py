"""What extracts mean for returns: cells that cases add up to, and who sent only cases."""

from typing import Final

import polars as pl

from schemas.cases import DAMAGED_STATE, REJECTED, UNREADABLE_STATE, case_cells
from schemas.conform import conform
from schemas.tables import LiveEntries
from schemas.template import Place, Template

GRID: Final = ["force_code", "sheet", "row_code", "column_code"]
CELL: Final = "rows"
"""Stands where the address of a cell would: the value comes from case rows."""

_PLACES: Final = 3
"""Places of rows that are set aside that a message names; all are notes of the extract."""

_SUBJECT: Final = ["category", "recipient", "media", "outcome"]


def case_grid(
    cases: pl.DataFrame, forces: pl.Series, template: Template, *, sums: bool = False
) -> pl.DataFrame:
    """Return `rows` by GRID for each cell that counts cases, of the forces with a live extract.

    A combination without a case (mart InvestigationsByMonth) is zero: an extract has all cases.
    With `sums` there are also the cells that are sums of these.
    """
    leaves = {entry.place: tuple(map(entry.dims.get, _SUBJECT)) for entry in case_cells(template)}
    cells: dict[Place, tuple[Place, ...]] = {place: (place,) for place in leaves}
    if sums:
        cells |= {of: parts for of, parts in template.leaves.items() if leaves.keys() >= {*parts}}
    subjects = pl.DataFrame(
        [(*place, *leaves[part]) for place, parts in cells.items() for part in parts],
        schema=dict.fromkeys([*GRID[1:], *_SUBJECT], pl.String),
        orient="row",
    )
    counted = cases.group_by("force_code", *_SUBJECT).agg(pl.col("cases").sum())
    wanted = pl.DataFrame({"force_code": forces}).join(subjects, how="cross")
    found = wanted.join(counted, on=["force_code", *_SUBJECT], how="left", nulls_equal=True)
    return found.group_by(GRID).agg(pl.col("cases").sum().alias("rows")).sort(GRID)


def beside_workbooks(
    template: Template,
    extracts: pl.DataFrame,
    by_month: pl.DataFrame,
    extract_findings: pl.DataFrame,
) -> pl.DataFrame:
    """Return `rows` by GRID of the live extracts, and what is set `aside` of each, in words.

    That says where to look, and is "" where nothing is. The tables are Extracts,
    InvestigationsByMonth and ExtractFindings.
    """
    found = extract_findings.filter(severity="N").sort("rule_id", "sheet").group_by("receipt_id")
    place = pl.format("{} {} ({})", "sheet", "cell", "rule_id")
    more = pl.when(pl.len() > _PLACES).then(pl.lit(" ...")).otherwise(pl.lit(""))
    at = found.agg(at=place.head(_PLACES).str.join(", ") + more)
    live = extracts.filter("live").join(at, on="receipt_id", how="left")
    are = pl.when(pl.col("bad") == 1).then(pl.lit("bad row is")).otherwise(pl.lit("bad rows are"))
    told = pl.format("; {} {} set aside and not counted: see {}", "bad", are, "at")
    aside = live.select("force_code", aside=told.fill_null(""))
    return case_grid(by_month, live["force_code"], template).join(aside, on="force_code")


def derived_entries(cases: pl.DataFrame, only: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return the table LiveEntries of the forces of `only_rows`, from InvestigationsByMonth.

    People suspended are not among them: rows count cases, not people.
    """
    cells = case_grid(cases, only["force_code"], template, sums=True)
    entries = cells.join(derived_returns(only), on="force_code", validate="m:1").with_columns(
        cell=pl.lit(CELL), value=pl.col("rows").cast(pl.String), number=pl.col("rows")
    )
    return conform(LiveEntries, entries)


def only_rows(
    extracts: pl.DataFrame, receipts: pl.DataFrame, damaged: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the live extracts (table Extracts) of forces that sent no workbook.

    A force that sent any, also one that is damaged now, has its grid there, or has to mend it
    there: rows must not get around a rejected return. An extract without a row does not say that
    there was no case; only a workbook can.
    """
    returns = [] if damaged is None else [damaged.filter(pl.col("kind") == "return")]
    tables = [receipts, *returns]
    sent = pl.concat(table.select("force_code") for table in tables).drop_nulls()
    return extracts.filter("live", pl.col("rows") > 0).join(sent, on="force_code", how="anti")


def derived_returns(only: pl.DataFrame) -> pl.DataFrame:
    """Return the extracts of `only_rows` as rows of the table LiveReturns.

    Where bad rows are set aside, cases may be missing: what counts is provisional.
    """
    return only.select("force_code", "receipt_id", "sha256", "basis", provisional=pl.col("bad") > 0)


def refused_extracts(extracts: pl.DataFrame) -> pl.DataFrame:
    """Return the extracts that do not count: of each force its newest, and what is damaged."""
    newest = pl.col("version") == pl.col("version").max().over("force_code")
    refused = newest & pl.col("state").is_in([REJECTED, UNREADABLE_STATE])
    damaged = pl.col("state") == DAMAGED_STATE
    return extracts.drop_nulls("force_code").filter(refused | damaged).sort("force_code")


def told_in_status(
    status: pl.DataFrame, only: pl.DataFrame, extracts: pl.DataFrame
) -> pl.DataFrame:
    """Return the mart ReturnsStatus with the extracts of `only_rows` in the place of returns.

    Its notes also name the forces whose newest extract, by the table Extracts, is refused, or has
    no row where no workbook says that there was no case, and rows set aside beside a workbook.
    """
    said = "sent only case rows: its investigations are derived from them, the rest is missing"
    nothing = "without a row; that there was no case has to stand in a workbook"
    lost = "do not count: damaged in the raw store, see muster doctor"
    bad, damaged = pl.col("bad"), pl.col("state") == DAMAGED_STATE
    fewer = pl.format("; rows set aside: {} of {}, so that cases may be missing", bad, "rows")
    found = only.select(
        *("force_code", "receipt_id", "version", "received_at", "sha256"),
        state=pl.when(bad > 0).then(pl.lit("queried")).otherwise(pl.lit("accepted")),
        notes=said + pl.when(bad > 0).then(fewer).otherwise(pl.lit("")),
    )
    are = pl.when(bad == 1).then(pl.lit("is")).otherwise(pl.lit("are"))
    share = pl.format("{} of {} rows {} bad", bad, "rows", are).fill_null("it cannot be read")
    refused = pl.when(damaged).then(pl.lit(lost)).otherwise("refused: " + share)
    without = extracts.filter(pl.col("live"), rows=0).join(
        status.filter(state="missing"), on="force_code", how="semi"
    )
    # Those of forces that sent only rows are told with what was derived.
    aside = extracts.filter("live", bad > 0).join(only, on="force_code", how="anti")
    doubtful = (
        pl.concat(
            [
                refused_extracts(extracts).with_columns(why=refused),
                aside.with_columns(why=pl.format("{} of {} rows set aside", bad, "rows")),
                without.with_columns(why=pl.lit(nothing)),
            ]
        )
        .group_by("force_code", maintain_order=True)
        .agg(pl.format("case rows, version {}, {}", "version", "why").str.join("; ").alias("told"))
    )
    joined = status.update(found, on="force_code").join(doubtful, on="force_code", how="left")
    notes = pl.concat_list("notes", "told").list.drop_nulls()
    both = pl.when(notes.list.len() > 0).then(notes.list.join("; "))
    return joined.with_columns(notes=both).select(status.columns)
