"""The rules of an extract once more, in plain Python and a row at a time, to hold the engine to.

Written from the page of the rules, not from their expressions. Rows are dictionaries: of typed
values as Parquet has them, or of text as CSV has it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from schemas.collection import Collection

Row = Mapping[str, Any]

NO_DATE = "not a date"


def seen(row: Row) -> Row:
    """Return a row without spaces around its text; text that is nothing else is null."""
    return {k: v.strip() or None if isinstance(v, str) else v for k, v in row.items()}


def as_date(value: Any) -> Any:
    """Return the date of a value; the last day there is means, like no date at all, NO_DATE."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if re.fullmatch(r"[0-9-]{10}", value) else NO_DATE
        except ValueError:
            return NO_DATE
    return NO_DATE if value == date.max else value


def broken_rules(row: Row, folder: str | None, c: Collection) -> set[str]:
    """Return the rules about a row that a row breaks."""
    broken = {
        rule_id
        for rule_id, holds in {
            "CASE01": row["force_code"] in c.forces and folder in {None, row["force_code"]},
            "CASE03": row["category"] in c.template.lists["category"],
            "CASE06": _opened_well(as_date(row["opened_on"]), c),
            "CASE07": row["status_at_census"] in c.template.lists["outcome"],
            "CASE09": str(row["suspended"]).lower() in {"true", "false"},
            "CASE10": row["workforce"] in {"officer", "staff"},
        }.items()
        if not holds
    }
    form = re.fullmatch(r"([A-Z]{3})-[0-9]{4}-[0-9]{1,9}", row["case_ref"] or "")
    if not form or ("CASE01" not in broken and form[1] != row["force_code"]):
        broken.add("CASE02")
    wanted = None if "CASE03" in broken else row["category"] == "information_disclosure"
    if not _stands_when(wanted, row["recipient"], c.template.lists["recipient"]):
        broken.add("CASE04")
    wanted = row["category"] == "media_relationship" or row["recipient"] == "media"
    asked = not broken & {"CASE03", "CASE04"}
    if not _stands_when(wanted if asked else None, row["media"], c.template.lists["media"]):
        broken.add("CASE05")
    opened = None if "CASE06" in broken else row["opened_on"]
    if not _closed_well(row["status_at_census"], as_date(opened), as_date(row["closed_on"]), c):
        broken.add("CASE08")
    return broken


def _stands_when(wanted: bool | None, code: str | None, codes: Iterable[str]) -> bool:
    """Whether a code is on its list, and there when wanted; None where that cannot be told."""
    return code in {None, *codes} and wanted in {None, code is not None}


def _opened_well(opened: Any, c: Collection) -> bool:
    return isinstance(opened, date) and c.period.start <= opened <= c.period.end


def _closed_well(status: Any, opened: date | None, closed: Any, c: Collection) -> bool:
    """`opened` is None where the day of opening is itself at fault."""
    if closed == NO_DATE:
        return False
    if status not in c.template.lists["outcome"]:
        return True
    if status == "continuing":
        return closed is None
    return closed is not None and (opened or date.min) <= closed <= c.census


def judged(rows: Sequence[tuple[str | None, Row]], c: Collection) -> list[list[str]]:
    """Return the broken rules of each row, sorted, given its folder: what `reasons` must say."""
    rows = [(folder, seen(row)) for folder, row in rows]
    keys = [
        (folder or row["force_code"], row["force_code"], row["case_ref"]) for folder, row in rows
    ]
    times = Counter(keys)
    found = []
    for (folder, row), key in zip(rows, keys, strict=True):
        broken = broken_rules(row, folder, c)
        if None not in key and times[key] > 1:
            broken.add("CASE11")
        found.append(sorted(broken))
    return found


def counted(
    rows: Sequence[tuple[str | None, Row]], c: Collection
) -> dict[tuple[str | None, ...], int]:
    """Return the valid cases by force, category, recipient, media, status and month."""
    cells: Counter[tuple[Any, ...]] = Counter()
    for (_, sent), broken in zip(rows, judged(rows, c), strict=True):
        if not broken:
            row = seen(sent)
            by = (row[name] for name in ("force_code", "category", "recipient", "media"))
            month = as_date(row["opened_on"]).replace(day=1)
            cells[(*by, row["status_at_census"], month)] += 1
    return dict(cells)
