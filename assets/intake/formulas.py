"""Verifies formulas: recomputes what is plain arithmetic over cells of the same workbook.

They are read in both notations, Excel's and OpenFormula: `SUM(B2:C2,s!B3)` is also
`SUM([.B2:.C2];[$s.B3])`.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from itertools import product
from math import floor
from typing import Final

from assets.intake.quoting import told
from assets.intake.reading import UNCALCULATED, Cell, RawSheet, column_number

_DEEPEST: Final = 40
"""Formulas that rest on each other, and parentheses inside each other."""
_MOST_STEPS: Final = 300_000
"""Symbols and cells looked at in one workbook; a return has some hundreds of formulas."""
_MOST_BITS: Final = 1000
"""Of numerator and denominator together, so that every number has a float."""


class _BeyondError(Exception):
    """The formula is not plain arithmetic, or has no result; the text says so."""

    def __init__(self, why: str = "the expected result cannot be recomputed") -> None:
        super().__init__(why)


_Other = tuple[str, str]
"""Kind and text of a value that counts for nothing but itself: a date, or true or false."""

_Value = Fraction | str | _Other | None
"""What a cell gives to a formula; None where it is blank."""


def verified(sheets: tuple[RawSheet, ...]) -> tuple[RawSheet, ...]:
    """Return the sheets without formulas: a cell whose stored result cannot be believed says so.

    Results of other formulas are recomputed too and never trusted. A cell whose formula gives an
    empty text is blank, and so is not there.
    """
    if not any(cell.formula is not None for sheet in sheets for cell in sheet.cells):
        return sheets
    book, found = _Book(sheets), []
    for sheet in sheets:
        cells = (c if c.formula is None else book.verified(sheet.name, c) for c in sheet.cells)
        found.append(replace(sheet, cells=tuple(c for c in cells if c.text or c.doubt)))
    return tuple(found)


_Place = tuple[str, int, int]


class _Book:
    """The cells of a workbook, and what its formulas give."""

    def __init__(self, sheets: Iterable[RawSheet]) -> None:
        self._cells = {
            sheet.name.casefold(): {(cell.row, cell.column): cell for cell in sheet.cells}
            for sheet in sheets
        }
        self._results: dict[_Place, _Value | _BeyondError] = {}
        self._depth = 0
        self._steps = 0

    def verified(self, sheet: str, cell: Cell) -> Cell:
        """Return a cell with a formula without it, and with what is doubtful about its result."""
        plain = cell._replace(formula=None)
        if cell.doubt or not cell.text:
            return plain
        try:
            result = self.value(sheet.casefold(), cell.row, cell.column)
        except _BeyondError as error:
            expected = gives = str(error)
        else:
            if cell.kind == "formula" and result == "":
                return plain._replace(text="", kind="text")
            if cell.kind != "formula" and _agrees(cell, result):
                return plain
            expected, gives = f"expected {_shown(result)}", f"it would give {_shown(result)}"
        if cell.kind == "formula":
            return plain._replace(doubt=f"{UNCALCULATED}; {gives}")
        stored = told(cell.text)
        return plain._replace(doubt=f"a formula with the stored result {stored}; {expected}")

    def value(self, sheet: str, row: int, column: int) -> _Value:
        """Return what a cell gives to a formula."""
        self.step()
        if sheet not in self._cells:
            raise _BeyondError
        cell = self._cells[sheet].get((row, column))
        if cell is None:
            return None
        if cell.formula is None:
            return _plain_value(cell)
        place = sheet, row, column
        if place not in self._results:
            # Until it is known, whatever rests on it goes in a circle.
            self._results[place] = _BeyondError()
            try:
                with self.deeper():
                    self._results[place] = _Formula(self, sheet, cell.formula).result()
            except _BeyondError as error:
                self._results[place] = error
            except (ArithmeticError, TypeError):
                pass  # divided by zero; too few or many arguments
        result = self._results[place]
        if isinstance(result, _BeyondError):
            raise _BeyondError(str(result))
        return result

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Hold one more formula, or pair of parentheses, open."""
        if self._depth >= _DEEPEST:
            raise _BeyondError
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def filled(self, sheet: str, top: int, bottom: int, left: int, right: int) -> list[_Value]:
        """Return the values of the filled cells of a range."""
        cells = self._cells.get(sheet)
        if cells is None:
            raise _BeyondError
        area = (bottom - top + 1) * (right - left + 1)
        self.step(min(area, len(cells)))
        rows, columns = range(top, bottom + 1), range(left, right + 1)
        places = product(rows, columns) if area <= len(cells) else cells
        inside = (p for p in places if p in cells and p[0] in rows and p[1] in columns)
        return [self.value(sheet, *place) for place in inside]

    def step(self, count: int = 1) -> None:
        """Count work; BeyondError where a workbook asks for too much of it."""
        self._steps += count
        if self._steps > _MOST_STEPS:
            raise _BeyondError


