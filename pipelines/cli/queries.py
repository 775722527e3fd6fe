"""What the desk asks forces: queries by what they move, and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.output import CSV_FILE, lake_of, print_json, print_rows, subcommand
from schemas.wording import plural

if TYPE_CHECKING:
    import polars as pl

    from assets.figures.agenda import Agenda
    from schemas.collection import Collection


def _agenda(collection: Collection) -> Agenda:
    """Return every current query, the one to ask first at the top, as assets.figures.agenda does.

    Those of a version that was refused are not among them: it has more to mend first. Besides:
    `previous_value`, what the entry was in the released collection before, and
    `previous_collection`, which that is; null where there is none.
    """
    from assets.figures.agenda import ADDED, agenda
    from assets.previous import previous_values

    lake = lake_of(collection)
    found = agenda(lake, collection)
    before = previous_values(lake, collection).rename(
        {"value": "previous_value", "collection": "previous_collection"}
    )
    entry = ["force_code", "sheet", "row_code", "column_code"]
    rows = found.rows.join(before, on=entry, how="left", validate="m:1", maintain_order="left")
    new = [name for name in found.rows.columns if name in ADDED]
    return replace(found, rows=rows.select([n for n in rows.columns if n not in new] + new))


def _asked(collection: Collection, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the queries that are meant by their ids, or by those of questions, each once.

    Raises:
        DeskError: there is none with one of the ids.
    """
    from assets.figures.agenda import SETTLED, agenda
    from assets.returns.desk import decisions
    from assets.returns.validation.states import standing

    lake = lake_of(collection)
    if any(name.startswith("G-") for name in ids):
        asked = agenda(lake, collection).rows
    else:  # what they move matters to nobody here
        given = decisions.read_answers(decisions.Ledger(lake))
        asked = decisions.queries(standing(lake).asked(), given, collection.id)
    found: dict[str, dict[str, Any]] = {}
    for name in ids:
        of_question = name.startswith("G-")
        rows = asked.filter(asked["question" if of_question else "query_id"] == name)
        if of_question:
            rows = rows.filter(rows["state"] != SETTLED)
        if rows.is_empty():
            what = "open question" if of_question else "query"
            raise decisions.DeskError(
                f"there is no {what} {name} now. List them: muster queries --all"
            )
        found |= {row["query_id"]: row for row in rows.to_dicts()}
    return [*found.values()]


@subcommand()
@click.option("--all", "everything", is_flag=True, help="List accepted ones too, without a line.")
@click.option("--force", "force_code", help="Only those of one force.")
@click.option("--export", type=CSV_FILE, help="Write the list as CSV as well.")
def queries(
    everything: bool,
    force_code: str | None,
    export: Path | None,
    as_json: bool,
    collection: Collection,
) -> None:
    """List the queries that wait for an answer or for its acceptance, by what each moves.

    A query is answered with `muster answer`. An answer holds while the cell's value is unchanged.
    Queries of one question, G-..., can be answered at once. Those below the line could not change
    what is published by more than the limit, all together.
    """
    found = _agenda(collection)
    rows = found.rows if everything else found.open
    if force_code:
        rows = rows.filter(force_code=force_code)
    if export:
        rows.write_csv(export)
    if as_json:
        print_json(rows.to_dicts())
        return
    above = rows.filter(rows["question"].is_in(found.above))
    below = rows.filter(~rows["question"].is_in(found.above))
    for part in [rows] if everything else [above, below]:
        if part.height or everything:
            _print_queries(part)
        if part is above:
            click.echo(f"{_line(found)}\n")
    counts = rows.group_by("state").len().sort("state").iter_rows()
    listed = ", ".join(f"{count} {state}" for state, count in counts) or "none open"
    click.echo(f"\n{plural(rows.height, 'query')}: {listed}")


def _print_queries(rows: pl.DataFrame) -> None:
    compared = rows["previous_value"].drop_nulls().len() > 0
    print_rows(
        rows,
        "question, query: query_id, force: force_code, rule: rule_id, sheet, cell,"
        f" what is asked: message,{' before: previous_value,' * compared} >moves %: effect,"
        " of: moves, state, reason, by: answered_by",
    )


def _line(found: Agenda) -> str:
    """Return what is settled once the questions above the stop line are."""
    doubt = f"in doubt by more than {found.limit:g} per cent"
    if not found.above:
        return f"-- No published figure is {doubt}, whatever the answers are."
    queries = found.open.filter(found.open["question"].is_in(found.above)).height
    many = f"the {plural(len(found.above), 'question')} above ({plural(queries, 'query')})"
    return f"-- Answering {many} leaves no published figure {doubt}."


@subcommand()
@click.argument("ids", nargs=-1, required=True, metavar="QUERY...")
@click.option("--reason", help="Why the values are right.")
@click.option("--by", "answered_by", help="Who records the reason.")
@click.option("--accepted-by", help="Who accepts the reason: a second person.")
def answer(
    ids: tuple[str, ...],
    reason: str | None,
    answered_by: str | None,
    accepted_by: str | None,
    collection: Collection,
) -> None:
    """Record the reason for each QUERY (--reason, --by), or accept it (--accepted-by), or both.

    QUERY is an id that `muster queries` prints: of a query, or of a question, which is all its
    open queries. All of them are answered, or none. Nobody accepts a reason of their own.
    """
    from assets.returns.desk import decisions
    from assets.returns.desk.decisions import Ledger
    from schemas.collection import command

    if not reason and not accepted_by:
        raise click.UsageError("give --reason TEXT --by NAME, or --accepted-by NAME, or all three")
    if bool(reason) != bool(answered_by):
        raise click.UsageError("--reason and --by go together")
    ledger = Ledger(lake_of(collection))
    asked = _asked(collection, ids)
    named = [query["query_id"] for query in asked]
    if reason and answered_by:
        if accepted_by:
            decisions.require_second_person(named[0], answered_by, accepted_by)
        decisions.answer_all(ledger, [(query, reason) for query in asked], answered_by)
    if accepted_by:
        decisions.accept_all(ledger, _asked(collection, named), accepted_by)
    for query in _asked(collection, named):
        place = f"{query['force_code']} {query['rule_id']} {query['sheet']} {query['cell'] or ''}"
        click.echo(f"{query['query_id']} ({place}): {query['state']}.")
    run = command("run", collection.id)
    click.echo(f"It shows in the marts after the next `{run}`.")
