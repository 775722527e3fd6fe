"""Reads single cells: an entry as a typed value or the finding that says why not, and the cover.

A text that cannot be typed is a finding, never a null. What V008 found is said without its text.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from assets.intake.quoting import is_free_text, quoted
from assets.intake.reader import force_named
from assets.intake.reading import DISGUISED, UNCALCULATED
from assets.returns.validation.layout import Slot
from schemas.collection import Collection, command, no_more
from schemas.finding import Finding, finding
from schemas.names import names_somebody
from schemas.reference import OURS, collection_files, outside
from schemas.template import Entry
from schemas.template_file import template_files
from schemas.vocabulary import MISSING_REASONS, NOT_HELD
from schemas.wording import listed, plural

LARGEST: Final = 10**9
"""No count comes near it, and sums of such numbers stay exact in every type they pass through."""

_TEXTS: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)
_KINDS, _FIXES = _TEXTS["kinds"], _TEXTS["fixes"]
_WITHOUT_VALUE: Final = {"error": "an error", "formula": UNCALCULATED}
_WHOLE: Final = re.compile(r"[0-9]+|[1-9][0-9]{0,2}(,[0-9]{3})+")
_EXAMPLE: Final = "2012-05-31"
"""The day that the advice of rule V003 shows."""

_ISO_DATE: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
"""A day, with or without a time, which does not count."""


def type_entry(slot: Slot, day: date | None = None) -> Slot | Finding:
    """Return a slot as it is typed, or the one finding that says why it cannot be.

    `day` is one that advice may show as an example.
    """
    entry, cell = slot.entry, slot.cell
    text = cell.text.strip() if cell else ""
    if cell and cell.doubt and not (cell.kind == "rich" and entry.kind == "text"):
        # What a free text says stays out of messages.
        doubt = "what is not a plain text" if entry.kind == "text" else cell.doubt
        plain = "plain" if doubt.endswith(DISGUISED) else "alone"
        advice = _FIXES["save" if doubt.startswith(UNCALCULATED) else plain]
        fix = advice.format(_KINDS[entry.kind][0], slot.address)
        return finding("S006", f"the cell holds {doubt}", slot.place, fix=fix)
    if cell is None or not text:
        message = f"the cell is blank; {what_belongs(entry)} belongs here"
        fix = next(iter(_KINDS[entry.kind][2:]), _number(entry))
        return finding("S010", message, slot.place, fix=fix)
    if cell.kind in _WITHOUT_VALUE:
        return finding("S006", f"the cell holds {_WITHOUT_VALUE[cell.kind]}", slot.place)
    if text in MISSING_REASONS and text not in entry.answers:
        return _missing(slot, text)
    if entry.kind == "text":  # the sheet's own words and a force's text are taken as they stand
        return replace(slot, value=text)
    found = _TYPED[entry.kind](slot, cell.kind, text)
    if day and isinstance(found, Finding):
        found = replace(found, how_to_fix=found.how_to_fix.replace(_EXAMPLE, day.isoformat()))
    return found


def what_belongs(entry: Entry) -> str:
    """Return what belongs in the cell of an entry, in words."""
    return " or ".join([_KINDS[entry.kind][1].format(listed(entry.answers)), *entry.missing])


def _missing(slot: Slot, text: str) -> Slot | Finding:
    if text in slot.entry.missing:
        return replace(slot, value=text, missing=text)
    message = f"{text} is not accepted here; {what_belongs(slot.entry)} belongs here"
    return finding("V004", message, slot.place)


def _count(slot: Slot, kind: str, text: str) -> Slot | Finding:
    if kind in {"number", "text"} and _WHOLE.fullmatch(text):
        number = int(text.replace(",", ""))
        if number <= LARGEST:
            return replace(slot, value=str(number), number=number)
        return finding("V001", f"{slot.quoted} is larger than any count can be", slot.place)
    if kind not in {"number", "text"}:
        message = f"the cell holds a {kind} ({slot.place.value}) where a whole number belongs"
        fix = f"Format {slot.address} as a number and type the whole number."
        return finding("V001", message, slot.place, fix=fix)
    what, advice = _advice(slot.entry, text)
    message = f"{slot.quoted} is {what}; a whole number belongs here"
    return finding("V001", message, slot.place, fix=advice)


def _advice(entry: Entry, text: str) -> tuple[str, str | None]:
    """Return what a text is that stands in place of a number, and what to do."""
    are = (each for each in _TEXTS["in_place"] if re.fullmatch(each["like"], text, re.I))
    told = next(are)
    return told["what"], told.get("fix", _number(entry)) or None


def _number(entry: Entry) -> str:
    """Return what to type where nobody has a number."""
    return str(_FIXES["not_held" if NOT_HELD in entry.missing else "none"])


def _date(slot: Slot, kind: str, text: str) -> Slot | Finding:
    if kind in {"date", "text"} and (day := _ISO_DATE.fullmatch(text)):
        try:
            return replace(slot, value=date.fromisoformat(day[1]).isoformat())
        except ValueError:
            return finding("V003", f"{text} is no day of the calendar", slot.place)
    return finding("V003", f"{slot.quoted} is not a date", slot.place)


def _answer(slot: Slot, _: str, text: str) -> Slot | Finding:
    """Take a code for a code, however Excel stores it."""
    answers = slot.entry.answers
    if text in answers:
        return replace(slot, value=text)
    close = get_close_matches("_".join(text.casefold().split()), answers, n=1)
    meant = f" Was {close[0]} meant?" if close else ""
    message = f"{slot.quoted} is not in the list ({', '.join(answers)}).{meant}"
    return finding("V002", message, slot.place)


_TYPED: Final = {"count": _count, "date": _date, "answer": _answer}


_PUT_OFF: Final = {"pending", "tbc", "tba", "to follow", "to be confirmed", "no", "none", "n/a"}


def another_return(
    cover: Mapping[str, Slot], collection: Collection, others: int
) -> Finding | None:
    """Return the one finding of a return on another template or for another collection.

    All else that is found in it follows from that, or cannot be told before: `others` findings are
    left out for this one.
    """
    template = collection.template
    expected = {
        "template": template.name,
        "template_version": str(template.version),
        "collection": collection.id,
    }
    found = {code: cover[code] for code in expected if code in cover}
    wrong = [code for code, entry in found.items() if entry.value != expected[code]]
    if not wrong:
        return None
    # Names of ours may be said; any other text on a cover could be somebody's.
    templates = (path.stem.rpartition("-")[0] for path in template_files(outside() or OURS))
    ours = {*collection_files(), *templates}
    told = " and ".join(
        f"{code} {quoted(cover[code].value or '', ours)}, where this collection has"
        f" {expected[code]!r}"
        for code in wrong
    )
    message = f"this is another return: the cover says {told}"
    if others:
        message += f"; {plural(others, 'finding')} that may follow from it are left out"
    named = cover["collection"].value if "collection" in wrong else None
    fix = None
    if named and named in collection_files():
        fix = (
            f"It is for {named}: drop it in landing/{named}/, or check it with"
            f" {command('check FILE', named)}. If it is meant for {collection.id}, copy its figures"
            f" into the workbook of that collection."
        )
    rule = "S008" if wrong == ["collection"] else "S003"
    return finding(rule, message, cover[wrong[0]].place, fix=fix)


def cover_findings(
    cover: Mapping[str, Slot], collection: Collection, received_on: date
) -> Iterator[Finding]:
    """Yield the findings about the cover, given its typed entries by row code.

    An entry that is blank or missing has a finding already, and is passed over here.
    """
    yield from _force(cover.get("force_code"), cover.get("force_name"), collection)
    census = collection.census
    as_at, submitted, signed = (
        cover.get(code) for code in ("data_as_at", "submitted_on", "signed_off_by_role")
    )
    if as_at and as_at.value != census.isoformat():
        message = f"the cover says data_as_at {as_at.quoted}; it must be '{census}'"
        yield finding("S008", message, as_at.place)
    if (
        submitted
        and not census <= (day := date.fromisoformat(submitted.value or "")) <= received_on
    ):
        between = f"the census date {census} and the day of receipt {received_on}"
        message = f"submitted on {day}, which is not between {between}"
        yield finding("S009", message, submitted.place)
    if signed and (said := (signed.value or "").casefold()) in _PUT_OFF:
        message = f"signed_off_by_role says {said!r}: the return is not signed off"
        yield finding("S009", message, signed.place)
    for entry in cover.values():
        what = is_free_text(entry.entry) and names_somebody(entry.value or "")
        if what:
            message = f"the text has what looks like {what}; nothing of it is shown anywhere"
            yield finding("V008", message, entry.place)


def _force(code: Slot | None, name: Slot | None, collection: Collection) -> Iterator[Finding]:
    if code and code.value not in collection.forces:
        message = f"{code.quoted} is not the code of a force that this collection expects"
        message = no_more(code.value, collection) or message
        yield finding("S007", message, code.place)
    elif code and name and (named := force_named(name.value or "", collection)) != code.value:
        belongs = f"belongs to {named}" if named else "is not the name of a known force"
        expected = f"the code {code.value} is {collection.name_of(code.value or '')}"
        message = f"the name {name.quoted} {belongs}, but {expected}"
        yield finding("S007", message, name.place)
