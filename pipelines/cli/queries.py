"""What the desk asks forces: queries by what they move, and their answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assets.lake import write_errors
from pipelines.cli.output import (
    CSV_FILE,
    lake_of,
    print_json,
    print_rows,
    require_force,
    subcommand,
)
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
    new = ["asked_again", *(name for name in found.rows.columns if name in ADDED)]
    return replace(found, rows=rows.select([n for n in rows.columns if n not in new] + new))


def _asked(
    collection: Collection, ids: Sequence[str], states: Iterable[str]
) -> list[dict[str, Any]]:
    """Return the queries that are meant by their ids, each once.

    The id of a question means those of its queries that are in one of the states.

    Raises:
        DeskError: there is none with one of the ids.
    """
    from assets.figures.agenda import agenda
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
        meant = rows.filter(rows["state"].is_in([*states])) if of_question else rows
        if meant.is_empty():
            what = "group of queries" if of_question else "query"
            now = " and ".join(sorted({*rows["state"]}))
            said = f"nothing of {name} waits for that, it is {now}"
            said = said if now else f"there is no {what} {name} now"
            raise decisions.DeskError(
                f"{said}. List them: muster queries --all. To replace a reason, name its query."
            )
        found |= {row["query_id"]: row for row in meant.to_dicts()}
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

    A query is answered with `muster answer`. An answer holds while the value is unchanged.
    Queries of one group, G-..., can be answered at once. Those below the line could not change
    what is published by more than the limit, all together.
    """
    found = _agenda(collection)
    rows = found.rows if everything else found.open
    if force_code:
        rows = rows.filter(force_code=force_code)
        require_force(force_code, collection, rows.height)
    if export:
        with write_errors(export):
            rows.write_csv(export)
    if as_json:
        print_json(rows.to_dicts())
        return
    above = rows.filter(rows["question"].is_in(found.above))
    below = rows.filter(~rows["question"].is_in(found.above))
    for part in [rows] if everything else [above, below]:
        if part.height or everything:
            _print_queries(part, collection)
        if part is above:
            click.echo(f"{_line(found, force_code)}\n")
    counts = rows.group_by("state").len().sort("state").iter_rows()
    listed = ", ".join(f"{count} {state}" for state, count in counts) or "none open"
    click.echo(f"\n{plural(rows.height, 'query')}: {listed}")


def _print_queries(rows: pl.DataFrame, collection: Collection) -> None:
    from assets.release.pages.wording import called

    figures = {name: f"{name}, {words}" for name, words in called(collection).items()}
    compared, again = (
        rows[name].drop_nulls().len() > 0 for name in ("previous_value", "asked_again")
    )
    print_rows(
        rows.with_columns(rows["moves"].cast(str).replace(figures)),  # of no query, of no type
        "group: question, >score, query: query_id, force: force_code, rule: rule_id, sheet, cell,"
        f" what is asked: message,{' before: previous_value,' * compared} >moves %: effect,"
        f" of: moves, state, reason,{' asked again: asked_again,' * again} by: answered_by",
    )


def _line(found: Agenda, force_code: str | None) -> str:
    """Return what is settled once the questions above the stop line are."""
    doubt = f"in doubt by more than {found.limit:g} per cent"
    if not found.above:
        return f"-- No published figure is {doubt}, whatever the answers are."
    of = "of all forces together" if force_code else "above"
    many = f"the {plural(found.asked_first, 'query')} {of}"
    return f"-- Answering {many} leaves no published figure {doubt}."


@subcommand()
@click.argument("ids", nargs=-1, required=True, metavar="QUERY...")
@click.option("--reason", help="Why the values are right.")
@click.option("--accepted-by", help="Who accepts the reason: a second person.")
@click.option("--ask-again", "why", metavar="WHY", help="What the reason given lacks.")
@click.option("--by", help="Who records the reason, or asks again.")
def answer(
    ids: tuple[str, ...],
    reason: str | None,
    accepted_by: str | None,
    why: str | None,
    by: str | None,
    collection: Collection,
) -> None:
    """Record the reason for each QUERY (--reason, --by), or accept it (--accepted-by), or both.

    Or ask again (--ask-again, --by): the query is open again, and the force is told why.

    QUERY is an id that `muster queries` prints: of a query, or of a group, which is all its
    queries that wait for that. All of them are answered, or none. Nobody decides about a reason of
    their own.
    """
    from assets.returns.desk import decisions
    from schemas.collection import command

    if not (reason or accepted_by or why) or (why and (reason or accepted_by)):
        raise click.UsageError(
            "give --reason TEXT --by NAME, or --accepted-by NAME, or all three; or --ask-again WHY"
            " --by NAME"
        )
    if bool(reason or why) != bool(by):
        raise click.UsageError("--by goes together with --reason or --ask-again")
    ledger = decisions.Ledger(lake_of(collection))
    asked = _asked(collection, ids, ("open", "lapsed") if reason else ("answered",))
    named = [query["query_id"] for query in asked]
    if reason and by:
        if accepted_by:
            decisions.require_second_person(named[0], by, accepted_by)
        decisions.answer_all(ledger, [(query, reason) for query in asked], by)
        for query in asked:
            if query["answered_by"]:
                click.echo(
                    f"{query['query_id']}: the reason of {query['answered_by']} is replaced."
                )
    if accepted_by:
        decisions.accept_all(ledger, _asked(collection, named, ()), accepted_by)
    if why and by:
        decisions.refuse_all(ledger, asked, why, by)
    for query in _asked(collection, named, ()):
        place = [query[name] for name in ("force_code", "rule_id", "sheet", "cell") if query[name]]
        click.echo(f"{query['query_id']} ({' '.join(place)}): {query['state']}.")
    run = command("run", collection.id)
    click.echo(f"It shows in the marts after the next `{run}`.")
