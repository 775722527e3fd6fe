"""Finds the names of forces, and which a report is about; a mention in its body never decides."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import Final, NamedTuple

from assets.intake.reader import forces_by_name, plain_name

UNLISTED: Final = ""
"""Stands for the code of a force or police body that is not one of the 44."""

_OTHER_SPELLINGS: Final = {
    "BTP": "BTP",
    "CoLP": "COL",
    "GMP": "GMP",
    "TVP": "TVP",
    **dict.fromkeys(("MPS", "the Met", "Met Police"), "MPS"),
}
_KIND: Final = r"(?: (?:Police Service|Police Force|Police|Constabulary))?"
_SPELLED_CASE: Final = re.compile(r"(?:the )?(?:Met|BTP|CoLP|GMP|MPS|TVP)")
_NOT_THE_FORCE: Final = re.compile(
    r" (?:Police )?(?:Authority|(?:County |City |Borough )?Council|University|Fire|Probation"
    r"|Federation|Crown|Magistrates|and Crime|PCC)\b"
)
_UNLISTED: Final = re.compile(
    r"\b(?!(?:The|Chief|Local|Revisiting|National|Independent|Improving|Inspecting|New|British"
    r"|Deputy|Crime|Senior|Some|Many|Most|All|Several|Neighbouring|Every|Each|Any|No|Both) )"
    r"[A-Z][a-z]+(?:[ -][A-Z][a-z]+)* (?:Police|Constabulary)"
    r"\b(?! (?:and Crime|Authorit|Officers|Complaints|Federation|Relationships|Improvement|Staff))"
    r"|\bPolice S(?:cotland|ervice of [A-Z][a-z]+(?: [A-Z][a-z]+)?)|\bPSNI\b"
)


class Name(NamedTuple):
    """A force's name at `text[start:end]`; `code` is UNLISTED for a body that is no such force."""

    start: int
    end: int
    code: str


def find_names(text: str, *, any_case: bool = False) -> list[Name]:
    """Return the forces named in a text, in order; `any_case` for titles set in capitals."""
    pattern, codes = _listed()
    found = []
    for match in pattern.finditer(text):
        if any_case or _is_capitalised(match["name"]):
            is_other = _NOT_THE_FORCE.match(text, match.end())
            code = UNLISTED if is_other else codes[plain_name(match["name"])]
            found.append(Name(*match.span(), code))
    taken = {place for name in found for place in range(name.start, name.end)}
    found += [
        Name(*match.span(), UNLISTED)
        for match in _UNLISTED.finditer(text)
        if taken.isdisjoint(range(match.start(), match.end()))
    ]
    return sorted(found)


def _is_capitalised(name: str) -> bool:
    if _SPELLED_CASE.fullmatch(name):
        return True
    plain = [word for word in re.split(r"[ &-]+", name) if word not in {"and", "of", "the"}]
    return all(word[:1].isupper() for word in plain) and len(name) > 3


