"""What extracts mean for returns: cells that cases add up to, and who sent only cases."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from assets.intake.receipts import extract_ids
from schemas.cases import DAMAGED_STATE, LISTS, REJECTED, UNREADABLE_STATE, case_cells
from schemas.conform import conform
from schemas.tables import Entries
from schemas.template import Place, Template
from schemas.wording import first_of, visible

GRID: Final = ["force_code", "sheet", "row_code", "column_code"]
CELL: Final = "rows"
"""Stands where the address of a cell would: the value comes from case rows."""

_PLACES: Final = 3
"""Places of rows that are set aside that a message names; all are notes of the extract."""

_MEND: Final = "Else mend the rows, and send the whole extract anew."
_SUBJECT: Final = [*LISTS.values()]


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
    """Return the table Entries of the forces of `only_rows`, from InvestigationsByMonth.

    People suspended are not among them: rows count cases, not people.
    """
    cells = case_grid(cases, only["force_code"], template, sums=True)
    ids = only.select("force_code", "receipt_id")
    entries = cells.join(ids, on="force_code", validate="m:1").with_columns(
        cell=pl.lit(CELL),
        value=pl.col("rows").cast(pl.String),
        number=pl.col("rows"),
        missing=pl.lit(None, pl.String),
    )
    return conform(Entries, entries)


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
    only = extracts.filter("live", pl.col("rows") > 0).join(sent, on="force_code", how="anti")
    # The same bytes may have come as a return of nobody's too, which has the id then.
    pairs = only.select("force_code", "sha256").iter_rows()
    again = pl.Series([extract_ids(force, [sha256])[2] for force, sha256 in pairs], dtype=pl.String)
    taken = pl.col("receipt_id").is_in(receipts["receipt_id"].to_list())
    return only.with_columns(receipt_id=pl.when(taken).then(again).otherwise("receipt_id"))


def with_rows(receipts: pl.DataFrame, only: pl.DataFrame) -> pl.DataFrame:
    """Return the table Receipts, and below it the extracts of `only_rows`."""
    shared = [name for name in receipts.columns if name in only.columns]
    rows = only.select(*shared, file_name=pl.lit("case rows"))
    return pl.concat([receipts, rows], how="diagonal")


def told_of_rows(
    findings: pl.DataFrame,
    only: pl.DataFrame,
    files: Mapping[str, Sequence[str]],
    template: Template,
) -> pl.DataFrame:
    """Return findings, those about `only_rows` by file and columns: such rows have no cells.

    `findings` has the columns of AllFindings; `files` are the names of the extract of each force.
    """
    places = []
    for place in template.entry_at:
        parts = template.leaves.get(place, (place,))
        dims = [template.entry_at[part].dims for part in parts]
        told = {column: {of.get(name) for of in dims} for column, name in LISTS.items()}
        same = [f"{column} {code}" for column, (code, *more) in told.items() if code and not more]
        places.append((*place, f" with {' and '.join(same)}" if same else ""))
    named = {force: first_of([*map(visible, names)], 1) for force, names in files.items()}
    file = pl.col("force_code").replace_strict(named, default=None, return_dtype=pl.String)
    of = only.select("receipt_id", file=file)
    at = pl.DataFrame(places, [*GRID[1:], "which"], orient="row")
    both = findings.join(of, on="receipt_id", how="left", maintain_order="left").join(
        at, on=GRID[1:], how="left", maintain_order="left"
    )
    # That a rule is switched off is told of no sheet.
    ours = pl.col("file").is_not_null() & pl.col("sheet").is_not_null()
    where = pl.format("{}, rows{}: {}", "file", pl.col("which").fill_null(""), "message")
    mend = pl.col("how_to_fix").str.replace("( See docs/|$)", f" {_MEND}${{1}}")
    return both.with_columns(
        message=pl.when(ours).then(where).otherwise("message"),
        how_to_fix=pl.when(ours).then(mend).otherwise("how_to_fix"),
        cell=pl.when(~ours).then("cell"),
    ).select(findings.columns)


def refused_extracts(extracts: pl.DataFrame) -> pl.DataFrame:
    """Return the extracts that do not count: of each force its newest, and what is damaged."""
    newest = pl.col("version") == pl.col("version").max().over("force_code")
    refused = newest & pl.col("state").is_in([REJECTED, UNREADABLE_STATE])
    damaged = pl.col("state") == DAMAGED_STATE
    return extracts.drop_nulls("force_code").filter(refused | damaged).sort("force_code")


def told_in_status(
    status: pl.DataFrame, only: pl.DataFrame, extracts: pl.DataFrame, template: Template
) -> pl.DataFrame:
    """Return the mart ReturnsStatus with notes of the extracts of `only_rows`.

    They also name the forces whose newest extract, by the table Extracts, is refused, or has
    no row where no workbook says that there was no case, and rows set aside beside a workbook.
    """
    what = (template.of_cases or "").replace("_", " ")
    said = f"sent only case rows: its {what} are derived from them, the rest is missing"
    blocked = pl.lit("sent only case rows, which do not count: what they add up to is refused")
    nothing = "without a row; that there was no case has to stand in a workbook"
    lost = "do not count: damaged in the raw store, see muster doctor"
    bad, damaged = pl.col("bad"), pl.col("state") == DAMAGED_STATE
    fewer = pl.format("; rows set aside: {} of {}, so that cases may be missing", bad, "rows")
    accepted = pl.col("state") == "accepted"
    found = only.select(
        "force_code", "bad", derived=said + pl.when(bad > 0).then(fewer).otherwise(pl.lit(""))
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
    joined = status.join(found, on="force_code", how="left", maintain_order="left").join(
        doubtful, on="force_code", how="left", maintain_order="left"
    )
    of_rows = pl.when(pl.col("derived").is_not_null(), state="rejected").then(blocked)
    notes = pl.concat_list("notes", of_rows.otherwise("derived"), "told").list.drop_nulls()
    both = pl.when(notes.list.len() > 0).then(notes.list.join("; "))
    # Cases may be missing: what counts is provisional.
    state = pl.when(accepted, bad > 0).then(pl.lit("queried")).otherwise("state")
    return joined.with_columns(notes=both, state=state).select(status.columns)
