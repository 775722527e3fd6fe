"""The job in DuckDB: whole, or a force at a time, which is quicker for many rows.

Every row is judged once, into a narrow table of enums; only bad rows are read again, and only
they are asked which rules they break. Forms that were slower: every rule for every row, two
filters in place of the narrow table, grouping by references in place of their hashes, windows.
"""

# ruff: noqa: S608 (the queries are put together from what stands in this file)

import json
import sys
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.peers import spec


def _in(column: str, codes: list[str]) -> str:
    return f"{column} in ({', '.join(map(repr, codes))})"


def _listed(column: str, codes: list[str]) -> str:
    return f"coalesce({_in(column, codes)}, false)"


_CATEGORY: Final = _listed("category", spec.CATEGORIES)
_RECIPIENT: Final = (
    f"(recipient is null or {_in('recipient', spec.RECIPIENTS)}) and (not {_CATEGORY}"
    " or (recipient is not null) = (category = 'information_disclosure'))"
)
_OPENED: Final = f"coalesce(opened_on between date '{spec.START}' and date '{spec.END}', false)"
_STATUS: Final = _listed("status_at_census", spec.OUTCOMES)
_FORCE: Final = _listed("force_code", spec.FORCES)

HOLDS: Final = [
    _FORCE,
    f"coalesce(regexp_matches(case_ref, '{spec.CASE_REF}')"
    f" and (not {_FORCE} or starts_with(case_ref, force_code)), false)",
    _CATEGORY,
    _RECIPIENT,
    f"(media is null or {_in('media', spec.MEDIA)}) and (not ({_CATEGORY} and {_RECIPIENT})"
    " or (media is not null) = (category = 'media_relationship'"
    " or coalesce(recipient = 'media', false)))",
    _OPENED,
    _STATUS,
    "(closed_on is null or closed_on <> date '9999-12-31') and"
    f" (not {_STATUS} or case when status_at_census = 'continuing' then closed_on is null"
    f" else coalesce(closed_on <= date '{spec.CENSUS}'"
    f" and (closed_on >= opened_on or not {_OPENED}), false) end)",
    "suspended is not null",
    _listed("workforce", spec.WORKFORCE),
]
"""What each rule asks of a row, in the order of their ids."""

VALID: Final = " and ".join(
    [
        _in("force_code", spec.FORCES),
        f"regexp_matches(case_ref, '{spec.CASE_REF}')",
        "starts_with(case_ref, force_code)",
        _in("category", spec.CATEGORIES),
        f"(recipient is null or {_in('recipient', spec.RECIPIENTS)})",
        "(recipient is not null) = (category = 'information_disclosure')",
        f"(media is null or {_in('media', spec.MEDIA)})",
        "(media is not null) = (category = 'media_relationship'"
        " or (recipient is not null and recipient = 'media'))",
        f"opened_on between date '{spec.START}' and date '{spec.END}'",
        _in("status_at_census", spec.OUTCOMES),
        "case when status_at_census = 'continuing' then closed_on is null"
        f" else closed_on between opened_on and date '{spec.CENSUS}' end",
        "suspended is not null",
        _in("workforce", spec.WORKFORCE),
    ]
)
"""The same for a row as a whole, which is cheaper to ask."""


_TRIMMED: Final = ", ".join(f"nullif(trim({name}), '') as {name}" for name in spec.TEXTS)
"""Of bad rows only, which holds while none is good without its spaces, as in what we make here."""


def _rows(files: str) -> str:
    return (
        f"read_parquet('{files}', hive_partitioning = true, hive_types = {{'force_code': varchar}},"
        " filename = true, file_row_number = true)"
    )


def prepare(db: duckdb.DuckDBPyConnection) -> None:
    """Name the lists, so that judged rows are numbers."""
    lists = {
        "force": spec.FORCES,
        "category": spec.CATEGORIES,
        "recipient": spec.RECIPIENTS,
        "media": spec.MEDIA,
        "outcome": spec.OUTCOMES,
    }
    for name, codes in lists.items():
        db.execute(f"create type {name} as enum ({', '.join(map(repr, codes))})")


