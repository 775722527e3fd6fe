"""The pages of a force: what is due, checking, sending, receipts. Nothing of any other force."""

from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from assets.intake.store import utc_now
from assets.returns.desk.chasing import due
from assets.returns.desk.decisions import DeskError, Ledger
from assets.returns.desk.sign_off import LEVELS, PREPARED, SIGNED, SignOff, sign, sign_off
from assets.returns.template.workbook import Suffix, Totals, earlier_values, write_blanks
from pipelines.portal.answers import of_force
from pipelines.portal.judges import TooMuchError
from pipelines.portal.sending import Receipt, Sent, waiting
from pipelines.portal.uploads import Upload, received
from pipelines.portal.web import XLSX, RefusedRequestError, Visit, attachment, page

_ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
_ROLES: Final = ("preparer", "signer")
_OTHER: Final = "other"


def home(visit: Visit) -> Response:
    """Show what is due, where the return stands, and what is left to do."""
    portal, force_code = visit.portal, visit.force_code
    status = portal.stands.now().status(portal.collection).filter(force_code=force_code)
    receipts, not_yet = Sent(portal, force_code).receipts(), waiting(portal, force_code)
    # One that is no more than an earlier version is not to be signed any more.
    counting = {status["sha256"].item(), *(each.sha256 for each in not_yet)}
    sound = (each for each in receipts if each.verdict["state"] != "rejected")
    ready = next((each for each in sound if each.sha256 in counting), None)
    signed = _signed(visit, ready) if ready else None
    asked = of_force(portal, force_code)
    to_answer = [each for each in asked if each["state"] in {"open", "lapsed"}]
    return visit.page(
        "force_home",
        status=status.row(0, named=True),
        due=due(portal.collection, portal.collection.day_of(utc_now())),
        receipts=receipts,
        waiting=not_yet,
        to_sign=ready if signed and signed.due == SIGNED else None,
        may_sign=visit.me.role == "signer" and signed and signed.may(SIGNED, visit.me.name),
        to_answer=_queries(to_answer),
        again=sum(any(q["asked_again"] for q in each["queries"]) for each in to_answer),
        answered=_queries(each for each in asked if each["state"] == "answered"),
    )


def _queries(asked: Iterable[dict[str, Any]]) -> int:
    return sum(len(each["queries"]) for each in asked)


def _signed(visit: Visit, receipt: Receipt) -> SignOff:
    return sign_off(Ledger(visit.portal.lake), receipt.receipt_id)


_BLANKS: Final[dict[str, tuple[Totals, Suffix]]] = {
    "workbook.xlsx": ("typed", "xlsx"),
    "workbook-with-sums.xlsx": ("summed", "xlsx"),
    "workbook.ods": ("typed", "ods"),
}
"""The workbooks to fill: whether the force types totals, and for which program."""


@page("/blank/{name}", *_ROLES)
def template(visit: Visit) -> Response:
    """Return a workbook to fill, with what the force told before beside the entries."""
    collection, force_code, name = visit.portal.collection, visit.force_code, visit.param("name")
    if name not in _BLANKS:
        raise RefusedRequestError(404)
    earlier = earlier_values(visit.portal.lake, collection)
    with TemporaryDirectory() as folder:
        (path,) = write_blanks(Path(folder), collection, [force_code], earlier, *_BLANKS[name])
        content = path.read_bytes()
    visit.log("template")
    kind = XLSX if path.suffix == ".xlsx" else _ODS
    return attachment(content, f"{force_code}-{collection.id}{path.suffix}", kind)


@page("/check", *_ROLES, post=True, upload=True)
async def check(visit: Visit) -> Response:
    """Say everything that is wrong in a file, and keep nothing of it."""
    async with received(visit) as upload:
        verdict = await _verdict(visit, upload)
        visit.log("check", sha256=upload.sha256, state=verdict["state"])
        marked = ""
        if verdict["marked"]:
            copy = (upload.path.parent / verdict["marked"]).read_bytes()
            marked = f"data:{XLSX};base64,{b64encode(copy).decode()}"
        return visit.page("checked", verdict=verdict, marked=marked)


@page("/send", *_ROLES, post=True, upload=True)
async def send(visit: Visit) -> Response:
    """Put a file of the force into landing, and lead to its receipt."""
    async with received(visit) as upload:
        verdict = await _verdict(visit, upload)
        if verdict["whose"] != "own":
            visit.log("send-refused", sha256=upload.sha256)
            return visit.page("checked", 422, verdict=verdict, marked="", sent=True)
        where = await run_in_threadpool(_sent, visit, upload, verdict)
    return RedirectResponse(where, 303)


def _sent(visit: Visit, upload: Upload, verdict: dict[str, Any]) -> str:
    receipt, is_new = Sent(visit.portal, visit.force_code).send(upload, verdict, visit.me.name)
    now = visit.portal.stands.now().receipts.filter(sha256=upload.sha256)
    came_otherwise = any(name != receipt.file for name in now["file_name"])
    if verdict["state"] != "rejected" and not came_otherwise:
        # Sent again after a kill, it may lack this; by another account, it is prepared already.
        with suppress(DeskError):
            ledger = Ledger(visit.portal.lake)
            sign(ledger, upload.receipt_id, visit.force_code, PREPARED, visit.me.name)
    visit.log("send", sha256=upload.sha256, receipt=receipt.name, new=is_new)
    return f"/receipts/{receipt.number}{'' if is_new else '?again=1'}"


async def _verdict(visit: Visit, upload: Upload) -> dict[str, Any]:
    """Return the verdict on a file, unless it is not of this force: whose it is is not told.

    Raises:
        RefusedRequestError: it is not, or takes more than any return does.
        ServiceError: nothing can be judged just now.
    """
    try:
        verdict = await visit.portal.judges.verdict(upload.path, visit.force_code)
    except TooMuchError as error:
        visit.log("judging-ended", sha256=upload.sha256)
        raise RefusedRequestError(
            422, "This file takes more to read than any return does. Nothing was kept."
        ) from error
    if verdict["whose"] == _OTHER:
        visit.log("other-cover", sha256=upload.sha256)
        raise RefusedRequestError(
            422,
            f"The cover does not say that this is from {visit.force_name}. Nothing was kept. Its"
            f" force_code must be {visit.force_code}.",
        )
    return verdict


@page("/receipts/{number}", *_ROLES)
def receipt(visit: Visit) -> Response:
    """Show a receipt, to be printed or kept, with what was found in the file."""
    found = Sent(visit.portal, visit.force_code).receipt(visit.told("number"))
    if found is None:
        raise RefusedRequestError(404)
    shared = {"signed": _signed(visit, found), "levels": LEVELS, "again": visit.told("again")}
    mine = visit.portal.stands.now().judged.filter(force_code=visit.force_code)
    version = mine.filter(sha256=found.sha256)["version"].first()
    counts = mine.filter("live")["version"].first()
    shared["landed"] = (visit.portal.lake.landing / found.file).exists()
    return visit.page("receipt", receipt=found, version=version, counts=counts, **shared)


@page("/receipts/{number}/marked.xlsx", *_ROLES)
def marked(visit: Visit) -> Response:
    """Return the marked copy of what was sent."""
    number = visit.told("number")
    path = Sent(visit.portal, visit.force_code).marked(number)
    if path is None:
        raise RefusedRequestError(404)
    visit.log("marked-copy", receipt=number)
    return attachment(path.read_bytes(), f"{visit.force_code}-{number:04d}-marked.xlsx")
