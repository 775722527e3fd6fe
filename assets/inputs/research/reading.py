"""Reads a file of the research folder: CSV in the types of its contract, or what is wrong."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from io import StringIO
from typing import Any, Final

import polars as pl

from schemas.checking import SchemaErrors, pa
from schemas.collection import Collection
from schemas.contract import Column, Contract, columns, keys
from schemas.errors import ContractError, MusterError
from schemas.finding import Finding
from schemas.research import ALONE, FILES, INSTANCE_CATEGORIES, QUESTIONS, SITES
from schemas.rules.catalogue import rules_of
from schemas.vocabulary import NOT_HELD
from schemas.wording import listed

ROW: Final = "row"
"""Column with the row's number as a spreadsheet shows it."""

STANDS_AT: Final[dict[str, str | None]] = {
    "multiple_fields_uniqueness": None,
    "profiles_within": "profiles_inappropriate",
    "accounts_within": "accounts_still_visible",
    "every_kind": "category",
    "answer_of_question": "answer",
    "one_wave": "wave",
    "one_answer": "answer",
    "led_to": "question",
    "no_contradiction": "answer",
}
"""The column at which the failure of a check on whole rows is shown; None for the key."""

SHOWN: Final = 20
"""Findings that a message lists; it counts them all."""

_QUOTED: Final = 50
"""Characters of a cell or heading that a message repeats."""

_WHOLE: Final = r"^([0-9]{1,9}|[1-9][0-9]{0,2}(,[0-9]{3}){1,2})$"


class ResearchError(MusterError):
    """A file of the research folder cannot be used; `findings` say everything that is wrong."""

    def __init__(self, *findings: Finding) -> None:
        """List the first, say how many there are, and what to do next."""
        self.findings = findings
        files = ", ".join(sorted({item.sheet or "" for item in findings}))
        more = len(findings) - SHOWN
        lines = [f"{len(findings)} problem(s) in {files}:"]
        for each in findings[:SHOWN]:
            row = f", row {each.row_code}" if each.row_code else ""
            column = f", column {each.column_code}" if each.column_code else ""
            lines.append(f"{each.sheet}{row}{column}: {each.message}. {each.how_to_fix}")
        lines += [f"... and {more:,} more"] * (more > 0)
        super().__init__(
            "\n".join([*lines, "Mend the file and drop it in the research folder again."])
        )


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
        ResearchError: something in it is wrong; it lists everything that is.
    """
    contract = FILES[file]
    cells, headings, findings = _table(file, content, [column.name for column in columns(contract)])
    typed = cells.select(ROW, *(_typed(column) for column in columns(contract)))
    findings += _cell_findings(file, contract, cells, typed, research_years(collection))
    sound = typed.filter(~pl.col(ROW).cast(pl.String).is_in([f.row_code for f in findings]))
    findings += _row_findings(file, contract, sound, all_sound=not findings)
    if findings:
        raise ResearchError(
            *sorted(findings, key=lambda f: (int(f.row_code or 0), f.column_code or ""))
        )
    return typed, headings


def _table(
    file: str, content: bytes, names: Sequence[str]
) -> tuple[pl.DataFrame, tuple[str, ...], list[Finding]]:
    """Return the cells as text under `names`, the headings as they stand, and rows left out.

    Raises:
        ResearchError: it is not CSV in UTF-8, its headings are others, or it has no rows.
    """
    try:
        text = StringIO(content.decode("utf-8-sig"), newline="")
        lines = list(csv.reader(text, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ResearchError(research_finding("csv", file, f"not readable ({error})")) from error
    filled = [row for row, line in enumerate(lines, 1) if any(line)]
    headings = tuple(text.strip() for row in filled[:1] for text in lines[row - 1])
    wrong = [
        *(("absent", name, "the column is missing") for name in names if name not in headings),
        *(("unknown_column", name, "unknown column") for name in headings if name not in names),
        *(("twice", name, "the column stands twice") for name in names if headings.count(name) > 1),
    ]
    if wrong:
        expected = listed(names)
        raise ResearchError(
            *(
                research_finding(
                    what, file, observed, 1, name[:_QUOTED] or "without a heading", names=expected
                )
                for what, name, observed in wrong
            )
        )
    if len(filled) == 1:
        raise ResearchError(research_finding("rows", file, "headings without rows"))
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
    file: str, contract: Contract, cells: pl.DataFrame, typed: pl.DataFrame, years: Sequence[int]
) -> Iterator[Finding]:
    """Yield a finding for each cell that is not of its type, or holds a code not in its list.

    Only `not_held` makes a null where the contract allows one, so any other text is no null.
    """
    schema = _schema(contract)
    schema.checks, schema.unique = [], None
    schema.columns["year"].checks.append(pa.Check.isin(years))
    for each in schema.columns.values():
        each.nullable = False
    described = {column.name: column for column in columns(contract)}
    for name, _, index in _failures(schema, typed.drop(ROW)):
        text, column = cells[name][index], described[name]
        if not (column.nullable and text == NOT_HELD):
            observed = repr(text[:_QUOTED]) if text else "a blank cell"
            codes = years if name == "year" else column.allowed
            count = "count_or_not" if column.nullable else "count"
            what = "code" if codes else "text" if column.dtype is pl.String else count
            row = cells[ROW][index]
            yield research_finding(what, file, observed, row, name, codes=listed(codes or ()))


def _row_findings(
    file: str, contract: Contract, sound: pl.DataFrame, *, all_sound: bool
) -> Iterator[Finding]:
    """Yield a finding for each row that breaks a check of the contract on whole rows."""
    broken = [(check, i) for _, check, i in _failures(_schema(contract), sound.drop(ROW))]
    by_others = {
        w for r in rules_of("research").values() if r.needs == "other rows" for w in r.says
    }
    certain = [(check, index) for check, index in broken if check not in by_others]
    for check, index in broken if all_sound and not certain else certain:
        row, column = sound.row(index, named=True), STANDS_AT[check]
        observed = ", ".join(str(row[name]) for name in ([column] if column else keys(contract)))
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


def _schema(contract: Contract) -> pa.DataFrameSchema:
    """Return the contract with its key, as a copy that can be changed."""
    schema = deepcopy(contract.to_schema())
    schema.unique = keys(contract)
    return schema


def _failures(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> Iterable[tuple[str, str, int]]:
    """Return what pandera finds: column, check, and place in the frame from 0.

    Raises:
        ContractError: a check crashed, which pandera reports as bad data without a row.
    """
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
    else:
        return []
    if cases["index"].null_count():
        raise ContractError(
            f"a research file cannot be held against its contract: {cases.head(3).to_dicts()}."
            " This is a fault of the program; report it."
        )
    return cases.select("column", "check", "index").unique(maintain_order=True).rows()
