"""Serves the portal, every page of it: one process, which answers everybody."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final

import anyio
import h11
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from assets.html import render
from assets.intake.store import utc_now
from assets.lake import Lake, alone
from pipelines.portal import answers, desk_pages, force_pages, sign_in  # noqa: F401
from pipelines.portal.accounts import Accounts
from pipelines.portal.judges import Judges
from pipelines.portal.provider import provider_of_settings
from pipelines.portal.stands import Stands
from pipelines.portal.state import State
from pipelines.portal.uploads import clear_uploads
from pipelines.portal.web import (
    HEADERS,
    ROUTES,
    TEMPLATES,
    Front,
    Portal,
    Visit,
    nothing_there,
    page,
)
from schemas.collection import Collection
from schemas.errors import SetupError

_AT_ONCE: Final = 200
"""Requests that are answered at once; others are told that it is busy."""
_PATIENCE: Final = 10
"""Seconds in which the head of a request must have come."""


_DAY: Final = "public, max-age=86400"


@page("/style.css")
def style(visit: Visit) -> Response:
    """Return the style of every page."""
    del visit
    text = render(TEMPLATES / "style_sheet.css.j2")
    return Response(text, media_type="text/css", headers={"Cache-Control": _DAY})


@page("/", "preparer", "signer", "desk")
def home(visit: Visit) -> Response:
    """Show whoever is signed in what there is to do."""
    return desk_pages.overview(visit) if visit.me.role == "desk" else force_pages.home(visit)


def application(portal: Portal) -> Starlette:
    """Return the portal as an ASGI application."""

    @asynccontextmanager
    async def judging(_: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(portal.judges.begin)
            yield
            group.cancel_scope.cancel()

    app = Starlette(
        routes=ROUTES,
        lifespan=judging,
        middleware=[Middleware(Front, portal=portal)],
        exception_handlers={HTTPException: nothing_there},
    )
    # It would tell anybody which pages there are, at an address that the request chose.
    app.router.redirect_slashes = False
    return app


class Connection(H11Protocol):
    """A connection that ends where no request comes: uvicorn would keep its place for ever."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Wait on, where what came is the beginning of one."""
        super().data_received(data)
        self._await_head()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, with the headers that every answer has."""
        own = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=[*self.server_state.default_headers, *own]),
            h11.Data(data=msg.encode()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        self._no_longer()

    def _await_head(self) -> None:
        """Wait for the rest of a head that is due; the time runs from its beginning."""
        if self.conn.their_state is not h11.IDLE:
            self._no_longer()
        elif self._late is None:
            self._late = self.loop.call_later(_PATIENCE, self.transport.close)

    def _no_longer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def server(portal: Portal) -> uvicorn.Server:
    """Return what serves a portal; of what it answers by itself, too, every answer has HEADERS."""
    config = uvicorn.Config(
        application(portal), access_log=False, log_level="warning", headers=[*HEADERS.items()],
        server_header=False, limit_concurrency=_AT_ONCE, timeout_keep_alive=5, ws="none",
        proxy_headers=portal.secure, forwarded_allow_ips="127.0.0.1", timeout_graceful_shutdown=30,
        h11_max_incomplete_event_size=32 * 1024, http=Connection,
    )  # fmt: skip
    return uvicorn.Server(config)


def serve(
    collection: Collection,
    lake: Lake,
    host: str,
    port: int,
    *,
    secure: bool,
    tell: Callable[[str], object],
    begin: Callable[[], object] = lambda: None,
) -> None:
    """Serve the portal of a collection until it is stopped; `begin` is done once nobody else does.

    Raises:
        SetupError: it cannot listen there, or another process serves it.
    """
    # There are as many processes that judge as processors, with one thread each.
    os.environ |= {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    host = "127.0.0.1" if host == "localhost" else host
    folder = lake.root / "portal"
    provider, state = provider_of_settings(), State(folder)
    judges, stands = Judges(collection.id), Stands(lake)
    # Only on this machine itself may a cookie go without encryption.
    secure = secure or not _is_loopback(host)
    portal = Portal(collection, lake, Accounts(folder), state, judges, stands, secure, provider)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise SetupError(
            f"cannot listen on {host} port {port} ({os.strerror(error.errno or 0)}). Name another:"
            " --port N."
        ) from error
    busy = SetupError(f"another process serves the drop-off page of {collection.id}. End it first.")
    with listening, alone(folder / f".{collection.id}.lock", busy):
        begin()
        clear_uploads(portal)
        tell(f"The drop-off page of {collection.id}: http://{host}:{listening.getsockname()[1]}/")
        if not collection.is_open(collection.day_of(utc_now())):
            opens, closes = collection.window
            tell(
                f"It is not open today, but from {opens} to {closes}. Another collection is served"
                " with --collection ID, or MUSTER_COLLECTION."
            )
        if not portal.accounts.all():
            tell("Nobody can sign in yet. Add people: muster portal accounts add --help")
        try:
            server(portal).run(sockets=[listening])
        finally:
            state.close()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name can be that of anything
        return False
