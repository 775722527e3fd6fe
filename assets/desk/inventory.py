"""The morning's inventory: what is broken or missing now, in a line for each kind of thing.

Belongs here: from the states of returns and their queries to those lines. Nothing to say is an
empty list. Does not: who is told, and how.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from assets.desk.chasing import days_late, due
from schemas.collection import Collection
from schemas.wording import plural


def inventory(
    status: pl.DataFrame, queries: pl.DataFrame, collection: Collection, today: date
) -> list[str]:
    """Return what is broken or missing, one line a kind; forces by code, nothing of their values.

    Args:
        status: mart ReturnsStatus.
        queries: as assets.desk.queries.queries returns them.
        collection: the collection, with its deadlines.
        today: the day to judge by.
    """
    absent = _forces(status.filter(pl.col("state") == "missing"))
    rejected = _forces(status.filter(pl.col("state") == "rejected"))
    overtaken = _forces(
        status.filter((pl.col("blocking") > 0) & pl.col("state").is_in(["accepted", "queried"]))
    )
    waiting = queries.filter(pl.col("state").is_in(["open", "lapsed"]))
    unaccepted = queries.filter(pl.col("state") == "answered")
    lines = []
    if absent:
        lines.append(f"{_sent_nothing(absent, collection, today)}: {', '.join(absent)}")
    if rejected:
        lines.append(f"{plural(len(rejected), 'return')} rejected: {', '.join(rejected)}")
    if overtaken:
        listed = ", ".join(overtaken)
        lines.append(
            f"{plural(len(overtaken), 'resubmission')} rejected, the earlier used: {listed}"
        )
    if waiting.height:
        listed = ", ".join(_forces(waiting))
        lines.append(f"{plural(waiting.height, 'query')} without an answer: {listed}")
    if unaccepted.height:
        listed = ", ".join(_forces(unaccepted))
        lines.append(
            f"{plural(unaccepted.height, 'answer')} for a second person to accept: {listed}"
        )
    return lines


def _sent_nothing(absent: Sequence[str], collection: Collection, today: date) -> str:
    late = days_late(collection, today)
    when = {
        "in time": f"the deadline is {collection.deadlines.soft}",
        "due": f"the deadline was {collection.deadlines.soft}",
        "late": f"{plural(late, 'day')} after the last deadline",
    }[due(collection, today)]
    return f"{plural(len(absent), 'force')} sent nothing ({when})"


def _forces(rows: pl.DataFrame) -> list[str]:
    return rows["force_code"].unique().sort().to_list()
