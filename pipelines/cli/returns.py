"""Returns and extracts as files: checked on their own, blank, sample, and what forces get back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from assets.lake import Lake, lake_root
from pipelines.cli.output import (
    console,
    lake_of,
    print_json,
    print_rows,
    sample_option,
    shown_path,
    subcommand,
)
from schemas.wording import plural

if TYPE_CHECKING:
    from assets.cases.sources import Place
    from assets.returns.template.workbook import Suffix, Totals
    from assets.returns.validation.check import Checked
    from schemas.collection import Collection
    from schemas.finding import Finding
    from schemas.template import Template

PROJECT: Final = Path(__file__).parents[2]
"""Where docs/ lies beside this in a checkout; who has the commands alone has no docs/."""


_WHERE: Final = ("cell", "row_code", "column_code")


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
    """Check FILEs by every rule and say what to mend. Needs no lake, changes nothing.

    A FILE is a return, or a case-level extract: .parquet, or .csv with a column case_ref.

    With --annotate, each file also comes back as NAME-marked.xlsx: the workbook itself with every
    problem filled and commented at its cell, and a first sheet that lists all problems. An .ods
    file or a zip of CSV files comes back as a workbook of its cells.

    Exit code 0: acceptable. 1: blocking findings. 2: not readable as a return.
    """
    from assets.returns.validation.check import check_files

    checked = check_files(files, collection, cases=True)
    if as_json:
        print_json([item.as_json() for item in checked])
    else:
        for item in checked:
            _print_checked(item, collection.template)
        count = sum(len(item.findings) for item in checked)
        click.echo(f"{plural(len(checked), 'file')}, {plural(count, 'finding')}")
    if folder:
        from assets.feedback.marked_copy import write_marked_copies

        # After the findings: they are told though the folder cannot be written.
        copies = write_marked_copies(checked, folder, collection.template)
        for path in () if as_json else copies:
            click.echo(f"Marked copy: {shown_path(path.absolute())}")
    sys.exit(max(item.exit_code for item in checked))


def _print_checked(item: Checked, template: Template) -> None:
    from assets.feedback.causes import LOOK, LOOK_IS, causes_of, follows
    from assets.feedback.problems import tally
    from assets.returns.validation.check import answers_read, not_checked
    from assets.returns.validation.repairs import would_do

    force = item.force_code or "force not known"
    click.echo(f"{item.file}: {force}, {item.state}: {tally(item.findings)}")
    causes = causes_of(item.repairs, template)
    if causes:
        click.echo(f"\n{LOOK}: {LOOK_IS}")
        stands = {(each.sheet, each.cell): each.value for each in item.findings if each.value}
        rows = [
            {
                **row,
                "says": stands.get((row["sheet"], row["cell"]), row["found"]),
                "do": would_do(row["low"], row["high"]),
            }
            for row in item.repairs.iter_rows(named=True)
        ]
        print_rows(rows, ">repair, >rank, sheet, cell, >says, >would do: do, rules")
        click.echo()
    if item.findings:
        columns = "rule: rule_id, severity, sheet, cell, value, what is wrong: message"
        of_repair = ">of repair: of, " * bool(causes)
        # What is alike but for its cell, as in a sheet that is blank, is told once.
        alike: dict[tuple[object, ...], dict[str, Any]] = {}
        for each in item.findings:
            of = ", ".join(str(number + 1) for number in follows(each, causes))
            row = {**vars(each), "of": of or None, "do": _advice(each)}
            key = tuple(value for name, value in row.items() if name not in _WHERE)
            told = alike.setdefault(key, {**row, "cell": None})
            told["cell"] = ", ".join(filter(None, [told["cell"], each.cell])) or None
        found = [*alike.values()]
        print_rows(found, f"{of_repair}{columns}, what to do: do")
    sums = {edit.rule for edit in template.edits}
    blocked = (each for each in item.findings if each.severity == "B")
    if unsaid := [e for e in blocked if e.rule_id in sums and not follows(e, causes)]:
        many = plural(len(unsaid), "sum")
        why = "too many cells are wrong, or no part is held"
        click.echo(f"Of {many} nobody can say what to mend ({why}): look at them first.")
    for line in not_checked(item.not_evaluable, template) * item.readable:
        click.echo(line)
    if template.cases_rule and item.entries.height:
        click.echo(f"Not asked without the force's case-level extract: {template.cases_rule}.")
    if item.answers:
        click.echo(answers_read(item.answers))


def _advice(item: Finding) -> str:
    """Return what to do about a finding, and where to read on where that can be read here."""
    from assets.feedback.problems import fix
    from schemas.rules.catalogue import every_rule

    rule = every_rule()[item.rule_id]
    if (PROJECT / rule.page.partition("#")[0]).exists():
        return item.how_to_fix
    return f"{fix(item)} See {rule.address}." if rule.address else fix(item)


@subcommand()
@click.argument("forces", nargs=-1, metavar="[FORCE]...")
@click.option("--with-sums", is_flag=True, help="Calculate totals as their parts are typed.")
@click.option(
    "--format",
    "suffix",
    type=click.Choice(["xlsx", "ods"]),
    default="xlsx",
    help="A workbook of Excel, or an OpenDocument spreadsheet.",
)
def template(
    forces: tuple[str, ...],
    with_sums: bool,
    suffix: Suffix,
    folder: Path,
    collection: Collection,
) -> None:
    """Write a blank return for each FORCE (a code such as STF), or for every force.

    Its first sheet says how to fill, check and send it. What the force told the collection before,
    where that is released, stands beside each entry.
    """
    from assets.returns.template.workbook import earlier_values, write_blanks

    earlier = earlier_values(Lake(lake_root(), collection.id), collection)
    totals: Totals = "summed" if with_sums else "typed"
    paths = write_blanks(folder, collection, forces, earlier, totals, suffix)
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
    from assets.feedback.folder import feedback_files, write_feedback
    from assets.feedback.letters import letters, unattributed
    from assets.intake.store import utc_now
    from assets.returns.template.workbook import earlier_values
    from assets.returns.validation.states import standing
    from pipelines.portal.sending import sent_here

    lake = lake_of(collection)
    now, names = standing(lake), {key: each.called for key, each in sent_here(lake).items()}
    written = letters(lake, now, collection, collection.day_of(utc_now()), sent_as=names)
    nobodys = unattributed(lake, now, collection)
    earlier = earlier_values(lake, collection)
    write_feedback(folder, feedback_files(written, nobodys, lake, collection, earlier))
    click.echo(f"Wrote {plural(len(written), 'letter')} to {shown_path(folder.absolute())}")
    for letter in written:
        click.echo(f"  {letter.force_code}: {letter.situation.replace('_', ' ')}")
    if nobodys:
        click.echo(f"  {plural(len(nobodys), 'file')} whose force could not be told: no letter")
    for file in nobodys:
        click.echo(f"    {file}")
    click.echo(f"Overview: {shown_path(folder.absolute() / 'index.html')}")


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
    from assets.cases.sources import find_sources
    from schemas.errors import SetupError
    from schemas.finding import FilesRefusedError

    if not (paths and out):
        if not (places := lake_places(collection.id)):
            raise click.UsageError(
                "Name files or folders of an extract, and a folder with --out; or set MUSTER_LAKE"
                " to s3://bucket/prefix."
            )
        paths, out = paths or places[:1], out or places[1]
    folders = [path for path in paths if isinstance(path, Path) and path.is_dir()]
    for folder in folders if isinstance(out, Path) else ():
        if Path(out).resolve().is_relative_to(folder.resolve()):
            raise SetupError(
                f"{out} lies in {folder}, a folder of the extract, and would be read as rows the"
                " next time. Name a folder beside it with --out."
            )
    try:
        with results_at(out) as folder, _progress() as tell:
            sources = find_sources(paths)
            document = run_cases(sources, folder, collection, tell=tell, pool=chosen_pool())
    except FilesRefusedError as error:
        if as_json:
            names = {"file": "sheet", "problem": "message", "fix": "how_to_fix"}
            refusals = [
                {name: getattr(each, of) for name, of in {**names, "rule_id": "rule_id"}.items()}
                for each in error.findings
            ]
            print_json({"state": "unreadable", "refusals": refusals})
        else:
            click.echo(f"Not readable as an extract; nothing was written.\n{error}", err=True)
        sys.exit(2)
    if as_json:
        print_json(document)
    else:
        _print_cases(document, out)
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


def _print_cases(document: dict[str, Any], out: Place) -> None:
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
