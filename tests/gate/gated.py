"""The whole gate, in this process."""

from collections.abc import Mapping
from pathlib import Path

from assets.gate.evaluate import evaluate
from assets.gate.outcome import GateResult, write_pages
from schemas.collection import Collection
from schemas.contract import Contract
from schemas.marts.catalogue import MARTS


def run_gate(
    marts: Path,
    collection: Collection,
    docs: Path,
    about: Mapping[str, str],
    contracts: Mapping[str, Contract] = MARTS,
) -> GateResult:
    """Evaluate what is expected of marts, and write the pages."""
    return write_pages(evaluate(marts, collection, contracts), docs, collection, about, contracts)
