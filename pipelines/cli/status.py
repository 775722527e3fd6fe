"""`muster status`: one line a force, from the release that analysts see."""

import click

from pipelines.cli.output import collection_option, json_option


@click.command("status", short_help="Show where each return stands, who is missing.")
@json_option
@collection_option
def command(as_json: bool, collection_id: str) -> None:
    """Show where each force's return stands, and who is missing."""
    from pipelines.cli.marts import read_mart
    from pipelines.cli.output import print_json, print_table
    from schemas.collection import load_collection
    from schemas.vocabulary import STATES

    rows = read_mart(collection_id, "returns_status").to_dicts()
    if as_json:
        print_json(rows)
        return
    print_table(
        ("force", "state", "version", "received", "blocking", "queries", "notes"),
        (
            (
                row["force_code"],
                row["state"],
                row["version"],
                row["received_at"],
                row["blocking"],
                row["queries_open"],
                row["notes"],
            )
            for row in rows
        ),
        right=("version", "blocking", "queries"),
    )
    counts = {state: sum(row["state"] == state for row in rows) for state in STATES}
    deadlines = load_collection(collection_id).deadlines
    click.echo(
        f"\n{len(rows)} forces: "
        + ", ".join(f"{number} {state}" for state, number in reversed(counts.items()))
        + f". Deadline {deadlines.soft}, at the latest {deadlines.hard}."
    )
    absent = [row["force_code"] for row in rows if row["state"] == "missing"]
    if absent:
        click.echo(f"Missing: {', '.join(absent)}")
