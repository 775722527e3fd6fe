"""The `muster` command: finds the sub-command and explains errors without a traceback.

A command loads what is heavy when it runs: none is loaded by `--help`.
"""

import atexit
import gc
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from pipelines.cli.output import COLLECTION, printable_streams
from schemas.errors import MusterError, UnforeseenError, place_of
from schemas.lean import roomy

COMMANDS: Final = {
    "demo": ("service", "Sample returns in, everything run, marts out."),
    "sample": ("returns", "Write the 44 sample returns."),
    "template": ("returns", "Write blank returns, prefilled with the force."),
    "check": ("returns", "Check return files and say what to mend."),
    "run": ("service", "Take in what is new, rebuild, publish."),
    "feedback": ("returns", "Write letters and marked copies for forces."),
    "status": ("desk", "Show where each return stands, who is missing."),
    "queries": ("queries", "List queries and their answers."),
    "answer": ("queries", "Record a reason for a query, or accept one."),
    "versions": ("desk", "Show a force's versions; go back to one."),
    "reconcile": ("figures", "Show published against computed figures."),
    "explain": ("figures", "Trace a figure to the cells that make it."),
    "series": ("figures", "Build and show the series over collections."),
    "releases": ("releases", "List, compare, go back to one."),
    "collections": ("releases", "List collections; examine a draft of one."),
    "read-report": ("figures", "Read the figures out of force reports."),
    "cases": ("returns", "Judge and count case-level extracts."),
    "portal": ("portal", "Serve the drop-off page; manage its accounts."),
    "alert-test": ("service", "Send a test message through each channel."),
    "doctor": ("service", "Examine the lake and the service; change nothing."),
}
"""Each command, the module of this package that has it, and what the list of commands says."""


class Commands(click.Group):
    """Loads a command's module when the command is wanted."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command; whatever it prints is nothing that could steer a terminal."""
        with printable_streams():
            return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; where it fails, what it says to do next names its collection."""
        try:
            return super().invoke(ctx)
        except MusterError as error:
            if collection_id := ctx.meta.get(COLLECTION):
                from schemas.collection import addressed

                error.args = (addressed(str(error), collection_id),)
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order a newcomer needs them."""
        del ctx
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, for which none is loaded."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None where there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        if cmd_name == "cases":
            # Polars, once loaded, gives memory back half a second after it is freed: chunks of rows
            # ask for it again at once, while a refresh only grew by it.
            os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000,muzzy_decay_ms:-1")
        module = importlib.import_module(f"pipelines.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


# Without `color` click takes what looks like a colour out of a file's name, so that it is another.
@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "color": True})
@click.version_option(package_name="muster")
def muster() -> None:
    """Take statistical returns in, check every cell, add them up, and publish.

    The lake is the folder that MUSTER_LAKE names, or data_lake/ here.
    """


@roomy
def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; an error ends it with exit code 1 and never with a traceback."""
    if sys.getfilesystemencoding() != "utf-8":
        # A locale of another encoding, in which names of files are not what others take them for.
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 (this command, begun anew)
    # Of what is loaded hardly anything can be freed, and to look through it for that takes time.
    gc.set_threshold(100_000, 20, 100)
    code = list[int]()
    atexit.register(_leave, code)
    # Nothing here has plugins for pydantic, which would look for some in every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Matrices are small here: a second thread of numpy's only turns in circles for more of them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return muster(args=arguments, prog_name="muster")
    except SystemExit as end:
        if arguments is None and isinstance(end.code, int):
            code.append(end.code)
        raise
    except MusterError as error:
        with printable_streams():
            click.echo(f"muster: {error}", err=True)
        sys.exit(1)
    except BaseException as error:
        if not isinstance(error, (Exception, *_panics())):
            raise
        kept = _keep_stack(error, arguments if arguments is not None else sys.argv[1:])
        with printable_streams():
            said = f"muster: {UnforeseenError(error, kept or 'this line')} ({place_of(error)})"
            click.echo(said, err=True)
        sys.exit(1)


def _leave(code: Sequence[int]) -> None:
    """End with this code, after all else that is done at the end.

    To free what is loaded, one after the other, takes a second of a run; the system takes it back
    at once.
    """
    with suppress(OSError, ValueError, AttributeError):  # somebody may have closed them
        sys.stdout.flush()
        sys.stderr.flush()
        for each in code:
            os._exit(each)


def _keep_stack(error: BaseException, arguments: list[str]) -> str | None:
    """Write where an unforeseen error was raised to a log file; return its path.

    The error's own words could quote a return and the arguments a person, so neither is written.
    It lies in `logs/` of the lake, or where there is no lake in the system's folder for such files.
    """
    import tempfile
    from importlib import metadata

    lake = Path(os.environ.get("MUSTER_LAKE") or "data_lake")
    folder = lake.absolute() / "logs" if lake.is_dir() else Path(tempfile.gettempdir())
    command = next((each for each in arguments if each in COMMANDS), "no command")
    lines = [f"muster {metadata.version('muster')}, Python {sys.version.split()[0]}, {command}\n"]
    link: BaseException | None = error
    while link is not None:
        lines += [f"\n{type(link).__qualname__}\n", *traceback.format_tb(link.__traceback__)]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    path = folder / f"muster-crash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
    try:
        folder.mkdir(exist_ok=True)
        path.write_text("".join(lines), encoding="utf-8")
    except OSError:
        return None
    return str(path)


def _panics() -> tuple[type[BaseException], ...]:
    """Return what Polars raises where it gives up: it is no Exception. Only if it was loaded."""
    polars = sys.modules.get("polars")
    return (polars.exceptions.PanicException,) if polars else ()
