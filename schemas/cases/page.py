"""The page of case-level extracts as text: columns, rules and results, from the contracts."""

from collections.abc import Iterator

from schemas.cases.contract import CaseExtract
from schemas.cases.results import CASE_RESULTS
from schemas.cases.rules import case_rules
from schemas.data_dictionary import contract_table


def case_page() -> str:
    """Return the page docs/case_tables.md."""
    return "\n".join(_lines()).replace("<", "\\<")


def _lines() -> Iterator[str]:
    yield "# Tables and rules of case-level extracts"
    yield ""
    yield "Written from `schemas/cases/`, `schemas/rules/cases.toml` by `make docs`; do not edit."
    yield "How they are sent, checked and counted: [cases.md](cases.md)."
    yield ""
    yield "## What a force sends"
    yield ""
    yield from contract_table("extract", CaseExtract)
    yield "## What is written"
    yield ""
    for name, contract in CASE_RESULTS.items():
        yield from contract_table(f"{name}.parquet", contract)
    yield "## The rules"
    yield ""
    yield "| rule | | checks | how to fix it |"
    yield "|---|---|---|---|"
    for rule in case_rules().values():
        yield f"| {rule.id} | {rule.title} | {rule.checks} | {rule.fix} |"
    yield ""
