"""Names in a template: what may be called what, what stands once, and what a name must be of.

Which, template_names.toml says, by patterns that find parts of a file.
"""

import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from schemas.faults import Fault, Unsure, known, twice
from schemas.measures import QUESTION
from schemas.toml_lines import Loc

RESEARCHED: Final = ("social_media",)
_MISSING: Final = ("not_held", "not_applicable")

_LINE: Final = "sheet.*.columns|rows|questions.*"
_CODE: Final = r"[a-z0-9][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)*"
_NAMES: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _form(shape: Mapping[str, Any]) -> str:
    """Return the form of a name, as template_names.toml describes it."""
    but, form = shape.get("but", ()), shape.get("form", ".*").replace("CODE", _CODE)
    kept = _NAMES[but] if isinstance(but, str) else but
    return rf"(?!({'|'.join(kept)})$){form}" if kept else form


def parts(of: Any, pattern: str) -> list[tuple[Loc, Any]]:
    """Return the parts of a file that a pattern finds, each after the keys that lead to it."""
    found: list[tuple[Loc, Any]] = [((), of)]
    for head in pattern.replace("LINE", _LINE).split("."):
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
    for shape in _NAMES["shapes"]:
        for loc, name in parts(file, shape["of"]):
            if not re.fullmatch(_form(shape), name, re.DOTALL):
                yield loc, shape["said"].format(name)
                unsure |= {loc} if "answers" in loc else set()
    for pattern in _NAMES["once"]:
        for loc, names in parts(file, pattern):
            yield from twice([((*loc, i), _written(name)) for i, name in enumerate(names)])
    for loc, names in parts(file, "LINE.sum_of"):
        if len(set(names)) < len(names):
            yield loc, "a part is named twice, and would be added twice"
    for pattern in _NAMES["apart"]:
        yield from twice(parts(file, pattern))
    for name in file["lists"]:  # labels: of two that are one nobody could tell which is meant
        yield from twice(parts(file, f"lists.{name}.*"))
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
    yield from named("list", _NAMES["lists"], lists, [QUESTION])
    for name, codes in lists.items():
        yield from named(f"code of {name}", [each.format(name) for each in _NAMES["codes"]], codes)
    yield from named("measure", _NAMES["measures"], file["measures"])
    yield from named("research", ["disclosure.research.*"], RESEARCHED)
    yield from named("reason", ["LINE.missing.*.*"], _MISSING)
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
        yield from twice([(("since", name, code), old) for code, old in codes.items()])
        for code, old in codes.items():
            if not isinstance(then, Mapping):
                yield ("since", name, code), f"there is no list {name!r} in {before}"
            elif old not in then:
                yield ("since", name, code), known(f"code of {name} in {before}", old, then)
