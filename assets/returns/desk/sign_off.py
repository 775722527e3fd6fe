"""Sign-off: which level a return has reached, and who took it there, by role.

A force prepares its return, a second person there signs it, somebody at the desk accepts it, and a
release holds it. Levels are shown, and what is due is listed; which return counts follows from its
findings and the versions chosen, never from a level.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from assets.lake import Lake
from assets.marts import read_mart
from assets.returns.desk.decisions import DeskError, Ledger, Record, same_person
from schemas.errors import LakeError
from schemas.names import names_somebody

PREPARED: Final = "prepared"
SIGNED: Final = "signed"
ACCEPTED: Final = "accepted"
RELEASED: Final = "released"
LEVELS: Final = {
    PREPARED: "the force has prepared it; a second person there must sign it",
    SIGNED: "the force has signed it; somebody at the desk must accept it",
    ACCEPTED: "the desk has accepted it; the next release will hold it",
    RELEASED: "the desk has accepted it, and the release that is shown holds it",
}
"""The levels in their order, and what each means."""

_RECORDED: Final = (PREPARED, SIGNED, ACCEPTED)


class SignedOff(NamedTuple):
    """A level that somebody took a return to: by which role, and when (ISO 8601 in UTC)."""

    by: str
    at: str


class SignOff(NamedTuple):
    """How far a return has come: its level, and who recorded which level, in order.

    Whatever counts came with a cover that names who prepared and who signed it, by role (rule
    S009): where the ledger says nothing of the force's levels, the cover has said it, and the
    level is `signed`. A return that the ledger only knows as prepared is not signed, whatever its
    cover says.
    """

    level: str
    recorded: Mapping[str, SignedOff]

    @property
    def due(self) -> str | None:
        """The level that somebody has to take it to next; None where only a release is due."""
        return {PREPARED: SIGNED, SIGNED: ACCEPTED}.get(self.level)

    def may(self, level: str, by: str) -> bool:
        """Whether a level is due, and somebody may take it there who did none of those before."""
        took = any(same_person(one.by, by) for one in self.recorded.values())
        return self.due == level and not took


def sign(ledger: Ledger, receipt_id: str, force_code: str, level: str, by: str) -> Record | None:
    """Record that a role takes a received return to a level: prepared, signed or accepted.

    The receipt need not have been taken in yet: its id is the start of the file's SHA-256
    (`assets.intake.store.ID_LENGTH` characters). Doing the same twice records it once.

    Args:
        ledger: the collection's ledger.
        receipt_id: the return, as it was received.
        force_code: whose it is.
        level: `prepared` or `signed` by the force, `accepted` by the desk.
        by: the role of who does so, never a name.

    Returns:
        The record; None where this role had recorded it before.

    Raises:
        DeskError: no such level can be recorded, the one before it is missing, it was recorded by
            another, or nobody, a name, or the role that recorded an earlier level is given.
    """
    if level not in _RECORDED:
        raise DeskError(f"nobody signs {level!r}. The levels are {', '.join(_RECORDED)}.")
    if what := names_somebody(by):
        raise DeskError(
            f"who signs is named by role, and the text has what looks like {what}. Say the role"
            " alone, such as head of professional standards."
        )
    known = sign_off(ledger, receipt_id).recorded
    if level in known:
        if same_person(known[level].by, by):
            return None
        raise DeskError(
            f"receipt {receipt_id} is {level} already, by {known[level].by} at {known[level].at}."
        )
    before = [name for name in _RECORDED[: _RECORDED.index(level)] if name in known]
    later = [name for name in known if name not in before]
    if later:
        raise DeskError(f"receipt {receipt_id} is {later[0]} already, which comes after {level}.")
    if level == ACCEPTED and before == [PREPARED]:
        raise DeskError(
            f"receipt {receipt_id} is prepared and not signed. Let a second person of {force_code}"
            " sign it first."
        )
    for name in before:
        if same_person(known[name].by, by):
            raise DeskError(
                f"receipt {receipt_id} is {name} by {known[name].by}, who cannot make it {level}"
                " too. Let a second person do so."
            )
    content = {"receipt_id": receipt_id, "force_code": force_code, "level": level}
    return ledger.add("sign_off", by, content)


def sign_offs(
    ledger: Ledger, receipts: Collection[str], released: Collection[str] = ()
) -> dict[str, SignOff]:
    """Return how far each of some receipts has come, by its id.

    Those that are asked about have acceptable returns, whose covers are signed; the released ones
    count in the release that is shown.
    """
    recorded: dict[str, dict[str, SignedOff]] = {}
    for record in ledger.records("sign_off"):
        levels = recorded.setdefault(record.content["receipt_id"], {})
        levels.setdefault(record.content["level"], SignedOff(record.by, record.at))
    found = {}
    for receipt_id in receipts:
        known = recorded.get(receipt_id, {})
        level = max(known, key=_RECORDED.index, default=SIGNED)
        if level == ACCEPTED and receipt_id in released:
            level = RELEASED
        found[receipt_id] = SignOff(level, known)
    return found


def released_receipts(lake: Lake) -> frozenset[str]:
    """Return the receipts that count in the release that is shown; of a damaged one, none."""
    with suppress(LakeError):
        if lake.marts.exists():
            status = read_mart(lake.marts, "returns_status")
            live = status.filter(status["state"].is_in(["accepted", "queried"]))
            return frozenset(live["receipt_id"])
    return frozenset()


def sign_off(ledger: Ledger, receipt_id: str) -> SignOff:
    """Return how far one return has come, without regard to releases."""
    return sign_offs(ledger, [receipt_id])[receipt_id]
