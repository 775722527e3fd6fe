"""The conditional formats of a worksheet, under which a cell may show something else than it holds.

Whether a condition is met is left open, but of one that names the number itself.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from assets.intake.grid import Content, found
from assets.intake.looks import FALSE, CellFormat, NumberFormat, index
from assets.intake.reading import place


class Condition(NamedTuple):
    """An area, the look that its cells may have, and the one number that has it, None for any."""

    first: tuple[int, int]
    last: tuple[int, int]
    only: str | None
    change: CellFormat

    def hides(self, here: tuple[int, int], content: Content, look: CellFormat) -> bool:
        """Whether something else may be read than what a cell at a place holds."""
        (top, left), (bottom, right), (row, column) = self.first, self.last, here
        is_in = top <= row <= bottom and left <= column <= right
        if not is_in or self.only not in {None, content.text}:
            return False
        return look.under(self.change).hides_what(content.kind, content.text)


def conditions(root: Element, looks: Sequence[CellFormat | None]) -> Iterator[Condition]:
    """Yield what can hide something in a worksheet, given the workbook's conditional formats.

    Raises:
        ValueError: the area of one is none.
    """
    for element in found(root, "worksheet", "conditionalFormatting"):
        for rule in found(element, element.tag, "cfRule"):
            number = index(rule.get("dxfId", ""))
            change = looks[number] if -1 < number < len(looks) else None
            if any(each.get("showValue") in FALSE for each in rule):  # an icon or a bar alone
                change = CellFormat(NumberFormat(hides=True, hides_zero=True), paper="")
            if change:
                told = "".join(rule.itertext()).strip()
                is_only = rule.get("operator") == "equal" and told.isdecimal()
                only = told if is_only else None
                areas = element.get("sqref", "").split()
                for first, _, last in (area.partition(":") for area in areas):
                    yield Condition(place(first), place(last or first), only, change)
