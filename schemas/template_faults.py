"""What a template file says that cannot be meant, each fault with the path of its key."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from schemas.measures import NOW, QUESTION
from schemas.rules.catalogue import rules
from schemas.template import HEADER_CODE, LABEL_CODE
from schemas.toml_file import Fault, Loc
from schemas.vocabulary import BASES

COVER: Final = {
    "template": "text", "template_version": "text", "collection": "text", "force_code": "text",
    "force_name": "text", "data_as_at": "date", "submitted_on": "date",
    "signed_off_by_role": "text", "basis": "answer",
}  # fmt: skip
"""What every return says of itself on the sheet `cover`, in the column `value`."""

RESERVED: Final = {
    "answer", "band", "basis", "breakdown", "cases", "cell", "column_code", "count", "force_code",
    "forces_included", "measure", "missing", "number", "period", "provisional", "question",
    "receipt_id", "row_code", "sheet", "statistic", "total", "unit", "value",
}  # fmt: skip
"""What columns beside the dimensions are called, so that no list can be."""

PROFILE: Final = {
    "force_code", "ons_code", "name", "region", "state", "basis", "social_media_cases",
    "social_media_basis",
}  # fmt: skip
"""What columns of every profile are called, so that none of a template's own can be."""

_OF_EVERY_COLLECTION: Final = ("reporting_bodies", "months_in_collection")
_OF_RESEARCH: Final = ("social_media_", "survey_")
"""What figures beside those of the returns are called, or how their names begin."""

_KEYS: Final = {
    "investigations": ({"category", "outcome"}, {"recipient", "media"}),
    "register_entries": ({"body", "kind", "decision"}, set[str]()),
}
"""Measures that have a mart of their name: by which lists each row is counted, or may be."""

_SHOWN: Final = {
    "investigations": ("investigations", "cases"),
    "register_entries": ("register_entries", "entries"),
    "second_job_applications": ("second_jobs", "count"),
    "second_job_approvals_in_breach": ("second_jobs", "count"),
}
"""Measures whose entries stand in a public mart of their own: the mart and its column."""

_RESEARCHED: Final = ("social_media",)

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)*")
_LONGEST_SHEET_NAME: Final = 31
_MISSING: Final = ("not_held", "not_applicable")

Line = Mapping[str, Any]
Lines = Sequence[tuple[Loc, Line]]
"""Rows or columns of a sheet as the file has them, each with the keys that lead to it."""


