"""The Data Docs of a release: a first page and a page a mart, which load nothing from anywhere.

Belongs here: which page says what. Does not: judging (judging.py), or how a page looks
(templates/).
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from assets.gate.outcome import GateResult, MartResult, Outcome
from assets.html import render
from assets.lake import atomic_file
from schemas.collection import Collection
from schemas.contract import Column, Contract, columns, description
from schemas.marts.catalogue import MARTS

INDEX: Final = "index.html"
_TEMPLATES: Final = Path(__file__).with_name("templates")

_BASIS: Final = "basis"
_RECONSTRUCTED: Final = "reconstructed"

Group = tuple[Column | None, list[Outcome]]


def write_pages(
    marts: tuple[MartResult, ...],
    docs: Path,
    collection: Collection,
    about: Mapping[str, str] | None = None,
    contracts: Mapping[str, Contract] = MARTS,
) -> GateResult:
    """Write the pages and return what the gate says; the same results give the same bytes.

    Args:
        marts: what came of the expectations of each mart.
        docs: the folder the pages go to, made if need be.
        collection: whose marts they are.
        about: facts that stand on every page: `release`, `collection`, `sources`, `basis`; a
            `basis` of reconstructed returns stands out.
        contracts: the contract of each mart.

    Raises:
        LakeError: a page cannot be written.
    """
    result, about = GateResult(marts, docs / INDEX), about or {}
    facts = dict(about)
    shared = {
        "collection": collection,
        "warning": facts.pop(_BASIS) if _RECONSTRUCTED in about.get(_BASIS, "") else None,
        "facts": facts,
    }
    _write(result.docs, "index.html.j2", {**shared, "result": result})
    for mart in result.marts:
        contract = contracts[mart.mart]
        facts_of_it = {
            "mart": mart,
            "description": description(contract),
            "groups": list(_by_column(mart, contract)),
        }
        page = result.docs.with_name(f"{mart.mart}.html")
        _write(page, "mart.html.j2", {**shared, **facts_of_it})
    return result


def _by_column(mart: MartResult, contract: Contract) -> Iterator[Group]:
    """Yield the outcomes of the whole mart, then those of each column in the contract's order."""
    known: list[Column | None] = [None, *columns(contract)]
    names = [column and column.name for column in known]
    ordered = sorted(mart.outcomes, key=lambda outcome: names.index(outcome.column))
    for name, outcomes in groupby(ordered, key=lambda outcome: outcome.column):
        yield known[names.index(name)], list(outcomes)


def _write(path: Path, template: str, facts: Mapping[str, Any]) -> None:
    text = render(_TEMPLATES / template, **facts)
    with atomic_file(path) as file:
        file.write(text.encode())
