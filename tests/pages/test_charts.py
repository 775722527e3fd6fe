"""Charts of few forces and of many: every force has a column, and none flattens the rest."""

import re
from itertools import pairwise
from random import Random

import pytest
from markupsafe import Markup

from assets.release.pages.charts import Spread, columns, rows, tiles
from assets.release.pages.content import Figure, Text


def _heights(drawn: Markup) -> list[float]:
    return [float(height) for height in re.findall(r'<i class="[^"]*" style="--h:([\d.]+)"', drawn)]


@pytest.mark.parametrize("number", [1, 2, 3, 5, 12, 23, 43, 44, 100, 440])
def test_every_force_has_a_column_and_the_words_of_lines_stand_apart(number: int) -> None:
    chance = Random(number)
    forces = {
        f"Force {n:03} of any": Figure(chance.randrange(1, 99), "here") for n in range(number)
    }
    limits = [(n, Text((f"{n} or more: 9 forces",))) for n in (9.0, 10.0, 60.0)]
    drawn = columns("one", "Counted", Spread(forces), lines=limits)
    heights = _heights(drawn)
    assert len(heights) == min(number, 100)
    assert ("at even steps" in drawn) == (number > 100)
    assert heights == sorted(heights, reverse=True)
    assert all(1 <= height <= 100 for height in heights)
    words = [float(at) for at in re.findall(r'class="t" style="--h:([\d.]+)"', drawn)]
    assert all(above - below >= 9.9 for below, above in pairwise(words))
    mine = chance.choice([*forces])
    assert columns("one", "Counted", Spread(forces), mine).count('class="now') == 1


def test_the_largest_is_cut_off_and_said_to_be_where_it_would_flatten_the_rest() -> None:
    forces = {name: Figure(value, "here") for name, value in
              {"A": 400, "B": 120, "C": 100, "D": 3, "E": 0}.items()}  # fmt: skip
    drawn = columns("one", "Counted", Spread(forces))
    assert "Cut off at the top, as it would flatten the rest: A." in drawn
    two = columns("one", "Counted", Spread({**forces, "B": Figure(390, "here")}))
    assert "Cut off at the top, as they would flatten the rest: A, B." in two
    assert _heights(drawn)[1] > 80
    assert 'class="then cut"' in drawn
    even = columns("one", "Counted", Spread({name: forces[name] for name in "BC"}))
    assert "Cut off" not in even
    assert "cut" not in even


def test_a_chart_without_a_known_figure_says_so() -> None:
    assert "No force has a known figure." in columns(
        "one", "Counted", Spread({"A": Figure(None, "a")})
    )
    assert columns("one", "Counted", Spread({"A": Figure(0, "here")})).count("<i ") == 1


def test_what_is_hidden_or_unknown_has_no_shade_and_says_which() -> None:
    forces = {
        "A": ("Ay", Figure(5, "here"), "A.html"),
        "B": ("Bee", Figure(None, "here", hidden=True), "B.html"),
        "C": ("Sea", Figure(None, "here"), "C.html"),
    }
    drawn = tiles(forces, {"A": (0, 0)})
    assert re.findall(r'<li class="(\w+)" style="--r:(\d);--c:(\d)"', drawn) == [
        ("q1", "1", "1"), ("none", "2", "1"), ("none", "3", "1"),
    ]  # fmt: skip
    assert ">[c]<" in drawn
    assert ">[x]<" in drawn


def test_a_label_is_text() -> None:
    assert "<script>" not in rows("bars", [("<script>", [Figure(1, "a<b")])])
