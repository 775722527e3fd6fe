"""The pages that are derived: the data dictionary, the tables of cases, and the rules, as text."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

from schemas import vocabulary as v
from schemas.cases.tables import CASE_RESULTS, CaseExtract
from schemas.collection import Collection
from schemas.contract import CONTRACT_VERSION, Contract, columns, description
from schemas.marts.catalogue import MARTS
from schemas.marts.totals import Series
from schemas.reference import OURS
from schemas.rules.catalogue import (
    CASES,
    EXPECTED,
    NATIONAL,
    OTHER_FILES,
    TIERS,
    Rule,
    read_by,
    rules,
    rules_of,
)
from schemas.tables import TABLES
from schemas.template import Entry, Template
from schemas.template_file import load_template
from schemas.wording import listed

_GENERATED: Final = "Written from `schemas/rules/` by `make docs`; do not edit."
_KINDS: Final = "kinds.md"
_TITLES: Final = TIERS | OTHER_FILES


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
            *("## Rules", "", "What every return is held to, and the totals.", ""),
            *_table(
                ("rule", "severity", "", "checks", "how to fix it"),
                (
                    (of.id, v.SEVERITIES[of.severity], *map(_cell, (of.title, of.checks, of.fix)))
                    for of in rules().values()
                    if of.id in template.rules_in_use or of.tier == NATIONAL
                ),
            ),
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
    rules = rules_of(CASES).values()
    rows = ((rule.id, rule.title, rule.checks, rule.fix) for rule in rules)
    yield from _table(("rule", "", "checks", "how to fix it"), rows)


def rule_pages(collections: list[Collection], kinds: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each page by its file name.

    Args:
        collections: those whose limits and changes are shown.
        kinds: what each kind of test asks, by the name under which templates use it.
    """
    pages = {f"{tier}.md": _tier(tier, collections) for tier in _TITLES}
    pages |= {"README.md": _index(), _KINDS: _uses(kinds)}
    return {name: "\n".join(lines) for name, lines in pages.items()}


def _index() -> Iterator[str]:
    yield from ("# The rules of a return", "", _GENERATED, "")
    yield from (f"- **{code}**: {meaning}" for code, meaning in v.SEVERITIES.items())
    yield from ("", f"Another template uses rules by [kinds of tests]({_KINDS}). The address of a")
    yield "rule, its tier's page and its id in lower case as in `structure.md#s010`, stays."
    yield "Releases and letters from before name a page a rule, as `S010.md`: look for it here."
    yield ""
    for tier, title in _TITLES.items():
        yield from (f"## {title}", "", "| rule | | severity |", "|---|---|---|")
        for rule in rules_of(tier).values():
            yield f"| [{rule.id}]({rule.place}) | {rule.title} | {rule.severity} |"
        yield ""


def _tier(tier: str, collections: list[Collection]) -> Iterator[str]:
    yield from (f"# {_TITLES[tier]}", "", f"[All rules](README.md). {_GENERATED}", "")
    held = collections if tier in TIERS else []
    yield from chain.from_iterable(_rule(rule, held) for rule in rules_of(tier).values())


def _rule(rule: Rule, collections: list[Collection]) -> Iterator[str]:
    yield from (f'<a id="{rule.id.lower()}"></a>', f"## {rule.id}: {rule.title}", "")
    yield f"**Severity** {rule.severity}: {v.SEVERITIES[rule.severity]}.  "
    yield f"**Reads** {rule.reads}.  "
    yield f"**Checks** {rule.checks}  "
    yield f"**Why** {rule.why}  "
    yield f"**How to fix it** {' '.join([rule.fix, *rule.fixes.values()])}"
    if rule.expects:
        named = dict.fromkeys(EXPECTED[name] for name in rule.expects.values())
        yield f"\n**Expects** {' or '.join(named)}: what a query moves is told by that."
    yield ""
    if rule.limits:
        names = [collection.id for collection in collections]
        yield f"| limit | meaning | {' | '.join(names)} |"
        yield "|---|---|" + "---|" * len(names)
        for limit, meaning in rule.limits_in(rule.limits_of).items():
            given = (c.thresholds.get(rule.id, {}).get(limit) for c in collections)
            values = ("" if value is None else f"{value:g}" for value in given)
            yield f"| `{limit}` | {meaning} | {' | '.join(values)} |"
        yield ""
    for collection in collections:
        yield f"- `{collection.id}`: {_status(rule, collection)}"
        yield from _cells(rule, collection)
    if rule.guards and collections:
        yield from ("", "No collection may change it: without it a value could be lost or misread.")
    yield ""


def _status(rule: Rule, collection: Collection) -> str:
    change = collection.changed(rule.id)
    if rule.tier != NATIONAL and rule.id not in collection.template.rules_in_use:
        return "not used by its template"
    if change is None:
        return "active"
    what = "off" if change.severity == "off" else f"downgraded to {change.severity}"
    return f"{what} since {change.since}: {change.reason}"


def _cells(rule: Rule, collection: Collection) -> Iterator[str]:
    """Yield of which cells the collection's template uses a rule, and what it then is about."""
    sums = [each for each in collection.template.sums() if each.rule == rule.id]
    lines = dict.fromkeys((s.total[0], s.line.code, s.line.named or "the parts") for s in sums)
    yield from (f"  - {sheet}: {named} add up to `{code}`" for sheet, code, named in lines)
    for use in collection.template.rules:
        if use.id == rule.id:
            cells = [use.sheet, *(f"`{cell}`" for cell in use.at)]
            about = [use.title, listed(filter(None, cells)) if any(cells) else ""]
            yield ": ".join(filter(None, [f"  - [{use.use}]({_KINDS}#{use.use})", *about]))


def _uses(kinds: Mapping[str, str]) -> Iterator[str]:
    yield from (
        "# Kinds of tests that a template can use",
        "",
        f"[All rules](README.md). {_GENERATED}",
    )
    how = (OURS / "rules" / _KINDS).read_text(encoding="utf-8")
    yield from (*how.splitlines(), "")
    for use, said in kinds.items():
        yield from (f'<a id="{use}"></a>', f"## `{use}`", "", said, "")
        yield f"Needs {listed(f'`{key}`' for key in read_by(use))}. Rules that have it:"
        yield ""
        for rule in rules().values():
            if use in rule.says:
                named = rule.limits_in([use])
                limits = "".join(f", limit `{limit}`" for limit in named)
                words = "".join(f", word `{word}`" for word in rule.words)
                yield (
                    f"- [{rule.id}]({rule.place}) ({rule.severity}){limits}{words}:"
                    f" `{rule.says[use]}`"
                )
        yield ""
