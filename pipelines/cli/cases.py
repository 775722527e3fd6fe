"""`muster cases`: judge and count case-level extracts, without a lake."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pipelines.cli.output import collection_option, json_option


@click.command("cases", short_help="Judge and count case-level extracts.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the results; it is replaced whole.",
)
@json_option
@collection_option
def command(paths: tuple[Path, ...], out: Path, as_json: bool, collection_id: str) -> None:
    """Judge every row of the extracts at PATHs, and count the valid cases.

    A PATH is a Parquet or CSV file, or a folder of them, by force (force_code=STF/...) or not.
    The folder --out then holds counts.parquet, by_force.parquet, quarantine.parquet (every bad
    row with its reasons) and summary.json.

    Exit code 0: acceptable. 1: too large a share of the rows is bad. 2: not readable as an extract.
    """
    from assets.cases.job import run_cases
    from assets.cases.refusal import ExtractRefusedError
    from pipelines.cli.output import print_json
    from schemas.collection import load_collection

    collection = load_collection(collection_id)
    try:
        with _progress() as tell:
            document = run_cases(paths, out, collection, tell=tell)
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
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), "rows", TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("")
        yield lambda done, total: progress.update(bar, completed=done, total=max(done, total))


def _print(document: dict[str, Any], out: Path) -> None:
    from pipelines.cli.output import print_table, shown_path
    from schemas.wording import plural

    broken = [rule for rule in document["rules"] if rule["rows"]]
    if broken:
        print_table(
            ("rule", "what is wrong", "rows", "first at", "value", "what to do"),
            (
                (rule["rule_id"], rule["title"], rule["rows"], *_first(rule), rule["how_to_fix"])
                for rule in broken
            ),
            right=("rows",),
        )
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
    click.echo(f"Results in {shown_path(out.absolute())}")


def _first(rule: dict[str, Any]) -> tuple[str, str | None]:
    sample = rule["samples"][0]
    return f"{sample['file']}, row {sample['row']}", sample["value"]
