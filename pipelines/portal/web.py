"""What every page of the portal stands on: who visits, forms that are ours, headers, errors."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, MutableHeaders
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from assets.html import render
from assets.lake import Lake
from pipelines.portal.accounts import Account, Accounts, Role
from pipelines.portal.state import LONGEST, State
from schemas.errors import MusterError, ServiceError, UnavailableError, place_of
from schemas.wording import long_date

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipelines.portal.judges import Judges
    from pipelines.portal.provider import Provider
    from pipelines.portal.stands import Stands
    from schemas.collection import Collection

TEMPLATES: Final = Path(__file__).with_name("templates")
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_FORM: Final = 512 * 1024
_MOST_FIELDS: Final = 5000
_MOST_DIGITS: Final = 9
PATIENCE: Final = 30
"""Seconds in which a form must have come whole."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_LOG: Final = logging.getLogger("muster.portal")


@dataclass
class Portal:
    """The portal of one collection. `secure`: browsers reach it by https alone."""

    collection: Collection
    lake: Lake
    accounts: Accounts
    state: State
    judges: Judges
    stands: Stands
    secure: bool = False
    provider: Provider | None = None

    @property
    def folder(self) -> Path:
        """Where the portal keeps what is its own."""
        return self.state.folder


@dataclass
class Visit:
    """One request: of whom, and the form that came with it, if any."""

    request: Request
    portal: Portal
    session: str
    account: Account | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def me(self) -> Account:
        """The account that is signed in, which it is on every page but that for signing in."""
        if self.account is None:
            raise RefusedRequestError(404)
        return self.account

    @property
    def force_code(self) -> str:
        """The force of the account; of one of the desk, that which the path names."""
        mine, collection = self.me.force_code, self.portal.collection
        code = mine or self.request.path_params.get("force_code")
        if code not in collection.forces:
            words = f"{collection.title} asks for no return of your force." if mine else ""
            raise RefusedRequestError(404, words)
        return str(code)

    @property
    def address(self) -> str:
        """Where the request comes from, as the proxy before us says."""
        return self.request.client.host if self.request.client else ""

    @property
    def token(self) -> str:
        """What each form has in its field `token`."""
        return self.portal.state.form_token(self.session)

    def param(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def told(self, name: str) -> int:
        """Return a number that an address of ours bears; 0 where there is none."""
        told = str({**self.request.query_params, **self.request.path_params}.get(name, ""))
        return int(told) if told.isascii() and told.isdigit() and len(told) <= _MOST_DIGITS else 0

    def log(self, action: str, **about: Any) -> None:
        """Add to the log that whoever visits did something."""
        self.portal.state.log(action, self.account, about)

    @property
    def force_name(self) -> str:
        """The full name of the account's force."""
        return self.portal.collection.name_of(self.force_code)

    def when(self, at: str) -> str:
        """Return a moment in ISO 8601 as people of the collection say it."""
        there = datetime.fromisoformat(at).astimezone(ZoneInfo(self.portal.collection.timezone))
        return f"{long_date(there.date())}, {there:%H:%M %Z}"

    def page(self, template: str, code: int = 200, /, **facts: Any) -> Response:
        """Return a page."""
        shared = {"visit": self, "me": self.account, "collection": self.portal.collection}
        text = render(TEMPLATES / f"{template}.html.j2", **shared, **facts)
        return HTMLResponse(text, code)


def attachment(content: bytes, name: str, kind: str = XLSX) -> Response:
    """Return a file to be kept, not shown."""
    told = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=told)


class RefusedRequestError(Exception):
    """A request is not answered as asked; `words` say why, where that may be said."""

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(status)
        self.status, self.words = status, words


async def bounded(request: Request, longest: int) -> AsyncGenerator[bytes, None]:
    """Yield the body of a request as it comes.

    Raises:
        RefusedRequestError: it is longer than is allowed.
    """
    told, length = request.headers.get("content-length", "0"), 0
    if not told.isdigit() or int(told) > longest:
        raise RefusedRequestError(413)
    async for chunk in request.stream():
        length += len(chunk)
        if length > longest:
            raise RefusedRequestError(413)
        yield chunk


async def parsed(form: FormParser | MultiPartParser, seconds: float) -> FormData:
    """Return what a form holds once it has come.

    Raises:
        RefusedRequestError: it comes too slowly, breaks off or is none.
    """
    try:
        with anyio.fail_after(seconds):
            return await form.parse()
    except TimeoutError as error:
        raise RefusedRequestError(408) from error
    except (ClientDisconnect, MultiPartException) as error:
        raise RefusedRequestError(400) from error


ROUTES: Final[list[Route]] = []
"""Every page, of the modules that have been loaded."""
Page = TypeVar("Page", bound=Callable[..., Response] | Callable[..., Awaitable[Response]])


