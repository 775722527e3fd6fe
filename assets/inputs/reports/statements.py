"""Reads one sentence: a figure stands only where frames cover every word of it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from assets.inputs.reports.doubts import UNREAD, unsure
from assets.inputs.reports.parts import ANSWERS, BESIDE, CORES, Part, cover, text_of
from assets.inputs.reports.said import MOST_BACK, Said, Statement, beginning
from assets.inputs.reports.sentences import Sentence
from assets.inputs.reports.signs import (
    NUMBER,
    PERCENT,
    PERIOD,
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
_ANY: Final = 10**9
"""A number of staff that is above, or below zero, whatever is told of."""
_DIRECTIONS: Final = dict(zip(ANSWERS, (0, 1, -1), strict=True))
_NOTE: Final = 10
"""A paragraph of so few words may be a note to the one above."""
_FIGURE_OF: Final = {"med_part": "med", "ok_alone": "ok", **dict.fromkeys(ANSWERS, STAFFING)}
_ODD: Final = "holds numbers that do not go together"
_BESIDE: Final[Mapping[str, Callable[[int, list[int]], bool]]] = {
    "part": lambda value, told: sum(told) <= value,
    "lone": lambda value, _: value == 1,
    "whole": lambda value, told: value <= told[0],
    "above": lambda value, told: not told or value > told[0],
    "below": lambda value, told: not told or value < told[0],
    "two": lambda value, _: value == 2,
    "some": lambda value, _: value > 0,
    "percent": lambda value, told: abs(10_000 * value - told[0] * told[1]) <= 100 * told[1],
}
"""What a group of a frame says of a figure's value and the numbers of its part, in order."""

_NUMBERING: Final = re.compile(r"^[\d.]+ ")
_A_TIME: Final = re.compile(r"(?<!\S)(?:every )?# (?:years?|months?|weeks?|days?|hours?)(?!\S)")


def say(
    sentence: Sentence,
    force_code: str | None,
    last: Said | None,
    sites: frozenset[str],
    times: Times,
) -> Said:
    """Return a sentence read; `sites` are the social media that the whole report names.

    Where it is not known whole, what stands before it and may be meant by it is doubted.
    """
    together = last is not None and last.sentence.paragraph == sentence.paragraph
    before, above = (last, None) if together else (None, last)
    row = tuple(tokens(sentence.text, sentence.lines, force_code, times))
    earlier = before.back() if before and sentence.is_item else [before] if before else []
    opens = next((each for each in earlier if not each.sentence.is_item), None)
    if opens and opens.sentence.opens(sentence):
        # A list item goes on with such words as `Since September 2011 there were:`.
        row = (*opens.tokens, *row)
    headings = tuple(_heading(each, force_code, times) for each in sentence.headings)
    parts = None if sentence.asks else _parts(row, before)
    shares = Counter(last.shares if last else ())
    said = Said(sentence, row, headings, before, above, parts, shares=shares)
    if said.parts:
        said.statements.extend(_of_parts(said, said.parts, sites))
    else:
        said.statements.extend(_told_of(said))
        for each in _meant(said):
            each.doubt(_followed(said))
    return said


@lru_cache(maxsize=100)
def _heading(text: str, force_code: str | None, times: Times) -> str:
    plain = _NUMBERING.sub("", text)
    return text_of(tokens(plain, [0] * len(plain), force_code, times))


def _parts(row: tuple[Token, ...], before: Said | None) -> Sequence[Part] | None:
    words = text_of(row)
    parts = cover(row)
    if parts is None and before and begins("refers", words):
        return cover((*before.tokens, Token(";", 0), *row))
    return parts


def _followed(said: Said) -> str:
    return f"is followed by {said.quoted}, which may change what it counts"


