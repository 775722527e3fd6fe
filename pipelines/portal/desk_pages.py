"""The pages of the desk: every force at a glance, queries and their acceptance, whom to call."""

from typing import Any, Final

import polars as pl
from starlette.responses import RedirectResponse, Response

from assets.figures.agenda import Agenda, agenda
from assets.intake.store import utc_now
from assets.returns.desk import decisions
from assets.returns.desk.chasing import call_list, days_late, due
from assets.returns.desk.decisions import DeskError, Ledger
from assets.returns.desk.sign_off import ACCEPTED, LEVELS, sign, sign_offs
from pipelines.portal.answers import current_queries, versions_of, with_fields
from pipelines.portal.sending import Sent
from pipelines.portal.web import RefusedRequestError, Visit, page
from schemas.errors import LakeError
from schemas.vocabulary import STATES


def overview(visit: Visit) -> Response:
    """Show where each force's return stands, and who is missing or late."""
    portal = visit.portal
    collection, now = portal.collection, portal.stands.now()
    today = collection.day_of(utc_now())
    status = now.status(collection)
    calls = call_list(status, collection, today).select("force_code", "why", "days_late")
    names = collection.bodies.select("force_code", "full_name")
    rows = status.join(names, on="force_code", how="left").join(calls, on="force_code", how="left")
    order = pl.col("state").replace_strict(dict(zip(STATES, range(len(STATES)), strict=True)))
    live = rows.drop_nulls("receipt_id").filter(pl.col("state") != "rejected")
    signed = sign_offs(Ledger(portal.lake), live["receipt_id"].to_list())
    taken_in = set(now.receipts["sha256"])
    waiting = {
        force: [each for each in Sent(portal, force).receipts() if each.sha256 not in taken_in]
        for force in collection.forces
    }
    counts = dict(status.group_by("state").len().iter_rows())
    return visit.page(
        "desk_home",
        rows=rows.sort(order, "force_code", maintain_order=True).to_dicts(),
        counts=[(state, counts.get(state, 0)) for state in STATES],
        waiting=waiting,
        signed=signed,
        levels=LEVELS,
        due=due(collection, today),
        late=days_late(collection, today),
    )


def _of_force(visit: Visit) -> str:
    """Return the force that the address names.

    Raises:
        RefusedRequestError: the collection expects none of that code.
    """
    force_code = visit.param("force_code")
    if force_code not in visit.portal.collection.forces:
        raise RefusedRequestError(404)
    return force_code


@page("/desk/forces/{force_code}", "desk")
def force(visit: Visit) -> Response:
    """Show one force: its versions, what each changed, its queries and its accounts."""
    return _force(visit)


def _force(visit: Visit, code: int = 200, words: str = "") -> Response:
    force_code, portal = _of_force(visit), visit.portal
    bodies = portal.collection.bodies
    accounts = [each for each in portal.accounts.all().values() if each.force_code == force_code]
    return visit.page(
        "desk_force",
        code,
        name=bodies.filter(force_code=force_code)["full_name"].item(),
        force_code=force_code,
        accounts=accounts,
        asked=current_queries(portal, force_code),
        words=words,
        **versions_of(portal, force_code),
    )


@page("/desk/forces/{force_code}/accept", "desk", post=True)
def accept_return(visit: Visit) -> Response:
    """Accept a return that its force has signed."""
    force_code = _of_force(visit)
    mine = visit.portal.stands.now().judged.filter(force_code=force_code, blocking=0)
    receipt_id = visit.form.get("receipt", "")
    if receipt_id not in mine["receipt_id"].to_list():
        raise RefusedRequestError(404)
    try:
        sign(Ledger(visit.portal.lake), receipt_id, force_code, ACCEPTED, visit.me.name)
    except DeskError as error:
        return _force(visit, 422, f"It was not accepted: {error}")
    visit.log("accept-return", receipt=receipt_id)
    return RedirectResponse(f"/desk/forces/{force_code}", 303)


@page("/desk/queries", "desk")
def queries(visit: Visit) -> Response:
    """Show the queries of every force, and let answers be accepted."""
    return _queries(visit)


def _agenda(visit: Visit) -> Agenda:
    """Return what to ask first; where no run has added up yet, nobody knows what a query moves."""
    portal, now = visit.portal, visit.portal.stands.now()
    try:
        return agenda(portal.lake, portal.collection, now)
    except LakeError:
        rows = decisions.queries(now.asked(), now.answers, portal.collection.id)
        unknown = pl.lit(None, pl.Float64).alias("effect")
        return Agenda(rows.with_columns(unknown, question="query_id"), [], 0)


def _queries(visit: Visit, code: int = 200, words: str = "") -> Response:
    found = _agenda(visit)
    asked = with_fields(visit.portal, found.rows)
    by_state: dict[str, list[dict[str, Any]]] = {state: [] for state in decisions.STATES}
    for each in asked:
        by_state[each["state"]].append(each)
    shared = {"states": decisions.STATES, "words": words, "agenda": found}
    return visit.page("desk_queries", code, by_state=by_state, **shared)


@page("/desk/queries", "desk", post=True)
def accept(visit: Visit) -> Response:
    """Accept every answer that was ticked: all of them, or none and why."""
    known = {each["field"]: each for each in with_fields(visit.portal, _agenda(visit).rows)}
    ticked = [name for name in visit.form if name.startswith("Q-")]
    if not ticked:
        return _queries(visit, 400, "There was no answer ticked.")
    if not known.keys() >= set(ticked):
        return _queries(
            visit, 409, "Something has changed meanwhile. Look again before you accept."
        )
    try:
        decisions.accept_all(
            Ledger(visit.portal.lake), [known[name] for name in ticked], visit.me.name
        )
    except DeskError as error:
        return _queries(visit, 422, f"Nothing was accepted: {error}")
    visit.log("accept", queries=[known[name]["query_id"] for name in ticked])
    return RedirectResponse("/desk/queries", 303)


@page("/desk/contacts", "desk")
def contacts(visit: Visit) -> Response:
    """Show the accounts: who can be reached about what."""
    names = dict(visit.portal.collection.bodies.select("force_code", "full_name").iter_rows())
    known = sorted(
        visit.portal.accounts.all().values(), key=lambda each: (each.force_code or "", each.name)
    )
    return visit.page("desk_contacts", accounts=known, names=names)


PAGES: Final = [force, accept_return, queries, accept, contacts]
