"""Reads whether the number of staff in a force's anti-corruption unit changed since 2011.

Belongs here: the wordings of unchanged, increased and decreased. Does not: numbers of staff, nor
changes that are planned, approximate (`little change`) or denied one way only (`no increase`).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from assets.reports.readings import Reading
from assets.reports.wording.clauses import Clause, split
from assets.reports.wording.facts import is_asserted
from assets.reports.wording.marks import (
    IN_2012,
    OWN_FORCE,
    SINCE_2011,
    THIS_PERIOD,
    TIMES,
    Passage,
)
from assets.reports.wording.patterns import any_word, one_of
from assets.reports.wording.timing import UNKNOWN_TIME, when
from assets.reports.wording.whose import is_ours

UNCHANGED: Final = "unchanged"
INCREASED: Final = "increased"
DECREASED: Final = "decreased"

_TIME: Final = rf"(?:,? [{TIMES}]+,?)?"
_UNIT: Final = (
    rf"(?:the |its |their |this |{OWN_FORCE}+(?:'s)? |the force's |force )*(?:own |dedicated )?"
    r"(?:(?:anti|counter)[- ]?corruption (?:unit|team|department|command)\b(?: \(ACU\))?|ACU\b)"
)
_STAFF: Final = one_of("""
    (?:police )?officers and (?:police )?staff | (?:police )?staff and officers
    (?:police )?officers | (?:police )?staff | people | posts | personnel | employees
    investigators
