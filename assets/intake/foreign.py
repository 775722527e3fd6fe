"""Why a file is refused, in the words of refusals.toml, and what it is if it is no return."""

import struct
import tomllib
from importlib import resources
from typing import Any, Final

from assets.intake.reading import RefusedError

_TOLD: Final[dict[str, Any]] = tomllib.loads(
    resources.files("assets.intake").joinpath("refusals.toml").read_text(encoding="utf-8")
)
_FIXES: Final[dict[str, str]] = _TOLD["fixes"]

_OLE_MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_LONGEST_CHAIN: Final = 4096
_FEW_LINES: Final = 60
_LOOKED_AT: Final = 64 * 1024


def refusal(which: str, /, **values: object) -> RefusedError:
    """Return a refusal of refusals.toml with values for what stands there in braces."""
    problem, fix, *rule = _TOLD["says"][which]
    fix = _FIXES[fix.format(**values)]
    return RefusedError(problem.format(**values), fix.format(**values), *rule)


def foreign(content: bytes) -> RefusedError:
    """Return why a file that does not begin like a zip is refused, and what to send instead."""
    if not content.strip(b"\0"):
        return refusal("zeros" if content else "empty")
    if content.startswith(_OLE_MAGIC):
        return _ole(content)
    for beginning, what, fix in _TOLD["tells"]["begins"]:
        if content.startswith(beginning.encode("latin-1")):
            return refusal("instead", what=what, fix=fix) if what else refusal(fix)
    return _text(content)


def _text(content: bytes) -> RefusedError:
    head = content[:_LOOKED_AT]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="replace").encode()
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    low = head.lower().decode("latin-1")
    for (beginning, *more), what, fix in _TOLD["tells"]["texts"]:
        if low.startswith(beginning) and all(mark in low for mark in more):
            return refusal("instead", what=what, fix=fix)
    lines = head.splitlines()[:_FEW_LINES]
    if _begins_like_mail(lines):
        return refusal("mail")
    if any(sum(line.count(c) for line in lines) >= len(lines) > 1 for c in (b",", b";", b"\t")):
        return refusal("csv")
    return refusal("other")


def _begins_like_mail(lines: list[bytes]) -> bool:
    names = set()
    for line in lines:
        name, colon, _ = line.partition(b":")
        if not line.startswith((b" ", b"\t")) and not colon:
            break
        names.add(name.lower().decode("latin-1"))
    return len(names.intersection(_TOLD["tells"]["mail_headers"])) > 1


def _ole(content: bytes) -> RefusedError:
    """Tell an OLE file by its streams; a damaged one, whose directory cannot be read, by a look."""
    try:
        names = _stream_names(content)
    except (struct.error, IndexError, ValueError):
        names = set()
    for known, problem, fix in _TOLD["tells"]["streams"]:
        if names.intersection(known) or (
            not names and any(name.encode("utf-16-le") in content for name in known)
        ):
            return RefusedError(problem, _FIXES[fix])
    return refusal("xls")


def _stream_names(content: bytes) -> set[str]:
    """Return the names in the directory of an OLE file; empty where it has none that holds."""
    (shift,) = struct.unpack_from("<H", content, 30)
    (sector,) = struct.unpack_from("<I", content, 48)
    if shift not in {9, 12}:
        return set()
    size = 1 << shift
    tables = struct.unpack_from("<109I", content, 76)
    names: set[str] = set()
    for _ in range(_LONGEST_CHAIN):
        page = content[(sector + 1) * size :][:size]
        if len(page) < size:
            break
        for entry in range(0, size, 128):
            (length,) = struct.unpack_from("<H", page, entry + 64)
            if page[entry + 66] and 2 <= length <= 64:
                name = page[entry : entry + length - 2]
                names.add(name.decode("utf-16-le", errors="replace"))
        table = tables[sector // (size // 4)]
        (sector,) = struct.unpack_from("<I", content, (table + 1) * size + sector % (size // 4) * 4)
    return names if "Root Entry" in names else set()
