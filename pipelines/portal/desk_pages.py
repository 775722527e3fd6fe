"""The pages of the desk: every force at a glance, queries and their acceptance, whom to call."""

import polars as pl
from starlette.responses import RedirectResponse, Response

from assets.intake.store import utc_now
from assets.release.pages.wording import called
from assets.returns.desk import decisions
from assets.returns.desk.chasing import came_late, days_late, due, todo
from assets.returns.desk.decisions import DeskError, Ledger
from assets.returns.desk.sign_off import ACCEPTED, released_receipts, sign, sign_offs
from pipelines.portal.answers import of_force, questions, versions_of
from pipelines.portal.sending import sent_here, waiting
from pipelines.portal.web import RefusedRequestError, Visit, page
from schemas.vocabulary import STATES


def overview(visit: Visit) -> Response:
    """Show where each force's return stands, and who is missing or late."""
    portal = visit.portal
    collection, now = portal.collection, portal.stands.now()
    today = collection.day_of(utc_now())
    status = now.status(collection)
    names = collection.bodies.select("force_code", "full_name")
    order = pl.col("state").replace_strict(dict(zip(STATES, range(len(STATES)), strict=True)))
    rows = status.join(names, on="force_code", how="left").sort(order, "force_code")
    live = rows.drop_nulls("receipt_id").filter(pl.col("state") != "rejected")["receipt_id"]
    signed = sign_offs(Ledger(portal.lake), live.to_list(), released_receipts(portal.lake))
    to_do = todo(status, portal.stands.agenda(collection).open, signed, collection, today)
    sent = {key: receipt.at for key, receipt in sent_here(portal.lake).items()}
    counts = dict(status.group_by("state").len().iter_rows())
    return visit.page(
        "desk_home",
        rows=rows.to_dicts(),
        to_do=dict(to_do.group_by("force_code", maintain_order=True).agg("what").iter_rows()),
        counts=[(state, counts.get(state, 0)) for state in STATES],
        waiting={force: waiting(portal, force) for force in collection.forces},
        signed=signed,
        due=due(collection, today),
        days_late=days_late(collection, today),
        late=came_late(status, sent, collection),
    )


@page("/desk/forces/{force_code}", "desk")
def force(visit: Visit, code: int = 200, words: str = "") -> Response:
    """Show one force: its versions, what each changed, its queries and its accounts."""
    force_code, portal = visit.force_code, visit.portal
    accounts = [each for each in portal.accounts.all().values() if each.force_code == force_code]
    return visit.page(
        "desk_force",
        code,
        name=visit.force_name,
        force_code=force_code,
        accounts=accounts,
        asked=of_force(portal, force_code),
        waiting=waiting(portal, force_code),
        words=words,
        **versions_of(portal, force_code),
    )


@page("/desk/forces/{force_code}/accept", "desk", post=True)
def accept_return(visit: Visit) -> Response:
    """Accept the return of a force that counts, once it is signed."""
    force_code = visit.force_code
    mine = visit.portal.stands.now().judged.filter("live", force_code=force_code)
    receipt_id = visit.form.get("receipt", "")
    if receipt_id not in mine["receipt_id"].to_list():
        raise RefusedRequestError(404)
    try:
        sign(Ledger(visit.portal.lake), receipt_id, force_code, ACCEPTED, visit.me.name)
    except DeskError as error:
        return force(visit, 422, f"It was not accepted: {error}")
    visit.log("accept-return", receipt=receipt_id)
    return RedirectResponse(f"/desk/forces/{force_code}", 303)


@page("/desk/queries", "desk")
def queries(visit: Visit, code: int = 200, words: str = "") -> Response:
    """Show the queries of every force, and let answers be accepted."""
    found = visit.portal.stands.agenda(visit.portal.collection)
    by_state = {
        state: questions(visit.portal, found.rows.filter(state=state)) for state in decisions.STATES
    }
    shared = {"states": decisions.STATES, "words": words, "agenda": found}
    shared |= {"recorded": visit.told("recorded"), "called": called(visit.portal.collection)}
    return visit.page("desk_queries", code, by_state=by_state, **shared)


@page("/desk/queries", "desk", post=True)
def accept(visit: Visit) -> Response:
    """Accept every answer that was ticked, or ask again: all of them, or none and why."""
    asked = questions(visit.portal, visit.portal.stands.agenda(visit.portal.collection).rows)
    known = {each["field"]: each["queries"] for each in asked}
    ticked = [name.removeprefix("tick ") for name in visit.form if name.startswith("tick ")]
    if not ticked:
        return queries(visit, 400, "There was no answer ticked.")
    if not known.keys() >= set(ticked):
        return queries(visit, 409, "Something has changed meanwhile. Look again before you decide.")
    decided = [query for name in ticked for query in known[name]]
    ledger, again = Ledger(visit.portal.lake), "again" in visit.form
    try:
        if again:
            decisions.refuse_all(ledger, decided, visit.form.get("why", ""), visit.me.name)
        else:
            decisions.accept_all(ledger, decided, visit.me.name)
    except DeskError as error:
        return queries(visit, 422, f"Nothing was recorded: {error}")
    action = "ask-again" if again else "accept"
    visit.log(action, queries=[query["query_id"] for query in decided])
    return RedirectResponse(f"/desk/queries?recorded={len(decided)}", 303)


@page("/desk/contacts", "desk")
def contacts(visit: Visit) -> Response:
    """Show the accounts: who can be reached about what."""
    names = dict(visit.portal.collection.bodies.select("force_code", "full_name").iter_rows())
    known = sorted(
        visit.portal.accounts.all().values(), key=lambda each: (each.force_code or "", each.name)
    )
    return visit.page("desk_contacts", accounts=known, names=names)
