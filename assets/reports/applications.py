"""Reads how many applications for second jobs a force received.

Belongs here: what an application is called, what it is for, and the total in `57 of the 67
applications were approved`. Does not: how many were approved (approvals.py).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from assets.reports.readings import Reading, reading_of
from assets.reports.wording.clauses import Clause, split
from assets.reports.wording.facts import is_fact
from assets.reports.wording.frames import WERE, Count, Counted, find_counts, phrase
from assets.reports.wording.marks import EXACT, INEXACT, Passage
from assets.reports.wording.patterns import any_word, one_of
from assets.reports.wording.timing import IN_PERIOD, when
from assets.reports.wording.whose import is_by_others, is_ours

_SECOND_JOB: Final = one_of("""
    second(?:ary)?[- ](?:jobs?|employment|occupations?|business[- ]interests?)
    (?:outside|additional|other paid) (?:employment|occupations?|jobs?) | business[- ]interests?
""")
APPLICATION: Final = (
    rf"(?:(?:separate|individual|new|such|and|or|{_SECOND_JOB}) )*(?:applications?|requests?)"
)
APPROVED: Final = "(?:approved|authorised|authorized|granted|agreed|successful)"
_RECEIVED: Final = Counted(
    noun=APPLICATION,
    past=one_of("""
        received | considered | processed | handled | dealt with | recorded | logged | assessed
        made | submitted | lodged
    """),
    base="(?:receive|consider|process|handle|deal with|record|log|assess|get|have)",
    active="had|seen|saw",
)

SHARE: Final = (
    rf"(?:all but (?P<less>{EXACT}+)|\b(?P<all>all|each|every {EXACT}+)|\b(?P<none>none)"
    rf"|\b(?P<both>both)|(?P<count>{EXACT}+|{INEXACT}+))"
)
_OF_TOTAL: Final = rf"(?: (?:out )?of| from)?(?: a total of)?(?: the| its)? (?P<whole>{EXACT}+)"
_SHARES_OF_TOTAL: Final = tuple(
    phrase(pattern)
    for pattern in (
        rf"\b(?:{APPROVED}|approving) {SHARE}{_OF_TOTAL} (?P<noun>{APPLICATION})",
        rf"{SHARE}{_OF_TOTAL} (?P<noun>{APPLICATION})(?P<tail>[^#~\0]*?) {WERE} {APPROVED}\b",
        rf"\bof(?: a total of)?(?: the| its)? (?P<whole>{EXACT}+) (?P<noun>{APPLICATION})"
        rf"(?P<tail>[^#~\0]*?),? {SHARE} (?:{WERE} )?{APPROVED}\b",
    )
)

_ABOUT_JOBS: Final = any_word(_SECOND_JOB)
_ABOUT_ELSE: Final = re.compile(
    r"\b(?:for|to|relating to|in respect of|regarding|concerning|about|on) (?!"
    + one_of("""
        date | PSD | HR | HMIC | the force | the professional | this | approval | consideration
        permission
    """)
    + r"\b)",
    re.IGNORECASE,
)
_AND_ELSE: Final = re.compile(
    ",? (?:and|or) (?!"
    + one_of(r"""
        (?:other )?(?:business|second|secondary|outside|additional)
        all | none | both | has | have | was | were | it | the | of | these | they | \w+ed
    """)
    + r"\b)[a-z]",
    re.IGNORECASE,
)
_DECIDED: Final = any_word(rf"""
    {APPROVED} | refused | rejected | declined | withdrawn | pending | outstanding | awaiting
    appeal\w* | turned down | unsuccessful | reviewed
""")
_RESTRICTED: Final = re.compile(
    r"\b(?:that|which|who|whose|where|in breach)\b"
    r"(?! (?:(?:have|has|had|were|was) )?(?:been )?(?:received|made|submitted|considered|lodged))",
    re.IGNORECASE,
)
_SOME_PEOPLE: Final = re.compile(
    r"\b(?:from|by) (?:its |the )?"
    + one_of(r"""
        (?:police )?officers\b(?! (?:and|or) (?:\w+ )?(?:staff|employees))
        (?:police|support|civilian) staff\b(?! and (?:police )?officers)
        sergeants | inspectors | PCSOs | constables | special | senior
    """),
    re.IGNORECASE,
)
_CUT: Final = re.compile(r",|;| (?:and|but|with) (?!business|secondary|second)| of which\b")


def applications(passage: Passage) -> Iterator[Reading]:
    """Yield readings of `second_job_applications`: all received, whatever became of them."""
    for count in received(passage):
        yield reading_of(count)


def received(passage: Passage) -> list[Count]:
    """Return the totals of applications that a sentence states."""
    totals = [
        count
        for count in find_counts(passage, _RECEIVED)
        if is_for_second_jobs(count) and not _DECIDED.search(_CUT.split(count.topic)[0])
    ]
    return totals + [count for count, _ in shares_of_total(passage)]


def shares_of_total(passage: Passage) -> Iterator[tuple[Count, re.Match[str]]]:
    """Yield the total in `57 of the 67 applications were approved`, with the match of SHARE."""
    clauses = split(passage)
    for clause in clauses:
        for frame in _SHARES_OF_TOTAL:
            for match in frame.finditer(clause.mask):
                total = _total(clauses, clause, match)
                if total is not None and is_for_second_jobs(total):
                    yield total, match


def _total(clauses: Sequence[Clause], clause: Clause, match: re.Match[str]) -> Count | None:
    start, end = match.start("whole"), match.end("noun")
    if not (is_fact(clause, start, end, is_whole=False) and is_ours(clauses, clause, start)):
        return None
    number = clause.passage.numbers[start]
    return Count(
        clause,
        start,
        end,
        value=number.value,
        words=clause.passage.text[number.start : number.end],
        noun=match["noun"],
        time=when(clauses, clause, start),
    )


def is_for_second_jobs(count: Count) -> bool:
    """Return whether applications are for second jobs, by our people at large, in our period."""
    ours = count.time in IN_PERIOD and not is_by_others(count.subject, count.agent)
    nearest = count.noun + _CUT.split(count.topic)[0]
    if not ours or _SOME_PEOPLE.search(count.topic) or _RESTRICTED.search(nearest):
        return False
    if _ABOUT_JOBS.search(nearest):
        said = count.noun + count.topic
        return not any(_AND_ELSE.match(said, jobs.end()) for jobs in _ABOUT_JOBS.finditer(said))
    return not _ABOUT_ELSE.search(nearest) and _are_second_jobs_meant(count.clause.passage)


def _are_second_jobs_meant(passage: Passage) -> bool:
    """Return whether applications for nothing in particular are for second jobs.

    They are for what the sentence, those before it or the heading above speak of.
    """
    earlier: Passage | None = passage
    while earlier is not None:
        if _ABOUT_JOBS.search(earlier.mask):
            return True
        earlier = earlier.before
    return _ABOUT_JOBS.search(passage.heading) is not None
