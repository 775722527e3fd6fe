"""Walks a part of XML once: the elements that are read come whole, the others by their name."""

from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

DAMAGED: Final = (ParseError, LookupError, ValueError)
"""What a part raises that is damaged; a LookupError also where its encoding is unknown."""

_CHUNK: Final = 1 << 16
"""Bytes of a part that become elements before any is read; most parts have fewer."""
_DEEPEST: Final = 100
"""Elements inside each other that are not read; a part of ours has about ten."""
_MOST_WITHIN: Final = 100_000
"""Elements that wait for the end of one that is read whole, such as a cell."""
_MOST_KNOWN: Final = 500
"""Names that are kept to be found again; a file can make up any number of them."""


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


class _Walk:
    """Meets elements of a part as they come: `found` are those met, each with its path."""

    def __init__(self, names: Names, whole: tuple[str, ...]) -> None:
        self._names, self._whole = names, whole
        self.builder = TreeBuilder()
        self._top = self.builder.start("", {})
        self.found: list[tuple[str, Element]] = []

    def meet(self, *, ended: bool) -> None:
        """Meet what came since the last time."""
        if sum(1 for _ in self._top.iter()) > _MOST_WITHIN:
            raise ValueError("too many elements in one")
        self._meet(self._top, "", ended=ended)

    def _meet(self, parent: Element, above: str, *, ended: bool) -> None:
        """Meet what is in an element; where that has not ended, its last one has not either."""
        if above.count("/") > _DEEPEST:
            raise ValueError("elements nested too deep")
        names, last = self._names, None if ended or not len(parent) else parent[-1]
        for child in parent:
            is_new = child.tag[:1] != "/"  # one met while it was open has its path for a name
            path = f"{above}/{names[child.tag]}" if is_new else child.tag
            if path.endswith(self._whole):
                if child is last:
                    break
                for each in child.iter():
                    each.tag = names[each.tag]
                self.found.append((path, child))
                continue
            if is_new:
                self.found.append((path, child))
                child.tag = path
            if len(child):
                self._meet(child, path, ended=child is not last)
        del parent[: len(parent) - (last is not None)]


def elements(xml: bytes, names: Names, whole: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
    """Yield the elements of a part in order, each with its path, such as /sst/si.

    One whose path ends like one of `whole` comes with all that is in it, which does not come by
    itself; of any other, its attributes count alone. A part is walked in pieces, so that one of any
    size takes little memory. It declares no entities: container.py has seen to that.

    Raises:
        ParseError, LookupError, ValueError: the part is damaged; what stands before it is yielded.
    """
    walk, fault = _Walk(names, whole), None
    parser = XMLParser(target=walk.builder)  # noqa: S314
    for end in range(_CHUNK, len(xml) + _CHUNK + 1, _CHUNK):
        try:
            parser.feed(xml[end - _CHUNK : end])
            if is_last := end > len(xml):
                parser.close()
            walk.meet(ended=is_last)
        except DAMAGED as error:
            fault = error
            if isinstance(error, ParseError):
                walk.meet(ended=False)
        yield from walk.found
        walk.found.clear()
        if fault:
            raise fault


def text_in(element: Element) -> str:
    """Return all text in an element; comments part it no more."""
    return "".join(element.itertext()) if len(element) else element.text or ""


def has_text_between(element: Element) -> bool:
    """Whether text stands beside the elements inside an element, where none belongs."""
    texts = (element.text, *(each.tail for each in element))
    return any(text and not text.isspace() for text in texts)
