"""Contracts of what a force sends as an extract and of what `muster cases` writes (tables.toml).

The pass for volume does not load them, since pandera takes most of a second; it reads the columns
alone (columns.py).
"""

from pathlib import Path
from typing import Final

from schemas.contract import Contract
from schemas.tables import contracts

_WRITTEN: Final = contracts(Path(__file__).with_suffix(".toml"))

CaseExtract: Final = _WRITTEN["extract"]
CASE_RESULTS: Final[dict[str, Contract]] = {n: c for n, c in _WRITTEN.items() if n != "extract"}
"""What is written beside summary.json, by name."""
