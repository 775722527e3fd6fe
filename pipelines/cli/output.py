"""How commands print: tables for people, one JSON document for machines."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click
from click.decorators import FC

from assets.lake import Lake, lake_there
from schemas.errors import SetupError
from schemas.wording import visible

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from schemas.collection import Collection

COLLECTION: Final = "muster.collection"
"""Where the context of a command keeps the collection it works on."""

_PIPE_WIDTH: Final = 200
"""Width of a table where there is neither a terminal nor COLUMNS to fit it to."""

_NARROW: Final = 120
"""Columns of a terminal in which a table that does not fit is told in lines; wider ones fold it."""

_SHORT: Final = 24
"""Characters of what then stays in a column."""


def _usual() -> str:
    from schemas.collection import usual_collection

    return usual_collection()


def _loaded(context: click.Context, _: click.Parameter, collection_id: str) -> "Collection":
    """Note which collection a command works on, for what it says should it fail, and load it."""
    from schemas.collection import load_collection

    context.meta[COLLECTION] = collection_id
    return load_collection(collection_id)


def _collection_option(name: str, **how: Any) -> Callable[[FC], FC]:
    return click.option("--collection", name, help="The collection to work on.", **how)


_USUAL: Final = {
    "envvar": "MUSTER_COLLECTION",
    "show_default": "MUSTER_COLLECTION, else the one open today, else the newest",
}
collection_option = _collection_option("collection", default=_usual, callback=_loaded, **_USUAL)
named_option = _collection_option("collection_id", default=None, **_USUAL)
"""The same, but None where none is named: to find out which is meant takes long."""


def meant(context: click.Context, collection_id: str | None) -> "Collection":
    """Return the collection that is meant where only the one that was named is known."""
    return _loaded(context, context.command.params[0], collection_id or _usual())


def lake_of(collection: "Collection") -> Lake:
    """Return the part of the lake that a collection has, for what makes no lake.

    Raises:
        SetupError: there is no lake.
    """
    return Lake(lake_there(), collection.id)


def require_force(force_code: str, collection: "Collection", found: object) -> None:
    """Raise SetupError where a force is none that a collection expects, and nothing of it is found.

    What came of one that it expects no more is shown.
    """
    if not found and force_code not in collection.forces:
        expected = ", ".join(collection.forces)
        raise SetupError(f"{collection.id} expects no force {force_code}. It expects {expected}.")


sample_option = _collection_option(
    "collection", default="2012-revisit", callback=_loaded, show_default=True
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_out_option = click.option(
    "--out",
    "folder",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to; made if it is not there.",
)
CSV_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
_SHARED: Final = {
    "as_json": json_option,
    "collection": collection_option,
    "collection_id": named_option,
    "files": _files_argument,
    "folder": _out_option,
}
"""What commands have in common, by the parameter that takes it."""


def subcommand(
    name: str | None = None, of: click.Group | None = None
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of a function, whose parameters say what it has of the common options.

    It has the name of its function unless told otherwise, and is a part of the command `of`.
    """

    def made(make: Callable[..., None]) -> click.Command:
        taken = [*signature(make).parameters]
        own: list[click.Parameter] = make.__dict__.setdefault("__click_params__", [])
        for parameter in {*taken} & _SHARED.keys() - {one.name for one in own}:
            _SHARED[parameter](make)
        own.sort(key=lambda one: taken.index(one.name or ""), reverse=True)
        return (of or click).command(name)(make)

    return made


