"""The columns that several tables share, each described once, in columns.toml.

Use: `force_code: str = shared.force_code(key=True)`. A column that one table alone has is
declared in that table.
"""

import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from schemas.contract import column
from schemas.vocabulary import BASES

_SHARED: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_BASES: Final = "; ".join(f"{code} = {text}" for code, text in BASES.items())
_SHARED["basis"] = {
    "about": f"Where the value comes from: {_BASES}", "unit": "code", "isin": BASES,
}  # fmt: skip


def __getattr__(name: str) -> Callable[..., Any]:
    """Return how a shared column is declared, by its name."""
    if name not in _SHARED:
        raise AttributeError(f"no shared column is called {name}")
    said = {**_SHARED[name]}
    return partial(column, said.pop("about"), said.pop("unit"), **said)
