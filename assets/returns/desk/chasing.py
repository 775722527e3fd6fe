"""Chasing: who is late, who to call, what to do, and what has changed since a moment."""

from collections.abc import Mapping
from datetime import date, datetime

import polars as pl

from assets.returns.desk.sign_off import ACCEPTED, SIGNED, SignOff
from schemas.collection import Collection
from schemas.wording import plural


def days_late(collection: Collection, today: date) -> int:
    """Return the days since the hard deadline, 0 before it."""
    return max((today - collection.deadlines.hard).days, 0)


def first_came(received_at: str, sent_at: str | None) -> datetime:
    """Return when a file came: when it was taken in, or before that sent, not sent once more."""
    return min(datetime.fromisoformat(at) for at in (received_at, sent_at) if at)


def came_late(
    status: pl.DataFrame, sent: Mapping[str, str], collection: Collection
) -> frozenset[str]:
    """Return the forces whose return of mart ReturnsStatus came after the hard deadline.

    `sent` has when it was sent, by its SHA-256, where it came through the drop-off page.
    """
    came = status.select("force_code", "sha256", "received_at").drop_nulls().iter_rows()
    days = ((force, first_came(at, sent.get(key))) for force, key, at in came)
    return frozenset(f for f, at in days if due(collection, collection.day_of(at)) == "late")


def due(collection: Collection, today: date) -> str:
    """Return how urgent a return is that is not in yet: in time, due (after soft), late."""
    if today > collection.deadlines.hard:
        return "late"
    return "due" if today > collection.deadlines.soft else "in time"


def todo(
    status: pl.DataFrame,
    asked: pl.DataFrame,
    levels: Mapping[str, SignOff],
    collection: Collection,
    today: date,
) -> pl.DataFrame:
    """Return what the data team has to do now, a row each: force_code, name, `what` and `how`.

    `how` is the command for it; null where none is. `call` is how urgently somebody has to call the
    force about it, 0 most; null where it is for the desk. `asked` are the queries that are not
    accepted, as Agenda.open has them, and `levels` how far each live return has come, by its
    receipt.
    """
    queries = {
        (force, state == "answered"): number
        for force, state, number in asked.group_by(
            "force_code", pl.when(state="answered").then("state").otherwise(pl.lit("open"))
        )
        .len()
        .iter_rows()
    }
    urgency, late = due(collection, today), days_late(collection, today)
    overdue = f", {plural(late, 'day')} late" if late else ""
    rows = []
    for row in status.iter_rows(named=True):
        force, state = row["force_code"], row["state"]
        level = levels.get(row["receipt_id"])
        accept = level and level.due == ACCEPTED and state == "accepted"
        waiting, given = (queries.get((force, answered), 0) for answered in (False, True))
        # Where nothing is asked, what makes it provisional is that cases may be missing.
        fewer = state == "queried" and not row["queries_open"]
        mine = f"muster queries --force {force}"
        mend = f"let it mend {plural(row['blocking'], 'blocking finding')}"
        signed = "let a second person of the force sign its return"
        accepted = f"muster versions {force} --sign accepted --by ROLE"
        told = (
            (state == "missing" and urgency != "in time", f"ask for its return{overdue}", None, 0),
            (row["blocking"], mend, "muster feedback --out DIR", 1 if state == "rejected" else 2),
            (fewer, "let it mend the case rows that are set aside", "muster feedback --out DIR", 2),
            (waiting, f"have {plural(waiting, 'query')} answered", mine, 2),
            (given, f"accept the answer to {plural(given, 'query')}, or ask again", mine, None),
            (level and level.due == SIGNED, signed, None, 3),
            (accept, "accept its return", accepted, None),
        )
        rows += [(force, *each) for holds, *each in told if holds]
    kinds = dict.fromkeys(("force_code", "what", "how"), pl.String) | {"call": pl.Int64}
    found = pl.DataFrame(rows, kinds, orient="row")
    names = collection.bodies.select("force_code", pl.col("full_name").alias("name"))
    named = found.join(names, on="force_code", how="left", maintain_order="left")
    return named.select("force_code", "name", "what", "how", "call")


def changes(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the forces whose return stands elsewhere than before.

    Columns: force_code, state_before, state, version_before, version, queries_before,
    queries_open.

    Both are the mart ReturnsStatus.
    """
    watched = ["state", "version", "blocking", "queries_open"]
    both = after.select("force_code", *watched).join(
        before.select("force_code", *watched), on="force_code", suffix="_before"
    )
    moved = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in watched)
    return both.filter(moved).select(
        "force_code",
        "state_before",
        "state",
        "version_before",
        "version",
        pl.col("queries_open_before").alias("queries_before"),
        "queries_open",
    )
