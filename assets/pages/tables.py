"""Makes the tables, charts and sentences of a page from their description and a release."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from assets.pages.charts import bars, skyline, stacks
from assets.pages.content import (
    COUNT,
    EXACT,
    PERCENT,
    RATE,
    Cell,
    Chart,
    Figure,
    Head,
    Headline,
    Style,
    Table,
    Text,
    text,
)
from assets.pages.description import (
    BAND,
    STATISTIC,
    STATISTICS,
    ChartOf,
    Column,
    HeadlineOf,
    Lines,
    SectionOf,
    TableOf,
    over_forces,
)
from assets.pages.figures import Edition, share
from assets.pages.wording import SPREAD, STATES, band, period, sentence
from schemas.breakdown import Band, write_breakdown
from schemas.contract import columns
from schemas.marts.catalogue import MARTS
from schemas.measures import NOW
from schemas.template import Entry, Sheet, Template

Dims = dict[str, str]
_STYLES: Final = {"%": PERCENT, ".1": RATE, "any": EXACT}
_IN_BRACES: Final = re.compile(r"\{([^{}]+)\}")
_LARGEST: Final = "$largest"


@dataclass(frozen=True)
class Address:
    """Where a figure stands; see description.py. `whole` has the keys of what it is a share of."""

    mart: str
    column: str
    dims: Dims
    whole: Dims | None
    style: Style
    exact: bool


@cache
def _address(written: str) -> Address:
    exact = written.startswith("=")
    *words, last = written.removeprefix("=").split()
    style = _STYLES.get(last)
    first, *keys = words if style else [*words, last]
    mart, colon, column = first.rpartition(":")
    parts, slash, whole = " ".join(keys).partition("/")
    return Address(
        mart if colon else "national_totals", column, _keys(parts),
        _keys(whole) if slash else None, style or COUNT, exact,
    )  # fmt: skip


def _keys(text_: str) -> Dims:
    return dict(part.split("=", 1) for part in text_.split())


@dataclass(frozen=True)
class Row:
    """A line of a table: what it covers. `about` fills the braces of its columns' figures."""

    label: str
    dims: Dims = field(default_factory=dict)
    about: Dims = field(default_factory=dict)
    depth: int = 0
    is_all: bool = False
    href: str | None = None


