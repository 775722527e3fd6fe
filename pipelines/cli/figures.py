"""Figures: published against computed, how each is made, and those that force reports print."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from assets.lake import Lake, lake_root, lake_there
from pipelines.cli.output import emit, lake_of, print_json, print_rows, shown, subcommand
from schemas.errors import LakeError
from schemas.vocabulary import RECONCILIATION_STATUSES
from schemas.wording import plural

if TYPE_CHECKING:
    import polars as pl

    from assets.figures.explain import explain as explaining
    from assets.figures.explain.released import Released
    from schemas.collection import Collection

_FEW: Final = 100
"""Cells that are listed one by one unless all are asked for."""

_FILES: Final = "part, force: force_code, sent as: file_name, file"
_CELLS: Final = f"{_FILES}, sheet, cell, row: row_code, column: column_code, >entry, >adds: value"
_ABOUT: Final = ("measure", "breakdown", "period", "force_code")


def read_release(collection: Collection) -> Released:
    """Return the release that analysts see; what follows reads one folder, whatever is shown next.

    Raises:
        SetupError: there is no such collection.
        LakeError: nothing has been published yet.
    """
    from assets.figures.explain.released import Released

    lake = lake_of(collection)
    if not lake.marts.exists():
        next_step = "Drop returns in landing and: muster run"
        raise LakeError(lake.marts, "shows no release yet", next_step)
    return Released(lake.marts.resolve(), collection, lake.kept_research)


@subcommand()
@click.option("--differing", is_flag=True, help="Show only the figures that differ.")
def reconcile(as_json: bool, differing: bool, collection: Collection) -> None:
    """Show each published figure beside the computed one.

    Exit code 0: none differ. 1: some differ.
    """
    rows = read_release(collection).mart("reconciliation")
    apart = rows.filter(status="differs")
    columns = "figure: figure_id, scope, measure, breakdown, >published, >computed, status, note"
    emit(apart if differing else rows, columns, as_json=as_json)
    if not as_json:
        click.echo(f"\n{counted(rows)}")
    sys.exit(0 if apart.is_empty() else 1)


@subcommand()
@click.option("--breaks", is_flag=True, help="Show only what is not comparable.")
def series(as_json: bool, breaks: bool) -> None:
    """Build the series over the released collections, and show it.

    It is written to marts/series/ in the lake, with a page, index.html. Codes that were renamed and
    forces that merged are followed; where a figure is not the same count as before, its line says
    why.
    """
    from assets.release.pages.series import write_series

    rows = write_series(lake_there())
    columns = "figure: measure, breakdown, collection, >value, >per_month, comparable, why_not"
    emit(rows.filter(comparable=False) if breaks else rows, columns, as_json=as_json)


def counted(reconciliation: pl.DataFrame) -> str:
    """Return how many published figures there are of each status, in words."""
    counts = dict(reconciliation.group_by("status").len().iter_rows())
    listed = (f"{counts[name]} {name}" for name in RECONCILIATION_STATUSES if name in counts)
    if reconciliation.is_empty():
        return "No published figures to compare with"
    return f"{plural(reconciliation.height, 'published figure')}: {', '.join(listed)}"


@subcommand()
@click.argument("figure", nargs=-1, required=True, metavar="FIGURE | MEASURE [BREAKDOWN]")
@click.option("--period", help="Of a measure: collection, 2010-11, ...")
@click.option("--force", "force_code", metavar="FORCE", help="Of a measure: one force's part.")
@click.option("--cells", "form", flag_value="cells", help="List each cell, however many.")
@click.option("--prov", "form", flag_value="prov", help="Print it as W3C PROV-JSON.")
def explain(
    figure: tuple[str, ...],
    period: str | None,
    force_code: str | None,
    form: str | None,
    as_json: bool,
    collection: Collection,
) -> None:
    """Show how a figure is made: forces, files, sheets, cells, values, and the arithmetic.

    FIGURE is the id of a published figure (INV-01), or a measure with its breakdown:

        muster explain investigations "category=second_jobs;outcome=continuing"

    What stands beside it in comparisons is explained with --period, or with --collection.
    """
    from assets.figures.explain import explain as explaining

    name, _, breakdown = " ".join(figure).partition(" ")
    released = read_release(collection)
    question = explaining.read_question(name, breakdown.strip(), period, force_code, released)
    made = explaining.explain(question, released)
    if form == "prov":
        from assets.figures.explain.prov import provenance

        print_json(provenance(made, released.folder.name))
        return
    document, names = made.document(), _names_sent(released)
    for part in ("contributions", "behind"):
        document[part] = [{**row, "file_name": names.get(row["sha256"])} for row in document[part]]
    if as_json:
        print_json(document)
        return
    click.echo(" ".join(document[part] for part in _ABOUT if document[part]))
    if question.figure:
        click.echo(
            f"{document['figure_id']}: published {shown(document['published'])}"
            f" ({document['qualifier']}), computed {shown(made.value)}:"
            f" {document['status']}" + (f"; {document['note']}" if document["note"] else "")
        )
    click.echo(f"{shown(made.value)} {made.unit}: {made.arithmetic}\n")
    _print_terms(document["contributions"], every_cell=form == "cells")
    if document["behind"]:
        click.echo("\nThe cells that decide which forces are counted:\n")
        _print_terms(document["behind"], every_cell=form == "cells")
    if made.included:
        click.echo(f"\nIn it: {', '.join(made.included)}")
    _print_forces("Not", made.left_out)
    _print_forces("Partly", made.partly)


def _print_forces(told: str, forces: list[explaining.Standing]) -> None:
    reasons: dict[str, list[str]] = {}
    for row in forces:
        reasons.setdefault(row["reason"], []).append(row["force_code"])
    if reasons:
        grouped = (f"{', '.join(codes)} ({reason})" for reason, codes in reasons.items())
        click.echo(f"{told} in it: {'; '.join(grouped)}")


def _names_sent(released: Released) -> dict[str, str]:
    """Return the name under which each file was sent, by its SHA-256, where the lake knows it.

    Of bytes that were sent again, it is the name of the last.
    """
    from assets.tables import work_table

    lake, names = Lake(lake_root(), released.collection.id), dict[str, str]()
    for table in ("research/research_files", "intake/receipts"):
        with suppress(LakeError):  # an earlier release may lie there without what it was made from
            names |= work_table(lake, table).select("sha256", "file_name").rows()
    return names


def _print_terms(rows: list[dict[str, Any]], *, every_cell: bool) -> None:
    """Print each cell, or where there are many a line a force."""
    import polars as pl

    if not rows:
        return
    # A count of bodies rests on no cell.
    terms = pl.DataFrame(rows, schema_overrides={"sha256": pl.String}, infer_schema_length=None)
    short = pl.col("sha256").str.head(12).alias("file")
    if every_cell or terms.height <= _FEW:
        corrected = terms["sent"].null_count() < terms.height
        print_rows(terms.with_columns(short), f"{_CELLS}{', sent' * corrected}")
        return
    by_file = ["part", "force_code", "file_name", short]
    by_force = terms.group_by(by_file, maintain_order=True).agg(
        pl.len(), pl.col("value").sum(), pl.col("sent").count().replace(0, None)
    )
    columns = f"{_FILES}, >cells: len, >adds: value, >corrected: sent"
    print_rows(by_force, columns)
    click.echo(f"\n{plural(terms.height, 'cell')}; --cells lists each, --json too.")


@subcommand("read-report")
def read_report(files: tuple[Path, ...], as_json: bool, collection: Collection) -> None:
    """Read the figures out of published force reports (text or PDF).

    A figure is read where the report says it of the collection's period. One that a report does
    not print is absent, never zero.

    Exit code 0: nothing wants a look. 1: something is to be looked up. 2: not readable as a report.
    """
    from assets.inputs.reports.kept_reports import UnreadableReportError, report_text
    from assets.inputs.reports.report import read_report as figures_in
    from assets.inputs.reports.signs import Times

    times = Times.of(collection)
    documents: list[dict[str, Any]] = []
    code = 0
    for path in files:
        document: dict[str, Any] = {"file": str(path), "force_code": None}
        document |= {"figures": [], "problems": []}
        documents.append(document)
        try:
            report = figures_in(report_text(path), times)
        except UnreadableReportError as error:
            code = 2
            document["problems"] = [str(error)]
            click.echo(f"muster: {error}", err=True)
            continue
        document["force_code"] = report.force_code
        document["figures"] = [asdict(figure) for figure in report.figures]
        document["problems"] = [*report.problems]
        code = max(code, int(bool(report.problems)))
        if not as_json:
            click.echo(f"{path}: {report.force_code or 'force not known'}")
            print_rows(document["figures"], ">line, measure, breakdown, >value, unit")
            for problem in report.problems:
                click.echo(f"  {problem}")
    if as_json:
        print_json(documents)
    sys.exit(code)
