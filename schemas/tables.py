"""Contracts of the tables between the stages, which tables.toml describes."""

from pathlib import Path
from typing import Final

from schemas.contract import Contract, contracts
from schemas.research import InstancesInUse, ProfilesInUse, ResponsesInUse

_STAGES: Final = ("intake", "reports", "research", "cases", "desk", "validation")
_FOUND: Final[dict[str, Contract]] = {
    "research/social_media_profiles": ProfilesInUse,
    "research/social_media_instances": InstancesInUse,
    "research/survey_responses": ResponsesInUse,
} | contracts(Path(__file__).with_suffix(".toml"))

TABLES: Final = {n: _FOUND[n] for s in _STAGES for n in _FOUND if n.startswith(f"{s}/")}
"""The tables by stage and name, in the order in which the stages make them."""

_NAMED: Final = {contract.name: contract for contract in TABLES.values()}


def __getattr__(name: str) -> Contract:
    """Return the contract of a name, such as Receipts."""
    if name not in _NAMED:
        raise AttributeError(f"no table is called {name}")
    return _NAMED[name]
