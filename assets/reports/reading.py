"""Reads one sentence: a figure stands only where frames cover every word of it.

Belongs here: cutting a sentence into parts, finding the frame of each, whose and when they are.
Does not: what several sentences say together (reader.py), nor any wording (vocabulary.toml).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assets.reports.parts import ANSWERS, BESIDE, CORES, Part, cover, cut_before_shares, text_of
from assets.reports.sentences import Sentence
from assets.reports.signs import (
    NUMBER,
    OTHER_TIME,
    OWN_FORCE,
    PERIOD,
    TIMES,
    YEAR_2011,
    Token,
    tokens,
)
from assets.reports.vocabulary import vocabulary

STAFFING: Final = "acu"

_SHARES: Final = ("every", "less", "wholly", "all", "none", "both", "one", "ok")
_TOPICS: Final = {
    "inv": ("about_inv",),
    "med": ("about_med", "about_leak", "about_case"),
    "soc": ("any_site", "about_soc"),
    "app": ("about_app",),
    "ok": ("approval",),
    STAFFING: ("about_acu", "changed", "sized"),
}
_MOST_BACK: Final = 4
"""A sentence says of whom the next ones speak, but not for long."""
_QUOTED: Final = 90
_FIGURE_OF: Final = {"med_part": "med", "ok_alone": "ok", **dict.fromkeys(ANSWERS, STAFFING)}
WHOSE: Final = "may count for another force, time or subject"
_UNCLEAR: Final = "holds words that may change what it counts"
_A_TIME: Final = re.compile(r"(?<!\S)(?:every )?# (?:years?|months?|weeks?|days?|hours?)(?!\S)")


@dataclass(frozen=True)
class Reading:
    """What one sentence says of a figure.

    `value` is None where a person must look it up, for the reason `why`. `answer` is that of a
    capability question.
    """

    figure: str
    value: int | None
    line: int
    words: str
    why: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Said:
    """A sentence with its tokens and its readings.

    `before` precedes it in the same paragraph; `above` ends the paragraph above, for the first.
    """

    sentence: Sentence
    tokens: tuple[Token, ...]
    heading: str
    before: "Said | None"
    above: "Said | None"
    readings: list[Reading] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The words and signs of the sentence."""
        return text_of(self.tokens)


def say(
    sentence: Sentence, force_code: str | None, last: Said | None, sites: frozenset[str]
) -> Said:
    """Return a sentence read; `sites` are the social media that the whole report names."""
    together = last is not None and last.sentence.paragraph == sentence.paragraph
    before, above = (last, None) if together else (None, last)
    row = tokens(sentence.text, sentence.lines, force_code)
    if sentence.is_item and (opening := _opening(before)):
        row = [*opening, *row]
    no_lines = [0] * len(sentence.heading)
    heading = text_of(tokens(sentence.heading, no_lines, force_code))
    said = Said(sentence, tuple(row), heading, before, above)
    said.readings.extend(_readings(said, sites))
    return said


def _opening(before: Said | None) -> tuple[Token, ...]:
    """Return the words that a list item continues: `Since September 2011 there were:`."""
    while before is not None and before.sentence.is_item:
        before = before.before
    if before is None or not before.sentence.text.endswith(":"):
        return ()
    return before.tokens


def _readings(said: Said, sites: frozenset[str]) -> Iterator[Reading]:
    parts = cover(said.tokens)
    if parts is None and said.before and vocabulary().words["refers"].match(said.words):
        joined = (*said.before.tokens, Token(";", 0), *said.tokens)
        is_ours = _is_ours(said.before) or OWN_FORCE in said.words
        parts = cover(joined) if is_ours else None
    parts = parts or cut_before_shares(said.tokens)
    if not parts or said.sentence.text.rstrip(" '\")").endswith("?"):
        yield from _told_of(said)
        yield from _doubted_before(said)
        return
    found = list(_of_parts(said, parts, sites))
    for reading in found:
        # Where one number may be somebody else's, the others of its sentence may be, too.
        if any(other.why == WHOSE for other in found):
            yield replace(reading, value=None, why=WHOSE)
        else:
            yield reading


