"""The whole gate, in this process."""

from collections.abc import Mapping
from pathlib import Path

from assets.release.gate.evaluate import evaluate
from assets.release.gate.outcome import GateResult, Outcome, outcomes, write_page
from assets.release.gate.process import question
from assets.release.gate.suites import Suite, suite
from schemas.collection import Collection
from schemas.contract import Contract
from schemas.marts import MARTS


def evaluated(
    marts: Path,
    collection: Collection,
    contracts: Mapping[str, Contract] = MARTS,
    suites: Mapping[str, Suite] | None = None,
) -> list[Outcome]:
    """Evaluate what is expected of marts, or what `suites` says instead."""
    asked = suites or {n: suite(n, contract, collection) for n, contract in contracts.items()}
    told = evaluate(question(marts, asked, contracts))
    return outcomes(asked, dict(zip(asked, told, strict=True)))


def run_gate(
    marts: Path,
    collection: Collection,
    docs: Path,
    about: Mapping[str, str],
    contracts: Mapping[str, Contract] = MARTS,
    suites: Mapping[str, Suite] | None = None,
) -> GateResult:
    """Evaluate what is expected of marts, and write the page."""
    found = GateResult(evaluated(marts, collection, contracts, suites), docs / "index.html")
    write_page(found, collection, about)
    return found
