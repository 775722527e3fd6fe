"""The page of one force: where its return stands, and its figures beside all forces."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from assets.pages.content import (
    EXACT,
    NOT_KNOWN,
    PERCENT,
    Cell,
    Chart,
    Figure,
    Page,
    Section,
    Table,
    Text,
    heads,
    row,
    text,
)
from assets.pages.description import first_measure, questions
from assets.pages.drawing import place
from assets.pages.figures import Edition
from assets.pages.national import area_of
from assets.pages.records import corrections, findings, reconciled
from assets.pages.research import social_media_of
from assets.pages.tables import View
from assets.pages.wording import STATES, period, sentence
from schemas import vocabulary as v
from schemas.collection import command
from schemas.contract import columns
from schemas.marts.facts import ForceProfiles
from schemas.measures import NOW
from schemas.wording import long_date


def force_page(edition: Edition, force: str, banner: tuple[Text, ...]) -> Page:
    """Return the page of a force.

    Args:
        edition: the release.
        force: the force's code.
        banner: what every page says first.
    """
    state = str(edition.figure("returns_status", "state", force_code=force).value or "missing")
    basis = edition.figure("force_profiles", "basis", force_code=force).value
    name = edition.figure("force_profiles", "name", force_code=force).text
    here = text(
        f"{name}: {STATES[state].lower()}. Its figures here are {basis}: {v.BASES[str(basis)]}."
        if basis
        else f"{name}: {STATES[state].lower()}. None of its figures are known."
    )
    notes = edition.figure("returns_status", "notes", force_code=force).value
    overtaken = (text(f"{sentence(str(notes))}."),) if notes else ()
    live = state in v.LIVE_STATES
    view, page = View(edition, force), edition.description.force
    sections = _figures(view, force) if live else _without_return(edition, force, state)
    return Page(
        title=name,
        over=f"{edition.collection.title}, {period(edition.collection, NOW)}",
        banner=(here, *overtaken, *banner),
        headlines=tuple(view.headline(of) for of in page.headline if view.knows(of.figure)),
        sections=(*sections, *_printed(edition, force), _of_return(edition, force)),
    )


def _figures(view: View, force: str) -> list[Section]:
    page = view.edition.description.force
    used = {"arrangements": arrangements, "social_media": social_media_of}
    made = (
        Section(of.name, of.title, used[of.use](view.edition, force) if of.use else view.blocks(of))
        for of in page.section
    )
    placed = [Section("place", "Among the forces", _placed(view.edition, force))]
    return [*(placed if page.placed else []), *(section for section in made if section.blocks)]


def _placed(edition: Edition, force: str) -> tuple[Text | Chart, ...]:
    return (
        text("A column is a force. Forces differ in size; no figure allows for that."),
        *(
            place(label, f"place-{column}", _by_force(edition, column), edition.names[force])
            for column, label in edition.description.force.placed.items()
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


def arrangements(edition: Edition, force: str) -> tuple[Table, ...]:
    """Return a force's answers to the questions, and how many forces gave the same."""
    rows = []
    asked = [one for sheet in questions(edition.collection.template) for one in sheet.rows]
    for one in asked:
        here: dict[str, Any] = {"force_code": force, "question_code": one.code}
        given = edition.figure("capability_answers", "answer", **here)
        key: dict[str, Any] = {"question_code": one.code, "answer": given.value}
        same = edition.figure("capability_adoption", "share", PERCENT, **key)
        rows.append(
            row(
                one.label,
                edition.figure("capability_adoption", "forces", **key),
                Cell(same, bar=(same.number or 0) / 100),
                NOT_KNOWN
                if given.value is None
                else sentence(edition.wording.answer(str(given.value))),
                *area_of(edition, one),
            )
        )
    words = ("Answer here", *(["Area"] if any(one.area for one in asked) else []))
    table = Table(
        "arrangements",
        "Answers about arrangements, and how many forces gave the same",
        heads("Question", "Forces with the same answer", "Share", words=words),
        tuple(rows),
    )
    return (table,)


