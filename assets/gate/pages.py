"""The Data Docs of a release: a first page and a page a mart, which load nothing from anywhere.

Belongs here: which page says what. Does not: judging (judging.py), or how a page looks
(templates/).
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from assets.gate.outcome import GateResult, MartResult, Outcome
from assets.lake import atomic_file
from schemas.collection import Collection
from schemas.contract import Column, Contract, columns, description
from schemas.marts.catalogue import MARTS
from schemas.wording import plural, visible

INDEX: Final = "index.html"

_BASIS: Final = "basis"
_RECONSTRUCTED: Final = "reconstructed"
_LABELS: Final = {"passed": "met", "failed": "not met", "not_evaluated": "not checked"}

Group = tuple[Column | None, list[Outcome]]


def page_name(mart: str) -> str:
    """Return the name of a mart's page."""
    return f"{mart}.html"


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
        page = result.docs.with_name(page_name(mart.mart))
        _write(page, "mart.html.j2", {**shared, **facts_of_it})
    return result


def _by_column(mart: MartResult, contract: Contract) -> Iterator[Group]:
    """Yield the outcomes of the whole mart, then those of each column in the contract's order."""
    known: list[Column | None] = [None, *columns(contract)]
    names = [column and column.name for column in known]
    ordered = sorted(mart.outcomes, key=lambda outcome: names.index(outcome.column))
    for name, outcomes in groupby(ordered, key=lambda outcome: outcome.column):
        yield known[names.index(name)], list(outcomes)


def _label(outcome: Outcome) -> str:
    return "warning" if outcome.warns else _LABELS[outcome.status]


def _spans(text: str) -> Markup:
    """Return a description with what it has between backticks as code."""
    parts = (
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part)
        for position, part in enumerate(text.split("`"))
    )
    return Markup("").join(parts)


def _breakable(name: str) -> Markup:
    """Return a name that a narrow column may break after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def _write(path: Path, template: str, facts: Mapping[str, object]) -> None:
    text = _environment().get_template(template).render(facts)
    with atomic_file(path) as file:
        file.write(text.encode())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = _breakable
    environment.filters["label"] = _label
    environment.filters["page"] = page_name
    environment.filters["plural"] = plural
    environment.filters["spans"] = _spans
    environment.filters["visible"] = visible
    return environment
