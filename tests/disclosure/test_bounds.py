"""Bounds of unknowns in puzzles with known answers, and of random ones against every table."""

from collections.abc import Sequence
from itertools import product
from random import Random

import numpy as np
import pytest

from assets.disclosure.bounds import Extremes
from assets.disclosure.known import Hidden, Knowledge
from assets.disclosure.solver import Condition, Total
from schemas.breakdown import Band
from schemas.errors import ContractError


def _sum(*unknowns: int, shown: int = 0) -> Total:
    return Total(unknowns, shown)


def _known(*true: int | None, equal: Sequence[tuple[Total, int]] = ()) -> Knowledge:
    """Return what is known of so many unknowns: what some sums of them are."""
    known = Knowledge([("m", "c", f"force_code={n}", value) for n, value in enumerate(true)])
    known.total(range(len(true)))
    for total, value in equal:
        known.hold(total, value, value)
    return known


def _each(known: Knowledge) -> list[Hidden]:
    return [Hidden("m", "c", str(n), _sum(n)) for n in range(len(known.names))]


def _ends(known: Knowledge, needed: int = 99) -> list[tuple[float, float, float, float]]:
    found = Extremes(known, _each(known))
    found.settle(np.full(len(known.names), float(needed)))
    ends = (found.low, found.high, found.table_low, found.table_high)
    return [tuple(float(end[n]) for end in ends) for n in range(len(known.names))]  # type: ignore[misc]


def test_a_sum_bounds_its_parts() -> None:
    assert _ends(_known(None, None, equal=[(_sum(0, 1, shown=4), 9)])) == [(0, 5, 0, 5)] * 2


def test_a_single_unknown_is_worked_out() -> None:
    known = _known(None, None, equal=[(_sum(0, 1), 9), (_sum(1), 2)])
    assert _ends(known) == [(7, 7, 7, 7), (2, 2, 2, 2)]


def test_two_sums_that_cross_pin_what_neither_tells_alone() -> None:
    """The classic: rows and columns with four corners leave one degree of freedom."""
    rows = [(_sum(0, 1), 3), (_sum(2, 3), 8), (_sum(0, 2), 10), (_sum(1, 3), 1)]
    assert _ends(_known(*[None] * 4, equal=rows)) == [
        (2, 3, 2, 3), (0, 1, 0, 1), (7, 8, 7, 8), (0, 1, 0, 1),
    ]  # fmt: skip


def test_a_total_is_no_more_than_another() -> None:
    known = _known(None, None, equal=[(_sum(0, 1), 9)])
    known.hold(_sum(0), 0, 3)
    assert _ends(known) == [(0, 3, 0, 3), (6, 9, 6, 9)]


def test_whole_numbers_tell_more_than_the_linear_bounds() -> None:
    """Three pairs that add up to at most 1: what each row tells alone allows none of the rest."""
    known = _known(*[None] * 4, equal=[(_sum(0, 1, 2, 3), 2)])
    for a, b in ((0, 1), (1, 2), (0, 2)):
        known.hold(_sum(a, b), 0, 1)
    assert _ends(known)[3] == (0, 2, 1, 2)


def test_a_band_is_a_choice_between_forces() -> None:
    """One of two totals of 6 together is 2: which one nobody can tell."""
    band = ([_sum(0), _sum(1)], Band(2, 2), 1, 1)
    known = _known(None, None, equal=[(_sum(0, 1), 6)])
    known.bands.append(band)
    for _, _, low, high in _ends(known):
        assert (low, high) == (2, 4)


def test_a_band_that_only_one_can_fill_tells_which_one() -> None:
    band = ([_sum(0), _sum(1)], Band(2, 2), 1, 1)
    known = _known(None, None, equal=[(_sum(0, 1), 20)])
    known.hold(_sum(1), 10, np.inf)
    known.bands.append(band)
    assert [ends[2:] for ends in _ends(known)] == [(2, 2), (18, 18)]