def _of_parts(said: Said, parts: Sequence[Part], sites: frozenset[str]) -> Iterator[Reading]:
    """Yield the readings of a sentence's own parts."""
    own = set(map(id, said.tokens))
    period = any(PERIOD in part.times for part in parts)
    cores = [part.kind for part in parts if part.kind in CORES]
    total: int | None = None
    for part in parts:
        value = _value(part)
        mine = not part.row or id(part.row[-1]) in own
        teller = said if mine else said.before or said
        if part.kind == "app":
            total = value if _is_sure(teller, part, period, sites) else None
        if not mine or part.kind in BESIDE:
            continue
        if part.kind == "doubt":
            yield _reading(said, "ok", None, part.row[0], why=_UNCLEAR)
            continue
        here = PERIOD in part.times or (period and cores.count(part.kind) < 2)
        at = part.token("n") or part.token("no") or part.token("not") or part.row[0]
        if not _is_sure(said, part, here, sites) or (part.kind == "ok" and total is None):
            yield _reading(said, _FIGURE_OF.get(part.kind, part.kind), None, at, why=WHOSE)
            continue
        if part.kind in ANSWERS:
            changed = vocabulary().words["changed"]
            at = next(token for token in part.row if changed.fullmatch(token.word))
            yield _reading(said, STAFFING, 1, at, answer=part.kind)
        elif part.kind in {"ok", "ok_alone"}:
            yield (
                _share(said, part, total) if part.kind == "ok" else _reading(said, "ok", value, at)
            )
        else:
            yield _reading(said, _FIGURE_OF.get(part.kind, part.kind), value, at)
            if part.kind == "app" and any(part.token(name) for name in _SHARES):
                yield _share(said, part, total)


def _value(part: Part) -> int:
    number = part.token("n")
    if number is None:
        return 0
    return number.value if number.word == NUMBER else 1


def _share(said: Said, part: Part, total: int | None) -> Reading:
    """Return the approvals that a part makes of a total of applications."""
    name = next(name for name in _SHARES if part.token(name))
    token = part.token(name) or part.row[0]
    value: int | None = None
    if name == "none":
        value = 0
    elif name == "ok":
        value = token.value
    elif total is not None:
        wanted = {"every": token.value, "both": 2, "one": 1}.get(name, total)
        if name == "less":
            value = total - token.value if token.value <= total else None
        elif wanted == total:
            value = total
    others = vocabulary().words["not_approved"].finditer(said.words)
    rest = sum(_numbers(said, match) for match in others)
    if value is None or (rest and total is not None and value + rest > total):
        return _reading(said, "ok", None, token, why=_UNCLEAR)
    return _reading(said, "ok", value, token)


def _numbers(said: Said, match: re.Match[str]) -> int:
    """Return the sum of the numbers that stand where a pattern matches a sentence's words."""
    first = said.words.count(" ", 0, match.start())
    return sum(t.value for t in said.tokens[first : first + match[0].count(" ") + 1])


def _is_sure(said: Said, part: Part, in_period: bool, sites: frozenset[str]) -> bool:
    """Return whether a part is about our force, our period, and all that its figure counts."""
    words = vocabulary().words
    text = text_of(part.row)
    if not _is_ours(said):
        return False
    before = said.before.words if said.before else ""
    context = f"{said.heading} {before}"
    if part.kind not in (*ANSWERS, "soc") and not in_period and _other_time(said):
        return False
    if part.kind == "inv" and not words["whole"].search(text):
        return in_period and not words["specific"].search(context)
    if part.kind == "soc":
        named = frozenset(words["site"].findall(text))
        lone = len(named) == 1 and "socialmedia" not in text
        return bool(words["any_site"].search(text)) and (not lone or named >= sites)
    if part.kind == "app" and part.token("bare"):
        return _are_second_jobs_meant(said)
    return True


def _other_time(said: Said) -> bool:
    """Return whether the sentence before speaks of another time, which this one may go on about."""
    before = {token.word for token in said.before.tokens} if said.before else set()
    return bool(before & {OTHER_TIME, YEAR_2011}) and not before & TIMES


