"""`muster check`: validate returns on their own, without a lake."""

import sys
from pathlib import Path

import click

from pipelines.cli.output import collection_option, json_option


@click.command("check", short_help="Check return files and say what to mend.")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@json_option
@collection_option
def command(files: tuple[Path, ...], as_json: bool, collection_id: str) -> None:
    """Check return FILEs by every rule and say what to mend. Needs no lake, changes nothing.

    Exit code 0: acceptable. 1: blocking findings. 2: not readable as a return.
    """
    from assets.validation.check import check_files
    from pipelines.cli.output import plural, print_json, print_table
    from schemas.collection import load_collection

    checked = check_files(files, load_collection(collection_id))
    if as_json:
        print_json([item.as_json() for item in checked])
    else:
        for item in checked:
            click.echo(f"{item.file}: {item.force_code or 'force not known'}, {item.state}")
            if item.findings:
                print_table(
                    ("rule", "severity", "sheet", "cell", "value", "what is wrong", "what to do"),
                    (
                        (f.rule_id, f.severity, f.sheet, f.cell, f.value, f.message, f.how_to_fix)
                        for f in item.findings
                    ),
                )
        count = sum(len(item.findings) for item in checked)
        click.echo(f"{plural(len(checked), 'file')}, {plural(count, 'finding')}")
    sys.exit(max(item.exit_code for item in checked))
