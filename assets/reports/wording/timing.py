"""Tells to which time the words of a clause belong.

Belongs here: choosing among the times a sentence, the one before it and the heading name. Does
not: what a time is (periods.py).
"""

import re
from collections.abc import Sequence
from typing import Final

from assets.reports.wording.clauses import Clause
from assets.reports.wording.marks import (
    IN_2012,
    NAMED_EARLIER,
    OTHER_TIME,
    SINCE_2011,
    THIS_PERIOD,
    TIMES,
)

UNKNOWN_TIME: Final = "?"
IN_PERIOD: Final = frozenset({"", THIS_PERIOD})
"""The report is about the period, so words that name no time are."""

_UNMARKED: Final = re.compile(
    r"\b(?P<earlier>before|until|prior to|up to)\b"
    r"|(?<!has )(?<!have )(?<!had )\b(?:since|after|following|when|once)\b",
    re.IGNORECASE,
)


def when(clauses: Sequence[Clause], clause: Clause, at: int) -> str:
    """Return the sign (see marks.py) of the time that the words at `at` belong to.

    "" if no time is named, UNKNOWN_TIME if it is one such as `since the new policy`.
    """
    before, after = clause.before(at), clause.after(at)
    segment = after.partition(",")[0]
    for sign in (OTHER_TIME, IN_2012, SINCE_2011, THIS_PERIOD):
        if sign in segment:
            return sign
    if led := _last_time(before):
        return led
    if THIS_PERIOD in after:
        return THIS_PERIOD
    if unmarked := _UNMARKED.search(f"{before} {segment}"):
        return OTHER_TIME if unmarked["earlier"] else UNKNOWN_TIME
    return _inherited(clauses, clause)


def _last_time(words: str) -> str:
    """Return the sign of the last time in words; what `the 2011 report` says is of another time."""
    last = next((sign for sign in reversed(words) if sign in TIMES + NAMED_EARLIER), "")
    return OTHER_TIME if last == NAMED_EARLIER else last


def _inherited(clauses: Sequence[Clause], clause: Clause) -> str:
    for earlier in reversed([other for other in clauses if other.start < clause.start]):
        if not earlier.compares and (time := _last_time(earlier.mask)):
            return time
    before = clause.passage.before
    opening = before.mask.lstrip()[:1] if before else ""
    headed = {OTHER_TIME, NAMED_EARLIER} & set(clause.passage.heading)
    return OTHER_TIME if opening == OTHER_TIME or headed else ""
