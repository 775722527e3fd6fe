"""The inspectorate's own research on pages: social media, and the public survey."""

from typing import Any, Final

from assets.pages.charts import bars, intervals
from assets.pages.content import (
    PERCENT,
    Chart,
    Figure,
    Style,
    Table,
    Text,
    heads,
    row,
    text,
)
from assets.pages.figures import Edition
from schemas.research import INSTANCE_CATEGORIES, QUESTIONS, SITES, YES

_MARGIN: Final = Style(decimals=1)
_POINTS: Final = Style(decimals=1, signed=True)
_COUNTED: Final = {
    "social_media_forces_researched": "Forces looked at",
    "social_media_profiles": "Profiles found",
    "social_media_profiles_inappropriate": "Profiles with potentially inappropriate behaviour",
    "social_media_accounts_inappropriate": "Accounts with potentially inappropriate behaviour",
    "social_media_accounts_still_visible": "Of those accounts: still showing it a year later",
}
_ABSENT: Final = "Not known: this release has no such data."


def _years(edition: Edition, mart: str) -> list[int]:
    return sorted({found["year"] for found in edition.rows(mart)})


Blocks = tuple[Table | Chart | Text, ...]


def social_media(edition: Edition) -> Blocks:
    """Return what was found on social media, or that nothing is known; () without research."""
    years = _years(edition, "social_media")
    if not years:
        return (text(_ABSENT),) if edition.collection.research else ()
    last = years[-1]
    drawn = [
        (label, _instances(edition, year=last, category=code))
        for code, label in INSTANCE_CATEGORIES.items()
    ]
    rows = []
    for year in years:
        for code, label in (*INSTANCE_CATEGORIES.items(), (None, "all kinds")):
            kind: dict[str, Any] = {"year": year} | ({"category": code} if code else {})
            rows.append(
                row(
                    f"{year}: {label}",
                    *(_instances(edition, **kind, site=site) for site in SITES),
                    _instances(edition, **kind),
                )
            )
    return (
        text("A force that the research did not look at is not known; it is not counted as none."),
        bars(
            "chart-social-media",
            f"Instances of potentially inappropriate behaviour, {last}",
            sorted(drawn, key=lambda item: -(item[1].number or 0)),
        ),
        Table(
            "social_media",
            "Instances of potentially inappropriate behaviour on social media",
            heads("Year and kind", *SITES.values(), "All sites"),
            tuple(rows),
        ),
        _profiles(edition, years),
    )


def _instances(edition: Edition, **where: Any) -> Figure:
    return edition.figure("social_media", "instances", **where)


def _of_year(edition: Edition, measure: str, year: int) -> Figure:
    key: dict[str, Any] = {"measure": measure, "breakdown": f"year={year}", "period": ""}
    return edition.figure("national_totals", "value", **key)


def _profiles(edition: Edition, years: list[int]) -> Table:
    """Return what was counted before any instance was: forces, profiles, accounts."""
    return Table(
        "social_media_profiles",
        "Profiles of people who say that they belong to a force",
        heads("What", *(str(year) for year in years)),
        tuple(
            row(label, *(_of_year(edition, measure, year) for year in years))
            for measure, label in _COUNTED.items()
        ),
        ("Not known: the research of that year did not count it.",),
    )


def survey(edition: Edition) -> Blocks:
    """Return what the public answered, or that nothing is known; () without research."""
    years = _years(edition, "survey")
    if not years:
        return (text(_ABSENT),) if edition.collection.research else ()
    asked = {
        code
        for code, question in QUESTIONS.items()
        if not question.several and edition.rows("survey", question=code, answer=YES)
    }
    statements = [code for code in QUESTIONS if code in asked]
    drawn = [
        (QUESTIONS[code].label, [_answered(edition, code, YES, year) for year in years])
        for code in statements
    ]
    return (
        text(
            "Percent of the respondents with an answer, with the margin of sampling error at 95"
            " per cent. A change is called distinguishable where it is unlikely to be chance"
            " (Fisher's exact test, 5 per cent, each answer alone)."
        ),
        intervals(
            "chart-survey", "Agreement, percent, with margin of error",
            tuple(str(year) for year in years), drawn,
        ),
        Table(
            "survey",
            "Statements that respondents agree with",
            heads(
                "Statement",
                *(head for year in years for head in (str(year), f"{year}: margin (± points)")),
                "Change (points)",
                words=("Distinguishable from sampling error",),
            ),
            tuple(_statement(edition, code, years) for code in statements),
            ("Not known: the statement was not put in that year.",),
        ),
        _several(edition, years),
    )  # fmt: skip


def _answered(edition: Edition, question: str, answer: str, year: int) -> tuple[Figure, Figure]:
    key: dict[str, Any] = {"question": question, "answer": answer, "year": year}
    return (
        edition.figure("survey", "percent", PERCENT, **key),
        edition.figure("survey", "margin_of_error", _MARGIN, **key),
    )


def _statement(edition: Edition, code: str, years: list[int]) -> tuple[Any, ...]:
    key: dict[str, Any] = {"question": code, "answer": YES, "year": years[-1]}
    return row(
        QUESTIONS[code].label,
        *(figure for year in years for figure in _answered(edition, code, YES, year)),
        edition.figure("survey_changes", "difference", _POINTS, **key),
        edition.figure("survey_changes", "distinguishable", **key),
    )


def _several(edition: Edition, years: list[int]) -> Table:
    rows = []
    for code, question in QUESTIONS.items():
        if not question.several:
            continue
        for found in edition.rows("survey", question=code):
            key = {name: found[name] for name in ("question", "answer", "year")}
            label = question.answers.get(found["answer"], found["answer"])
            rows.append(
                row(
                    f"{question.label}: {label} ({found['year']})",
                    edition.figure("survey", "respondents", **key),
                    edition.figure("survey", "percent", PERCENT, **key),
                    edition.figure("survey", "margin_of_error", _MARGIN, **key),
                )
            )
    span = " and ".join(str(year) for year in years)
    return Table(
        "survey_reasons",
        f"Questions with several answers, {span}",
        heads("Question and answer", "Respondents", "Percent", "Margin (± points)"),
        tuple(rows),
        ("Where several answers are allowed, the percents add up to more than 100.",),
    )


def social_media_of(edition: Edition, force: str) -> tuple[Table, ...]:
    """Return what was found on social media; nothing where nobody looked at the force."""
    found = edition.rows("social_media", force_code=force)
    years = sorted({instance["year"] for instance in found})
    if not years:
        return ()
    rows = []
    for year in years:
        for kind, label in INSTANCE_CATEGORIES.items():
            rows.append(
                row(
                    f"{year}: {label}",
                    edition.figure(
                        "social_media", "instances", force_code=force, year=year, category=kind
                    ),
                    edition.figure("social_media", "instances", year=year, category=kind),
                )
            )
    table = Table(
        "social_media",
        "Instances of potentially inappropriate behaviour on social media",
        heads("Year and kind", "Here", "All forces looked at"),
        tuple(rows),
    )
    return (table,)