def _meant(said: Said) -> Iterator[Said]:
    """Yield the sentences before it that one not known may add to, limit or take back.

    In its paragraph these are the last figures and what is said of them since.
    """
    text = said.words
    if speaks("of_figure", text):
        last = said.before or said.above
        yield from last.back() if last else ()
    elif said.before:
        for each in said.before.back():
            yield each
            if each.statements or not each.parts:
                break
    else:
        is_short = len(said.tokens) <= _NOTE and not said.statements and not begins("opens", text)
        is_note = said.sentence.is_item or (is_short and not said.sentence.is_heading)
        above = list(said.above.back()) if said.above else []
        # Another number of the same is another statement.
        of_same = NUMBER not in text and any(
            _tells_of(one.figure, text) for each in above for one in each.statements
        )
        more_of = begins("more_of", text) and not said.sentence.is_heading
        goes_on = begins("refers", text) or more_of
        yield from above if is_note or of_same or goes_on else ()


def _of_parts(said: Said, parts: Sequence[Part], sites: frozenset[str]) -> Iterator[Statement]:
    """Yield the statements of a sentence's own parts."""
    own = set(map(id, said.tokens))
    period = any(PERIOD in part.times for part in parts)
    cores = [part.kind for part in parts if part.kind in CORES]
    total: int | None = None
    # Parts of a figure may stand in paragraphs of their own.
    figures = next((each for each in said.earlier(MOST_BACK) if each.statements), None)
    spoken = {one.figure: one.value for one in figures.statements} if figures else {}
    at_first, told = spoken, said.shares
    for part in parts:
        mine = not part.row or id(part.row[-1]) in own
        in_period = PERIOD in part.times or (period and cores.count(part.kind) < 2)
        if part.kind == "app":
            total = None if unsure(said, part, in_period, sites) else _value(part)
        if part.kind in {"elsewhere", "other"}:
            spoken = {}
        if not mine or part.kind in BESIDE:
            if mine:
                if not _fits(part, spoken, told):
                    above = figures if spoken is at_first else None
                    yield from _misfits(said, part, spoken, above)
                told.update(_shares(part))
            continue
        told.clear()
        figure = _FIGURE_OF.get(part.kind, part.kind)
        at = part.said.get("n") or part.said.get("no") or part.said.get("not") or part.row[0]
        why = unsure(said, part, in_period, sites)
        if not why and part.kind == "ok" and total is None:
            why = "gives approvals, and not of how many applications"
        if why:
            yield from _doubted(said, at, [figure], why=why)
        elif part.kind in ANSWERS:
            yield _answer(said, part)
            spoken = {STAFFING: _DIRECTIONS[part.kind] * _ANY}
        else:
            of = {"ok": {"app": total}, "med_part": spoken}.get(part.kind, {figure: _value(part)})
            counts = list(_counts(said, part, figure, at, total) if _fits(part, of, {}) else ())
            spoken = {**of, **{one.figure: one.value for one in counts}}
            yield from counts or _doubted(said, at, {figure: None, **of})


def _misfits(
    said: Said, part: Part, spoken: Iterable[str], figures: Said | None
) -> Iterator[Statement]:
    """Doubt the figures beside which a part cannot be true, where those stand in a paragraph above.

    In its own the part itself, which is told of for each of them, leaves them in doubt.
    """
    if figures and figures.sentence.paragraph != said.sentence.paragraph:
        figures.doubt(_followed(said))
    return _doubted(said, part.row[0], spoken)


def _value(part: Part) -> int:
    number = part.said.get("n")
    return 0 if number is None else number.value if number.word == NUMBER else 1


def _doubted(
    said: Said, at: Token, figures: Iterable[str], *, why: str = _ODD
) -> Iterator[Statement]:
    return (_statement(said, figure, None, at, why=why) for figure in figures)


def _counts(
    said: Said, part: Part, figure: str, at: Token, total: int | None
) -> Iterator[Statement]:
    if part.kind != "ok":
        yield _statement(said, figure, _value(part), at)
    if part.kind == "ok" or (part.kind == "app" and part.said.keys() & {*_SHARES}):
        yield _share(said, part, total)


def _answer(said: Said, part: Part) -> Statement:
    changed = vocabulary().words["changed"]
    at = next(token for token in part.row if changed.fullmatch(token.word))
    direction, of = _DIRECTIONS[part.kind], {name: one.value for name, one in part.said.items()}
    # Numbers of staff, `by # from # to #`, may say something else than the words.
    steps = [of["to"] - of["from"]] if "to" in of else []
    steps += [direction * of["by"]] if "by" in of else []
    turned = any((step > 0) - (step < 0) != direction for step in steps)
    why = _ODD if turned or len(set(map(abs, steps))) > 1 else ""
    return _statement(said, STAFFING, None if why else 1, at, why=why, answer=part.kind)


