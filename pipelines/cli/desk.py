"""What the desk asks and decides: where returns stand, queries and their answers, versions."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import polars as pl

from assets.desk import queries as desk_queries
from assets.desk.chasing import call_list, changes, days_late, due
from assets.desk.ledger import DeskError, Ledger, utc_now
from assets.desk.versions import choose, version_changes
from assets.intake.tables import damaged_now
from assets.lake import Lake, lake_root
from assets.unattributed import unattributed_files
from assets.validation.states import standing
from pipelines.cli.output import (
    collection_option,
    json_option,
    print_frame,
    print_json,
    print_table,
)
from schemas.collection import Collection, command, load_collection
from schemas.vocabulary import STATES
from schemas.wording import plural


class Desk:
    """What people decide about the returns of one collection, as it stands at this moment."""

    def __init__(self, collection_id: str) -> None:
        self.collection = load_collection(collection_id)
        self.lake = Lake(lake_root(), collection_id)
        self.ledger = Ledger(self.lake)

    def queries(self) -> pl.DataFrame:
        """Return every current query, as assets.desk.queries.queries does."""
        findings = standing(self.lake).current_findings()
        asked = desk_queries.queries(findings, desk_queries.read_answers(self.ledger))
        return asked.sort("force_code", "rule_id", "sheet", "cell")

    def query(self, query_id: str) -> dict[str, Any]:
        """Return one current query.

        Raises:
            DeskError: there is none with that id.
        """
        rows = self.queries().filter(pl.col("query_id") == query_id)
        if rows.is_empty():
            raise DeskError(f"there is no query {query_id} now. List them: muster queries --all")
        return rows.row(0, named=True)

    def answer(self, query_id: str, reason: str, by: str, accepted_by: str | None) -> None:
        """Record a reason, and its acceptance where a second person is named.

        Raises:
            DeskError: the reason says nothing, or the same person answers and accepts.
        """
        if accepted_by:
            desk_queries.require_second_person(query_id, by, accepted_by)
        desk_queries.answer(self.ledger, self.query(query_id), reason, by)
        if accepted_by:
            self.accept(query_id, accepted_by)

    def accept(self, query_id: str, by: str) -> None:
        """Record that a second person accepts a reason.

        Raises:
            DeskError: there is no reason yet, or it was recorded by the same person.
        """
        desk_queries.accept(self.ledger, self.query(query_id), by)

    def go_back(self, force_code: str, version: int, reason: str, by: str) -> None:
        """Record that a force's return goes back to an earlier version.

        Raises:
            DeskError: there is no such version, or it was rejected.
        """
        now = standing(self.lake)
        damaged = now.damaged.filter(pl.col("force_code") == force_code)["version"].drop_nulls()
        choose(self.ledger, now.judged, force_code, version, reason, by, damaged)


def print_unattributed(lake: Lake) -> None:
    """Print which files are of no known force, and what of the raw store is damaged."""
    files = unattributed_files(lake)
    if files:
        click.echo(f"\nOf no known force: {plural(len(files), 'file')} in landing")
        print_table(
            ("file", "came", "lies at", "what is wrong"),
            ((file.file_name, file.received_at, file.lies_at, file.why) for file in files),
        )
    damaged = damaged_now(lake)
    if damaged.height:
        click.echo(f"\nDamaged or gone: {plural(damaged.height, 'receipt')}; see muster doctor")
        print_frame(damaged, "file, force: force_code, >version, what is wrong: problem")


@click.command()
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
def status(
    as_json: bool, call_list_file: Path | None, since: str | None, collection_id: str
) -> None:
    """Show where each force's return stands, and who is missing."""
    desk = Desk(collection_id)
    now = standing(desk.lake).status(desk.collection)
    today = desk.collection.day_of(utc_now())
    if call_list_file:
        call_list(now, desk.collection, today).write_csv(call_list_file)
    if as_json:
        print_json(now.to_dicts())
        return
    if since:
        earlier = standing(desk.lake, _moment(since, desk.collection))
        moved = changes(earlier.status(desk.collection), now)
        click.echo(f"Changed since {since}:" if moved.height else f"Nothing changed since {since}.")
        print_table(moved.columns, moved.iter_rows())
        return
    _print_status(now, desk.collection, today)
    print_unattributed(desk.lake)


def _moment(when: str, collection: Collection) -> datetime:
    """Return the start of a day where the collection is run.

    Raises:
        click.BadParameter: the text is no day.
    """
    if when == "yesterday":
        day = collection.day_of(utc_now()) - timedelta(days=1)
    else:
        try:
            day = date.fromisoformat(when)
        except ValueError as error:
            raise click.BadParameter(f"{when!r} is no day; write 2012-06-20") from error
    return datetime.combine(day, time.min, ZoneInfo(collection.timezone))


