"""The ways in which a report says how many: one set of sentence frames for every counted thing.

Belongs here: `instigated 48 X`, `48 X were instigated`, `there were no X`, `did not instigate any
X`. Does not: which things are counted (the modules of the figures), whose and when.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from assets.reports.wording.clauses import OUTSIDE, Clause, split
from assets.reports.wording.facts import is_fact
from assets.reports.wording.marks import EXACT, INEXACT, THIS_PERIOD, Passage
from assets.reports.wording.timing import when
from assets.reports.wording.whose import is_ours

GAP: Final = rf"(?: |,? {THIS_PERIOD}+,? )+"
"""What may stand between two words of a frame: the period of the collection may come between."""

NO: Final = r"(?P<zero>no|not a single|not one)"
COUNT: Final = (
    r"(?:a total of |in total |only |just |exactly |precisely |all |both |the |its )*"
    r"(?P<more>(?:a |an )?(?:further|another|additional|extra|other) )?"
    rf"(?P<count>{EXACT}+|{INEXACT}+)(?P<also> (?:other|further|additional|more|extra))?"
)
WERE: Final = r"(?:was|were|has been|have been|had been|being)(?: also| since| all| so far)?"
_WORDS_BETWEEN: Final = rf"(?P<tail>[^{EXACT}{INEXACT}{OUTSIDE};]*?)"
_DID_NOT: Final = (
    r"(?P<zero>(?:did|has|have|had) not(?: yet)?|(?:did|has|have|had)n't|never)"
    r"(?: (?:needed to|had cause to|been required to|need to|have (?:cause )?to|\w+ or))?"
)
# A passive sentence has one verb; a second one before it means that it says something else.
_TAIL_SAYS_ELSE: Final = re.compile(
    r"\b(?:not|never|will|would|could|might|may|should|to be|that|which|who|was|were|is|are|has"
    r"|have|had|been|led|resulted)\b|n't\b"
)
_TAIL_STARTS_NEW_VERB: Final = re.compile(r"\b(?:and|or|but|then)$|,$")
_BREAKDOWN: Final = re.compile(
    r",? (?:(?:and|with|but) )?(?:\w+ )?of (?:which|these|those|them|whom)\b|, including\b"
)
NEXT_NUMBER: Final = re.compile(f"[{EXACT}{INEXACT}{OUTSIDE}]")


def phrase(pattern: str) -> re.Pattern[str]:
    """Compile a pattern in which each space stands for GAP."""
    return re.compile(pattern.replace(" ", GAP), re.IGNORECASE)


@dataclass(frozen=True)
class Counted:
    """A thing that is counted: patterns of its noun and of what is done to it.

    `past` is the verb as in `was opened` and `has opened`, `base` as in `did not open`,
    `active` a verb with no passive, such as `had`. `exists` tells whether `there were 12 X` says
    the same.
    """

    noun: str
    past: str
    base: str
    active: str = "(?!)"
    exists: bool = True

    @cached_property
    def frames(self) -> tuple[re.Pattern[str], ...]:
        """The frames; each has a group `count` or `zero`, and a group `noun`."""
        noun = rf"(?P<noun>{self.noun})\b"
        done = rf"\b(?P<verb>{self.past}|{self.active})"
        passive = rf"{_WORDS_BETWEEN} (?P<were>{WERE} )?(?P<passive>{self.past})\b"
        there = r"\bthere (?:was|were|has been|have been|had been)(?: also)?"
        frames = [
            rf"{done} {COUNT} {noun}",
            rf"{done} {NO} {noun}",
            rf"\b{_DID_NOT} (?:{self.base}|{self.past}) (?:any|a single|even one) {noun}",
            rf"{COUNT} {noun}{passive}",
            rf"\b{NO} {noun}{passive}",
        ]
        if self.exists:
            frames += [
                rf"{there} {COUNT} {noun}",
                rf"{there} {NO} {noun}",
                rf"\bthere (?P<zero>(?:was|were) not|weren't|(?:has|have|had) not been) any {noun}",
                rf"\bnumber of {noun}{_WORDS_BETWEEN} (?:was|is|were|stood at|totalled|came to)"
                rf" {COUNT}(?=(?: )?(?:[,.{OUTSIDE}]|$))",
            ]
        return tuple(phrase(frame) for frame in frames)

    @cached_property
    def item(self) -> re.Pattern[str]:
        """The frame of a list item, which has no verb."""
        return phrase(rf"^{OUTSIDE}*{COUNT} (?P<noun>{self.noun})\b")


@dataclass(frozen=True)
class Count:
    """So many of a thing: the number (or its denial) at `start`, the noun up to `end`.

    `words` are the number's as printed. `value` is None where it is inexact, or adds to another
    (`adds`). `subject` is what stands before an active verb, `agent` what follows a passive one.
    """

    clause: Clause
    start: int
    end: int
    value: int | None
    words: str
    noun: str
    time: str
    adds: bool = False
    subject: str = ""
    agent: str = ""

    @property
    def line(self) -> int:
        """The line of the report on which the number, or its denial, stands."""
        return self.clause.passage.line(self.start)

    @property
    def before(self) -> str:
        """The words of the clause before the number, masked."""
        return self.clause.before(self.start)

    @property
    def topic(self) -> str:
        """The words of the clause after the noun, masked, up to a number or a breakdown."""
        return _BREAKDOWN.split(NEXT_NUMBER.split(self.clause.mask[self.end :])[0])[0]


def find_counts(passage: Passage, counted: Counted) -> Iterator[Count]:
    """Yield the counts of a thing that a sentence states as facts about our force, at any time."""
    clauses = split(passage)
    for clause in clauses:
        seen = set()
        for count in _counts(clauses, clause, counted.frames):
            if count.start not in seen:
                seen.add(count.start)
                yield count
        if passage.sentence.is_item and counted.exists and not seen:
            yield from _counts(clauses, clause, [counted.item])


def find_parts(passage: Passage, frame: re.Pattern[str]) -> Iterator[Count]:
    """Yield what a frame of our own counts, which may be one of several parts of a whole."""
    clauses = split(passage)
    for clause in clauses:
        yield from _counts(clauses, clause, [frame], is_whole=False)


def _counts(
    clauses: Sequence[Clause],
    clause: Clause,
    frames: Iterable[re.Pattern[str]],
    *,
    is_whole: bool = True,
) -> Iterator[Count]:
    for frame in frames:
        for match in frame.finditer(clause.mask):
            start = match.start("count" if group(match, "count") else "zero")
            end = match.end("noun")
            if (
                not _says_else(match)
                and is_fact(clause, start, end, is_whole=is_whole)
                and is_ours(clauses, clause, start)
            ):
                yield _count(clause, match, start, end, when(clauses, clause, start))


def _says_else(match: re.Match[str]) -> bool:
    """Return whether the verb of a passive frame is not the verb of the number."""
    tail = group(match, "tail")
    joins = not group(match, "were") and _TAIL_STARTS_NEW_VERB.search(tail)
    return bool(joins or _TAIL_SAYS_ELSE.search(tail))


def _count(clause: Clause, match: re.Match[str], start: int, end: int, time: str) -> Count:
    number = clause.passage.numbers.get(start) if group(match, "count") else None
    adds = bool(group(match, "more") or group(match, "also"))
    value = (number.value if number.exact else None) if number else 0
    has_verb = group(match, "verb")
    return Count(
        clause=clause,
        start=start,
        end=end,
        noun=match["noun"],
        value=None if adds else value,
        words=clause.passage.text[start : number.end if number else end],
        time=time,
        adds=adds,
        subject=clause.before(match.start("verb")).rstrip() if has_verb else "",
        agent=clause.mask[match.end("passive") :].lstrip() if group(match, "passive") else "",
    )


def group(match: re.Match[str], name: str) -> str:
    """Return what a named group matched; "" where it is not in the frame or did not take part."""
    return match.groupdict().get(name) or ""
