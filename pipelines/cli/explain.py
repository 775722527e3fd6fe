"""`muster explain`: from a figure down to the files and cells that make it."""

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.output import collection_option, json_option

if TYPE_CHECKING:
    from assets.explain.explain import Explanation


@click.command("explain", short_help="Trace a figure to the cells that make it.")
@click.argument("figure", nargs=-1, required=True, metavar="FIGURE | MEASURE [BREAKDOWN]")
@click.option("--period", help="Of a measure: collection, 2010-11, ...")
@click.option("--force", "force_code", metavar="FORCE", help="Of a measure: one force's part.")
@click.option("--cells", "every_cell", is_flag=True, help="List each cell, however many.")
@json_option
@collection_option
def command(
    figure: tuple[str, ...],
    period: str | None,
    force_code: str | None,
    every_cell: bool,
    as_json: bool,
    collection_id: str,
) -> None:
    """Show how a figure is made: forces, files, sheets, cells, values, and the arithmetic.

    FIGURE is the id of a published figure (INV-01), or a measure with its breakdown:

        muster explain investigations "category=second_jobs;outcome=continuing"
    """
    from assets.explain.explain import explain
    from assets.explain.question import read_question
    from pipelines.cli.marts import read_release
    from pipelines.cli.output import print_json

    name, _, breakdown = " ".join(figure).partition(" ")
    released = read_release(collection_id)
    question = read_question(name, breakdown.strip(), period, force_code, released)
    explanation = explain(question, released)
    document = _document(explanation)
    if as_json:
        print_json(document)
    else:
        _print(explanation, document, every_cell=every_cell)


def _document(explanation: "Explanation") -> dict[str, Any]:
    question = explanation.question
    figure = question.figure or {}
    published = {
        name: figure[name]
        for name in ("figure_id", "published", "qualifier", "status", "source_issue", "note")
        if figure
    }
    return {
        **published,
        "measure": question.measure,
        "breakdown": question.breakdown,
        "period": question.period,
        "force_code": question.force_code,
        "value": explanation.value,
        "unit": explanation.unit,
        "arithmetic": explanation.arithmetic,
        "contributions": explanation.contributions.to_dicts(),
        "behind": explanation.behind.to_dicts(),
        "left_out": explanation.left_out,
    }


_FEW = 100


def _print(explanation: "Explanation", document: dict[str, Any], *, every_cell: bool) -> None:
    from pipelines.cli.output import shown

    question = explanation.question
    about = [question.measure, question.breakdown, question.period, question.force_code]
    click.echo(" ".join(part for part in about if part))
    if question.figure:
        click.echo(
            f"{document['figure_id']}: published {shown(document['published'])}"
            f" ({document['qualifier']}), computed {shown(explanation.value)}:"
            f" {document['status']}" + (f"; {document['note']}" if document["note"] else "")
        )
    click.echo(f"{shown(explanation.value)} {explanation.unit}: {explanation.arithmetic}\n")
    _print_terms(explanation.contributions, every_cell=every_cell)
    if not explanation.behind.is_empty():
        click.echo("\nThe cells that decide which forces are counted:\n")
        _print_terms(explanation.behind, every_cell=every_cell)
    if explanation.left_out:
        click.echo(f"\nNot in it: {_grouped(explanation.left_out)}")


def _print_terms(terms: Any, *, every_cell: bool) -> None:
    """Print each cell, or where there are many a line a force."""
    import polars as pl

    from pipelines.cli.output import print_table
    from schemas.wording import plural

    if terms.is_empty():
        return
    short = pl.col("sha256").str.head(12).alias("file")
    if every_cell or terms.height <= _FEW:
        columns = {
            "part": "part", "force": "force_code", "file": "file", "sheet": "sheet", "cell": "cell",
            "row": "row_code", "column": "column_code", "entry": "entry", "adds": "value",
            "sent": "sent",
        }  # fmt: skip
        named = terms.with_columns(short).select(pl.col(c).alias(n) for n, c in columns.items())
        if terms["sent"].null_count() == terms.height:
            named = named.drop("sent")
        print_table(named.columns, named.iter_rows(), right=("entry", "adds"))
        return
    by_force = terms.group_by("part", "force_code", short, maintain_order=True).agg(
        pl.len(), pl.col("value").sum(), pl.col("sent").count().replace(0, None)
    )
    heads = ("part", "force", "file", "cells", "adds", "corrected")
    print_table(heads, by_force.iter_rows(), right=heads[3:])
    click.echo(f"\n{plural(terms.height, 'cell')}; --cells lists each, --json too.")


def _grouped(left_out: list[dict[str, str]]) -> str:
    reasons: dict[str, list[str]] = {}
    for row in left_out:
        reasons.setdefault(row["reason"], []).append(row["force_code"])
    return "; ".join(f"{', '.join(codes)} ({reason})" for reason, codes in reasons.items())
