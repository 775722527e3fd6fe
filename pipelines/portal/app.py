"""The portal as an application: every page, behind what stands before all pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from assets.html import render
from pipelines.portal import answers, desk_pages, force_pages, sign_in
from pipelines.portal.web import TEMPLATES, Front, Portal, Visit, nothing_there, page

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
        routes=[
            style,
            home,
            *sign_in.PAGES,
            *force_pages.PAGES,
            *answers.PAGES,
            *desk_pages.PAGES,
        ],
        lifespan=judging,
        middleware=[Middleware(Front, portal=portal)],
        exception_handlers={HTTPException: nothing_there},
    )
    # It would tell anybody which pages there are, at an address that the request chose.
    app.router.redirect_slashes = False
    return app
