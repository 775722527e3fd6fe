"""Rules on the cover: template (S003), force (S007), collection (S008), dates (S009), text (V008).

What V008 found is said without the text it was found in.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from assets.intake.attribution import force_named
from assets.intake.quoting import is_free_text, names_somebody
from assets.validation.entry_values import TypedEntry
from schemas.collection import Collection
from schemas.finding import Finding, finding

_PUT_OFF: Final = {"pending", "tbc", "tba", "to follow", "to be confirmed", "no", "none", "n/a"}


def cover_findings(
    cover: Mapping[str, TypedEntry], collection: Collection, received_on: date
) -> Iterator[Finding]:
    """Yield the findings about the cover, given its typed entries by row code.

    An entry that is blank or missing has a finding already, and is passed over here.
    """
    yield from _template(cover, collection)
    yield from _force(cover, collection)
    yield from _collection(cover, collection)
    yield from _submission(cover, collection, received_on)
    yield from _free_text(cover)


def _template(cover: Mapping[str, TypedEntry], collection: Collection) -> Iterator[Finding]:
    expected = {
        "template": collection.template.name,
        "template_version": str(collection.template.version),
    }
    for code, value in expected.items():
        entry = cover.get(code)
        if entry and entry.value != value:
            message = f"the cover says {code} {entry.slot.quoted}; this collection uses {value!r}"
            yield finding("S003", message, entry.slot.place)


def _force(cover: Mapping[str, TypedEntry], collection: Collection) -> Iterator[Finding]:
    code, name = cover.get("force_code"), cover.get("force_name")
    if code and code.value not in collection.forces:
        message = f"{code.slot.quoted} is not the code of a force that this collection expects"
        if ended := collection.ended(code.value or ""):
            day, successor = ended
            by = f"; {successor} sends its return" if successor else ""
            message = f"the force {code.slot.quoted} ended on {day}, before the census{by}"
        yield finding("S007", message, code.slot.place)
    elif code and name:
        named = force_named(name.value or "")
        if named != code.value:
            belongs = f"belongs to {named}" if named else "is not the name of a known force"
            expected = f"the code {code.value} is {_full_name(code.value or '', collection)}"
            message = f"the name {name.slot.quoted} {belongs}, but {expected}"
            yield finding("S007", message, name.slot.place)


def _full_name(code: str, collection: Collection) -> str:
    return str(collection.bodies.filter(force_code=code)["full_name"].item())


def _collection(cover: Mapping[str, TypedEntry], collection: Collection) -> Iterator[Finding]:
    expected = {"collection": collection.id, "data_as_at": collection.census.isoformat()}
    for code, value in expected.items():
        entry = cover.get(code)
        if entry and entry.value != value:
            message = f"the cover says {code} {entry.slot.quoted}; it must be {value!r}"
            yield finding("S008", message, entry.slot.place)


def _submission(
    cover: Mapping[str, TypedEntry], collection: Collection, received_on: date
) -> Iterator[Finding]:
    submitted, signed = cover.get("submitted_on"), cover.get("signed_off_by_role")
    if submitted:
        day = date.fromisoformat(submitted.value or "")
        if not collection.census <= day <= received_on:
            message = (
                f"submitted on {day}, which is not between the census date {collection.census} and"
                f" the day of receipt {received_on}"
            )
            yield finding("S009", message, submitted.slot.place)
    if signed and (signed.value or "").casefold() in _PUT_OFF:
        said = (signed.value or "").casefold()
        message = f"signed_off_by_role says {said!r}: the return is not signed off"
        yield finding("S009", message, signed.slot.place)


def _free_text(cover: Mapping[str, TypedEntry]) -> Iterator[Finding]:
    for entry in cover.values():
        what = is_free_text(entry.slot.entry) and names_somebody(entry.value or "")
        if what:
            message = f"the text has what looks like {what}; nothing of it is shown anywhere"
            yield finding("V008", message, entry.slot.place)
