"""Answers to queries that a force typed into its marked copy and sent back.

In the list of problems each query has a cell for the reason, one for the role of whoever gives it,
and its code, which is good for one force, collection and value alone. A question has them too, with
the codes of all its queries: its reason is that of each. What a reason says is shown to those who
see the query, and to nobody else.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection as Many
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from assets.intake.quoting import sheet_shown
from assets.intake.reading import Cell, RawSheet
from assets.returns.desk.decisions import (
    SHORTEST_REASON,
    Ledger,
    answer_all,
    each_of,
    id_of,
    numbers_of,
    observed,
    sent_by,
)
from assets.returns.validation.layout import PROBLEMS, PROBLEMS_MARK, is_ours
from schemas.finding import Finding, Place, finding
from schemas.names import names_somebody
from schemas.template import address
from schemas.wording import visible

REASON, ROLE, QUERY = HEADS = "reason", "role", "query"
"""Heads of the columns of the list of problems that are read when it comes back."""

BELOW: Final = "below, cell by cell"
"""Stands in place of a reason where each of several cells has a row of its own."""

_LACKS: Final = {REASON: "Say in a sentence why it is right.",
                 ROLE: "Type the role of whoever gives the reason."}  # fmt: skip
_PLAIN: Final = "Type the {} alone: no formula, no number, no date."
_LONGEST: Final = 1000
_LONGEST_ROLE: Final = 200
_CODE: Final = re.compile(r"(Q-[0-9a-f]{10})-[0-9a-f]{8}")


def code_of(query_id: str, value: str) -> str:
    """Return the code of a query about a value, as `observed` has it."""
    return f"{query_id}-{hashlib.sha256(f'{query_id}|{value}'.encode()).hexdigest()[:8]}"


def codes_of(
    findings: Iterable[Finding], collection_id: str, receipt_id: str, force_code: str | None
) -> dict[Finding, str]:
    """Return the code of each query among findings; nothing is asked of no known force."""
    if force_code is None:
        return {}
    asked = [item for item in findings if item.severity == "Q"]
    places = [(it.rule_id, it.sheet, it.row_code, it.column_code) for it in asked]
    ids = [id_of(collection_id, receipt_id, force_code, *place) for place in places]
    return {it: code_of(query, observed(vars(it))) for it, query in zip(asked, ids, strict=True)}


@dataclass(frozen=True)
class Written:
    """What a force has written beside a query; the code is empty where none stands there.

    `at` has where the reason and the role stand, `odd` which of them is no plain text. One
    `to_all` stands beside a question, for each query of it that has no reason of its own. One with
    `faults` is not recorded.
    """

    code: str
    reason: str
    role: str
    at: Mapping[str, Place]
    odd: frozenset[str]
    to_all: bool = False
    faults: tuple[Finding, ...] = ()


def written_in(sheets: Sequence[RawSheet], numbers: Many[str] = ()) -> list[Written]:
    """Return all reasons in the lists of problems of a return, where there is one.

    `numbers` are those that the return holds: they name nobody.
    """
    found = [
        each
        for number, sheet in enumerate(sheets, 1)
        if is_ours(sheet, PROBLEMS_MARK)
        for each in _written_on(sheet, sheet_shown(sheet.name, number, [PROBLEMS]))
    ]
    answered = {each.code for each in found if each.reason}
    found = [each for each in found if each.reason or each.code not in answered]
    alone = {each.code for each in found if not each.to_all}
    found = [each for each in found if not (each.to_all and each.code in alone)]
    times = Counter(each.code for each in found if each.code)
    return [replace(it, faults=tuple(_faults(it, numbers, times[it.code]))) for it in found]


def _written_on(sheet: RawSheet, name: str) -> Iterator[Written]:
    rows: dict[int, dict[int, Cell]] = {}
    for cell in sheet.cells:
        rows.setdefault(cell.row, {})[cell.column] = cell
    formulas = {fact.place for fact in sheet.facts if fact.fact in {"formula", "uncalculated"}}
    columns: dict[str, int] = {}
    for number, row in rows.items():
        if not columns:
            heads = {cell.text: column for column, cell in row.items() if cell.text in HEADS}
            columns = heads if len(heads) == len(HEADS) else {}
            continue
        found = {head: row.get(column) for head, column in columns.items()}
        texts = {head: _text(cell) for head, cell in found.items()}
        codes = texts[QUERY].split()
        codes = codes if codes and all(map(_CODE.fullmatch, codes)) else [""]
        if texts[REASON] == BELOW or not texts[REASON] + texts[ROLE]:
            continue
        odd = frozenset(
            head
            for head, cell in found.items()
            if cell and (not _is_plain(cell) or cell.address in formulas)
        )
        for code in codes:
            at = {
                head: Place(name, address(number, columns[head]), code or None, head)
                for head in (REASON, ROLE)
            }
            yield Written(code, texts[REASON], texts[ROLE], at, odd, len(codes) > 1)


def _text(cell: Cell | None) -> str:
    """Return what a cell says, without spaces around it and lines in it."""
    return visible(" ".join(cell.text.split()), None) if cell else ""


def _is_plain(cell: Cell) -> bool:
    return cell.kind == "rich" or (cell.kind == "text" and not cell.doubt)


def _faults(each: Written, numbers: Many[str], times: int) -> Iterator[Finding]:
    texts = (REASON, each.reason, SHORTEST_REASON, _LONGEST), (ROLE, each.role, 2, _LONGEST_ROLE)
    for head, text, fewest, most in texts:
        # A reason may hold any count, as at the desk; of a role a number may be somebody's.
        known, of_reason = None if head == REASON else numbers, head == REASON
        who = len(text) <= most and names_somebody(text, known, doubted=of_reason)
        lacks = f"there is no {head} beside the {ROLE if of_reason else REASON}"
        told = (
            (head in each.odd, "S015", f"the {head} is not a plain text", _PLAIN),
            (who, "V008", f"the {head} has what looks like {who}", "Type the {} again without it."),
            (not text, "S015", lacks, _LACKS[head]),
            (not fewest <= len(text) <= most, "S015", f"the {head} has {len(text):,} characters",
             f"Say it in {fewest} to {most:,} characters."),
        )  # fmt: skip
        if fault := next((fault for holds, *fault in told if holds), None):
            rule_id, said, fix = fault
            end = "nothing is recorded" if said is lacks else "it is not recorded"
            at, fix = each.at[head], fix.format(head)
            yield finding(rule_id, f"{said}; {end}", at, fix=fix, severity="N")
    if times > 1:
        said = "this query has several reasons in one file; none of them is recorded"
        fix = "Keep one list of problems in the file, and one reason for each query."
        yield finding("S015", said, each.at[REASON], fix=fix)


def record(
    ledger: Ledger,
    queries: pl.DataFrame,
    sent: Iterable[tuple[Mapping[str, Any], Iterable[Written]]],
) -> int:
    """Record the reasons that came back and answer what is asked now; return how many were new.

    Of each query the newest reason counts: one that came after it, or was given at the desk since,
    is not overruled by one in an older file. What is recorded already is not recorded again, so
    that this can be killed anywhere and run again. `queries` is what is asked now, as
    decisions.queries returns it, and `sent` rows of the table Receipts in order, with what is
    written in each.
    """
    newest: dict[str, tuple[Mapping[str, Any], Written]] = {}
    for receipt, written in sent:
        newest |= {each.code: (receipt, each) for each in written if not each.faults}
    given = [*each_of(ledger, "answer")] if newest else []
    last = {of["query_id"]: (record.at, of) for record, of in given}
    recorded_before = {
        (of["query_id"], of["answered_for"], of.get("receipt_id")) for _, of in given
    }
    found: dict[tuple[str, str], list[tuple[dict[str, Any], str]]] = {}
    for query in queries.iter_rows(named=True):
        value, force = observed(query), query["force_code"]
        receipt, each = newest.get(code_of(query["query_id"], value), ({}, None))
        if each is None or receipt["force_code"] != force:
            continue
        key = receipt["receipt_id"]
        at, before = last.get(query["query_id"], ("", {}))
        numbers = numbers_of(query)
        if before.get("answered_for") == value and (
            (before["reason"] == each.reason and before.get("numbers", numbers) == numbers)
            or (query["query_id"], value, key) in recorded_before
            or at > receipt["received_at"]
        ):
            continue
        by = sent_by(each.role, force, key)
        found.setdefault((key, by), []).append((query, each.reason))
    for (key, by), answers in found.items():
        answer_all(ledger, answers, by, receipt_id=key)
    return sum(map(len, found.values()))