@cache
def _listed() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of every listed name, and the force code of each spelling."""
    codes = forces_by_name() | {plain_name(name): c for name, c in _OTHER_SPELLINGS.items()}
    names = "|".join(
        "[ -]+".join("(?:and|&)" if word == "and" else re.escape(word) for word in key.split())
        for key in sorted(codes, key=len, reverse=True)
    )
    return re.compile(rf"\b(?P<name>{names})\b{_KIND}", re.IGNORECASE), codes


_FINDINGS: Final = re.compile(
    r"(?:[\d.]+ )?(?:our |key |main |HMIC's )?findings (?:for|in|on|about|at|from) (?P<named>.+)",
    re.IGNORECASE,
)
_UNKNOWN_NAME: Final = re.compile(r"(?:the )?[A-Z][\w-]+(?: (?:and|&|of|[A-Z][\w-]+))*")
_FINDINGS_BEGIN: Final = re.compile(r"(?:[\d.]+ )?(?:our |key |main |HMIC's )?findings\b", re.I)
_BODY_BEGINS: Final = re.compile(r"(?:[\d.]+ )?(?:about this re(?:view|port)|introduction)", re.I)
_TITLE_WORDS: Final = re.compile(
    r"\b(?:revisit(?:ing|ed)|police|constabulary|service|relationships|progress|reports?|force|hmic"
    r"|inspection|review|december|\d{4}|an?|and|for|in|of|on|the|to)\b|[\W_]+",
    re.IGNORECASE,
)
_TITLE_PROPER: Final = re.compile(
    r"\b(?:revisit\w+|relationships|progress|report|december)\b", re.I
)
_HEADING_MARK: Final = re.compile(r"^[#■□▪ ]+")
_ENDED: Final = re.compile(r"[.?!:][\"')]*$")
_PROSE_WORDS: Final = 12
_MOST_LINES: Final = 6
"""A title or heading is set on at most so many lines."""


class ForceFound(NamedTuple):
    """`force_code` and no problem, or None and the reason; `findings_line` is 0 without heading."""

    force_code: str | None
    problem: str | None
    findings_line: int


def find_force(lines: list[str]) -> ForceFound:
    """Return the force that title and heading agree on, from the cleaned lines of a report.

    Either of the two is enough where the other names nobody.
    """
    lines = [_HEADING_MARK.sub("", line) for line in lines]
    headings = list(_findings_headings(lines))
    line = headings[0][0] if headings else 0
    in_heading = {code for _, codes in headings for code in codes}
    in_title = _title_codes(lines, before=line)
    code, problem = _agreed(in_title, in_heading)
    return ForceFound(code, problem, line)


def _agreed(title: set[str], heading: set[str]) -> tuple[str | None, str | None]:
    check = "Check that the file is one force's report, and state the force yourself."
    named = title | heading
    if not named:
        return None, (
            "No force is named in a title ('X Police, December 2012') or in a heading "
            f"'Findings for X'. {check}"
        )
    if named == {UNLISTED}:
        return None, f"Title or heading names a body that is not one of the 44 forces. {check}"
    if len(named) > 1:
        listed = [", ".join(sorted(codes - {UNLISTED})) or "none" for codes in (title, heading)]
        return None, (
            f"The title and the heading 'Findings for ...' do not name one and the same force "
            f"(title: {listed[0]}; heading: {listed[1]}). {check}"
        )
    return named.pop(), None


def _codes_if_title(text: str) -> set[str] | None:
    """Return the forces in a text that says no more than a title does, else None."""
    names = find_names(text, any_case=True)
    rest = text
    for name in reversed(names):
        rest = rest[: name.start] + " " + rest[name.end :]
    rest = re.sub(r"\([A-Z]{2,5}\)", "", rest)
    return None if _TITLE_WORDS.sub("", rest) else {name.code for name in names}


def _joined(lines: list[str], start: int) -> Iterator[tuple[int, str]]:
    """Yield the line at `start`, then it with one, two ... more lines, up to a blank one."""
    text = ""
    for count, line in enumerate(lines[start : start + _MOST_LINES]):
        if not line:
            return
        text = f"{text} {line}".strip() if not text.endswith("-") else text + line
        yield start + count + 1, text


def _findings_headings(lines: list[str]) -> Iterator[tuple[int, set[str]]]:
    """Yield the last line of each heading `Findings for X` and the forces it names."""
    for start, first in enumerate(lines):
        if not _FINDINGS_BEGIN.match(first) or not _may_start(lines, start):
            continue
        for end, text in _joined(lines, start):
            heading = _FINDINGS.fullmatch(text)
            if heading is None or not _may_end(lines, end):
                continue
            codes = _codes_if_title(heading["named"])
            stands_alone = not "".join(lines[end : end + 1])
            if codes is None and stands_alone and _UNKNOWN_NAME.fullmatch(heading["named"]):
                codes = {UNLISTED}
            if codes or (codes is not None and stands_alone):
                yield end, codes
                break


def _may_start(lines: list[str], start: int) -> bool:
    """Return whether a line is not the middle of a wrapped sentence."""
    before = lines[start - 1] if start else ""
    return not before or _ENDED.search(before) is not None


def _may_end(lines: list[str], end: int) -> bool:
    follows = lines[end] if end < len(lines) else ""
    return not lines[end - 1].endswith((".", ",", ";", ":")) and not follows[:1].islower()


def _title_codes(lines: list[str], before: int) -> set[str]:
    """Return the forces named on the title page: above the body and on lines of their own."""
    end = next(
        (
            number
            for number in range(len(lines))
            if any(_BODY_BEGINS.fullmatch(text) for _, text in _joined(lines, number))
        ),
        before - 1 if before else None,
    )
    codes: set[str] = set()
    place, follows_title = 0, True
    while place < (len(lines) if end is None else end):
        stop, found = _title_at(lines, place, follows_title)
        paragraph = takewhile(bool, lines[place : place + _PROSE_WORDS])
        words = sum(len(line.split()) for line in paragraph)
        if found is None and end is None and words >= _PROSE_WORDS:
            break
        codes |= found or set()
        follows_title = found is not None
        place = stop
    return codes


def _title_at(lines: list[str], start: int, follows_title: bool) -> tuple[int, set[str] | None]:
    """Return the line to look at next, and the forces named if a title starts at `start`."""
    for stop, text in _joined(lines, start):
        found = _codes_if_title(text)
        if found is None or not _may_end(lines, stop):
            continue
        proper = _TITLE_PROPER.search(text) is not None
        if proper or (found and (follows_title or _may_start(lines, start))):
            return stop, found
    return start + 1, None
