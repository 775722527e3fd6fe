"""The parts of an Excel workbook, and what each of them refers to."""

from collections.abc import Iterator
from contextlib import suppress
from posixpath import basename, dirname, join, normpath
from urllib.parse import unquote

from assets.intake.grid import DAMAGED, found, is_theirs, parsed, text_in
from assets.intake.looks import PREFIXES
from assets.intake.reading import place
from schemas.template import address

Links = dict[str, tuple[str, str]]
"""What a part refers to, by relationship: the last word of its kind, and the part's name."""


def main_part(parts: dict[str, bytes]) -> str:
    """Return the name of the workbook's main part, which the package names."""
    links = links_of(parts, "") if "_rels/.rels" in parts else {}
    named = {part for kind, part in links.values() if kind == "officeDocument"}
    if len(named) > 1:
        raise ValueError("two workbooks in one")
    return named.pop() if named else "xl/workbook.xml"


def links_of(parts: dict[str, bytes], part: str) -> Links:
    """Return what a part refers to, but for what lies outside; of "", the package as a whole.

    Raises:
        LookupError, ParseError, ValueError: it refers to nothing, or that is damaged.
    """
    folder = dirname(part)
    links: Links = {}
    xml = parts[join(folder, "_rels", f"{basename(part)}.rels")]
    for element in found(parsed(xml, PREFIXES), "Relationships", "Relationship"):
        if element.get("TargetMode") != "External":
            relation, kind, target = (element.attrib[key] for key in ("Id", "Type", "Target"))
            if relation in links:
                raise ValueError(f"two relationships {relation!r}")
            target = unquote(target).replace("\\", "/")
            target = normpath(join("/", folder, target)).lstrip("/").lower()
            links[relation] = kind.rpartition("/")[2], target
    return links


def commented(parts: dict[str, bytes], part: str) -> Iterator[str]:
    """Yield the cells of a sheet with a comment of somebody else's; its comments leave the parts.

    They carry no figure: what is faulty there is passed over.
    """
    with suppress(*DAMAGED):
        about = [name for kind, name in links_of(parts, part).values() if kind == "comments"]
        for xml in (parts.pop(name, b"") for name in about):
            root = parsed(xml, PREFIXES, partly=True)
            for each in found(root, "comments", "commentList", "comment"):
                if is_theirs(text_in(each)):
                    yield address(*place(each.get("ref", "")))
