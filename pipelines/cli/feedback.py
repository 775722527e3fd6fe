"""`muster feedback`: what each force with something to do gets back."""

from pathlib import Path

import click

from pipelines.cli.output import collection_option


@click.command("feedback", short_help="Write letters and marked copies for forces.")
@click.option(
    "--out",
    "folder",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to: a new or empty one, or that of an earlier run, which is renewed.",
)
@collection_option
def command(folder: Path, collection_id: str) -> None:
    """Write a letter for each force with something to do, and its return, marked.

    DIR/index.html is the overview; DIR/<force_code>/ has letter.html, letter.txt and the workbook:
    the marked copy of the newest return, or a blank one where nothing has come.
    """
    from assets.feedback.folder import feedback_files, write_feedback
    from assets.feedback.letters import letters, strangers
    from assets.intake.nobodys import nobodys_files
    from assets.intake.raw_store import RawStore, utc_now
    from assets.lake import Lake, lake_root
    from assets.validation.standing import standing
    from pipelines.cli.output import shown, shown_path
    from schemas.collection import load_collection
    from schemas.wording import plural

    collection = load_collection(collection_id)
    lake = Lake(lake_root(), collection.id)
    store = RawStore(lake)
    now = standing(lake)
    findings = now.current_findings()
    today = collection.day_of(utc_now())
    written = letters(now.status(collection), findings, store, collection, today)
    nobodys = strangers(findings, store)
    files = nobodys_files(lake)
    others = [file for file in files if file.kind != "return"]
    write_feedback(folder, feedback_files(written, nobodys, store, collection, others))
    click.echo(f"Wrote {plural(len(written), 'letter')} to {shown_path(folder.absolute())}")
    for letter in written:
        click.echo(f"  {letter.force_code}: {letter.situation.replace('_', ' ')}")
    if number := len(nobodys) + len(others):
        click.echo(f"  {plural(number, 'file')} whose force could not be told: no letter")
    for stranger in nobodys:
        receipt = stranger.receipt
        name, where = shown(receipt.file_name), shown_path(stranger.lies_at)
        click.echo(f"    {name}, came {receipt.received_at}, lies at {where}")
    for file in others:
        click.echo(f"    {file}")
    click.echo(f"Overview: {shown_path(folder.absolute() / 'index.html')}")
