"""Charts of few forces and of many: no words lie over each other, over a column or outside."""

import re
from random import Random

import pytest

from assets.release.pages.charts import place, skyline
from assets.release.pages.content import Chart, Figure

_LETTER = 7.2
"""Width of a letter, about."""


def _words(chart: Chart) -> list[tuple[float, float, float, float]]:
    """Return for each text where it begins and ends, and its top and bottom."""
    found = []
    for x, y, look, text in re.findall(r'<text x="(.+?)" y="(.+?)"(.*?)>(.*?)<', chart.svg):
        left = float(x) - ("end" in look) * len(text) * _LETTER
        found.append((left, left + len(text) * _LETTER, float(y) - 10, float(y) + 2))
    return found


def _columns(chart: Chart) -> list[tuple[float, float, float, float]]:
    boxes = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", chart.svg)
    return [(x, x + w, y, y + h) for x, y, w, h in (map(float, box) for box in boxes)]


def _over(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return one[0] < two[1] and two[0] < one[1] and one[2] < two[3] and two[2] < one[3]


@pytest.mark.parametrize("number", [1, 2, 3, 5, 12, 23, 43, 44, 100, 440])
def test_words_of_a_chart_lie_over_nothing(number: int) -> None:
    chance = Random(number)
    forces = {
        f"Force {n:03} of any": Figure(chance.randrange(1, 99), "here") for n in range(number)
    }
    limits = [(n, f"{n} or more: 9 forces") for n in (9, 10, 95)]
    mine = chance.sample([*forces], min(number, 12))
    drawn = [place("one", "Counted", forces, force) for force in mine]
    for chart in (skyline("one", "Counted", forces, limits), *drawn):
        words, columns = _words(chart), _columns(chart)
        assert words
        assert len(columns) == number
        for at, one in enumerate(words):
            assert -1 <= one[0] < one[1] <= 441
            assert one[2] >= 0
            assert not any(_over(one, other) for other in (*words[:at], *columns))
        assert max(right for _, right, _, _ in columns) <= 440


def test_a_chart_without_a_known_figure_says_so() -> None:
    assert "A: not known" in place("one", "Counted", {"A": Figure(None, "here")}, "A").svg
    assert skyline("one", "Counted", {}, [(9.0, "9 or more")]).svg.count("<text") == 0
