"""Marts about the returns themselves: their states, findings, cells, and the reconciliation."""

from pathlib import Path
from typing import Final

from schemas.contract import contracts

_WRITTEN: Final = contracts(Path(__file__).with_suffix(".toml"))
Reconciliation: Final = _WRITTEN["reconciliation"]
ReturnsStatus: Final = _WRITTEN["returns_status"]
Findings: Final = _WRITTEN["findings"]
Repairs: Final = _WRITTEN["repairs"]
Cells: Final = _WRITTEN["cells"]
Corrections: Final = _WRITTEN["corrections"]
