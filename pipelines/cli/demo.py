"""`muster demo`: the 44 sample returns, taken in, checked, added up, reconciled, published."""

import sys

import click

from pipelines.cli.output import collection_option


@click.command("demo", short_help="Sample returns in, everything run, marts out.")
@collection_option
def command(collection_id: str) -> None:
    """Make the sample returns, run everything, and say where to look.

    The returns and the research are reconstructed: nobody sent them.
    """
    from assets.lake import Lake, lake_root
    from assets.sample.write import write_research, write_sample
    from pipelines.cli.output import shown_path
    from pipelines.cli.refreshing import refresh_and_report
    from schemas.collection import load_collection
    from schemas.wording import plural

    lake = Lake(lake_root(), collection_id)
    collection = load_collection(collection_id)
    paths = write_sample(lake.landing, collection)
    write_research(lake.research, collection)
    click.echo(
        f"Wrote {plural(len(paths), 'reconstructed sample return')} and research/ to"
        f" {shown_path(lake.landing)}"
    )
    published = refresh_and_report(collection_id)
    if published:
        click.echo(
            "\nWhere to look next\n"
            "  muster status                       where each force stands\n"
            "  muster reconcile                    published against computed\n"
            "  muster explain INV-02               one figure, down to the cells\n"
            f"  muster check {shown_path(lake.landing / 'STF.xlsx')}\n"
            "  make dev                            the Dagster UI, with this run in it"
        )
    sys.exit(0 if published else 1)
