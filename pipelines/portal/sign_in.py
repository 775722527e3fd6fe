"""Signing in, with a password or through an identity provider, and out."""

import secrets
from typing import Final

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from pipelines.portal.accounts import LONGEST_PASSWORD, Account
from pipelines.portal.provider import Provider
from pipelines.portal.web import RefusedRequestError, Visit, page, set_cookie
from schemas.wording import visible

_BACK: Final = "/sign-in/provider/back"
_NOT_LET_IN: Final = "The identity provider has not let you in here."
_NO_ACCOUNT: Final = "You have no account here yet. Please ask the data team for one."
_WRONG: Final = "The name or the password is not right."
_AT_ONCE: Final = anyio.CapacityLimiter(2)
"""Passwords verified at once: each takes much memory, as it should."""


@page("/sign-in")
def sign_in_form(visit: Visit) -> Response:
    """Show the form for signing in."""
    return RedirectResponse("/", 303) if visit.account else sign_in_page(visit)


def sign_in_page(visit: Visit, status: int = 200, words: str = "") -> Response:
    """Return the page for signing in, with words on why that was not done."""
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
        raise RefusedRequestError(429)
    account = await anyio.to_thread.run_sync(
        visit.portal.accounts.verified, name, password[: LONGEST_PASSWORD + 1], limiter=_AT_ONCE
    )
    if account is None:
        # What was typed as a name may be a password.
        known = name if name in visit.portal.accounts.all() else None
        visit.log("sign-in-refused", named=known, address=visit.address)
        return sign_in_page(visit, 403, _WRONG)
    await run_in_threadpool(state.was_right, name, visit.address, attempt)
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
    set_cookie(answer, visit, "")
    return answer


def _of(visit: Visit) -> Provider:
    if visit.portal.provider is None:
        raise RefusedRequestError(404)
    visit.request.scope["session"] = visit.portal.provider.pending(visit.session)
    return visit.portal.provider


@page("/sign-in/provider")
async def to_provider(visit: Visit) -> Response:
    """Lead to the identity provider."""
    if not visit.session or visit.account:
        return RedirectResponse("/sign-in", 303)
    request = visit.request
    back = f"{request.url.scheme}://{request.headers['host']}{_BACK}"
    try:
        found: Response = await _of(visit).client.authorize_redirect(request, back)
    except RefusedRequestError:
        raise
    except Exception as error:  # of three libraries; whichever it is, nobody gets any further
        visit.log("provider-failed", why=type(error).__name__)
        return sign_in_page(visit, 503, "The identity provider does not answer just now.")
    return found


@page(_BACK)
async def from_provider(visit: Visit) -> Response:
    """Sign in whoever comes back, where the accounts file has an account of that subject."""
    if not visit.session:
        return RedirectResponse("/sign-in", 303)
    provider = _of(visit)
    account, words = None, _NOT_LET_IN
    try:
        subject = await provider.subject(visit.request)
    except Exception as error:  # an answer that is forged, late or strange lets nobody in
        about = {"why": type(error).__name__}
    else:
        account, words = visit.portal.accounts.with_subject(subject), _NO_ACCOUNT
        about = {"why": "unknown", "subject": visible(subject)}
    provider.arrived(visit.session)
    if account is None:
        visit.log("sign-in-refused", by="provider", **about, address=visit.address)
        return sign_in_page(visit, 403, words)
    return signed_in(visit, account)
