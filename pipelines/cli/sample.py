"""`muster sample`: the 44 reconstructed sample returns as workbooks, and sample research."""

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
@click.option("--cases", is_flag=True, help="Also write cases/: each return case by case.")
@collection_option
def command(folder: Path, cases: bool, collection_id: str) -> None:
    """Write 44 sample returns and research, reconstructed so that the published totals hold.

    The folder can be dropped as landing/<collection>/ of a lake.
    """
    from assets.sample.write import write_cases, write_research, write_sample
    from schemas.collection import load_collection
    from schemas.wording import plural

    collection = load_collection(collection_id)
    paths = write_sample(folder, collection)
    write_research(folder / "research", collection)
    others = "research/"
    if cases:
        write_cases(folder / "cases", collection)
        others = "research/ and cases/"
    click.echo(f"Wrote {plural(len(paths), 'reconstructed sample return')}, {others} to {folder}")
