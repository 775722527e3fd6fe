"""Random damage to a good file: bytes, parts of the zip, XML, cells, lines of CSV.

Each mutation is a function of chance and content alone, so that a seed names it for ever.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from random import Random

Mutation = Callable[[Random, bytes], bytes]

_NUMBERS = re.compile(rb"<v>(\d+)</v>")
_TEXTS = [
    b"c. 10", b"<5", b"n/k", b"1.5", b"10%", b"-3", b"1e3", b"NaN", b"-0", b"+5", b"=1+1", b"",
    b"9223372036854775808", b"1,234", b"not_held", b"\xef\xbc\x91", b"0x1", b"1 2", b"\x00",
    b"\x1b[2J", b'"', b"'", b"\xe2\x80\xae7", b"TRUE", b"#REF!", b"2012-05-31", b"00", b"1.0",
]  # fmt: skip


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return target.getvalue()


def _part(change: Callable[[Random, bytes], bytes]) -> Mutation:
    """Change one part of the zip, and pack it soundly again."""

    def mutate(chance: Random, content: bytes) -> bytes:
        parts = _parts(content)
        name = chance.choice(sorted(parts))
        return _packed({**parts, name: change(chance, parts[name])})

    return mutate


def _flip(chance: Random, content: bytes) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if damaged:
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def _cut(chance: Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _repeat(chance: Random, content: bytes) -> bytes:
    start = chance.randrange(len(content) + 1)
    end = start + chance.randrange(200)
    return content[:end] + content[start:end] * chance.randint(1, 4) + content[end:]


def _splice(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(_TEXTS) + content[at + chance.randrange(3) :]


def _number(chance: Random, content: bytes) -> bytes:
    """Put something else into one numeric cell or cell reference."""
    found = list(_NUMBERS.finditer(content))
    if not found:
        return _splice(chance, content)
    match = chance.choice(found)
    return content[: match.start(1)] + chance.choice(_TEXTS) + content[match.end(1) :]


def _attribute(chance: Random, content: bytes) -> bytes:
    """Change one attribute: a cell's address, type or style, a row's number, a sheet's name."""
    found = list(re.finditer(rb'\b(r|t|s|name|ref|min|max|sheetId|Target)="([^"]*)"', content))
    if not found:
        return _flip(chance, content)
    match = chance.choice(found)
    other = chance.choice(found)[2]
    new = chance.choice([other, b"", b"A1", b"XFD1048576", b"0", b"-1", b"s", b"e", b"inlineStr"])
    return content[: match.start(2)] + new + content[match.end(2) :]


def _drop_part(chance: Random, content: bytes) -> bytes:
    parts = _parts(content)
    del parts[chance.choice(sorted(parts))]
    return _packed(parts)


def _swap_parts(chance: Random, content: bytes) -> bytes:
    parts = _parts(content)
    one, other = chance.sample(sorted(parts), 2)
    return _packed({**parts, one: parts[other], other: parts[one]})


_HEADERS = {b"PK\x03\x04": 26, b"PK\x01\x02": 42, b"PK\x05\x06": 18}
_EXTREMES = [0, 1, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFC18, 0xFFFFFFFF]


def _header(chance: Random, content: bytes) -> bytes:
    """Put another number into one header of the zip: an offset, a size, a method, a flag."""
    magic = chance.choice(list(_HEADERS))
    places = [match.start() for match in re.finditer(re.escape(magic), content)]
    if not places:
        return _flip(chance, content)
    at = chance.choice(places) + 4 + 2 * chance.randrange((_HEADERS[magic]) // 2)
    width = chance.choice([2, 4])
    number = chance.choice([*_EXTREMES, chance.randrange(len(content))]) % (1 << 8 * width)
    return content[:at] + number.to_bytes(width, "little") + content[at + width :]


MUTATIONS: list[Mutation] = [
    _flip,
    _cut,
    _repeat,
    _part(_flip),
    _part(_cut),
    _part(_repeat),
    _part(_splice),
    _part(_number),
    _part(_number),
    _part(_attribute),
    _part(_attribute),
    _drop_part,
    _swap_parts,
    _header,
    _header,
    _header,
]


def mutated(seed: int, content: bytes) -> bytes:
    """Return the content damaged once or twice, as the seed decides."""
    chance = Random(seed)
    for _ in range(chance.choice([1, 1, 1, 2])):
        try:
            content = chance.choice(MUTATIONS)(chance, content)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            KeyError,
            LookupError,
            ValueError,
            OSError,
        ):
            break  # the first damage left no zip to damage again
    return content
