"""What stands on the pages of a collection: sections, tables and charts as data.

A template `<name>-<version>` has its own pages in `<name>.toml`; any other gets those of
`_derived.toml.j2`, which follow from its measures and questions. What every collection has stands
in `_common.toml`. A figure is named by an address, a line of text:

    [=|*][<mart>:]<measure or column> [key=code]... [/ [key=code]...] [style]

Without a mart it is a national total; the column `rows` counts rows. A line of a table adds its own
keys, but to an address that begins with `=`; one with `*` is of all forces on the page of one too.
After `/` stand the keys of a whole: the figure is in percent of that. Styles: `%`; `.1` for one
decimal; `any` or `any%` for none or two, `few` for none or one; `+.1`, `change`, `times`; `yes`
for yes or no; `rank` for the place among the forces; `per_1000` of the workforce. In braces stands
what line and column are about: `{measure}`, `{row_code}`, a value of a record, `{each}` that a
column is repeated for.

Paragraphs are Jinja templates in which `{address}` is a figure. Each line is a paragraph; one that
begins with `$` is a command, one with `> HREF` leads there, one with `~` explains what is drawn and
stands in no workbook. Other texts of tables are expressions
of Jinja over the record of their line and what known.py makes known.
"""

import tomllib
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, Literal

from jinja2 import Environment, StrictUndefined
from pydantic import Field

from schemas.figures import totalled
from schemas.marts import force_profiles_contract
from schemas.measures import NOW, Data, Figure
from schemas.template import Template

STATISTIC: Final = "statistic"
_HERE: Final = Path(__file__).parent
_WRITING: Final = Environment(  # noqa: S701 - it writes TOML, whose texts are Jinja themselves
    variable_start_string="<<", variable_end_string=">>", block_start_string="<%",
    block_end_string="%>", comment_start_string="<#", comment_end_string="#>",
    line_statement_prefix="%", line_comment_prefix="%#", undefined=StrictUndefined,
)  # fmt: skip


class Line(Data):
    """A line of its own: a label, the keys it adds, and what else fills the braces of addresses.

    In columns of words its own `text` or `figure` stand instead.
    """

    label: str
    dims: dict[str, str] = Field(default_factory=dict)
    about: dict[str, str] = Field(default_factory=dict)
    text: str = ""
    figure: str = ""


class Lines(Data):
    """Lines of a table: of the cells that count `measure`, by the dimensions of `by`.

    `labels` words a line by how many of these dimensions it has, `groups` says whether a line of
    the first dimension alone stands before or after those that have more. `sheet`: a line for each
    entry of a sheet. `fixed`: these lines. `forces`: a line for each force. `each`: a line for each
    record that the expression yields, worded by the expression `label`, with those of its fields in
    addresses that are `keys`; what is no record is called `it`. `all`: the label of a last line, of
    everything `within`. `without` leaves out cells that have a dimension, `full` those without one
    of `by`.
    """

    measure: str = ""
    by: tuple[str, ...] = ()
    within: dict[str, str] = Field(default_factory=dict)
    without: str = ""
    full: bool = False
    labels: tuple[str, ...] = ()
    groups: Literal["", "before", "after"] = ""
    sheet: str = ""
    fixed: tuple[Line, ...] = ()
    forces: bool = False
    each: str = ""
    keys: tuple[str, ...] = ()
    label: str = "label"
    largest_first: bool = False
    all: str = ""


class Column(Data):
    """A column: a figure, or words by `text`, with `code` in small below them.

    `at_all` is the figure in the line of all, `also` those in lines below by their label. `each`
    repeats it for every code of a dimension that the cells have, or that an expression yields, each
    time with those `beside` it. `bar` draws a bar: `share` for a percent, `most` for a part of the
    largest; `mark` is a figure in percent, for a line. `numeric` is false for figures that are
    words. Without what it `needs` it is left out.
    """

    label: str
    figure: str = ""
    text: str = ""
    code: str = ""
    each: str = ""
    beside: tuple["Column", ...] = ()
    at_all: str = ""
    also: dict[str, str] = Field(default_factory=dict)
    bar: Literal["", "share", "most"] = ""
    mark: str = ""
    numeric: bool = True
    needs: str = ""


