"""Makes the tables and charts of a page from their description and a release."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, cached_property, lru_cache
from itertools import product

from markupsafe import Markup

from assets.figures.totals.leaves import cells_in
from assets.release.pages import charts
from assets.release.pages.content import NOT_KNOWN, Cell, Chart, Figure, Head, PageTable, Text
from assets.release.pages.description import (
    STATISTIC,
    ChartOf,
    Column,
    Lines,
    Part,
    TableOf,
)
from assets.release.pages.figures import Edition
from assets.release.pages.view import Dims, TableLine, View, is_known
from assets.release.pages.wording import band, sentence
from schemas import vocabulary as v
from schemas.breakdown import Band
from schemas.measures import NOW
from schemas.template import Entry, Template


class Tables(View):
    """Makes what stands in the sections of one page."""

    def rows(self, lines: Lines) -> list[TableLine]:
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
            rows.append(TableLine(lines.all, dict(lines.within), whole, is_all=lines.all == "All"))
        return rows

    def _rows(self, lines: Lines) -> Iterator[TableLine]:
        known = not lines.measure or lines.measure in self.template.measures
        for line in lines.fixed if known else ():
            about = self._of_measure(lines.measure) | line.about
            yield TableLine(line.label, dict(line.dims), about, own=line)
        if lines.forces:
            names = self.edition.names
            for code in sorted(names, key=lambda code: names[code]):
                of = {"force_code": code}
                yield TableLine(names[code], of, of, href=f"forces/{code}.html")
        for found in self.evaluate(lines.each) if lines.each else ():
            about = found if isinstance(found, dict) else {"it": found}
            keys = {name: about[name] for name in lines.keys}
            yield TableLine(str(self.evaluate(lines.label, about)), keys, about)
        for entry in self.template.entries() if lines.sheet else ():
            if entry.sheet == lines.sheet and entry.kind == "count":
                yield self._of_entry(entry)
        yield from self._by_dimensions(lines) if lines.by else ()

    def _by_dimensions(self, lines: Lines) -> Iterator[TableLine]:
        groups: dict[str, dict[tuple[str, ...], TableLine]] = {}
        for entry in self.edition.counted.get(lines.measure, ()):
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
        entries = self.edition.counted.get(measure)
        return {"measure": measure, "row_code": entries[0].row_code if entries else ""}

    def _line(self, lines: Lines, dims: Dims, row_code: str) -> TableLine:
        pattern = lines.labels[len(dims) - 1]
        labels = {d: _Label(self.template.lists[d][code]) for d, code in dims.items()}
        labels.setdefault("row", _Label(self._row_labels.get(row_code, row_code)))
        label = pattern.format_map(labels)
        label = sentence(label) if pattern.startswith("{") else label
        about = {"measure": lines.measure, "row_code": row_code}
        return TableLine(label, {**lines.within, **dims}, about, len(dims))

    @cached_property
    def _row_labels(self) -> Dims:
        return {row.code: row.label for sheet in self.template.sheets for row in sheet.rows}

    def _of_entry(self, entry: Entry) -> TableLine:
        sheet = self.template.sheet(entry.sheet)
        label = next(row.label for row in sheet.rows if row.code == entry.row_code)
        if len(sheet.columns) > 1:
            label = f"{label}: {sheet.columns[entry.column_code]}"
        parts = _parts(self.template, entry)
        about = {
            "measure": str(parts[0].measure), "sheet": entry.sheet,
            "row_code": entry.row_code, "column_code": entry.column_code,
        }  # fmt: skip
        codes = _totalled_at(self.template, entry)
        if codes is None:
            return TableLine(label, about=about, untotalled="/".join(entry.place))
        measure = self.template.measures[about["measure"]]
        if measure.statistics and not measure.levels:
            shown = "median" if "median" in measure.statistics else measure.statistics[0]
            codes = {**codes, STATISTIC: shown}
            label += f" (all forces: {self.known['STATISTICS'][shown].lower()})"
        return TableLine(label, {**codes, "period": parts[0].period}, about)

    def tables(self, of: TableOf) -> list[PageTable | Text]:
        """Return a table with what is said before it; or what is said where it has no line."""
        if of.split:
            views = [
                replace(self, more={**self.more, "part": part}) for part in self.evaluate(of.split)
            ]
            return [
                one for view in views for one in view.tables(of.model_copy(update={"split": ""}))
            ]
        table = self._table(of)
        return [*self.said(of.text), *([table] if table else self.said(of.none))]

    def _table(self, of: TableOf) -> PageTable | None:
        rows = [row for lines in of.lines for row in self.rows(lines)]
        if not rows and not of.stays:
            return None
        heads = [Head(of.first, numeric=False)]
        cells: list[list[Cell]] = [[Cell(row.label, href=row.href)] for row in rows]
        below: dict[str, list[Cell]] = {label: [] for c in of.columns for label in c.also}
        for column in of.columns:
            for one, code, label in self._repeated(column, of):
                heads.append(Head(label, numeric=one.numeric and not one.text))
                for line, cell in zip(cells, self._cells(one, rows, code), strict=True):
                    line.append(cell)
                for name, written in one.also.items():
                    below[name].append(Cell(self.figure(written, None, **code)))
        if len(heads) == 1:
            return None
        added = [(Cell(name), *found) for name, found in below.items()]
        return PageTable(
            self.write(of.name), self.write(of.caption), tuple(heads),
            (*map(tuple, cells), *added), of.notes,
            bool(of.folded and self.evaluate(of.folded)), of.anchored,
        )  # fmt: skip

    def _repeated(self, column: Column, of: TableOf) -> Iterator[tuple[Column, Dims, str]]:
        """Yield a column for each code that it is repeated for, with the code and its heading."""
        if column.needs and not self.evaluate(column.needs):
            return
        if not column.each:
            if self.knows(column.figure):
                yield column, {}, column.label
            return
        name, labels = "each", None
        if column.each in self.template.lists:
            name = column.each
            measures = {lines.measure for lines in of.lines}
            entries = (e for e in self.template.counted() if e.measure in measures)
            codes = dict.fromkeys(e.dims[name] for e in entries if name in e.dims)
            labels = {code: self.template.lists[name][code] for code in codes}
        elif column.each not in self.template.dimensions and not column.each.isidentifier():
            labels = {str(code): str(code) for code in self.evaluate(column.each)}
        elif column.each in self.known:
            labels = self.evaluate(column.each)
        for code, label in (labels or {}).items():
            for one in (column, *column.beside):
                yield one, {name: code}, one.label.format_map({name: label})

    def _cells(self, column: Column, rows: list[TableLine], code: Dims) -> Iterator[Cell]:
        if column.text:
            yield from (self._cell(column, row) for row in rows)
            return
        figures = [
            self.figure(
                column.at_all if row.is_all and column.at_all else column.figure, row, **code
            )
            for row in rows
        ]
        most = max((figure.number or 0 for figure in figures), default=0) or 1
        for row, figure in zip(rows, figures, strict=True):
            if not column.bar or row.is_all or figure.number is None:
                yield Cell(figure)
            elif column.bar == "most":
                yield Cell(figure, bar=(figure.number or 0) / most)
            else:
                mark = self.figure(column.mark, row, **code).number if column.mark else None
                length = (figure.number or 0) / 100
                yield Cell(figure, bar=length, mark=None if mark is None else mark / 100)

    def _cell(self, column: Column, row: TableLine) -> Cell:
        """Return a cell of words, those of its line before those of the column; None is unknown."""
        if row.own.figure:
            return Cell(self.figure(row.own.figure, row))
        said = self.evaluate(row.own.text or column.text, row.about)
        small = self.evaluate(column.code, row.about) if column.code else None
        return Cell(NOT_KNOWN if said is None else str(said), code=small)

    def chart(self, of: ChartOf, tables: tuple[TableOf, ...]) -> Chart:
        """Return a chart of a table of its section, or of a figure of every force."""
        name = self.write(of.name)
        found = next(iter(self.said([of.finding])), None)
        title = found if found and is_known(found) else Text((name,))
        if of.figure:
            return Chart(self._of_forces(of, name, tables), title)
        table = tables[of.table]
        shown = [one for at in of.columns for one in self._repeated(table.columns[at], table)]
        items = [
            (
                self._worded(of, row),
                [self.figure(column.figure, row, **code) for column, code, _ in shown],
            )
            for lines in table.lines
            for row in self.rows(lines)
            if not row.is_all
            and of.depth in {0, row.depth}
            and (not of.only or self.evaluate(of.only, row.about))
        ]
        if of.largest_first:
            items.sort(key=lambda item: -(item[1][0].number or 0))
        given = self.evaluate(of.legend) if of.legend else [label for *_, label in shown]
        legend = [str(label) for label in given]
        newest_last = charts.PAIR[len(legend) - 1 :: -1]
        looks = {"pairs": charts.PAIR, "stacks": charts.PARTS, "intervals": newest_last}
        told = tuple(zip(looks.get(of.kind, ()), legend, strict=False))
        return Chart(charts.rows(of.kind, items, legend), title, told)

    def _of_forces(self, of: ChartOf, name: str, tables: tuple[TableOf, ...]) -> Markup:
        """Return a drawing of a figure of every force."""
        forces = _by_force(self.edition, of.figure)
        names = self.edition.names
        if of.kind == "tiles":
            hrefs = {code: f"forces/{code}.html" for code in names}
            shown = {
                code: (name, forces.forces.get(name, Figure(None, "")), hrefs[code])
                for code, name in names.items()
            }
            return charts.tiles(shown, self.edition.description.places)
        bands = next((c for table in tables for c in table.columns[:1] if c.each == "BANDS"), None)
        lines = self._thresholds(bands) if bands and not self.force else ()
        mine = names[self.force] if self.force else None
        return charts.columns(of.ident, name, forces, mine, lines)

    def _worded(self, of: ChartOf, row: TableLine) -> str | Text:
        if of.kind == "stacks":
            return Text((f"{row.label}: ", self.figure("{measure}", row)))
        return str(self.evaluate(of.label, row.about)) if of.label else row.label

    def _thresholds(self, column: Column) -> list[tuple[float, Text]]:
        """Return the bands that begin or end within the spread, each at its limit."""
        lines = []
        for name in self.edition.collection.count_bands:
            limits = Band.parse(name)
            limit = limits.low if limits.high is None else limits.high
            if limit < 2 or limits.low == limits.high:
                continue
            forces = self.figure(column.figure, None, each=name)
            if forces.value is not None:
                noun = " force" if forces.value == 1 else " forces"
                lines.append((float(limit), Text((f"{band(name)}: ", forces, noun))))
        return lines

    def blocks(self, of: Part) -> tuple[Text | Chart | PageTable, ...]:
        """Return what stands in a section: its paragraphs, its charts, its tables."""
        if of.needs and not self.evaluate(of.needs):
            return tuple(self.said(of.without))
        view = self
        if of.largest:
            view = replace(self, more={**self.more, "largest": self._largest(of)})
        tables = [block for one in of.table for block in view.tables(one)]
        charts_of = [one for one in of.chart if not one.needs or self.evaluate(one.needs)]
        if charts_of:
            tables = [replace(b, folded=True) if isinstance(b, PageTable) else b for b in tables]
        if of.table and not tables:
            return ()
        drawn = [view.chart(one, of.table) for one in charts_of]
        return (*view.said(of.text), *drawn, *tables, *view.said(of.after))

    def _largest(self, of: Part) -> TableLine:
        """Return the line of the largest code of a dimension, of the first table."""
        lines = of.table[0].lines[0].model_copy(update={"largest_first": True, "all": ""})
        return next(row for row in self.rows(lines) if {*row.dims} == {of.largest, *lines.within})


@lru_cache(maxsize=32)
def _by_force(edition: Edition, written: str) -> charts.Spread:
    """Return a figure of each force whose return is live; others have none of their own."""
    states = [edition.rows("returns_status", state=state) for state in v.LIVE_STATES]
    live = {row["force_code"] for rows in states for row in rows}
    names = {name: code for code, name in edition.names.items() if code in live}
    return charts.Spread(
        {name: View(edition, code).figure(written) for name, code in names.items()}
    )


class _Label(str):
    """A label in a pattern; `{kind:lower}` in small letters."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return self.lower() if spec == "lower" else str(self)


