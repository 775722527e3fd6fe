"""The series over collections and its page: each figure beside that of the collection before."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

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
from assets.release.pages.figures import Edition
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
_NOT_COUNTED: Final = Cell("not counted")


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
    by_template: dict[str, list[Collection]] = {}
    for one in released:
        by_template.setdefault(one.collection.template.name, []).append(one.collection)
    about |= {"basis": "; ".join(dict.fromkeys(map(_basis, released)))}
    edition = Edition({SERIES: found}, about)
    figures = (one for of in by_template.values() for one in _sections(of, edition))
    said = (*(f"{one.collection.id}: {_basis(one)}." for one in released), *_HOW)
    page = Page(
        title="Series over collections",
        over=plural(len(released), "released collection"),
        banner=tuple(Text((line,)) for line in said),
        headlines=(),
        sections=(Section("collections", "The collections", (_collections(released),)), *figures),
    )
    ids = [one.collection.id for one in released]
    links = [(f"Report of {name}", f"../{name}/report/{INDEX}") for name in ids]
    return page_html(page, links, about)


def _basis(released: Released) -> str:
    """Return what a release says its figures are: who reads them beside others must know."""
    return str(read_manifest(released.folder).get("basis", "not known"))


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
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one in edition.rows(SERIES):
        if one["collection"] in ids:
            of_measure = found.setdefault(one["measure"], {})
            of_measure.setdefault(one["breakdown"], {})[one["collection"]] = one
    order = [name for of in reversed(collections) for name in _order(of.template)]
    for measure in sorted(found, key=order.index):
        name, title = f"{template.name}-{measure}", sentence(wording.words(measure))
        lines = found[measure]
        rates = any(one["per_month"] is not None for of in lines.values() for one in of.values())
        heads = [Head("What", numeric=False)]
        for before, now in zip((None, *ids), ids, strict=False):
            heads += [Head(now), *([Head(f"{now}: a month")] * rates)]
            heads += [Head(f"{now} against {before}", numeric=False)] if before else []
        rows = tuple(
            (
                Cell(sentence(wording.broken_down(breakdown)) or "All"),
                *(
                    cell
                    for at in ids
                    for cell in _cells(edition, of.get(at), later=at != ids[0], rates=rates)
                ),
            )
            for breakdown, of in lines.items()
        )
        whole = [lines.get("", {}).get(at) for at in ids]
        monthly = [
            (_labelled(one, later=one is not whole[0]), [_figure(edition, one, "per_month")])
            for one in whole
            if one and one["per_month"] is not None
        ]
        drawn = [Chart(charts.rows("bars", monthly), Text((f"{title} a month",)))]
        drawn *= len(monthly) > 1
        table = PageTable(name, f"{title}, by collection", tuple(heads), rows)
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


def _cells(
    edition: Edition, one: dict[str, Any] | None, *, later: bool, rates: bool
) -> Iterator[Cell]:
    """Yield a collection's value, its rate, and in a later one what is to be said of it."""
    if one is None or one["why_not"] == "dropped":
        yield from [_NOT_COUNTED] * (1 + rates)
    else:
        yield Cell(_figure(edition, one, "value"))
        yield from [Cell(_figure(edition, one, "per_month"))] * rates
    if not later:
        return
    if one is None:
        yield _NOT_COUNTED
    elif reason := _break(one):
        yield Cell(f"BREAK: {reason}")
    else:
        yield Cell(f"same count ({one['why_not']})" if one["why_not"] else "same count")


def _figure(edition: Edition, one: dict[str, Any], column: str) -> Figure:
    style = RATE if column == "per_month" else PERCENT if one["unit"] == "percent" else EXACT
    where = {name: one[name] for name in ("measure", "breakdown", "collection")}
    return edition.figure(SERIES, column, style, **where)


def _labelled(one: dict[str, Any], *, later: bool) -> str:
    """Return the collection of a bar; that it is not the same count as the bar before."""
    reason = _break(one) if later else None
    return f"{one['collection']} (BREAK: {reason})" if reason else str(one["collection"])


def _break(one: dict[str, Any]) -> str | None:
    return None if one["comparable"] else str(one["why_not"])
