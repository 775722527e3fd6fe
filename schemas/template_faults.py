"""What a template file says that cannot be meant, each fault with the path of its key."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from schemas.measures import NOW, QUESTION
from schemas.rules.catalogue import rules
from schemas.toml_file import Fault, Loc

COVER: Final = {
    "template": "text", "template_version": "text", "collection": "text", "force_code": "text",
    "force_name": "text", "data_as_at": "date", "submitted_on": "date",
    "signed_off_by_role": "text", "basis": "answer",
}  # fmt: skip
"""What every return says of itself on the sheet `cover`, in the column `value`."""

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)*")
_LONGEST_SHEET_NAME: Final = 31
_MISSING: Final = ("not_held", "not_applicable")


RESERVED: Final = {
    "answer", "band", "basis", "breakdown", "cell", "column_code", "count", "force_code", "measure",
    "missing", "number", "period", "question", "receipt_id", "row_code", "sheet", "statistic",
    "unit", "value",
}  # fmt: skip
"""What columns beside the dimensions are called, so that no list can be."""


def template_faults(
    file: Mapping[str, Any], earlier: Mapping[str, Any] | None = None
) -> Iterator[Fault]:
    """Yield everything that is wrong in a template file whose keys are of the right types.

    Args:
        file: what the file says.
        earlier: what the file of the version before says; None where there is none.
    """
    lists, measures = file["lists"], file["measures"]
    yield from _codes(file)
    yield from _since(file, (earlier or {}).get("lists"))
    for name in RESERVED.intersection(lists):
        yield ("lists", name), f"a list cannot be called {name!r}: a column of the marts is"
    yield from _measures(lists, measures)
    for name, column in file["profile"].items():
        loc = ("profile", name)
        yield from _known((*loc, "measure"), "measure", column["measure"], measures)
        yield from _dims(loc, column["dims"], lists, asked=True)
    counted: dict[tuple[Any, ...], tuple[str, str, str]] = {}
    yield from _twice([(("sheet", i), sheet["name"]) for i, sheet in enumerate(file["sheet"])])
    for number, sheet in enumerate(file["sheet"]):
        yield from _sheet(("sheet", number), sheet, lists, measures, file["groups"], counted)
    yield from _cover(file["sheet"])
    yield from _nested(file["sheet"], counted)
    used = {cell[0] for cell in counted}
    for name in measures:
        if name not in used:
            yield ("measures", name), f"no cell of the sheets counts {name!r}; take it out"
    if file["disclosure"] is not None:
        yield from _protections(file["disclosure"], measures)


def _protections(said: Mapping[str, Any], measures: Mapping[str, Any]) -> Iterator[Fault]:
    """What nobody thought of must not become public: each measure is open or protected."""
    named = [*((("open", i), name) for i, name in enumerate(said["open"]))]
    named += [(("measures", name), name) for name in said["measures"]]
    for key, name in named:
        yield from _known(("disclosure", *key), "measure", name, measures)
    for name in measures:
        times = sum(other == name for _, other in named)
        if times != 1:
            yield (
                ("disclosure",),
                f"{name!r} must be named once, open or protected, not {times} times",
            )


def _codes(file: Mapping[str, Any]) -> Iterator[Fault]:
    lists = file["lists"]
    for name, codes in lists.items():
        for code in (name, *codes):
            if not _CODE.fullmatch(code):
                loc = ("lists", name) if code == name else ("lists", name, code)
                yield loc, f"{code!r} is no code: small letters, digits and _ only"
    for kind in ("groups", "since"):
        for name, codes in file[kind].items():
            yield from _known((kind, name), "list", name, lists)
            for code, of in codes.items() if name in lists else ():
                loc = (kind, name, code)
                if kind == "since":
                    yield from _known(loc, f"code of {name}", code, lists[name])
                else:
                    for one in of:
                        yield from _known(loc, f"code of {name}", one, lists[name])
                    if code in lists[name]:
                        yield loc, f"{code!r} is a code of {name} already; call the group otherwise"


def _since(file: Mapping[str, Any], earlier: Any) -> Iterator[Fault]:
    """Yield the codes that are said to be renamed, and were never in the version before."""
    before = f"{file['name']}-{file['version'] - 1}"
    for name, codes in file["since"].items():
        if not isinstance(earlier, Mapping):
            yield ("since", name), f"there is no {before}.toml whose codes could be renamed"
            continue
        then = earlier.get(name)
        for code, old in codes.items():
            if isinstance(then, Mapping):
                yield from _known(("since", name, code), f"code of {name} in {before}", old, then)
            else:
                yield ("since", name, code), f"there is no list {name!r} in {before}"


def _measures(lists: Mapping[str, Any], measures: Mapping[str, Any]) -> Iterator[Fault]:
    for name, measure in measures.items():
        loc = ("measures", name)
        if not _CODE.fullmatch(name):
            yield loc, f"{name!r} is no code: small letters, digits and _ only"
        named: list[tuple[Loc, Any]] = [
            *((("levels", i), level["by"]) for i, level in enumerate(measure["levels"])),
            *((("levels", i), [level["without"]]) for i, level in enumerate(measure["levels"])),
            (("crossed_by",), [measure["crossed_by"]]),
            (("change",), [measure["change"]]),
            *((("shares", i), share["by"]) for i, share in enumerate(measure["shares"])),
            *((("shares", i), share["within"]) for i, share in enumerate(measure["shares"])),
        ]
        for part, dims in named:
            for dim in dims:
                if dim is not None and dim != QUESTION:
                    yield from _known((*loc, *part), "list", dim, lists)
        yield from _of_levels(loc, measure)


def _of_levels(loc: Loc, measure: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what of a measure is not at its levels, or of a share not of its own whole."""
    for number, share in enumerate(measure["shares"]):
        for dim in set(share["within"]) - set(share["by"]):
            yield (*loc, "shares", number), f"{dim!r} is in within and must be in by as well"
    for number, level in enumerate(measure["levels"]):
        if measure["crossed_by"] in level["by"]:
            crossing = f"{measure['crossed_by']!r} crosses every level already; take it out here"
            yield (*loc, "levels", number), crossing
    levels = {frozenset(level["by"]) for level in measure["levels"]}
    for key in ("per_month", "per_force"):
        for level in measure[key]:
            if frozenset(level) not in levels:
                written = json.dumps(list(level))
                yield (*loc, key), f"{written} is none of the measure's levels; add it there"