def test_what_is_hidden_since_it_is_not_what_is_printed_is_not_that_number() -> None:
    """Of 3 together, one is printed as 0 and hidden all the same: then it is 1 to 3."""
    differs = ([_sum(0)], lambda values: values[0] != 0)
    known = _known(1, 2, equal=[(_sum(0, 1), 3)])
    known.unlike.append(differs)
    found = Extremes(known, _each(known))
    found.take(())
    found.settle(np.full(2, 99.0))
    assert found.table_low.tolist()[0] >= 1
    assert found.table_high.tolist()[1] <= 2


def test_what_cannot_be_is_an_error() -> None:
    """An audit that finds nothing must not pass for one that finds nothing wrong."""
    known = _known(None, equal=[(_sum(0), 3), (_sum(0), 4)])
    with pytest.raises(ContractError, match="contradict each other"):
        _ends(known)


_MOST = 3


def _drawn(seed: int) -> tuple[Knowledge, list[Hidden]]:
    """Return what is known of a few counts of a few forces, drawn at random; it is true of one."""
    chance = Random(seed)
    number = chance.randrange(3, 7)
    true = [chance.randrange(_MOST + 1) for _ in range(number)]
    forces = [chance.randrange(3) for _ in true]
    names = [("m", "c", f"force_code={of};n={n}", true[n]) for n, of in enumerate(forces)]
    known = Knowledge(names)
    known.total(range(number))
    for n in range(number):
        known.hold(_sum(n), 0, _MOST)
    for _ in range(chance.randrange(1, 4)):
        those = chance.sample(range(number), chance.randrange(2, number + 1))
        known.hold(_sum(*those), value := sum(true[n] for n in those), value)
    for _ in range(chance.randrange(3)):
        one, other = chance.sample(range(number), 2)
        weight = chance.choice([0.5, 1.0, 2.0])
        most = true[one] - weight * true[other] + chance.randrange(2)
        known.rows.append(Condition({one: 1.0, other: -weight}, -np.inf, most))
    for _ in range(chance.randrange(3)):
        one, other = chance.sample(range(number), 2)
        few, some = chance.randrange(3), chance.randrange(1, 3)
        if true[one] <= few or true[other] >= some:
            ways = [[Condition({one: 1.0}, 0, few)], [Condition({other: 1.0}, some, np.inf)]]
            known.tell([ways])
    for _ in range(chance.randrange(2)):
        those = chance.sample(range(number), chance.randrange(2, number + 1))
        band = Band(low := chance.randrange(3), chance.choice([low, low + 1, None]))
        inside = sum(_is_in(band, true[n]) for n in those)
        known.bands.append(([_sum(n) for n in those], band, inside, inside))
    return known, [*_each(known), Hidden("m", "s", "sum", _sum(0, 1))]


def _is_in(band: Band, count: int) -> bool:
    return band.low <= count <= (_MOST if band.high is None else band.high)


def _every_table(known: Knowledge) -> list[tuple[int, ...]]:
    """Return every table that fits what is known, by trying all there are."""

    def holds(way: list[Condition], table: tuple[int, ...]) -> bool:
        return all(condition.holds(table.__getitem__) for condition in way)

    return [
        table
        for table in product(range(_MOST + 1), repeat=len(known.names))
        if holds(known.rows, table)
        and all(any(holds(way, table) for way in ways) for ways in known.either)
        and all(
            least <= sum(_is_in(band, table[total.unknowns[0]]) for total in totals) <= most
            for totals, band, least, most in known.bands
        )
    ]


@pytest.mark.parametrize("seed", range(30))
def test_what_is_found_is_what_every_table_leaves_open(seed: int) -> None:
    """Neither more, which would be no proof, nor less, whether all is asked for or some."""
    known, hidden = _drawn(seed)
    tables = np.array(_every_table(known))
    values = np.array([tables[:, item.total.unknowns].sum(axis=1) for item in hidden])
    low, high = values.min(axis=1), values.max(axis=1)
    found = Extremes(known, hidden)
    found.take(())
    found.settle(np.full(len(low), 2.0))
    assert (found.widths >= np.minimum(high - low, 2)).all()
    found.settle(np.full(len(low), 99.0))
    assert found.table_low.tolist() == low.tolist()
    assert found.table_high.tolist() == high.tolist()
    assert (found.low <= low).all()
    assert (found.high >= high).all()
    assert all(found.left(place) >= width for place, width in enumerate((high - low).tolist()))