def _are_second_jobs_meant(said: Said) -> bool:
    """Return whether applications for nothing in particular are for second jobs."""
    earlier: Said | None = said
    while earlier is not None:
        if "secondjobs" in earlier.words:
            return "applications for" not in earlier.words.replace(
                "applications for secondjobs", ""
            )
        earlier = earlier.before
    return "secondjobs" in said.heading


def _is_ours(said: Said) -> bool:
    """Return whether words that may be of any force are of ours, by what stands before them."""
    foreign = vocabulary().words["foreign"]
    if OWN_FORCE in said.words:
        return True
    heading = said.heading
    if OWN_FORCE not in heading:
        if {OTHER_TIME, YEAR_2011} & set(heading.split()):
            return False
        if vocabulary().words["foreign_heading"].search(heading) and "£" not in said.words:
            return False
    earlier = said.before
    for _ in range(_MOST_BACK):
        if earlier is None:
            break
        other = foreign.search(earlier.words)
        own = re.search(r"[§£]", earlier.words)
        if other or own:
            return not other or (own is not None and own.start() < other.start())
        earlier = earlier.before
    return True


def _told_of(said: Said) -> Iterator[Reading]:
    """Yield the figures that a sentence seems to tell of in words that are not all known."""
    words = vocabulary().words
    text = said.words
    if words["foreign"].search(text) and not words["ours"].search(text):
        return
    counting = _A_TIME.sub("", text)
    amount = words["quantity"].search(counting)
    share = words["some"].search(counting)
    speaks = {
        figure: all(words[topic].search(text) for topic in topics)
        for figure, topics in _TOPICS.items()
    }
    speaks["inv"] = speaks["inv"] and not speaks["med"]
    speaks["app"] = speaks["app"] and _speaks_of_second_jobs(said)
    speaks["ok"] = speaks["ok"] and _follows_applications(said)
    for figure in _TOPICS:
        if speaks[figure] and (amount or (share and figure in {"ok", STAFFING})):
            yield _reading(said, figure, None, _quantity(said), why=_UNCLEAR)


def _doubted_before(said: Said) -> Iterator[Reading]:
    """Yield the figures of the sentence before that this one may add to, limit or take back."""
    words = vocabulary().words
    text = said.words
    above = said.above if words["amends_above"].search(text) else None
    while above is not None:
        for reading in above.readings:
            if reading.value is not None:
                yield _reading(said, reading.figure, None, _quantity(said), why=_UNCLEAR)
        above = above.before
    if said.before is None:
        return
    of_approvals = words["share"].match(text) and words["approval"].search(text)
    refers = words["refers"].match(text) and not of_approvals
    adds = NUMBER in text and (refers or words["more"].search(text))
    changes = refers and words["changed"].search(text)
    for reading in said.before.readings:
        doubted = changes if reading.figure == STAFFING else adds
        if reading.value is not None and (doubted or words["amends"].search(text)):
            yield _reading(said, reading.figure, None, _quantity(said), why=_UNCLEAR)


def _quantity(said: Said) -> Token:
    quantity = vocabulary().words["quantity"]
    return next((one for one in said.tokens if quantity.fullmatch(one.word)), said.tokens[0])


def _speaks_of_second_jobs(said: Said) -> bool:
    jobs = vocabulary().words["about_jobs"]
    earlier: Said | None = said
    while earlier is not None:
        if jobs.search(earlier.words):
            return True
        earlier = earlier.before
    return jobs.search(said.heading) is not None


def _follows_applications(said: Said) -> bool:
    near = said.words + (said.before.words if said.before else "")
    return "applications" in near and _speaks_of_second_jobs(said)


def _reading(
    said: Said, figure: str, value: int | None, at: Token, *, why: str = "", answer: str = ""
) -> Reading:
    text = said.sentence.text
    words = text if len(text) <= _QUOTED else text[:_QUOTED].rsplit(" ", 1)[0] + " ..."
    return Reading(figure, value, at.line, words, why=why, answer=answer)
