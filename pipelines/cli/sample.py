"""`muster sample`: the 44 reconstructed sample returns as workbooks."""

from pathlib import Path

import click

from pipelines.cli.output import collection_option


@click.command("sample", short_help="Write the 44 sample returns.")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to; made if it is not there.",
)
@collection_option
def command(folder: Path, collection_id: str) -> None:
    """Write the 44 sample returns, reconstructed so that the published totals hold.

    The folder can be dropped as landing/<collection>/ of a lake.
    """
    from assets.sample.write import write_sample
    from schemas.collection import load_collection
    from schemas.wording import plural

    paths = write_sample(folder, load_collection(collection_id))
    click.echo(f"Wrote {plural(len(paths), 'reconstructed sample return')} to {folder}")
