"""What figures of two collections count, beside each other: marts Comparisons and Series.

Codes that a template renamed (`since`) and forces that merged are followed as its data say; where
a figure is not the same count as before, the row says so, and why. Of an earlier period that the
returns ask about, what was before is what they say of it; of another collection it is what that
one released, and nothing else: never what anybody says of it now.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.figures.explain.released import Released
from assets.figures.totals.leaves import PLACE, counted_in, divided
from assets.marts import read_mart
from assets.previous import Earlier, parts_of_forces, renamed
from schemas.breakdown import read_breakdown, write_breakdown
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.errors import MusterError
from schemas.figures import levels
from schemas.marts import Comparisons, Series
from schemas.measures import NOW, QUESTION
from schemas.template import Entry, Place, Template
from schemas.vocabulary import MISSING_REASONS
from schemas.wording import plural

Row = dict[str, Any]
"""A row of NationalTotals."""

_SHOWN: Final = ("count", "share", "answers", "statistic")
"""The kinds of figures that a series has: rates a month stand beside counts."""

SERIES: Final = "series"
"""The folder of marts that has the series over collections, and its file there."""
_FORCES: Final = "forces_included"
_OF_FORCES: Final = pl.col("breakdown").str.contains(r"\bstatistic=")
"""Of a statistic over forces, which is no count: it need not be whole."""


class Held:
    """Which forces gave a number, or an answer, in which cells."""

    def __init__(self, cells: pl.DataFrame) -> None:
        """Take the mart Cells, or LiveEntries."""
        given = cells.filter(~pl.col("value").is_in(list(MISSING_REASONS)))
        by_cell = given.group_by(PLACE).agg("force_code")
        self._forces: dict[Place, frozenset[str]] = {
            (sheet, row, column): frozenset(codes)
            for sheet, row, column, codes in by_cell.select(*PLACE, "force_code").iter_rows()
        }

    def forces(self, of: Iterable[Entry]) -> tuple[frozenset[str], frozenset[str]]:
        """Return who gave any of some cells, and who of them not each."""
        each = [self._forces.get(cell.place, frozenset[str]()) for cell in of] or [frozenset[str]()]
        some = frozenset[str]().union(*each)
        return some, some - each[0].intersection(*each)


class Year:
    """A released collection: its figures in the codes of the last, and what each of them counts."""

    def __init__(
        self, collection: Collection, totals: pl.DataFrame, held: Held, last: Collection,
        known: list[Template],
    ) -> None:  # fmt: skip
        """Take the collection and its mart NationalTotals; `last` is that whose codes are meant."""
        self.collection = collection
        self.held = held
        self.template = collection.template
        self.asked = {str(row.entries[0].measure) for row in self.template.asked}
        # A version that said nothing of it counted the same.
        self.stocks = {n for each in known for n, m in each.measures.items() if m.kind == "stock"}
        self._called = renamed(self.template, last.template, last.root, known)
        rows = totals.filter(period=NOW).to_dicts()
        self.rows = {
            (row["measure"], write_breakdown(self._now(read_breakdown(row["breakdown"])))): row
            for row in rows
            if self.kind(row["measure"])[0]
        }

    def kind(self, measure: str) -> tuple[str, str]:
        """Return what a figure of a series is, one of _SHOWN, and of which measure.

        Of any other figure the kind is empty.
        """
        at = levels(self.template).get(measure, ())
        of = (lv for lv in at if lv.kind in _SHOWN)
        return next(((lv.kind, lv.of) for lv in of), ("", measure))

    def is_count(self, measure: str, breakdown: str) -> bool:
        """Return whether a figure is a number that cells add up to, and none of answers."""
        of_cells = self.kind(measure)[0] == "count" and measure not in self.asked
        return of_cells and "statistic" not in read_breakdown(breakdown)

    def _now(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {name: self._called.get(name, {}).get(code, code) for name, code in parts.items()}

    def cells(self, row: Row) -> set[tuple[str, ...]]:
        """Return what a figure counts: the codes of each of its cells, as they are called now.

        Of a share they are the cells of its whole.
        """
        return {
            tuple(f"{name}={code}" for name, code in self._now(cell.dims).items())
            for cell in _cells(self.template, row)
        }

    def wording(self, row: Row) -> dict[str, str]:
        """Return by dimension the words of the question that a figure is of, and of its codes.

        Those of a code that has another name by now are other words for the same.
        """
        parts = read_breakdown(row["breakdown"])
        worded = {each.code: each.label for each in self.template.asked}
        known = {**self.template.lists, QUESTION: worded}
        now = self._now(parts)
        return {
            name: known.get(name, {}).get(code, code)
            for name, code in parts.items()
            if name == QUESTION or now[name] == code
        }


def _cells(template: Template, row: Row) -> list[Entry]:
    """Return the cells of a figure, of a share those of its whole."""
    found = counted_in(template, row["measure"], row["breakdown"], row["period"])
    return found.whole or found.cells if found else []


def forces_apart(before: Collection, now: Collection) -> tuple[str, str]:
    """Return which forces merged from one collection to the next, and which came or went."""
    heir = {was: code for code, those in parts_of_forces(before, now).items() for was in those}
    merged = [code for code in before.forces if code not in now.forces and code in heir]
    into = sorted({heir[code] for code in merged})
    apart = sorted({heir.get(code, code) for code in before.forces} ^ set(now.forces))
    return (
        f"merged: {', '.join(merged)} are {', '.join(into)}" if merged else "",
        f"other forces: {', '.join(apart)}" if apart else "",
    )


def compared(
    before: Year, now: Year, figure: tuple[str, str], merged: str, others: str
) -> tuple[list[str], list[str]]:
    """Return why a figure does not count the same as before, and what else is to be said of it."""
    was, row = before.rows.get(figure), now.rows.get(figure)
    if was is None or row is None:
        return ["new" if was is None else "dropped"], []
    notes, breaks = ["renamed"] if row["breakdown"] != was["breakdown"] else [], [others]
    counts, counted = now.cells(row), before.cells(was)
    for what, cells in (("new", counts - counted), ("dropped", counted - counts)):
        told = sorted(_apart(cells, counts & counted))
        breaks.append(f"{what}: {', '.join(told)}" if told else "")
    said, other = now.wording(row), before.wording(was)
    reworded = any(said[name] != other[name] for name in said.keys() & other.keys())
    breaks.append("reworded" if reworded else "")
    # What is counted over bodies is another count where two of them are one.
    of_bodies = now.kind(figure[0])[1] in now.asked or "statistic" in read_breakdown(figure[1])
    (breaks if of_bodies else notes).append(merged)
    for of, one in ((before, was), (now, row)):
        partly = of.held.forces(_cells(of.template, one))[1]
        breaks += [_short(of.collection.id, one), _partly(of.collection.id, partly)]
    return [text for text in breaks if text], [text for text in notes if text]


def _short(where: str, row: Row | None) -> str:
    """Return how many of the forces are in a figure, where not all are."""
    if row is None or row[_FORCES] >= row["forces_expected"]:
        return ""
    return f"{where} has {row[_FORCES]} of {row['forces_expected']} forces"


def _partly(where: str, forces: frozenset[str]) -> str:
    """Return how many forces a sum leaves a part of out, since they do not hold it."""
    return f"{where} lacks parts of {plural(len(forces), 'force')}" if forces else ""


def _apart(cells: set[tuple[str, ...]], both: set[tuple[str, ...]]) -> set[str]:
    """Return the codes that only some cells have and none of the others."""
    shared = {code for cell in both for code in cell}
    return {code for cell in cells for code in cell} - shared or {";".join(cell) for cell in cells}


_BESIDES: Final = {"months": pl.Int64, "previous_months": pl.Int64, "of_same_forces": pl.Boolean}


def comparisons(
    national: pl.DataFrame,
    cells: pl.DataFrame,
    collection: Collection,
    released: Mapping[str, Earlier] | None = None,
) -> pl.DataFrame:
    """Return the mart Comparisons from the marts NationalTotals and Cells.

    `released` has the releases of earlier collections, by their ids (`earlier_releases`); beside
    one that is not there, or is of another return, nothing stands.

    Raises:
        LakeError: a release cannot be read.
    """
    rows: list[Row] = []
    held = Held(cells)
    for period, of in collection.comparators.items():
        if of.collection:
            release = (released or {}).get(of.collection)
            year = Year(collection, national, held, collection, [collection.template])
            rows += _beside(year, period, of.collection, release)
        else:
            rows += _asked(national, held, collection, period, of.months)
    both = pl.DataFrame(rows, schema={**empty(Comparisons).schema, **_BESIDES}).with_columns(
        divided(pl.col("value"), pl.col("months")).alias("per_month"),
        divided(pl.col("previous_value"), pl.col("previous_months")).alias("previous_per_month"),
    )
    now, before = (pl.coalesce(f"{of}per_month", f"{of}value") for of in ("", "previous_"))
    # Where another count was released, or one of other forces, it would be of two different things.
    alike = pl.col("comparable") | pl.col("of_same_forces")
    ratio = pl.when((before > 0) & alike).then(now / before).alias("ratio")
    return conform(Comparisons, both.with_columns(ratio))


def _asked(
    national: pl.DataFrame, held: Held, collection: Collection, period: str, months: int
) -> Iterator[Row]:
    """Yield what the returns say of an earlier period, each beside the same figure of now."""
    template = collection.template
    sums = pl.col("measure").is_in([*template.measures]) & ~_OF_FORCES
    counts = national.filter(sums)
    now, then = (
        {(row["measure"], row["breakdown"]): row for row in counts.filter(period=p).to_dicts()}
        for p in (NOW, period)
    )
    for figure, was in then.items():
        row, stock = now.get(figure), template.measures[figure[0]].kind == "stock"
        each = (None, None) if stock else (collection.period.months, months)
        (those, less), (these, fewer) = (
            held.forces(_cells(template, one)) if one else (frozenset[str](), frozenset[str]())
            for one in (was, row)
        )
        short = [_short(period, was), _partly(period, less)]
        short += [_short(collection.id, row), _partly(collection.id, fewer)]
        yield _row(figure, period, (row, was), each, short) | {
            "of_same_forces": these == those and not less and not fewer,
        }


def _beside(year: Year, period: str, other: str, before: Earlier | None) -> Iterator[Row]:
    """Yield every count beside that of the release before; where there is none, why."""
    collection = year.collection
    then, apart = None, ("", "")
    if before:
        templates = [before.collection.template, collection.template]
        totals = read_mart(before.folder, "national_totals")
        held = Held(read_mart(before.folder, "cells"))
        then = Year(before.collection, totals, held, collection, templates)
        apart = forces_apart(before.collection, collection)
    for key in filter(lambda key: year.is_count(*key), sorted(year.rows)):
        months: tuple[int | None, int | None] = None, None
        was, why = None, ([f"{other} has no release of this return"], list[str]())
        if then:
            was, why = then.rows.get(key), compared(then, year, key, *apart)
            if key[0] not in then.stocks:
                months = collection.period.months, then.collection.period.months
        yield _row(key, period, (year.rows[key], was), months, *why) | {
            "previous_collection": other,
            "previous_release": before and before.folder.name,
        }


def _row(
    figure: tuple[str, str],
    period: str,
    totals: tuple[Row | None, Row | None],
    months: tuple[int | None, int | None],
    breaks: Sequence[str],
    notes: Sequence[str] = (),
) -> Row:
    value, was = (None if one is None or one["value"] is None else int(one["value"])
                  for one in totals)  # fmt: skip
    return {
        "measure": figure[0],
        "breakdown": figure[1],
        "period": NOW,
        "value": value,
        "months": months[0],
        "previous_period": period,
        "previous_value": was,
        "previous_months": months[1],
        "comparable": not any(breaks),
        "why_not": "; ".join(filter(None, [*breaks, *notes])) or None,
    }


def released_collections(root: Path) -> list[Released]:
    """Return the release of each collection that analysts see, in the order of their periods.

    One that repeats another is none of them: nothing was counted beside what that counted.

    Raises:
        SetupError: a collection that keeps no description in its release is not known either.
    """
    shown = [link for link in sorted((root / "marts").glob("*")) if link.is_symlink()]
    found = [Released.shown(link.resolve(), link.name, root) for link in shown if link.exists()]
    own = [one for one in found if not one.collection.repeats]
    return sorted(own, key=lambda one: (one.collection.period.start, one.collection.id))


def outdated_series(root: Path) -> str | None:
    """Return what the series of a lake is, if not of the releases shown now; None where it is.

    And where there is none.
    """
    try:
        if not (mart := root / "marts" / SERIES / f"{SERIES}.parquet").exists():
            return None
        of = pl.read_parquet_metadata(mart).get("made_from")
        now = ", ".join(one.folder.name for one in released_collections(root))
    except Exception as error:  # whatever keeps it from being read is the reason
        why = f": {error}" if isinstance(error, MusterError) else ""
        return f"cannot be held to the releases that are shown{why}"
    return None if of == now else f"is of {of}; shown are {now or 'none'}"


def series(released: Iterable[Released]) -> pl.DataFrame:
    """Return the mart Series of releases in the order of their periods."""
    by_template: dict[str, list[Released]] = {}
    for one in released:
        by_template.setdefault(one.collection.template.name, []).append(one)
    rows = [row for years in by_template.values() for row in _of_template(years)]
    return conform(Series, pl.DataFrame(rows, schema=empty(Series).schema))


def _of_template(released: list[Released]) -> Iterator[Row]:
    """Yield the rows of the collections of one template, in the codes of the last."""
    templates = [one.collection.template for one in released]
    last = released[-1].collection
    years = [
        Year(one.collection, one.mart("national_totals"), Held(one.mart("cells")), last, templates)
        for one in released
    ]
    for before, year in zip([None, *years], years, strict=False):
        earlier = before.rows if before else {}
        forces = forces_apart(before.collection, year.collection) if before else ("", "")
        for key in sorted({*year.rows, *earlier}):
            row, was = year.rows.get(key), earlier.get(key)
            breaks, notes = compared(before, year, key, *forces) if before else ([], [])
            value: float | None = row["value"] if row else None
            unit, months = (row or was or {})["unit"], year.collection.period.months
            rated = unit not in _NO_RATE and year.kind(key[0])[1] not in year.stocks
            yield {
                "measure": key[0],
                "breakdown": key[1],
                "collection": year.collection.id,
                "value": value,
                "per_month": value / months if rated and value is not None else None,
                "unit": unit,
                "comparable": not breaks,
                "why_not": "; ".join([*breaks, *notes]) or None,
            }


_NO_RATE: Final = {"percent", "forces"}
