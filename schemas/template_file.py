"""Reads templates/<name>-<version>.toml, and holds it to what a template must say."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import SetupError
from schemas.faults import (
    DescriptionError,
    Fault,
    Unsure,
    examined,
    known,
    read_toml,
    refuse_other,
    unshown,
)
from schemas.measure_faults import measure_faults
from schemas.measures import NOW, QUESTION, Line, SheetLines, TemplateFile
from schemas.reference import OURS, beside
from schemas.rules.catalogue import KINDS, RuleUse, rules
from schemas.template import Column, Entry, Row, Sheet, Template
from schemas.template_faults import Sheets, within
from schemas.template_names import name_faults, parts, since_faults
from schemas.toml_lines import Loc
from schemas.wording import listed


def load_template(name: str, root: Path = OURS, *, sound: bool = False) -> Template:
    """Read one template, such as `returns-1`, of a folder of collections or else of our own.

    Args:
        name: the template.
        root: the folder of collections.
        sound: whether it has been found to be: then it is not held to the rules of today.

    Raises:
        SetupError: there is no such file, or it does not say what a template must say.
    """
    return read_template(beside(root, "templates", f"{name}.toml"), sound=sound)


def template_files(root: Path = OURS) -> list[Path]:
    """Return the template files of a folder of collections, and our own."""
    folders = dict.fromkeys((root / "templates", OURS / "templates"))
    return [path for folder in folders for path in sorted(folder.glob("*.toml"))]


@cache
def read_template(path: Path, *, sound: bool = False) -> Template:
    """Read a template file; one found to be `sound` before is not held to the rules of today.

    Raises:
        SetupError: it cannot be read, or does not say what a template must say.
    """
    data, text = read_toml(path)
    refuse_other(path, data, "template")
    file, faults, unsure = examined(TemplateFile, data)
    if file:
        named = file.model_dump(mode="json")
        if not sound:
            faults += [*unshown(data), *_loose(data)]
            faults += name_faults(named, unsure)
            if not unsure.has("version"):
                faults += since_faults(named, _version_before(path, file))
            told = TemplateFile.model_validate(named)
        file = TemplateFile.model_validate(_in_order(named))
    if file and not unsure.has("name") and path.stem != f"{file.name}-{file.version}":
        faults.append((("name",), f"the file of {file.name}-{file.version} must be called so"))
    template = _template(file, path) if file and not (faults and sound) else None
    if template and not sound:
        sheets = Sheets(told, template, unsure)
        faults += unsure.new([*sheets.faults(), *measure_faults(sheets)])
        faults += unsure.new(_rule_faults(template, unsure))
    if faults or template is None:
        # A sum or a rule that is held to none may be meant to be held to any.
        unsure |= {("rules",) for loc, _ in faults if loc and loc[-1] in {"id", "use", "rule"}}
        raise DescriptionError(path, text, "template", faults, template, unsure)
    return template


def _loose(data: dict[str, Any]) -> Iterator[Fault]:
    """Yield what was taken for a number or for yes, and is another value."""
    for pattern, kind, said in (
        ("version", int, "must be a whole number"),
        ("LINE.locked", bool, "must be true or false"),
        ("rules.*.unheld", bool, "must be true or false"),
    ):
        yield from ((loc, said) for loc, value in parts(data, pattern) if type(value) is not kind)


def _in_order(said: dict[str, Any]) -> dict[str, Any]:
    """Put dimensions of levels and figures in the order of the lists; leave out what is none."""
    order = dict.fromkeys((QUESTION, *said["lists"]))
    for pattern in ("*.levels|shares.*.by|within", "*.per_month|per_force.*"):
        for _, names in parts(said["measures"], pattern):
            names[:] = [name for name in order if name in names]
    for pattern in ("profile.*.dims", "measures.*.within.dims"):
        for _, dims in parts(said, pattern):
            dims |= {name: dims.pop(name) for name in order if name in dims}
    return said


def _version_before(path: Path, file: TemplateFile) -> Mapping[str, Any] | None:
    """Return the lists of the version before, None where there is none."""
    before = beside(path.parent.parent, path.parent.name, f"{file.name}-{file.version - 1}.toml")
    try:
        lists = read_toml(before)[0].get("lists")
    except SetupError:  # what cannot be read is told there
        told = {name: dict.fromkeys(of.values()) for name, of in file.since.items()}
        return told if before.exists() else None
    return lists if isinstance(lists, dict) else None


def _template(file: TemplateFile, path: Path) -> Template:
    same: dict[str, Any] = {name: getattr(file, name) for name in TemplateFile.model_fields}
    sheets = tuple(_sheet(sheet, file.lists) for sheet in same.pop("sheet"))
    return Template(**same, sheets=sheets, path=path)


def _rule_faults(template: Template, unsure: Unsure) -> Iterator[Fault]:
    """Yield the rules that are not in the catalogue, or read a cell that is not there."""
    absent: dict[tuple[str, ...], list[tuple[Loc, str]]] = {}
    for number, use in enumerate(template.rules):
        where: Loc = ("rules", number)
        uses = {rule.id: [*rule.says.keys() & KINDS.keys()] for rule in rules().values()}
        if not uses.get(use.id):
            those = [
                name for name, of in uses.items() if use.use in of or (of and use.use not in KINDS)
            ]
            said = f"there is no rule {use.id!r} for the use {use.use!r}; there are"
            yield (*where, "id"), f"{said} {', '.join(those)}"
            continue
        if use.use not in uses[use.id]:
            yield (*where, "use"), known(f"use of rule {use.id}", use.use, sorted(uses[use.id]))
            continue
        if use.sheet and use.sheet not in [sheet.name for sheet in template.sheets]:
            said = f"rule {use.id} names {use.sheet!r}, which the template has not"
            absent.setdefault((use.sheet,), []).append(((*where, "sheet"), said))
        for key, cell in use.cells:
            if not template.places(cell) and not unsure.names & {*cell.split("/")}:
                said = f"rule {use.id} reads {cell}, which is no cell of the template"
                absent.setdefault(_absent(cell, template), []).append(((*where, *key), said))
        for key, said in (*_rates(use, template), *_use_faults(use, template)):
            yield (*where, *key), said
    for named, places in absent.items():
        if _is_none(named, template):
            count = f" ({len(places)} places name {'/'.join(named)})" if len(places) > 1 else ""
            yield places[0][0], f"{places[0][1]}{count}"


def _is_none(named: tuple[str, ...], template: Template) -> bool:
    """Whether nothing is meant by a name: where two beside it are called the same, one may be."""
    of = [sheet for sheet in template.sheets if sheet.name == named[0]][:1]
    beside = (
        [sheet.name for sheet in template.sheets],
        [row.code for sheet in of for row in sheet.rows],
        [column for sheet in of for column in sheet.columns],
    )[min(len(named), 3) - 1]
    return len({*beside}) == len(beside)


def _rates(use: RuleUse, template: Template) -> Iterator[tuple[Loc, str]]:
    """Yield the cells of which a rule asks for a monthly rate that they cannot have."""
    stocks = {name for name, measure in template.measures.items() if measure.kind == "stock"}
    for key, cell in use.cells if use.use in {"rate", "ratios"} else ():
        now = [p for p in template.places(cell) if template.entry_at[p].period == NOW]
        if key[0] == "other" and now:
            yield key, f"{cell} asks about no earlier period; `use` change"
        leaves = (template.leaves.get(place, (place,)) for place in template.places(cell))
        if stocks & {template.entry_at[leaf].measure for each in leaves for leaf in each}:
            yield key, f"{cell} is a number at a date, which has no monthly rate; `use` change"


def _use_faults(use: RuleUse, template: Template) -> Iterator[tuple[Loc, str]]:
    """Yield what is wrong in the use of a rule beside its cells, after the keys there."""
    rule = rules()[use.id]
    asked: list[tuple[Loc, str, str]] = [
        (("where", cell), cell, answer) for cell, answer in use.where.items()
    ]
    asked += [(("answer",), cell, use.answer) for cell in use.at if use.answer]
    for at, cell, answer in asked:
        given = [a for place in template.places(cell) for a in template.entry_at[place].answers]
        if given and answer not in given:
            yield at, known(f"answer to {cell}", answer, dict.fromkeys(given))
    for lacking in use.lacks:
        yield (), f"rule {use.id} lacks {lacking}, which {use.use!r} reads"
    asked_of = [place for cell in use.where for place in template.places(cell)]
    if len(asked_of) > 1:
        yield ("where",), f"rule {use.id} asks one question, not {len(asked_of)}"
    counted = {str(e.measure) for e in template.counted() if e.sheet == use.sheet}
    has_cells = use.sheet in {entry.sheet for entry in template.entries()}
    if use.sheet and use.use != "counted":
        yield ("sheet",), f"{use.use!r} reads cells, not a sheet; take it out"
    elif has_cells and use.measures and counted.isdisjoint(use.measures):
        yield ("measures",), f"{use.sheet} counts none of these but {listed(sorted(counted))}"
    for word in sorted({*use.words} - {*rule.words}):
        there = listed(rule.words)
        yield ("words", word), f"{word!r} is no word in the message of {use.id}; its words: {there}"
    if use.fewest and use.fewest not in rule.limits:
        there = listed(rule.limits)
        said = f"fewest = {use.fewest!r} is no limit of {use.id}; its limits: {there}"
        yield ("fewest",), said


def _absent(cell: str, template: Template) -> tuple[str, ...]:
    """Return as much of a cell's name as is none: its sheet, its row or column, or all of it."""
    named = tuple(cell.split("/"))
    parts = (*(named[:n] for n in range(1, len(named))), (named[0], "*", named[-1]))
    none = (part for part in parts if not template.places("/".join((*part, "*")[:3])))
    return next(none, named)


