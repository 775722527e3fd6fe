"""Marts to be read by people, made by plain functions; and reading them back off a page."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl

from assets.figures import comparable
from assets.figures.reconcile import reconcile
from assets.figures.recount import checks
from assets.figures.totals import cube, marts, national
from assets.inputs.research import tables
from assets.inputs.research.tables import ResearchTables, no_research
from assets.marts import DESCRIPTION, write_manifest, write_mart
from assets.release.gate.process import Gate
from assets.release.pages.drawn import drawn
from assets.release.pages.figures import Edition
from assets.release.pages.pages import pages_of
from schemas.collection import Collection, description
from schemas.conform import conform
from schemas.contract import empty
from schemas.finding import Finding
from schemas.marts import MARTS, ReturnsStatus
from schemas.tables import ReportFigures

Marts = dict[str, pl.DataFrame]
ABOUT = {
    "release": "2012-revisit-0123456789ab",
    "collection": "2012-revisit",
    "sources": "returns of the forces; published figures",
    "basis": "reconstructed: made so that the published totals hold; no force sent them",
}

NO_GATE = cast(Gate, SimpleNamespace(draw=lambda edition: lambda: drawn(edition)))
"""A gate that draws in this process."""


def marts_of(
    live: pl.DataFrame,
    collection: Collection,
    research: ResearchTables | None = None,
    printed: pl.DataFrame | None = None,
    states: Mapping[str, str] | None = None,
) -> Marts:
    """Return the marts of a release; a force in `states` has that state, others by `live`."""
    own = research or no_research()
    printed = empty(ReportFigures) if printed is None else printed
    totals = national.national_totals(live, collection, own)
    investigations, cells = marts.investigations(live, collection), marts.cells(live, collection)
    status = _status(live, collection, states or {})
    laid = cube.cube(totals, collection)
    made = {
        "national_totals": totals,
        "investigations": investigations,
        "outcome_breakdown": marts.outcome_breakdown(live, collection),
        "force_profiles": marts.force_profiles(live, status, printed, collection, own.instances),
        "register_entries": marts.register_entries(live, collection),
        "second_jobs": marts.second_jobs(live, collection),
        "capability_answers": marts.capability_answers(live, collection),
        "capability_adoption": marts.capability_adoption(laid, collection),
        "cube": laid,
        "codes": cube.codes(collection),
        "measures": cube.measures(totals, collection),
        "workforce": marts.workforce(collection),
        "comparisons": comparable.comparisons(totals, live, collection),
        "distribution": marts.distribution(laid, collection),
        "social_media": tables.social_media(own.instances),
        "survey": tables.survey(own.responses),
        "survey_changes": tables.survey_changes(own.responses),
        "national_checks": checks.national_checks(checks.Totals(totals, cells, collection, own)),
        "reconciliation": reconcile(totals, live, printed, collection, own.instances),
        "returns_status": status,
        "cells": cells,
    }
    return {name: empty(contract) for name, contract in MARTS.items()} | made


def show_release(
    root: Path, totals: pl.DataFrame, collection: Collection, **more: pl.DataFrame
) -> Path:
    """Put a release of national totals into a lake, and show it; return its folder."""
    folder = root / "releases" / collection.id / f"{collection.id}-0123456789ab"
    for name, content in description(collection.id).items():
        (folder / DESCRIPTION / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / DESCRIPTION / name).write_bytes(content)
    about = {**ABOUT, "collection": collection.id, "release": folder.name}
    with (folder / "national_totals.parquet").open("wb") as file:
        contract = MARTS["national_totals"]
        write_mart(file, "national_totals", contract, totals, about, collection.template)
    for name, mart in more.items():
        mart.write_parquet(folder / f"{name}.parquet")
    write_manifest(folder, {**about, "made_from": {"live": []}})
    (root / "marts").mkdir(exist_ok=True)
    (root / "marts" / collection.id).symlink_to(folder)
    return folder


def write_pages(folder: Path, edition: Edition) -> None:
    """Write the pages of an edition into a folder."""
    for name, html in pages_of(edition):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(html, encoding="utf-8")


def finding(force_code: str, severity: str, **changed: str | None) -> dict[str, str | None]:
    """Return a row of the mart Findings."""
    plain = dict.fromkeys([each.name for each in fields(Finding)], "x")
    return {
        **plain, "receipt_id": force_code.lower() * 5, "rule_id": "Q102", "sheet": "investigations",
        "cell": "H12", "reason": None, "accepted_by": None, "effect": None,
        "force_code": force_code, "severity": severity, **changed,
    }  # fmt: skip


def _status(live: pl.DataFrame, collection: Collection, states: Mapping[str, str]) -> pl.DataFrame:
    sent = set(live["force_code"])
    rows = []
    for code in collection.forces:
        state = states.get(code, "accepted" if code in sent else "missing")
        here = state != "missing"
        rows.append(
            {
                "force_code": code,
                "state": state,
                "receipt_id": code.lower() * 5 if here else None,
                "version": 1 if here else None,
                "received_at": "2012-06-20T22:30:00+00:00" if here else None,
                "sha256": code.lower() * 21 if here else None,
                "blocking": int(state == "rejected"),
                "queries_open": int(state == "queried"),
                "queries_answered": 0,
                "notes": None,
            }
        )
    return conform(ReturnsStatus, pl.DataFrame(rows, schema=empty(ReturnsStatus).schema))


@dataclass(frozen=True)
class Shown:
    """Something on a page that has an address in the marts."""

    source: str
    of: str | None
    text: str
    rank: bool = False
    per: int = 100


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Shown] = []
        self.bare: list[str] = []
        self._open: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"td", "span", "dd"}:
            self._open.append([tag, dict(attrs), ""])

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element[2] += data

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"td", "span", "dd"}:
            return
        name, attributes, text = self._open.pop()
        if "data-from" in attributes:
            of = attributes.get("data-of"), text, "data-rank" in attributes
            of = *of, int(attributes.get("data-per") or 100)
            self.shown.append(Shown(attributes["data-from"], *of))
        elif name == "td":
            self.bare.append(text)


def read_page(path: Path) -> tuple[list[Shown], list[str]]:
    """Return what has an address on a page, and the texts of table cells that have none."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.shown, reader.bare


