"""`muster queries`: what wants a reason, what has one, and who accepted it."""

from pathlib import Path

import click

from pipelines.cli.output import collection_option, json_option


@click.command("queries", short_help="List queries and their answers.")
@click.option("--all", "everything", is_flag=True, help="List accepted ones too.")
@click.option("--force", "force_code", help="Only those of one force.")
@click.option(
    "--export",
    "export",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the list as CSV as well.",
)
@json_option
@collection_option
def command(
    everything: bool,
    force_code: str | None,
    export: Path | None,
    as_json: bool,
    collection_id: str,
) -> None:
    """List the queries that wait for an answer or for its acceptance.

    A query is answered with `muster answer`. An answer holds while the cell's value is unchanged.
    """
    import polars as pl

    from pipelines.cli.desk import open_desk
    from pipelines.cli.output import print_json, print_table
    from schemas.wording import plural

    rows = open_desk(collection_id).queries()
    if not everything:
        rows = rows.filter(pl.col("state") != "accepted")
    if force_code:
        rows = rows.filter(pl.col("force_code") == force_code)
    if export:
        rows.write_csv(export)
    if as_json:
        print_json(rows.to_dicts())
        return
    print_table(
        ("query", "force", "rule", "sheet", "cell", "what is asked", "state", "reason", "by"),
        rows.select(
            "query_id",
            "force_code",
            "rule_id",
            "sheet",
            "cell",
            "message",
            "state",
            "reason",
            "answered_by",
        ).iter_rows(),
    )
    counts = dict(rows.group_by("state").len().sort("state").iter_rows())
    listed = ", ".join(f"{count} {state}" for state, count in counts.items()) or "none open"
    click.echo(f"\n{plural(rows.height, 'query')}: {listed}")