def _dims(
    loc: Loc, dims: Mapping[str, str], lists: Mapping[str, Any], *, asked: bool = False
) -> Iterator[Fault]:
    for name, code in dims.items():
        if asked and name == QUESTION:
            continue
        yield from _known((*loc, "dims"), "list", name, lists)
        if name in lists:
            yield from _known((*loc, "dims"), f"code of {name}", code, lists[name])


def _sheet(
    loc: Loc,
    sheet: Mapping[str, Any],
    lists: Mapping[str, Any],
    measures: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Sequence[str]]],
    counted: dict[tuple[Any, ...], tuple[str, str, str]],
) -> Iterator[Fault]:
    name, columns = sheet["name"], sheet["columns"]
    if not _CODE.fullmatch(name) or len(name) > _LONGEST_SHEET_NAME:
        yield (*loc, "name"), f"{name!r} is no name: at most 31 small letters, digits and _"
    if not columns or not (sheet["rows"] or sheet["questions"]):
        yield loc, f"the sheet {name!r} has no cell: it needs columns, and rows or questions"
    lines = [
        *((("rows", i), row) for i, row in enumerate(sheet["rows"])),
        *((("questions", i), row) for i, row in enumerate(sheet["questions"])),
    ]
    heads = [(("columns", i), column) for i, column in enumerate(columns)]
    for group in (lines, heads):
        yield from _twice([((*loc, *key), line["code"]) for key, line in group])
        yield from _sums(loc, group)
        yield from _left_out(loc, group, sheet["measure"], groups)
    for key, line in (*lines, *heads):
        yield from _line((*loc, *key), line, lists, measures)
    for key, row in lines:
        for column in columns:
            yield from _cell((*loc, *key), sheet, row, column, measures, counted)
        if isinstance(row["missing"], dict):
            for code in row["missing"]:
                known = [column["code"] for column in columns]
                yield from _known((*loc, *key, "missing"), "column", code, known)


