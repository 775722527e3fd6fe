"""A run: loads nothing that is heavy where nothing is new."""

import sys

import click

from assets.lake import lake_root
from pipelines.cli.output import COLLECTION, run_option
from pipelines.standing import Standing, standing


@click.command()
@run_option
@click.pass_context
def run(context: click.Context, collection_id: str | None) -> None:
    """Take in what is new, rebuild, reconcile and publish a release.

    Where nothing has changed since the last run, it says so and is done at once.

    Exit code 0: published. 1: not published; what analysts see has not changed.
    """
    if found := standing(lake_root(), collection_id):
        _say(found)
        sys.exit(0)
    from pipelines.cli.service import refreshed
    from schemas.collection import usual_collection

    meant = context.meta[COLLECTION] = collection_id or usual_collection()
    sys.exit(0 if refreshed(meant) else 1)


def _say(found: Standing) -> None:
    """Say which release stands; tell people what they were not told of it yet."""
    since = found.shown.at.replace("T", " ").replace("+00:00", " UTC")
    click.echo(f"Nothing has changed: {found.shown.release} stands, shown since {since}")
    if not found.told:
        from pipelines.alerts.messages import tell_at_end

        tell_at_end(found.collection, None)
