"""Formulas in the notation of Excel: moved with their cell, and translated from OpenFormula."""

import re
from typing import Final

from assets.intake.reading import column_number
from schemas.template import column_letter

_REFERENCE: Final = re.compile(
    r"""(?x) ("[^"]*" | '[^']*' | \[[^\]]*\])  # texts and names of sheets stay
    | (?<![\w.$]) (\$?) ([A-Za-z]{1,3}) (\$?) ([0-9]{1,7}) (?![\w.(!])"""
)


def moved(formula: str, rows: int, columns: int) -> str:
    """Return a formula as it reads that many rows below and columns right of its own cell."""

    def shift(match: re.Match[str]) -> str:
        kept, column_fixed, letters, row_fixed, row = match.groups()
        if kept:
            return kept
        there = column_number(letters.upper()) + (0 if column_fixed else columns)
        number = int(row) + (0 if row_fixed else rows)
        if there < 1 or number < 1:
            return "#REF!"
        return f"{column_fixed}{column_letter(there)}{row_fixed}{number}"

    return _REFERENCE.sub(shift, formula)


_BRACKETS: Final = re.compile(r"\[((?:'(?:[^']|'')*'|[^\]'])*)\]")
_QUOTED: Final = re.compile(r'("(?:[^"]|"")*")')
_PLACE: Final = re.compile(r"(?:(\$?)((?:'(?:[^']|'')*'|[^.':])*))?\.([$A-Z0-9#!]+)")


def translated(formula: str) -> str:
    """Return an OpenFormula without its `of:=` in Excel's notation.

    `SUM([.B2:.C2];[$Sheet2.B3])` is `SUM(B2:C2,Sheet2!B3)`; what stands in quotes stays.
    """
    parts = _QUOTED.split(formula)
    parts[::2] = [_outside_quotes(part) for part in parts[::2]]
    return "".join(parts)


def _outside_quotes(part: str) -> str:
    # What stands between two references has the even places, what they say the odd ones.
    pieces = _BRACKETS.split(part)
    pieces[::2] = [
        text.replace(";", ",").replace("~", ",").replace("!", " ") for text in pieces[::2]
    ]
    pieces[1::2] = [_excel_place(reference) for reference in pieces[1::2]]
    return "".join(pieces)


def _excel_place(reference: str) -> str:
    places = _PLACE.findall(reference)
    if not places or len(places) > 2:
        return "#REF!"
    (_, sheet, first), *more = places
    prefix = f"{sheet}!" if sheet else ""
    if not more:
        return f"{prefix}{first}"
    _, other, last = more[0]
    # Over several sheets it is beyond what can be verified.
    return "#REF!" if other not in {"", sheet} else f"{prefix}{first}:{last}"
