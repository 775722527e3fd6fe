"""What a worksheet's XML says beyond values: formulas, merges, hidden parts, cells out of bounds.

Belongs here: facts of structure that a reader of values does not show. Does not: the values
(workbook.py), or whether a fact is a finding (validation/).
"""

from typing import Final
from xml.parsers import expat

from assets.intake.reading import Fact, RefusedError

MAX_ROWS: Final = 2000
MAX_COLUMNS: Final = 100
"""A return's largest sheet has about fifty rows and ten columns."""

_TRUE: Final = {"1", "true"}
_SAVE: Final = "Open the file in Excel, save it as a new workbook (.xlsx), and send that."


def scan_sheet(sheet: str, xml: bytes) -> tuple[Fact, ...]:
    """Return the facts of one worksheet part, which the preflight has found to be well-formed.

    Raises:
        RefusedError: a filled cell lies out of bounds, stands twice, or is out of order.
    """
    scanner = _Scanner(sheet)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = scanner.start
    parser.EndElementHandler = scanner.end
    parser.CharacterDataHandler = scanner.text
    try:
        parser.Parse(xml, True)
    except (ValueError, KeyError, expat.ExpatError) as error:
        raise RefusedError(f"sheet {sheet!r} is damaged ({error})", _SAVE) from error
    return tuple(sorted(set(scanner.facts)))


def place(reference: str) -> tuple[int, int]:
    """Return the 1-based row and column of an address such as C7.

    Raises:
        ValueError: the text is not an address.
    """
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise ValueError(f"not a cell address: {reference!r}")
        column = column * 26 + ord(letter) - ord("A") + 1
    if not column:
        raise ValueError(f"not a cell address: {reference!r}")
    return int(reference[len(letters) :]), column


class _Scanner:
    def __init__(self, sheet: str) -> None:
        self.facts: list[Fact] = []
        self._sheet = sheet
        self._last = (0, 0)
        self._row = 0
        self._cell = ""
        self._filled = self._formula = self._value = self._in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(" ")[2]:
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                if attributes.get("hidden") in _TRUE:
                    self.facts.append(Fact("hidden_row", str(self._row)))
            case "c":
                self._cell = attributes.get("r", "")
                self._filled = self._formula = self._value = False
            case "f":
                self._filled = self._formula = True
            case "v" | "t":
                self._in_value = True
            case "col" if attributes.get("hidden") in _TRUE:
                span = f"{int(attributes['min'])}:{int(attributes['max'])}"
                self.facts.append(Fact("hidden_columns", span))
            case "mergeCell":
                for end in attributes["ref"].split(":"):
                    place(end)
                self.facts.append(Fact("merged", attributes["ref"]))

    def text(self, _: str) -> None:
        # An empty <v/> is how some programs write a formula that they cannot calculate.
        if self._in_value:
            self._filled = self._value = True

    def end(self, name: str) -> None:
        self._in_value = False
        if name.rpartition(" ")[2] == "c" and self._filled:
            self._check_place()
            if self._formula:
                fact = "formula" if self._value else "uncalculated"
                self.facts.append(Fact(fact, self._cell))

    def _check_place(self) -> None:
        # Readers silently skip cells that do not ascend, so two readers would disagree on them.
        # No spreadsheet program writes such a file.
        try:
            here = place(self._cell)
        except ValueError:
            here = (0, 0)
        if here <= self._last or here[0] != self._row:
            raise RefusedError(
                f"sheet {self._sheet!r} stores cell {self._cell or '(no address)'} twice or out of"
                " order",
                _SAVE,
            )
        if here[0] > MAX_ROWS or here[1] > MAX_COLUMNS:
            raise RefusedError(
                f"sheet {self._sheet!r} has something in cell {self._cell}; a return ends before"
                f" row {MAX_ROWS:,} and column {MAX_COLUMNS}",
                f"Clear cell {self._cell} (Ctrl+End leads there), save, and send the file again.",
            )
        self._last = here
