"""`muster run`: take in what is new, rebuild, reconcile, publish."""

import sys

import click

from pipelines.cli.output import collection_option


@click.command("run", short_help="Take in what is new, rebuild, publish.")
@collection_option
def command(collection_id: str) -> None:
    """Take in what is new, rebuild, reconcile and publish a release.

    Exit code 0: published. 1: not published; what analysts see has not changed.
    """
    from pipelines.cli.refreshing import refresh_and_report

    sys.exit(0 if refresh_and_report(collection_id) else 1)