@dataclass(frozen=True)
class View:
    """A release as one page reads it: nationally, or for one force."""

    edition: Edition
    force: str | None = None

    @property
    def template(self) -> Template:
        """The template of the collection."""
        return self.edition.collection.template

    def figure(self, written: str, row: Row | None = None, **codes: str) -> Figure:
        """Return the figure at an address, in a line of a table; `codes` are of its column."""
        row = row or Row("")
        at = _address(written.format_map({**row.about, **codes}))
        dims = at.dims if at.exact else {**row.dims, **at.dims}
        found = self._look(at, dims)
        return found if at.whole is None else share(found, self._look(at, at.whole))

    def _look(self, at: Address, dims: Dims) -> Figure:
        look = self.edition.figure
        order = [k for k in self.template.dimensions if k in dims]
        breakdown = {k: dims[k] for k in [*order, *dims] if k not in {"period", STATISTIC}}
        if at.mart in {"national_totals", "included"}:
            breakdown |= {k: c for k, c in dims.items() if k == STATISTIC}
            column = "value" if at.mart == "national_totals" else "forces_included"
            when = dims.get("period", NOW)
            return look(
                "national_totals", column, at.style,
                measure=at.column, breakdown=write_breakdown(breakdown), period=when,
            )  # fmt: skip
        if at.mart == "distribution":
            of = write_breakdown(breakdown)
            return look(
                at.mart, "value", at.style,
                measure=at.column, breakdown=of, statistic=dims[STATISTIC],
            )  # fmt: skip
        mine = {"force_code": self.force} if self.force and _has_forces(at.mart) else {}
        found = look(at.mart, at.column, at.style, **mine, **dims)
        return _number(found) if at.mart == "cells" else found

    def knows(self, written: str) -> bool:
        """Return whether there is every code, and every period, that an address or text names."""
        named = re.findall(r"(\w+)=([\w.-]+)", written)
        return all(self.has(key, code) for key, code in named)

    def has(self, key: str, code: str) -> bool:
        """Return whether a code is of the template's list, where the template has that list.

        A period is one that the collection is compared with, or its own.
        """
        lists, groups = self.template.lists, self.template.groups
        if key == "period":
            return code == NOW or code in self.edition.collection.comparators
        return key not in lists or code in {*lists[key], *groups.get(key, ())}

    def largest(self, dimension: str) -> Row:
        """Return the line of the largest code of a dimension, of the first measure that has it."""
        entry = next(e for e in self.template.counted() if dimension in e.dims)
        wanted = Lines(
            measure=str(entry.measure), by=(dimension,), labels=(f"{{{dimension}}}",),
            largest_first=True,
        )  # fmt: skip
        return self.rows(wanted)[0]

    def rows(self, lines: Lines) -> list[Row]:
        """Return the lines of a table; none where the template has nothing of the kind."""
        if not all(self.has(*pair) for pair in lines.within.items()):
            return []
        rows = [*self._rows(lines)]
        if lines.largest_first:
            sizes = [self.figure("{measure}", row).number for row in rows]
            order = sorted(range(len(rows)), key=lambda n: (sizes[n] is None, -(sizes[n] or 0.0)))
            rows = [rows[number] for number in order]
        if lines.all and rows:
            whole = {"measure": lines.measure}
            rows.append(Row(lines.all, dict(lines.within), whole, is_all=lines.all == "All"))
        return rows

    def _rows(self, lines: Lines) -> Iterator[Row]:
        known = not lines.measure or lines.measure in self.template.measures
        for line in lines.fixed if known else ():
            yield Row(line.label, dict(line.dims), self._of_measure(lines.measure))
        if lines.forces:
            names = self.edition.names
            for code in sorted(names, key=lambda code: names[code]):
                yield Row(names[code], {"force_code": code}, href=f"forces/{code}.html")
        for entry in self.template.entries() if lines.sheet else ():
            if entry.sheet == lines.sheet and entry.kind == "count":
                yield self._of_entry(entry)
        yield from self._by_dimensions(lines) if lines.by else ()

    def _by_dimensions(self, lines: Lines) -> Iterator[Row]:
        groups: dict[str, dict[tuple[str, ...], Row]] = {}
        for entry in self.template.counted():
            dims = {d: entry.dims[d] for d in lines.by if d in entry.dims}
            if dims and _is_of(entry, lines):
                group = groups.setdefault(next(iter(dims.values())), {})
                group.setdefault(tuple(dims.values()), self._line(lines, dims, entry.row_code))
        for code, group in groups.items():
            deep = any(row.depth > 1 for row in group.values())
            if deep and lines.groups == "before":
                yield self._line(lines, {lines.by[0]: code}, "")
            yield from group.values()
            if deep and lines.groups == "after":
                yield self._line(lines, {lines.by[0]: code}, "")

    def _of_measure(self, measure: str) -> Dims:
        """Return what a line of a measure is about: where the measure has one entry, that entry."""
        row_code = next((e.row_code for e in self.template.counted() if e.measure == measure), "")
        return {"measure": measure, "row_code": row_code}

    def _line(self, lines: Lines, dims: Dims, row_code: str) -> Row:
        pattern = lines.labels[len(dims) - 1]
        labels = {d: _Label(self.template.lists[d][code]) for d, code in dims.items()}
        labels["row"] = _Label(self._row_labels().get(row_code, row_code))
        label = pattern.format_map(labels)
        label = sentence(label) if pattern.startswith("{") else label
        about = {"measure": lines.measure, "row_code": row_code}
        return Row(label, {**lines.within, **dims}, about, len(dims))

    def _row_labels(self) -> Dims:
        return {row.code: row.label for sheet in self.template.sheets for row in sheet.rows}

    def _of_entry(self, entry: Entry) -> Row:
        sheet = self.template.sheet(entry.sheet)
        label = next(row.label for row in sheet.rows if row.code == entry.row_code)
        if len(sheet.columns) > 1:
            label = f"{label}: {sheet.columns[entry.column_code]}"
        parts = self._parts(sheet, entry)
        about = {
            "measure": str(parts[0].measure), "sheet": entry.sheet,
            "row_code": entry.row_code, "column_code": entry.column_code,
        }  # fmt: skip
        # A sum is of what all its parts have in common.
        common = dict(set.intersection(*(set(part.dims.items()) for part in parts)))
        measure = self.template.measures[about["measure"]]
        if over_forces(measure):
            shown = "median" if "median" in measure.statistics else measure.statistics[0]
            common[STATISTIC] = shown
            label += f" (all forces: {STATISTICS[shown].lower()})"
        return Row(label, {**common, "period": entry.period}, about)

    def _parts(self, sheet: Sheet, entry: Entry) -> list[Entry]:
        """Return the cells that count what an entry says: itself, or the parts of a sum."""
        if entry.measure:
            return [entry]
        parts = next(total.parts for total in sheet.sums() if total.total == entry.place)
        return [
            part for place in parts for part in self._parts(sheet, self.template.entry_at[place])
        ]

    def table(self, of: TableOf) -> Table | None:
        """Return a table; None where the template has none of its lines."""
        rows = [row for lines in of.lines for row in self.rows(lines)]
        if not rows:
            return None
        heads = [Head(of.first, numeric=False)]
        cells: list[list[Cell]] = [[Cell(row.label, href=row.href)] for row in rows]
        below: dict[str, list[Cell]] = {label: [] for c in of.columns for label in c.also}
        for column in of.columns:
            for code, label in self._repeated(column, of):
                heads.append(Head(label, numeric=column.numeric))
                for line, cell in zip(cells, self._cells(column, rows, code), strict=True):
                    line.append(cell)
                for name, written in column.also.items():
                    below[name].append(Cell(self.figure(written, None, **code)))
        if len(heads) == 1:
            return None
        caption = of.caption.format(period=period(self.edition.collection, NOW))
        added = [(Cell(name), *found) for name, found in below.items()]
        return Table(of.name, caption, tuple(heads), (*map(tuple, cells), *added), of.notes)

    def _repeated(self, column: Column, of: TableOf) -> list[tuple[Dims, str]]:
        """Return the codes a column is repeated for, each with its heading."""
        if not column.each:
            return [({}, column.label)] if self.knows(column.figure) else []
        if column.each == BAND:
            labels = {code: band(code).capitalize() for code in self.edition.collection.count_bands}
        elif column.each == STATISTIC:
            labels = dict(SPREAD)
        else:
            measures = {lines.measure for lines in of.lines}
            entries = [e for e in self.template.counted() if e.measure in measures]
            codes = dict.fromkeys(e.dims[column.each] for e in entries if column.each in e.dims)
            labels = {code: self.template.lists[column.each][code] for code in codes}
        return [
            ({column.each: code}, column.label.format_map({column.each: label}))
            for code, label in labels.items()
        ]

    def _cells(self, column: Column, rows: list[Row], code: Dims) -> Iterator[Cell]:
        figures = [
            self.figure(
                column.at_all if row.is_all and column.at_all else column.figure, row, **code
            )
            for row in rows
        ]
        most = max((figure.number or 0 for figure in figures), default=0) or 1
        for row, figure in zip(rows, figures, strict=True):
            if not column.numeric:
                yield Cell(STATES.get(figure.text, figure.text))
            elif not column.bar or row.is_all:
                yield Cell(figure)
            elif column.bar == "most":
                yield Cell(figure, bar=(figure.number or 0) / most)
            else:
                mark = self.figure(column.mark, row, **code).number if column.mark else None
                yield Cell(
                    figure,
                    bar=(figure.number or 0) / 100,
                    mark=None if mark is None else mark / 100,
                )

    def chart(self, of: ChartOf, tables: tuple[TableOf, ...]) -> Chart:
        """Return a chart of a table of its section."""
        table = tables[of.table]
        if of.kind == "skyline":
            return skyline(of.ident, of.name, self._by_force(table), self._thresholds(table))
        column = table.columns[of.column]
        rows = [row for lines in table.lines for row in self.rows(lines) if not row.is_all]
        rows = [row for row in rows if of.depth in {0, row.depth}]
        if of.kind == "stacks":
            repeated = self._repeated(column, table)
            items = [
                (
                    f"{row.label}: {self.figure('{measure}', row).text}",
                    [self.figure(column.figure, row, **code) for code, _ in repeated],
                )
                for row in rows
            ]
            return stacks(of.ident, of.name, tuple(label for _, label in repeated), items)
        drawn = [(row.label, self.figure(column.figure, row)) for row in rows]
        if of.largest_first:
            drawn.sort(key=lambda item: -(item[1].number or 0))
        return bars(of.ident, of.name, drawn)

    def _by_force(self, table: TableOf) -> list[tuple[str, Figure]]:
        (measure, *_) = (lines.measure for lines in table.lines if lines.measure)
        return [
            (name, replace(self, force=code).figure(f"{measure}:cases"))
            for code, name in self.edition.names.items()
        ]

    def _thresholds(self, table: TableOf) -> list[tuple[float, str]]:
        """Return the bands that begin or end within the spread, each at its limit."""
        lines = []
        for name in self.edition.collection.count_bands:
            limits = Band.parse(name)
            limit = limits.low if limits.high is None else limits.high
            if limit < 2 or limits.low == limits.high:
                continue
            forces = self.figure(table.columns[0].figure, None, **{BAND: name})
            lines.append((float(limit), f"{band(name)}: {forces.text} forces"))
        return lines

    def said(self, written: str, largest: Row | None = None) -> Text:
        """Return a paragraph with its figures; `{largest}` names the largest line."""
        parts: list[str | Figure] = []
        for number, part in enumerate(_IN_BRACES.split(written)):
            if number % 2 == 0:
                parts += [part] if part else []
            elif part == "largest" and largest:
                parts.append(largest.label.lower())
            else:
                code = next(iter(largest.dims.values())) if largest else ""
                parts.append(self.figure(part.replace(_LARGEST, code)))
        return text(*_joined(parts))

    def headline(self, of: HeadlineOf) -> Headline:
        """Return a figure to see first."""
        note = (of.note,) if isinstance(of.note, str) else of.note
        known = "".join(part for part in note if self.knows(part))
        return Headline(of.label, self.figure(of.figure), self.said(known))

    def blocks(self, of: SectionOf) -> tuple[Text | Chart | Table, ...]:
        """Return what stands in a section: its paragraphs, its chart, its tables."""
        largest = self.largest(of.largest) if of.largest else None
        tables = tuple(table for one in of.table if (table := self.table(one)))
        if of.table and not tables:
            return ()
        said = (self.said(line, largest) for line in of.text if self.knows(line))
        return (*said, *((self.chart(of.chart, of.table),) if of.chart else ()), *tables)


class _Label(str):
    """A label in a pattern; `{kind:lower}` in small letters."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return self.lower() if spec == "lower" else str(self)


def _joined(parts: list[str | Figure]) -> list[str | Figure]:
    """Return the parts with words that follow each other in one."""
    joined: list[str | Figure] = []
    for part in parts:
        before = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(before, str):
            joined[-1] = before + part
        else:
            joined.append(part)
    return joined


def _is_of(entry: Entry, lines: Lines) -> bool:
    """Return whether a cell is counted in lines of its own."""
    return (
        entry.measure == lines.measure
        and entry.period == NOW
        and all(entry.dims.get(key) == code for key, code in lines.within.items())
        and lines.without not in entry.dims
        and (not lines.full or all(name in entry.dims for name in lines.by))
    )


def _number(sent: Figure) -> Figure:
    """Return a count that a force sent, which is a text; a reason for none is no number."""
    value: Any = sent.value
    return replace(sent, value=int(value) if str(value).isdigit() else None)


@cache
def _has_forces(mart: str) -> bool:
    return any(column.name == "force_code" for column in columns(MARTS[mart]))
