"""Contracts of the tables between the stages, which tables.toml describes."""

from pathlib import Path
from typing import Final

from schemas import contract, research
from schemas.contract import Contract

_STAGES: Final = ("intake", "reports", "research", "cases", "desk", "validation")
_FOUND: Final = research.TABLES | contract.contracts(Path(__file__).with_suffix(".toml"))

TABLES: Final = {n: _FOUND[n] for s in _STAGES for n in _FOUND if n.startswith(f"{s}/")}
"""The tables by stage and name, in the order in which the stages make them."""


def __getattr__(name: str) -> Contract:
    """Return the contract of a name, such as Receipts."""
    return contract.named(name, TABLES)