def judge(db: duckdb.DuckDBPyConnection, files: str, *, first: bool) -> None:
    """Judge the rows of some files; add to the tables counts, forces, days and bad."""

    def add(table: str, query: str) -> None:
        db.execute(
            f"create temp table {table} as {query}" if first else f"insert into {table} {query}"
        )

    _judge(db, _rows(files))
    counted = ", ".join(spec.COUNTED_BY)
    add("counts", f"select {counted}, count(*) as cases from judged where valid group by all")
    add(
        "forces",
        "select force_code, count(*) as rows, count(*) filter (valid) as valid,"
        " count(*) filter (not valid) as bad, count(*) filter (valid and suspended) as suspended,"
        " count(*) filter (valid and staff) as staff, count(days) filter (valid) as closed,"
        f" quantile_disc(days, {list(spec.QUARTILES.values())}) filter (valid) as quartiles,"
        " max(days) filter (valid) as days_longest from judged group by force_code",
    )
    add("days", "select days, count(*) as cases from judged where valid and days >= 0 group by all")
    reasons = ", ".join(
        f"case when not ({holds}) then '{rule}' end"
        for rule, holds in zip(spec.RULES, HOLDS, strict=False)
    )
    add(
        "bad",
        f"select filename as file, file_row_number + 1 as row, {', '.join(spec.COLUMNS)},"
        f" concat_ws(';', {reasons}, case when case_ref in (from repeated)"
        f" then '{spec.UNIQUE}' end) as reasons from (select * replace ({_TRIMMED})"
        f" from {_rows(files)}) semi join (from judged where not valid)"
        " using (filename, file_row_number)",
    )


def _judge(db: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Make the tables repeated (references, which name their force) and judged (every row)."""
    db.execute(
        "create or replace temp table near as select hash(case_ref) from"
        f" {rows} where case_ref is not null group by all having count(*) > 1"
    )
    db.execute(
        f"create or replace temp table repeated as select case_ref from {rows}"
        " where hash(case_ref) in (from near) group by all having count(*) > 1"
    )
    db.execute(
        "create or replace temp table judged as select filename, file_row_number,"
        " try_cast(force_code as force) as force_code, try_cast(category as category) as category,"
        " try_cast(recipient as recipient) as recipient, try_cast(media as media) as media,"
        " try_cast(status_at_census as outcome) as status_at_census, suspended,"
        " workforce = 'staff' as staff, date_trunc('month', opened_on)::date as month,"
        f" closed_on - opened_on as days, coalesce({VALID}, false)"
        f" and case_ref not in (from repeated) as valid from {rows}"
    )


def write(db: duckdb.DuckDBPyConnection, out: Path) -> None:
    """Write the results."""
    db.execute(f"copy (from counts order by all) to '{out}/counts.parquet'")
    named = ", ".join(
        f"quartiles[{place}] as {name}" for place, name in enumerate(spec.QUARTILES, 1)
    )
    by_force = f"select * exclude (quartiles, days_longest), {named}, days_longest from forces"
    db.execute(f"copy ({by_force} order by all) to '{out}/by_force.parquet'")
    db.execute(f"copy (from bad order by file, row) to '{out}/quarantine.parquet'")
    by_rule = (
        "select reason, count(*) from"
        " (select unnest(string_split(reasons, ';')) as reason from bad) group by all"
    )
    quartiles = ", ".join(
        f"min(days) filter (reached >= total * {share})" for share in spec.QUARTILES.values()
    )
    added = "select days, sum(cases) as cases from days group by days"
    running = (
        "select days, sum(cases) over (order by days) as reached, sum(cases) over () as total"
        f" from ({added})"
    )
    summary = {
        "rules": dict(db.execute(by_rule).fetchall()),
        "days": db.execute(f"select {quartiles}, max(days) from ({running})").fetchone(),
    }
    for column in spec.COUNTED_BY[1:]:
        held = f"from counts where {column} is not null group by all"
        query = f"select {column}::varchar, sum(cases)::bigint {held}"
        summary[column] = dict(db.execute(query).fetchall())
    (out / "summary.json").write_text(json.dumps(summary))


def main() -> None:
    """Run the job, a force at a time if the third argument is `force`."""
    source, out = spec.arguments()
    db = duckdb.connect()
    db.execute("set preserve_insertion_order = false")
    prepare(db)
    folders = sorted(source.iterdir()) if sys.argv[3] == "force" else [source / "*"]
    for number, folder in enumerate(folders):
        judge(db, f"{folder}/*.parquet", first=number == 0)
    write(db, out)


if __name__ == "__main__":
    main()
