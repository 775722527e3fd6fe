"""Reads how many of a force's applications for second jobs were approved.

Belongs here: `79 of which have been approved`, `all of which`, `28 were approved`. Does not:
applications refused, withdrawn or pending, from which no number of approvals is worked out.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from assets.reports.applications import (
    APPLICATION,
    APPROVED,
    SHARE,
    is_for_second_jobs,
    received,
    shares_of_total,
)
from assets.reports.readings import INEXACT, Reading, reading_of
from assets.reports.wording.clauses import Clause, split
from assets.reports.wording.facts import is_fact
from assets.reports.wording.frames import GAP, WERE, Count, Counted, find_counts, group, phrase
from assets.reports.wording.marks import Passage
from assets.reports.wording.patterns import one_of
from assets.reports.wording.timing import IN_PERIOD, when
from assets.reports.wording.whose import is_ours

_APPROVED: Final = Counted(
    noun=APPLICATION, past=APPROVED, base=r"approve|authorise|grant|agree", exists=False
)
_OF_THEM: Final = "(?:of )?" + one_of("""
    (?:the|these|those)(?: (?:applications|requests))? | applications | requests | which | them
""")
_ENDS: Final = r"(?=(?: )?(?:[,.;:)\0]|$)| (?:and|but|with|while)\b)"
_SHARES: Final = tuple(
    phrase(pattern)
    for pattern in (
        rf"{SHARE}(?: {_OF_THEM})?,? (?:{WERE} )?{APPROVED}\b",
        rf"\b(?:{APPROVED}|approving)(?: them)? {SHARE}(?: {_OF_THEM})?{_ENDS}",
        rf"\b(?:which|they|these|those|applications) (?:have|has|had|were) {SHARE}(?: been)?"
        rf" {APPROVED}\b",
    )
)
_CONDITION: Final = one_of(r"""
    (?:un)?condition\w* | provisional\w* | in principle | subject to | on appeal | restrictions?
    initially
""")
# `12 approved with conditions` may stand beside other approvals; `(12 with conditions)` may not.
_TOLD_APART: Final = re.compile(
    rf"\b{APPROVED}\b[^,;:(#~\0]*\b{_CONDITION}|\b{_CONDITION},? {APPROVED}"
    r"|(?<!\()(?<!which )(?<!these )(?<!them )(?<![#~])[#~]+(?: (?:were|was|being))?"
    rf" (?:with |only )?{_CONDITION}",
    re.IGNORECASE,
)
_WHY_APART: Final = "is told apart by conditions, so that it may not be all approvals"
_TAKEN_BACK: Final = re.compile(
    r",? (?:or|but|although|then|and (?:then|later|subsequently))\b(?! (?:with )?[#~])",
    re.IGNORECASE,
)
_BY_FEWER: Final = re.compile(
    r" by (?!the force|the PSD|PSD|the professional|HR|the deputy|the DCC|chief|the head)"
    r"| (?:for|to) (?!second|business|date)"
)
_OF_THE_TOTAL: Final = (
    "(?:(?:was|were|is|are|has|have|been|being|still|remain|yet|not|to be|under|in|awaiting) )*"
    + one_of("""
        refused | rejected | declined | withdrawn | pending | outstanding | awaiting | approved
        turned | progress | appeal | review | consider | decided
    """)
)
_OTHER_COUNT: Final = re.compile(
    rf"[#~]+(?!{GAP}?(?:,|of (?:which|them|these|those)|{_OF_THE_TOTAL}))"
)
_NEARLY: Final = re.compile(
    r"\b(?:not|almost|nearly|virtually|practically|half|thirds?|quarters?|most|majority|some)"
    r"(?: of)?(?: the)? $",
    re.IGNORECASE,
)
_REFERS_BACK: Final = re.compile(
    r"\b(?:of (?:these|those|them|the applications)|they|them)\b"
    r"|^(?:all|both|none|every|[#~]|the force (?:has )?approved|it (?:has )?approved)",
    re.IGNORECASE,
)


def approvals(passage: Passage) -> Iterator[Reading]:
    """Yield readings of `second_job_applications` with `decision=approved`."""
    told_apart = _TOLD_APART.search(passage.mask) is not None
    for found in [*_named(passage), *_of_total(passage), *_elliptical(passage)]:
        if told_apart:
            yield Reading(None, found.line, found.words, why=_WHY_APART, spoils=True)
        else:
            yield found


def _named(passage: Passage) -> Iterator[Reading]:
    for count in find_counts(passage, _APPROVED):
        if is_for_second_jobs(count):
            yield reading_of(count)


def _of_total(passage: Passage) -> Iterator[Reading]:
    for total, match in shares_of_total(passage):
        yield from _share(total.clause, match, total)


def _elliptical(passage: Passage) -> Iterator[Reading]:
    """Yield shares whose applications are named before them, if only in the sentence before."""
    here = received(passage)
    before = received(passage.before) if passage.before else []
    clauses = split(passage)
    for clause in clauses:
        for frame in _SHARES:
            for match in frame.finditer(clause.mask):
                totals = [count for count in here if count.start < match.start()]
                if not totals and not here and _REFERS_BACK.search(passage.mask):
                    totals = before
                if totals and _is_told_of_us(clauses, clause, match):
                    yield from _share(clause, match, totals[-1])


def _is_told_of_us(clauses: Sequence[Clause], clause: Clause, match: re.Match[str]) -> bool:
    start, end = match.span()
    return (
        is_fact(clause, start, end, is_whole=False)
        and is_ours(clauses, clause, start)
        and when(clauses, clause, start) in IN_PERIOD
    )


def _share(clause: Clause, match: re.Match[str], total: Count) -> Iterator[Reading]:
    """Yield the approvals that a match of SHARE makes of a total."""
    name = next(name for name in ("less", "all", "none", "both", "count") if group(match, name))
    start, end = match.span(name)
    if _is_of_another_kind(clause, match, start) or not _is_next(clause, total, start):
        return
    value = _value(clause, name, start, total.value)
    line, words = clause.passage.line(start), clause.passage.text[start:end]
    if value is None:
        yield Reading(None, line, words, why=INEXACT)
    else:
        yield Reading(float(value), line, words)


def _is_of_another_kind(clause: Clause, match: re.Match[str], start: int) -> bool:
    """Return whether a share is of less than approvals: nearly all, by some, later undone."""
    ends = (_TAKEN_BACK, _BY_FEWER)
    return bool(
        _NEARLY.search(clause.mask[:start])
        or any(end.match(clause.mask, match.end()) for end in ends)
    )


def _is_next(clause: Clause, total: Count, share: int) -> bool:
    """Return whether no number of anything else stands between a total and its share."""
    if clause.passage is not total.clause.passage:
        return True
    together = clause.start == total.clause.start
    mask = clause.mask if together else clause.passage.mask
    return not _OTHER_COUNT.search(mask, total.end, share)


def _value(clause: Clause, name: str, start: int, total: int | None) -> int | None:
    """Return the number a share comes to, None where it or its total is inexact."""
    if name == "none":
        return 0
    if name in {"all", "both"}:
        return total if name == "all" or total == 2 else None
    number = clause.passage.numbers[start]
    if not number.exact or (name == "less" and total is None):
        return None
    if name == "count" or total is None:
        return number.value
    return total - number.value if number.value <= total else None
