"""Reads one sentence: a figure stands only where frames cover every word of it."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assets.inputs.reports.parts import (
    ANSWERS,
    BESIDE,
    CORES,
    Part,
    cover,
    cut_before_shares,
    text_of,
)
from assets.inputs.reports.sentences import Sentence
from assets.inputs.reports.signs import (
    NUMBER,
    OTHER_TIME,
    OWN_FORCE,
    PERIOD,
    TIMES,
    YEAR_BEFORE,
    Times,
    Token,
    begins,
    speaks,
    tokens,
    vocabulary,
)

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
_DIRECTIONS: Final = dict(zip(ANSWERS, (0, 1, -1), strict=True))
_MOST_BACK: Final = 4
"""A sentence says of whom the next ones speak, but not for long."""
_QUOTED: Final = 90
_FIGURE_OF: Final = {"med_part": "med", "ok_alone": "ok", **dict.fromkeys(ANSWERS, STAFFING)}
WHOSE: Final = "may count for another force, time or subject"
_UNCLEAR: Final = "holds words that may change what it counts"
_A_TIME: Final = re.compile(r"(?<!\S)(?:every )?# (?:years?|months?|weeks?|days?|hours?)(?!\S)")


@dataclass(frozen=True)
class Statement:
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
    """A sentence with its tokens and its statements.

    `before` precedes it in the same paragraph; `above` ends the paragraph above, for the first.
    """

    sentence: Sentence
    tokens: tuple[Token, ...]
    headings: tuple[str, ...]
    before: "Said | None"
    above: "Said | None"
    statements: list[Statement] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The words and signs of the sentence."""
        return text_of(self.tokens)

    @property
    def heading(self) -> str:
        """The words and signs of the headings that it stands under."""
        return " ".join(self.headings)

    @property
    def limits_above(self) -> bool:
        """Whether it sets ours beside what the paragraph above said of nobody."""
        return OWN_FORCE in self.words and self.limits(self.above)

    def limits(self, earlier: "Said | None") -> bool:
        """Return whether it sets ours beside what was of nobody: `there were 357. Kent had six`."""
        ours = bool(re.search(r"[§£]", self.words)) and speaks("quantity", self.words)
        return earlier is not None and ours and not speaks("ours", earlier.words)

    def back(self) -> Iterator["Said"]:
        """Yield the sentence, and those before it in its paragraph, the nearest first."""
        here: Said | None = self
        while here is not None:
            yield here
            here = here.before

    def times_before(self) -> set[str]:
        """Return the times that the nearest words before, if any, speak of."""
        last = self.above if speaks("that_period", self.words) and self.above else self.before
        for each in itertools.islice(last.back() if last else (), _MOST_BACK):
            if times := {*each.words.split()} & {*TIMES, OTHER_TIME, YEAR_BEFORE}:
                return times
        return set()


def say(
    sentence: Sentence,
    force_code: str | None,
    last: Said | None,
    sites: frozenset[str],
    times: Times,
) -> Said:
    """Return a sentence read; `sites` are the social media that the whole report names."""
    together = last is not None and last.sentence.paragraph == sentence.paragraph
    before, above = (last, None) if together else (None, last)
    row = tokens(sentence.text, sentence.lines, force_code, times)
    earlier = before.back() if before and sentence.is_item else [before] if before else []
    opens = next((each for each in earlier if not each.sentence.is_item), None)
    if opens and opens.sentence.opens(sentence):
        # A list item goes on with such words as `Since September 2011 there were:`.
        row = [*opens.tokens, *row]
    headings = (tokens(each, [0] * len(each), force_code, times) for each in sentence.headings)
    said = Said(sentence, tuple(row), tuple(map(text_of, headings)), before, above)
    said.statements.extend(_statements(said, sites))
    return said