class Answers:
    """What stands at an address, worked out from the marts by other code than the pages use."""

    def __init__(self, marts: Mapping[str, pl.DataFrame]) -> None:
        self._rows = {name: frame.to_dicts() for name, frame in marts.items()}
        self._by = cache(self._sorted)
        self.at = cache(self._at)

    def _sorted(self, mart: str, names: tuple[str, ...]) -> dict[tuple[str, ...], list[Any]]:
        """Return the rows of a mart by the texts of some of their values."""
        found: dict[tuple[str, ...], list[Any]] = {}
        for row in self._rows.get(mart, []):
            values = ("" if row[name] is None else str(row[name]) for name in names)
            found.setdefault(tuple(values), []).append(row)
        return found

    def _rows_at(self, address: str) -> list[dict[str, Any]]:
        mart, *conditions, _ = address.split(" ")
        where = dict(condition.split("=", 1) for condition in conditions)
        return self._by(mart, tuple(where)).get(tuple(where.values()), [])

    def _at(self, address: str) -> Any:
        rows, column = self._rows_at(address), address.rpartition(" ")[2]
        if column == "rows":
            return len(rows)
        values = [row[column] for row in rows]
        if not values or any(value is None for value in values):
            return None
        if isinstance(values[0], str | bool):
            assert len(values) == 1, f"{address} stands for {len(values)} rows"
            return values[0]
        return sum(values)

    def _rank(self, address: str) -> str | None:
        """Return the place of a force among all, by what stands at an address of it."""
        mart, force, column = address.split(" ")
        is_public = any(f"{column}_symbol" in row for row in self._rows.get(mart, []))
        numbers = {row["force_code"]: row[column] for row in self._rows.get(mart, [])}
        mine = numbers.get(force.partition("=")[2])
        if mine is None:
            return None
        known = sorted((n for n in numbers.values() if n is not None), reverse=True)
        place = known.index(mine) + 1
        ending = {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
        said = f"{place}{ending if place not in {11, 12, 13} else 'th'} of {len(known)}"
        said += " shown" if is_public and len(known) < len(numbers) else ""
        return f"joint {said}" if known.count(mine) > 1 else said

    def _is_hidden(self, address: str) -> bool:
        """Return whether a symbol beside what stands at an address says that it is hidden."""
        column, rows = address.rpartition(" ")[2], self._rows_at(address)
        beside = {row.get(f"{column}_symbol", row.get("symbol")) for row in rows}
        return "c" in beside

    def wrong(self, shown: Shown) -> str | None:
        """Return what is wrong with something shown, None for nothing."""
        expected = self._rank(shown.source) if shown.rank else self.at(shown.source)
        if shown.of is not None and expected is not None:
            whole = self.at(shown.of)
            expected = shown.per * expected / whole if whole else None
        hidden = [one for one in (shown.source, shown.of) if one and self._is_hidden(one)]
        if expected is None and (hidden or shown.text in {"hidden", "[c]"}):
            return None if hidden and shown.text in {"hidden", "[c]"} else f"hidden? {shown}"
        if shown.text == "not totalled" and expected is None:
            parts = (address for address in (shown.source, shown.of) if address)
            return None if not all(map(self._rows_at, parts)) else f"{shown.source} is totalled"
        if agrees(shown.text, expected):
            return None
        return f"{shown.source} of {shown.of}: shown {shown.text!r}, in the marts {expected!r}"


_NUMBER = re.compile(r"^[+\u2212]?\d{1,3}(,\d{3})*(\.\d+)?(%| times)?$")


def is_number(text: str) -> bool:
    """Return whether a text is a number as the pages write it."""
    return bool(_NUMBER.match(text))


def agrees(text: str, value: Any) -> bool:
    """Return whether a text says what a value of a mart is, to the digits it shows."""
    if value is None or value in {"not_held", "not_applicable"}:
        return text in {"not known", "[x]"}
    if isinstance(value, bool):
        return text == ("yes" if value else "no")
    if value in {0, 1} and text in {"no", "yes"}:
        return text == ("yes" if value else "no")
    if not is_number(text):
        return text == value
    digits = text.replace(",", "").replace("\u2212", "-").removesuffix("%").removesuffix(" times")
    places = len(digits.partition(".")[2])
    return abs(float(digits) - float(value)) <= 0.5 * 10**-places + 1e-9


def pages_in(folder: Path) -> Iterator[Path]:
    """Yield every page of a folder, the first page first."""
    yield folder / "index.html"
    yield from sorted(path for path in folder.glob("*.html") if path.stem != "index")
    yield from sorted((folder / "forces").glob("*.html"))