def _print_status(status: pl.DataFrame, collection: Collection, today: date) -> None:
    waiting = pl.col("state").is_in(["missing", "rejected"])
    urgency = pl.when(waiting).then(pl.lit(due(collection, today))).otherwise(pl.lit(""))
    print_frame(
        status.with_columns(deadline=urgency),
        "force: force_code, state, >version, received: received_at, >blocking,"
        " >queries: queries_open, deadline, notes",
    )
    counts = dict.fromkeys(STATES, 0) | dict(status.group_by("state").len().iter_rows())
    listed = ", ".join(f"{counts[state]} {state}" for state in reversed(STATES))
    received = status.height - counts["missing"]
    click.echo(f"\n{status.height} forces: {listed}, {received} received")
    deadlines = collection.deadlines
    over = days_late(collection, today)
    ago = f", {plural(over, 'day')} ago" if over else ""
    click.echo(f"Deadline {deadlines.soft}, at the latest {deadlines.hard}{ago}.")
    absent = status.filter(pl.col("state") == "missing")["force_code"]
    if absent.len():
        click.echo(f"Missing: {', '.join(absent)}")


@click.command()
@click.option("--all", "everything", is_flag=True, help="List accepted ones too.")
@click.option("--force", "force_code", help="Only those of one force.")
@click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the list as CSV as well.",
)
@json_option
@collection_option
def queries(
    everything: bool,
    force_code: str | None,
    export: Path | None,
    as_json: bool,
    collection_id: str,
) -> None:
    """List the queries that wait for an answer or for its acceptance.

    A query is answered with `muster answer`. An answer holds while the cell's value is unchanged.
    """
    rows = Desk(collection_id).queries()
    if not everything:
        rows = rows.filter(pl.col("state") != "accepted")
    if force_code:
        rows = rows.filter(pl.col("force_code") == force_code)
    if export:
        rows.write_csv(export)
    if as_json:
        print_json(rows.to_dicts())
        return
    print_frame(
        rows,
        "query: query_id, force: force_code, rule: rule_id, sheet, cell, what is asked: message,"
        " state, reason, by: answered_by",
    )
    counts = dict(rows.group_by("state").len().sort("state").iter_rows())
    listed = ", ".join(f"{count} {state}" for state, count in counts.items()) or "none open"
    click.echo(f"\n{plural(rows.height, 'query')}: {listed}")


@click.command()
@click.argument("query_id", metavar="QUERY")
@click.option("--reason", help="Why the value is right.")
@click.option("--by", "answered_by", help="Who records the reason.")
@click.option("--accepted-by", help="Who accepts the reason: a second person.")
@collection_option
def answer(
    query_id: str,
    reason: str | None,
    answered_by: str | None,
    accepted_by: str | None,
    collection_id: str,
) -> None:
    """Record the reason for QUERY (--reason, --by), or accept it (--accepted-by), or both.

    QUERY is the id that `muster queries` prints. Nobody accepts a reason of their own.
    """
    if not reason and not accepted_by:
        raise click.UsageError("give --reason TEXT --by NAME, or --accepted-by NAME, or all three")
    if bool(reason) != bool(answered_by):
        raise click.UsageError("--reason and --by go together")
    desk = Desk(collection_id)
    if reason and answered_by:
        desk.answer(query_id, reason, answered_by, accepted_by)
    elif accepted_by:
        desk.accept(query_id, accepted_by)
    query = desk.query(query_id)
    click.echo(
        f"{query_id} ({query['force_code']} {query['rule_id']} {query['sheet']}"
        f" {query['cell'] or ''}): {query['state']}. It shows in the marts after the next"
        f" `{command('run', collection_id)}`."
    )


@click.command()
@click.argument("force_code", metavar="FORCE")
@click.option("--go-back", "version", type=int, help="The version that shall count again.")
@click.option("--reason", help="Why; with --go-back.")
@click.option("--by", "decided_by", help="Who decides; with --go-back.")
@json_option
@collection_option
def versions(
    force_code: str,
    version: int | None,
    reason: str | None,
    decided_by: str | None,
    as_json: bool,
    collection_id: str,
) -> None:
    """Show every version of FORCE's return and what it changed, cell by cell.

    With --go-back an earlier version counts again from the next run, until a newer one comes.
    """
    desk = Desk(collection_id)
    if version is not None:
        if not reason or not decided_by:
            raise click.UsageError("--go-back needs --reason TEXT and --by NAME")
        desk.go_back(force_code, version, reason, decided_by)
    now = standing(desk.lake)
    mine = now.judged.filter(pl.col("force_code") == force_code).sort("version")
    receipts = now.receipts.filter(pl.col("force_code") == force_code)
    changed = version_changes(receipts, now.entries)
    if as_json:
        print_json({"versions": mine.to_dicts(), "changes": changed.to_dicts()})
        return
    counts = pl.when("live").then(pl.lit("yes")).otherwise(pl.lit("no"))
    print_frame(
        mine.with_columns(counts=counts),
        ">version, received: received_at, file: file_name, receipt: receipt_id, >blocking,"
        " >queries: queries_open, counts",
    )
    for number in changed["version"].unique().sort():
        rows = changed.filter(pl.col("version") == number)
        before = mine.filter(pl.col("version") < number)["version"].to_list()
        click.echo(f"\nVersion {number} against version {before[-1]}: {rows.height} cells")
        print_frame(rows, "sheet, cell, row: row_code, column: column_code, before, after")
