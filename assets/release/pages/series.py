"""The series over collections and its page: each figure beside that of the collection before."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from assets.figures.comparable import released_collections, series
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

SERIES: Final = "series"
_HOW: Final = (
    "Periods differ in length: where a figure is a count, the rates a month are what to compare."
    " The column after a figure says whether it counts what the collection before counted. Where"
    " it does not, that is a BREAK, and its reason stands there.",
    "Full edition, for the data team and analysts: nothing is suppressed.",
)
_COLLECTIONS: Final = ("Collection", "Title", "Period", "Forces asked", "Return", "Release")
_NOT_COUNTED: Final = "not counted"


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
    with atomic_file(folder / f"{SERIES}.parquet") as file:
        said = {"release": SERIES, "made_from": names, "sources": sources}
        write_mart(file, SERIES, Series, found, said)
    with atomic_file(folder / INDEX) as file:
        file.write(_page(released, found, {"release": names, "sources": sources}).encode())
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
    own = Section("collections", "The collections", (_collections(released),))
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


def _sections(collections: list[Collection], edition: Edition) -> Iterator[Section]:
    """Yield a section for each measure of the collections of one template."""
    ids = [of.id for of in collections]
    template = _ever([of.template for of in collections])
    wording = Wording(template, description(collections[-1].template).words)
    found: dict[str, dict[str, dict[str, Row]]] = {}
    for one in edition.rows(SERIES):
        if one["collection"] in ids:
            of_measure = found.setdefault(one["measure"], {})
            of_measure.setdefault(one["breakdown"], {})[one["collection"]] = one
    order = [name for of in reversed(collections) for name in _order(of.template)]
    for measure in sorted(found, key=order.index):
        name, title = f"{template.name}-{measure}", sentence(wording.words(measure))
        lines, heads = found[measure], [Head("What", numeric=False)]
        rates = any(one["per_month"] is not None for of in lines.values() for one in of.values())
        columns = ["value", "per_month"] if rates else ["value"]
        for before, now in zip((None, *ids), ids, strict=False):
            heads += [Head(now), Head(f"{now}: a month")][: len(columns)]
            heads += [Head(f"{now} against {before}", numeric=False)] if before else []
        rows = []
        for breakdown, of in lines.items():
            cells = [Cell(sentence(wording.broken_down(breakdown)) or "All")]
            for at in ids:
                cells += [_cell(edition, of.get(at), column) for column in columns]
                cells += [Cell(_against(of.get(at)))] if at != ids[0] else []
            rows.append(tuple(cells))
        bars = [
            (f"{at} ({_against(one)})" if at != ids[0] and not one["comparable"] else at, [figure])
            for at in ids
            for one in filter(None, [lines.get("", {}).get(at)])
            for figure in [_figure(edition, one, "per_month")]
            if figure.value is not None
        ]
        drawn = [Chart(charts.rows("bars", bars), Text((f"{title} a month",)))]
        drawn *= len(bars) > 1
        table = PageTable(name, f"{title}, by collection", tuple(heads), tuple(rows))
        yield Section(name, title, (*drawn, table))


def _ever(templates: list[Template]) -> Template:
    """Return the newest template with every label that the collections ever had."""
    lists: dict[str, dict[str, str]] = {}
    for name, labels in (item for each in templates for item in each.lists.items()):
        lists[name] = lists.get(name, {}) | labels
    sheets = tuple(sheet for each in templates for sheet in each.sheets)
    return replace(templates[-1], lists=lists, sheets=sheets)


def _order(template: Template) -> Iterator[str]:
    """Yield the measures as the template has them, each with its shares behind it."""
    for name, measure in template.measures.items():
        yield from (name, *(measure.share_name(name, of) for of in measure.shares), f"{name}_share")


def _cell(edition: Edition, one: Row | None, column: str) -> Cell:
    counted = one and one["why_not"] != "dropped"
    return Cell(_figure(edition, one, column) if one and counted else _NOT_COUNTED)


def _against(one: Row | None) -> str:
    """Return what a collection's figure is beside that of the collection before."""
    if one is None:
        return _NOT_COUNTED
    if not one["comparable"]:
        return f"BREAK: {one['why_not']}"
    return f"same count ({one['why_not']})" if one["why_not"] else "same count"


def _figure(edition: Edition, one: Row, column: str) -> Figure:
    style = RATE if column == "per_month" else PERCENT if one["unit"] == "percent" else EXACT
    where = {name: one[name] for name in ("measure", "breakdown", "collection")}
    return edition.figure(SERIES, column, style, **where)
