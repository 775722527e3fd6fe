"""The national page: what its description says, and who is in the totals and whether they hold."""

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from assets.pages import research
from assets.pages.charts import pairs
from assets.pages.content import (
    COUNT,
    PERCENT,
    RATE,
    Cell,
    Chart,
    Page,
    Section,
    Style,
    Table,
    Text,
    heads,
    row,
    text,
)
from assets.pages.description import first_measure, questions
from assets.pages.figures import Edition
from assets.pages.records import corrections, reconciled
from assets.pages.tables import View
from assets.pages.wording import STATES, STATUSES, period, sentence
from schemas import vocabulary as v
from schemas.collection import command
from schemas.measures import NOW
from schemas.rules.catalogue import rules
from schemas.template import Row as Asked
from schemas.wording import plural

Blocks = tuple[Text | Chart | Table, ...]

_EDITION: Final = "Full edition, for the data team and analysts: nothing is suppressed."
_IN_TOTALS: Final = {state: state in v.LIVE_STATES for state in v.STATES}
SERIES_PAGE: Final = "../../series/index.html"
"""Seen from the report of a release that is shown in the folder marts/ of its lake."""

_TIMES: Final = Style(decimals=1, suffix=" times")
_YES_NO: Final = ("yes", "no")


@lru_cache(maxsize=1)
def national_page(edition: Edition) -> Page:
    """Return the national page of a release; drawn once for the page and the workbook."""
    view, page = View(edition), edition.description.national
    described = (
        Section(of.name, of.title, _USED[of.use](edition) if of.use else view.blocks(of))
        for of in page.section
    )
    return Page(
        title=edition.collection.title,
        over=f"National picture, {period(edition.collection, NOW)}",
        banner=banner(edition),
        headlines=tuple(view.headline(of) for of in page.headline if view.knows(of.figure)),
        sections=(
            *(section for section in described if section.blocks),
            Section("coverage", "Who is in the totals", _coverage(edition)),
            Section("checks", "Whether the totals hold", _checks(edition)),
            *_reconciliation(edition),
            Section("trace", "How to cite and to trace a figure", _trace(edition)),
        ),
    )


def banner(edition: Edition) -> tuple[Text, ...]:
    """Return what every page says first: basis, coverage, edition and release."""
    measure = first_measure(edition.collection.template)
    whole: dict[str, Any] = {"measure": measure, "breakdown": "", "period": NOW}
    lines = [
        text(sentence(edition.about["basis"]) + "."),
        text(
            edition.figure("national_totals", "forces_included", **whole),
            " of ",
            edition.figure("national_totals", "forces_expected", **whole),
            " forces are in the totals.",
        ),
    ]
    lines += [
        text(
            edition.count("returns_status", state=state),
            f" {state}: {', '.join(_names(edition, state))}. ",
            "Not in the totals."
            if not _IN_TOTALS[state]
            else "In the totals, which are provisional until the queries are answered.",
        )
        for state in ("missing", "rejected", "queried")
        if _names(edition, state)
    ]
    lines.append(text(f"{_EDITION} Release {edition.about['release']}."))
    return tuple(lines)


def _names(edition: Edition, state: str) -> list[str]:
    found = edition.rows("returns_status", state=state)
    return sorted(edition.names[status["force_code"]] for status in found)


def _rates(edition: Edition) -> Blocks:
    """Return the rates a month beside those of earlier periods."""
    if not edition.collection.comparators:
        return ()
    labels = edition.collection.template.lists
    drawn, rows = [], []
    for found in edition.rows("comparisons"):
        key = {name: found[name] for name in ("measure", "breakdown", "period")}
        dimension, _, code = found["breakdown"].partition("=")
        label = labels.get(dimension, {}).get(code, "All")
        before = period(edition.collection, found["previous_period"])
        now, then = (
            edition.figure("comparisons", name, RATE, **key)
            for name in ("per_month", "previous_per_month")
        )
        drawn.append((f"{label}, against {before}", now, then))
        rows.append(
            row(
                label,
                edition.figure("comparisons", "value", COUNT, **key),
                now,
                edition.figure("comparisons", "previous_value", COUNT, **key),
                then,
                edition.figure("comparisons", "ratio", _TIMES, **key),
                Cell(before),
            )
        )
    columns = ("Investigations", "A month", "Then", "A month then", "Now against then")
    this = period(edition.collection, NOW)
    return (
        text(
            "The periods differ in length, so that only the rates a month can be compared. A"
            " higher rate may also mean that more is found or written down."
        ),
        pairs("chart-rates", "Investigations a month", (this, "the earlier period"), drawn),
        Table(
            "rates",
            f"Investigations a month, {this}, beside earlier periods",
            heads("Category", *columns, words=("Earlier period",)),
            tuple(rows),
        ),
    )


def _arrangements(edition: Edition) -> Blocks:
    """Return what forces answered to each question: those of yes and no apart from the others."""
    asked = [one for sheet in questions(edition.collection.template) for one in sheet.rows]
    yes_no = [one for one in asked if one.entries[0].answers == _YES_NO]
    other = [one for one in asked if one.entries[0].answers != _YES_NO]
    area = ("Area",) if any(one.area for one in asked) else ()
    yes_heads = heads("Arrangement", "Yes (forces)", "No (forces)", "Share with yes", words=area)
    more = [row for one in other for row in _answers(edition, one)]
    tables = (
        Table(
            "arrangements",
            "Arrangements: how many forces have them",
            yes_heads,
            tuple(_yes_no(edition, one) for one in yes_no),
        ),
        Table(
            "arrangements_more",
            "Arrangements with more than two answers",
            heads("Question and answer", "Forces", "Share", words=area),
            tuple(more),
        ),
    )
    return (
        text(
            f"Forces answered {len(asked)} questions. The bar is the share of the forces with"
            " an answer."
        ),
        *(table for table in tables if table.rows),
    )


