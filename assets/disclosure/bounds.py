"""How far apart hidden counts can be: tables of whole numbers that fit what is known, and bounds.

Near a table that is known there are others nearly always, and few steps away from it: such steps
run in rings through sums, and so are whole numbers. Where they are not, or where a rule must be
passed in another way, whole numbers are looked for among the counts of few forces, then of more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import scipy

from assets.disclosure.known import Hidden, Knowledge, Puzzle
from assets.disclosure.solver import WHOLE, Floats, Mask, Program, Rows, is_whole, matrix_of, spread
from schemas.errors import ContractError

_AT_ONCE: Final = 100
"""So many tables are held against what is known together."""

_TOGETHER: Final = 44
"""So many forces are looked at together without delay."""

_GROWTH: Final = 2.5
"""How many times as many forces are looked at next."""

_TURNS: Final = 3
"""How often other forces are looked at, before more are looked at together."""

_REWARD: Final = 1000.0
"""What a step of the count that is asked for is worth, against a step of any other."""

_WELCOME: Final = 0.1
"""What a step costs that is welcome."""

_CONTRADICTION: Final = (
    "The public marts contradict each other: no whole numbers fit them all. This is a fault of the"
    " program; report it."
)


class Extremes:
    """The least and the largest value that hidden counts can have.

    `table_low` and `table_high` are their extremes in the whole-number tables found so far that fit
    all that is known. Beyond `low` and `high` no value lies.
    """

    def __init__(self, known: Knowledge, hidden: Sequence[Hidden]) -> None:
        """State what is known, and the counts in question."""
        self._puzzle = puzzle = Puzzle(known)
        self._unlike = known.unlike
        self._number = {name: number for number, name in enumerate(known.names)}
        self._true = np.array([name[-1] or 0 for name in known.names], dtype=float)
        self._first: Floats | None = None
        self._terms = [list(item.total.unknowns) for item in hidden]
        self._counts = matrix_of([dict.fromkeys(t, 1.0) for t in self._terms], puzzle.columns)
        self._shown = np.array([item.total.shown for item in hidden], dtype=float)
        self._rows = puzzle.conditions()
        self._bounds = self._rows.within(np.zeros(puzzle.columns), puzzle.most())
        self.low, self.high = self._ends(*self._bounds)
        ceilings = [puzzle.ceiling(terms) for terms in self._terms] + self._shown
        self.high = np.minimum(self.high, ceilings)
        self.table_low = np.full(len(hidden), np.inf)
        self.table_high = -self.table_low

    def _ends(self, least: Floats, most: Floats) -> tuple[Floats, Floats]:
        return self._counts @ least + self._shown, self._counts @ most + self._shown

    @property
    def widths(self) -> Floats:
        """How far the tables found so far are apart in each hidden count."""
        widths: Floats = self.table_high - self.table_low
        return widths

    def take(self, tables: Iterable[Mapping[Any, int]]) -> None:
        """Note the true table, and those that somebody else has found, as far as they fit.

        Each tells what is another number than in fact, by name of the unknown.
        """
        found = [self._true]
        for table in tables:
            if len(found) == _AT_ONCE:
                self._note(self._puzzle.complete(np.array(found)))
                found = []
            values = self._true.copy()
            for name, value in table.items():
                if (number := self._number.get(name)) is not None:
                    values[number] = value
            if (values != self._true).any():
                found.append(values)
        if found:
            self._note(self._puzzle.complete(np.array(found)))

    def widen(self, needed: Floats, how: str = "near") -> None:
        """Look for tables in which counts are as far apart as needed, or as they can be.

        Args:
            needed: by how much each count should differ.
            how: `near` the first table, with the rules passed in the way in which they are there;
                `around` it for those in which the counts of few forces differ, `all` of any.

        Raises:
            ContractError: no whole numbers fit: the public marts contradict each other.
        """
        goal = np.minimum(needed, self.high - self.low)
        if how == "near":
            self._apart(goal)
        # One try for each before another for any: a table for one serves others as a rule.
        for turn in range(_TURNS if how == "around" else 1):
            self._widen(self._steps, self._begun, goal, how, turn)

    def settle(self, needed: Floats) -> None:
        """Look for such tables in every way, one after the other."""
        for how in ("near", "around", "all"):
            self.widen(needed, how)

    @cached_property
    def _steps(self) -> _Steps:
        return self._steps_from(self._begun)

    def _steps_from(self, table: Floats, bounds: tuple[Floats, Floats] | None = None) -> _Steps:
        return _Steps(self._rows, *(bounds or self._bounds), table, self._puzzle)

    def _apart(self, goal: Floats) -> None:
        """Look for tables in which the counts of some forces alone differ, then of more."""
        first, groups, size = self._begun, np.array(self._puzzle.groups), float(_TOGETHER)
        while (parts := round((groups.max(initial=0) + 1) / size)) > 1:
            part_of = (groups + groups // parts) % parts
            of = np.array([part_of[terms[0]] if terms else -1 for terms in self._terms])
            for part in range(parts):
                if ((self.widths < goal) & (of == part)).any():
                    low, high = (np.where(part_of == part, end, first) for end in self._bounds)
                    steps = self._steps_from(first, (low, high))
                    self._widen(steps, first, np.where(of == part, goal, 0), "near")
            size *= _GROWTH

    def _widen(self, steps: _Steps, first: Floats, goal: Floats, how: str, turn: int = 0) -> None:
        """Look for tables by steps away from a first one."""
        for place in np.flatnonzero(self.widths < goal).tolist():
            for sign in (1.0, -1.0):
                lacks = np.flatnonzero(self.widths < goal)
                seen, end = (self.table_high, self.high) if sign > 0 else (self.table_low, self.low)
                if place not in lacks or seen[place] == end[place]:
                    continue
                cost = sign * self._counts[[place]].toarray()[0]
                more = sign * (seen[place] - self._shown[place]) - cost @ first + 1
                enough, terms = more - 1 + (goal - self.widths)[place], self._terms[place]
                ends = [bound.copy() for bound in self._bounds]
                if how != "all":  # where it may be more or less than enough, but not as much
                    ends[sign > 0][terms] = first[terms] + sign * enough
                if how == "near":
                    single = [p for p in lacks.tolist() if len(self._terms[p]) == 1]
                    welcome = np.zeros(len(first), dtype=bool)
                    welcome[[self._terms[p][0] for p in single]] = True
                    found = steps.near(cost, ends, welcome, more)
                else:
                    found = steps.around(
                        cost, ends, more, None if how == "around" else enough, turn
                    )
                for table in found:
                    self._note(table[None])
                    if how == "all":
                        # What was as hard to find for others is near by from there.
                        self._widen(self._steps_from(table), table, goal, "near")

    def left(self, place: int) -> float:
        """Return how far apart the values of a count are at most, by all that is known together."""
        least, most = self._bounds
        rows, free = self._rows.binding(least, most)
        cost, program = self._counts[[place]].toarray()[0], Program(rows, least[free], most[free])
        ends = []
        for sign in (1.0, -1.0):
            found = program.solve(sign * cost[free], least[free], most[free])
            ends.append(-np.inf if found is None else np.ceil(sign * cost[free] @ found - WHOLE))
        return -float(sum(ends))

    @property
    def _begun(self) -> Floats:
        """The first table, the true one as a rule."""
        if self._first is None:
            nothing = np.zeros(self._puzzle.columns)
            found = Program(self._rows, nothing, self._puzzle.most()).solve_whole(nothing)
            if found is not None:
                self._note(found[None])
        if self._first is None:
            raise ContractError(_CONTRADICTION)
        return self._first

    def _note(self, tables: Floats) -> None:
        """Note tables, those that have been seen to fit."""
        tables = tables[self._rows.fits(tables)]
        for totals, differs in self._unlike:
            numbers = [
                [t[list(total.unknowns)].sum() + total.shown for total in totals] for t in tables
            ]
            tables = tables[[differs(values) for values in numbers]]
        if not len(tables):
            return
        if self._first is None:
            self._first = tables[0]
        values = self._counts @ tables.T + self._shown[:, None]
        self.table_low = np.minimum(self.table_low, values.min(axis=1))
        self.table_high = np.maximum(self.table_high, values.max(axis=1))


class _Steps:
    """Finds tables near one that is known, by the same choices or by moving few groups."""

    def __init__(
        self, rows: Rows, least: Floats, most: Floats, table: Floats, puzzle: Puzzle
    ) -> None:
        """Take what is known, bounds that follow from it, and the table."""
        self._table = table
        self._rows, self._free = rows.binding(least, most)
        at = table[self._free]
        self._down, self._up = least[self._free] - at, most[self._free] - at
        self._is_choice = self._free >= puzzle.unknowns
        self._groups = np.array(puzzle.groups)[self._free]
        self._columns = scipy.sparse.csc_array(self._rows.matrix)
        values = self._rows.matrix @ at
        self._ends = self._rows.low - values, self._rows.high - values
        none = np.zeros(2 * len(at))
        self._program = Program(self._rows.of_steps(*self._ends), none, none)

    def near(
        self, wanted: Floats, ends: Sequence[Floats], welcome: Mask, more: float
    ) -> Iterator[Floats]:
        """Yield a table in which a sum is larger and few columns move, with the choices as made.

        `wanted` is how often the sum takes each column, `ends` how far each may go down and up,
        `welcome` those that may as well move, and `more` by how much the sum must be larger at
        least.
        """
        sum_of, down, up = self._asked(wanted, ends)
        down, up = (np.where(self._is_choice, 0, end) for end in (down, up))
        each = np.where(welcome[self._free], _WELCOME, 1.0)
        steps = self._solved(sum_of, each, down, up, more)
        if steps is None:
            return
        if is_whole(steps):
            yield self._moved(steps)
        else:
            yield from self._whole(sum_of, more, down, up, np.abs(steps) > WHOLE)

    def around(
        self,
        wanted: Floats,
        ends: Sequence[Floats],
        more: float,
        enough: float | None,
        turn: int,
    ) -> Iterator[Floats]:
        """Yield tables of whole numbers in which a sum is larger, and few groups move.

        Those move of which parts of ones may, at another cost of each group each turn; or, where
        it is to be `enough`, ever more besides that have sums in common with these: to all.
        """
        sum_of, down, up = self._asked(wanted, ends)
        each = np.array(1 + turn * spread(self._groups, turn), float)
        steps = self._solved(sum_of, each, down, up, more)
        if steps is None:
            return
        inside = np.isin(self._groups, self._groups[np.abs(steps) > WHOLE])
        own = len(np.unique(self._groups[inside]))
        size = own * (1 + turn // (_TURNS - 1)) if enough is None else _TOGETHER
        while True:
            inside = self._with_more(inside, size)
            for table in self._whole(sum_of, more, down, up, inside):
                yield table
                more = 1 + float(sum_of @ (table - self._table)[self._free])
                if enough is None or more > enough:
                    return
            if inside.all() or enough is None:
                break
            size *= 4

    def _with_more(self, inside: Mask, most: int) -> Mask:
        """Return the columns of some groups, and of others that have most sums with them."""
        if most <= len(own := np.unique(self._groups[inside])):
            return inside
        touched = np.diff(scipy.sparse.csr_array(self._columns[:, inside]).indptr) > 0
        shared = np.diff(scipy.sparse.csc_array(self._rows.matrix[touched]).indptr)
        common = np.bincount(self._groups, shared, self._groups.max() + 1)
        common[own] = np.inf
        return np.isin(self._groups, np.argsort(-common, kind="stable")[:most])

    def _asked(self, wanted: Floats, ends: Sequence[Floats]) -> tuple[Floats, Floats, Floats]:
        """Return of the free columns how often a sum takes each, and how far each may go."""
        at = self._table[self._free]
        down = np.minimum(np.maximum(self._down, ends[0][self._free] - at), 0)
        up = np.maximum(np.minimum(self._up, ends[1][self._free] - at), 0)
        return wanted[self._free], down, up

    def _solved(
        self, sum_of: Floats, each: Floats, down: Floats, up: Floats, more: float
    ) -> Floats | None:
        """Return the steps, parts of ones too, that make a sum larger, at such a cost of each."""
        costs = np.concatenate([each - _REWARD * sum_of, each + _REWARD * sum_of])
        found = self._program.solve(costs, np.zeros(2 * len(up)), np.concatenate([up, -down]))
        if found is None:
            return None
        steps: Floats = np.subtract(*np.split(found, 2))
        return steps if sum_of @ steps >= more - WHOLE else None

    def _moved(self, steps: Floats) -> Floats:
        table = self._table.copy()
        table[self._free] += np.rint(steps)
        return table

    def _whole(
        self, sum_of: Floats, more: float, down: Floats, up: Floats, moves: Mask
    ) -> Iterator[Floats]:
        """Yield the table of whole numbers in which a sum is largest, and some columns move."""
        places = np.flatnonzero(moves)
        matrix = scipy.sparse.csr_array(self._columns[:, places])
        touched = np.flatnonzero(np.diff(matrix.indptr))
        larger = Rows(
            scipy.sparse.csr_array(
                scipy.sparse.vstack([matrix[touched], scipy.sparse.csr_array(sum_of[None, places])])
            ),
            np.append(self._ends[0][touched], more),
            np.append(self._ends[1][touched], np.inf),
        )
        least, most = larger.within(down[places], up[places])
        if (least > most).any():
            return
        rows, free = larger.binding(least, most)
        steps = np.zeros(len(moves))
        steps[places] = least
        if len(free):
            found = Program(rows, least[free], most[free]).solve_whole(-sum_of[places][free])
            if found is None:
                return
            steps[places[free]] = found
        yield self._moved(steps)
