"""Signing in with a password, and out."""

import secrets
from typing import Final

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from pipelines.portal.accounts import LONGEST_PASSWORD, Account
from pipelines.portal.web import RefusedRequestError, Visit, drop_cookie, page, set_cookie

_WRONG: Final = "The name or the password is not right."
_AT_ONCE: Final = anyio.CapacityLimiter(2)
"""Passwords verified at once: each takes much memory, as it should."""


@page("/sign-in")
def sign_in_form(visit: Visit) -> Response:
    """Show the form for signing in."""
    return RedirectResponse("/", 303) if visit.account else _form(visit)


def _form(visit: Visit, status: int = 200, words: str = "") -> Response:
    if visit.session:
        return visit.page("sign_in", status, words=words)
    # A form is made for a session, so there is one before anybody is signed in.
    visit.session = secrets.token_urlsafe(32)
    answer = visit.page("sign_in", status, words=words)
    set_cookie(answer, visit, visit.session)
    return answer


@page("/sign-in", post=True)
async def sign_in(visit: Visit) -> Response:
    """Sign in, or say that it cannot be: the same, and as late, whatever is not right."""
    name, password = visit.form.get("name", "").strip(), visit.form.get("password", "")
    state = visit.portal.state
    attempt = await run_in_threadpool(state.attempt, name, visit.address)
    if attempt is None:
        visit.log("sign-in-limited", address=visit.address)
        raise RefusedRequestError(429)
    account = await anyio.to_thread.run_sync(
        visit.portal.accounts.verified, name, password[: LONGEST_PASSWORD + 1], limiter=_AT_ONCE
    )
    if account is None:
        # What was typed as a name may be a password.
        known = name if name in visit.portal.accounts.all() else None
        visit.log("sign-in-refused", named=known, address=visit.address)
        return _form(visit, 403, _WRONG)
    await run_in_threadpool(state.was_right, name, attempt)
    return signed_in(visit, account)


def signed_in(visit: Visit, account: Account) -> Response:
    """Begin a session, a new one so that nobody can have set it before, and lead to its page."""
    visit.account = account
    visit.log("sign-in", address=visit.address)
    answer = RedirectResponse("/", 303)
    set_cookie(answer, visit, visit.portal.state.sign_in(account))
    return answer


@page("/sign-out", "preparer", "signer", "desk", post=True)
def sign_out(visit: Visit) -> Response:
    """Sign out: the session is over, whoever has kept its cookie."""
    visit.portal.state.sign_out(visit.session)
    visit.log("sign-out")
    answer = RedirectResponse("/sign-in", 303)
    drop_cookie(answer, visit)
    return answer


PAGES: Final = [sign_in_form, sign_in, sign_out]
