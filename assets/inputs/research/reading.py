"""Reads a file of the research folder: CSV in the types of its contract, or what is wrong."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Final

import polars as pl

from schemas.collection import Collection
from schemas.contract import Column, Contract, keys
from schemas.finding import FilesRefusedError, Finding
from schemas.research import (
    ALONE,
    FILES,
    INSTANCE_CATEGORIES,
    QUESTIONS,
    ROW_CHECKS,
    SITES,
    columns_sent,
)
from schemas.rules.catalogue import rules_of
from schemas.vocabulary import NOT_HELD
from schemas.wording import listed

ROW: Final = "row"
"""Column with the row's number as a spreadsheet shows it."""

_QUOTED: Final = 50
"""Characters of a cell or heading that a message repeats."""

_WHOLE: Final = r"^([0-9]{1,9}|[1-9][0-9]{0,2}(,[0-9]{3}){1,2})$"


def research_finding(
    what: str,
    file: str,
    observed: str,
    row: int | None = None,
    column: str | None = None,
    **words: Any,
) -> Finding:
    """Return a finding in a file of the research folder: its sheet is the file.

    `what` is wrong, as a rule of tier `research` says it, whose texts hold `words`; the headings
    are row 1. Without row or column it is about the whole file, column or row.
    """
    rule = next(rule for rule in rules_of("research").values() if what in rule.says)
    message = f"{observed}; expected {rule.says[what].format_map(words)}"
    fix = rule.advice(rule.fixes.get(what, rule.fix).format_map(words))
    at = None if row is None else str(row)
    return Finding(rule.id, rule.severity, message, fix, file, None, at, column)


def research_years(collection: Collection) -> tuple[int, int]:
    """Return the years that a collection's research and survey may be of: the last and its own."""
    return collection.census.year - 1, collection.census.year


def read_rows(
    file: str, content: bytes, collection: Collection
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the rows of a research file with their numbers (ROW), and its headings in order.

    Raises:
        FilesRefusedError: something in it is wrong; it lists everything that is.
    """
    sent = columns_sent(FILES[file])
    cells, headings, findings = _table(file, content, [column.name for column in sent])
    typed = cells.select(ROW, *map(_typed, sent))
    for column in sent:
        findings += _cell_findings(file, column, cells, typed[column.name], collection)
    sound = typed.filter(~pl.col(ROW).cast(pl.String).is_in([f.row_code for f in findings]))
    findings += _row_findings(file, FILES[file], sound, all_sound=not findings)
    if findings:
        raise FilesRefusedError(
            sorted(findings, key=lambda f: (int(f.row_code or 0), f.column_code or ""))
        )
    return typed, headings


def _table(
    file: str, content: bytes, names: Sequence[str]
) -> tuple[pl.DataFrame, tuple[str, ...], list[Finding]]:
    """Return the cells as text under `names`, the headings as they stand, and rows left out."""
    try:
        text = StringIO(content.decode("utf-8-sig"), newline="")
        lines = list(csv.reader(text, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        unread = research_finding("csv", file, f"not readable ({error})")
        raise FilesRefusedError([unread]) from error
    filled = [row for row, line in enumerate(lines, 1) if any(line)]
    headings = tuple(text.strip() for row in filled[:1] for text in lines[row - 1])
    wrong = [
        *(("absent", name, "the column is missing") for name in names if name not in headings),
        *(("unknown_column", name, "unknown column") for name in headings if name not in names),
        *(("twice", name, "the column stands twice") for name in names if headings.count(name) > 1),
    ]
    if wrong:
        expected = listed(names)
        raise FilesRefusedError(
            [
                research_finding(
                    what, file, observed, 1, name[:_QUOTED] or "without a heading", names=expected
                )
                for what, name, observed in wrong
            ]
        )
    if len(filled) == 1:
        raise FilesRefusedError([research_finding("rows", file, "headings without rows")])
    width = len(headings)
    findings = [
        research_finding("cells", file, f"{len(lines[row - 1])} cells", row, cells=width)
        for row in filled[1:]
        if len(lines[row - 1]) != width
    ]
    fitting = [row for row in filled[1:] if len(lines[row - 1]) == width]
    # By column: a tuple for each row would take longer than reading the file.
    cells = {
        name: [lines[row - 1][at].strip() for row in fitting]
        for name in names
        for at in [headings.index(name)]
    }
    schema = {ROW: pl.Int64, **dict.fromkeys(names, pl.String)}
    return pl.DataFrame({ROW: fitting, **cells}, schema=schema), headings, findings


def _typed(column: Column) -> pl.Expr:
    """Return a column in its type, null where its text is not of that type."""
    text = pl.col(column.name)
    if column.dtype is pl.String:
        return pl.when(text != "").then(text).alias(column.name)
    number = text.str.replace_all(",", "").cast(pl.Int64, strict=False)
    return pl.when(text.str.contains(_WHOLE)).then(number).alias(column.name)


def _cell_findings(
    file: str, column: Column, cells: pl.DataFrame, typed: pl.Series, collection: Collection
) -> Iterator[Finding]:
    """Yield a finding for each cell that is not of its type, or holds a code not in its list.

    Only `not_held` makes a null where the contract allows one, so any other text is no null.
    """
    name = column.name
    codes = research_years(collection) if name == "year" else column.allowed
    count = "count_or_not" if column.nullable else "count"
    what = "code" if codes else "text" if column.dtype is pl.String else count
    wrong = ~typed.is_in(codes).fill_null(value=False) if codes else typed.is_null()
    for row, text in cells.filter(wrong).select(ROW, name).iter_rows():
        if not (column.nullable and text == NOT_HELD):
            observed = repr(text[:_QUOTED]) if text else "a blank cell"
            yield research_finding(what, file, observed, row, name, codes=listed(codes))


def _row_findings(
    file: str, contract: Contract, sound: pl.DataFrame, *, all_sound: bool
) -> Iterator[Finding]:
    """Yield a finding for each row that breaks a check on whole rows."""
    key = keys(contract)
    checks = {"one_key": (None, pl.struct(key).is_unique()), **ROW_CHECKS[contract]}
    broken = {check: sound.filter(~holds) for check, (_, holds) in checks.items()}
    rules = rules_of("research").values()
    by_others = {what for rule in rules if rule.needs == "other rows" for what in rule.says}
    certain = {check: rows for check, rows in broken.items() if check not in by_others}
    if not all_sound or any(rows.height for rows in certain.values()):
        broken = certain
    for check, rows in broken.items():
        column, _ = checks[check]
        for row in rows.iter_rows(named=True):
            observed = ", ".join(str(row[name]) for name in ([column] if column else key))
            yield research_finding(check, file, observed, row.pop(ROW), column, **_words(row))


def _words(row: Mapping[str, Any]) -> dict[str, Any]:
    question = QUESTIONS.get(row.get("question", ""))
    asked_of = question.asked_of if question else None
    return {
        **{name: NOT_HELD if value is None else value for name, value in row.items()},
        "answers": listed(question.answers) if question else "",
        "route": f"{asked_of[1]} to {asked_of[0]}" if asked_of else "",
        "alone": " and ".join(ALONE),
        "kinds": len(SITES) * len(INSTANCE_CATEGORIES),
    }
