"""What stands on the pages of a collection: sections, tables and charts as data.

A template `<name>-<version>` has its own pages in `<name>.toml`; any other gets tables that follow
from its measures and questions. A figure is named by an address, a line of text:

    [=][<mart>:]<measure or column> [key=code]... [/ [key=code]...] [style]

Without a mart it is a national total. A line of a table adds its own keys, but to an address that
begins with `=`. After `/` stand the keys of a whole: the figure is in percent of that. Styles: `%`;
`.1` for one decimal; `any` for none or two. In braces stands what line and column are about:
`{measure}`, `{row_code}`, and the code of the dimension that a column is repeated for.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from schemas.measures import QUESTION, Data, Measure
from schemas.template import Sheet, Template

BAND: Final = "band"
"""What a column is repeated for besides dimensions: the collection's bands of counts."""
STATISTIC: Final = "statistic"
STATISTICS: Final = {
    "minimum": "Lowest",
    "lower_quartile": "Lower quartile",
    "median": "Median",
    "mean": "Mean",
    "upper_quartile": "Upper quartile",
    "maximum": "Highest",
}


class Line(Data):
    """A line of its own: a label, and the keys it adds."""

    label: str
    dims: dict[str, str] = Field(default_factory=dict)


class Lines(Data):
    """Lines of a table: of the cells that count `measure`, by the dimensions of `by`.

    `labels` words a line by how many of these dimensions it has, `groups` says whether a line of
    the first dimension alone stands before or after those that have more. `sheet`: a line for each
    entry of a sheet. `fixed`: these lines. `forces`: a line for each force. `all`: the label of a
    last line, of everything `within`. `without` leaves out cells that have a dimension, `full`
    those that lack one of `by`.
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
    largest_first: bool = False
    all: str = ""


class Column(Data):
    """A column: its figure, that in the line of all, and those in lines below by their label.

    `each` repeats it for every code of a dimension that the cells have. `bar` draws a bar: `share`
    for a percent, `most` for a part of the largest; `mark` is a figure in percent, for a line.
    `numeric` is false for words.
    """

    label: str
    figure: str
    each: str = ""
    at_all: str = ""
    also: dict[str, str] = Field(default_factory=dict)
    bar: Literal["", "share", "most"] = ""
    mark: str = ""
    numeric: bool = True


class TableOf(Data):
    """A table; `{period}` in its caption stands for the collection's own."""

    name: str
    caption: str
    first: str
    lines: tuple[Lines, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()


class ChartOf(Data):
    """A chart of a column of the section's table: of its lines that have `depth` dimensions."""

    kind: Literal["bars", "stacks", "skyline"]
    ident: str
    name: str
    table: int = 0
    column: int = 0
    depth: int = 0
    largest_first: bool = False


class SectionOf(Data):
    """A section: paragraphs, a chart, tables; or what a function of that name makes of it.

    `largest` names a dimension: `$largest` in a figure is its code with the largest total.
    """

    name: str
    title: str
    use: str = ""
    text: tuple[str, ...] = ()
    chart: ChartOf | None = None
    table: tuple[TableOf, ...] = ()
    largest: str = ""


class HeadlineOf(Data):
    """A figure to see first; of a note in parts those stand whose codes and periods there are."""

    label: str
    figure: str
    note: str | tuple[str, ...]


class PageOf(Data):
    """A page; `placed` maps columns of force_profiles to the names of their drawings."""

    headline: tuple[HeadlineOf, ...] = ()
    section: tuple[SectionOf, ...] = ()
    placed: dict[str, str] = Field(default_factory=dict)


class Description(Data):
    """The pages of a template; `words` are codes that do not word themselves.

    `trace` maps a sentence to the figure that `muster explain` traces for it.
    """

    words: dict[str, str] = Field(default_factory=dict)
    trace: dict[str, str] = Field(default_factory=dict)
    national: PageOf
    force: PageOf


@cache
def description(template: Template) -> Description:
    """Return what stands on the pages of a collection that uses the template."""
    path = Path(__file__).with_name(f"{template.name}.toml")
    if not path.is_file():
        return _derived(template)
    return Description.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def questions(template: Template) -> list[Sheet]:
    """Return the sheets that ask questions, each answered by a code."""
    return [
        sheet
        for sheet in template.sheets
        if any(entry.dims.get(QUESTION) for row in sheet.rows for entry in row.entries)
    ]


def over_forces(measure: Measure) -> bool:
    """Return whether a measure is not added up: it has statistics over the forces alone."""
    return bool(measure.statistics) and not measure.levels


def first_measure(template: Template) -> str:
    """Return the first measure that is totalled as a whole."""
    whole = (name for name in template.measures if () in _by(template, name))
    return next(whole, next(iter(template.measures)))


def _derived(template: Template) -> Description:
    """Return pages of what a template counts and asks: a section a measure, and the questions."""
    counted = {entry.measure for entry in template.counted() if entry.measure}
    measures = [name for name in template.measures if name in counted and _by(template, name)]
    of_statistics = [
        name
        for name in template.measures
        if name in counted and over_forces(template.measures[name])
    ]
    national = [
        SectionOf(name=name, title=_title(name), table=(_national(template, name),))
        for name in measures
    ] + [
        SectionOf(name=name, title=_title(name), table=(_over_forces(template, name),))
        for name in of_statistics
    ]
    force = [
        SectionOf(name=sheet.name, title=sheet.title, table=(_of_force(sheet),))
        for sheet in template.sheets
        if any(e.kind == "count" and e.measure for row in sheet.rows for e in row.entries)
    ]
    asked = "arrangements" if questions(template) else ""
    of_questions = [SectionOf(name=asked, title="Answers", use=asked)] if asked else []
    last = [SectionOf(name="forces", title="Every force", table=(_forces(),))]
    heads = tuple(
        HeadlineOf(label=_title(name), figure=name, note=f"{{included:{name}}} forces")
        for name in measures
        if () in _by(template, name)
    )
    return Description(
        trace={"From any total, by its measure:": first_measure(template)},
        national=PageOf(headline=heads, section=(*national, *of_questions, *last)),
        force=PageOf(section=(*force, *of_questions)),
    )


def _by(template: Template, measure: str) -> list[tuple[str, ...]]:
    return [level.by for level in template.measures[measure].levels]


def _title(measure: str) -> str:
    return measure.replace("_", " ").capitalize()


def _national(template: Template, measure: str) -> TableOf:
    about = template.measures[measure]
    lines = [
        Lines(
            measure=measure, by=level.by, without=level.without or "", full=True,
            labels=(", ".join(f"{{{name}}}" for name in level.by),) * len(level.by),
        )
        for level in about.levels
        if level.by
    ]  # fmt: skip
    whole = (
        [Lines(measure=measure, fixed=(Line(label="All"),))] if () in _by(template, measure) else []
    )
    each = about.crossed_by
    columns = [
        *(
            [Column(label=f"{{{each}}}", figure=f"{{measure}} {each}={{{each}}}", each=each)]
            if each
            else []
        ),
        Column(label="All" if each else "Number", figure="{measure}"),
        Column(label="Forces included", figure="included:{measure}"),
    ]
    return TableOf(
        name=measure, caption=f"{_title(measure)}: national totals", first="What",
        lines=(*lines, *whole), columns=tuple(columns),
    )  # fmt: skip


def _over_forces(template: Template, measure: str) -> TableOf:
    """Return a table of a measure that is not added up: its statistics over the forces."""
    about = template.measures[measure]
    lines = [Line(label=STATISTICS[name], dims={STATISTIC: name}) for name in about.statistics]
    columns = (
        Column(label=about.unit.replace("_", " ").capitalize(), figure="{measure} any"),
        Column(label="Forces included", figure="included:{measure}"),
    )
    return TableOf(
        name=measure, caption=f"{_title(measure)}: over the forces", first="Statistic",
        lines=(Lines(measure=measure, fixed=tuple(lines)),), columns=columns,
    )  # fmt: skip


def _of_force(sheet: Sheet) -> TableOf:
    here = "=cells:value sheet={sheet} row_code={row_code} column_code={column_code}"
    columns = (Column(label="Here", figure=here), Column(label="All forces", figure="{measure}"))
    return TableOf(
        name=sheet.name, caption=sheet.title, first="What",
        lines=(Lines(sheet=sheet.name),), columns=columns,
    )  # fmt: skip


def _forces() -> TableOf:
    state = Column(label="Return", figure="returns_status:state", numeric=False)
    return TableOf(
        name="forces", caption="Every force", first="Force",
        lines=(Lines(forces=True),), columns=(state,),
    )  # fmt: skip
