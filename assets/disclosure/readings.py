"""Reads public editions as somebody would who wants to know what is hidden.

Apart from the choice of what to hide, on purpose: it reads the template's file by itself, and of
each edition the public marts and which counts are the same as in another one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import polars as pl

from assets.disclosure.described import (
    EARLIER,
    NO_MART,
    Cell,
    Description,
    Leaf,
    description,
    over_forces,
)
from assets.disclosure.facts import Fact, Facts, Figure, Held, Places, Shown, Statistic
from assets.disclosure.published import Edition, cell_of, force_of
from assets.disclosure.solver import Total
from schemas.breakdown import read_breakdown, write_breakdown
from schemas.collection import Collection
from schemas.disclosure import PROFILES, SUPPRESSED, UNAVAILABLE, force_counts

_CASES: Final = "social_media_cases"
_OUTCOMES, _BY_OUTCOME = "investigations", "outcome_breakdown"
"""A measure, and the mart of its totals by category and outcome."""

_KEY: Final = ("measure", "breakdown", "period")
_RESEARCH_TOTALS: Final = {"social_media_instances": "social_media", _CASES: "social_media"}
"""National figures of the research, and the mart that they add up."""


class _Entry(NamedTuple):
    """A count of an edition: its key and place, its name with what it is in fact, what is shown.

    What `is_elsewhere` is another collection's: he may have it from there, and here it is given.
    """

    key: Mapping[str, Any]
    leaf: Leaf
    name: tuple[str, str, str, int | None]
    value: int | None
    is_elsewhere: bool


_Figure = tuple[str, str, str, str | None, float | None, float]
"""Measure, breakdown and period, and of whom, None for all; what is shown, and what is printed."""


def _entries(edition: Edition, said: Description) -> dict[str, list[_Entry]]:
    """Return every count of single forces by table, those that have a number."""
    public = edition.public
    profiles = public[PROFILES].filter(pl.col("basis") != "published")
    value_of = {of["mart"]: of["value"] for of in said.measures.values() if "mart" in of}
    found: dict[str, list[_Entry]] = {}
    for table, cells in said.tables.items():
        held: Iterable[tuple[dict[str, Any], Leaf | None, int | None]]
        if not said.is_public(table):
            mart, column = NO_MART, table.partition("@")[0]
            forces = profiles["force_code"].to_list()
            held = (
                ({"force_code": force, **own_key(cell)}, cell.place, None)
                for force in forces
                for cell in cells
            )
        elif table in said.earlier:
            mart, column = PROFILES, table.removeprefix(EARLIER)
            symbol = pl.col(f"{column}_symbol").alias("symbol")
            held = _rows(profiles.select("force_code", column, symbol), column, cells)
        elif table in public:
            mart, column = table, value_of.get(table, "instances")
            held = _rows(public[table].drop("basis"), column, cells)
        else:
            continue
        found[table] = []
        elsewhere = any(cell.period in edition.collection.compared for cell in cells)
        for key, leaf, shown in held:
            name = mart, column, cell_of(key)
            value = edition.marks.get(name) if elsewhere else shown
            # Which of those that stand nowhere a force gives, he is told.
            if leaf is not None and (mart != NO_MART or name in edition.marks):
                own = *name, edition.marks.get(name)
                found[table].append(_Entry(key, leaf, own, value, elsewhere))
    return found


def own_key(cell: Cell) -> dict[str, Any]:
    """Return by what a count that stands in no mart is told from others of a force."""
    return {**({"period": cell.period} if cell.period else {}), **cell.dims}


def _rows(
    frame: pl.DataFrame, column: str, cells: Sequence[Cell]
) -> Iterator[tuple[dict[str, Any], Leaf | None, int | None]]:
    """Yield key, cell and shown value of the rows of a public mart that have a number."""
    names = [name for name in frame.columns if name not in {"force_code", column, "symbol"}]
    at: dict[tuple[Any, ...], Leaf] = {}
    for cell in cells:
        key = (cell.place[1] if name == "item" else cell.dims.get(name) for name in names)
        at[tuple(key)] = cell.place
    for row in frame.filter(pl.col("symbol").ne_missing(UNAVAILABLE)).iter_rows(named=True):
        value, _ = row.pop(column), row.pop("symbol")
        codes = tuple(row[name] for name in names)
        yield row, at.get(codes) if cells else codes, value


def _figures(edition: Edition, said: Description) -> dict[str, list[_Figure]]:
    """Return the national totals, and the printed figures, by the table that they add up."""
    public = edition.public
    shown = public["national_totals"].drop_nulls("value")
    shown = shown.select(*_KEY, pl.lit(None).alias("force"), "value", pl.lit(0.0).alias("printed"))
    of_force = pl.col("scope").is_in(public[PROFILES]["force_code"].to_list())
    force = pl.when(of_force).then("scope").alias("force")
    printed = public["reconciliation"].filter(pl.col("symbol").ne_missing(UNAVAILABLE))
    printed = printed.select(*_KEY, force, "computed", "published")
    printed = printed.sort(pl.col("force").is_not_null(), maintain_order=True)
    found: dict[str, list[_Figure]] = defaultdict(list)
    for measure, breakdown, period, *told in (*shown.rows(), *printed.rows()):
        table = _RESEARCH_TOTALS.get(measure)
        if measure in said.measures:
            table = said.table_of(measure, period, breakdown)
        if table is not None:
            found[table].append((measure, breakdown, period, *told))
    return found


def facts(editions: Sequence[Edition], collection: Collection) -> dict[str, Facts]:
    """Return what editions, oldest first, tell of counts of single forces, by system of tables."""
    found, said = defaultdict[str, Facts](Facts), description(collection.template.path)
    for number, edition in enumerate(editions):
        entries, figures = _entries(edition, said), _figures(edition, said)
        for system in said.systems:
            _Reader(found[system], said, edition, number, collection, system, entries).read(figures)
        unread = next(iter(found.values())).unread if found else []
        unread += [each for each in _computed(edition, said) if each not in unread]
    return found


def _computed(edition: Edition, said: Description) -> Iterator[str]:
    """Yield what is computed and shown of a measure whose totals are not all, or of no total."""
    public = edition.public
    shown = public["national_totals"].drop_nulls("value").select("measure", "breakdown").rows()
    if _BY_OUTCOME in public:
        codes = public[_BY_OUTCOME].select("category", "outcome").iter_rows()
        shown += [(_BY_OUTCOME, f"category={one};outcome={other}") for one, other in codes]
    for measure in said.measures:
        of = public["national_totals"].filter(measure=measure)
        rows = of.select("breakdown", "period", "symbol", "value").iter_rows()
        totals = [(said.among(measure, *key), symbol, value) for *key, symbol, value in rows]
        is_hidden = any(cells is not None and symbol == SUPPRESSED for cells, symbol, _ in totals)
        whole = {frozenset(cells or ()) for cells, _, value in totals if value is not None}
        parts = {*said.shares_of(measure)} | ({_BY_OUTCOME} if measure == _OUTCOMES else set())
        computed = parts.union(f"{measure}_{what}" for what in ("per_month", "per_force", "change"))
        for name, breakdown in shown:
            spread = "statistic=" in breakdown and "statistic=mean" not in breakdown
            is_told = is_hidden and name in computed and not spread
            if name in parts:
                part = said.among(measure, breakdown, every=True)
                is_told |= frozenset(part or ()) not in whole
            if is_told:
                yield f"{name} {breakdown}"
        if is_hidden and "comparisons" in public and measure in public["comparisons"]["measure"]:
            yield f"{measure} in comparisons"


@dataclass
class _Reader:
    """Adds what one edition tells of the tables of one system.

    `everything` are the entries of all systems. Those of the others, but of earlier periods in no
    public mart, are given away where a rule compares with them.
    """

    facts: Facts
    said: Description
    edition: Edition
    number: int
    collection: Collection
    system: str
    everything: Mapping[str, list[_Entry]]

    def __post_init__(self) -> None:
        """Name the entries."""
        own = self.said.systems[self.system]
        self._tables = {name: self.everything[name] for name in own if name in self.everything}
        self._names: dict[str, dict[Leaf, int]] = defaultdict(dict)
        self._counted = force_counts(self.collection.template)
        names = self.facts.names
        for entry in (entry for table in self._tables.values() for entry in table):
            place = names.setdefault(entry.name, len(names))
            self._names[entry.key["force_code"]][entry.leaf] = place

    def _say(self, fact: Fact) -> None:
        self.facts.told.append((self.number, fact))

    def read(self, figures: Mapping[str, Sequence[_Figure]]) -> None:
        """Read all there is."""
        for table, entries in self._tables.items():
            for entry in entries:
                own, name = (self.facts.names[entry.name],), entry.name[:3]
                if entry.is_elsewhere:
                    self._say(Shown(*name, own, entry.value))
                else:
                    self._show(*name, own, entry.value)
            self._read_figures(table, figures.get(table, ()))
            self._read_profiles(table)
        for measure in self.said.measures:
            if self.said.table_of(measure) in self._tables:
                self._read_spread(measure)
        self._read_rules()

    def _show(self, mart: str, column: str, cell: str, of: Places, value: int | None) -> None:
        """Say what is shown of a count, None for hidden; what is exempt cannot be hidden."""
        can_be = value is not None and column in self._counted.get(mart, {})
        can_be = can_be and not self.collection.is_exempt(mart, column, force_of(cell), value)
        group = self.said.group_of(mart, column) if can_be else None
        self._say(Shown(mart, column, cell, of, value, group))

    def _of(self, leaves: Iterable[Leaf] | None, force: str | None = None) -> Places:
        """Return the counts of a force, or of all, that have a number."""
        of = self._names.values() if force is None else [self._names.get(force, {})]
        leaves = list(leaves or ())
        return tuple(names[leaf] for names in of for leaf in leaves if leaf in names)

    def _read_figures(self, table: str, figures: Iterable[_Figure]) -> None:
        """Read the national totals, and the printed figures of forces, that add a table up."""
        for measure, breakdown, period, force, value, printed in figures:
            leaves: list[Leaf] | None
            if table in self.said.research:
                leaves = self._researched(table, measure, breakdown)
            else:
                leaves = self.said.among(measure, breakdown, period)
            if of := self._of(leaves, force):
                self._say(Figure(of, value, printed, force is not None))

    def _researched(self, table: str, measure: str, breakdown: str) -> list[Leaf]:
        """Return the counts of a research at some codes; cases are those of the census's year."""
        parts: dict[str, Any] = read_breakdown(breakdown)
        codes = {"year": self.collection.census.year} if measure == _CASES else parts
        of = [
            entry.leaf
            for entry in self._tables[table]
            if all(str(entry.key[name]) == str(code) for name, code in codes.items())
        ]
        return list(dict.fromkeys(of))

    def _read_profiles(self, table: str) -> None:
        """Read the columns of force_profiles that add a table up."""
        columns: dict[str, list[Leaf] | None] = {
            name: self.said.among(of["measure"], write_breakdown(of.get("dims", {})), every=True)
            for name, of in self.said.profile.items()
            if of["measure"] in self.said.measures
            and "period" not in of
            and self.said.table_of(of["measure"]) == table
        }
        if table in self.said.research:
            columns[_CASES] = self._researched(table, _CASES, "")
        for row in self.edition.public[PROFILES].iter_rows(named=True):
            force = row["force_code"]
            for column, leaves in columns.items():
                if leaves is None or column not in row:
                    continue
                names, value = self._of(leaves, force), row[column]
                if names and (value is not None or row[f"{column}_symbol"] == SUPPRESSED):
                    self._show(PROFILES, column, f"force_code={force}", names, value)

    def _read_spread(self, measure: str) -> None:
        """Read the statistics over forces; bands come before ends, by name."""
        public, text = self.edition.public, pl.col("breakdown").str
        spread = text.contains("statistic=") & ~text.contains("statistic=mean")
        here = pl.col("measure").is_in(over_forces([measure])) & (text.contains("count=") | spread)
        national, printed = (
            public[name].filter(here) for name in ("national_totals", "reconciliation")
        )
        confirmed = printed.filter(pl.col("computed") == pl.col("published"))
        in_print = {*confirmed.select(_KEY).iter_rows()}
        shown = national.drop_nulls("value").sort("measure", "breakdown").select(*_KEY, "value")
        hidden = printed.filter(pl.col("symbol") == SUPPRESSED).select(*_KEY, "published")
        for is_hidden, rows in ((False, shown), (True, hidden)):
            for *key, value in rows.iter_rows():
                is_printed = is_hidden or tuple(key) in in_print
                said = *self._spread(measure, key[1]), value, is_hidden, is_printed
                self._say(Statistic(key[1], *said))

    def _spread(self, measure: str, breakdown: str) -> tuple[str, str, Any]:
        """Return own column and whole of the profile for a statistic, and the counts of forces."""
        parts = read_breakdown(breakdown)
        dims = {name: code for name, code in parts.items() if name in self.said.lists}
        own, whole = (
            next((n for n, of in self.said.profile.items() if of == {"measure": measure, **at}), "")
            for at in ({"dims": dims} if dims else {}, {})
        )
        leaves = self.said.among(measure, write_breakdown(dims)) or []
        if leaves != self.said.among(measure, write_breakdown(dims), every=True):
            own = ""
        forces = self.edition.public[PROFILES]["force_code"].sort().to_list()
        of = ((f"force_code={force}", self._of(leaves, force)) for force in forces)
        return own, whole, tuple(each for each in of if each[1])

    def _read_rules(self) -> None:
        """Read what returns have passed, by the rules that were in force."""
        held: dict[str, dict[Leaf, Total]] = defaultdict(dict)
        for force, names in self._names.items():
            held[force] = {leaf: Total((place,), 0) for leaf, place in names.items()}
        for table, entries in self.everything.items():
            for entry in entries if table not in self._tables and "@" not in table else ():
                if entry.name[-1] is not None:
                    held[entry.key["force_code"]][entry.leaf] = Total((), entry.name[-1])
        for rule, force, ways in self.edition.told(self.said.rules, self.said.written, held):
            if ways:
                self._say(Held(rule, force, ways))
