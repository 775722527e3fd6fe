"""Reads templates/<name>-<version>.toml, and holds it to what a template must say."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from schemas.errors import SetupError
from schemas.measures import NOW, QUESTION, Data, Figure, Measure, Protections
from schemas.reference import OURS, beside
from schemas.rules.catalogue import RuleUse, rules
from schemas.template import CaseRows, Column, Entry, Kind, Row, Sheet, Template
from schemas.template_faults import template_faults
from schemas.toml_file import DescriptionError, Fault, Loc, of_library, read_toml
from schemas.wording import listed


class _Line(Data):
    """A row or a column as the file has it."""

    code: str
    label: str | None = None
    kind: Kind | None = None
    measure: str | None = None
    dims: dict[str, str] = Field(default_factory=dict)
    period: str = NOW
    sum_of: tuple[str, ...] = ()
    rule: str = ""
    named: str = ""
    unheld: tuple[str, ...] = ()
    check: str = ""
    answers: tuple[str, ...] = ()
    missing: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    locked: bool = False
    area: str = ""

    def missing_in(self, column: str) -> tuple[str, ...]:
        """Return the reasons accepted in place of a value, where they differ by column there."""
        return self.missing.get(column, ()) if isinstance(self.missing, dict) else self.missing


class _Sheet(Data):
    name: str
    title: str
    instructions: tuple[str, ...]
    kind: Kind = "text"
    measure: str | None = None
    columns: tuple[_Line, ...]
    rows: tuple[_Line, ...] = ()
    questions: tuple[_Line, ...] = ()


class _File(Data):
    name: str
    version: int
    lists: dict[str, dict[str, str]]
    groups: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    since: dict[str, dict[str, str]] = Field(default_factory=dict)
    measures: dict[str, Measure]
    profile: dict[str, Figure] = Field(default_factory=dict)
    cases: CaseRows | None = None
    disclosure: Protections | None = None
    sheet: tuple[_Sheet, ...]
    rules: tuple[RuleUse, ...] = ()


def load_template(name: str, root: Path = OURS, *, released: bool = False) -> Template:
    """Read one template, such as `returns-1`, of a folder of collections or else of our own.

    Args:
        name: the template.
        root: the folder of collections.
        released: whether a release keeps it: then it is held to no rule of today.

    Raises:
        SetupError: there is no such file, or it does not say what a template must say.
    """
    return read_template(beside(root, "templates", f"{name}.toml"), released=released)


def template_files(root: Path = OURS) -> list[Path]:
    """Return the template files of a folder of collections, and our own."""
    folders = dict.fromkeys((root / "templates", OURS / "templates"))
    return [path for folder in folders for path in sorted(folder.glob("*.toml"))]


@cache
def read_template(path: Path, *, released: bool = False) -> Template:
    """Read a template file; one that a release keeps is held to no rule of today.

    Raises:
        SetupError: it cannot be read, or does not say what a template must say.
    """
    data, text = read_toml(path)
    faults: list[Fault] = []
    try:
        file = _File.model_validate(data)
        faults = []
        if not released:
            earlier = _version_before(path, file)
            faults = list(template_faults(file.model_dump(), earlier))
        if path.stem != f"{file.name}-{file.version}":
            faults.append((("name",), f"the file of {file.name}-{file.version} must be called so"))
    except ValidationError as error:
        faults = list(of_library(error))
    if not faults:
        template = _template(file, path)
        faults = [] if released else list(_rule_faults(template))
    if faults:
        raise DescriptionError(path, text, "template", faults)
    return template


def _version_before(path: Path, file: _File) -> dict[str, Any] | None:
    """Return what the file of the version before says, whatever that is; None without one."""
    name = f"{file.name}-{file.version - 1}.toml"
    try:
        return read_toml(beside(path.parent.parent, path.parent.name, name))[0]
    except SetupError:
        return None


def _template(file: _File, path: Path) -> Template:
    same: dict[str, Any] = {name: getattr(file, name) for name in _File.model_fields}
    sheets = tuple(_sheet(sheet, file.lists) for sheet in same.pop("sheet"))
    measures = {n: m.ordered([QUESTION, *file.lists]) for n, m in same.pop("measures").items()}
    return Template(**same, measures=measures, sheets=sheets, path=path)


def _rule_faults(template: Template) -> Iterator[Fault]:
    """Yield the rules that are not in the catalogue, or read a cell that is not there."""
    for number, use in enumerate(template.rules):
        where = "rules", number
        if use.id not in rules() or use.use not in rules()[use.id].says:
            said = f"there is no rule {use.id!r} for the use {use.use!r} in schemas/rules/"
            yield (*where, "id"), said
            continue
        for key, said in _cell_faults(use, template):
            yield (*where, *key), said
        for what, name in _unknown(use, template):
            yield (*where, what), f"rule {use.id} names {name!r}, which the template has not"
        for lacking in use.lacks:
            yield where, f"rule {use.id} lacks {lacking}, which {use.use!r} reads"
        for word in sorted({*use.words} - {*rules()[use.id].words}):
            there = listed(rules()[use.id].words)
            said = f"{word!r} is no word in the message of {use.id}; its words: {there}"
            yield (*where, "words", word), said
        if use.fewest and use.fewest not in rules()[use.id].limits:
            there = listed(rules()[use.id].limits)
            said = f"fewest = {use.fewest!r} is no limit of {use.id}; its limits: {there}"
            yield (*where, "fewest"), said


def _cell_faults(use: RuleUse, template: Template) -> Iterator[tuple[Loc, str]]:
    """Yield of each cell that a rule reads why it cannot, by its keys."""
    stocks = {name for name, measure in template.measures.items() if measure.kind == "stock"}
    for key, cell in use.cells:
        places = template.places(cell)
        leaves = [leaf for place in places for leaf in template.leaves.get(place, (place,))]
        if not places:
            yield key, f"rule {use.id} reads {cell}, which is no cell of the template"
        elif use.use == "rate" and stocks & {template.entry_at[leaf].measure for leaf in leaves}:
            yield key, f"{cell} is a number at a date, which has no monthly rate; `use` change"


def _unknown(use: RuleUse, template: Template) -> Iterator[tuple[str, str]]:
    """Yield the sheet and the measures that a rule names and that are not there, by its keys."""
    if use.sheet and use.sheet not in [sheet.name for sheet in template.sheets]:
        yield "sheet", use.sheet
    yield from (("measures", name) for name in use.measures if name not in template.measures)


def _sheet(sheet: _Sheet, lists: dict[str, dict[str, str]]) -> Sheet:
    def said(line: _Line) -> dict[str, Any]:
        names = ("code", "sum_of", "rule", "named", "unheld")
        return {"label": _label(line, lists)} | {name: getattr(line, name) for name in names}

    asked = (line.model_copy(update={"dims": {QUESTION: line.code}}) for line in sheet.questions)
    rows = tuple(
        Row(
            **said(line),
            entries=tuple(_entry(sheet, line, column, lists) for column in sheet.columns),
            check=line.check,
            area=line.area,
        )
        for line in (*sheet.rows, *asked)
    )
    heads = tuple(Column(**said(line)) for line in sheet.columns)
    return Sheet(sheet.name, sheet.title, sheet.instructions, heads, rows)


def _label(line: _Line, lists: dict[str, dict[str, str]]) -> str:
    """Return the label given, else that of the code in the one list it is of."""
    if line.label is not None:
        return line.label
    ((dimension, code),) = line.dims.items()
    return lists[dimension][code]


def _entry(sheet: _Sheet, row: _Line, column: _Line, lists: dict[str, dict[str, str]]) -> Entry:
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
        row.period,
    )
