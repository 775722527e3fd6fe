"""The series over collections and its page: each figure beside that of the collection before."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl

from assets.figures.comparable import SERIES, released_collections, series
from assets.figures.explain.released import Released
from assets.lake import atomic_file
from assets.marts import read_manifest, write_mart
from assets.release.pages import charts
from assets.release.pages.content import (
    EXACT,
    PERCENT,
    RATE,
    Cell,
    Chart,
    Figure,
    Head,
    Page,
    PageTable,
    Section,
    Text,
    in_words,
)
from assets.release.pages.description import description
from assets.release.pages.figures import Edition, Row
from assets.release.pages.pages import INDEX, page_html
from assets.release.pages.wording import Wording, months, sentence
from schemas.collection import Collection
from schemas.errors import LakeError
from schemas.marts import Series
from schemas.template import Template
from schemas.wording import plural

_HOW: Final = (
    "Periods differ in length: where a figure is a count, the rates a month are what to compare."
    " The column after a figure says whether it counts what the collection before counted. Where"
    " it does not, that is a BREAK, and its reason stands there.",
    "Full edition, for the data team and analysts: nothing is suppressed.",
)
_COLLECTIONS: Final = ("Collection", "Title", "Period", "Forces asked", "Return", "Release")
_NOT_COUNTED: Final = "not counted"
_SHORT: Final = 12
"""Lines of a table of which none are folded away."""

Lines = dict[str, dict[str, Row]]
"""The rows of mart Series of a measure, by breakdown and collection."""


def write_series(root: Path) -> pl.DataFrame:
    """Build the mart Series of a lake, write it to `marts/series/` with a page, and return it.

    Raises:
        LakeError: there is no release yet, or one cannot be read.
        UnavailableError: the lake cannot be written.
    """
    released = released_collections(root)
    if not released:
        raise LakeError(root / "marts", "shows no release yet", "Drop returns and: muster run")
    found, folder = series(released), root / "marts" / SERIES
    names = ", ".join(one.folder.name for one in released)
    sources = "; ".join(dict.fromkeys(one.collection.sources for one in released))
    with atomic_file(folder / INDEX) as file:
        file.write(_page(released, found, {"release": names, "sources": sources}).encode())
    with atomic_file(folder / f"{SERIES}.parquet") as file:  # last: it says what both are of
        said = {"release": SERIES, "made_from": names, "sources": sources}
        write_mart(file, SERIES, Series, found, said)
    return found


def _page(released: list[Released], found: pl.DataFrame, about: dict[str, str]) -> str:
    """Return the page of a series, which loads nothing else."""
    of_template: dict[str, list[Collection]] = {}
    for one in released:
        of_template.setdefault(one.collection.template.name, []).append(one.collection)
    # What a release says its figures are: who reads them beside others must know.
    basis = {
        r.collection.id: str(read_manifest(r.folder).get("basis", "not known")) for r in released
    }
    about |= {"basis": "; ".join(dict.fromkeys(basis.values()))}
    edition = Edition({SERIES: found}, about)
    said = (*(f"{name}: {of}." for name, of in basis.items()), *_HOW)
    coded = tuple(Text((line,)) for line in _codes(released, found))
    own = Section("collections", "The collections", (_collections(released), *coded))
    page = Page(
        title="Series over collections",
        over=plural(len(released), "released collection"),
        banner=tuple(Text((line,)) for line in said),
        headlines=(),
        sections=(own, *(one for of in of_template.values() for one in _sections(of, edition))),
    )
    links = [(f"Report of {name}", f"../{name}/report/{INDEX}") for name in basis]
    return page_html(page, links, about)


def _collections(released: list[Released]) -> PageTable:
    rows = [
        (
            of.id,
            of.title,
            f"{months(of.period)} ({plural(of.period.months, 'month')})",
            plural(len(of.forces), "force"),
            f"{of.template.name}-{of.template.version}",
            one.folder.name,
        )
        for one in released
        for of in [one.collection]
    ]
    caption = "The released collections, in the order of their periods"
    return in_words("collections", caption, _COLLECTIONS, rows)


def _codes(released: list[Released], found: pl.DataFrame) -> Iterator[str]:
    """Yield in one line the names of the forces that reasons name by their codes, if any do."""
    bodies = pl.concat(one.collection.bodies.select("force_code", "full_name") for one in released)
    told = set(re.findall(r"\w+", " ".join(found["why_not"].drop_nulls().unique())))
    named = {code: name for code, name in bodies.sort("force_code").iter_rows() if code in told}
    if named:
        yield f"{', '.join(f'{code} is {name}' for code, name in named.items())}."


def _sections(collections: list[Collection], edition: Edition) -> Iterator[Section]:
    """Yield a section for each measure of the collections of one template, with its shares."""
    template = _ever([of.template for of in collections])
    wording = Wording(template, description(collections[-1].template).words)
    years = _Years([of.id for of in collections], wording, edition)
    found: dict[str, Lines] = {}
    for one in edition.rows(SERIES):
        if one["collection"] in years.ids:
            of_measure = found.setdefault(one["measure"], {})
            of_measure.setdefault(one["breakdown"], {})[one["collection"]] = one
    whole_of: dict[str, str] = {}
    for of in reversed(collections):
        for measure, whole in _order(of.template):
            whole_of.setdefault(measure, whole)
    together: dict[str, list[str]] = {}
    for measure in sorted(found, key=[*whole_of].index):
        together.setdefault(whole_of[measure], []).append(measure)
    for whole, measures in together.items():
        name = f"{template.name}-{whole}"
        blocks = (
            years.blocks(f"{template.name}-{each}", each, found[each], derived=each != whole)
            for each in measures
        )
        title = sentence(wording.words(whole))
        yield Section(name, title, tuple(chain.from_iterable(blocks)))


@dataclass(frozen=True)
class _Years:
    """The collections of one template, by their ids, and how their figures are told."""

    ids: list[str]
    wording: Wording
    edition: Edition

    def blocks(
        self, name: str, measure: str, lines: Lines, *, derived: bool
    ) -> Iterator[Chart | PageTable]:
        """Yield the chart and the tables of a measure; what is derived, and finer, is folded."""
        title = sentence(self.wording.words(measure))
        rows = [one for of in lines.values() for one in of.values()]
        rates = any(one["per_month"] is not None for one in rows)
        is_percent = derived and any(one["unit"] == "percent" for one in rows)
        columns = ["value", "per_month"] if rates else ["value"]
        bars = [
            (at if at == self.ids[0] or one["comparable"] else f"{at} (BREAK)", [figure])
            for at in self.ids
            for one in filter(None, [lines.get("", {}).get(at)])
            for figure in [_figure(self.edition, one, "per_month")]
            if figure.value is not None
        ]
        if len(bars) > 1:
            yield Chart(charts.rows("bars", bars), Text((f"{title} a month",)))
        parts: dict[str, Lines] = {}
        for breakdown, of in lines.items():
            first, _, rest = breakdown.partition(";")
            fine = rest and not is_percent and len(lines) > _SHORT
            parts.setdefault(first if fine else "", {})[rest if fine else breakdown] = of
        for n, first in enumerate(sorted(parts, key=bool)):
            within = f": {sentence(self.wording.broken_down(first))}" if first else ""
            caption = f"{title}{', per cent' * is_percent}{within}, by collection"
            told = tuple(self._row(text, of, columns) for text, of in parts[first].items())
            heads, folded = tuple(self._heads(columns)), bool(first) or derived
            yield PageTable(f"{name}-{n}" if n else name, caption, heads, told, folded=folded)

    def _heads(self, columns: list[str]) -> Iterator[Head]:
        yield Head("What", numeric=False)
        for before, now in zip((None, *self.ids), self.ids, strict=False):
            yield from [Head(now), Head(f"{now}: a month")][: len(columns)]
            if before:
                yield Head(f"{now} against {before}", numeric=False)

    def _row(self, breakdown: str, of: dict[str, Row], columns: list[str]) -> tuple[Cell, ...]:
        cells = [Cell(sentence(self.wording.broken_down(breakdown)) or "All")]
        for at in self.ids:
            cells += [_cell(self.edition, of.get(at), column) for column in columns]
            cells += [Cell(self._against(of.get(at)))] if at != self.ids[0] else []
        return tuple(cells)

    def _against(self, one: Row | None) -> str:
        """Return what a collection's figure is beside that of the collection before."""
        if one is None:
            return _NOT_COUNTED
        why = self.wording.parts_told(one["why_not"] or "")
        if not one["comparable"]:
            return f"BREAK: {why}"
        return f"same count ({why})" if why else "same count"


def _ever(templates: list[Template]) -> Template:
    """Return the newest template with every label that the collections ever had."""
    lists: dict[str, dict[str, str]] = {}
    for name, labels in (item for each in templates for item in each.lists.items()):
        lists[name] = lists.get(name, {}) | labels
    sheets = tuple(sheet for each in templates for sheet in each.sheets)
    return replace(templates[-1], lists=lists, sheets=sheets)


def _order(template: Template) -> Iterator[tuple[str, str]]:
    """Yield the measures as the template has them, each with what is made of it, and of what."""
    for name, measure in template.measures.items():
        shares = (measure.share_name(name, of) for of in measure.shares)
        yield from ((each, name) for each in (name, *shares, f"{name}_share", f"{name}_per_force"))


def _cell(edition: Edition, one: Row | None, column: str) -> Cell:
    counted = one and one["why_not"] != "dropped"
    return Cell(_figure(edition, one, column) if one and counted else _NOT_COUNTED)


def _figure(edition: Edition, one: Row, column: str) -> Figure:
    style = RATE if column == "per_month" else PERCENT if one["unit"] == "percent" else EXACT
    where = {name: one[name] for name in ("measure", "breakdown", "collection")}
    return edition.figure(SERIES, column, style, **where)
