"""One page a rule as text, and an index of them: what a force reads when a finding names a rule."""

from collections.abc import Iterator

from schemas.collection import Collection
from schemas.rules.catalogue import NATIONAL, TIERS, Rule, rules
from schemas.vocabulary import SEVERITIES

_GENERATED = "Written from `schemas/rules/` by `make docs`; do not edit."


def rule_pages(collections: list[Collection]) -> dict[str, str]:
    """Return the text of each page by its file name, with the limits of the collections given."""
    pages = {f"{rule.id}.md": "\n".join(_page(rule, collections)) for rule in rules().values()}
    return {"README.md": "\n".join(_index()), **pages}


def _index() -> Iterator[str]:
    yield "# The rules of a return"
    yield ""
    yield _GENERATED
    yield ""
    for code, meaning in SEVERITIES.items():
        yield f"- **{code}**: {meaning}"
    yield ""
    for tier, title in TIERS.items():
        yield f"## {title}"
        yield ""
        yield "| rule | | severity |"
        yield "|---|---|---|"
        for rule in rules().values():
            if rule.tier == tier:
                yield f"| [{rule.id}]({rule.id}.md) | {rule.title} | {rule.severity} |"
        yield ""


def _page(rule: Rule, collections: list[Collection]) -> Iterator[str]:
    yield f"# {rule.id}: {rule.title}"
    yield ""
    yield f"**Severity** {rule.severity}: {SEVERITIES[rule.severity]}.  "
    yield f"**Reads** {rule.reads}."
    yield ""
    for title, text in (
        ("What it checks", rule.checks),
        ("Why", rule.why),
        ("How to fix it", rule.fix),
    ):
        yield f"## {title}"
        yield ""
        yield text
        yield ""
    if rule.limits:
        yield from _limits(rule, collections)
    yield "## Status"
    yield ""
    for collection in collections:
        yield f"- `{collection.id}`: {_status(rule, collection)}"
    if rule.guards:
        yield ""
        yield "No collection may change this rule: without it a value could be lost or misread."
    yield ""
    yield f"[All rules](README.md). {_GENERATED}"
    yield ""


def _limits(rule: Rule, collections: list[Collection]) -> Iterator[str]:
    yield "## Limits"
    yield ""
    names = [collection.id for collection in collections]
    yield f"| limit | meaning | {' | '.join(names)} |"
    yield "|---|---|" + "---|" * len(names)
    for limit, meaning in rule.limits.items():
        given = (c.thresholds.get(rule.id, {}).get(limit) for c in collections)
        values = ("" if value is None else f"{value:g}" for value in given)
        yield f"| `{limit}` | {meaning} | {' | '.join(values)} |"
    yield ""


def _status(rule: Rule, collection: Collection) -> str:
    change = collection.changed(rule.id)
    if rule.tier != NATIONAL and rule.id not in collection.template.rules_in_use:
        return "not used by its template"
    if change is None:
        return "active"
    what = "off" if change.severity == "off" else f"downgraded to {change.severity}"
    return f"{what} since {change.since}: {change.reason}"
