"""`muster read-report`: the figures in a published force report."""

import sys
from pathlib import Path

import click

from pipelines.cli.output import json_option


@click.command("read-report", short_help="Read the figures out of force reports.")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@json_option
def command(files: tuple[Path, ...], as_json: bool) -> None:
    """Read the figures out of published force reports (text or PDF).

    A figure that a report does not print is absent, never zero.
    """
    from dataclasses import asdict

    from assets.reports.reader import read_report
    from assets.reports.text import UnreadableReportError, report_text
    from pipelines.cli.output import print_json, print_table

    found, unread = [], 0
    for path in files:
        try:
            report = read_report(report_text(path))
        except UnreadableReportError as error:
            unread += 1
            click.echo(f"muster: {error}", err=True)
            report = None
        found.append((path, report))
    if as_json:
        print_json(
            [
                {
                    "file": str(path),
                    "force_code": report.force_code if report else None,
                    "figures": [asdict(figure) for figure in report.figures] if report else [],
                }
                for path, report in found
            ]
        )
    else:
        for path, report in found:
            if report is None:
                continue
            click.echo(f"{path}: {report.force_code or 'force not known'}")
            print_table(
                ("line", "measure", "breakdown", "value", "unit"),
                ((f.line, f.measure, f.breakdown, f.value, f.unit) for f in report.figures),
                right=("line", "value"),
            )
            for problem in report.problems:
                click.echo(f"  {problem}")
    sys.exit(1 if unread else 0)
