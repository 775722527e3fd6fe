"""The page of one force: where its return stands, and its figures beside all forces."""

from collections.abc import Mapping
from typing import Final

from assets.pages.content import (
    EXACT,
    RATE,
    Chart,
    Figure,
    Headline,
    Page,
    Section,
    Style,
    Text,
    text,
)
from assets.pages.figures import Edition
from assets.pages.force import arrangements, counts, standing
from assets.pages.force.place import place
from assets.pages.wording import STATES, period, sentence
from schemas import vocabulary as v

_PLACED: Final = {
    "investigations": "Investigations",
    "register_entries": "Register entries of the force",
    "second_job_applications": "Applications for second jobs",
}


def force_page(edition: Edition, force: str, banner: tuple[Text, ...]) -> Page:
    """Return the page of a force.

    Args:
        edition: the release.
        force: the force's code.
        banner: what every page says first.
    """
    state = str(edition.figure("returns_status", "state", force_code=force).value or "missing")
    live = state in v.LIVE_STATES
    basis = edition.figure("force_profiles", "basis", force_code=force).value
    name = edition.figure("force_profiles", "name", force_code=force).text
    here = text(
        f"{name}: {STATES[state].lower()}. Its figures here are {basis}: {v.BASES[str(basis)]}."
        if basis
        else f"{name}: {STATES[state].lower()}. None of its figures are known."
    )
    notes = edition.figure("returns_status", "notes", force_code=force).value
    overtaken = (text(f"{sentence(str(notes))}."),) if notes else ()
    sections = _figures(edition, force) if live else standing.without_return(edition, force, state)
    return Page(
        title=name,
        over=f"{edition.collection.title}, {period(edition.collection, 'collection')}",
        banner=(here, *overtaken, *banner),
        headlines=_headlines(edition, force),
        sections=(*sections, *standing.printed(edition, force), standing.of_return(edition, force)),
    )


def _headlines(edition: Edition, force: str) -> tuple[Headline, ...]:
    def profile(column: str, style: Style = EXACT) -> Figure:
        return edition.figure("force_profiles", column, style, force_code=force)

    median = edition.figure(
        "distribution", "value", RATE,
        measure="investigations_per_force", breakdown="", statistic="median",
    )  # fmt: skip
    return (
        Headline(
            "Investigations", profile("investigations"),
            text(profile("investigations_per_month", RATE), " a month; median force ", median),
        ),
        Headline(
            "Into information disclosure", profile("information_disclosure"),
            text("to the media: ", profile("media_disclosure")),
        ),
        Headline("People suspended", profile("people_suspended"), text("at the census date")),
        Headline(
            "Register entries of the force", profile("register_entries"),
            text("declined: ", profile("register_declined")),
        ),
        Headline(
            "Second-job applications", profile("second_job_applications"),
            text("approved: ", profile("second_job_approved")),
        ),
    )  # fmt: skip


def _figures(edition: Edition, force: str) -> list[Section]:
    online = arrangements.social_media(edition, force)
    tables = {
        "disclosure": ("To whom information was disclosed", counts.disclosure(edition, force)),
        "registers": ("Gifts and hospitality", arrangements.registers(edition, force)),
        "second-jobs": ("Second jobs", arrangements.second_jobs(edition, force)),
        "arrangements": ("Arrangements", arrangements.capability(edition, force)),
        "earlier": ("Earlier periods", arrangements.comparators(edition, force)),
        **({"social-media": ("Found on social media", online)} if online else {}),
    }
    compared = (
        text("Bar: this force. Line across it: all forces."),
        *counts.investigations(edition, force),
    )
    return [
        Section("place", "Among the forces", _placed(edition, force)),
        Section("investigations", "Investigations", compared),
        *(Section(name, title, (table,)) for name, (title, table) in tables.items()),
    ]


def _placed(edition: Edition, force: str) -> tuple[Text | Chart, ...]:
    return (
        text("A column is a force. Forces differ in size; no figure allows for that."),
        *(
            place(label, f"place-{column}", _by_force(edition, column), edition.names[force])
            for column, label in _PLACED.items()
        ),
    )


def _by_force(edition: Edition, column: str) -> Mapping[str, Figure]:
    """Return a figure of each force whose return is live; others have none of their own."""
    live = {
        found["force_code"]
        for state in v.LIVE_STATES
        for found in edition.rows("returns_status", state=state)
    }
    return {
        name: edition.figure("force_profiles", column, force_code=code)
        for code, name in edition.names.items()
        if code in live
    }
