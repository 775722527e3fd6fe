"""Cuts a sentence into parts and finds the frame of the vocabulary that covers each of them.

One word in no frame leaves the sentence uncovered.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from assets.inputs.reports.signs import (
    PERIOD,
    SINCE_BEFORE,
    TIMES,
    Token,
    frames_of,
    speaks,
)

ANSWERS: Final = ("unchanged", "increased", "decreased")
CORES: Final = ("inv", "med", "soc", "app", "ok_alone", *ANSWERS)
BESIDE: Final = frozenset({"aside", "elsewhere", "time", "other"})
"""Kinds of parts that say nothing of our figures."""

_SETS_SUBJECT: Final = frozenset({*CORES, "elsewhere"})
CUTS: Final = frozenset(",;:()-")
_MOST_PARTS: Final = 14
_MOST_WORDS: Final = 400
"""More are a table or damaged text, in which words stand together by accident."""
_LONGEST_PART: Final = 6
_JOINS: Final = frozenset({"and", "while", "whereas"})
_NO_TIME: Final = re.compile(r"(?<!\S)(?:(?:in|during|for|over) )?(?:¬|†)(?!\S)")
_FOREIGN: Final = re.compile(
    r"(?<!\S)(?:(?:in|at) ¶|¶(?: 's)?|nationally(?: ,)?|(?:most |all |other )?forces)(?!\S)"
)

Row = tuple[Token, ...]


@dataclass(frozen=True)
class Part:
    """Tokens that a frame of a kind covers.

    `said` has the token that each group of the frame begins with, `times` the periods among them.
    """

    kind: str
    row: Row = ()
    said: Mapping[str, Token] = field(default_factory=dict)
    times: frozenset[str] = frozenset()


def text_of(row: Sequence[Token]) -> str:
    """Return the words and signs of a row, one space between them."""
    return " ".join(token.word for token in row)


def cover(row: Row) -> list[Part] | None:
    """Return the parts that cover a row of tokens, None where a word is in no frame.

    What interrupts it in brackets or dashes may be taken out, where that is about something else.
    """
    parts = _covered(row)
    words = [token.word for token in row]
    for opening, closing in (("(", ")"), ("-", "-")):
        if parts is None and opening in words:
            start = words.index(opening)
            if closing in words[start + 1 :]:
                end = words.index(closing, start + 1)
                aside = _covered(row[start + 1 : end]) or [Part("")]
                # A name alone says whose the rest is.
                if end > start + 2 and all(part.kind in BESIDE for part in aside):
                    parts = _covered(row[:start] + row[end + 1 :])
    return parts


def _covered(row: Row) -> list[Part] | None:
    spans = _spans(row)
    if not spans or len(spans) > _MOST_PARTS or len(row) > _MOST_WORDS:
        return None

    @cache
    def rest(place: int, outer: str, last: str) -> tuple[Part, ...] | None:
        if place == len(spans):
            return ()
        if spans[place][2] == 0:
            last = outer if place and spans[place - 1][2] else last
        # The longest part first, so that a frame with a comma in it goes before a shorter one.
        for end in range(min(place + _LONGEST_PART, len(spans)), place, -1):
            inside = spans[end - 1][2]
            for part in _kinds(row[spans[place][0] : spans[end - 1][1]], last):
                now = part.kind if part.kind in _SETS_SUBJECT else last
                follows = rest(end, outer if inside else now, now)
                if follows is not None:
                    return (part, *follows)
        return None

    found = rest(0, "", "")
    return None if found is None else list(found)


def _spans(row: Row) -> list[tuple[int, int, int]]:
    """Return start, end and depth in brackets of what stands between cuts; [] if those are odd."""
    spans, start, depth = [], 0, 0
    for place, token in enumerate((*row, Token(",", 0))):
        if token.word in CUTS:
            if place > start:
                spans.append((start, place, depth))
            depth += {"(": 1, ")": -1}.get(token.word, 0)
            start = place + 1
    return [] if depth else spans


def _kinds(row: Row, last: str) -> Iterator[Part]:
    """Yield what a part can be, after a part of which `last` is the subject."""
    times = frozenset(token.word for token in row) & TIMES
    row = _without_times(row)
    if not row:
        yield Part("time", times=times)
        return
    if row[0].word in _JOINS and len(row) > 1:
        yield from _framed(row[1:], last, times)
    yield from _framed(row, last, times)


def _framed(row: Row, last: str, times: frozenset[str]) -> Iterator[Part]:
    text = text_of(row)
    for kind in CORES:
        is_other = SINCE_BEFORE in times and kind not in (*ANSWERS, "soc")
        for match in frames_of(kind, text):
            yield Part("elsewhere" if is_other else kind, row, _said(match, row), times)
    for kind, subject in (("ok", "app"), ("med_part", "inv")):
        for match in frames_of(kind, text) if last in {subject, "elsewhere"} else ():
            yield Part(kind if last == subject else "other", row, _said(match, row), times)
    for match in itertools.islice(frames_of("aside", text), 1):
        yield Part("aside", row, _said(match, row), times)
    if last == "elsewhere" and not times and any(frames_of("elsewhere", text)):
        yield Part("other", row, times=times)
    names = (speaks("elsewhere", text) and PERIOD not in times) or speaks("foreign", text)
    if names and speaks("quantity", text):  # without one it says whose the other parts are
        for _ in _elsewhere(text):
            yield Part("elsewhere", row, times=times)


def _said(match: re.Match[str], row: Row) -> dict[str, Token]:
    places = {name: match.start(name) for name, said in match.groupdict().items() if said}
    return {
        name.rpartition("_")[0]: row[match.string.count(" ", 0, at + (match.string[at] == " "))]
        for name, at in reversed(places.items())
    }


def _elsewhere(text: str) -> Iterator[object]:
    """Yield how a part tells of another force, the nation or another time as ours is told of."""
    foreign = speaks("foreign", text)
    if foreign and speaks("ours", text):
        return
    yield from frames_of("elsewhere" if foreign else "other_time", text)
    untimed = " ".join(_NO_TIME.sub("", text).split()).removeprefix(", ").removesuffix(" ,")
    for ours_instead in ("£", ""):
        told = " ".join(_FOREIGN.sub(ours_instead, untimed).split()).removeprefix(", ")
        if told != text:
            for kind in (*CORES, "ok"):
                yield from frames_of(kind, told)


def _without_times(row: Row) -> Row:
    """Return a row without its periods, and without the commas that set them off."""
    kept: list[Token] = []
    after_time = False
    for place, token in enumerate(row):
        if token.word in TIMES:
            ends = place + 1 == len(row) or row[place + 1].word == ","
            set_off = bool(kept) and kept[-1].word == "," and ends
            after_time = set_off or not kept
            if set_off:
                kept.pop()
        else:
            if token.word != "," or not after_time:
                kept.append(token)
            after_time = False
    return tuple(kept)
