"""`muster answer`: record the reason for a query, and who accepted it."""

import click

from pipelines.cli.output import collection_option


@click.command("answer", short_help="Record a reason for a query, or accept one.")
@click.argument("query_id", metavar="QUERY")
@click.option("--reason", help="Why the value is right.")
@click.option("--by", "answered_by", help="Who records the reason.")
@click.option("--accepted-by", help="Who accepts the reason: a second person.")
@collection_option
def command(
    query_id: str,
    reason: str | None,
    answered_by: str | None,
    accepted_by: str | None,
    collection_id: str,
) -> None:
    """Record the reason for QUERY (--reason, --by), or accept it (--accepted-by), or both.

    QUERY is the id that `muster queries` prints. Nobody accepts a reason of their own.
    """
    from pipelines.cli.desk import open_desk

    if not reason and not accepted_by:
        raise click.UsageError("give --reason TEXT --by NAME, or --accepted-by NAME, or all three")
    if bool(reason) != bool(answered_by):
        raise click.UsageError("--reason and --by go together")
    desk = open_desk(collection_id)
    if reason and answered_by:
        desk.answer(query_id, reason, answered_by, accepted_by)
    elif accepted_by:
        desk.accept(query_id, accepted_by)
    query = desk.query(query_id)
    click.echo(
        f"{query_id} ({query['force_code']} {query['rule_id']} {query['sheet']}"
        f" {query['cell'] or ''}): {query['state']}. It shows in the marts after the next"
        " `muster run`."
    )
