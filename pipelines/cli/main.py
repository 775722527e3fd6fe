"""The `muster` command: finds the sub-command and explains errors without a traceback.

Belongs here: the list of commands and how they end. Each command stands in a module of its own
that loads what is heavy only when it runs, so that `muster --help` answers at once.
"""

import importlib
import os
import sys
import traceback
from typing import Any, Final

import click

from pipelines.cli.output import printable_streams
from schemas.errors import MusterError, UnforeseenError

COMMANDS: Final = {
    "demo": "demo",
    "sample": "sample",
    "template": "template",
    "check": "check",
    "run": "run",
    "feedback": "feedback",
    "status": "status",
    "queries": "queries",
    "answer": "answer",
    "versions": "versions",
    "reconcile": "reconcile",
    "explain": "explain",
    "releases": "releases",
    "read-report": "read_report",
    "cases": "cases",
    "alert-test": "alert_test",
    "doctor": "doctor",
}
"""Each command and the module of this package that has it, as a function named `command`."""


class Commands(click.Group):
    """Loads a command's module when the command is wanted."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command; whatever it prints is nothing that could steer a terminal."""
        with printable_streams():
            return super().main(*args, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order a newcomer needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None where there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pipelines.cli.{COMMANDS[cmd_name]}")
        command: click.Command = module.command
        return command


# Without `color` click takes what looks like a colour out of a file's name, so that it is another.
@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "color": True})
@click.version_option(package_name="muster")
def muster() -> None:
    """Take statistical returns in, check every cell, add them up, and publish.

    The lake is the folder that MUSTER_LAKE names, or data_lake/ here.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; an error ends it with exit code 1 and never with a traceback."""
    # Nothing here has plugins for pydantic, which would look for some in every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        return muster(args=arguments, prog_name="muster")
    except MusterError as error:
        with printable_streams():
            click.echo(f"muster: {error}", err=True)
        sys.exit(1)
    except BaseException as error:
        if not isinstance(error, (Exception, *_panics())):
            raise
        # The words of an unforeseen error could quote a return; its place helps to mend it.
        last = traceback.extract_tb(error.__traceback__)[-1]
        with printable_streams():
            place = f"{last.filename}:{last.lineno}"
            click.echo(f"muster: {UnforeseenError(error)} ({place})", err=True)
        sys.exit(1)


def _panics() -> tuple[type[BaseException], ...]:
    """Return what Polars raises where it gives up: it is no Exception. Only if it was loaded."""
    polars = sys.modules.get("polars")
    return (polars.exceptions.PanicException,) if polars else ()
