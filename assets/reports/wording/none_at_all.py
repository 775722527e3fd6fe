"""Reads `there were none`, which says what it denies in the words before it.

Belongs here: that denial and what it refers back to. Does not: denials with their own noun
(frames.py).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from assets.reports.wording.clauses import OUTSIDE, Clause, split
from assets.reports.wording.facts import is_fact
from assets.reports.wording.frames import NEXT_NUMBER, Count, phrase
from assets.reports.wording.marks import FOREIGN, OTHER_TIME, THIS_PERIOD, Passage
from assets.reports.wording.timing import when
from assets.reports.wording.whose import is_ours

_THERE_WERE: Final = phrase(
    r"\b(?:there (?:was|were|has been|have been|had been)|(?:it|the force) (?:had|has had|reported"
    rf"|recorded)) (?P<none>none)(?=[.,;{OUTSIDE}]|$|{THIS_PERIOD}| )"
)
_NONE_WERE: Final = re.compile(
    rf"^{OUTSIDE}*[ ,]*(?:and )?(?P<none>none) (?:was|were|has been|have been|had been) "
    r"(?:identified|found|investigated|recorded|conducted|undertaken|instigated|received|made"
    r"|opened)\b",
    re.IGNORECASE,
)
_FORCES_OR_ANOTHER_TIME: Final = re.compile(f"[{FOREIGN}{OTHER_TIME}]")
_FEW_WORDS: Final = 3


def find_none(passage: Passage, about: re.Pattern[str], of: re.Pattern[str]) -> Iterator[Count]:
    """Yield a count of 0 where a sentence denies what the words before it name.

    Those words, earlier in the sentence or else the sentence before, must match `about` and `of`.
    """
    clauses = split(passage)
    for clause in clauses:
        match = _THERE_WERE.search(clause.mask) or _NONE_WERE.search(clause.mask)
        if match is None:
            continue
        start, end = match.span("none")
        named = _named_before(clauses, clause, match.start())
        if (
            about.search(named)
            and of.search(named)
            and not NEXT_NUMBER.search(named)
            and not _FORCES_OR_ANOTHER_TIME.search(named)
            and is_fact(clause, start, end)
            and is_ours(clauses, clause, start)
        ):
            words, time = passage.text[start:end], when(clauses, clause, start)
            yield Count(clause, start, end, value=0, words=words, noun="", time=time)


def _named_before(clauses: Sequence[Clause], clause: Clause, at: int) -> str:
    """Return the words a denial refers to: all before it, or the sentence before if few are."""
    earlier = [other.mask.strip(OUTSIDE) for other in clauses if other.start < clause.start]
    named = " ".join([*earlier, clause.before(at)]).replace(THIS_PERIOD, "")
    if len(named.split()) > _FEW_WORDS:
        return named
    return clause.passage.before.mask if clause.passage.before else ""