def _statements(said: Said, sites: frozenset[str]) -> Iterator[Statement]:
    parts = cover(said.tokens)
    if parts is None and said.before and begins("refers", said.words):
        joined = (*said.before.tokens, Token(";", 0), *said.tokens)
        is_ours = _is_ours(said.before) or OWN_FORCE in said.words
        parts = cover(joined) if is_ours else None
    parts = parts or cut_before_shares(said.tokens)
    if not parts or said.sentence.text.rstrip(" '\")").endswith("?"):
        yield from _told_of(said)
        yield from _doubted_before(said)
        return
    found = list(_of_parts(said, parts, sites))
    for statement in found:
        # Where one number may be somebody else's, the others of its sentence may be, too.
        if any(other.why == WHOSE for other in found):
            yield replace(statement, value=None, why=WHOSE)
        else:
            yield statement


def _of_parts(said: Said, parts: Sequence[Part], sites: frozenset[str]) -> Iterator[Statement]:
    """Yield the statements of a sentence's own parts."""
    own = set(map(id, said.tokens))
    period = any(PERIOD in part.times for part in parts)
    cores = [part.kind for part in parts if part.kind in CORES]
    total: int | None = None
    for part in parts:
        number, figure = part.said.get("n"), _FIGURE_OF.get(part.kind, part.kind)
        value = 0 if number is None else number.value if number.word == NUMBER else 1
        mine = not part.row or id(part.row[-1]) in own
        if part.kind == "app":
            teller = said if mine else said.before or said
            total = value if _is_sure(teller, part, period, sites) else None
        if not mine or part.kind in BESIDE:
            continue
        if part.kind == "doubt":
            yield _statement(said, "ok", None, part.row[0], why=_UNCLEAR)
            continue
        here = PERIOD in part.times or (period and cores.count(part.kind) < 2)
        at = part.said.get("n") or part.said.get("no") or part.said.get("not") or part.row[0]
        if not _is_sure(said, part, here, sites) or (part.kind == "ok" and total is None):
            yield _statement(said, figure, None, at, why=WHOSE)
        elif part.kind in ANSWERS:
            changed = vocabulary().words["changed"]
            at = next(token for token in part.row if changed.fullmatch(token.word))
            if _contradicts(said.tokens, part.kind):
                yield _statement(said, STAFFING, None, at, why=_UNCLEAR)
            else:
                yield _statement(said, STAFFING, 1, at, answer=part.kind)
        else:
            if part.kind != "ok":
                yield _statement(said, figure, value, at)
            if part.kind == "ok" or (part.kind == "app" and part.said.keys() & {*_SHARES}):
                yield _share(said, part, total)


def _contradicts(row: Sequence[Token], answer: str) -> bool:
    """Return whether numbers of staff, `from # to #`, say something else than the words."""
    steps = (
        after.value - before.value
        for one, before, two, after in zip(row, row[1:], row[2:], row[3:], strict=False)
        if [one.word, before.word, two.word, after.word] == ["from", NUMBER, "to", NUMBER]
    )
    return any((step > 0) - (step < 0) != _DIRECTIONS[answer] for step in steps)


def _share(said: Said, part: Part, total: int | None) -> Statement:
    """Return the approvals that a part makes of a total of applications."""
    name = next(name for name in _SHARES if name in part.said)
    token = part.said[name]
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
    rest = 0
    for match in vocabulary().words["not_approved"].finditer(said.words):
        first = said.words.count(" ", 0, match.start())
        rest += sum(t.value for t in said.tokens[first : first + match[0].count(" ") + 1])
    if value is None or (rest and total is not None and value + rest > total):
        return _statement(said, "ok", None, token, why=_UNCLEAR)
    return _statement(said, "ok", value, token)


def _is_sure(said: Said, part: Part, in_period: bool, sites: frozenset[str]) -> bool:
    """Return whether a part is about our force, our period, and all that its figure counts."""
    text = text_of(part.row)
    before = said.before.words if said.before else ""
    if not _is_ours(said):
        return False
    if part.kind != "soc" and not in_period and not part.times:
        # Words before may speak of another time, which this sentence goes on about.
        earlier = said.times_before()
        others = {OTHER_TIME} if part.kind in ANSWERS else {OTHER_TIME, YEAR_BEFORE}
        if earlier & others and not earlier & TIMES:
            return False
    if part.kind == "inv" and not speaks("covered", text):
        whole = speaks("whole", text)
        near = before if whole else f"{said.heading} {before}"
        listed = whole and said.sentence.is_item
        return listed or ((whole or in_period) and not speaks("specific", near))
    if part.kind == "soc":
        named = frozenset(vocabulary().words["site"].findall(text))
        lone = len(named) == 1 and "socialmedia" not in text
        return speaks("any_site", text) and (not lone or named >= sites)
    if part.kind == "app" and "bare" in part.said:
        # Applications for nothing in particular are for what was spoken of last.
        spoken = [each.words for each in itertools.islice(said.back(), 2)]
        if said.before is None:
            spoken.append(said.heading)
        words = next((each for each in spoken if "secondjobs" in each), "applications for")
        return "applications for" not in words.replace("applications for secondjobs", "")
    return True


