"""Chance that is the same on every run: numbers that depend on a key alone."""

from hashlib import blake2b
from statistics import NormalDist
from typing import Final

_SEED: Final = 7976
"""One whose draws lie close to the published spread over forces, so that little is adjusted."""


def fraction(*key: object) -> float:
    """Return a number above 0 and below 1, evenly spread, that depends on the key alone."""
    text = "|".join(map(str, (_SEED, *key)))
    drawn = int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")
    return (drawn + 0.5) / 2**48


def deviate(*key: object) -> float:
    """Return a standard normal deviate that depends on the key alone."""
    return NormalDist().inv_cdf(fraction(*key))
