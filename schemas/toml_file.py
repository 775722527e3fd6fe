"""Reads a TOML file, and says what is wrong in it: everything at once, each with its line."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from schemas.errors import SetupError

Loc = tuple[str | int, ...]
"""The keys and places (from 0) that lead to a part of a file: ("sheet", 0, "rows", 3, "kind")."""

Fault = tuple[Loc | None, str]
"""Where something is wrong, and what; None for what names its place itself, in another file."""

_WORD: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|\#[^\n]*'
    r"|\[\[|\]\]|[\[\]{}=,.\n]|[^\s\[\]{}=,.#\"']+",
    re.DOTALL,
)


_MEND: Final = " Mend it and try again."

_WORDS: Final = {
    "missing": "is missing",
    "extra_forbidden": "is no key that is known here",
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list in [ ]",
    "list_type": "must be a list in [ ]",
    "dict_type": "must be a table of keys",
    "model_type": "must be a table of keys",
    "date_type": "must be a date such as 2013-05-31, without quotes",
    "time_type": "must be a time such as 06:00:00, without quotes",
}


class FaultsError(ValueError):
    """What does not fit together in a file whose keys are each of the right type."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Hold the faults."""
        super().__init__("; ".join(message for _, message in faults))
        self.faults = faults


class DescriptionError(SetupError):
    """A file that describes something cannot be used; `lines` says why, a line for each fault."""

    def __init__(self, path: Path, text: str, what: str, faults: Iterable[Fault]) -> None:
        """Say what is wrong in the text of a file that is to be a `what`."""
        self.lines = _worded(path, text, faults)
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


def of_library(error: ValidationError) -> Iterator[Fault]:
    """Yield what the validation of a file found, in our words."""
    for fault in error.errors(include_url=False):
        inner = fault.get("ctx", {}).get("error")
        if isinstance(inner, FaultsError):
            yield from inner.faults
            continue
        if isinstance(inner, BaseException) and isinstance(inner.__cause__, SetupError):
            yield from ((None, line) for line in lines_in(inner.__cause__))
            continue
        given = fault["msg"].removeprefix("Value error, ").rstrip(".")
        if fault["type"] == "literal_error":
            given = f"must be {fault['ctx']['expected']}"
        yield fault["loc"], _WORDS.get(fault["type"], given)


def lines_in(error: SetupError) -> list[str]:
    """Return a line for each thing that is wrong in a file which cannot be used."""
    if isinstance(error, DescriptionError):
        return error.lines
    return [str(error).removesuffix(_MEND)]


def _worded(path: Path, text: str, faults: Iterable[Fault]) -> list[str]:
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
    return [told for _, told in sorted(found)]


def lines_of(text: str) -> dict[Loc, int]:
    """Return the line (from 1) on which each key, table and element of a sound TOML file begins.

    Keys are paths, such as `("sheet", 0, "rows", 3, "kind")`: names of keys, and places (from 0)
    in arrays and in arrays of tables. `text` is what tomllib has read without an error.
    """
    found: dict[Loc, int] = {}
    for path, line in _Reader(text).places():
        found[path] = line
        for end in range(1, len(path)):  # a table that nothing but its parts name begins with them
            found.setdefault(path[:end], line)
    return found


class _Reader:
    """Reads tokens one by one, each with its line."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, int]] = []
        for match in _WORD.finditer(text):
            if not match[0].startswith("#"):
                self._words.append((match[0], text.count("\n", 0, match.start()) + 1))
        self._at = 0
        self._counts: dict[Loc, int] = {}

    def places(self) -> Iterator[tuple[Loc, int]]:
        table: Loc = ()
        while self._at < len(self._words):
            word, line = self._words[self._at]
            if word == "\n":
                self._at += 1
            elif word in {"[", "[["}:
                self._at += 1
                table = self._within(self._key())
                if word == "[[":
                    number = self._counts.get(table, 0)
                    self._counts[table] = number + 1
                    yield table, line
                    table = (*table, number)
                yield table, line
                self._at += 1
            else:
                yield from self._pair(table)

    def _within(self, key: Loc) -> Loc:
        """Return the full path of a table's name: that of the last element where it is an array."""
        path: Loc = ()
        for position, name in enumerate(key):
            path = (*path, name)
            last = position == len(key) - 1
            if not last and path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: Loc) -> Iterator[tuple[Loc, int]]:
        line = self._words[self._at][1]
        path = (*table, *self._key())
        self._at += 1  # the equals sign
        yield path, line
        yield from self._value(path)

    def _key(self) -> Loc:
        """Read a key, whose names dots join."""
        names: list[str | int] = []
        while self._words[self._at][0] not in {"=", "]", "]]"}:
            word = self._words[self._at][0]
            if word != ".":
                names.append(word[1:-1] if word[0] in "\"'" else word)
            self._at += 1
        return tuple(names)

    def _value(self, path: Loc) -> Iterator[tuple[Loc, int]]:
        word = self._words[self._at][0]
        if word in {"[", "[["}:
            yield from self._elements(path)
        elif word == "{":
            self._at += 1
            while self._words[self._at][0] != "}":
                if self._words[self._at][0] in {",", "\n"}:
                    self._at += 1
                else:
                    yield from self._pair(path)
            self._at += 1
        else:  # a plain value; a number or a time is several tokens
            while self._at < len(self._words) and self._words[self._at][0] not in _ENDS:
                self._at += 1

    def _elements(self, path: Loc) -> Iterator[tuple[Loc, int]]:
        self._open("[[", "[")
        number = 0
        while not self._words[self._at][0].startswith("]"):
            word, line = self._words[self._at]
            if word in {",", "\n"}:
                self._at += 1
            else:
                yield (*path, number), line
                yield from self._value((*path, number))
                number += 1
        self._open("]]", "]")

    def _open(self, double: str, single: str) -> None:
        """Pass one bracket, though two that touch are one word."""
        word, line = self._words[self._at]
        if word == double:
            self._words[self._at] = (single, line)
        else:
            self._at += 1


_ENDS: Final = {",", "\n", "]", "]]", "}"}