def _is_ours(said: Said) -> bool:
    """Return whether words that may be of any force are of ours, by what stands before them."""
    named = OWN_FORCE in said.words
    for heading in said.headings:
        others = speaks("foreign_heading", heading) and "£" not in said.words
        others = (others or speaks("other_heading", heading)) and OWN_FORCE not in heading
        if (others and not named) or {OTHER_TIME, YEAR_BEFORE} & {*heading.split()}:
            return False
    if not named and re.match(r"(\( )?¶", said.words):
        return False
    for earlier in () if named else itertools.islice(said.back(), 1, _MOST_BACK + 1):
        other = vocabulary().words["others"].search(earlier.words)
        own = re.search(r"[§£]", earlier.words)
        if other or own:
            return not other or (own is not None and own.start() < other.start())
    # `There were` after a sentence about somebody who is not named may count that one's.
    told = speaks("ours", said.words) or begins("refers", said.words)
    return said.before is None or told or PERIOD in said.words


def _told_of(said: Said) -> Iterator[Statement]:
    """Yield the figures that a sentence seems to tell of in words that are not all known."""
    text = said.words
    if speaks("foreign", text) and not speaks("ours", text):
        return
    counting = _A_TIME.sub("", text)
    amount, share = speaks("quantity", counting), speaks("some", counting)
    of_jobs = any(speaks("about_jobs", each.words) for each in said.back()) or speaks(
        "about_jobs", said.heading
    )
    near = text + (said.before.words if said.before else "")
    told = {figure: all(speaks(topic, text) for topic in of) for figure, of in _TOPICS.items()}
    told["inv"] = told["inv"] and not told["med"]
    told["app"] = told["app"] and of_jobs
    told["ok"] = told["ok"] and of_jobs and "applications" in near
    for figure in _TOPICS:
        if told[figure] and (amount or (share and figure in {"ok", STAFFING})):
            yield _statement(said, figure, None, _quantity(said), why=_UNCLEAR)


def _doubted_before(said: Said) -> Iterator[Statement]:
    """Yield the figures of the sentence before that this one may add to, limit or take back."""
    text = said.words
    doubted: list[Statement] = []
    if said.above and (speaks("amends_above", text) or said.limits_above):
        doubted += [statement for each in said.above.back() for statement in each.statements]
    if said.before:
        of_approvals = begins("share", text) and speaks("approval", text)
        refers = begins("refers", text) and not of_approvals
        adds = (NUMBER in text or "none" in text) and (refers or speaks("more", text))
        # A number without a word to it may take the place of the one before.
        bare = speaks("bare", text) and not of_approvals
        adds = adds or bare or said.limits(said.before)
        changes = refers and speaks("changed", text)
        amends = speaks("amends", text)
        doubted += [
            statement
            for statement in said.before.statements
            if amends or (changes if statement.figure == STAFFING else adds)
        ]
    for statement in doubted:
        if statement.value is not None:
            yield _statement(said, statement.figure, None, _quantity(said), why=_UNCLEAR)


def _quantity(said: Said) -> Token:
    quantity = vocabulary().words["quantity"]
    return next((one for one in said.tokens if quantity.fullmatch(one.word)), said.tokens[0])


def _statement(
    said: Said, figure: str, value: int | None, at: Token, *, why: str = "", answer: str = ""
) -> Statement:
    text = said.sentence.text
    words = text if len(text) <= _QUOTED else text[:_QUOTED].rsplit(" ", 1)[0] + " ..."
    return Statement(figure, value, at.line, words, why=why, answer=answer)
