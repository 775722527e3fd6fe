"""The rules as text: a page a tier with an anchor a rule, an index, and how templates use rules."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from schemas.collection import Collection
from schemas.rules.catalogue import NATIONAL, OTHER_FILES, TIERS, Rule, read_by, rules, rules_of
from schemas.vocabulary import SEVERITIES
from schemas.wording import listed

_GENERATED = "Written from `schemas/rules/` by `make docs`; do not edit."
_KINDS = "kinds.md"
_TITLES = TIERS | OTHER_FILES


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
    yield from (f"- **{code}**: {meaning}" for code, meaning in SEVERITIES.items())
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
    yield f"**Severity** {rule.severity}: {SEVERITIES[rule.severity]}.  "
    yield f"**Reads** {rule.reads}.  "
    yield f"**Checks** {rule.checks}  "
    yield f"**Why** {rule.why}  "
    yield f"**How to fix it** {' '.join([rule.fix, *rule.fixes.values()])}"
    yield ""
    if rule.limits:
        names = [collection.id for collection in collections]
        yield f"| limit | meaning | {' | '.join(names)} |"
        yield "|---|---|" + "---|" * len(names)
        for limit, meaning in rule.limits.items():
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
    how = Path(__file__).with_name(_KINDS).read_text(encoding="utf-8")
    yield from (*how.splitlines(), "")
    for use, said in kinds.items():
        yield from (f'<a id="{use}"></a>', f"## `{use}`", "", said, "")
        yield f"Needs {listed(f'`{key}`' for key in read_by(use))}. Rules that have it:"
        yield ""
        for rule in rules().values():
            if use in rule.says:
                limits = "".join(f", limit `{limit}`" for limit in rule.limits)
                words = "".join(f", word `{word}`" for word in rule.words)
                yield (
                    f"- [{rule.id}]({rule.place}) ({rule.severity}){limits}{words}:"
                    f" `{rule.says[use]}`"
                )
        yield ""