def _yes_no(edition: Edition, asked: Asked) -> tuple[Cell, ...]:
    yes: dict[str, Any] = {"question_code": asked.code, "answer": "yes"}
    no: dict[str, Any] = {**yes, "answer": "no"}
    part = edition.figure("capability_adoption", "share", PERCENT, **yes)
    return row(
        asked.label,
        edition.figure("capability_adoption", "forces", **yes),
        edition.figure("capability_adoption", "forces", **no),
        Cell(part, bar=(part.number or 0) / 100),
        *area_of(edition, asked),
    )


def _answers(edition: Edition, asked: Asked) -> list[tuple[Cell, ...]]:
    rows = []
    for code in asked.entries[0].answers:
        key: dict[str, Any] = {"question_code": asked.code, "answer": code}
        part = edition.figure("capability_adoption", "share", PERCENT, **key)
        rows.append(
            row(
                f"{asked.label}: {edition.wording.answer(code)}",
                edition.figure("capability_adoption", "forces", **key),
                Cell(part, bar=(part.number or 0) / 100),
                *area_of(edition, asked),
            )
        )
    return rows


def area_of(edition: Edition, asked: Asked) -> tuple[str, ...]:
    """Return the area of a question in words; nothing where it has none."""
    return (sentence(edition.wording.words(asked.area)),) if asked.area else ()


_USED: Final[dict[str, Callable[[Edition], Blocks]]] = {
    "arrangements": _arrangements,
    "rates": _rates,
    "social_media": research.social_media,
    "survey": research.survey,
}
"""What a description can have besides tables, by name."""


def _coverage(edition: Edition) -> Blocks:
    states = tuple(
        row(
            STATES[state],
            edition.count("returns_status", state=state),
            "yes" if _IN_TOTALS[state] else "no",
            sentence(meaning),
            ", ".join(_names(edition, state)) or "none",
        )
        for state, meaning in v.STATES.items()
    )
    words = ("In the totals", "What it means", "Which forces")
    caption = "State of the forces' returns"
    coverage = Table("coverage", caption, heads("State", "Forces", words=words), states)
    return (coverage, *corrections(edition))


def _checks(edition: Edition) -> Blocks:
    checks = tuple(
        row(
            Cell(found["rule_id"]),
            edition.figure("national_checks", "cases", rule_id=found["rule_id"]),
            "holds" if found["passed"] else "DOES NOT HOLD",
            "blocks a release" if found["severity"] == "B" else "is told",
            rules()[found["rule_id"]].checks if found["rule_id"] in rules() else "not known",
            found["message"],
        )
        for found in edition.rows("national_checks")
    )
    words = ("Result", "If it fails, it", "What is checked", "What was found")
    held = Table(
        "checks",
        "Checks of the national totals",
        heads("Rule", "Cases against it", words=words),
        checks,
    )
    return (text("A rule that does not hold stands here with what was found."), held)


def _reconciliation(edition: Edition) -> tuple[Section, ...]:
    """Return published figures beside the computed ones; nothing where nothing was published."""
    if not edition.collection.published:
        return ()
    by_status: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for figure in edition.rows("reconciliation"):
        by_status[figure["status"]].append(figure)
    counts = Table(
        "reconciliation",
        "Published figures by how they compare",
        heads("Status", "Figures", words=("What it means",)),
        tuple(
            row(label, edition.count("reconciliation", status=status),
                sentence(v.RECONCILIATION_STATUSES[status]))
            for status, label in STATUSES.items()
        ),
    )  # fmt: skip
    tables = [
        reconciled(
            edition,
            f"reconciliation_{status}",
            f"{label}: {plural(len(by_status[status]), 'figure')}",
            by_status[status],
            status=False,
        )
        for status, label in STATUSES.items()
        if by_status[status]
    ]
    said = text(
        "Every figure of the publication beside the one computed from the returns. No"
        " computed figure is copied from the published one. Figures that differ: ",
        edition.count("reconciliation", status="differs"),
        ".",
    )
    blocks: Blocks = (said, counts, *_issues(edition), *tables)
    return (Section("reconciliation", "Published against computed", blocks),)


def _issues(edition: Edition) -> tuple[Table, ...]:
    known = edition.collection.source_issues.to_dicts()
    table = Table(
        "source_issues",
        "Where the publication contradicts itself",
        heads("Contradiction", words=("What the publication says", "Figures")),
        tuple(
            row(issue["issue_id"], issue["text"], issue["figures"].replace(";", ", "))
            for issue in known
        ),
    )
    return (table,) if known else ()


def _trace(edition: Edition) -> Blocks:
    cited = (
        f"Cite a figure with its release: {edition.collection.title}, release"
        f" {edition.about['release']}. The same returns give the same release again."
    )
    lines = [text(cited), text(f"Sources: {edition.about['sources']}.")]
    measures = edition.collection.template.measures
    printed = edition.collection.published is not None
    for said, traced in edition.description.trace.items():
        if not printed and traced.split()[0] not in measures:
            continue
        typed = command(f"explain {traced}", edition.collection.id, kept=True)
        lines += [text(said), Text((typed,), mono=True)]
    beside = "Beside other collections stands every figure in the series, once this has written it:"
    lines += [Text((beside,), href=SERIES_PAGE), Text(("muster series",), mono=True)]
    return tuple(lines)
