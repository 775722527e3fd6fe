"""`muster releases` and `muster collections`: what was published, and what it is collected by."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assets.history import Shown, chosen, find, kept
from assets.history import shown as shown_before
from assets.lake import Lake, held, lake_root
from pipelines.cli.output import (
    emit,
    json_option,
    lake_of,
    meant,
    named_option,
    print_json,
    print_rows,
    set_apart,
    subcommand,
)
from schemas.errors import LakeError, SetupError
from schemas.wording import plural

if TYPE_CHECKING:
    from schemas.collection import Collection


def instead(now: Shown | None, collection_id: str) -> str:
    """Return how what is shown ends where somebody went back to it."""
    if not (now and now.instead_of):
        return ""
    from schemas.collection import command

    again = command(f"releases go-back {now.instead_of}", collection_id)
    return (
        f" instead of {now.instead_of}, until a run makes a release other than that."
        f" To show that again: {again}"
    )


@click.group(invoke_without_command=True)
@json_option
@named_option
@click.pass_context
def releases(context: click.Context, as_json: bool, collection_id: str | None) -> None:
    """List the releases, in the order in which they were last shown.

    A release is named by the end of its name too, where that is enough. Exit code 1: the manifest
    of one is damaged.
    """
    if context.invoked_subcommand is not None:
        return
    from assets.marts import read_manifest

    lake = lake_of(meant(context, collection_id))
    now = lake.marts.resolve().name if lake.marts.exists() else None
    last = {entry.release: entry.at for entry in shown_before(lake)}
    rows = []
    for folder in kept(lake):
        try:
            made_from = read_manifest(folder)["made_from"]
        except LakeError as error:
            click.echo(f"muster: {error}", err=True)
            made_from = {}
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
    else:
        print_rows(
            [{**row, "now": "now" if row["shown"] else ""} for row in rows],
            ": now, release, last shown: last_shown_at, >live returns: live_returns,"
            " contract: contract_version",
        )
    sys.exit(int(any(row["live_returns"] is None for row in rows)))


@subcommand(of=releases)
@click.argument("names", metavar="[RELEASE]...", nargs=-1)
def verify(names: tuple[str, ...], collection: Collection) -> None:
    """Hold releases, all unless named, to the hashes in their manifests.

    Exit code 0: all whole. 1: some damaged.
    """
    from assets.marts import damage
    from schemas.collection import command

    lake, broken = lake_of(collection), False
    for folder in [find(lake, name) for name in names] or kept(lake):
        try:
            found = damage(folder)
        except LakeError as error:
            found = [str(error)]
        broken |= bool(found)
        click.echo(f"{folder.name}: {'; '.join(found) or 'whole'}")
    if broken:
        click.echo(
            "\nThe release that is shown is made anew: move its folder away, then"
            f" {command('run', collection.id)}. Take an older one back from a backup.",
            err=True,
        )
    sys.exit(1 if broken else 0)


@subcommand(of=releases)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW", required=False)
def compare(old: str, new: str | None, as_json: bool, collection: Collection) -> None:
    """Show what is different in NEW, figure by figure, and whose return made it so.

    Without NEW, the release that is shown now.
    """
    from assets.figures.explain.compare import between
    from assets.figures.explain.released import Released
    from pipelines.cli.figures import read_release

    lake = lake_of(collection)
    before = find(lake, old)
    after = find(lake, new) if new else read_release(collection).folder
    found = between(Released(before, collection), Released(after, collection))
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
    for force, was, now in found.returns.iter_rows():
        click.echo(f"  {force}: live return {(was or 'none')[:12]} -> {(now or 'none')[:12]}")
    for words in found.otherwise:
        click.echo(f"  different: {words}")
    for what, table in (("national total", found.totals), ("published figure", found.figures)):
        click.echo(f"\n{plural(table.height, what)} different")
        if not table.is_empty():
            numbers = {"old", "new", "change"}
            rows = list(map(set_apart, table.iter_rows(named=True)))
            print_rows(rows, ", ".join(f"{'>' * (n in numbers)}{n}" for n in table.columns))


@subcommand(of=releases)
@click.argument("name", metavar="RELEASE")
def go_back(name: str, collection: Collection) -> None:
    """Show an earlier release to analysts again, at once.

    It stands while runs make the release it is shown instead of. To keep a force's earlier
    return in use whatever comes in, choose it with muster versions.
    """
    from assets.marts import damage
    from assets.release.publish import renew_series, show

    lake = lake_of(collection)
    with held(lake.root):
        folder = find(lake, name)
        if found := damage(folder):
            raise LakeError(
                folder, f"is damaged: {'; '.join(found[:5])}", "Go back to another release."
            )
        show(lake, folder, by_hand=True)
        back, older = chosen(lake), renew_series(lake.root)
    click.echo(f"{lake.marts} shows {folder.name}{instead(back, collection.id)}")
    if older:
        click.echo(f"marts/series {older}", err=True)


@subcommand(of=releases)
@click.argument("url", metavar="S3_URL")
@click.argument("name", metavar="[RELEASE]", required=False)
def push(url: str, name: str | None, collection: Collection) -> None:
    """Copy a whole release to an object store, and show it there; the one shown now if not named.

    S3_URL is s3://bucket/prefix. Below it, current.json names the release that readers are to
    read, and is written last: readers never see half a release. Done twice, it changes nothing.
    """
    from assets.release.publish import publish_marts
    from pipelines.cli.figures import read_release

    folder = find(lake_of(collection), name) if name else read_release(collection).folder
    click.echo(f"{url.rstrip('/')} shows {folder.name}: {publish_marts(folder, url)}")


@subcommand(of=releases)
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="How many of those shown last are kept.",
)
@click.option("--yes", is_flag=True, help="Remove them; without this, they are only listed.")
def prune(last: int, yes: bool, as_json: bool, collection: Collection) -> None:
    """List which releases would go and why the others are kept; with --yes, remove them.

    Kept are the one that is shown, what runs make, those that cited.txt beside the releases names
    (one a line), the last of each month, the last thirty (--last), and any that was never shown.
    """
    from assets.release import retention

    lake = lake_of(collection)
    found = (retention.prune if yes else retention.judged)(lake, last)
    going = [each for each in found if not each.why]
    size = sum(each.size for each in going)
    rows: list[dict[str, Any]] = [
        {
            "release": each.folder.name,
            "last_shown_at": each.last_shown_at,
            "keep": bool(each.why),
            "why": each.why,
            "bytes": each.size,
        }
        for each in found
    ]
    if as_json:
        print_json({"removed": yes, "going": len(going), "bytes": size, "releases": rows})
        return
    for each in going if yes else ():
        click.echo(f"removed {each.folder.name}")
    if not yes:
        for row in rows:
            row.update(keep="keep" if row["keep"] else "go", why=", ".join(row["why"]) or None)
        print_rows(rows, ": keep, release, last shown: last_shown_at, >bytes, why")
    verb = "removed" if yes else "would go"
    about = f"{plural(len(going), 'release')} {verb}, {plural(size, 'byte')}."
    click.echo(about if yes else f"\n{about}")
    if going and not yes:
        click.echo("Once a backup has them, the same command with --yes removes them for good.")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def collections(context: click.Context, as_json: bool) -> None:
    """List the collections: template, period, state, releases.

    They are those of Muster and of the folder that MUSTER_COLLECTIONS names. Exit code 1: that is
    no folder, or the file of one is no collection; it harms no other.
    """
    if context.invoked_subcommand is not None:
        return
    from schemas.collection import misnamed_folder
    from schemas.reference import collection_files

    rows = [_collection(name, path) for name, path in collection_files().items()]
    emit(rows, "collection, template, start, end, state, >releases", as_json=as_json)
    for row in rows if not as_json else ():
        if row["problem"]:
            click.echo(f"muster: {row['problem']}", err=True)
    if misnamed := misnamed_folder():
        click.echo(f"muster: {misnamed}", err=True)
    sys.exit(int(bool(misnamed) or any(row["problem"] for row in rows)))


def _collection(name: str, path: Path) -> dict[str, Any]:
    """Return what there is to say of a collection; `problem` where its file is none."""
    from schemas.collection import load_collection

    about = dict.fromkeys(("template", "start", "end")) | {"state": "broken"}
    problem = None
    try:
        known = load_collection(name)
    except SetupError as error:
        problem = str(error)
    else:
        (opens, closes), today = known.window, known.day_of(datetime.now(UTC))
        about = {
            "template": f"{known.template.name}-{known.template.version}",
            "start": str(known.period.start),
            "end": str(known.period.end),
            "state": "not yet open" if today < opens else "closed" if today > closes else "open",
        }
    count = len(kept(Lake(lake_root(), name)))
    return {"collection": name, **about, "releases": count, "path": str(path), "problem": problem}


@subcommand("check", of=collections)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def check_drafts(path: Path, as_json: bool) -> None:
    """Say everything that is wrong in a collection, a template, or a folder of both.

    PATH is a file, or a folder such as MUSTER_COLLECTIONS names one. A template is held to those
    that the lake's releases were made on, and its sums and bounds to one another: those that no
    return can meet are faults, those that can never fail are noted. Exit code 0: sound; 1: not.
    """
    from assets.previous import changed_in_place
    from schemas.drafts import Drafts

    drafts = Drafts(path)
    contradicted, notes = drafts.contradictions()
    wrong = drafts.wrong + contradicted
    unsound = {line.partition(": ")[0].rpartition(":")[0] for line in wrong}
    sound = [each for each in drafts.templates if str(each.path) not in unsound]
    with suppress(SetupError):  # without a lake nothing is released
        wrong += changed_in_place(lake_root(), sound)
    if as_json:
        print_json({"files": list(map(str, drafts.files)), "wrong": wrong, "notes": notes})
    else:
        for line in (*wrong, *(f"Note: {note}" for note in notes)):
            click.echo(line)
        told = f"{plural(len(wrong), 'fault')} in" if wrong else "Nothing is wrong in"
        click.echo(f"{told} {plural(len(drafts.files), 'file')}")
    sys.exit(int(bool(wrong)))
