"""The pages that are derived: the data dictionary, the tables of cases, and the rules, as text."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from assets.html import render
from schemas import vocabulary
from schemas.cases import CASE_TABLES, codes
from schemas.collection import Collection
from schemas.contract import CONTRACT_VERSION, Contract
from schemas.marts import MARTS, Series
from schemas.reference import OURS
from schemas.rules.catalogue import (
    CASES,
    EXPECTED,
    KINDS,
    NATIONAL,
    OTHER_FILES,
    TIERS,
    Rule,
    rules,
    rules_of,
)
from schemas.tables import TABLES
from schemas.template import Template
from schemas.template_file import load_template
from schemas.wording import listed

_GENERATED: Final = "Written from `schemas/rules/` by `make docs`; do not edit."
_PAGES: Final = Path(__file__).with_name("markdown")


def _page(name: str, **facts: Any) -> str:
    text = render(
        _PAGES / f"{name}.md.j2",
        **facts,
        cell=_cell,
        generated=_GENERATED,
        v=vocabulary,
    )
    return text.rstrip("\n") + "\n"


def _cell(said: str | Sequence[str]) -> str:
    return (said if isinstance(said, str) else ", ".join(said)).replace("|", "\\|")


def data_dictionary() -> str:
    """Return the page docs/data_dictionary.md."""
    templates = [load_template(path.stem) for path in sorted((OURS / "templates").glob("*.toml"))]
    return _dictionary(MARTS, templates, tables=TABLES, series=Series)


def dictionary_of(contracts: Mapping[str, Contract], template: Template) -> str:
    """Return the dictionary of some marts, and of the template that they were made from."""
    used = [r for r in rules().values() if r.id in template.rules_in_use or r.tier == NATIONAL]
    return _dictionary(contracts, [template], rules=used, tables=None)


def _dictionary(marts: Mapping[str, Contract], templates: list[Template], **facts: Any) -> str:
    version = CONTRACT_VERSION
    return _page("dictionary", marts=marts, templates=templates, version=version, **facts)


def case_page(collections: Sequence[Collection]) -> str:
    """Return the page docs/case_tables.md, with the codes of collections."""
    judged, results = rules_of(CASES).values(), dict(CASE_TABLES)
    text = _page(
        "cases",
        sent=results.pop("extract"),
        results=results,
        rules=judged,
        codes={each.id: codes(each.template) for each in collections if each.template.cases},
    )
    return text.replace("<", "\\<")


def rule_pages(collections: list[Collection]) -> dict[str, str]:
    """Return the text of each page by its file name, with limits and changes of collections."""
    titles = TIERS | OTHER_FILES
    pages = {
        f"{tier}.md": _page(
            "rules",
            title=title,
            rules=rules_of(tier).values(),
            collections=collections if tier in TIERS else [],
            expected=_expected,
            uses_of=_uses_of,
        )
        for tier, title in titles.items()
    }
    how = (OURS / "rules" / "kinds.md").read_text(encoding="utf-8").rstrip("\n")
    every = rules().values()
    return pages | {
        "README.md": _page("index", titles=titles, rules_of=rules_of),
        "kinds.md": _page(
            "kinds", how=how, kinds=KINDS, rules=every, listed=listed, examples=_examples()
        ),
    }


def _examples() -> dict[str, str]:
    """Return of each kind of test the shortest use in our templates, as it stands in the file."""
    found: dict[str, list[str]] = {}
    for path in sorted((OURS / "templates").glob("*.toml")):
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            text = block[block.find("[[rules]]") :].strip()
            if text.startswith("[[rules]]"):
                (rule,) = tomllib.loads(text)["rules"]
                found.setdefault(rule["use"], []).append(text)
    return {use: min(texts, key=len) for use, texts in found.items()}


def _expected(rule: Rule) -> str:
    return " or ".join(dict.fromkeys(EXPECTED[name] for name in rule.expects.values()))


def _uses_of(rule: Rule, template: Template) -> Iterator[str]:
    """Yield of which cells a template uses a rule, and what it then is about."""
    sums = [each for each in template.sums() if each.rule == rule.id]
    lines = dict.fromkeys((s.total[0], s.line.code, s.line.named or "the parts") for s in sums)
    yield from (f"{sheet}: {named} add up to `{code}`" for sheet, code, named in lines)
    for use in template.rules:
        if use.id == rule.id:
            cells = [use.sheet, *(f"`{cell}`" for cell in use.at)]
            about = [use.title, listed(filter(None, cells)) if any(cells) else ""]
            yield ": ".join(filter(None, [f"[{use.use}](kinds.md#{use.use})", *about]))
