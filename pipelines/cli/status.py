"""`muster status`: one line a force, by the last run and what the desk decided since."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from pipelines.cli.output import collection_option, json_option

if TYPE_CHECKING:
    from schemas.collection import Collection


@click.command("status", short_help="Show where each return stands, who is missing.")
@json_option
@click.option(
    "--call-list",
    "call_list_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the forces that somebody should call, the most urgent first, as CSV.",
)
@click.option(
    "--since",
    metavar="WHEN",
    help="Show what has changed since a day (2012-06-20) or `yesterday`.",
)
@collection_option
def command(
    as_json: bool, call_list_file: Path | None, since: str | None, collection_id: str
) -> None:
    """Show where each force's return stands, and who is missing."""
    from assets.desk.chasing import call_list, changes
    from assets.desk.ledger import utc_now
    from assets.validation.standing import standing
    from pipelines.cli.desk import open_desk, print_unattributed
    from pipelines.cli.output import print_json, print_table

    desk = open_desk(collection_id)
    status = standing(desk.lake).status(desk.collection)
    today = desk.collection.day_of(utc_now())
    if call_list_file:
        call_list(status, desk.collection, today).write_csv(call_list_file)
    if as_json:
        print_json(status.to_dicts())
        return
    if since:
        earlier = standing(desk.lake, _moment(since, desk.collection))
        moved = changes(earlier.status(desk.collection), status)
        click.echo(f"Changed since {since}:" if moved.height else f"Nothing changed since {since}.")
        print_table(moved.columns, moved.iter_rows())
        return
    _print(status.to_dicts(), desk.collection, today)
    print_unattributed(desk.lake)


def _moment(when: str, collection: "Collection") -> datetime:
    """Return the start of a day where the collection is run.

    Raises:
        click.BadParameter: the text is no day.
    """
    from assets.desk.ledger import utc_now

    zone = ZoneInfo(collection.timezone)
    if when == "yesterday":
        day = collection.day_of(utc_now()) - timedelta(days=1)
    else:
        try:
            day = date.fromisoformat(when)
        except ValueError as error:
            raise click.BadParameter(f"{when!r} is no day; write 2012-06-20") from error
    return datetime.combine(day, time.min, zone)


def _print(rows: list[dict[str, Any]], collection: "Collection", today: date) -> None:
    from assets.desk.chasing import days_late, due
    from pipelines.cli.output import print_table
    from schemas.vocabulary import STATES
    from schemas.wording import plural

    urgency = due(collection, today)
    print_table(
        ("force", "state", "version", "received", "blocking", "queries", "deadline", "notes"),
        (
            (
                row["force_code"],
                row["state"],
                row["version"],
                row["received_at"],
                row["blocking"],
                row["queries_open"],
                urgency if row["state"] in {"missing", "rejected"} else "",
                row["notes"],
            )
            for row in rows
        ),
        right=("version", "blocking", "queries"),
    )
    counts = {state: sum(row["state"] == state for row in rows) for state in STATES}
    listed = ", ".join(f"{number} {state}" for state, number in reversed(counts.items()))
    click.echo(f"\n{len(rows)} forces: {listed}, {len(rows) - counts['missing']} received")
    deadlines = collection.deadlines
    over = days_late(collection, today)
    ago = f", {plural(over, 'day')} ago" if over else ""
    click.echo(f"Deadline {deadlines.soft}, at the latest {deadlines.hard}{ago}.")
    absent = [row["force_code"] for row in rows if row["state"] == "missing"]
    if absent:
        click.echo(f"Missing: {', '.join(absent)}")
