"""Loads the words and sentences that the reader knows (vocabulary.toml).

Belongs here: from the file to compiled patterns. Does not: any word of a report, nor what follows
from a pattern that matches (reading.py).
"""

import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

_NAME: Final = re.compile(r"\{([A-Z_]+)\}")
_GROUP: Final = re.compile(r"\(\?P<(\w+)>")


@dataclass(frozen=True)
class Vocabulary:
    """`same`: the one word for each wording. `frames`: by kind, patterns of a whole part.

    `words`: plain patterns by name, for choosing among parts (never for reading one).
    """

    same: Mapping[tuple[str, ...], str]
    frames: Mapping[str, tuple[re.Pattern[str], ...]]
    words: Mapping[str, re.Pattern[str]]


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary, its macros such as `{FORCE}` filled in."""
    file = resources.files("assets.reports").joinpath("vocabulary.toml")
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    macros: dict[str, str] = {}
    for name, alternatives in said["parts"].items():
        macros[name] = f"(?:{'|'.join(_filled(one, macros) for one in alternatives)})"
    return Vocabulary(
        same={
            tuple(wording.split()): word
            for word, wordings in said["same"].items()
            for wording in wordings
        },
        frames={
            kind: tuple(_compiled(frame, macros) for frame in frames)
            for kind, frames in said["frames"].items()
        },
        words={
            name: re.compile(
                rf"(?<!\S)(?:{'|'.join(_filled(one, macros) for one in alternatives)})(?!\S)"
            )
            for name, alternatives in said["words"].items()
        },
    )


def _filled(pattern: str, macros: Mapping[str, str]) -> str:
    """Return a pattern as a regular expression: macros filled in, `[x]` and `(x)` as groups."""
    pattern = re.sub(r"\((?!\?)", "(?:", pattern.replace("[", "(?:").replace("]", ")?"))
    return _NAME.sub(lambda match: macros[match[1]], pattern)


def _compiled(frame: str, macros: Mapping[str, str]) -> re.Pattern[str]:
    """Compile a frame, in which a group may stand in several alternatives: `ok`, `ok_1` ..."""
    count = itertools.count()
    pattern = _filled(frame, macros)
    return re.compile(_GROUP.sub(lambda match: f"(?P<{match[1]}_{next(count)}>", pattern))


def group(match: re.Match[str], name: str) -> tuple[int, str] | None:
    """Return where and what a group of a frame matched, None where it took no part."""
    for key, said in match.groupdict().items():
        if said is not None and key.rpartition("_")[0] == name:
            return match.start(key), said
    return None
