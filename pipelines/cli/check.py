"""`muster check`: validate returns on their own, without a lake."""

import sys
from pathlib import Path

import click

from pipelines.cli.output import collection_option, json_option


@click.command("check", short_help="Check return files and say what to mend.")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--annotate",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a copy of each file to this folder with every problem marked at its cell.",
)
@json_option
@collection_option
def command(
    files: tuple[Path, ...], folder: Path | None, as_json: bool, collection_id: str
) -> None:
    """Check return FILEs by every rule and say what to mend. Needs no lake, changes nothing.

    With --annotate, each file also comes back as NAME-marked.xlsx: the workbook itself with every
    problem filled and commented at its cell, and a first sheet that lists all problems. An .ods
    file or a zip of CSV files comes back as a workbook of its cells.

    Exit code 0: acceptable. 1: blocking findings. 2: not readable as a return.
    """
    from assets.validation.check import check_files
    from pipelines.cli.output import print_json, print_table, shown_path
    from schemas.collection import load_collection
    from schemas.wording import plural

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
    if folder:
        # After the findings: they are told though the folder cannot be written.
        from assets.feedback.marked_copy import write_marked_copies

        copies = write_marked_copies(checked, folder)
        for path in () if as_json else copies:
            click.echo(f"Marked copy: {shown_path(path.absolute())}")
    sys.exit(max(item.exit_code for item in checked))