def _sheet(sheet: SheetLines, lists: dict[str, dict[str, str]]) -> Sheet:
    asked = (line.model_copy(update={"dims": {QUESTION: line.code}}) for line in sheet.questions)
    rows = tuple(
        Row.model_construct(
            **said, entries=tuple(_entry(sheet, line, column, lists) for column in sheet.columns)
        )
        for line, said in _built((*sheet.rows, *asked), lists)
    )
    heads = tuple(Column.model_construct(**said) for _, said in _built(sheet.columns, lists))
    return Sheet(sheet.name, sheet.title, sheet.instructions, heads, rows)


def _built(
    lines: Sequence[Line], lists: dict[str, dict[str, str]]
) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Yield rows or columns, each with what it says: its label, else that of its code in a list.

    A sum adds up no line that is not there, nor itself.
    """
    sums = {line.code: line.sum_of for line in lines}
    for line in lines:
        sound = (one for one in line.sum_of if one in sums and line.code not in within(one, sums))
        sums[line.code] = tuple(sound)
        dimension, code = next(iter(line.dims.items()), ("", line.code))
        label = lists.get(dimension, {}).get(code, code) if line.label is None else line.label
        yield line, {**dict(line), "label": label, "sum_of": sums[line.code]}


def _entry(sheet: SheetLines, row: Line, column: Line, lists: dict[str, dict[str, str]]) -> Entry:
    is_sum = bool(row.sum_of or column.sum_of)
    dims = {**row.dims, **column.dims}
    order = [QUESTION, *lists]
    return Entry(
        sheet.name,
        row.code,
        column.code,
        row.kind or column.kind or sheet.kind,
        row.answers,
        row.missing_in(column.code) or column.missing_in(column.code),
        row.locked,
        None if is_sum else row.measure or column.measure or sheet.measure,
        {} if is_sum else {name: dims[name] for name in order if name in dims},
        column.period if row.period == NOW else row.period,
    )