def _sums(loc: Loc, lines: Sequence[tuple[Loc, Mapping[str, Any]]]) -> Iterator[Fault]:
    of = {line["code"]: line["sum_of"] for _, line in lines}
    for key, line in lines:
        for part in line["sum_of"]:
            yield from _known((*loc, *key, "sum_of"), "row or column", part, of)
        if _reaches(line["code"], line["code"], of, set()):
            yield (*loc, *key, "sum_of"), f"{line['code']!r} is a part of itself"
        if len(set(line["sum_of"])) < len(line["sum_of"]):
            yield (*loc, *key, "sum_of"), "a part is named twice, and would be added twice"
        if line["rule"] and line["rule"] not in _rules_of_sums():
            said = f"there is no rule {line['rule']!r} of sums that a sum could be held to"
            yield (*loc, *key, "rule"), said
        if line["sum_of"] and (line["dims"] or line["measure"]):
            yield (*loc, *key), f"{line['code']!r} is a sum, which counts nothing; give it no dims"


def _rules_of_sums() -> set[str]:
    return {rule.id for rule in rules().values() if "sum" in rule.says}


def _left_out(
    loc: Loc,
    lines: Sequence[tuple[Loc, Mapping[str, Any]]],
    measure: str | None,
    groups: Mapping[str, Mapping[str, Sequence[str]]],
) -> Iterator[Fault]:
    """Yield the sums without a line that counts what all their parts count.

    A sum of some codes alone is meant where the template has a group of just these, and where a
    wider sum has the others too.
    """
    by_code = {line["code"]: line for _, line in lines}
    plain = [line for _, line in lines if not line["sum_of"]]
    added = [_parts(line["code"], by_code) for _, line in lines if line["sum_of"]]
    for key, line in lines:
        codes = _parts(line["code"], by_code) if line["sum_of"] else set()
        parts = [by_code[code] for code in codes]
        shared = set.intersection(*(set(_counts(part, measure)) for part in parts or [{}]))
        sound = by_code.keys() >= set(line["sum_of"]) and any(part["dims"] for part in parts)
        for other in plain if sound else ():
            if other["code"] in codes or not shared <= set(_counts(other, measure)):
                continue
            apart = {name for name in other["dims"] if (name, other["dims"][name]) not in shared}
            meant = not apart or any(codes | {other["code"]} <= wider for wider in added)
            meant |= any(
                {part["dims"].get(name) for part in parts} == set(members)
                for name in apart
                for members in groups.get(name, {}).values()
            )
            if not meant:
                yield (
                    (*loc, *key, "sum_of"),
                    f"{line['code']!r} leaves out {other['code']!r}, which counts what its parts"
                    " count: add it, or say in [groups] which codes are meant",
                )