_UNSEEN: Final = re.compile(
    "[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff"
    "\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
"""Characters that steer a terminal, turn the direction of a text, or cannot be written at all."""


class _Printable:
    """A text stream that writes an escape for each character that could steer a terminal.

    Cells, names and other programs' words reach the terminal by many ways; all end here.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text with what cannot be seen escaped."""
        self.stream.write(_UNSEEN.sub(lambda match: visible(match[0]), text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        """Be the stream in everything else."""
        return getattr(self.stream, name)


@contextmanager
def printable_streams() -> Iterator[None]:
    """Let nothing through to the terminal that could steer it, whoever prints it."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        each if isinstance(each, _Printable) else _Printable(each) for each in before
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def console(*, stderr: bool = False, **options: Any) -> "Console":
    """Return a rich console, whose own sequences for the terminal pass; give it visible texts.

    One for standard error has a copy of it, because reading extracts closes the real one at times.
    """
    from rich.console import Console

    stream: Any = sys.stderr if stderr else sys.stdout
    raw = stream.stream if isinstance(stream, _Printable) else stream
    if stderr and raw.isatty():
        raw = os.fdopen(os.dup(raw.fileno()), "w", encoding=raw.encoding)
    return Console(file=raw, highlight=False, **options)


def print_json(document: Any) -> None:
    """Print one JSON document and nothing else; what cannot be seen is escaped."""
    text = json.dumps(document, indent=1, ensure_ascii=False)
    click.echo(_UNSEEN.sub(lambda match: json.dumps(match[0])[1:-1], text))


def print_table(
    heads: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()
) -> None:
    """Print rows under their heads; null shows as a dash, never as zero."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    screen, cells = console(), [[shown(value) for value in row] for row in rows]
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen = console(width=_PIPE_WIDTH)
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    if screen.width >= min(_NARROW, sum(widths) + 2 * len(widths)):
        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in heads:
            table.add_column(head, justify="right" if head in right else "left")
        for row in cells:
            table.add_row(*map(Text, row))
        screen.print(table)
        return
    kept = [n for n, width in enumerate(widths) if width <= _SHORT]
    for number, row in enumerate([[*heads], *cells]):
        beside = [f"{row[n]:{'>' if heads[n] in right else '<'}{widths[n]}}" for n in kept]
        screen.print(Text("  ".join(beside).rstrip(), "" if number else "bold"))
        for n in range(len(row)) if number else ():
            if n not in kept:
                below = Text.assemble((f"{heads[n]}: ", "bold"), row[n])
                screen.print(Padding(below, (0, 0, 0, 4)))


def print_rows(
    rows: "pl.DataFrame | Sequence[Mapping[str, Any]]",
    columns: str,
    *,
    most: int | None = None,
    where: str = "",
) -> None:
    """Print some columns of rows.

    Args:
        rows: a frame, or what each row has by column.
        columns: columns in their order, as `force_code, >version, what is wrong: message`: a head
            before a colon where it is not the column's name, > where the column stands right.
        most: how many rows are printed; the rest are counted.
        where: where the rest are.
    """
    parts = [part.split(": ") for part in columns.split(", ")]
    heads = [part[0].removeprefix(">") for part in parts]
    names = [part[-1].removeprefix(">") for part in parts]
    right = [head for head, part in zip(heads, parts, strict=True) if part[0].startswith(">")]
    few = rows[:most]
    found = few if isinstance(few, Sequence) else few.to_dicts()
    print_table(heads, ([row[name] for name in names] for row in found), right=right)
    if left := len(rows) - len(found):
        click.echo(f"  and {left:,} more{where}")


def emit(
    rows: "pl.DataFrame | Sequence[Mapping[str, Any]]", columns: str, *, as_json: bool
) -> None:
    """Print rows: all of them as JSON, or some columns as `print_rows` has them."""
    if not as_json:
        print_rows(rows, columns)
    else:
        print_json(rows if isinstance(rows, Sequence) else rows.to_dicts())


def shown(value: Any) -> str:
    """Return how a value is printed: on one line, and nothing that could steer a terminal."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return visible(str(value), None)


def set_apart(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose `old` and `new` are printed with as many digits as it takes to differ.

    `change`, where it has one, is printed as they are.
    """
    old, new = row["old"], row["new"]
    if old is None or new is None or old == new or shown(old) != shown(new):
        return dict(row)
    digits = next((n for n in range(3, 16) if f"{old:.{n}f}" != f"{new:.{n}f}"), 16)
    numbers = {"old", "new", "change"} & row.keys()
    return {**row, **{name: f"{row[name]:,.{digits}f}" for name in numbers}}


def shown_path(path: Path) -> str:
    """Return a path as people would type it: relative where it lies below this folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
