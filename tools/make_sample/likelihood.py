"""What the returns would plausibly say: larger forces have more of everything, give or take chance.

Belongs here: the assumed sizes, and expectations scaled to the published totals. Does not: any
published figure, nor a rule a return must keep.
"""

import csv
import math
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from assets.sample.research import deviate
from tools.make_sample.published import Place, Total

SIZES_PATH: Final = Path(__file__).with_name("assumed_sizes.csv")

_ROUNDS: Final = 60
_TYPICAL_SIZE: Final = 3000


@cache
def assumed_sizes() -> dict[str, int]:
    """Return the assumed officers and staff of each force, by force code, in order of code."""
    with SIZES_PATH.open(encoding="utf-8", newline="") as file:
        sizes = {row["force_code"]: int(row["assumed_workforce"]) for row in csv.DictReader(file)}
    return dict(sorted(sizes.items()))


def varied(number: float, spread: float, *key: object) -> float:
    """Return the number times a chance factor whose logarithm has this standard deviation."""
    return number * math.exp(spread * deviate(*key))


def rates(subject: str, spread: float) -> dict[str, float]:
    """Return how much of a subject to expect of each force: its size, varied.

    Args:
        subject: what is counted; a force may have much of one and little of another.
        spread: standard deviation of the logarithm in a force of typical size; the rates of
            large forces, being averages over many people, vary less.
    """
    return {
        force_code: varied(size, spread * (_TYPICAL_SIZE / size) ** 0.25, subject, force_code)
        for force_code, size in assumed_sizes().items()
    }


def draw(expected: float, *key: object) -> int:
    """Return a whole number about as far from what is expected as counted events stray."""
    return max(0, round(expected + math.sqrt(expected) * deviate(*key)))


def rake(expected: Mapping[Place, float], totals: Iterable[Total]) -> dict[Place, float]:
    """Scale expectations until they add up to every total, keeping their proportions otherwise.

    Args:
        expected: expectation for each place; under a total only the proportions matter.
        totals: what they must add up to; they must not contradict each other.
    """
    raked = dict(expected)
    fixed = list(totals)
    for _ in range(_ROUNDS):
        for total in fixed:
            whole = sum(raked[place] for place in total.places)
            if whole:
                for place in total.places:
                    raked[place] *= total.value / whole
    return raked