def page(
    path: str, *roles: Role, post: bool = False, upload: bool = False
) -> Callable[[Page], Page]:
    """Make a page of a function that answers a visit.

    The same path may have one page by GET and one by POST, which takes a form: with `upload` one
    with a file, which the function reads itself. For those who are in none of the roles there is no
    such page; None is who is not signed in.
    """

    def made(answer: Page) -> Page:
        async def endpoint(request: Request) -> Response:
            visit: Visit = request.state.visit  # as `Front` found out
            if roles and (visit.account is None or visit.account.role not in roles):
                raise RefusedRequestError(404)
            if post and not upload:
                await _read_form(visit)
            if iscoroutinefunction(answer):
                return cast("Response", await answer(visit))
            return cast("Response", await run_in_threadpool(answer, visit))

        ROUTES.append(Route(path, endpoint, methods=["POST"] if post else ["GET"]))
        return answer

    return made


async def _read_form(visit: Visit) -> None:
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RefusedRequestError(400)
    body = bounded(visit.request, LONGEST_FORM)
    form = FormParser(visit.request.headers, body, max_fields=_MOST_FIELDS)
    told = await parsed(form, PATIENCE)
    visit.form = {name: str(value) for name, value in told.multi_items()}
    check_token(visit, visit.form.get("token", ""))


def check_token(visit: Visit, token: str) -> None:
    """Refuse a form that is none of ours, made for this session.

    Raises:
        RefusedRequestError: it is none.
    """
    if not visit.portal.state.is_form_token(visit.session, token):
        raise RefusedRequestError(
            403, "The page was too old. Open it again and repeat what you did."
        )


class Front:
    """Stands before all pages: finds out who visits, and answers what goes wrong."""

    def __init__(self, app: ASGIApp, portal: Portal) -> None:
        self.app, self.portal = app, portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            visit = await run_in_threadpool(self._visit, request)
            request.state.visit = visit
            if request.method == "POST" and not _from_our_own_page(request):
                raise RefusedRequestError(
                    403,
                    "That was not sent from a page of this address. Open it here and repeat it.",
                )
            await self.app(scope, receive, with_headers)
        except Exception as error:
            if begun:
                raise
            await _told(error, request)(scope, receive, with_headers)

    def _visit(self, request: Request) -> Visit:
        state = self.portal.state
        session = state.session_in(request.cookies.get(cookie_name(request, self.portal)))
        told = state.signed_in(session) if session else None
        account = self.portal.accounts.active(told[0]) if told else None
        if account and told and account.version != told[1]:
            account = None
        return Visit(request, self.portal, session or "", account)


def _from_our_own_page(request: Request) -> bool:
    """Return whether the browser says that a page of ours sent a form; some say nothing."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    try:
        same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False
    return same and site in {None, "same-origin", "none"}


_ERRORS: Final = {
    400: "The request could not be read.",
    403: "That was not done.",
    404: "There is no such page.",
    408: "The file took too long to come. Nothing was kept.",
    422: "That cannot be taken.",
    413: "The file is too large to be a return. Nothing was kept.",
    429: "Too many attempts. Try again in a quarter of an hour.",
    500: "Something went wrong here. It is not your file: please tell the data team.",
    503: "Busy just now. Try again in a minute.",
    507: "Nothing can be written here just now. What you have no receipt for was not received:"
    " please tell the data team, and send it again later.",
}


def _told(error: Exception, request: Request) -> Response:
    """Return the page that says that something went wrong; the log says where, and no content."""
    visit: Visit | None = getattr(request.state, "visit", None)
    words = ""
    if isinstance(error, RefusedRequestError):
        status, words = error.status, error.words
    else:
        told = str(error) if isinstance(error, MusterError) else type(error).__name__
        _LOG.error("%s (%s)", told, place_of(error))
        kinds = {UnavailableError: 507, ServiceError: 503}
        status = next((kinds[kind] for kind in kinds if isinstance(error, kind)), 500)
    if visit is None:
        return Response(_ERRORS[status], status, media_type="text/plain")
    if visit.account is None and status == 404:
        # Whoever is not signed in is told nothing of what there is.
        return RedirectResponse("/sign-in", 303)
    answer = visit.page("error", status, words=words or _ERRORS[status])
    if status in {408, 413, 507}:
        answer.headers["Connection"] = "close"
    return answer


def nothing_there(request: Request, _: Exception) -> Response:
    """Answer what has no page: as every page does that is not for whoever asks."""
    return _told(RefusedRequestError(404), request)


def cookie_name(request: Request, portal: Portal) -> str:
    """Return what the cookie is called: with the prefix, browsers take it from no other place."""
    return "__Host-muster" if _is_secure(request, portal) else "muster"


def set_cookie(answer: Response, visit: Visit, session: str) -> None:
    """Have the browser keep a session; "" has it forget the one that it has."""
    answer.set_cookie(
        cookie_name(visit.request, visit.portal),
        visit.portal.state.cookie(session) if session else "",
        max_age=int(LONGEST.total_seconds()) if session else 0,
        secure=_is_secure(visit.request, visit.portal),
        httponly=True,
        samesite="lax",
    )


def _is_secure(request: Request, portal: Portal) -> bool:
    return portal.secure or request.url.scheme == "https"