def _is_of(entry: Entry, lines: Lines) -> bool:
    """Return whether a cell is counted in lines of its own."""
    return (
        entry.period == NOW
        and all(entry.dims.get(key) == code for key, code in lines.within.items())
        and lines.without not in entry.dims
        and (not lines.full or all(name in entry.dims for name in lines.by))
    )


def _parts(template: Template, entry: Entry) -> list[Entry]:
    leaves = template.leaves.get(entry.place, (entry.place,))
    return [template.entry_at[place] for place in leaves]


@cache
def _totalled_at(template: Template, entry: Entry) -> Dims | None:
    """Return the codes at which just the cells of an entry are counted; None where others are too.

    Of a dimension in which the cells differ they are all there are, or a group that has totals.
    """
    cells = _parts(template, entry)
    (measure, period), *others = {(str(cell.measure), cell.period) for cell in cells}
    options: list[list[str | None]] = []
    for key in template.dimensions:
        codes = {cell.dims.get(key) for cell in cells}
        crossed = key == template.measures[measure].crossed_by
        groups = template.groups.get(key, {}).items() if crossed else ()
        same = [group for group, those in groups if {*those} == codes]
        options.append([*codes] if len(codes) == 1 else [None, *same])
    for chosen in product(*options) if not others else ():
        at = {key: code for key, code in zip(template.dimensions, chosen, strict=True) if code}
        if Counter(cells_in(template, measure, at, period)) == Counter(cells):
            return at
    return None
