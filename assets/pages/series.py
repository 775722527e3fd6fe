"""The page of the series over collections: each figure beside that of the collection before."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet

from assets.explain.released import Released
from assets.explain.series import SERIES, released_collections
from assets.pages.charts import trend
from assets.pages.content import (
    EXACT,
    PERCENT,
    RATE,
    Cell,
    Chart,
    Head,
    Page,
    Section,
    Style,
    Table,
    heads,
    row,
    text,
)
from assets.pages.description import description
from assets.pages.figures import Edition
from assets.pages.wording import Wording, months, sentence
from assets.pages.write import INDEX, write_page
from schemas.collection import Collection
from schemas.template import Template
from schemas.wording import plural

_STYLES: Final[dict[str, Style]] = {"percent": PERCENT}
_NOT_COUNTED: Final = "not counted"
_HOW: Final = (
    "Periods differ in length: where a figure is a count, the rates a month are what to compare."
    " The column after a figure says whether it counts what the collection before counted. Where"
    " it does not, that is a BREAK: its reason stands there, and no line is drawn across it."
)


def write_series_page(root: Path, series: pl.DataFrame) -> Path:
    """Write `marts/series/index.html` of a lake, which loads nothing else; return where it is.

    Args:
        root: the lake.
        series: the mart Series of what it has released.

    Raises:
        LakeError: a release or the page cannot be read or written.
    """
    released = released_collections(root)
    about = {
        "release": ", ".join(one.folder.name for one in released),
        "sources": "; ".join(dict.fromkeys(one.collection.sources for one in released)),
        "basis": "; ".join(dict.fromkeys(_basis(one) for one in released)),
    }
    links = [
        (f"Report of {one.collection.id}", f"../{one.collection.id}/report/{INDEX}")
        for one in released
    ]
    path = root / "marts" / SERIES / INDEX
    write_page(path, _page(released, Edition({SERIES: series}, about)), links, about)
    return path


def _basis(released: Released) -> str:
    """Return what a release says its figures are: who reads them beside others must know."""
    said = pyarrow.parquet.read_schema(released.folder / "national_totals.parquet").metadata or {}
    return bytes(said.get(b"basis", b"not known")).decode()


def _page(released: list[Released], edition: Edition) -> Page:
    by_template: dict[str, list[Collection]] = {}
    for one in released:
        by_template.setdefault(one.collection.template.name, []).append(one.collection)
    return Page(
        title="Series over collections",
        over=plural(len(released), "released collection"),
        banner=(
            *(text(f"{one.collection.id}: {_basis(one)}.") for one in released),
            text(_HOW),
            text("Full edition, for the data team and analysts: nothing is suppressed."),
        ),
        headlines=(),
        sections=(
            Section("collections", "The collections", (_collections(released),)),
            *(
                section
                for collections in by_template.values()
                for section in _sections(collections, edition)
            ),
        ),
    )


def _collections(released: Iterable[Released]) -> Table:
    words = ("Title", "Period", "Forces asked", "Return", "Release")
    return Table(
        "collections",
        "The released collections, in the order of their periods",
        heads("Collection", words=words),
        tuple(
            row(
                of.id, of.title, f"{months(of.period)} ({plural(of.period.months, 'month')})",
                plural(len(of.forces), "force"), f"{of.template.name}-{of.template.version}",
                one.folder.name,
            )
            for one in released
            for of in [one.collection]
        ),
    )  # fmt: skip


def _sections(collections: list[Collection], edition: Edition) -> Iterator[Section]:
    """Yield a section for each measure of the collections of one template."""
    template, ids = collections[-1].template, [of.id for of in collections]
    wording = Wording(_ever(collections), description(template).words)
    found = {
        (one["measure"], one["breakdown"], one["collection"]): one
        for one in edition.rows(SERIES)
        if one["collection"] in ids
    }
    order = [name for of in reversed(collections) for name in _order(of.template)]
    for measure in sorted({of for of, *_ in found}, key=order.index):
        mine = {
            key: one for (of, *key_), one in found.items() if of == measure for key in [(*key_,)]
        }
        name, title = f"{template.name}-{measure}", sentence(wording.words(measure))
        rates = any(one["per_month"] is not None for one in mine.values())
        rows = tuple(
            (
                Cell(sentence(wording.broken_down(breakdown)) or "All"),
                *_cells(edition, [mine.get((breakdown, of)) for of in ids], rates=rates),
            )
            for breakdown in dict.fromkeys(breakdown for breakdown, _ in mine)
        )
        table = Table(name, f"{title}, by collection", _heads(collections, rates=rates), rows)
        whole = [mine.get(("", of)) for of in ids]
        yield Section(name, title, (*_drawn(edition, name, title, whole), table))


def _ever(collections: list[Collection]) -> Template:
    """Return the newest template with every label that the collections ever had."""
    templates = [of.template for of in collections]
    lists: dict[str, dict[str, str]] = {}
    for name, labels in (item for each in templates for item in each.lists.items()):
        lists[name] = lists.get(name, {}) | labels
    sheets = tuple(sheet for each in templates for sheet in each.sheets)
    return replace(templates[-1], lists=lists, sheets=sheets)


def _order(template: Template) -> Iterator[str]:
    """Yield the measures as the template has them, each with its shares behind it."""
    for name, measure in template.measures.items():
        yield from (name, *(measure.share_name(name, of) for of in measure.shares), f"{name}_share")


def _heads(collections: list[Collection], *, rates: bool) -> tuple[Head, ...]:
    found = [Head("What", numeric=False)]
    for number, of in enumerate(collections):
        found += [Head(of.id), *([Head(f"{of.id}: a month")] if rates else [])]
        if number:
            found.append(Head(f"{of.id} against {collections[number - 1].id}", numeric=False))
    return tuple(found)


def _cells(edition: Edition, found: list[dict[str, Any] | None], *, rates: bool) -> Iterator[Cell]:
    """Yield the cells of a figure: each collection's value, rate and what is to be said of it."""
    for number, one in enumerate(found):
        if one is None or one["why_not"] == "dropped":
            yield from [Cell(_NOT_COUNTED)] * (1 + rates)
        else:
            at = _at(one)
            yield Cell(edition.figure(SERIES, "value", _STYLES.get(one["unit"], EXACT), **at))
            yield from [Cell(edition.figure(SERIES, "per_month", RATE, **at))] * rates
        if number:
            yield Cell(_said(one) if one else _NOT_COUNTED)


def _said(found: dict[str, Any]) -> str:
    if not found["comparable"]:
        return f"BREAK: {found['why_not']}"
    return f"same count ({found['why_not']})" if found["why_not"] else "same count"


def _drawn(
    edition: Edition, name: str, title: str, whole: list[dict[str, Any] | None]
) -> tuple[Chart, ...]:
    """Return the rates a month of a whole measure, as a chart; nothing where it has none."""
    points = [
        (one["collection"], edition.figure(SERIES, "per_month", RATE, **_at(one)), _break(one))
        for one in whole
        if one and one["per_month"] is not None
    ]
    if len(points) < 2:
        return ()
    return (trend(f"chart-{name}", f"{title} a month", points),)


def _at(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("measure", "breakdown", "collection")}


def _break(one: dict[str, Any]) -> str | None:
    return None if one["comparable"] else str(one["why_not"])
