"""`muster reconcile`: published against computed, figure by figure."""

import sys

import click

from pipelines.cli.output import collection_option, json_option


@click.command("reconcile", short_help="Show published against computed figures.")
@json_option
@click.option("--differing", is_flag=True, help="Show only the figures that differ.")
@collection_option
def command(as_json: bool, differing: bool, collection_id: str) -> None:
    """Show each published figure beside the computed one.

    Exit code 0: none differ. 1: some differ.
    """
    from pipelines.cli.marts import read_mart
    from pipelines.cli.output import print_json, print_table
    from schemas.vocabulary import RECONCILIATION_STATUSES
    from schemas.wording import plural

    rows = read_mart(collection_id, "reconciliation").to_dicts()
    apart = [row for row in rows if row["status"] == "differs"]
    shown = apart if differing else rows
    if as_json:
        print_json(shown)
    else:
        print_table(
            ("figure", "scope", "measure", "breakdown", "published", "computed", "status", "note"),
            (
                (
                    row["figure_id"],
                    row["scope"],
                    row["measure"],
                    row["breakdown"],
                    row["published"],
                    row["computed"],
                    row["status"],
                    row["note"],
                )
                for row in shown
            ),
            right=("published", "computed"),
        )
        counts = {s: sum(row["status"] == s for row in rows) for s in RECONCILIATION_STATUSES}
        click.echo(
            f"\n{plural(len(rows), 'published figure')}: "
            + ", ".join(f"{number} {status}" for status, number in counts.items() if number)
        )
    sys.exit(1 if apart else 0)
