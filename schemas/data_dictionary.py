"""The data dictionary as text: every mart, table and entry of the template, from the contracts."""

from collections.abc import Iterable, Iterator, Mapping

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
    return "\n".join(_dictionary())


def dictionary_of(contracts: Mapping[str, Contract], template: Template) -> str:
    """Return the dictionary of some marts, and of the template that they were made from."""
    return "\n".join(
        [
            *("# Data dictionary", "", f"Contract version {CONTRACT_VERSION}.", "", "## Marts", ""),
            *(line for name, contract in contracts.items() for line in _contract(name, contract)),
            *_template(template),
            *_vocabulary(),
        ]
    )


def _dictionary() -> Iterator[str]:
    yield from ("# Data dictionary", "")
    made = "Written from the contracts in `schemas/` by `make docs`; do not edit."
    yield from (f"{made} Contract version {CONTRACT_VERSION}.", "", "## Marts", "")
    yield from ("Files `marts/<collection>/<name>.parquet`, sorted by their key columns.", "")
    for name, contract in MARTS.items():
        yield from _contract(name, contract)
    yield from ("File `marts/series/series.parquet`, over all collections.", "")
    yield from _contract("series", Series)
    yield from ("## Tables between the stages", "")
    yield from ("Files `work/<collection>/<stage>/<name>.parquet`, made again by each run.", "")
    for name, contract in TABLES.items():
        yield from _contract(name, contract)
    for path in sorted((OURS / "templates").glob("*.toml")):
        yield from _template(load_template(path.stem))
    yield from _vocabulary()


def _vocabulary() -> Iterator[str]:
    yield from ("## Codes", "")
    yield from _listed("States of a return", v.STATES)
    yield from _listed("Severities of findings", v.SEVERITIES)
    yield from _listed("Results of a rule", v.RULE_RESULTS)
    yield from _listed("Basis of a value", v.BASES)
    yield from _listed("Statuses of reconciliation", v.RECONCILIATION_STATUSES)


def _contract(name: str, contract: Contract) -> Iterator[str]:
    """Yield the lines that describe a table under its name."""
    yield from (f"### {name}", "", description(contract), "")
    yield from _table(
        ("column", "type", "unit", "key", "null", "description"),
        (
            (f"`{column.name}`", column.type_name, column.unit, "key" if column.key else "",
             "may be null" if column.nullable else "", _cell(column.description))
            for column in columns(contract)
        ),
    )  # fmt: skip


def _template(template: Template) -> Iterator[str]:
    yield from (f"## Return template `{template.name}`, version {template.version}", "")
    for sheet in template.sheets:
        yield from (f"### Sheet {sheet.name}", "", f"{sheet.title}.", "")
        rows = (
            (f"`{row.code}`", _cell(row.label), *map(_entry, row.entries)) for row in sheet.rows
        )
        yield from _table(("row", "wording", *(f"`{code}`" for code in sheet.columns)), rows)
    for name, codes in template.lists.items():
        yield from _listed(f"Codes of {name}", codes)


def _entry(entry: Entry) -> str:
    return _cell(", ".join([*(entry.answers or [entry.kind]), *entry.missing]))


def _listed(title: str, codes: Mapping[str, str]) -> Iterator[str]:
    yield from (f"### {title}", "")
    rows = ((f"`{code}`", _cell(meaning)) for code, meaning in codes.items())
    yield from _table(("code", "meaning"), rows)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len([*heads]) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def case_page() -> str:
    """Return the page docs/case_tables.md."""
    return "\n".join(_case_lines()).replace("<", "\\<")


def _case_lines() -> Iterator[str]:
    yield from ("# Tables and rules of case-level extracts", "")
    yield "Written from `schemas/cases/`, `schemas/rules/cases.toml` by `make docs`; do not edit."
    yield from ("How they are sent, checked and counted: [cases.md](cases.md).", "")
    yield from ("## What a force sends", "")
    yield from _contract("extract", CaseExtract)
    yield from ("## What is written", "")
    for name, contract in CASE_RESULTS.items():
        yield from _contract(f"{name}.parquet", contract)
    yield from ("## The rules", "")
    rules = case_rules().values()
    rows = ((rule.id, rule.title, rule.checks, rule.fix) for rule in rules)
    yield from _table(("rule", "", "checks", "how to fix it"), rows)
