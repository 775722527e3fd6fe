"""The pages of a force: what is due, checking, sending, receipts. Nothing of any other force."""

from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from assets.intake.store import utc_now
from assets.returns.desk.chasing import due
from assets.returns.desk.decisions import DeskError, Ledger
from assets.returns.desk.sign_off import LEVELS, PREPARED, sign, sign_off
from assets.returns.template.workbook import earlier_values, write_blanks
from pipelines.portal.judges import TooMuchError
from pipelines.portal.sending import Sent
from pipelines.portal.uploads import Upload, received
from pipelines.portal.web import RefusedRequestError, Visit, page
from schemas.errors import ServiceError

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ROLES: Final = ("preparer", "signer")
_OTHER: Final = "other"


def home(visit: Visit) -> Response:
    """Show what is due and where the return stands."""
    portal = visit.portal
    now = portal.stands.now()
    (status,) = now.status(portal.collection).filter(force_code=visit.force_code).to_dicts()
    taken_in = set(now.receipts.filter(force_code=visit.force_code)["sha256"])
    receipts = Sent(portal, visit.force_code).receipts()
    waiting = [each for each in receipts if each.sha256 not in taken_in]
    when = due(portal.collection, portal.collection.day_of(utc_now()))
    return visit.page("force_home", status=status, due=when, receipts=receipts, waiting=waiting)


@page("/template.xlsx", *_ROLES)
def template(visit: Visit) -> Response:
    """Return the workbook to fill, with what the force told before beside the entries."""
    collection, force_code = visit.portal.collection, visit.force_code
    earlier = earlier_values(visit.portal.lake, collection)
    with TemporaryDirectory() as folder:
        (path,) = write_blanks(Path(folder), collection, [force_code], earlier)
        content = path.read_bytes()
    visit.log("template")
    return attachment(content, f"{force_code}-{collection.id}.xlsx")


def attachment(content: bytes, name: str, kind: str = XLSX) -> Response:
    """Return a file to be kept, not shown."""
    told = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=told)


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
        number = await run_in_threadpool(_sent, visit, upload, verdict)
    return RedirectResponse(f"/receipts/{number}", 303)


def _sent(visit: Visit, upload: Upload, verdict: dict[str, Any]) -> int:
    receipt, is_new = Sent(visit.portal, visit.force_code).send(upload, verdict, visit.me.name)
    now = visit.portal.stands.now().receipts.filter(sha256=upload.sha256)
    came_otherwise = any(name != receipt.file for name in now["file_name"])
    if verdict["state"] != "rejected" and not came_otherwise:
        # Sent again after a kill, it may lack this; by another account, it is prepared already.
        with suppress(DeskError):
            ledger = Ledger(visit.portal.lake)
            sign(ledger, upload.receipt_id, visit.force_code, PREPARED, visit.me.name)
    visit.log("send", sha256=upload.sha256, receipt=receipt.name, new=is_new)
    return receipt.number


async def _verdict(visit: Visit, upload: Upload) -> dict[str, Any]:
    """Return the verdict on a file, unless it is not of this force: whose it is is not told.

    Raises:
        RefusedRequestError: it is not, or takes more than any return does.
    """
    try:
        verdict = await visit.portal.judges.verdict(upload.path, visit.force_code)
    except ServiceError as error:
        raise RefusedRequestError(503) from error
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
    found = Sent(visit.portal, visit.force_code).receipt(visit.number())
    if found is None:
        raise RefusedRequestError(404)
    signed = sign_off(Ledger(visit.portal.lake), found.receipt_id)
    return visit.page("receipt", receipt=found, signed=signed, levels=LEVELS)


@page("/receipts/{number}/marked.xlsx", *_ROLES)
def marked(visit: Visit) -> Response:
    """Return the marked copy of what was sent."""
    number = visit.number()
    path = Sent(visit.portal, visit.force_code).marked(number)
    if path is None:
        raise RefusedRequestError(404)
    visit.log("marked-copy", receipt=number)
    return attachment(path.read_bytes(), f"{visit.force_code}-{number:04d}-marked.xlsx")


PAGES: Final = [template, check, send, receipt, marked]