def template_faults(file: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> Iterator[Fault]:
    """Yield everything that is wrong in a template file whose keys are of the right types.

    Args:
        file: what the file says.
        earlier: what the file of the version before says; None where there is none.
    """
    yield from _Examined(file).faults((earlier or {}).get("lists"))


class _Examined:
    """A template file while it is examined; `counted` has each cell by what it counts."""

    def __init__(self, file: Mapping[str, Any]) -> None:
        self.file = file
        self.lists: Mapping[str, Mapping[str, str]] = file["lists"]
        self.measures: Mapping[str, Mapping[str, Any]] = file["measures"]
        self.counted: dict[tuple[Any, ...], tuple[Loc, str]] = {}

    def faults(self, earlier: Any) -> Iterator[Fault]:
        """Yield everything that is wrong."""
        yield from self._codes()
        yield from self._since(earlier)
        for name, measure in self.measures.items():
            yield from self._measure(("measures", name), name, measure)
        said: dict[str, str] = {}
        for name, column in self.file["profile"].items():
            if (same := said.setdefault(json.dumps(column, sort_keys=True), name)) != name:
                yield ("profile", name), f"{name!r} says the same as {same!r}; take one out"
            if name in PROFILE or not _CODE.fullmatch(name):
                yield ("profile", name), f"a column cannot be called {name!r}; call it otherwise"
        sheets = self.file["sheet"]
        yield from _twice([(("sheet", i), sheet["name"]) for i, sheet in enumerate(sheets)])
        for number, sheet in enumerate(sheets):
            yield from self._sheet(("sheet", number), sheet)
        asked = [(("sheet", i, "questions", n), question["code"])
                 for i, sheet in enumerate(sheets)
                 for n, question in enumerate(sheet["questions"])]  # fmt: skip
        yield from _twice(asked)
        yield from _cover(sheets)
        yield from self._nested()
        yield from self._named_alike()
        yield from self._figures()
        for name, measure in self.measures.items():
            yield from self._as_counted(name, measure)
        for name in self.measures.keys() - {cell[0] for cell in self.counted}:
            yield ("measures", name), f"no cell of the sheets counts {name!r}; take it out"
        if self.file["disclosure"] is not None:
            yield from self._protections(self.file["disclosure"])

    def _protections(self, said: Mapping[str, Any]) -> Iterator[Fault]:
        """What nobody thought of must not become public: each measure is open or protected."""
        named: list[tuple[Loc, str]] = [
            *((("open", i), name) for i, name in enumerate(said["open"])),
            *((("measures", name), name) for name in said["measures"]),
        ]
        for key, name in named:
            yield from _known(("disclosure", *key), "measure", name, self.measures)
        for i, name in enumerate(said["research"]):
            yield from _known(("disclosure", "research", i), "research", name, _RESEARCHED)
        for name, protected in said["measures"].items():
            shown = protected["mart"], protected["value"]
            if shown not in {(None, None), _SHOWN.get(name)}:
                none = f"no mart shows {name!r} so; take mart and value out"
                yield ("disclosure", "measures", name), none
        for name in self.measures:
            times = sum(other == name for _, other in named)
            if times != 1:
                once = f"{name!r} must be named once, open or protected, not {times} times"
                yield ("disclosure",), once

    def _codes(self) -> Iterator[Fault]:
        for name, codes in self.lists.items():
            yield from _name(("lists", name), name)
            for code, label in codes.items():
                yield from _code(("lists", name, code), code)
                if not label.strip():
                    yield ("lists", name, code), f"{code!r} has an empty label; word it"
            if name in RESERVED:
                said = f"a list cannot be called {name!r}: a column of the marts is"
                yield ("lists", name), said
        for name, groups in self.file["groups"].items():
            yield from _known(("groups", name), "list", name, self.lists)
            for code, members in groups.items() if name in self.lists else ():
                loc = ("groups", name, code)
                yield from _code(loc, code)
                yield from _twice([(loc, one) for one in members])
                if not members:
                    yield loc, f"{code!r} stands for no code; name those that it stands for"
                for one in members:
                    yield from _known(loc, f"code of {name}", one, self.lists[name])
                if code in self.lists[name]:
                    yield loc, f"{code!r} is a code of {name} already; call the group otherwise"

    def _since(self, earlier: Any) -> Iterator[Fault]:
        """Yield the codes that are not there, or were never in the version before."""
        before = f"{self.file['name']}-{self.file['version'] - 1}"
        for name, codes in self.file["since"].items():
            yield from _known(("since", name), "list", name, self.lists)
            if not isinstance(earlier, Mapping):
                yield ("since", name), f"there is no {before}.toml whose codes could be renamed"
                continue
            then = earlier.get(name)
            for code, old in codes.items():
                loc = ("since", name, code)
                if name in self.lists:
                    yield from _known(loc, f"code of {name}", code, self.lists[name])
                if isinstance(then, Mapping):
                    yield from _known(loc, f"code of {name} in {before}", old, then)
                else:
                    yield loc, f"there is no list {name!r} in {before}"

    def _measure(self, loc: Loc, name: str, measure: Mapping[str, Any]) -> Iterator[Fault]:
        """Yield what of a measure is in no list, or of a share not of its own whole."""
        yield from _name(loc, name)
        yield from self._levels(loc, measure)
        if measure["change"] == QUESTION:
            yield (*loc, "change"), f"there is no change along {QUESTION!r}; name a list"
        named: list[tuple[Loc, Any]] = [(("crossed_by",), [measure["crossed_by"]]),
                                        (("change",), [measure["change"]])]  # fmt: skip
        for i, level in enumerate(measure["levels"]):
            named.append((("levels", i), [*level["by"], level["without"]]))
        for i, share in enumerate(measure["shares"]):
            named.append((("shares", i), [*share["by"], *share["within"]]))
            for dim in set(share["within"]) - set(share["by"]):
                yield (*loc, "shares", i), f"{dim!r} is in within and must be in by as well"
            for key in ("by", "within"):
                yield from _twice([((*loc, "shares", i), dim) for dim in share[key]])
        for part, dims in named:
            for dim in dict.fromkeys(dims):
                if dim is not None and dim != QUESTION:
                    yield from _known((*loc, *part), "list", dim, self.lists)

    def _figures(self) -> Iterator[Fault]:
        """Yield what of a figure named in the file is not known, or that no cell counts it."""
        figures: list[tuple[Loc, Mapping[str, Any]]] = [
            *((("profile", name), column) for name, column in self.file["profile"].items()),
            *((("measures", name, "within"), measure["within"])
              for name, measure in self.measures.items() if measure["within"]),
        ]  # fmt: skip
        for loc, figure in figures:
            of, dims = (figure["measure"], figure["period"]), figure["dims"]
            yield from _known((*loc, "measure"), "measure", of[0], self.measures)
            yield from self._dims(loc, {dim: one for dim, one in dims.items() if dim != QUESTION})
            if not any(c[:2] == of and dims.items() <= dict(c[2:]).items() for c in self.counted):
                yield loc, "no cell of the sheets counts this; take it out, or name what one counts"

    def _as_counted(self, name: str, said: Mapping[str, Any]) -> Iterator[Fault]:
        """Yield what the cells of a measure do not give: two ends of a change, keys of a mart."""
        along = said["change"]
        cells = [
            (dict(dims), at)
            for (measure, period, *dims), (at, _) in self.counted.items()
            if (measure, period) == (name, NOW)
        ]
        if along in self.lists and len({dims.get(along) for dims, _ in cells} - {None}) < 2:
            few = f"{name!r} is counted at no two codes of {along!r}: there is no change along it"
            yield ("measures", name, "change"), few
        questions = sum(QUESTION in dims for dims, _ in cells)
        if 0 < questions < len(cells):
            both = f"{name!r} is asked by questions and counted by rows; give each its own"
            yield ("measures", name), both
        if said["statistics"] and len(cells) > 1:
            many = f"{name!r} is counted in {len(cells)} cells; statistics are of one that each has"
            yield ("measures", name, "statistics"), many
        if name in _KEYS:
            always, also = _KEYS[name]
            at = next(
                (at for dims, at in cells if not always <= dims.keys() <= always | also), None
            )
            if at is not None:
                keys = " and ".join(sorted(always))
                yield at, f"the mart {name!r} counts by {keys}; call the measure otherwise"

    def _named_alike(self) -> Iterator[Fault]:
        """Yield the figures derived of a measure that are called as others are."""
        whose: dict[str, tuple[Any, ...]] = {name: (name,) for name in self.measures}
        whose |= dict.fromkeys(_OF_EVERY_COLLECTION, ())
        asked = {cell[0] for cell in self.counted if QUESTION in dict(cell[2:])}
        whose |= {f"{name}_share": (name, "questions") for name in asked}
        for name, measure in self.measures.items():
            if name in _OF_EVERY_COLLECTION or name.startswith(_OF_RESEARCH):
                yield ("measures", name), f"figures of other sources are called {name!r} already"
            named: list[tuple[Loc, str, tuple[str, ...]]] = [
                (("shares", i), share["name"] or f"{name}_share", tuple(sorted(share["by"])))
                for i, share in enumerate(measure["shares"])
            ]
            derived = {"per_month": f"{name}_per_month", "per_force": f"{name}_per_force",
                       "change": f"{name}_change"}  # fmt: skip
            named += [((key,), called, ()) for key, called in derived.items() if measure[key]]
            if measure["per_force"]:
                named.append((("per_force",), f"forces_with_{name}", ()))
            seen: set[tuple[str, tuple[str, ...]]] = set()
            for key, called, by in named:
                if (
                    whose.setdefault(called, (name, key[0])) != (name, key[0])
                    or (called, by) in seen
                ):
                    said = f"there are figures called {called!r} already; give other names"
                    yield ("measures", name, *key), said
                seen.add((called, by))

    def _levels(self, loc: Loc, measure: Mapping[str, Any]) -> Iterator[Fault]:
        levels, crossed = measure["levels"], measure["crossed_by"]
        for i, level in enumerate(levels):
            if crossed in level["by"]:
                crosses = f"{crossed!r} crosses every level already; take it out here"
                yield (*loc, "levels", i), crosses
        by = [tuple(sorted(level["by"])) for level in levels]
        for key, given in (("levels", by), *((k, measure[k]) for k in ("per_month", "per_force"))):
            named = [json.dumps(sorted(dims)) for dims in given]
            yield from _twice([((*loc, key, i), dims) for i, dims in enumerate(named)])
            for i, dims in enumerate(given):
                yield from _twice([((*loc, key, i), dim) for dim in dims])
        yield from _twice(
            [((*loc, "statistics", i), s) for i, s in enumerate(measure["statistics"])]
        )
        for key in ("per_month", "per_force"):
            for dims in measure[key]:
                if set(dims) not in [set(level["by"]) for level in levels]:
                    none = f"{json.dumps(list(dims))} is none of the measure's levels; add it there"
                    yield (*loc, key), none

    def _dims(self, loc: Loc, dims: Mapping[str, str]) -> Iterator[Fault]:
        for name, code in dims.items():
            yield from _known((*loc, "dims"), "list", name, self.lists)
            if name in self.lists:
                yield from _known((*loc, "dims"), f"code of {name}", code, self.lists[name])

    def _sheet(self, loc: Loc, sheet: Mapping[str, Any]) -> Iterator[Fault]:
        name = sheet["name"]
        if not _CODE.fullmatch(name) or len(name) > _LONGEST_SHEET_NAME:
            yield (*loc, "name"), f"{name!r} is no name: at most 31 small letters, digits and _"
        columns, rows, questions = (
            [((*loc, kind, i), line) for i, line in enumerate(sheet[kind])]
            for kind in ("columns", "rows", "questions")
        )
        if not columns or not (rows or questions):
            yield loc, f"the sheet {name!r} has no cell: it needs columns, and rows or questions"
        if name == "history":
            yield (*loc, "name"), "Excel keeps the name 'history' for itself; call it otherwise"
        codes = [column["code"] for _, column in columns]
        for at, column in columns:
            if column["code"] in {HEADER_CODE, LABEL_CODE}:
                yield at, f"a column cannot be called {column['code']!r}: the first two are"
        for lines in ([*rows, *questions], columns):
            yield from _twice([(at, line["code"]) for at, line in lines])
            yield from _sums(lines)
            yield from self._left_out(lines, sheet["measure"])
            for at, line in lines:
                yield from self._line(at, line, codes)
        for at, row in (*rows, *questions):
            for _, column in columns:
                yield from self._cell(at, sheet, row, column)

    def _line(self, loc: Loc, line: Line, columns: Collection[str]) -> Iterator[Fault]:
        if not _CODE.fullmatch(line["code"]):
            yield loc, f"{line['code']!r} is no code: small letters, digits, _ and . only"
        yield from self._dims(loc, line["dims"])
        if line["label"] is not None and not line["label"].strip():
            yield loc, f"{line['code']!r} has an empty label; word it"
        yield from _twice([((*loc, "answers"), answer) for answer in line["answers"]])
        for answer in line["answers"]:
            yield from _code((*loc, "answers"), answer)
        if line["measure"] is not None:
            yield from _known((*loc, "measure"), "measure", line["measure"], self.measures)
        if line["label"] is None and len(line["dims"]) != 1:
            yield loc, f"{line['code']!r} needs a label: there is not one code alone that words it"
        missing = line["missing"]
        by_column = missing if isinstance(missing, dict) else {}
        for code in by_column:
            yield from _known((*loc, "missing"), "column", code, columns)
        for reasons in by_column.values() if isinstance(missing, dict) else [missing]:
            for reason in reasons:
                yield from _known((*loc, "missing"), "reason", reason, _MISSING)

    def _cell(self, loc: Loc, sheet: Line, row: Line, column: Line) -> Iterator[Fault]:
        code, kind = row["code"], row["kind"] or column["kind"] or sheet["kind"]
        if row in sheet["questions"] and (kind, row["period"]) != ("answer", NOW):
            of = f"of kind {kind} and period {row['period']}"
            own = "it must be of kind answer, and of the collection's own period"
            yield loc, f"{code!r} is a question, {of}; {own}"
        if kind == "answer" and not row["answers"]:
            yield loc, f"{code!r} is answered by a code; give its answers"
        if row["sum_of"] or column["sum_of"]:
            return
        for dim, one in row["dims"].items():
            if column["dims"].get(dim, one) != one:
                yield loc, f"its row and its column {column['code']!r} have another {dim}"
        measure = row["measure"] or column["measure"] or sheet["measure"]
        if measure not in self.measures:
            if row["dims"] or column["dims"]:
                yield loc, f"{code!r} has dims and no measure; say what it counts"
            return
        if kind not in {"count", "answer"}:
            yield loc, f"{code!r} counts {measure}, and is no count or answer but {kind}"
        asked = {QUESTION: code} if row in sheet["questions"] else {}
        dims = {**asked, **row["dims"], **column["dims"]}
        cell = (measure, row["period"], *sorted(dims.items()))
        if cell in self.counted:
            there = self.counted[cell][1]
            yield loc, f"{code!r} counts the same as {there}: it would be counted twice"
        self.counted.setdefault(cell, (loc, f"{sheet['name']} {code} {column['code']}"))

    def _nested(self) -> Iterator[Fault]:
        """Yield the cells whose count holds that of another, which a total would add again."""
        now = [
            (measure, set(dims), *place)
            for (measure, period, *dims), place in self.counted.items()
            if period == NOW
        ]
        for measure, dims, loc, cell in now:
            part = next((place for m, d, _, place in now if m == measure and dims < d), None)
            if part and "rows" in loc:
                _, row, column = cell.split()
                yield (
                    loc,
                    f"what {row!r} counts in {column!r} holds what {part} counts, and a total"
                    " would add both: mark it with sum_of, or give it a code of its own",
                )

    def _left_out(self, lines: Lines, measure: str | None) -> Iterator[Fault]:
        """Yield the sums without a line that counts what all their parts count.

        A sum of some codes alone is meant where the template has a group of just these, and where
        a wider sum has the others too.
        """
        by_code = {line["code"]: line for _, line in lines}
        sums = [(at, line, _parts(line["code"], by_code)) for at, line in lines if line["sum_of"]]
        for at, line, codes in sums:
            parts = [by_code[code] for code in codes]
            if not by_code.keys() >= set(line["sum_of"]) or not any(p["dims"] for p in parts):
                continue
            shared = set.intersection(*(_counts(part, measure) for part in parts))
            for code, other in by_code.items():
                counts = _counts(other, measure)
                if other["sum_of"] or code in codes or not shared < counts:
                    continue
                meant = any(codes | {code} <= wider for *_, wider in sums) or any(
                    {part["dims"].get(name) for part in parts} == set(members)
                    for name, _ in counts - shared
                    for members in self.file["groups"].get(name, {}).values()
                )
                if not meant:
                    yield (
                        (*at, "sum_of"),
                        f"{line['code']!r} leaves out {code!r}, which counts what its parts count:"
                        " add it, or say in [groups] which codes are meant",
                    )


def _name(loc: Loc, name: str) -> Iterator[Fault]:
    if not _NAME.fullmatch(name):
        yield loc, f"{name!r} is no name: a small letter, then small letters, digits and _ only"


def _code(loc: Loc, name: str) -> Iterator[Fault]:
    if not _CODE.fullmatch(name):
        yield loc, f"{name!r} is no code: small letters, digits and _ only"


def _sums(lines: Lines) -> Iterator[Fault]:
    by_code = {line["code"]: line for _, line in lines}
    of_sums = {rule.id for rule in rules().values() if "sum" in rule.says}
    for at, line in lines:
        code, parts = line["code"], line["sum_of"]
        for part in parts:
            yield from _known((*at, "sum_of"), "row or column", part, by_code)
        if any(code in _within(part, by_code) for part in parts):
            yield (*at, "sum_of"), f"{code!r} is a part of itself"
        if len(set(parts)) < len(parts):
            yield (*at, "sum_of"), "a part is named twice, and would be added twice"
        if line["rule"] and line["rule"] not in of_sums:
            said = f"there is no rule {line['rule']!r} of sums that a sum could be held to"
            yield (*at, "rule"), said
        if parts and (line["dims"] or line["measure"]):
            yield at, f"{code!r} is a sum, which counts nothing; give it no dims"


def _within(code: str, lines: Mapping[str, Line]) -> set[str]:
    """Return a line and all that it adds up, by their codes."""
    found, left = set[str](), [code]
    while left:
        one = left.pop()
        if one in lines and one not in found:
            found.add(one)
            left += lines[one]["sum_of"]
    return found


def _parts(code: str, lines: Mapping[str, Line]) -> set[str]:
    """Return the lines that a sum adds up in the end."""
    return {one for one in _within(code, lines) if not lines[one]["sum_of"]}


def _counts(line: Line, measure: str | None) -> set[tuple[str, str | None]]:
    """Return what a line counts: measure, period and codes."""
    of = {("measure", line["measure"] or measure), ("period", line["period"])}
    return of | set(line["dims"].items())


def _cover(sheets: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    found = ((i, sheet) for i, sheet in enumerate(sheets) if sheet["name"] == "cover")
    number, cover = next(found, (0, None))
    if cover is None:
        yield ("sheet",), "there is no sheet 'cover', on which a return says whose it is"
        return
    rows = {row["code"]: row["kind"] or cover["kind"] for row in cover["rows"]}
    for code, kind in COVER.items():
        if rows.get(code) != kind:
            yield ("sheet", number, "rows"), f"the cover needs a row {code!r} of kind {kind}"
    for row in cover["rows"]:
        if row["code"] == "basis" and not set(row["answers"]) <= set(BASES):
            yield ("sheet", number, "rows"), f"'basis' has no answers but {', '.join(BASES)}"
        if row["locked"] and COVER.get(row["code"]) == "date":
            yield ("sheet", number, "rows"), f"{row['code']!r} is for the sender: it is not locked"
    if [column["code"] for column in cover["columns"]] != ["value"]:
        yield ("sheet", number, "columns"), "the cover has one column, 'value'"


def _twice(codes: Iterable[tuple[Loc, str]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for loc, code in codes:
        if code in seen:
            yield loc, f"{code!r} stands here twice"
        seen.add(code)


def _known(loc: Loc, what: str, name: str, known: Collection[str]) -> Iterator[Fault]:
    if name not in known:
        near = get_close_matches(name, known, 1)
        there = (
            f"; did you mean {near[0]!r}?"
            if near
            else f"; there are {', '.join(known) or 'none at all'}"
        )
        yield loc, f"there is no {what} {name!r}{there}"
