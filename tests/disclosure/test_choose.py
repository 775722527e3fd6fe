"""What is hidden beside the small counts: tables small enough to know the answer."""

import numpy as np
import pytest

from assets.disclosure.choose import choose
from assets.disclosure.counts import Block, Count
from schemas.breakdown import Band
from schemas.disclosure import Protection

WIDE = Protection(small="1..4", width=5)
NARROW = Protection(small="1..4", width=1)


def _entry(force: str, value: int, *, known: bool = False, is_shown: bool = True) -> Count:
    return Count(
        "investigations", "cases", force, {"force_code": force}, value, (), is_shown, known
    )


def _sum(block: Block, force: str, *, known: bool, column: str = "investigations") -> None:
    parts = tuple(
        p for p, count in enumerate(block.counts) if count.force_code == force and not count.parts
    )
    value = sum(block.counts[part].value for part in parts)
    block.counts.append(Count("force_profiles", column, force, {}, value, parts, known=known))


def _column(values: list[int]) -> Block:
    """One count a force, and their total is public."""
    counts = [_entry(f"F{place}", value) for place, value in enumerate(values)]
    return Block("investigations", counts, [list(range(len(values)))])


def _table(values: list[list[int]], *, known: bool) -> Block:
    """One row a force with its sum, and the total of each column is public."""
    width = len(values[0])
    counts = [_entry(f"F{row}", value) for row, line in enumerate(values) for value in line]
    nation = [[row * width + column for row in range(len(values))] for column in range(width)]
    block = Block("investigations", counts, nation)
    for row in range(len(values)):
        _sum(block, f"F{row}", known=known)
    return block


def _hidden(block: Block, protection: Protection = WIDE) -> list[int]:
    return choose(block, protection).hidden


def test_one_gap_in_a_column_is_joined_by_the_smallest_that_protects_it() -> None:
    """Alone, it would be the total less the others."""
    assert _hidden(_column([2, 30, 9, 14])) == [0, 2]


def test_two_small_counts_protect_each_other_as_far_as_they_go() -> None:
    assert _hidden(_column([4, 4, 30, 9])) == [0, 1]


def test_two_small_counts_that_are_known_together_need_a_third() -> None:
    """1 and 1 are between 0 and 2: still small for certain."""
    assert _hidden(_column([1, 1, 30, 9])) == [0, 1, 3]


def test_a_national_one_is_hidden_among_zeros() -> None:
    """The one force that had it would stand out; a zero is hidden with it."""
    found = _hidden(_column([0, 1, 0, 0]))
    assert len(found) == 2
    assert 1 in found


def test_a_gap_in_a_table_needs_a_rectangle() -> None:
    """Condition and column each give a single gap away: four corners are the least."""
    block = _table([[2, 20, 30], [20, 9, 30], [30, 30, 30]], known=True)
    assert _hidden(block) == [0, 1, 3, 4]


def test_a_sum_that_may_be_hidden_is_worth_more_than_its_entries() -> None:
    """The rectangle hides three entries, each worth less than a sum of its force."""
    block = _table([[2, 8, 30], [8, 8, 30], [30, 30, 30]], known=False)
    assert _hidden(block) == [0, 1, 3, 4]


def test_known_counts_are_never_hidden() -> None:
    """Hiding what stands in print hides nothing, and a hidden count must not rest on it."""
    block = _column([2, 30, 9, 14])
    block.counts[2] = _entry("F2", 9, known=True)
    block.counts[0] = _entry("F0", 2)
    assert _hidden(block) == [0, 3]


def test_a_small_count_that_is_exempt_is_shown() -> None:
    block = _column([2, 30, 9, 14])
    block.counts[0] = _entry("F0", 2, known=True)
    assert _hidden(block) == []


@pytest.mark.parametrize(
    ("small", "found"), [("1..4", [0, 3]), ("0..4", [0, 1, 3, 4]), ("1..2", [3])]
)
def test_the_limit_is_the_collections(small: str, found: list[int]) -> None:
    block = _column([3, 0, 30, 1, 0, 9])
    choice = choose(block, Protection(small=small, width=1))
    assert choice.small == found


def test_a_wider_protection_hides_more() -> None:
    block = _column([1, 1, 30, 9])
    assert len(_hidden(block, NARROW)) < len(_hidden(block, WIDE))


def test_a_count_that_stands_in_no_mart_is_protected_through_its_sum() -> None:
    """One unshown case in a shown total of one would be told by the total."""
    block = Block("people_suspended", [], [[0, 1], [2, 3]])
    for force in ("F0", "F1"):
        for value in (1, 0) if force == "F0" else (7, 9):
            block.counts.append(_entry(force, value, is_shown=False))
    block.nation = [[0, 2], [1, 3]]
    for force in ("F0", "F1"):
        _sum(block, force, known=False)
    assert _hidden(block) == [4, 5]


def test_a_force_that_a_statistic_singles_out_changes_places_with_another() -> None:
    """`One force has 2`: it stays hidden only as long as another may be that force."""
    block = _table([[1, 1, 9], [3, 4, 9], [30, 30, 9]], known=False)
    told = (Band(0, 1), Band(2, 2), Band(3, None))
    for row in range(3):
        parts = (row * 3, row * 3 + 1)
        value = sum(block.counts[part].value for part in parts)
        key = {"force_code": f"F{row}"}
        count = Count("force_profiles", "information_disclosure", f"F{row}", key, value, parts)
        block.ranges[len(block.counts)] = told
        block.counts.append(count)
    first, second, third = block.ranges
    found = _hidden(block)
    assert {first, second} <= set(found) or {first, third} <= set(found)


def test_of_many_forces_each_is_protected_within_its_group() -> None:
    """What is found for a group leaves its sums, and so the nation's, as they are."""
    block = _table([[row * 7 % 5, 20 + row % 9, 30] for row in range(100)], known=False)
    found = choose(block, WIDE)
    true = np.array([count.value for count in block.counts])
    seen = [true]
    for table in found.tables:
        values = true.copy()
        for place, value in table:
            values[place] = value
        assert all(values[places].sum() == true[places].sum() for places in block.nation)
        sums = [
            (place, list(count.parts)) for place, count in enumerate(block.counts) if count.parts
        ]
        assert all(values[place] == values[parts].sum() for place, parts in sums)
        seen.append(values)
    widths = np.max(seen, axis=0) - np.min(seen, axis=0)
    assert len(found.small) == 80
    assert (widths[found.hidden] >= 5).all()
    assert not np.delete(widths, found.hidden).any()
