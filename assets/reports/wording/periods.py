"""Finds the times a sentence speaks of and tells the period of the collection from any other.

Belongs here: dates, years and wordings such as `in the previous year`. Does not: which number a
time belongs to (timing.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from assets.reports.wording.patterns import one_of

FIRST_MONTH: Final = (2011, 9)
LAST_MONTH: Final = (2012, 5)


class When(Enum):
    """What a time is, seen from the collection: nine months, September 2011 to May 2012."""

    PERIOD = "the period of the collection"
    SINCE_2011 = "since the inspection of 2011, no end stated"
    IN_2012 = "some other time in 2012, when the inspection was made"
    OTHER = "another time"
    NAMED_EARLIER = "part of a name, such as `the 2011 report`"
    NAMED_2012 = "part of a name, such as `the 2012 revisit`"


@dataclass(frozen=True)
class Time:
    """A time at `text[start:end]`, with the preposition that leads it in."""

    start: int
    end: int
    when: When


_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH: Final = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_YEAR: Final = r"(?:19|20)\d\d"
_EDGE: Final = r"(?:(?:the )?(?:end|start|beginning|close) of )?"
_DAY: Final = r"(?:(?P<day{n}>\d{{1,2}})(?:st|nd|rd|th)? )?"


def _date(n: int, year: str) -> str:
    return rf"{_EDGE}{_DAY.format(n=n)}(?P<month{n}>{_MONTH}){year}"


_RANGE: Final = re.compile(
    rf"{_date(1, rf'(?:,? (?P<year1>{_YEAR}))?')}"
    r"(?: inclusive)?(?P<link> and | to | until | till | up to | through |-| - )"
    rf"{_date(2, rf',? (?P<year2>{_YEAR})')}\b"
)
_SINGLE: Final = re.compile(rf"{_date(1, rf',? (?P<year1>{_YEAR})')}\b")
_BARE_YEARS: Final = re.compile(
    rf"\b{_YEAR}(?: ?[/-] ?(?:{_YEAR}|\d\d)\b(?!-))?(?: financial year| calendar year)?\b"
    rf"(?:(?: and| to| until|-) {_YEAR}\b)?"
)
_NAMED_FOR_YEAR: Final = re.compile(
    r" (?:inspection|report|review|revisit|visit|recommendations?|findings|policy|guidance"
    r"|baseline|position|publication|thematic|act|regulations)\b",
    re.IGNORECASE,
)
# A count may look like a year; these say that it is one: `2012 investigations`, `1950 of which`.
_COUNTED: Final = re.compile(
    r" (?:of (?:which|the|them|these|those)|were|was|have|had|has|being|approved"
    r"|(?:[a-z-]+ ){0,2}(?:investigations?|applications?|requests?|cases?|instances?))\b",
    re.IGNORECASE,
)
_COUNTS: Final = re.compile(r"\b(?:was|were|totalled|came to) $", re.IGNORECASE)
_NINE_MONTHS: Final = r"(?:nine|9)[- ]months?"
_LEAD: Final = re.compile(
    r"(?:\b"
    + one_of(rf"""
        between | from | in | during | over | for | of | the | time | period | covering | since
        after | following | by | at | on | to | until | up to | end | ending | beginning | starting
        data | HMIC's | our | its | as | than | before | prior | throughout | inspection
        (?:than|as) (?:there were|it was|they were) | {_NINE_MONTHS}
    """)
    + r"\b[ ,]*(?:\()?)+$",
    re.IGNORECASE,
)
_SINCE: Final = re.compile(
    r"\b(?:since|after|following|(?:as|than)(?: there were| it was| they were)? (?:in|at))\b",
    re.IGNORECASE,
)
_TIME_LEAD: Final = re.compile(
    r"\b(?:in|during|since|from|until|by|to|between|throughout|before|after|at|than) $",
    re.IGNORECASE,
)
_WITHIN: Final = re.compile(r"\b(?:in|during|at|before|prior|by|for)\b", re.IGNORECASE)

_SINCE_INSPECTION: Final = re.compile(
    r"\bsince (?:the|our|its|HMIC's) (?:(?:last|previous|original|initial|first) )?"
    r"(?:inspection|report|review|visit)\b",
    re.IGNORECASE,
)
_PERIOD_WORDS: Final = re.compile(
    rf"\b(?:in|over|during|for|within|across|throughout) (?:the|this|our|these|that) "
    rf"(?:{_NINE_MONTHS}(?: period)?+(?! (?:to|ending|from|between|before|prior|until|up)\b)"
    r"|(?:whole |entire )?(?:review|inspection|reporting|assessment|data) period"
    r"|period (?:under review|(?:reviewed|covered|assessed|examined)(?: by (?:this|the|our)"
    r" (?:review|report|inspection))?|of (?:the|this|our) (?:review|inspection)))\b",
    re.IGNORECASE,
)
_OTHER_WORDS: Final = re.compile(
    r"\b(?:(?:in|over|during|for|from|than) )?(?:the |a )?(?:previous|preceding|prior|last|past"
    r"|first|final|next|coming|following|earlier|same) (?:\w+[- ])?(?:years?|months?|quarter|half"
    r"|weeks?|inspections?|research|stud(?:y|ies)|surveys?|reviews?|decade)\b|\b"
    + one_of(rf"""
        previously | historically | formerly | at that time | that year
        (?:the )?(?:year|month)s? (?:before|earlier|ago)
        (?:each|every|per|a) (?:year|month|quarter|week|annum)
        monthly | yearly | quarterly | weekly
        {_YEAR} (?:research|study|survey|exercise|analysis)
    """)
    + r"\b",
    re.IGNORECASE,
)


def find_times(text: str) -> list[Time]:
    """Return the times a sentence names, in order and not overlapping."""
    times: list[Time] = []
    taken: set[int] = set()
    for finder in (_worded, _ranges, _singles, _years):
        for time in finder(text):
            if taken.isdisjoint(range(time.start, time.end)):
                times.append(time)
                taken.update(range(time.start, time.end))
    return sorted(times, key=lambda time: time.start)


def _worded(text: str) -> Iterator[Time]:
    for match in _SINCE_INSPECTION.finditer(text):
        yield Time(match.start(), match.end(), When.SINCE_2011)
    for match in _PERIOD_WORDS.finditer(text):
        yield Time(match.start(), match.end(), When.PERIOD)
    for match in _OTHER_WORDS.finditer(text):
        yield Time(match.start(), match.end(), When.OTHER)


def _lead(text: str, start: int) -> str:
    lead = _LEAD.search(text[:start])
    return lead.group() if lead else ""


def _month(match: re.Match[str], n: int) -> tuple[int, int]:
    month = _MONTHS.index(match[f"month{n}"][:3].lower()) // 4 + 1
    if match[f"year{n}"]:
        return int(match[f"year{n}"]), month
    # `between September and May 2012`: the first month lies before the second.
    year, last = _month(match, 2)
    return (year if month <= last else year - 1), month


def _ranges(text: str) -> Iterator[Time]:
    for match in _RANGE.finditer(text):
        lead = _lead(text, match.start())
        whole = match["day1"] in {None, "1", "01"} and match["day2"] in {None, "31"}
        fits = (_month(match, 1), _month(match, 2)) == (FIRST_MONTH, LAST_MONTH)
        linked = match["link"] != " and " or "between" in lead.lower()
        when = When.PERIOD if whole and fits and linked else When.OTHER
        yield Time(match.start() - len(lead), match.end(), when)


def _singles(text: str) -> Iterator[Time]:
    for match in _SINGLE.finditer(text):
        lead = _lead(text, match.start())
        month = _month(match, 1)
        begins = re.search(r"\b(?:since|from)\b|starting|beginning", lead, re.IGNORECASE)
        ends = re.search(rf"{_NINE_MONTHS}.*\b(?:to|ending|until)\b", lead, re.IGNORECASE)
        if (month == FIRST_MONTH and match["day1"] in {None, "1"} and begins) or (
            month == LAST_MONTH and match["day1"] in {None, "31"} and ends
        ):
            when = When.PERIOD
        else:
            when = When.IN_2012 if month[0] == 2012 else When.OTHER
        yield Time(match.start() - len(lead), match.end(), when)


def _years(text: str) -> Iterator[Time]:
    for match in _BARE_YEARS.finditer(text):
        lead = _lead(text, match.start())
        one_year = len(match.group()) == 4
        if one_year and not _TIME_LEAD.search(lead) and _is_count(text, match):
            continue
        start = match.start() - len(lead)
        named = _NAMED_FOR_YEAR.match(text, match.end())
        end = named.end() if named else match.end()
        is_2012 = match.group() == "2012"
        if one_year and match.group() == "2011" and _SINCE.search(lead):
            when = When.SINCE_2011
        elif named and (is_2012 or not _WITHIN.search(lead)):
            when = When.NAMED_2012 if is_2012 else When.NAMED_EARLIER
            start = match.start()
        else:
            when = When.IN_2012 if is_2012 else When.OTHER
        yield Time(start, end, when)


def _is_count(text: str, match: re.Match[str]) -> bool:
    counted = _COUNTED.match(text, match.end()) or _COUNTS.search(text[: match.start()])
    return counted is not None
