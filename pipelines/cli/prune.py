"""`muster releases prune`: says which releases need not be kept, and removes them."""

import click

from pipelines.cli.output import collection_option, json_option


@click.command("prune")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="How many of those shown last are kept.",
)
@click.option("--yes", is_flag=True, help="Remove them; without this, they are only listed.")
@json_option
@collection_option
def prune(last: int, yes: bool, as_json: bool, collection_id: str) -> None:
    """List which releases would go and why the others are kept; with --yes, remove them.

    Kept are the one that is shown, those that cited.txt beside the releases names (one a line),
    the last of each month, the last thirty (--last), and any that was never shown.
    """
    from assets.lake import Lake, lake_root
    from assets.release import retention
    from pipelines.cli.output import print_json, print_table
    from schemas.collection import load_collection
    from schemas.wording import plural

    lake = Lake(lake_root(), load_collection(collection_id).id)
    found = (retention.prune if yes else retention.judged)(lake, last)
    rows = [
        {
            "release": each.folder.name,
            "last_shown_at": each.last_shown_at,
            "keep": bool(each.why),
            "why": each.why,
            "bytes": each.size,
        }
        for each in found
    ]
    going = [each for each in found if not each.why]
    size = sum(each.size for each in going)
    if as_json:
        print_json({"removed": yes, "going": len(going), "bytes": size, "releases": rows})
        return
    if yes:
        for each in going:
            click.echo(f"removed {each.folder.name}")
        click.echo(f"{plural(len(going), 'release')} removed, {plural(size, 'byte')}.")
        return
    print_table(
        ("", "release", "last shown", "bytes", "why"),
        (
            ("keep" if each.why else "go", each.folder.name, each.last_shown_at, each.size,
             ", ".join(each.why) or None)
            for each in found
        ),
        right=("bytes",),
    )  # fmt: skip
    click.echo(f"\n{plural(len(going), 'release')} would go, {plural(size, 'byte')}.")
    if going:
        click.echo("Once a backup has them, the same command with --yes removes them for good.")