""")
_IN_UNIT: Final = (
    rf"(?: (?:who )?(?:are )?(?:work(?:ing)?|employed|based|posted|serving|dedicated|assigned))?"
    rf" (?:in|within|of|for|at|to|on) {_UNIT}"
)
_STAFFING: Final = "(?:staff(?:ing)?(?: numbers| levels?)?|size|strength|establishment|headcount)"
_SIZE: Final = one_of(rf"""
    (?:the )?(?:overall |total )?(?:numbers?|levels?|complement) of {_STAFF}{_IN_UNIT}
    (?:the )?(?:overall )?{_STAFFING}{_IN_UNIT} | {_UNIT}(?:'s)? {_STAFFING}
    (?:the )?{_STAFF} numbers{_IN_UNIT}
""")
_HEDGES: Final = one_of("""
    largely | broadly | virtually | almost | nearly | mostly | relatively | essentially | fairly
    effectively | roughly | practically | more or less | hardly
""")
_SLIGHTLY: Final = (
    rf"(?: (?:also|since|now|not|slightly|significantly|marginally|substantially|{_HEDGES}))*"
)
_HAS: Final = rf"(?: has| have| had| was| were| is| are)?{_SLIGHTLY}"
_THAN_THEN: Final = rf"(?= [{TIMES}])"
_WENT: Final = {
    UNCHANGED: one_of(rf"""
        not (?:been )?(?:changed|altered) | (?:did|does) not change | unchanged
        (?:remain|stay)(?:ed|s)? (?:unchanged|the same|constant|static|stable|unaltered)
        the same(?! as (?!in|at|it|when|that|during|before|$|[{TIMES}]))
        been (?:maintained|retained) | neither (?:increased|risen) nor (?:decreased|fallen)
    """),
    INCREASED: one_of(rf"""
        (?:been )?(?:increased|expanded|enlarged|strengthened|doubled|trebled)
        risen | rose | grown | grew | gone up | went up | (?:higher|larger|greater){_THAN_THEN}
    """),
    DECREASED: one_of(rf"""
        (?:been )?(?:decreased|reduced|cut|halved)
        fallen | fell | shrunk | shrank | gone down | went down | declined | dropped
        (?:lower|smaller){_THAN_THEN}
    """),
}
_CHANGE: Final = {
    UNCHANGED: (
        r"(?:no (?:overall |net )?(?:changes?|increase or (?:decrease|reduction)|alteration)"
        r"|(?P<hedged>(?:little|minimal|no (?:significant|substantive|substantial|material|real"
        r"|major|great|notable)) (?:overall )?change))"
    ),
    INCREASED: r"(?:an? )?(?:\w+ )?(?:increase|rise|growth|expansion)",
    DECREASED: r"(?:an? )?(?:\w+ )?(?:decrease|reduction|fall|drop|cut|decline)",
}
_IT_IS_SAID: Final = r"\b" + one_of("""
    there (?:has|have|had) (?:also )?been | there (?:was|were|is) | seen | saw | made | experienced
    shows? | showed | indicates? | indicated | reports | reported
""")
_BY_SO_MANY: Final = rf"(?: of [#~]+(?: {_STAFF})?)?"
_MORE: Final = {
    UNCHANGED: r"the same number of",
    INCREASED: r"more",
    DECREASED: r"fewer",
}
_ACTED: Final = {
    UNCHANGED: r"(?:maintained|retained|not changed)",
    INCREASED: r"(?:increased|expanded|strengthened|doubled)",
    DECREASED: r"(?:decreased|reduced|cut|halved)",
}
_ENDS: Final = rf"(?=[,.;\0]|$| than | as | now\b| since\b|,? [{TIMES}])"
_HEDGED: Final = any_word(_HEDGES)
_ONE_WAY: Final = re.compile(r"\b(?:no|not|never|nor|without|neither|any|whether)\b|n't\b", re.I)
_TIMES: Final = frozenset({"", THIS_PERIOD, SINCE_2011, IN_2012, UNKNOWN_TIME})


def _frames(answer: str) -> tuple[re.Pattern[str], ...]:
    went, change = _WENT[answer], _CHANGE[answer]
    patterns = (
        rf"{_SIZE}{_TIME}{_HAS} (?P<says>{went})",
        rf"{_IT_IS_SAID}{_TIME} (?P<says>{change}){_BY_SO_MANY}{_TIME} (?:in|to|of) {_SIZE}",
        rf"(?:\b(?:has|have|had|force|it)|{OWN_FORCE}) (?P<says>{_ACTED[answer]}) {_SIZE}",
        rf"{_UNIT}{_TIME}{_HAS} (?P<says>{went}) in (?:size|staffing|strength|number)",
        rf"{_UNIT}{_TIME} (?:has|had|now has) (?P<says>{_MORE[answer]}) {_STAFF}{_ENDS}",
        rf"\b(?:there are|has|have)(?: now)? (?P<says>{_MORE[answer]}) {_STAFF}{_IN_UNIT}{_ENDS}",
    )
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


_FRAMES: Final = {answer: _frames(answer) for answer in (UNCHANGED, INCREASED, DECREASED)}


def acu_change(passage: Passage) -> Iterator[Reading]:
    """Yield readings of the capability question `acu_staffing_change`, each with its answer."""
    clauses = split(passage)
    for clause in clauses:
        for answer, frames in _FRAMES.items():
            for match in (match for frame in frames for match in frame.finditer(clause.mask)):
                if _is_told_of_us(clauses, clause, match.start()):
                    start, end = match.span("says")
                    yield _reading(passage, answer, start, end, _is_clear(clause, answer, match))


def _is_told_of_us(clauses: Sequence[Clause], clause: Clause, at: int) -> bool:
    return (
        is_asserted(clause, at)
        and is_ours(clauses, clause, at)
        and when(clauses, clause, at) in _TIMES
    )


def _is_clear(clause: Clause, answer: str, match: re.Match[str]) -> bool:
    """Return whether the wording says one thing: neither hedged nor a denial of one direction."""
    rest = clause.passage.mask[match.end() :]
    words = clause.mask[max(clause.start, match.start() - 40) : match.end()]
    if any(
        re.search(rf"\b(?:but|then|before|although|later|since) .*\b{_WENT[other]}", rest)
        for other in _WENT
        if other != answer
    ):
        return False
    if answer == UNCHANGED:
        words = words.replace(match["says"], "")
    hedged = match.groupdict().get("hedged") or _HEDGED.search(match.group())
    return not hedged and not _ONE_WAY.search(words)


def _reading(passage: Passage, answer: str, start: int, end: int, is_clear: bool) -> Reading:
    words, line = passage.text[start:end], passage.line(start)
    if is_clear:
        return Reading(1.0, line, words, answer=answer)
    return Reading(None, line, words, why="does not say clearly whether the number changed")
