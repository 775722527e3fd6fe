"""Reads the cells of an Excel workbook as they stand there.

Belongs here: how the parts of a workbook fit together, under whatever names. Does not: what a part
says (sheet_scan.py, ooxml.py), or what a cell means; interpretation starts in validation/.
"""

from datetime import datetime
from posixpath import basename, dirname, join, normpath
from typing import Final, NamedTuple
from urllib.parse import unquote
from xml.parsers import expat

from assets.intake.container import Container
from assets.intake.ooxml import RELATION, SAVE, SharedTexts, Styles, Walker
from assets.intake.quoting import the_sheet
from assets.intake.reading import Fact, RawSheet, RefusedError
from assets.intake.sheet_scan import scan_sheet
from schemas.wording import visible

_EPOCH: Final = datetime(1899, 12, 30)
_EPOCH_1904: Final = datetime(1904, 1, 1)
_TRUE: Final = {"1", "true", "on"}


def read_workbook(container: Container) -> tuple[RawSheet, ...]:
    """Return the sheets of a workbook with every filled cell; formulas are not yet verified.

    Raises:
        RefusedError: the workbook's parts do not fit together, or a cell lies out of bounds.
    """
    package = _Package(container)
    try:
        main = package.main()
        links = package.links(main)
        book = _Book(package.read(main))
        # A workbook has one part of each; styles carry no figure, so that they may be gone.
        texts = [part for kind, part in links.values() if kind == "sharedStrings"]
        styles = [part for kind, part in links.values() if kind == "styles"]
        if len(set(texts)) > 1:
            raise ValueError("two tables of texts")
        shared = SharedTexts(package.read(texts[0])).texts if texts else []
        looks = Styles(package.read(styles[0]) if styles and package.has(styles[0]) else b"")
        parts = {
            sheet: package.read(links[sheet.relation][1])
            for sheet in book.sheets
            if links[sheet.relation][0] == "worksheet"
        }
    except (LookupError, ValueError, expat.ExpatError) as error:
        raise RefusedError(
            f"the workbook lacks a part it needs, or it is damaged ({visible(str(error))})", SAVE
        ) from error
    if not parts:
        raise RefusedError("the workbook lacks its sheets", SAVE)
    return tuple(
        _with_state(scan_sheet(sheet.name, xml, shared, looks, book.epoch), hidden=sheet.hidden)
        for sheet, xml in parts.items()
    )


def workbook_facts(container: Container) -> tuple[Fact, ...]:
    """Return what is to be known of the workbook beside its sheets."""
    links = any("/externallinks/" in f"/{_plain(name)}" for name in container.names())
    return (Fact("external_links", ""),) if links else ()


def _with_state(sheet: RawSheet, *, hidden: bool) -> RawSheet:
    if not hidden:
        return sheet
    return RawSheet(
        sheet.name, sheet.cells, tuple(sorted([*sheet.facts, Fact("hidden_sheet", "")]))
    )


def _plain(name: str) -> str:
    """Return a part's name as the format compares them: by `/` between folders, whatever case."""
    return name.replace("\\", "/").lower()


class _Package:
    """The parts of a workbook by name, and how they refer to each other."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._names = {_plain(name): name for name in container.names()}

    def has(self, part: str) -> bool:
        return part in self._names

    def read(self, part: str) -> bytes:
        """Return the content of a part; LookupError where it is not there."""
        return self._container.read(self._names[part])

    def main(self) -> str:
        """Return the name of the workbook's main part, which the package names."""
        links = self.links("") if self.has("_rels/.rels") else {}
        named = {part for kind, part in links.values() if kind == "officeDocument"}
        if len(named) > 1:
            raise ValueError("two workbooks in one")
        return named.pop() if named else "xl/workbook.xml"

    def links(self, part: str) -> dict[str, tuple[str, str]]:
        """Return what a part refers to, by relationship: its kind, and the part's name."""
        folder = dirname(part)
        found = _Relationships(self.read(join(folder, "_rels", f"{basename(part)}.rels")))
        return {
            relation: (kind, _plain(normpath(join("/", folder, target))).lstrip("/"))
            for relation, (kind, target) in found.links.items()
        }


class _Relationships(Walker):
    """Relationships by their id: the last word of their type, and the target as it is written."""

    def __init__(self, xml: bytes) -> None:
        self.links: dict[str, tuple[str, str]] = {}
        self.walk(xml)

    def start(self, path: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element."""
        if path == "/Relationships/Relationship" and attributes.get("TargetMode") != "External":
            if attributes["Id"] in self.links:
                raise ValueError(f"two relationships {attributes['Id']!r}")
            kind = attributes["Type"].rpartition("/")[2]
            target = unquote(attributes["Target"]).replace("\\", "/")
            self.links[attributes["Id"]] = kind, target


class _Sheet(NamedTuple):
    name: str
    relation: str
    hidden: bool


class _Book(Walker):
    """The workbook part: its sheets, and day 0 of its dates."""

    def __init__(self, xml: bytes) -> None:
        self.sheets: list[_Sheet] = []
        self.epoch = _EPOCH
        self.walk(xml)

    def start(self, path: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element."""
        if path == "/workbook/sheets/sheet":
            name = attributes["name"]
            if any(sheet.name == name for sheet in self.sheets):
                raise RefusedError(f"the workbook has two of one name: {the_sheet(name)}", SAVE)
            relation = next((attributes[key] for key in RELATION if key in attributes), "")
            hidden = "hidden" in attributes.get("state", "").lower()
            self.sheets.append(_Sheet(name, relation, hidden))
        elif path == "/workbook/workbookPr" and attributes.get("date1904") in _TRUE:
            self.epoch = _EPOCH_1904
