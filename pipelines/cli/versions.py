"""`muster versions`: the versions of a force's return, what each changed, and going back."""

import click

from pipelines.cli.output import collection_option, json_option


@click.command("versions", short_help="Show a force's versions; go back to one.")
@click.argument("force_code", metavar="FORCE")
@click.option("--go-back", "version", type=int, help="The version that shall count again.")
@click.option("--reason", help="Why; with --go-back.")
@click.option("--by", "decided_by", help="Who decides; with --go-back.")
@json_option
@collection_option
def command(
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
    import polars as pl

    from assets.desk.versions import version_changes
    from assets.validation.standing import standing
    from pipelines.cli.desk import open_desk
    from pipelines.cli.output import print_json, print_table

    desk = open_desk(collection_id)
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
    print_table(
        ("version", "received", "file", "receipt", "blocking", "queries", "counts"),
        (
            (
                row["version"],
                row["received_at"],
                row["file_name"],
                row["receipt_id"],
                row["blocking"],
                row["queries_open"],
                "yes" if row["live"] else "no",
            )
            for row in mine.iter_rows(named=True)
        ),
        right=("version", "blocking", "queries"),
    )
    for number in changed["version"].unique().sort():
        rows = changed.filter(pl.col("version") == number)
        before = mine.filter(pl.col("version") < number)["version"].to_list()
        click.echo(f"\nVersion {number} against version {before[-1]}: {rows.height} cells")
        print_table(
            ("sheet", "cell", "row", "column", "before", "after"),
            rows.select("sheet", "cell", "row_code", "column_code", "before", "after").iter_rows(),
        )