def _plain_value(cell: Cell) -> _Value:
    if cell.doubt or cell.kind in {"error", "formula", "rich"}:
        raise _BeyondError
    if cell.kind in {"number", "percent"}:
        try:
            return Fraction(cell.text)
        except ValueError as error:  # infinity
            raise _BeyondError from error
    return cell.text if cell.kind == "text" else (cell.kind, cell.text)


def _agrees(cell: Cell, result: _Value) -> bool:
    if isinstance(result, tuple):
        return result == (cell.kind, cell.text)
    if cell.kind not in {"number", "percent", "text"}:
        return False
    try:  # some programs store a number as a text
        stored, expected = _operand(_plain_value(cell)), _operand(result)
    except _BeyondError:
        return result == cell.text
    # The same in the 15 digits that a spreadsheet has.
    return stored == expected or f"{float(stored):.15g}" == f"{float(expected):.15g}"


def _shown(result: _Value) -> str:
    if isinstance(result, Fraction):
        return str(result) if result.denominator == 1 else f"{float(result):.15g}"
    text = result[1] if isinstance(result, tuple) else result
    return told(text) if text else "an empty text"


_SYMBOL: Final = re.compile(
    r"""(?x) [ \r\n]* (?:
    (?P<number>
      (?: [0-9]{1,30} (?:\.[0-9]{0,30})? | \.[0-9]{1,30} ) (?:[Ee][+-]?[0-9]{1,3})? (?![\w.:!]) )
    | (?P<text> "(?:[^"]|"")*" )
    | (?P<function> [A-Za-z]+ ) \(
    | (?P<open> \[ \$? )? (?(open)|(?!!))
      (?: (?: '(?P<quoted> (?:[^'\[\]]|'')+ )' | (?P<sheet> [^\W\d][\w.]* ) )? (?(open)\.|!)
        | (?(open)(?!)) )
      \$? (?P<column>[A-Za-z]{1,3}) \$? (?P<row>[1-9][0-9]{0,6})
      (?: : (?(open) (?: \$? (?:'(?P=quoted)'|(?P=sheet)) )? \. )
          \$? (?P<right>[A-Za-z]{1,3}) \$? (?P<bottom>[1-9][0-9]{0,6}) )?
      (?(open)\]|(?![\w.:!(\[]))
    | (?P<sign> [-+*/%(),;~] )
    ) [ \r\n]*"""
)


_TEMPLATES: Final = re.compile(r'IF\(COUNT\(([\w:.,;\[\]]+)\)=0([,;])""\2SUM\(\1\)\)')
"""The formula that the template makes a total by, where somebody has asked for it."""


