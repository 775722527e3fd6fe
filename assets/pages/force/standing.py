"""Where one force's return stands: what was found in it and published, or that none is there."""

from datetime import datetime
from typing import Any

from assets.pages.content import EXACT, NOT_KNOWN, Section, Table, Text, heads, row, text
from assets.pages.figures import Edition
from assets.pages.records import corrections, findings, reconciled
from assets.pages.wording import STATES, sentence
from schemas import vocabulary as v
from schemas.contract import columns
from schemas.marts.facts import ForceProfiles
from schemas.wording import long_date


def without_return(edition: Edition, force: str, state: str) -> list[Section]:
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


def printed(edition: Edition, force: str) -> list[Section]:
    """Return what was published about a force, beside its return; nothing where nothing was."""
    figures = edition.rows("reconciliation", scope=force)
    if not figures:
        return []
    caption = "Published figures of this force, beside its return"
    table = reconciled(edition, "published", caption, figures, status=True)
    return [Section("published", "What was published about it", (table,))]


def of_return(edition: Edition, force: str) -> Section:
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
    trace = f"muster explain investigations --force {force}"
    return Section(
        "return",
        "The return",
        (
            standing,
            findings("findings", f"What was found in {standing.caption.lower()}", mine)
            if mine
            else text("Nothing was found in it that wants an answer."),
            *((text(f"{sentence(notes)}."),) if notes else ()),
            *_of_newest(other),
            *corrections(edition, force_code=force),
            text("From a figure of this force down to the cells of its return:"),
            Text((trace,), mono=True),
        ),
    )


def _of_newest(found: list[dict[str, Any]]) -> tuple[Table, ...]:
    """Return what was found in a newest version that does not count; nothing where nothing was."""
    if not found:
        return ()
    receipt = found[0]["receipt_id"]
    caption = f"What was found in the newest version, which does not count (receipt {receipt})"
    return (findings("findings-newest", caption, found),)