class TableOf(Data):
    """A table, with paragraphs before it, or `none` in its stead where it has no line.

    One that `stays` says without a line that none is known. `split` makes one of each that the
    expression yields, called `part`. It is folded where its section has a chart, or `folded` holds;
    rows that are `anchored` are led to by their first cell. In a file, what one does not say stands
    in the one of `tables` that it is `like`.
    """

    name: str
    caption: str
    first: str
    lines: tuple[Lines, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    stays: bool = False
    split: str = ""
    folded: str = ""
    anchored: bool = False


class ChartOf(Data):
    """A chart of columns of the section's table, or of a `figure` of each force.

    `name` is what it is of, `finding` a paragraph that says what it shows. Of the table's lines
    those that have `depth` dimensions, or for which `only` holds; `label` words them. Without what
    it `needs` it is not drawn.
    """

    kind: Literal["bars", "pairs", "stacks", "intervals", "columns", "tiles"] = "bars"
    ident: str
    name: str
    finding: str = ""
    table: int = 0
    columns: tuple[int, ...] = (0,)
    depth: int = 0
    only: str = ""
    label: str = ""
    legend: str = ""
    figure: str = ""
    largest_first: bool = False
    needs: str = ""


class Part(Data):
    """What stands in a section: paragraphs, charts, tables, paragraphs `after` them.

    Without what it `needs` the paragraphs `without` stand there, or nothing. `largest` names a
    dimension: `largest` is then its line with the largest total.
    """

    text: tuple[str, ...] = ()
    chart: tuple[ChartOf, ...] = ()
    table: tuple[TableOf, ...] = ()
    after: tuple[str, ...] = ()
    largest: str = ""
    needs: str = ""
    without: tuple[str, ...] = ()


class SectionOf(Part):
    """A section under its title; `use` names a part that is described for all templates.

    `page` names the page of the national ones that it stands on.
    """

    name: str
    title: str
    use: str = ""
    page: str = "index"


class PointOf(Data):
    """What a page says first: a paragraph, the figure it rests on, the section that has more."""

    text: str
    figure: str
    section: str


class HeadlineOf(Data):
    """A figure to see first; of a note in parts those stand whose codes and periods there are."""

    label: str
    figure: str
    note: str | tuple[str, ...]


class PageOf(Data):
    """A page: headlines, the sections of the template, those of all; on all pages the banner.

    On the page of a force whose return does not count, `without` stands for those of the template.
    """

    point: tuple[PointOf, ...] = ()
    headline: tuple[HeadlineOf, ...] = ()
    section: tuple[SectionOf, ...] = ()
    banner: str = ""
    add: tuple[SectionOf, ...] = ()
    without: tuple[SectionOf, ...] = ()


class Description(Data):
    """The pages of a template; `words` and the lists of `labels` word codes that do not do so.

    `trace` maps a sentence to the figure that `muster explain` traces for it. `pages` are the
    national pages with their titles, `tiles` a map on which each force is a tile, row by row.
    """

    pages: dict[str, str] = Field(default_factory=dict)
    tiles: str = ""
    words: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, dict[str, str]] = Field(default_factory=dict)
    trace: dict[str, str] = Field(default_factory=dict)
    national: PageOf
    force: PageOf
    use: dict[str, Part] = Field(default_factory=dict)

    @property
    def places(self) -> dict[str, tuple[int, int]]:
        """Row and column of each tile on the map."""
        rows = enumerate(map(str.split, self.tiles.splitlines()))
        return {code: (at, n) for at, row in rows for n, code in enumerate(row) if code != "."}


@cache
def description(template: Template) -> Description:
    """Return what stands on the pages of a collection that uses the template."""
    common = tomllib.loads((_HERE / "_common.toml").read_text(encoding="utf-8"))
    path = _HERE / f"{template.name}.toml"
    known = path.is_file()
    file = tomllib.loads(path.read_text(encoding="utf-8") if known else _derived(template, common))
    both: dict[str, Any] = {of: {**common[of], **file.get(of, {})} for of in ("national", "force")}
    tables = common.pop("tables")
    return Description.model_validate(_filled({**common, **file, **both}, tables))