def _without_return(edition: Edition, force: str, state: str) -> list[Section]:
    """Return what is there to say of a force that is not in the totals."""
    why = sentence(v.STATES[state])
    about = {column.name: column for column in columns(ForceProfiles)}
    known = next(iter(edition.rows("force_profiles", force_code=force)), {})
    rows = [
        row(
            about[name].description.partition(";")[0],
            edition.figure("force_profiles", name, EXACT, force_code=force),
        )
        for name in about
        if about[name].unit in {"count", "people", "per_month", "months"}
        and known.get(name) is not None
    ]
    table = Table(
        "profile", "What its published report printed", heads("Figure", "Printed"), tuple(rows)
    )
    return [
        Section(
            "no-return",
            "No return in the totals",
            (
                text(f"{why}. No figure of this force is in the national totals."),
                *((table,) if rows else (text("No published report of it has been read."),)),
            ),
        )
    ]


def _printed(edition: Edition, force: str) -> list[Section]:
    """Return what was published about a force, beside its return; nothing where nothing was."""
    figures = edition.rows("reconciliation", scope=force)
    if not figures:
        return []
    caption = "Published figures of this force, beside its return"
    table = reconciled(edition, "published", caption, figures, status=True)
    return [Section("published", "What was published about it", (table,))]


def _of_return(edition: Edition, force: str) -> Section:
    """Return the state of a force's return, and what was found, by the version it was found in."""
    status = next(iter(edition.rows("returns_status", force_code=force)), {})
    received = status.get("received_at")
    day = received and long_date(edition.collection.day_of(datetime.fromisoformat(received)))
    facts = {
        "State": STATES.get(status.get("state", ""), NOT_KNOWN),
        "Version": status.get("version"),
        "Received on": day,
        "Receipt": status.get("receipt_id"),
        "SHA-256 of the file": status.get("sha256"),
        "Remark": status.get("notes") or "none",
    }
    numbers = {
        "Blocking findings in the newest version": "blocking",
        "Open queries": "queries_open",
        "Queries with an accepted answer": "queries_answered",
    }
    counts = "which counts" if status.get("state") in v.LIVE_STATES else "which does not count"
    standing = Table(
        "return",
        f"Version {status['version']}, {counts}" if status.get("version") else "No return",
        heads("What", words=("Value",)),
        (
            *(row(name, NOT_KNOWN if fact is None else str(fact)) for name, fact in facts.items()),
            *(
                row(name, edition.figure("returns_status", column, force_code=force))
                for name, column in numbers.items()
            ),
        ),
    )
    notes = status.get("notes")
    found = edition.rows("findings", force_code=force)
    mine = [row for row in found if row["receipt_id"] == status.get("receipt_id")]
    other = [row for row in found if row["receipt_id"] != status.get("receipt_id")]
    measure = first_measure(edition.collection.template)
    trace = command(f"explain {measure} --force {force}", edition.collection.id, kept=True)
    return Section(
        "return",
        "The return",
        (
            standing,
            findings(edition, "findings", f"What was found in {standing.caption.lower()}", mine)
            if mine
            else text("Nothing was found in it that wants an answer."),
            *((text(f"{sentence(notes)}."),) if notes else ()),
            *_of_newest(edition, other),
            *corrections(edition, force_code=force),
            text("From a figure of this force down to the cells of its return:"),
            Text((trace,), mono=True),
        ),
    )


def _of_newest(edition: Edition, found: list[dict[str, Any]]) -> tuple[Table, ...]:
    """Return what was found in a newest version that does not count; nothing where nothing was."""
    if not found:
        return ()
    receipt = found[0]["receipt_id"]
    caption = f"What was found in the newest version, which does not count (receipt {receipt})"
    return (findings(edition, "findings-newest", caption, found),)
