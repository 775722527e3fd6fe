"""Contracts of the tables between the stages, which tables.toml describes."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Final

from schemas import columns as shared
from schemas.contract import Contract, Table
from schemas.research import InstancesInUse, ProfilesInUse, ResponsesInUse

_TYPES: Final = {"text": str, "int": int, "float": float, "bool": bool, "date": date}
_OF_UNIT: Final = {"count": "int", "bytes": "int", "true or false": "bool", "date": "date"}
"""The type of a column by its unit, where that is no text and nothing else is said."""


def _contract(name: str, about: str, columns: dict[str, dict[str, Any]]) -> Contract:
    """Return the contract of a table as the file describes it."""
    body: dict[str, Any] = {"__doc__": about, "__annotations__": {}}
    for code, said in columns.items():
        like = said.pop("like", code)
        kind = said.pop("type", _OF_UNIT.get(said.get("unit", ""), "text"))
        body["__annotations__"][code] = _TYPES[kind]
        own = shared.declared(**said)() if "about" in said else None
        body[code] = own or getattr(shared, like)(**said)
    made: Contract = type(name, (Table,), body)
    return made


def contracts(path: Path) -> dict[str, Contract]:
    """Return the contracts that a file describes, by the heads of its tables."""
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _contract(**said) for name, said in written.items()}


_STAGES: Final = ("intake", "reports", "research", "cases", "desk", "validation")
_FOUND: Final[dict[str, Contract]] = {
    "research/social_media_profiles": ProfilesInUse,
    "research/social_media_instances": InstancesInUse,
    "research/survey_responses": ResponsesInUse,
} | contracts(Path(__file__).with_suffix(".toml"))

TABLES: Final = {n: _FOUND[n] for s in _STAGES for n in _FOUND if n.startswith(f"{s}/")}
"""The tables by stage and name, in the order in which the stages make them."""

_NAMED: Final = {contract.__name__: contract for contract in TABLES.values()}


def __getattr__(name: str) -> Contract:
    """Return the contract of a name, such as Receipts."""
    if name not in _NAMED:
        raise AttributeError(f"no table is called {name}")
    return _NAMED[name]
