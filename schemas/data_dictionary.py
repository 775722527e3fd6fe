"""The data dictionary as text: every mart, table and entry of the template, from the contracts."""

from collections.abc import Iterator, Mapping

from schemas import vocabulary as v
from schemas.cases.rules import case_rules
from schemas.cases.tables import CASE_RESULTS, CaseExtract
from schemas.contract import CONTRACT_VERSION, Contract, columns, description
from schemas.marts.catalogue import MARTS
from schemas.marts.totals import Series
from schemas.reference import OURS
from schemas.tables import TABLES
from schemas.template import Entry, Template
from schemas.template_file import load_template


def data_dictionary() -> str:
    """Return the page docs/data_dictionary.md."""
    names = sorted(path.stem for path in (OURS / "templates").glob("*.toml"))
    templates = (line for name in names for line in _template(load_template(name)))
    return "\n".join([*_head(), *_marts(), *_tables(), *templates, *_codes()])


def _head() -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield (
        "Written from the contracts in `schemas/` by `make docs`; do not edit. Contract version"
        f" {CONTRACT_VERSION}."
    )
    yield ""


def _marts() -> Iterator[str]:
    yield "## Marts"
    yield ""
    yield "Files `marts/<collection>/<name>.parquet`, sorted by their key columns."
    yield ""
    for name, contract in MARTS.items():
        yield from contract_table(name, contract)
    yield "File `marts/series/series.parquet`, over all collections."
    yield ""
    yield from contract_table("series", Series)


def _tables() -> Iterator[str]:
    yield "## Tables between the stages"
    yield ""
    yield "Files `work/<collection>/<stage>/<name>.parquet`, made again by each run."
    yield ""
    for name, contract in TABLES.items():
        yield from contract_table(name, contract)


def contract_table(name: str, contract: Contract) -> Iterator[str]:
    """Yield the lines that describe a table under its name."""
    yield f"### {name}"
    yield ""
    yield description(contract)
    yield ""
    yield "| column | type | unit | key | null | description |"
    yield "|---|---|---|---|---|---|"
    for column in columns(contract):
        marks = f"{'key' if column.key else ''} | {'may be null' if column.nullable else ''}"
        yield (
            f"| `{column.name}` | {column.type_name} | {column.unit} | {marks} |"
            f" {_cell(column.description)} |"
        )
    yield ""


def _template(template: Template) -> Iterator[str]:
    yield f"## Return template `{template.name}`, version {template.version}"
    yield ""
    for sheet in template.sheets:
        yield f"### Sheet {sheet.name}"
        yield ""
        yield f"{sheet.title}."
        yield ""
        yield "| row | wording | " + " | ".join(f"`{code}`" for code in sheet.columns) + " |"
        yield "|---|---|" + "---|" * len(sheet.columns)
        for row in sheet.rows:
            entries = " | ".join(_entry(entry) for entry in row.entries)
            yield f"| `{row.code}` | {_cell(row.label)} | {entries} |"
        yield ""
    for name, codes in template.lists.items():
        yield from _listed(f"Codes of {name}", codes)


def _entry(entry: Entry) -> str:
    accepts = list(entry.answers) if entry.answers else [entry.kind]
    return _cell(", ".join([*accepts, *entry.missing]))


def _codes() -> Iterator[str]:
    yield "## Codes"
    yield ""
    lists = {
        "States of a return": v.STATES,
        "Severities of findings": v.SEVERITIES,
        "Results of a rule": v.RULE_RESULTS,
        "Basis of a value": v.BASES,
        "Statuses of reconciliation": v.RECONCILIATION_STATUSES,
    }
    for title, codes in lists.items():
        yield from _listed(title, codes)


def _listed(title: str, codes: Mapping[str, str]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield "| code | meaning |"
    yield "|---|---|"
    for code, meaning in codes.items():
        yield f"| `{code}` | {_cell(meaning)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def case_page() -> str:
    """Return the page docs/case_tables.md."""
    return "\n".join(_case_lines()).replace("<", "\\<")


def _case_lines() -> Iterator[str]:
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
