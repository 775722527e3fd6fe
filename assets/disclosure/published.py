"""A public edition and what nobody sees of it: the counts behind it, and the rules they passed.

Where counts of single forces stand, and which sums of them are shown, is taken from the template.
Nothing of it is used in reading what an edition tells (readings.py): a mistake here does not hide
itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Final, NamedTuple

import polars as pl

from assets.disclosure.passed import TELLING, Cells, Held, Ways, cells_of, told, ways_of
from assets.figures.totals import leaves
from schemas import vocabulary as v
from schemas.breakdown import read_breakdown, write_breakdown
from schemas.collection import Collection
from schemas.contract import keys
from schemas.disclosure import PROFILES
from schemas.marts import MARTS
from schemas.measures import NOW, Protections
from schemas.public import PUBLIC
from schemas.rules.catalogue import RuleUse, rules
from schemas.template import Entry, Place, Template

BEHIND: Final[dict[str, tuple[str, ...]]] = {
    "investigations": (),
    "register_entries": (),
    "second_jobs": (),
    "social_media": (),
    "force_profiles": (),
    "cells": ("force_code", "sheet", "row_code", "column_code", "value"),
    "national_totals": (),
    "reconciliation": (),
    "capability_answers": (),
    "returns_status": ("force_code", "state", "sha256"),
}
"""Marts of the full edition that say what stands behind a public one; their columns, () for all."""

CELLS: Final = "cells"
_PLACE: Final = ("sheet", "row_code", "column_code")
RESEARCHED: Final = "social_media_cases"
"""The sum of a research's counts that a profile shows: those of the collection's year."""

Leaf = tuple[Any, ...]
"""What tells the entries of one force apart: the place in the template, or a research's codes."""

Among = Callable[[Leaf], bool]
"""Whether an entry is among those that a sum adds up."""


class Counted(NamedTuple):
    """The count of an entry: its key, its leaf, its name (mart, column and cell), the number."""

    key: dict[str, Any]
    leaf: Leaf
    name: tuple[str, str, str]
    number: int


