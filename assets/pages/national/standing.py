"""What the figures are and who is in them: banner, coverage, the checks of the totals."""

from typing import Any, Final

from assets.pages.content import (
    PERCENT,
    RATE,
    Cell,
    Headline,
    Section,
    Table,
    Text,
    heads,
    row,
    text,
)
from assets.pages.figures import Edition, share
from assets.pages.records import corrections
from assets.pages.wording import STATES, period, sentence
from schemas import vocabulary as v
from schemas.rules.catalogue import rules

_EDITION: Final = "Full edition, for the data team and analysts: nothing is suppressed."
_IN_TOTALS: Final = {state: state in v.LIVE_STATES for state in v.STATES}


def banner(edition: Edition) -> tuple[Text, ...]:
    """Return what every page says first: basis, coverage, edition and release."""
    whole: dict[str, Any] = {"measure": "investigations", "breakdown": "", "period": "collection"}
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


def headlines(edition: Edition) -> tuple[Headline, ...]:
    """Return the figures to see first."""
    whole = edition.total("investigations")
    earlier = period(edition.collection, "2010-11")
    disclosure = edition.total("investigations", "category=information_disclosure")
    to_media = edition.total("investigations", "category=information_disclosure;recipient=media")
    return (
        Headline(
            "Investigations", whole,
            text(
                edition.total("investigations_per_month", style=RATE), " a month; ",
                edition.total("investigations_per_month", style=RATE, period="2010-11"),
                f" in {earlier}",
            ),
        ),
        Headline(
            "Into information disclosure", disclosure,
            text(share(disclosure, whole), " of all; ", to_media, " to the media"),
        ),
        Headline(
            "People suspended", edition.total("people_suspended"), text("at the census date")
        ),
        Headline(
            "Register entries of forces", edition.total("register_entries", "body=force"),
            text(
                edition.total("register_entries_share", "body=force;decision=declined", PERCENT),
                " declined, as far as recorded",
            ),
        ),
        Headline(
            "Second-job applications", edition.total("second_job_applications"),
            text(
                edition.total("second_job_applications_share", "decision=approved", PERCENT),
                " approved",
            ),
        ),
    )  # fmt: skip


def sections(edition: Edition) -> list[Section]:
    """Return who is in the totals, and whether the totals hold."""
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
    coverage = Table(
        "coverage",
        "State of the forces' returns",
        heads("State", "Forces", words=("In the totals", "What it means", "Which forces")),
        states,
    )
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
    held = Table(
        "checks",
        "Checks of the national totals",
        heads(
            "Rule", "Cases against it",
            words=("Result", "If it fails, it", "What is checked", "What was found"),
        ),
        checks,
    )  # fmt: skip
    return [
        Section("coverage", "Who is in the totals", (coverage, *corrections(edition))),
        Section(
            "checks",
            "Whether the totals hold",
            (text("A rule that does not hold stands here with what was found."), held),
        ),
    ]