def _shares(part: Part) -> Counter[tuple[str, bool]]:
    """Return how many of a figure a part tells of, by what it says of them."""
    numbers = sum(one.value for one in part.row if one.word == NUMBER)
    about = speaks("subject", text_of(part.row))
    return Counter({(name, about): numbers for name in ("share", "left") if name in part.said})


def _fits(
    part: Part, spoken: Mapping[str, int | None], told: Mapping[tuple[str, bool], int]
) -> bool:
    """Return whether what a part sets beside what was spoken of last can be true of it.

    The `_shares` of the figure that were `told` before are others than those of the part.
    """
    value = next(reversed([*spoken.values()]), None)
    if "left" in part.said:
        value = (spoken.get("app") or 0) - (spoken.get("ok") or 0)
    if value is None:
        return True
    shares = [(one.value, one.percent, value) for one in part.row if one.percent]
    if "rate" in part.said and "ok" in spoken:
        shares.append((value, part.said["rate"].value, spoken.get("app") or 0))
    numbers = [one.value for one in part.row if one.word in {NUMBER, PERCENT}]
    return (
        all(abs(10_000 * one - share * whole) <= 100 * whole for one, share, whole in shares)
        and all(told.get(of, 0) + more <= value for of, more in _shares(part).items())
        and all(holds(value, numbers) for name, holds in _BESIDE.items() if name in part.said)
    )


def _share(said: Said, part: Part, total: int | None) -> Statement:
    """Return the approvals that a part makes of a total of applications."""
    name = next(name for name in _SHARES if name in part.said)
    token = part.said[name]
    values = {"none": 0, "ok": token.value}
    if total is not None:
        of_all = {"every": token.value, "both": 2, "one": 1, "all": total, "wholly": total}
        whole = {each: total for each, wanted in of_all.items() if wanted == total}
        values |= {"less": total - token.value, **whole}
    value = values.get(name, -1)
    rest = 0
    for match in vocabulary().words["not_approved"].finditer(said.words):
        first = said.words.count(" ", 0, match.start())
        rest += sum(t.value for t in said.tokens[first : first + match[0].count(" ") + 1])
    if value < 0 or (rest and total is not None and value + rest > total):
        return _statement(said, "ok", None, token, why=_ODD)
    return _statement(said, "ok", value, token)


def _tells_of(figure: str, text: str) -> bool:
    return all(speaks(topic, text) for topic in _TOPICS[figure])


def _told_of(said: Said) -> Iterator[Statement]:
    """Yield the figures that a sentence seems to tell of in words that are not all known."""
    text = said.words
    if speaks("foreign", text) and not speaks("ours", text):
        return
    counting = _A_TIME.sub("", text)
    amount, share = speaks("quantity", counting), speaks("some", counting)
    about = (*said.headings, *(each.words for each in said.back(MOST_BACK)))
    of_jobs = any(speaks("about_jobs", words) for words in about)
    near = text + (said.before.words if said.before else "")
    told = {figure: _tells_of(figure, text) for figure in _TOPICS}
    told["inv"] = told["inv"] and not told["med"]
    told["app"] = told["app"] and of_jobs
    told["ok"] = told["ok"] and of_jobs and "applications" in near
    quantity = vocabulary().words["quantity"]
    counts = (one for one in said.tokens if quantity.fullmatch(one.word))
    at = next(chain(counts, said.tokens), Token("", 0))
    for figure in _TOPICS:
        if told[figure] and (amount or (share and figure in {"ok", STAFFING})):
            yield _statement(said, figure, None, at, why=UNREAD)


def _statement(
    said: Said, figure: str, value: int | None, at: Token, *, why: str = "", answer: str = ""
) -> Statement:
    words = beginning(said.sentence.text)
    return Statement(figure, value, at.line, words, why=why, answer=answer)
