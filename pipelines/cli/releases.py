"""`muster releases`: what was published, whether it is whole, what changed, and going back."""

import sys
from typing import Any

import click

from pipelines.cli.output import collection_option, json_option
from pipelines.cli.prune import prune


@click.group("releases", invoke_without_command=True, short_help="List, compare, go back to one.")
@json_option
@collection_option
@click.pass_context
def command(context: click.Context, as_json: bool, collection_id: str) -> None:
    """List the releases, in the order in which they were last shown.

    A release is named by the end of its name too, where that is enough. Exit code 1: the manifest
    of one is damaged.
    """
    if context.invoked_subcommand is None:
        _list(collection_id, as_json=as_json)


def _list(collection_id: str, *, as_json: bool) -> None:
    from assets.marts import read_manifest
    from assets.release.history import kept, shown
    from pipelines.cli.output import print_json, print_table
    from schemas.errors import LakeError

    lake = _lake(collection_id)
    now = lake.marts.resolve().name if lake.marts.exists() else None
    last = {entry.release: entry.at for entry in shown(lake)}
    rows, damaged = [], False
    for folder in kept(lake):
        try:
            made_from = read_manifest(folder)["made_from"]
        except LakeError as error:
            click.echo(f"muster: {error}", err=True)
            damaged, made_from = True, {}
        rows.append(
            {
                "release": folder.name,
                "shown": folder.name == now,
                "last_shown_at": last.get(folder.name),
                "live_returns": len(made_from["live"]) if made_from else None,
                "contract_version": made_from.get("contract_version"),
                "path": str(folder),
            }
        )
    if as_json:
        print_json(rows)
        sys.exit(int(damaged))
    heads = ("", "release", "last shown", "live returns", "contract")
    print_table(
        heads,
        (
            ("now" if row["shown"] else "", *(row[name] for name in
             ("release", "last_shown_at", "live_returns", "contract_version")))
            for row in rows
        ),
        right=("live returns",),
    )  # fmt: skip
    sys.exit(int(damaged))


command.add_command(prune)


@command.command("verify")
@click.argument("names", metavar="[RELEASE]...", nargs=-1)
@collection_option
def verify(names: tuple[str, ...], collection_id: str) -> None:
    """Hold releases, all unless named, to the hashes in their manifests.

    Exit code 0: all whole. 1: some damaged.
    """
    from assets.marts import damage
    from assets.release.history import find, kept
    from schemas.errors import LakeError

    lake, broken = _lake(collection_id), False
    for folder in [find(lake, name) for name in names] or kept(lake):
        try:
            found = damage(folder)
        except LakeError as error:
            found = [str(error)]
        broken |= bool(found)
        click.echo(f"{folder.name}: {'; '.join(found) or 'whole'}")
    if broken:
        click.echo(
            "\nA damaged release is made anew: move its folder away, then muster run.", err=True
        )
    sys.exit(1 if broken else 0)


@command.command("compare")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW", required=False)
@json_option
@collection_option
def compare(old: str, new: str | None, as_json: bool, collection_id: str) -> None:
    """Show what is different in NEW, figure by figure, and whose return made it so.

    Without NEW, the release that is shown now.
    """
    from assets.explain.compare import compare as compared
    from assets.release.history import find
    from pipelines.cli.marts import read_release
    from pipelines.cli.output import print_json
    from schemas.collection import load_collection

    lake = _lake(collection_id)
    before = find(lake, old)
    after = find(lake, new) if new else read_release(collection_id).folder
    found = compared(before, after, load_collection(collection_id))
    if as_json:
        print_json(
            {
                "old": before.name,
                "new": after.name,
                "returns": found.returns.to_dicts(),
                "otherwise": found.otherwise,
                "totals": found.totals.to_dicts(),
                "figures": found.figures.to_dicts(),
            }
        )
        return
    click.echo(f"{before.name} -> {after.name}")
    _print(found)


def _print(found: Any) -> None:
    from pipelines.cli.output import print_table
    from schemas.wording import plural

    for force, old, new in found.returns.iter_rows():
        was, now = ((sha256 or "none")[:12] for sha256 in (old, new))
        click.echo(f"  {force}: live return {was} -> {now}")
    for words in found.otherwise:
        click.echo(f"  different: {words}")
    for what, table in (("national total", found.totals), ("published figure", found.figures)):
        click.echo(f"\n{plural(table.height, what)} different")
        if not table.is_empty():
            right = tuple({"old", "new", "change"} & set(table.columns))
            print_table(table.columns, table.iter_rows(), right=right)


@command.command("go-back")
@click.argument("name", metavar="RELEASE")
@collection_option
def go_back(name: str, collection_id: str) -> None:
    """Show an earlier release to analysts again, at once.

    The next run that publishes shows its own release: to keep a force's earlier return in use,
    choose it first with muster versions.
    """
    from assets.lake import held
    from assets.marts import damage
    from assets.release.history import find
    from assets.release.publish import show
    from schemas.errors import LakeError

    lake = _lake(collection_id)
    with held(lake.root):
        folder = find(lake, name)
        if found := damage(folder):
            raise LakeError(
                folder, f"is damaged: {'; '.join(found[:5])}", "Go back to another release."
            )
        show(lake, folder)
    click.echo(f"{lake.marts} shows {folder.name}, until a run publishes another.")


@command.command("push")
@click.argument("url", metavar="S3_URL")
@click.argument("name", metavar="[RELEASE]", required=False)
@collection_option
def push(url: str, name: str | None, collection_id: str) -> None:
    """Copy a whole release to an object store, and show it there; the one shown now if not named.

    S3_URL is s3://bucket/prefix. Below it, current.json names the release that readers are to
    read, and is written last: readers never see half a release. Done twice, it changes nothing.
    """
    from assets.release.history import find
    from assets.release.push import publish_marts
    from pipelines.cli.marts import read_release

    folder = find(_lake(collection_id), name) if name else read_release(collection_id).folder
    click.echo(f"{url.rstrip('/')} shows {folder.name}: {publish_marts(folder, url)}")


def _lake(collection_id: str) -> Any:
    from assets.lake import Lake, lake_root
    from schemas.collection import load_collection

    load_collection(collection_id)
    return Lake(lake_root(), collection_id)
