"""Names in a template: what may be called what, what stands once, and what a name must be of.

A pattern such as `measures.*.levels.*.by` finds parts of a file: `*` is any key or place, `#` the
keys themselves, and `a|b` either.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from schemas.faults import Fault, Unsure, known, twice
from schemas.measures import QUESTION
from schemas.template import HEADER_CODE, LABEL_CODE
from schemas.toml_lines import Loc

RESERVED: Final = {
    "answer", "band", "basis", "breakdown", "cases", "cell", "column_code", "count", "force_code",
    "forces_expected", "forces_included", "is_total", "measure", "missing", "number", "period",
    "provisional", "question", "receipt_id", "row_code", "sheet", "statistic", "symbol", "total",
    "unit", "value",
}  # fmt: skip
"""What columns beside the dimensions are called, so that no list can be."""

PROFILE: Final = {
    "force_code", "ons_code", "name", "region", "state", "basis", "social_media_cases",
    "social_media_basis",
}  # fmt: skip
"""What columns of every profile are called, so that none of a template's own can be."""

RESEARCHED: Final = ("social_media",)
_MISSING: Final = ("not_held", "not_applicable")

_LINE: Final = "sheet.*.columns|rows|questions.*"
_CODE: Final = r"[a-z0-9][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)*"


def _but(names: Collection[str], form: str = ".*") -> str:
    return rf"(?!({'|'.join(names)})$){form}"


_SHAPES: Final = (
    ("lists|measures.#", "[a-z][a-z0-9_]*",
     "{!r} is no name: a small letter, then small letters, digits and _ only"),
    ("lists|groups.*.#", _CODE, "{!r} is no code: small letters, digits and _ only"),
    (f"{_LINE}.answers.*", _CODE, "{!r} is no code: small letters, digits and _ only"),
    (f"{_LINE}.code", _CODE, "{!r} is no code: small letters, digits, _ and . only"),
    ("sheet.*.name", rf"(?=.{{1,31}}$){_CODE}",
     "{!r} is no name: at most 31 small letters, digits and _"),
    ("sheet.*.name", _but(["history"]),
     "Excel keeps the name {!r} for itself; call it otherwise"),
    ("lists.#", _but(RESERVED), "a list cannot be called {!r}: a column of the marts is"),
    ("profile.#", _but(PROFILE, _CODE), "a column cannot be called {!r}; call it otherwise"),
    ("sheet.*.columns.*.code", _but([HEADER_CODE, LABEL_CODE]),
     "a column cannot be called {!r}: the first two are"),
    (f"{_LINE}.dims.#", _but([QUESTION]), "there is no list {!r}"),
    ("lists.*.*", r".*\S.*", "has an empty label; word it"),
    *((where, r".*\S.*", "is empty; word it") for where in ("measures.*.unit", "sheet.*.title")),
    (f"{_LINE}.label", r".*\S.*", "has an empty label; word it"),
)  # fmt: skip
"""Which names must be of which form, and what is said of one that is not."""

_ONCE: Final = (
    "measures.*.levels|per_month|per_force|statistics", "measures.*.levels.*.by",
    "measures.*.per_month|per_force.*", "measures.*.shares.*.by|within", "groups.*.*",
    f"{_LINE}.answers",
)  # fmt: skip
"""Lists of which each element stands once."""

_APART: Final = ("sheet.*.name", "sheet.*.questions.*.code")
"""Names that tell things of the whole file apart."""

_LISTS: Final = (
    "groups|since.#", f"{_LINE}.dims.#", "measures.*.crossed_by|change",
    "measures.*.levels.*.by.*", "measures.*.levels.*.without", "measures.*.shares.*.by|within.*",
    "measures.*.within.dims.#", "profile.*.dims.#",
)  # fmt: skip
_CODES: Final = ("groups.{}.*.*", "since.{}.#", "profile.*.dims.{}", "measures.*.within.dims.{}",
                 f"{_LINE}.dims.{{}}")  # fmt: skip
_MEASURES: Final = (
    "disclosure.open.*", "disclosure.measures.#", "profile.*.measure", "measures.*.within.measure",
    "sheet.*.measure", f"{_LINE}.measure", "cases.measure", "rules.*.measures.*",
)  # fmt: skip
"""Where the names of lists, codes and measures stand."""


def parts(of: Any, pattern: str) -> list[tuple[Loc, Any]]:
    """Return the parts of a file that a pattern finds, each after the keys that lead to it."""
    found: list[tuple[Loc, Any]] = [((), of)]
    for head in pattern.split("."):
        found = [((*loc, key), part) for loc, of in found for key, part in _below(of, head)]
    return [each for each in found if each[1] is not None]


def _below(of: Any, head: str) -> Iterable[tuple[str | int, Any]]:
    if isinstance(of, list):
        return enumerate(of) if head == "*" else [(int(head), of[int(head)])]
    if not isinstance(of, dict):
        return ()
    if head == "#":
        return zip(of, of, strict=True)
    names = of if head == "*" else [name for name in head.split("|") if name in of]
    return [(name, of[name]) for name in names]