@dataclass(frozen=True)
class Source:
    """One kind of entry, and the columns of force_profiles that add it up.

    `mart` and `value` name the column of the entries, `dims` the columns that tell a force's
    entries apart; `places` are the template's entries that stand there. Those of CELLS stand in no
    public mart; sums of them do, unless they are `apart`: then national totals alone do.
    """

    subject: str
    mart: str
    value: str
    dims: tuple[str, ...]
    places: tuple[Entry, ...] = ()
    sums: Mapping[str, Among] = field(default_factory=dict)
    apart: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the entries stand in a public mart."""
        return self.mart != CELLS

    def counts(self, marts: Mapping[str, pl.DataFrame]) -> Iterator[Counted]:
        """Yield every entry that has a number."""
        if self.mart not in marts:
            return
        # Profiles of a time before they had a column: what it has now stood in cells.
        in_cells = self.mart == CELLS or self.value not in marts[self.mart].columns
        frame = marts[CELLS if in_cells else self.mart]
        if "item" in self.dims:
            frame = frame.filter(pl.col("item").is_in([entry.row_code for entry in self.places]))
        if in_cells:
            schema = dict.fromkeys(_PLACE, pl.String)
            here = pl.DataFrame([entry.place for entry in self.places], schema, orient="row")
            frame = frame.join(here, on=list(_PLACE), how="semi")
        elif self.mart == PROFILES:
            frame = frame.filter(pl.col("basis") != "published")
        # What a cell says in place of a number is no count, and so none to protect.
        value = pl.col("value" if in_cells else self.value)
        number = value.cast(pl.Int64, strict=not in_cells).alias("number")
        found = frame.select("force_code", *self.dims, number).drop_nulls("number").sort(pl.all())
        entries = {tuple(_part(entry, name) for name in self.dims): entry for entry in self.places}
        for row in found.iter_rows(named=True):
            count, codes = row.pop("number"), tuple(row[name] for name in self.dims)
            entry = entries.get(codes)
            name = self.mart, self.value, cell_of(row)
            if entry is not None and self.mart == CELLS:
                period = {} if entry.period == NOW else {"period": entry.period}
                own = {"force_code": row["force_code"], **period, **entry.dims}
                name = CELLS, str(entry.measure), cell_of(own)
            yield Counted(row, codes if entry is None else entry.place, name, count)


def cell_of(row: Mapping[str, Any]) -> str:
    """Return the name of a row by its key: key=value pairs joined by ';'."""
    return ";".join([f"{key}={value}" for key, value in row.items() if value is not None])


def force_of(cell: str) -> str:
    """Return the force whose count has that name."""
    return cell.partition(";")[0].removeprefix("force_code=")


def _part(entry: Entry, name: str) -> Any:
    name = "row_code" if name == "item" else name
    return getattr(entry, name) if name in _PLACE else entry.dims.get(name)


@cache
def places_of(
    template: Template, measure: str, breakdown: str, period: str, *, every: bool = False
) -> frozenset[Place]:
    """Return the cells that a total of protected counts adds up; none for another figure.

    With `every`, also those that the total of the nation leaves out, as a profile has them.
    """
    codes = read_breakdown(breakdown)
    if measure not in protections(template).measures or not {*codes} <= {*template.dimensions}:
        return frozenset()
    cells = leaves.cells_in(template, measure, codes, period, every=every)
    return frozenset(cell.place for cell in cells)


def protections(template: Template) -> Protections:
    """Return what the template protects; nothing where it does not say."""
    return template.disclosure or Protections(measures={})


def seen_until(collection: Collection) -> int:
    """Return the last year whose research a collection before may have published; 0 for none."""
    periods = collection.comparators.values()
    return max((period.end.year for period in periods if period.collection), default=0)


def sources(collection: Collection) -> tuple[Source, ...]:
    """Return every source of counts of single forces."""
    return _sources(collection.template, collection.census.year)


@cache
def _sources(template: Template, year: int) -> tuple[Source, ...]:
    protected, profile = protections(template), template.profile
    counted = [entry for entry in template.counted() if entry.measure in protected.measures]
    found: dict[str, Source] = {}
    for name, item in protected.measures.items():
        mart, value = template.shown(name) or (CELLS, "value")
        same = [m for m in protected.measures if template.shown(m) == (mart, value)] or [name]
        places = tuple(e for e in counted if e.period == NOW and e.measure in same)
        sums: dict[str, Among] = {
            column: places_of(
                template, of.measure, write_breakdown(of.dims), NOW, every=True
            ).__contains__
            for column, of in profile.items()
            if of.measure in same and of.period == NOW
        }
        alone = mart == CELLS
        dims = _PLACE if alone else _key(mart)
        found[name if alone else mart] = Source(item.subject, mart, value, dims, places, sums)
    for mart in protected.research:
        sums = {RESEARCHED: _of_year(_key(mart), year)}
        found[f"research {mart}"] = Source(mart, mart, "instances", _key(mart), sums=sums)
    shown: set[Entry] = set()
    for name, of in profile.items():
        if of.period != NOW and of.measure in protected.measures:
            places = tuple(
                e
                for e in counted
                if (e.measure, e.period, e.dims) == (of.measure, of.period, of.dims)
            )
            shown.update(places)
            subject = protected.measures[of.measure].subject
            found[f"earlier {name}"] = Source(subject, PROFILES, name, (), places)
    for name, item in protected.measures.items():
        places = tuple(
            e for e in counted if e.measure == name and e.period != NOW and e not in shown
        )
        if places:
            found[f"apart {name}"] = Source(
                item.subject, CELLS, "value", _PLACE, places, apart=True
            )
    return tuple(found.values())


def _key(mart: str) -> tuple[str, ...]:
    return tuple(name for name in keys(MARTS[mart]) if name != "force_code")


def _of_year(dims: tuple[str, ...], year: int) -> Among:
    at = dims.index("year")
    return lambda leaf: leaf[at] == year


def cells_in(template: Template) -> Cells:
    """Return the cells of a template as rules name them."""

    def below(cell: str) -> tuple[Place, ...]:
        sheet, row, column = cell.split("/")
        return template.leaves.get((sheet, row, column), ((sheet, row, column),))

    return Cells(lambda written: ["/".join(place) for place in template.places(written)], below)


@dataclass(frozen=True)
class Edition:
    """A public edition and what stands behind it.

    `public` are its marts by name, `behind` those of the full edition that BEHIND names. `rules`
    are the limits of each rule that was in force and tells something, with its `severity`.
    `collection` is that whose template says what the counts are.
    """

    release: str
    public: Mapping[str, pl.DataFrame]
    behind: Mapping[str, pl.DataFrame]
    collection: Collection
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def retold(self, **changes: Any) -> "Edition":
        """Return an edition with other marts or rules, of the same counts."""
        other = replace(self, **changes)
        vars(other).update(entries=self.entries, marks=self.marks)
        return other

    @cached_property
    def entries(self) -> list[tuple[Source, list[Counted]]]:
        """The counts behind it by source."""
        return [(source, [*source.counts(self.behind)]) for source in sources(self.collection)]

    @cached_property
    def marks(self) -> dict[tuple[str, str, str], int]:
        """The count behind each entry, by mart, column and cell.

        Two editions have the same count of a cell where these are the same. Whoever looks on knows
        at most as much: not which counts a resubmission or a correction has left as they were.
        """
        return {each.name: each.number for _, entries in self.entries for each in entries}

    @cached_property
    def counts(self) -> dict[str, dict[Leaf, int]]:
        """The counts of each force but those that stand apart, by leaf."""
        found: dict[str, dict[Leaf, int]] = {}
        for source, entries in self.entries:
            for each in () if source.apart else entries:
                found.setdefault(each.key["force_code"], {})[each.leaf] = each.number
        return found

    def passed(self, rule: str) -> list[str]:
        """Return the forces whose return everybody knows to have passed a rule.

        One that blocks has been passed by every live return, a query by every accepted one, but for
        those where it was answered.
        """
        states = v.LIVE_STATES if self.rules[rule]["severity"] == "B" else ("accepted",)
        return [force for force, state in self._states if state in states]

    @cached_property
    def _states(self) -> list[tuple[str, str]]:
        status = self.public["returns_status"].select("force_code", "state")
        return sorted(status.iter_rows())

    def told(
        self, uses: Sequence[RuleUse], cells: Cells, held: Held
    ) -> Iterator[tuple[str, str, list[Ways]]]:
        """Yield rule, force and what is told of its numbers, of the rules that were in force."""
        unknown = {cell for of in held.values() for cell, total in of.items() if total.unknowns}
        for rule in dict.fromkeys(use.id for use in uses if use.id in self.rules):
            found = told(uses, rule, self.rules[rule], cells)
            told_of = ways_of(found, self.passed(rule), held, unknown, cells, self.answers)
            for force, ways in told_of:
                yield rule, force, ways

    @cached_property
    def answers(self) -> set[tuple[str, str, str]]:
        """Force, question and answer, of all that was answered."""
        if "capability_answers" not in self.public:
            return set()
        found = self.public["capability_answers"]
        return set(found.select("force_code", "question_code", "answer").iter_rows())


def behind(marts: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return of the marts of a full edition what says what stands behind a public one."""
    found = {name: marts[name] for name in BEHIND if name in marts}
    return {
        name: frame.select([c for c in BEHIND[name] if c in frame.columns] or pl.all())
        for name, frame in found.items()
    }


