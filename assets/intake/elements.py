"""Walks a part of XML once: the elements that are read come whole, the others by their name."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Final
from xml.etree.ElementTree import Element, ParseError, iterparse

DAMAGED: Final = (ParseError, LookupError, ValueError)
"""What a part raises that is damaged; a LookupError also where its encoding is unknown."""

_DEEPEST: Final = 100
"""Elements inside each other that are not read; a part of ours has about ten."""
_MOST_WITHIN: Final = 100_000
"""Elements inside one that is read whole, such as a cell."""
_MOST_KNOWN: Final = 500
"""Names and paths that are kept to be found again; a file can make up any number of them."""


class Names(dict[str, str]):
    """Names of elements in short, such as `text:p`, by their full names."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        """Put a prefix for each namespace; what is of another is called `?`."""
        super().__init__()
        self._prefixes = prefixes

    def __missing__(self, name: str) -> str:
        space, _, local = name.rpartition("}")
        prefix = self._prefixes.get(space[1:])
        short = "?" if prefix is None else f"{prefix}{local}"
        if len(self) < _MOST_KNOWN:
            self[name] = short
        return short


class _Paths(dict[tuple[str, str], str]):
    """The path of an element by that of the one it stands in and its own full name."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, key: tuple[str, str]) -> str:
        parent, name = key
        if parent.count("/") >= _DEEPEST:
            raise ValueError("elements nested too deep")
        path = f"{parent}/{self._names[name]}"
        if len(self) < _MOST_KNOWN:
            self[key] = path
        return path


def elements(xml: bytes, names: Names, whole: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
    """Yield the elements of a part in order, each with its path, such as /sst/si.

    One whose path ends like one of `whole` comes at its end, with all that is in it, which does not
    come by itself; any other comes at its start, with its attributes alone. What was yielded is
    gone once the next one is asked for, so that a part of any size takes little memory. The part
    declares no entities: container.py has seen to that.

    Raises:
        ParseError, LookupError, ValueError: the part is damaged.
    """
    known, paths, opened = _Paths(names), [""], list[Element]()
    inside = within = 0
    for event, element in iterparse(BytesIO(xml), ("start", "end")):  # noqa: S314
        if event == "start":
            if inside:
                inside, within = inside + 1, within + 1
                if within > _MOST_WITHIN:
                    raise ValueError("too many elements in one")
                continue
            path = known[paths[-1], element.tag]
            paths.append(path)
            opened.append(element)
            if path.endswith(whole):
                inside, within = 1, 0
            else:
                yield path, element
        elif inside > 1:
            inside -= 1
        else:
            path = paths.pop()
            opened.pop()
            if inside:
                inside = 0
                for each in element.iter():
                    each.tag = names[each.tag]
                yield path, element
            if opened:
                opened[-1].clear()


def text_in(element: Element) -> str:
    """Return all text in an element; comments part it no more."""
    return "".join(element.itertext())


def has_text_between(element: Element) -> bool:
    """Whether text stands beside the elements inside an element, where none belongs."""
    return bool((element.text or "").strip() or any((each.tail or "").strip() for each in element))
