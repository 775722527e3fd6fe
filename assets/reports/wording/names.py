"""Finds the names of police forces in a text, longest first, in the spellings reports use.

Belongs here: names and their variants. Does not: which of them the report is about
(force_name.py).
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from schemas import reference

UNLISTED: Final = ""
"""Stands for the code of a force or police body that is not one of the 44."""

_OTHER_SPELLINGS: Final = {
    "BTP": ("BTP",),
    "COL": ("CoLP",),
    "GMP": ("GMP",),
    "MPS": ("MPS", "the Met", "Met Police"),
    "TVP": ("TVP",),
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


@dataclass(frozen=True)
class Name:
    """A force's name at `text[start:end]`; `code` is UNLISTED for a body that is no such force."""

    start: int
    end: int
    code: str


def find_names(text: str, *, any_case: bool = False) -> list[Name]:
    """Return the forces named in a text, in order; `any_case` for titles set in capitals."""
    pattern, codes = _listed()
    found = [
        Name(match.start(), match.end(), _code(codes[_key(match["name"])], text, match.end()))
        for match in pattern.finditer(text)
        if any_case or _is_capitalised(match["name"])
    ]
    taken = {place for name in found for place in range(name.start, name.end)}
    found += [
        Name(match.start(), match.end(), UNLISTED)
        for match in _UNLISTED.finditer(text)
        if taken.isdisjoint(range(match.start(), match.end()))
    ]
    return sorted(found, key=lambda name: name.start)


def _code(code: str, text: str, end: int) -> str:
    return UNLISTED if _NOT_THE_FORCE.match(text, end) else code


def _is_capitalised(name: str) -> bool:
    if _SPELLED_CASE.fullmatch(name):
        return True
    plain = [word for word in re.split(r"[ &-]+", name) if word not in {"and", "of", "the"}]
    return all(word[:1].isupper() for word in plain) and len(name) > 3


def _key(name: str) -> str:
    return " ".join(name.lower().replace("&", " and ").replace("-", " ").split())


@cache
def _listed() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of every listed name, and the force code of each spelling."""
    codes: dict[str, str] = {}
    for code, short, full in (
        reference.forces().select("force_code", "short_name", "full_name").rows()
    ):
        for spelling in (short, full, *_OTHER_SPELLINGS.get(code, ())):
            codes[_key(spelling)] = code
    names = "|".join(
        "[ -]+".join("(?:and|&)" if word == "and" else re.escape(word) for word in key.split())
        for key in sorted(codes, key=len, reverse=True)
    )
    return re.compile(rf"\b(?P<name>{names})\b{_KIND}", re.IGNORECASE), codes