def _parts(code: str, lines: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the lines that a sum adds up in the end."""
    found, left, seen = set[str](), [code], set[str]()
    while left:
        one = left.pop()
        if one in lines and one not in seen:
            seen.add(one)
            left += lines[one]["sum_of"]
            found |= set() if lines[one]["sum_of"] else {one}
    return found


def _counts(line: Mapping[str, Any], measure: str | None) -> Iterator[tuple[str, str | None]]:
    """Yield what a line counts: measure, period and codes."""
    if line:
        yield from (("measure", line["measure"] or measure), ("period", line["period"]))
        yield from line["dims"].items()


def _reaches(start: str, code: str, of: Mapping[str, Iterable[str]], seen: set[str]) -> bool:
    for part in of.get(code, ()):
        if part == start:
            return True
        if part not in seen:
            seen.add(part)
            if _reaches(start, part, of, seen):
                return True
    return False


def _line(
    loc: Loc, line: Mapping[str, Any], lists: Mapping[str, Any], measures: Mapping[str, Any]
) -> Iterator[Fault]:
    if not _CODE.fullmatch(line["code"]):
        yield loc, f"{line['code']!r} is no code: small letters, digits, _ and . only"
    yield from _dims(loc, line["dims"], lists)
    if line["measure"] is not None:
        yield from _known((*loc, "measure"), "measure", line["measure"], measures)
    if line["label"] is None and len(line["dims"]) != 1:
        yield loc, f"{line['code']!r} needs a label: there is not one code alone that words it"
    missing = line["missing"]
    for reasons in missing.values() if isinstance(missing, dict) else [missing]:
        for reason in reasons:
            yield from _known((*loc, "missing"), "reason", reason, _MISSING)


def _cell(
    loc: Loc,
    sheet: Mapping[str, Any],
    row: Mapping[str, Any],
    column: Mapping[str, Any],
    measures: Mapping[str, Any],
    counted: dict[tuple[Any, ...], tuple[str, str, str]],
) -> Iterator[Fault]:
    kind = row["kind"] or column["kind"] or sheet["kind"]
    if kind == "answer" and not row["answers"]:
        yield loc, f"{row['code']!r} is answered by a code; give its answers"
    if row["sum_of"] or column["sum_of"]:
        return
    asked = {QUESTION: row["code"]} if row in sheet["questions"] else {}
    both = [d for d, code in row["dims"].items() if column["dims"].get(d, code) != code]
    for dim in both:
        yield loc, f"its row and its column {column['code']!r} have another {dim}"
    measure = row["measure"] or column["measure"] or sheet["measure"]
    if measure not in measures:
        if row["dims"] or column["dims"]:
            yield loc, f"{row['code']!r} has dims and no measure; say what it counts"
        return
    if kind not in {"count", "answer"}:
        yield loc, f"{row['code']!r} counts {measure}, and is no count or answer but {kind}"
    dims = {**asked, **row["dims"], **column["dims"]}
    cell = (measure, row["period"], *sorted(dims.items()))
    here = (sheet["name"], row["code"], column["code"])
    if cell in counted:
        there = " ".join(counted[cell])
        yield loc, f"{row['code']!r} counts the same as {there}: it would be counted twice"
    counted.setdefault(cell, here)


def _nested(
    sheets: Iterable[Mapping[str, Any]], counted: Mapping[tuple[Any, ...], tuple[str, str, str]]
) -> Iterator[Fault]:
    """Yield the cells whose count holds that of another, which a total would add to it again."""
    rows = {
        (sheet["name"], row["code"]): ("sheet", i, "rows", j)
        for i, sheet in enumerate(sheets)
        for j, row in enumerate(sheet["rows"])
    }
    now = [
        (measure, set(dims), place)
        for (measure, period, *dims), place in counted.items()
        if period == NOW
    ]
    for measure, dims, (sheet, row, column) in now:
        part = next((p for m, d, p in now if m == measure and dims < d), None)
        if part and (sheet, row) in rows:
            yield (
                rows[sheet, row],
                f"what {row!r} counts in {column!r} holds what {' '.join(part)} counts, and a total"
                " would add both: mark it with sum_of, or give it a code of its own",
            )


def _cover(sheets: Iterable[Mapping[str, Any]]) -> Iterator[Fault]:
    number, cover = next(
        ((i, sheet) for i, sheet in enumerate(sheets) if sheet["name"] == "cover"), (0, None)
    )
    if cover is None:
        yield ("sheet",), "there is no sheet 'cover', on which a return says whose it is"
        return
    rows = {row["code"]: row["kind"] or cover["kind"] for row in cover["rows"]}
    for code, kind in COVER.items():
        if rows.get(code) != kind:
            yield ("sheet", number, "rows"), f"the cover needs a row {code!r} of kind {kind}"
    if [column["code"] for column in cover["columns"]] != ["value"]:
        yield ("sheet", number, "columns"), "the cover has one column, 'value'"


def _twice(codes: list[tuple[Loc, str]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for loc, code in codes:
        if code in seen:
            yield loc, f"{code!r} stands here twice"
        seen.add(code)


def _known(loc: Loc, what: str, name: str, known: Collection[str]) -> Iterator[Fault]:
    if name not in known:
        near = get_close_matches(name, known, 1)
        there = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
        yield loc, f"there is no {what} {name!r}{there}"


def periods(file: Mapping[str, Any]) -> Iterator[tuple[Loc, str]]:
    """Yield the periods beside the collection's own that cells are about, for it to date them."""
    for i, sheet in enumerate(file["sheet"]):
        for j, row in enumerate(sheet["rows"]):
            if row["period"] != NOW:
                yield ("sheet", i, "rows", j, "period"), row["period"]