def name_faults(file: dict[str, Any], unsure: Unsure) -> Iterator[Fault]:
    """Yield what is wrong with names; the file is mended where it is plain what is meant."""
    for pattern, form, said in _SHAPES:
        for loc, name in parts(file, pattern):
            if not re.fullmatch(form, name, re.DOTALL):
                yield loc, said.format(name)
                unsure |= {loc} if "answers" in loc else set()
    for pattern in _ONCE:
        for loc, names in parts(file, pattern):
            yield from twice([((*loc, i), _written(name)) for i, name in enumerate(names)])
    for loc, names in parts(file, f"{_LINE}.sum_of"):
        if len(set(names)) < len(names):
            yield loc, "a part is named twice, and would be added twice"
    for pattern in _APART:
        yield from twice(parts(file, pattern))
    yield from _groups(file)
    yield from _references(file, unsure)


def _groups(file: Mapping[str, Any]) -> Iterator[Fault]:
    for (_, name, code), members in parts(file, "groups.*.*"):
        if not members:
            yield ("groups", name, code), f"{code!r} stands for no code; name those that it is for"
        if code in file["lists"].get(name, {}):
            said = f"{code!r} is a code of {name} already; call the group otherwise"
            yield ("groups", name, code), said


def _written(name: Any) -> str:
    """Return a name, or the names of a level in one order."""
    by = name["by"] if isinstance(name, dict) else name
    return by if isinstance(by, str) else json.dumps(sorted(by))


def _references(file: dict[str, Any], unsure: Unsure) -> Iterator[Fault]:
    """Yield each name of something that is not there, once."""
    lists, named = file["lists"], _Named(file, unsure)
    yield from named("list", _LISTS, lists, [QUESTION])
    for name, codes in lists.items():
        yield from named(f"code of {name}", [each.format(name) for each in _CODES], codes)
    yield from named("measure", _MEASURES, file["measures"])
    yield from named("research", ["disclosure.research.*"], RESEARCHED)
    yield from named("reason", [f"{_LINE}.missing.*.*"], _MISSING)
    for number, sheet in enumerate(file["sheet"]):
        columns = [column["code"] for column in sheet["columns"]]
        rows = [row["code"] for row in (*sheet["rows"], *sheet["questions"])]
        missing = f"sheet.{number}.columns|rows|questions.*.missing.#"
        yield from named("column", [missing], columns, ["*"])
        for lines, codes in (("columns", columns), ("rows|questions", rows)):
            parts_of = f"sheet.{number}.{lines}.*.sum_of|unheld.*"
            yield from named("row or column", [parts_of], codes)


class _Named:
    """Finds names that are not there, and puts those in their place that are meant."""

    def __init__(self, file: dict[str, Any], unsure: Unsure) -> None:
        self.file, self.unsure = file, unsure

    def __call__(
        self, what: str, patterns: Sequence[str], there: Collection[str], also: Sequence[str] = ()
    ) -> Iterator[Fault]:
        wrong: dict[str, list[tuple[Loc, bool]]] = {}
        for pattern in patterns:
            for loc, name in parts(self.file, pattern):
                if name not in there and name not in also and not self.unsure.has(*_plain(loc)):
                    wrong.setdefault(name, []).append((loc, pattern.endswith("#")))
        for name, places in wrong.items():
            near = next(iter(get_close_matches(name, there, 1)), None)
            for loc, is_key in places:
                self._put(loc, near, is_key=is_key)
            self.unsure.names.add(name)
            if len(set(there)) == len(there):  # else it is the one that has another's name
                count = f" ({len(places)} places name it)" if len(places) > 1 else ""
                yield _plain(places[0][0]), f"{known(what, name, there)}{count}"

    def _put(self, loc: Loc, near: str | None, *, is_key: bool) -> None:
        *keys, last = loc
        parent: Any = self.file
        for key in keys:
            parent = parent[key]
        if near is None:
            self.unsure.add(_plain(loc))
        elif is_key:
            parent[near] = parent.pop(last)
        else:
            parent[last] = near


def _plain(loc: Loc) -> Loc:
    """Return a place as people write it: reasons in all columns have no column before them."""
    return loc[: loc.index("*")] if "*" in loc else loc


def since_faults(file: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> Iterator[Fault]:
    """Yield the codes renamed that the version before, of which `earlier` are the lists, has not.

    None in place of the lists where there is no such version.
    """
    before = f"{file['name']}-{file['version'] - 1}"
    for name, codes in file["since"].items():
        if earlier is None:
            yield ("since", name), f"there is no {before}.toml whose codes could be renamed"
            continue
        then = earlier.get(name)
        for code, old in codes.items():
            if not isinstance(then, Mapping):
                yield ("since", name, code), f"there is no list {name!r} in {before}"
            elif old not in then:
                yield ("since", name, code), known(f"code of {name} in {before}", old, then)
