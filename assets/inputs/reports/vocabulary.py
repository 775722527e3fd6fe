"""Loads the words and sentences that the reader of reports knows (vocabulary.toml)."""

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"\{([A-Z_]+)\}")
_GROUP: Final = re.compile(r"\(\?P<(\w+)>")


class Vocabulary(NamedTuple):
    """`same`: the one word for each wording. `frames`: by kind, patterns of a whole part.

    `words`: plain patterns by name, for choosing among parts (never for reading one).
    """

    same: Mapping[tuple[str, ...], str]
    frames: Mapping[str, tuple[re.Pattern[str], ...]]
    words: Mapping[str, re.Pattern[str]]


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary, its macros such as `{FORCE}` filled in."""
    file = resources.files("assets.inputs.reports").joinpath("vocabulary.toml")
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    macros: dict[str, str] = {}

    def filled(pattern: str) -> str:
        """Return a pattern as a regular expression: macros filled in, `[x]` and `(x)` as groups."""
        pattern = re.sub(r"\((?!\?)", "(?:", pattern.replace("[", "(?:").replace("]", ")?"))
        return _NAME.sub(lambda match: macros[match[1]], pattern)

    def either(patterns: list[str]) -> str:
        return f"(?:{'|'.join(map(filled, patterns))})"

    def compiled(frame: str) -> re.Pattern[str]:
        """Compile a frame; a group that stands in several alternatives is `ok_0`, `ok_1` ..."""
        count = itertools.count()
        return re.compile(_GROUP.sub(lambda m: f"(?P<{m[1]}_{next(count)}>", filled(frame)))

    for name, patterns in said["parts"].items():
        macros[name] = either(patterns)
    return Vocabulary(
        {tuple(each.split()): word for word, wordings in said["same"].items() for each in wordings},
        {kind: tuple(map(compiled, frames)) for kind, frames in said["frames"].items()},
        {
            name: re.compile(rf"(?<!\S){either(patterns)}(?!\S)")
            for name, patterns in said["words"].items()
        },
    )


def speaks(of: str, text: str) -> bool:
    """Whether words of that name in the vocabulary stand in a text."""
    return vocabulary().words[of].search(text) is not None


def begins(of: str, text: str) -> bool:
    """Whether a text begins with words of that name in the vocabulary."""
    return vocabulary().words[of].match(text) is not None


def frames_of(kind: str, text: str) -> Iterator[re.Match[str]]:
    """Yield how frames of a kind cover a text."""
    return filter(None, (frame.fullmatch(text) for frame in vocabulary().frames[kind]))


def group(match: re.Match[str], name: str) -> tuple[int, str] | None:
    """Return where and what a group of a frame matched, None where it took no part."""
    for key, said in match.groupdict().items():
        if said is not None and key.rpartition("_")[0] == name:
            return match.start(key), said
    return None
