"""What a force is asked and answers, its versions and letters, and signing what was prepared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse, Response

from assets.feedback.causes import wording_of
from assets.feedback.folder import feedback_files
from assets.feedback.letters import letters
from assets.feedback.problems import grouped
from assets.intake.store import utc_now
from assets.returns.desk import decisions
from assets.returns.desk.chasing import first_came
from assets.returns.desk.decisions import DeskError, Ledger
from assets.returns.desk.sign_off import LEVELS, SIGNED, released_receipts, sign, sign_offs
from assets.returns.desk.versions import typed_changes
from assets.returns.template.workbook import earlier_values
from pipelines.portal.sending import Sent, waiting
from pipelines.portal.web import XLSX, RefusedRequestError, Visit, attachment, page
from schemas.finding import Finding
from schemas.wording import plural

if TYPE_CHECKING:
    import polars as pl

    from assets.feedback.letters import Letter
    from pipelines.portal.web import Portal

_ROLES: Final = ("preparer", "signer")


def questions(portal: Portal, queries: pl.DataFrame) -> list[dict[str, Any]]:
    """Return questions in the order of their queries: those with one cause, answered alike.

    Each has `queries`, with the words of a letter as their `thing`, and `field`, its name in a
    form. That names what is asked and what was answered, so that once either has changed it is
    called otherwise, and nobody answers or accepts what he has not seen.
    """
    together: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in queries.iter_rows(named=True):
        (thing,) = grouped([Finding.of(row)], portal.collection.template)
        alike = (row["question"], row["state"], row["reason"], row["answered_by"])
        together.setdefault(alike, []).append({**row, "thing": thing})
    found = []
    for (question, state, reason, by), asked in together.items():
        seen = [
            (each["query_id"], decisions.observed(each), decisions.numbers_of(each))
            for each in asked
        ]
        digest = hashlib.sha256(repr((seen, state, reason)).encode()).hexdigest()[:12]
        told = {"state": state, "reason": reason, "by": by, "force_code": asked[0]["force_code"]}
        found.append({**told, "field": f"{question}.{digest}", "queries": asked})
    return found


def of_force(portal: Portal, force_code: str) -> list[dict[str, Any]]:
    """Return the questions to a force."""
    return questions(
        portal, portal.stands.agenda(portal.collection).rows.filter(force_code=force_code)
    )


@page("/queries", *_ROLES)
def queries(
    visit: Visit, code: int = 200, words: str = "", wrong: Mapping[str, str] = MappingProxyType({})
) -> Response:
    """Show what is asked about the return, each with its answer so far."""
    asked = of_force(visit.portal, visit.force_code)
    of_rows = visit.force_code in visit.portal.stands.now().only["force_code"]
    shared = {"words": words, "wrong": wrong, "typed": visit.form, "states": decisions.STATES}
    about = {"asked": asked, "of_rows": of_rows, "recorded": visit.told("recorded")}
    return visit.page("queries", code, **about, **shared)


@page("/queries", *_ROLES, post=True)
def answer(visit: Visit) -> Response:
    """Record every reason that was typed: all of them, or none and why."""
    asked = {each["field"]: each["queries"] for each in of_force(visit.portal, visit.force_code)}
    given = {
        name.removeprefix("reason "): reason.strip()
        for name, reason in visit.form.items()
        if name.startswith("reason ") and reason.strip()
    }
    if given.keys() - asked.keys():
        return queries(
            visit, 409, "Something has changed meanwhile. Look again, and answer what is asked now."
        )
    if not given:
        return queries(visit, 400, "There was no answer. Write one, then send it.")
    wrong = {}
    for field, reason in given.items():
        try:
            decisions.sentence("reason", reason)
        except DeskError as error:
            wrong[field] = str(error)
    if wrong:
        many = plural(len(wrong), "answer")
        return queries(visit, 400, f"Nothing was recorded: {many} cannot be taken so.", wrong)
    answers = [(query, reason) for field, reason in given.items() for query in asked[field]]
    decisions.answer_all(Ledger(visit.portal.lake), answers, visit.me.name)
    visit.log("answer", queries=[query["query_id"] for query, _ in answers])
    return RedirectResponse(f"/queries?recorded={len(answers)}", 303)


@page("/versions", *_ROLES)
def versions(visit: Visit) -> Response:
    """Show every version, which one counts, how far it is signed off, and what each changed."""
    return visit.page("versions", **versions_of(visit.portal, visit.force_code))


def versions_of(portal: Portal, force_code: str) -> dict[str, Any]:
    """Return what is shown of the versions of a force."""
    now = portal.stands.now()
    mine = now.judged.filter(force_code=force_code).sort("version", descending=True)
    released = released_receipts(portal.lake)
    template, changes = portal.collection.template, dict[int, list[dict[str, Any]]]()
    order = {place: number for number, place in enumerate(template.entry_at)}
    for row in typed_changes(portal.lake, mine, now.entries, now.findings).to_dicts():
        place = row["sheet"], row["row_code"], row["column_code"]
        if place in order:
            at = {"called": wording_of(template, *place), "order": order[place]}
            changes.setdefault(row["version"], []).append(row | at)
    live, last = mine.filter("live")["version"].first(), mine["version"].first()
    choices = now.choices.filter(force_code=force_code).select("version", "up_to").rows()
    sent = {each.sha256: each for each in Sent(portal, force_code).receipts()}
    times = mine.select("version", "sha256", "received_at").iter_rows()
    return {
        "versions": mine.to_dicts(),
        "came": {
            number: first_came(at, sent[key].at if key in sent else None).isoformat()
            for number, key, at in times
        },
        "changes": {n: sorted(c, key=itemgetter("order")) for n, c in changes.items()},
        "signed": sign_offs(Ledger(portal.lake), mine["receipt_id"].to_list(), released),
        "levels": LEVELS,
        "chosen": any(chosen == live and last <= up_to for chosen, up_to in choices),
        "sent": sent,
    }


@page("/receipts/{number}/sign", "signer", post=True)
def sign_return(visit: Visit) -> Response:
    """Sign for the force what another of its accounts has sent."""
    number = visit.told("number")
    receipt = Sent(visit.portal, visit.force_code).receipt(number)
    if receipt is None:
        raise RefusedRequestError(404)
    if receipt.verdict["state"] == "rejected":
        raise RefusedRequestError(422, "It was not signed: it must be mended first.")
    ledger = Ledger(visit.portal.lake)
    try:
        sign(ledger, receipt.receipt_id, visit.force_code, SIGNED, visit.me.name)
    except DeskError as error:
        raise RefusedRequestError(422, f"It was not signed: {error}") from error
    visit.log("sign", receipt=receipt.name, sha256=receipt.sha256)
    return RedirectResponse(f"/receipts/{number}", 303)


def _letter(portal: Portal, force_code: str) -> Letter | None:
    collection, asked = portal.collection, portal.stands.agenda(portal.collection).rows
    today = collection.day_of(utc_now())
    of = portal.lake, portal.stands.now(), collection, today, asked, force_code
    names = {each.sha256: each.called for each in Sent(portal, force_code).receipts()}
    return next(iter(letters(*of, names)), None)


@page("/letter", *_ROLES)
@page("/desk/forces/{force_code}/letter", "desk")
def letter(visit: Visit) -> Response:
    """Show the letter that a force has, if there is anything for it to do, and its files."""
    portal, force_code = visit.portal, visit.force_code
    found, not_yet = _letter(portal, force_code), waiting(portal, force_code)
    return visit.page("letter", letter=found, waiting=not_yet, at=visit.request.url.path)


@page("/letter/{name}", *_ROLES)
@page("/desk/forces/{force_code}/letter/{name}", "desk")
def letter_file(visit: Visit) -> Response:
    """Return the letter that a force has as a file, or the workbook that goes with it."""
    force_code = visit.force_code
    name, found = visit.param("name"), _letter(visit.portal, force_code)
    kinds = {"letter.html": "text/html", "letter.txt": "text/plain"}
    if found is None or name not in {*kinds, *found.attachments}:
        raise RefusedRequestError(404)
    collection, lake = visit.portal.collection, visit.portal.lake
    earlier = earlier_values(lake, collection)
    files = feedback_files([found], {}, lake, collection, earlier)
    visit.log("letter", force=force_code, file=name)
    return attachment(files[f"{force_code}/{name}"], name, kinds.get(name, XLSX))


@page("/help", *_ROLES)
def help_(visit: Visit) -> Response:
    """Show what each page is for, and how a return goes from here."""
    return visit.page("help")
