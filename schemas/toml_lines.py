"""Tells on which line of a TOML file each key, table and element stands."""

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

Loc = tuple[str | int, ...]
"""The keys and places (from 0) that lead to a part of a file: ("sheet", 0, "rows", 3, "kind")."""

_Words = deque[tuple[str, int]]
"""The words of a file that are not read yet, each with its line."""

_QUOTED: Final = r'"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
_WORD: Final = re.compile(
    rf'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|{_QUOTED}|\#[^\n]*|[\[\]{{}}=,]'
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9][^\s,\]}#]*|[^\s\[\]{}=,#\"']+",
    re.DOTALL,
)
_NAME: Final = re.compile(rf"{_QUOTED}|[^.\s\"'\[]+")


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
