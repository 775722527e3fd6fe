"""Where returns stand, what is to be done about them, and their versions."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from assets.lake import Lake, is_held, write_errors
from pipelines.cli.output import (
    CSV_FILE,
    emit,
    lake_of,
    print_json,
    print_rows,
    require_force,
    shown,
    subcommand,
)
from schemas.vocabulary import STATES
from schemas.wording import plural

if TYPE_CHECKING:
    import polars as pl

    from schemas.collection import Collection


def print_unattributed(lake: Lake) -> None:
    """Print which files are of no known force or collection, and what raw has that is damaged."""
    from assets.intake.landing import astray, name_as_text
    from assets.intake.raw_store import RawStore
    from assets.intake.store import without_receipt
    from assets.intake.tables import damaged_now
    from assets.unattributed import unattributed_files
    from schemas.reference import collection_files

    files = unattributed_files(lake)
    if files:
        many = plural(len(files), "file")
        click.echo(f"\nRejected besides, of no known force: {many} in landing")
        columns = "file: file_name, came: received_at, lies at: lies_at, what is wrong: why"
        print_rows([vars(file) for file in files], columns)
    known = collection_files()
    if lost := astray(lake.root, known):
        click.echo("\nIn landing, but in the folder of no collection, so no run takes it in:")
        for path, number in lost.items():
            what = f" (a folder, {plural(number, 'file')})" if path.is_dir() else ""
            click.echo(f"  {shown(name_as_text(path.name))}{what}")
        click.echo(f"  Put returns into the folder of theirs: {', '.join(sorted(known))}")
    damaged = damaged_now(lake)
    if damaged.height:
        click.echo(f"\nDamaged or gone: {plural(damaged.height, 'receipt')}; see muster doctor")
        print_rows(damaged, "file, force: force_code, >version, what is wrong: problem")
    if is_held(lake.root):  # what a run has just kept has its receipt at its end
        return
    if alone := without_receipt(lake, {each.receipt_id for each in RawStore(lake).all()}):
        many = plural(len(alone), "file")
        click.echo(f"\nKept without a receipt, lost or not written: {many}; see muster doctor")


@subcommand()
@click.option(
    "--call-list",
    "call_list_file",
    type=CSV_FILE,
    help="Write the forces that somebody should call, the most urgent first, as CSV.",
)
@click.option(
    "--since",
    metavar="WHEN",
    help="Show what has changed since a day (2012-06-20) or `yesterday`.",
)
@click.option("--todo", "to_do", is_flag=True, help="Show what to do now, by force.")
def status(
    as_json: bool,
    call_list_file: Path | None,
    since: str | None,
    to_do: bool,
    collection: Collection,
) -> None:
    """Show where each force's return stands, and who is missing.

    How far a return is signed off is shown beside: prepared and signed by the force, accepted by
    the desk, released. Which return counts does not follow from that.
    """
    from assets.intake.store import utc_now
    from assets.returns.desk.chasing import came_late, changes, todo
    from assets.returns.desk.decisions import Ledger
    from assets.returns.desk.sign_off import released_receipts, sign_offs
    from assets.returns.validation.states import standing

    lake = lake_of(collection)
    stands, today = standing(lake), collection.day_of(utc_now())
    now = stands.status(collection)
    live = now.filter(now["state"].is_in(["accepted", "queried"]))["receipt_id"].to_list()
    levels = sign_offs(Ledger(lake), live, released_receipts(lake))
    if to_do or call_list_file:
        from assets.figures.agenda import so_far

        # Who to call is asked also where no run has come as far as to add up.
        what = todo(now, so_far(lake, collection, stands).open, levels, collection, today)
    if call_list_file:
        with write_errors(call_list_file):
            calls = what.drop_nulls("call").sort("call", "force_code", maintain_order=True)
            calls.drop("how", "call").write_csv(call_list_file)
    if to_do:
        columns = "force: force_code, name, what is to be done: what, how"
        emit(what.drop("call"), columns, as_json=as_json)
        if not as_json:
            print_unattributed(lake)
    elif as_json:
        told = {key: value.level for key, value in levels.items()}
        print_json([{**row, "sign_off": told.get(row["receipt_id"])} for row in now.to_dicts()])
    elif since:
        moved = changes(standing(lake, _moment(since, collection)).status(collection), now)
        click.echo(f"Changed since {since}:" if moved.height else f"Nothing changed since {since}.")
        print_rows(moved, ", ".join(moved.columns))
    else:
        from pipelines.portal.sending import sent_here

        sent = {key: receipt.at for key, receipt in sent_here(lake).items()}
        late = came_late(now, sent, collection)
        signed = {key: each.level for key, each in levels.items()}
        _print_status(now, signed, late, collection, today)
        print_unattributed(lake)


def _moment(when: str, collection: Collection) -> datetime:
    """Return the start of a day where the collection is run.

    Raises:
        click.BadParameter: the text is no day.
    """
    from assets.intake.store import utc_now

    try:
        yesterday = collection.day_of(utc_now()) - timedelta(days=1)
        day = yesterday if when == "yesterday" else date.fromisoformat(when)
    except ValueError as error:
        raise click.BadParameter(f"{when!r} is no day; write 2012-06-20") from error
    return datetime.combine(day, time.min, ZoneInfo(collection.timezone))


def _sign_off(lake: Lake, judged: pl.DataFrame, force_code: str, level: str, by: str) -> None:
    """Sign off the version of a force that counts, or its newest.

    Raises:
        DeskError: the force has none, it cannot be taken to that level, or nothing of it counts.
    """
    from assets.returns.desk.decisions import DeskError, Ledger
    from assets.returns.desk.sign_off import ACCEPTED, LEVELS, released_receipts, sign, sign_offs

    ledger = Ledger(lake)
    mine = judged.filter(force_code=force_code).sort("live", "version").tail(1)
    if mine.is_empty() or (level == ACCEPTED and not mine["live"].item()):
        raise DeskError(f"no version of {force_code} counts, so that none can be {level}.")
    receipt_id = mine["receipt_id"].item()
    sign(ledger, receipt_id, force_code, level, by)
    now = sign_offs(ledger, [receipt_id], released_receipts(lake))[receipt_id].level
    click.echo(f"Version {mine['version'].item()} of {force_code} is {now}: {LEVELS[now]}.\n")


def _print_status(
    status: pl.DataFrame,
    levels: dict[str, str],
    late: frozenset[str],
    collection: Collection,
    today: date,
) -> None:
    import polars as pl

    from assets.returns.desk.chasing import days_late, due

    urgency = pl.when(pl.col("state").is_in(["missing", "rejected"])).then(
        pl.lit(due(collection, today))
    )
    signed = pl.col("receipt_id").replace_strict(levels, default=None, return_dtype=pl.String)
    names = dict(collection.bodies.select("force_code", "short_name").iter_rows())
    print_rows(
        status.with_columns(
            deadline=urgency.when(pl.col("force_code").is_in(late)).then(pl.lit("late")),
            signed=signed,
            name=pl.col("force_code").replace_strict(names, default=None),
        ),
        "force: force_code, name, state, >version, received: received_at, >blocking,"
        " >queries: queries_open, signed off: signed, deadline, notes",
    )
    received = status.height - status.filter(state="missing").height
    click.echo(f"\n{states_in_words(status)}, {received} received")
    over = days_late(collection, today)
    ago = f", {plural(over, 'day')} ago" if over else ""
    deadlines = collection.deadlines
    click.echo(f"Deadline {deadlines.soft}, at the latest {deadlines.hard}{ago}.")
    if absent := absent_forces(status):
        click.echo(f"Missing: {absent}")
    if fewer := set_aside(status):
        click.echo(f"Case rows set aside, so that cases may be missing: {fewer}")
    if others := refused_besides(status):
        click.echo(f"Refused besides, what {others}")


def states_in_words(status: pl.DataFrame) -> str:
    """Return how many returns of mart ReturnsStatus are in each state."""
    counts = dict(status.group_by("state").len().iter_rows())
    listed = ", ".join(f"{counts.get(state, 0)} {state}" for state in reversed(STATES))
    return f"{plural(status.height, 'force')}: {listed}"


def set_aside(status: pl.DataFrame) -> str:
    """Return which forces of mart ReturnsStatus count by case rows alone, of which some are bad."""
    return ", ".join(status.filter(state="queried", queries_open=0)["force_code"])


def refused_besides(status: pl.DataFrame) -> str:
    """Return how many forces have sent what their state in ReturnsStatus does not tell, and who.

    It is refused: their newest return, where an earlier one counts, or their case-level extract.
    """
    refused = status.filter(status["blocking"] > 0, status["state"] != "rejected")["force_code"]
    many = plural(refused.len(), "force")
    return f"{many} sent last: {', '.join(refused)}" if refused.len() else ""


def absent_forces(status: pl.DataFrame) -> str:
    """Return the forces of mart ReturnsStatus that have sent nothing, "" where there are none."""
    return ", ".join(status.filter(state="missing")["force_code"])


@subcommand()
@click.argument("force_code", metavar="FORCE")
@click.option("--go-back", "version", type=int, help="The version that shall count again.")
@click.option("--reason", help="Why; with --go-back.")
@click.option("--sign", "level", metavar="LEVEL", help="prepared, signed or accepted: sign it off.")
@click.option("--by", "decided_by", help="Who decides; with --sign a role, never a name.")
def versions(
    force_code: str,
    version: int | None,
    reason: str | None,
    level: str | None,
    decided_by: str | None,
    as_json: bool,
    collection: Collection,
) -> None:
    """Show every version of FORCE's return and what it changed, cell by cell, as it was typed.

    With --go-back an earlier version counts again from the next run, until a newer one comes.
    With --sign the version that counts, or the newest where none does, is signed off.
    """
    import polars as pl

    from assets.returns.desk.decisions import Ledger
    from assets.returns.desk.versions import choose, typed_changes, version_changes
    from assets.returns.validation.states import standing

    lake = lake_of(collection)
    now = standing(lake)
    if version is not None:
        if not reason or not decided_by:
            raise click.UsageError("--go-back needs --reason TEXT and --by NAME")
        damaged = now.damaged.filter(force_code=force_code)["version"].drop_nulls()
        workbooks = now.judged.drop_nulls("sequence")
        choose(Ledger(lake), workbooks, force_code, version, reason, decided_by, damaged)
        now = standing(lake)
    if level is not None:
        if not decided_by:
            raise click.UsageError("--sign needs --by ROLE")
        _sign_off(lake, now.judged, force_code, level, decided_by)
    mine = now.judged.filter(force_code=force_code).sort("version")
    require_force(force_code, collection, mine.height)
    typed = typed_changes(lake, mine, now.entries, now.findings)
    if as_json:
        changed = version_changes(mine, now.entries)
        print_json(
            {
                "versions": mine.to_dicts(),
                "changes": changed.to_dicts(),
                "typed": typed.to_dicts(),
            }
        )
        return
    counts = pl.when("live").then(pl.lit("yes")).otherwise(pl.lit("no"))
    print_rows(
        mine.with_columns(counts=counts),
        ">version, received: received_at, file: file_name, receipt: receipt_id, >blocking,"
        " >queries: queries_open, counts",
    )
    place = ["sheet", "row_code", "column_code"]
    places = pl.DataFrame([*collection.template.entry_at], place, orient="row")
    old, new = (pl.col(name).fill_null("blank") for name in ("before", "after"))
    for number, against in typed.select("version", "against").unique().sort("version").iter_rows():
        rows = typed.filter(version=number).with_columns(
            pl.format("{} -> {}", old, new).alias("typed")
        )
        rows = places.join(rows, on=places.columns, maintain_order="left")
        many = plural(rows.height, "cell")
        click.echo(f"\nVersion {number} against version {against}: {many}")
        print_rows(rows, "sheet, cell, row: row_code, column: column_code, typed")
