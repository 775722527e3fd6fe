"""What is wrong with an extract, as findings; a file on its own is checked without a lake."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.job import tables_of, told
from assets.cases.sources import find_sources
from assets.cases.store import force_of
from schemas.cases import COLUMN_OF, LISTS, REJECTED, SHARE, TYPES, codes
from schemas.collection import Collection
from schemas.finding import FilesRefusedError, Finding, Place, finding
from schemas.rules.catalogue import CASES, rules_of
from schemas.wording import Number, plural

_ROWS: Final = 5
"""Rows told of each fault; the quarantine has all."""

_FEW: Final = 12
"""Codes of a column up to which a finding lists them all."""

_DATES: Final = ("opened_on", "closed_on")
_HEAD: Final = 4096


def faults(
    found: Mapping[str, Any], bad: pl.DataFrame, files: Sequence[str], collection: Collection
) -> Iterator[Finding]:
    """Yield what is wrong with the files of a force's extract that could be read.

    `found` is its row of the contract CasesByForce, `bad` its rows of the quarantine.
    """
    if found["state"] == REJECTED:
        is_, most = "is" if found["bad"] == 1 else "are", f"{collection.max_bad_share:.0%}"
        share = f"{found['bad']:,} of {plural(found['rows'], 'row')} {is_} bad"
        place = Place(sheet=files[0] if len(files) == 1 else None)
        yield finding(SHARE, f"{share}, above the {most} allowed", place)
    by_rule = (
        bad.with_columns(pl.col("reasons").str.split(";"))
        .explode("reasons")
        .group_by("reasons", "file")
        .agg(
            pl.len().alias("rows"),
            pl.col("row").head(_ROWS),
            *(_undated(name).sum().alias(f"undated_{name}") for name in _DATES),
            pl.col(*TYPES).first(),
        )
        .sort("reasons", "file")
    )
    for fault in by_rule.iter_rows(named=True):
        yield _fault(fault, found["state"], collection)


def _fault(fault: Mapping[str, Any], state: str, collection: Collection) -> Finding:
    """Return the finding of one rule that rows of one file break: how many, and the first."""
    rule_id, more = fault["reasons"], fault["rows"] - _ROWS
    column = COLUMN_OF[rule_id]
    rows = ", ".join(map(str, fault["row"])) + (f" and {more:,} more" if more > 0 else "")
    where = f"row {rows}" if fault["rows"] == 1 else f"{plural(fault['rows'], 'row')}: {rows}"
    message = f"{rules_of(CASES)[rule_id].title}: not so in {where}"
    if undated := fault.get(f"undated_{column}"):
        of = "it is" if fault["rows"] == 1 else f"{Number(undated):of them is|of them are}"
        message += f"; {of} no date of the form YYYY-MM-DD"
    lists, fix = codes(collection.template), rules_of(CASES)[rule_id].fix
    if len(held := lists.get(column, ())) <= _FEW and not all(code in fix for code in held):
        fix += f" The codes are {', '.join(held)}."
    value = told(fault[column], column, collection)
    aside, rule = "; set aside, the other rows count", collection.template.cases_rule
    aside += f", and {rule} blocks a workbook that differs from them" if rule else ""
    return finding(
        rule_id,
        message if state == REJECTED else message + aside,
        Place(fault["file"], f"row {fault['row'][0]}", column_code=column, value=value),
        fix=fix,
        severity="B" if state == REJECTED else "N",
    )


def _undated(column: str) -> pl.Expr:
    """Tell the texts that are no date as an extract has it, or as a time of Parquet is shown."""
    text = pl.col(column)
    shaped = text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00(\.0+)?)?$")
    return ~shaped | text.str.head(10).str.to_date("%Y-%m-%d", strict=False).is_null()


def is_extract(path: Path) -> bool:
    """Return whether a file is meant as an extract: Parquet, or CSV with a column of references."""
    suffix = path.suffix.lower()
    if suffix != ".csv" or not path.is_file():
        return suffix == ".parquet"
    with path.open("rb") as file:
        return b"case_ref" in file.read(_HEAD).replace(b"\0", b"")


def check_extract(
    path: Path, collection: Collection
) -> tuple[str | None, list[Finding], bool, pl.DataFrame]:
    """Return the force of an extract, its faults, whether it can be read, and cases that count."""
    force, cases = None, pl.DataFrame()
    try:
        force = force_of(path, collection)
        source = replace(find_sources([path])[0], file=path.name, folder=force)
        of_forces, counts, bad = tables_of([source], collection)
        found = of_forces.row(by_predicate=pl.col("force_code") == force, named=True)
    except FilesRefusedError as error:
        return force, [replace(each, sheet=path.name) for each in error.findings], False, cases
    cases = counts.rename(LISTS) if found["state"] != REJECTED else cases
    return force, [*faults(found, bad, [path.name], collection)], True, cases
