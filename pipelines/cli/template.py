"""`muster template`: blank workbooks, prefilled with the force."""

from pathlib import Path

import click

from pipelines.cli.output import collection_option


@click.command("template", short_help="Write blank returns, prefilled with the force.")
@click.argument("forces", nargs=-1, metavar="[FORCE]...")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to; made if it is not there.",
)
@collection_option
def command(forces: tuple[str, ...], folder: Path, collection_id: str) -> None:
    """Write a blank return for each FORCE (a code such as STF), or for every force."""
    from assets.template.blank import write_blanks
    from schemas.collection import load_collection
    from schemas.wording import plural

    paths = write_blanks(folder, load_collection(collection_id), forces)
    click.echo(f"Wrote {plural(len(paths), 'blank return')} to {folder}")
