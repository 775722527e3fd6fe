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
    """Tell an OLE file by the entries of its directory; one without them by its bare names."""
    has_entries = _entry("Root Entry") in content
    for known, problem, fix in _TOLD["tells"]["streams"]:
        names = (_entry(name) if has_entries else name.encode("utf-16-le") for name in known)
        if any(name in content for name in names):
            return RefusedError(problem, _FIXES[fix])
    return refusal("xls")


def _entry(name: str) -> bytes:
    """Return how the directory of an OLE file names a stream: padded, and with the length of it."""
    return name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(name) + 2)