def own_rows(marts: Mapping[str, pl.DataFrame], collection: Collection) -> dict[str, pl.DataFrame]:
    """Return of the marts of a public edition the rows about this collection's forces and counts.

    What another collection released, its public edition may hide; and so it may what returns say
    once more of that collection's period, or research of its year. Research may look at bodies that
    no total includes.
    """
    forms = {name: marts[name] for name in PUBLIC if name in marts}
    said, until = protections(collection.template), seen_until(collection)
    counted, names = ~pl.col("measure").is_in(said.open), [f"^{name}_" for name in said.research]
    researched = pl.col("measure").str.contains("|".join(names) or "^$")

    def own(year: pl.Expr) -> pl.Expr:
        earlier = (year.cast(pl.Int64, strict=False) <= until).fill_null(value=False)
        again = pl.col("period").is_in([*collection.compared]) & counted
        return ~(again | (researched & earlier))

    of_breakdown = own(pl.col("breakdown").str.extract(r"\byear=(\d+)"))
    expected = pl.col("force_code").is_in(collection.forces)
    kept = {
        "national_totals": of_breakdown,
        "reconciliation": of_breakdown,
        "cube": own(pl.col("year")),
        "comparisons": pl.col("previous_collection").is_null(),
        "social_media": expected & (pl.col("year") > until),
    }
    return forms | {mart: forms[mart].filter(rows) for mart, rows in kept.items() if mart in forms}


def edition_behind(
    release: str, marts: Mapping[str, pl.DataFrame], collection: Collection
) -> Edition:
    """Return an edition that nobody has seen yet, of the marts of a full edition."""
    return Edition(release, marts, behind(marts), collection, rules_told(collection))


def changed(one: Edition, other: Edition) -> int:
    """Return how many forces have another count somewhere in the other edition."""
    apart = one.marks.items() ^ other.marks.items()
    return len({force_of(cell) for (_, _, cell), _ in apart})


def rules_told(collection: Collection) -> dict[str, dict[str, Any]]:
    """Return the limits and the severity of the rules that tell of protected counts, where on.

    Of a rate also the months of the collection and of the period before; by the cell that is
    compared with where those differ, 0 where nobody knows.
    """
    template, cells = collection.template, cells_in(collection.template)
    protected = {e.place for e in template.counted() if e.measure in protections(template).measures}
    found: dict[str, dict[str, Any]] = {}
    for use in template.rules:
        if use.use not in TELLING or not any(
            protected.intersection(cells.leaves(cell)) for cell in cells_of(use, cells)
        ):
            continue
        change = collection.changed(use.id)
        severity = change.severity if change else rules()[use.id].severity
        if severity in {"B", "Q"}:
            limits = {"severity": severity, **collection.thresholds.get(use.id, {})}
            found.setdefault(use.id, limits)
            if use.use == "rate":
                before = {cell: _months(cell, collection) for cell in use.other}
                same = set(before.values())
                found[use.id]["months"] = collection.period.months
                found[use.id]["months_before"] = same.pop() if len(same) == 1 else before
    return found


def _months(written: str, collection: Collection) -> int:
    template = collection.template
    periods = {template.entry_at[place].period for place in template.places(written)}
    then = [collection.comparators[name] for name in periods if name in collection.comparators]
    return then[0].months if then else 0
