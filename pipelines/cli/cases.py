"""`muster cases`: judge and count case-level extracts, without a lake."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.output import console, print_json, print_rows, shown_path, subcommand
from schemas.wording import plural

if TYPE_CHECKING:
    from assets.cases.sources import Place
    from schemas.collection import Collection


class Location(click.Path):
    """A path, or a URL of an object store as a string."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a Path, or a checked URL."""
        if str(value).startswith("s3://"):
            from assets.object_store import checked_url

            return checked_url(value)
        return super().convert(value, param, ctx)


@subcommand()
@click.argument("paths", nargs=-1, type=Location(exists=True, path_type=Path))
@click.option(
    "--out",
    type=Location(file_okay=False, path_type=Path),
    help="Folder for the results, which is replaced whole; or s3://bucket/prefix.",
)
def cases(
    paths: tuple[Place, ...], out: Place | None, as_json: bool, collection: Collection
) -> None:
    """Judge every row of the extracts at PATHs, and count the valid cases.

    A PATH is a Parquet or CSV file, or a folder of them, by force (force_code=STF/...) or not.
    The folder --out then holds counts.parquet, by_force.parquet, quarantine.parquet (every bad
    row with its reasons) and summary.json.

    A PATH may be s3://bucket/prefix, and so may --out: current.json there names the folder with
    the results. Where MUSTER_LAKE is s3://bucket/prefix both may be left out.

    MUSTER_DASK=tcp://host:port has a cluster do the work; see docs/scaling.md.

    Exit code 0: acceptable. 1: too large a share of the rows is bad. 2: not readable as an extract.
    """
    from assets.cases.destination import lake_places, results_at
    from assets.cases.job import chosen_pool, run_cases
    from assets.cases.sources import ExtractRefusedError, find_sources

    if not (paths and out):
        if not (places := lake_places(collection.id)):
            raise click.UsageError(
                "Name files or folders of an extract, and a folder with --out; or set MUSTER_LAKE"
                " to s3://bucket/prefix."
            )
        paths, out = paths or places[:1], out or places[1]
    try:
        with results_at(out) as folder, _progress() as tell:
            sources = find_sources(paths)
            document = run_cases(sources, folder, collection, tell=tell, pool=chosen_pool())
    except ExtractRefusedError as error:
        if as_json:
            print_json({"state": "unreadable", "refusals": [vars(r) for r in error.refusals]})
        else:
            click.echo(f"Not readable as an extract; nothing was written.\n{error}", err=True)
        sys.exit(2)
    if as_json:
        print_json(document)
    else:
        _print(document, out)
    sys.exit(1 if document["state"] == "rejected" else 0)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), "rows", TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=max(done, total))


def _print(document: dict[str, Any], out: Place) -> None:
    found = ((rule, rule["samples"][0]) for rule in document["rules"] if rule["rows"])
    rows = [{**rule, **at, "at": f"{at['file']}, row {at['row']}"} for rule, at in found]
    if rows:
        columns = "rule: rule_id, what is wrong: title, >rows, first at: at, value"
        print_rows(rows, f"{columns}, what to do: how_to_fix")
    click.echo(
        f"{plural(document['rows'], 'row')} in {plural(len(document['files']), 'file')}:"
        f" {document['valid']:,} valid, {document['bad']:,} bad ({document['bad_share']:.2%})"
    )
    limit = f"{document['max_bad_share']:.0%}"
    if document["state"] == "rejected":
        whose = f" of {', '.join(document['rejected'])}" if document["rejected"] else ""
        click.echo(f"Rejected: over {limit} of the rows{whose} are bad. Mend them and send again.")
    elif document["state"] == "quarantined":
        click.echo(f"Accepted without the bad rows, which are at most {limit}. Mend and send them.")
    click.echo(f"Results in {out if isinstance(out, str) else shown_path(out.absolute())}")
