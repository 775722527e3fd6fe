"""What the doctor says of one thing: well or not, where, what was seen, what to do."""

from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["ok", "warn", "bad"]

LEVELS: Final = ("ok", "warn", "bad")
"""From well to ill; `warn` needs somebody's eyes, `bad` somebody's hands."""


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at; `do` is empty exactly where it is well."""

    what: str
    level: Level
    where: str
    observed: str
    do: str = ""


def ok(what: str, where: object, observed: str) -> Examined:
    """Return that a thing is well."""
    return Examined(what, "ok", str(where), observed)


def warn(what: str, where: object, observed: str, do: str) -> Examined:
    """Return that a thing should be looked at."""
    return Examined(what, "warn", str(where), observed, do)


def bad(what: str, where: object, observed: str, do: str) -> Examined:
    """Return that a thing is broken."""
    return Examined(what, "bad", str(where), observed, do)
