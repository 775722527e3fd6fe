"""The columns that several tables share, each described once, in columns.toml.

Use: `force_code: str = shared.force_code(key=True)`. A column that one table alone has is
declared in that table.
"""

import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from schemas import vocabulary
from schemas.contract import column

_SHARED: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def __getattr__(name: str) -> Callable[..., Any]:
    """Return how a shared column is declared, by its name."""
    if name not in _SHARED:
        raise AttributeError(f"no shared column is called {name}")
    return declared(**_SHARED[name])


def declared(about: str, unit: str, **said: Any) -> Callable[..., Any]:
    """Return how a column is declared that a file describes; tables.toml says how it does."""
    if isinstance(isin := said.get("isin"), str):
        said["isin"] = listed = getattr(vocabulary, isin)
        if "{isin}" in about:
            told = "; ".join(f"{code} = {text}" for code, text in listed.items())
            about = about.replace("{isin}", told)
    return partial(column, about, unit, **said)
