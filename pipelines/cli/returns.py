"""Returns as files: checked on their own, blank ones, samples, and what forces get back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.lake import Lake, lake_root
from pipelines.cli.output import (
    print_json,
    print_rows,
    sample_option,
    shown,
    shown_path,
    subcommand,
)
from schemas.wording import plural

if TYPE_CHECKING:
    from schemas.collection import Collection


@subcommand()
@click.option(
    "--annotate",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a copy of each file to this folder with every problem marked at its cell.",
)
def check(
    files: tuple[Path, ...], folder: Path | None, as_json: bool, collection: Collection
) -> None:
    """Check return FILEs by every rule and say what to mend. Needs no lake, changes nothing.

    With --annotate, each file also comes back as NAME-marked.xlsx: the workbook itself with every
    problem filled and commented at its cell, and a first sheet that lists all problems. An .ods
    file or a zip of CSV files comes back as a workbook of its cells.

    Exit code 0: acceptable. 1: blocking findings. 2: not readable as a return.
    """
    from assets.returns.validation.check import check_files

    checked = check_files(files, collection)
    if as_json:
        print_json([item.as_json() for item in checked])
    else:
        for item in checked:
            click.echo(f"{item.file}: {item.force_code or 'force not known'}, {item.state}")
            if item.findings:
                columns = "rule: rule_id, severity, sheet, cell, value, what is wrong: message"
                found = [vars(finding) for finding in item.findings]
                print_rows(found, f"{columns}, what to do: how_to_fix")
        count = sum(len(item.findings) for item in checked)
        click.echo(f"{plural(len(checked), 'file')}, {plural(count, 'finding')}")
    if folder:
        from assets.feedback.marked_copy import write_marked_copies

        # After the findings: they are told though the folder cannot be written.
        copies = write_marked_copies(checked, folder, collection.template)
        for path in () if as_json else copies:
            click.echo(f"Marked copy: {shown_path(path.absolute())}")
    sys.exit(max(item.exit_code for item in checked))


@subcommand()
@click.argument("forces", nargs=-1, metavar="[FORCE]...")
def template(forces: tuple[str, ...], folder: Path, collection: Collection) -> None:
    """Write a blank return for each FORCE (a code such as STF), or for every force.

    What the force told the collection before, where that is released, stands beside each entry.
    """
    from assets.returns.template.workbook import earlier_values, write_blanks

    earlier = earlier_values(Lake(lake_root(), collection.id), collection)
    paths = write_blanks(folder, collection, forces, earlier)
    click.echo(f"Wrote {plural(len(paths), 'blank return')} to {folder}")


@subcommand()
@click.option("--cases", is_flag=True, help="Also write cases/: each return case by case.")
@sample_option
def sample(folder: Path, cases: bool, collection: Collection) -> None:
    """Write 44 sample returns and research, reconstructed so that the published totals hold.

    The folder can be dropped as landing/<collection>/ of a lake.
    """
    from assets.sample.write import write_cases, write_research, write_sample

    paths = write_sample(folder, collection)
    write_research(folder / "research", collection)
    others = "research/"
    if cases:
        write_cases(folder / "cases", collection)
        others = "research/ and cases/"
    click.echo(f"Wrote {plural(len(paths), 'reconstructed sample return')}, {others} to {folder}")


@subcommand()
def feedback(folder: Path, collection: Collection) -> None:
    """Write a letter for each force with something to do, and its return, marked.

    DIR is a new or empty folder, or that of an earlier run, which is renewed: index.html is the
    overview; DIR/<force_code>/ has letter.html, letter.txt and the workbook:
    the marked copy of the newest return, or a blank one where nothing has come.
    """
    from assets.feedback.letters import (
        feedback_files,
        letters,
        unattributed_returns,
        write_feedback,
    )
    from assets.intake.raw_store import RawStore
    from assets.intake.store import utc_now
    from assets.returns.template.workbook import earlier_values
    from assets.returns.validation.states import standing
    from assets.unattributed import unattributed_files

    lake = Lake(lake_root(), collection.id)
    store = RawStore(lake)
    now = standing(lake)
    findings = now.current_findings()
    today = collection.day_of(utc_now())
    written = letters(now.status(collection), findings, store, collection, today)
    unattributed = unattributed_returns(findings, store, collection)
    files = unattributed_files(lake)
    others = [file for file in files if file.kind != "return"]
    earlier = earlier_values(lake, collection)
    files_of = feedback_files(written, unattributed, lake, collection, others, earlier)
    write_feedback(folder, files_of)
    click.echo(f"Wrote {plural(len(written), 'letter')} to {shown_path(folder.absolute())}")
    for letter in written:
        click.echo(f"  {letter.force_code}: {letter.situation.replace('_', ' ')}")
    if number := len(unattributed) + len(others):
        click.echo(f"  {plural(number, 'file')} whose force could not be told: no letter")
    for one in unattributed:
        receipt = one.receipt
        name, where = shown(receipt.file_name), shown_path(one.lies_at)
        click.echo(f"    {name}, came {receipt.received_at}, lies at {where}")
    for file in others:
        click.echo(f"    {file}")
    click.echo(f"Overview: {shown_path(folder.absolute() / 'index.html')}")