class _Formula:
    """One formula, computed as it is read: sums of products of factors."""

    def __init__(self, book: _Book, sheet: str, formula: str) -> None:
        self._book, self._sheet, self._formula = book, sheet, formula
        self._at = 0
        self._refers = self._has_number = False
        self._advance()

    def result(self) -> _Value:
        """Return what the formula gives."""
        if ours := _TEMPLATES.fullmatch(self._formula):
            return self._of_template(ours[1])
        value = self._sum()
        if self._next is not None:
            raise _BeyondError
        if not value and self._refers and not self._has_number:
            # A spreadsheet makes 0 of a blank, but what is missing is never zero.
            raise _BeyondError("no result is expected: it rests on cells without a number alone")
        return value

    def _of_template(self, parts: str) -> _Value:
        """Return what a total of the template gives: an empty text while no part is a number."""
        self._formula, self._at = f"SUM({parts})", 0
        self._advance()
        value = self._sum()
        return value if self._has_number else ""

    def _advance(self) -> None:
        self._book.step()
        is_over = self._at == len(self._formula)
        self._next = None if is_over else _SYMBOL.match(self._formula, self._at)
        if self._next:
            self._at = self._next.end()
        elif not is_over:
            raise _BeyondError

    def _takes(self, signs: str) -> str | None:
        sign = self._next["sign"] if self._next else None
        if sign is None or sign not in signs:
            return None
        self._advance()
        return sign

    def _sum(self, joins: str = "+-*/") -> _Value:
        """Return a factor, and what is joined to it by any of these signs."""
        signs = ""
        while sign := self._takes("+-"):
            signs += sign
        value = self._single()
        while self._takes("%"):
            value = _operand(value) / 100
        if "-" in signs:
            value = _operand(value) * (-1) ** signs.count("-")
        while joins and (sign := self._takes(joins)):
            closer = "*/" if sign in "+-" else ""
            value = _bounded(_OPERATIONS[sign](_operand(value), _operand(self._sum(closer))))
        return value

    def _single(self) -> _Value:
        symbol = self._next
        if symbol is None:
            raise _BeyondError
        if self._takes("("):
            with self._book.deeper():
                value = self._sum()
            self._close()
            return value
        self._advance()
        if symbol["number"]:
            return _bounded(Fraction(symbol["number"]))
        if symbol["text"]:
            return symbol["text"][1:-1].replace('""', '"')
        if symbol["function"]:
            return self._function(symbol["function"].upper())
        if symbol["column"] and not symbol["right"]:
            place = int(symbol["row"]), column_number(symbol["column"])
            value = self._book.value(self._of(symbol), *place)
            self._refers = True
            self._has_number |= value is not None
            return value
        raise _BeyondError

    def _of(self, symbol: re.Match[str]) -> str:
        name = (symbol["quoted"] or "").replace("''", "'") or symbol["sheet"]
        return name.casefold() if name else self._sheet

    def _function(self, name: str) -> Fraction:
        if name in _OF_MANY:
            return _bounded(_OF_MANY[name](self._arguments(self._numbers)))
        if name in _OF_ONE:
            return _OF_ONE[name](*self._arguments(lambda: [_operand(self._sum())]))
        raise _BeyondError

    def _arguments(self, read: Callable[[], list[Fraction]]) -> list[Fraction]:
        with self._book.deeper():
            found = read()
            while self._takes(",;~"):
                found += read()
        self._close()
        return found

    def _numbers(self) -> list[Fraction]:
        """Return the numbers of an argument; those of references leave out texts and blanks."""
        symbol = self._next
        if (
            symbol is None
            or not symbol["column"]
            or symbol.string[symbol.end() :][:1] not in ",;~)"
        ):
            return [_operand(self._sum())]
        self._advance()
        ends = symbol["column"], symbol["right"] or symbol["column"]
        rows = sorted((int(symbol["row"]), int(symbol["bottom"] or symbol["row"])))
        columns = sorted(map(column_number, ends))
        values = self._book.filled(self._of(symbol), *rows, *columns)
        if any(isinstance(value, tuple) and value[0] == "date" for value in values):
            raise _BeyondError
        numbers = [value for value in values if isinstance(value, Fraction)]
        self._refers = True
        self._has_number |= bool(numbers)
        return numbers

    def _close(self) -> None:
        if not self._takes(")"):
            raise _BeyondError


_PLAIN_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")


def _operand(value: _Value) -> Fraction:
    """Return a value as arithmetic takes it: a blank is 0, a text that is a number is one."""
    if isinstance(value, Fraction):
        return value
    if value is None:
        return Fraction(0)
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value.strip()):
        return Fraction(value.strip())
    raise _BeyondError


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > _MOST_BITS:
        raise _BeyondError
    return value


def _rounded(value: Fraction, digits: Fraction) -> Fraction:
    """Round as a spreadsheet does, halves away from zero."""
    if digits.denominator != 1 or abs(digits) > 15:
        raise _BeyondError
    scale = Fraction(10) ** int(digits)
    nearest = Fraction(floor(abs(value) * scale + Fraction(1, 2))) / scale
    return nearest if value >= 0 else -nearest


_OPERATIONS: Final[dict[str, Callable[[Fraction, Fraction], Fraction]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_OF_MANY: Final[dict[str, Callable[[list[Fraction]], Fraction]]] = {
    "SUM": lambda numbers: sum(numbers, Fraction(0)),
    "PRODUCT": lambda numbers: reduce(
        lambda a, b: _bounded(a * b), numbers, Fraction(bool(numbers))
    ),
    "MIN": lambda numbers: min(numbers, default=Fraction(0)),
    "MAX": lambda numbers: max(numbers, default=Fraction(0)),
}
_OF_ONE: Final[dict[str, Callable[..., Fraction]]] = {
    "ABS": abs,
    "INT": lambda value: Fraction(floor(value)),
    "ROUND": _rounded,
}
