"""How to fill, check and send a return, in words, by its template and its collection."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from schemas.collection import Collection, command
from schemas.collection_fields import Period
from schemas.vocabulary import MISSING_REASONS
from schemas.wording import listed, long_date, plural

Totals = Literal["typed", "summed"]
"""How totals come into a workbook that somebody fills."""

_WORDS: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)


def guidance(collection: Collection, totals: Totals) -> Iterator[tuple[str, str]]:
    """Yield the rows of the guidance: what each is about, and what it says."""
    entries = [entry for entry in collection.template.entries() if not entry.locked]
    facts = {**dates_of(collection), "title": collection.title, "cells": len(entries),
             "check": command("check FILE", collection.id, kept=True)}  # fmt: skip
    told = _WORDS
    for row in told["before"]:
        yield row["head"], row["text"].format(**facts)
    for reason, meaning in MISSING_REASONS.items():
        if sheets := list(dict.fromkeys(e.sheet for e in entries if reason in e.missing)):
            text = told["missing"].format(meaning=meaning, sheets=listed(sheets))
            yield reason, text
    for sheet in collection.template.sheets:
        cells = plural(sum(entry.sheet == sheet.name for entry in entries), "cell")
        yield sheet.name, told["sheet"].format(title=sheet.title, cells=cells)
    if collection.template.sums():
        yield told["sums"]["head"], told["sums"][totals]
    for row in told["after"]:
        yield row["head"], row["text"].format(**facts)


def dates_of(collection: Collection) -> dict[str, str]:
    """Return the dates that instructions name, in words."""
    dates = {name: long_date(getattr(collection.deadlines, name)) for name in ("soft", "hard")}
    return {"period": spelt(collection.period), "census": long_date(collection.census), **dates}


def spelt(period: Period) -> str:
    """Return a period in words: 1 September 2011 to 31 May 2012."""
    return f"{long_date(period.start)} to {long_date(period.end)}"