def _filled(of: Any, tables: Mapping[str, Any]) -> Any:
    """Return a description in which each table says what those that it is like say for it."""
    if isinstance(of, list):
        return [_filled(each, tables) for each in of]
    if not isinstance(of, dict):
        return of
    whole = {**tables.get(of.get("like", ""), {}), **of}
    return {name: _filled(each, tables) for name, each in whole.items() if name != "like"}


def first_measure(template: Template) -> str:
    """Return the first measure that is totalled as a whole."""
    return template.main or next(iter(template.measures))


def _derived(template: Template, common: dict[str, Any]) -> str:
    """Return pages of what a template counts and asks: a section a measure, and the questions."""
    counted = {entry.measure for entry in template.counted()}
    measures = {name: of for name, of in template.measures.items() if name in counted}
    counts = [
        sheet
        for sheet in template.sheets
        if any(e.kind == "count" and e.measure for row in sheet.rows for e in row.entries)
    ]
    profile = [
        {
            "name": column.name,
            "label": column.description.partition(";")[0],
            "all": _totalled(template, template.profile[column.name]),
            "whole": not template.profile[column.name].dims,
        }
        for column in force_profiles_contract(template).columns
        if column.name in template.profile and column.dtype.is_numeric()
    ]
    written = _WRITING.from_string((_HERE / "_derived.toml.j2").read_text(encoding="utf-8"))
    return written.render(
        measures=measures, sheets=counts,
        tables=partial(_tables, template),
        statistics=common["labels"]["STATISTICS"], asked=bool(template.asked),
        first=first_measure(template), profile=profile,
    )  # fmt: skip


def _tables(template: Template, name: str) -> list[dict[str, Any]]:
    """Return for each breakdown of a measure what its table has; of the whole in the last resort.

    Keys: `by`, `without`, `crossed` (the dimension of its columns), `whole` (it ends with all),
    `counted` (it has numbers), `shares` (name, and whether it is of all), `month` and `spread`.
    """
    measure, known = template.measures[name], totalled(template, name) or set()
    levels = [(level.by, level.without) for level in measure.levels]
    whole, crossed = ((), None) in levels, measure.crossed_by
    others = [*(share.by for share in measure.shares), *measure.per_force]
    at = [each for each in levels if each[0]]
    at += [((crossed,), None)] if whole and crossed else []
    at += [(by, None) for by in dict.fromkeys(others) if by and (by, None) not in at]
    parts = {frozenset(by) for by, without in levels if without}
    cells = [e.dims for e in template.counted() if (e.measure, e.period) == (name, NOW)]
    tables = []
    for by, without in at or [((), None)]:
        split = crossed and crossed not in by and frozenset({*by, crossed}) in known
        # What is totalled of a part of the cells stands in no line with a share of them all.
        counted = bool(without) or frozenset(by) in known - parts
        shares = [] if without else [each for each in measure.shares if {*each.by} == {*by}]
        # What some cells are not counted by adds up to less than all.
        ends = whole and not without and all({*by} <= {*dims} for dims in cells)
        ends = ends and (counted or any(not each.within for each in shares))
        tables.append(
            {
                "by": by, "without": without or "", "crossed": crossed if split else None,
                "whole": ends, "counted": counted,
                "shares": [(measure.share_name(name, each), not each.within) for each in shares],
                "month": counted and by in measure.per_month,
                "spread": not without and by in measure.per_force,
            }
        )  # fmt: skip
    return tables


def _totalled(template: Template, of: Figure) -> str:
    """Return the address of a force's figure over all forces; nothing where none is totalled."""
    if of.period != NOW or frozenset(of.dims) not in (totalled(template, of.measure) or ()):
        return ""
    return " ".join((of.measure, *(f"{name}={code}" for name, code in of.dims.items())))
