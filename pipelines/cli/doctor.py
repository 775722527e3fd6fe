"""`muster doctor`: whether the lake and the service around it are well; it changes nothing."""

import sys
from dataclasses import asdict

import click

from pipelines.cli.output import json_option


@click.command("doctor", short_help="Examine the lake and the service; change nothing.")
@json_option
def command(as_json: bool) -> None:
    """Examine the lake, its hashes, releases, Dagster, schedules and alert channels.

    Nothing is changed. Exit code 0: all is well or wants a look only. 1: something is broken.
    """
    from pipelines.cli.output import print_json, print_table
    from pipelines.doctor import examine

    found = list(examine())
    broken = [each for each in found if each.level == "bad"]
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        print_table(
            ("", "what", "where", "observed"),
            ((each.level, each.what, each.where, each.observed) for each in found),
        )
        for each in found:
            if each.do:
                click.echo(f"\n{each.level}: {each.where} {each.observed}\n  {each.do}")
        looks = sum(each.level == "warn" for each in found)
        click.echo(f"\n{len(found)} examined, {looks} to look at, {len(broken)} broken")
    sys.exit(1 if broken else 0)
