"""Reads a TOML file, and says what is wrong in it: everything at once, each with its line."""

import re
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from schemas.errors import SetupError
from schemas.faults import Fault, Loc, Unsure

_Words = deque[tuple[str, int]]
"""The words of a file that are not read yet, each with its line."""

_QUOTED: Final = r'"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
_WORD: Final = re.compile(
    rf'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|{_QUOTED}|\#[^\n]*|[\[\]{{}}=,]'
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9][^\s,\]}#]*|[^\s\[\]{}=,#\"']+",
    re.DOTALL,
)
_NAME: Final = re.compile(rf"{_QUOTED}|[^.\s\"'\[]+")


_MEND: Final = " Mend it and try again."


class DescriptionError(SetupError):
    """A file that describes something cannot be used; `lines` says why, a line for each fault."""

    def __init__(
        self,
        path: Path,
        text: str,
        what: str,
        faults: Iterable[Fault],
        mended: Any = None,
        unsure: Unsure | None = None,
    ) -> None:
        """Say what is wrong in the text of a file that is to be a `what`.

        `mended` is what it says as if what was meant stood there, but for the places `unsure`.
        """
        self.lines, self.mended = worded(path, text, faults), mended
        self.unsure = Unsure() if unsure is None else unsure
        wrong = "\n".join(self.lines)
        super().__init__(f"This is no {what} that can be used:\n{wrong}\n{_MEND.strip()}")


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return what a TOML file holds, and its text.

    Raises:
        SetupError: it cannot be read, or is no TOML; it says at which line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line ([0-9]+), column [0-9]+\)$", str(error))
        line = f":{place[1]}" if place else ""
        said = str(error).removesuffix(place[0]) if place else str(error)
        raise SetupError(f"{path}{line}: this is no TOML: {said}.{_MEND}") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise SetupError(f"{path} cannot be read: {why}.{_MEND}") from None


def lines_in(error: SetupError) -> list[str]:
    """Return a line for each thing that is wrong in a file which cannot be used."""
    if isinstance(error, DescriptionError):
        return error.lines
    return [str(error).removesuffix(_MEND)]


def worded(path: Path, text: str, faults: Iterable[Fault]) -> list[str]:
    """Return a line for each fault of a file: path, line, key, what is wrong; in order of lines."""
    lines = lines_of(text)
    found = []
    for loc, message in faults:
        if loc is None:
            found.append((0, message))
            continue
        known = next((loc[:n] for n in range(len(loc), 0, -1) if loc[:n] in lines), None)
        line = lines[known] if known else 1
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)
        found.append((line, f"{path}:{line}: {key or 'the file'}: {message}"))
    return [told for _, told in sorted(set(found))]


def lines_of(text: str) -> dict[Loc, int]:
    """Return the line (from 1) on which each key, table and element of a sound TOML file begins.

    Keys are paths, such as `("sheet", 0, "rows", 3, "kind")`: names of keys, and places (from 0)
    in arrays and in arrays of tables. `text` is what tomllib has read without an error.
    """
    words: _Words = deque()
    for match in _WORD.finditer(text):
        if not match[0].startswith("#"):
            words.append((match[0], text.count("\n", 0, match.start()) + 1))
    found: dict[Loc, int] = {}
    for path, line in _places(words):
        found[path] = line
        for end in range(1, len(path)):  # a table that nothing but its parts name begins with them
            found.setdefault(path[:end], line)
    return found


def _places(words: _Words) -> Iterator[tuple[Loc, int]]:
    """Yield each path with its line, statement by statement; the words are used up."""
    table: Loc = ()
    counts: dict[Loc, int] = {}
    while words:
        word, line = words[0]
        if word != "[":
            yield from _pair(words, table)
            continue
        words.popleft()
        many, table = words[0][0] == "[", ()
        for name in _key(words):  # below an array of tables its last element is meant
            table = (*table, counts[table] - 1, name) if table in counts else (*table, name)
        if many:
            number = counts.get(table, 0)
            counts[table] = number + 1
            yield table, line
            table = (*table, number)
        yield table, line
        while words and words[0][0] == "]":
            words.popleft()


def _key(words: _Words) -> list[str]:
    """Read a key, whose names dots join."""
    written = ""
    while words[0][0] not in {"=", "]"}:
        written += words.popleft()[0]
    names = _NAME.findall(written)
    return [name[1:-1] if name[0] in "\"'" else name for name in names]


def _pair(words: _Words, table: Loc) -> Iterator[tuple[Loc, int]]:
    line = words[0][1]
    path = (*table, *_key(words))
    words.popleft()  # the equals sign
    yield path, line
    yield from _value(words, path)


def _value(words: _Words, path: Loc) -> Iterator[tuple[Loc, int]]:
    opened, number = words.popleft()[0], 0
    closed = {"[": "]", "{": "}"}.get(opened)
    while closed and words[0][0] != closed:
        if words[0][0] == ",":
            words.popleft()
        elif opened == "{":
            yield from _pair(words, path)
        else:
            yield (*path, number), words[0][1]
            yield from _value(words, (*path, number))
            number += 1
    if closed:
        words.popleft()
