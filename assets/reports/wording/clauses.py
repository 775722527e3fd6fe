"""Splits a marked sentence into the clauses within which words can belong together.

Belongs here: brackets, semicolons, dashes, comparisons, asides. Does not: whether a clause is
about our force or period (whose.py, timing.py).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from assets.reports.wording.marks import EXACT, INEXACT, OWN_FORCE, THIS_PERIOD, TIMES, Passage
from assets.reports.wording.patterns import one_of

OUTSIDE: Final = "\0"
"""Stands in a clause's mask for every character that is not part of the clause."""

_MOST_CLAUSES: Final = 30
"""More are a table or damaged text, not a sentence; none of them is read."""

_NUMBER: Final = f"[{EXACT}{INEXACT}]"
_BRACKETS: Final = re.compile(r"\(([^()]*)\)")
_ASIDE_ON_FORCE: Final = re.compile(rf"({OWN_FORCE}|the force), (?:which|who|whose) [^,;]*,", re.I)
_COMPARISON: Final = one_of(rf"""
    (?:when )?compar(?:ed|es|ing) (?:with|to) | (?:in|by) (?:comparison|contrast) | set against
    whereas | as opposed to | rather than | instead of | unlike | versus | vs\.? | similar to
    in line with | against (?=(?:an?|the|its) |{_NUMBER}) | (?:up|down) (?:from|on)
    (?<=, )an? (?:\w+ )?(?:increase|rise|fall|drop|decrease|reduction) (?:of|on|from)
    (?:more|fewer|less|higher|lower|greater|smaller|larger) than (?:the|an?|in|at|for)
    (?:well |just |slightly )?(?:above|below) the
""")
_CONTRAST: Final = "(?:while|whilst|although|though|despite|notwithstanding)"
_SUBJECT: Final = rf"(?:the force|it|there|{OWN_FORCE}+)"
_BREAK: Final = re.compile(
    rf"(?P<compare>\b{_COMPARISON}\b|(?:^|(?<=, )|(?<= and )){_CONTRAST}\b)"
    rf"|(?P<resume>, (?={_SUBJECT}|{THIS_PERIOD}|the number\b))"
    rf"|(?P<plain>[;:]| - |(?<!\ball)(?<!\bnothing),? but |, however,? |,? and (?=[{TIMES}])"
    rf"|, (?:and|so) (?=(?:{_SUBJECT}|we|HMIC)\b))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Clause:
    """Part of a passage. `mask` is the passage's, with OUTSIDE wherever the clause is not.

    `compares` is true where the clause sets something beside what the report tells of the force.
    """

    passage: Passage
    mask: str
    start: int
    compares: bool

    def before(self, at: int) -> str:
        """Return the clause's words before a place, masked."""
        return self.mask[self.start : at]

    def after(self, at: int) -> str:
        """Return the clause's words from a place on, masked."""
        return self.mask[at:].rstrip(OUTSIDE)


@lru_cache(maxsize=16)
def split(passage: Passage) -> tuple[Clause, ...]:
    """Return the clauses of a passage in order; a bracket that counts is one of its own."""
    mask = _ASIDE_ON_FORCE.sub(lambda aside: aside[1].ljust(len(aside[0])), passage.mask)
    brackets = []
    for bracket in _BRACKETS.finditer(mask):
        if re.search(rf"{_NUMBER}|\bnone\b", bracket[1]):
            start, end = bracket.span(1)
            opening = _BREAK.match(bracket[1])
            compares = opening is not None and opening["compare"] is not None
            brackets.append(_clause(passage, mask, start, end, compares))
            mask = mask[: start - 1] + " " * (end - start + 2) + mask[end + 1 :]
    clauses = sorted([*_at_breaks(passage, mask), *brackets], key=lambda clause: clause.start)
    return tuple(clauses) if len(clauses) <= _MOST_CLAUSES else ()


def _at_breaks(passage: Passage, mask: str) -> list[Clause]:
    clauses = []
    start, compares = 0, False
    for found in _BREAK.finditer(mask):
        if found["resume"] and not compares:
            continue
        end = found.start() if found["compare"] else found.end()
        if mask[start:end].strip(" ,"):
            clauses.append(_clause(passage, mask, start, end, compares))
        start, compares = end, bool(found["compare"])
    clauses.append(_clause(passage, mask, start, len(mask), compares))
    return clauses


def _clause(passage: Passage, mask: str, start: int, end: int, compares: bool) -> Clause:
    within = OUTSIDE * start + mask[start:end] + OUTSIDE * (len(mask) - end)
    return Clause(passage, within, start, compares)
